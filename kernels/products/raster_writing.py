"""How raster files are written: rows into a GeoTIFF, and a GeoTIFF into a cloud optimized one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

from kernels.errors import ProcessingError, RequestError
from kernels.model import MapGrid, RadarGrid, Shape
from kernels.products.overviews import MOST_LEVELS, Resampling, overview_levels, overview_rows
from kernels.products.raster_geometry import write_geometry

gdal.UseExceptions()

Compression = Literal["ZSTD", "DEFLATE", "LERC", "NONE"]

PixelType = Literal["float32", "uint16", "uint8", "float64", "complex64"]

TILE = 1 << MOST_LEVELS
"""Rows and columns of a tile of the files written here."""

LERC_ERROR = 1e-5
"""Largest error of a number by LERC: 0.0004 dB of an intensity of 0.1, 0.04 dB of one of 0.001."""
LERC_ERROR_DB = 0.01
"""The same where decibels are kept [dB]."""

_DECIBELS = 10.0 / math.log(10.0)

_GDAL_TYPES = {
    "float32": gdal.GDT_Float32,
    "uint16": gdal.GDT_UInt16,
    "uint8": gdal.GDT_Byte,
    "float64": gdal.GDT_Float64,
    "complex64": gdal.GDT_CFloat32,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How pixels are kept in a file.

    Attributes
    ----------
    nodata, compression, threads, dtype, overviews, decibels : object
        As in `create_raster`.
    """

    nodata: float
    compression: Compression
    threads: int
    dtype: PixelType
    overviews: Resampling | None
    decibels: bool

    @property
    def missing(self) -> float:
        """Value of missing pixels in the file, where 0 dB is an intensity."""
        return math.nan if self.decibels else self.nodata

    @property
    def error(self) -> float:
        """Largest error of a number by LERC."""
        return LERC_ERROR_DB if self.decibels else LERC_ERROR

    def create(self, path: Path, shape: Shape, bands: int) -> Any:
        """Create a GDAL data set; one that is to get overviews is not compressed yet."""
        driver = gdal.GetDriverByName("GTiff")
        if self.compression == "LERC" and "LERC_ZSTD" not in driver.GetMetadataItem(
            gdal.DMD_CREATIONOPTIONLIST
        ):
            rule = "ZSTD, DEFLATE or NONE with this GDAL, which was built without LERC"
            raise RequestError("compression", rule, self.compression)
        # tiles hold all bands in such a file, but GDAL follows the source where none is compressed
        together = self.overviews is not None and self.compression == "NONE"
        options = ["TILED=YES", f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}", "BIGTIFF=IF_SAFER"]
        options += [f"INTERLEAVE={'PIXEL' if together else 'BAND'}"]
        if self.overviews is None:
            level = "ZLEVEL=1" if self.compression == "DEFLATE" else "ZSTD_LEVEL=1"
            options += self._compression(level, "PREDICTOR=2")
        return driver.Create(
            str(path), shape.samples, shape.lines, bands, _GDAL_TYPES[self.dtype], options
        )

    def optimize(self, source: Path, target: Path) -> None:
        """Copy a file with its overviews into a Cloud Optimized GeoTIFF."""
        options = [f"BLOCKSIZE={TILE}", "BIGTIFF=IF_SAFER", "OVERVIEWS=FORCE_USE_EXISTING"]
        options += self._compression("LEVEL=1", "PREDICTOR=STANDARD")
        dataset = gdal.Open(str(source))
        gdal.GetDriverByName("COG").CreateCopy(str(target), dataset, options=options)

    def _compression(self, level: str, predictor: str) -> list[str]:
        """Give options: the fastest level, and differences of the bit patterns.

        They are cheaper than predictor 3, for somewhat larger files.
        """
        if self.compression == "NONE":
            return ["COMPRESS=NONE"]
        if self.compression == "LERC":
            own = ["COMPRESS=LERC_ZSTD", f"MAX_Z_ERROR={self.error}"]
        else:
            own = [f"COMPRESS={self.compression}", predictor]
        return [*own, level, f"NUM_THREADS={self.threads}"]

    def stored(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Turn rows as they were given into numbers for the file."""
        if self.decibels:
            known = rows > 0.0
            with np.errstate(divide="ignore", invalid="ignore"):
                decibels = np.log(rows) * np.float32(_DECIBELS)
            return np.where(known, decibels, np.float32(np.nan))
        if self.compression == "LERC" and self.dtype == "float32" and self.nodata == 0.0:
            # what is rounded to 0 would become no data
            least = np.float32(2.0 * self.error)
            return np.where((rows > 0.0) & (rows < least), least, rows)
        return rows


class Writing:
    """Turns what GDAL complains of inside into one ProcessingError.

    GDAL does not raise meanwhile: it writes once more when it closes a file, in a destructor.

    Parameters
    ----------
    path : Path
        Final name of the file.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._complaints: list[str] = []

    def __enter__(self) -> None:
        gdal.PushErrorHandler(self._note)

    def _note(self, level: int, _number: int, text: str) -> None:
        if level >= gdal.CE_Failure:
            self._complaints.append(text)
            # The binding raises where an error is left behind, and cannot be told not to: its
            # switch is that of all threads, and stuck where another module turned it after us.
            gdal.ErrorReset()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        gdal.PopErrorHandler()
        # what is raised after a complaint follows from it, as when there is no file to write to
        failed = self._complaints and (error is None or isinstance(error, Exception))
        if failed or isinstance(error, RuntimeError):
            # The frames hold the data set, which is to be closed at once, not when the error is
            # dealt with.
            del traceback
            if error is not None:
                error.__traceback__ = None
            reason = self._complaints[0] if self._complaints else str(error)
            raise ProcessingError(
                f"{self._name} could not be written, is the disk full?: {reason}"
            ) from error


class BandWriter:
    """Takes the rows of a raster from top to bottom; made by `create_raster`.

    Rows are kept back until they fill a row of tiles, because a tile that is written twice
    leaves a hole in a compressed file; so memory is bounded by one row of tiles.

    Parameters
    ----------
    dataset : osgeo.gdal.Dataset
        New file, which this object alone holds.
    path : Path
        Final name, for errors.
    form : Form
        How the pixels are kept.
    """

    def __init__(self, dataset: Any, path: Path, form: Form) -> None:
        self._dataset = dataset
        self._path = path
        self._form = form
        self._shape = Shape(dataset.RasterYSize, dataset.RasterXSize)
        self._levels = 0 if form.overviews is None else overview_levels(self._shape)
        self._received = 0
        self._tiles = np.empty((dataset.RasterCount, TILE, self._shape.samples), form.dtype)

    def describe(
        self,
        *,
        grid: MapGrid | RadarGrid | None,
        tags: Mapping[str, str],
        names: Sequence[str],
        units: Sequence[str],
    ) -> None:
        """Write all but the pixels; the arguments are those of `create_raster`."""
        with Writing(self._path):
            if self._levels:
                self._dataset.FlushCache()
                self._dataset.BuildOverviews("NONE", [2 << level for level in range(self._levels)])
            self._dataset.SetMetadata(dict(tags))
            write_geometry(self._dataset, grid)
            for number, name in enumerate(names):
                band = self._dataset.GetRasterBand(number + 1)
                band.SetDescription(name)
                band.SetNoDataValue(self._form.missing)
                if units:
                    band.SetUnitType(units[number])

    def write(self, first_row: int, array: NDArray[Any]) -> None:
        """Write the next rows.

        Parameters
        ----------
        first_row : int
            Number of the first row of `array`: the one after the last row written before.
        array : ndarray of the raster's type, shape (bands, rows, columns)
            Pixels; copied, where they are not written at once.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        ValueError
            Rows out of order or an array of the wrong shape.
        """
        bands, rows, columns = array.shape
        if (bands, columns) != (self._tiles.shape[0], self._tiles.shape[2]):
            raise ValueError(f"{self._path.name}: wrong shape {array.shape} of rows")
        if first_row != self._received or first_row + rows > self._shape.lines:
            raise ValueError(f"{self._path.name}: row {first_row} is not row {self._received}")
        taken = 0
        while taken < rows:
            filled = self._received % TILE
            count = min(TILE - filled, rows - taken)
            self._tiles[:, filled : filled + count] = array[:, taken : taken + count]
            taken += count
            self._received += count
            if filled + count == TILE or self._received == self._shape.lines:
                self._put(self._received - filled - count, self._tiles[:, : filled + count])

    def tag(self, name: str, value: str) -> None:
        """Add to the metadata, at any time before the end."""
        with Writing(self._path):
            self._dataset.SetMetadataItem(name, value)

    def _put(self, first_row: int, array: NDArray[Any]) -> None:
        with Writing(self._path):
            for number, rows in enumerate(self._form.stored(array)):
                band = self._dataset.GetRasterBand(number + 1)
                band.WriteArray(rows, 0, first_row)
                # Else finished tiles stay in GDAL's cache, which is a share of all memory.
                band.FlushCache()
            if self._form.overviews is None:
                return
            above = overview_rows(
                array,
                levels=self._levels,
                resampling=self._form.overviews,
                nodata=self._form.nodata,
            )
            for level, cells in enumerate(above):
                for number, rows in enumerate(self._form.stored(cells)):
                    band = self._dataset.GetRasterBand(number + 1).GetOverview(level)
                    band.WriteArray(rows, 0, first_row >> (level + 1))

    def close(self) -> None:
        """Finish the file; raises ProcessingError if rows are missing or the disk is full."""
        with Writing(self._path):
            self._dataset.FlushCache()
            self._dataset = None
        if self._received != self._shape.lines:
            raise ProcessingError(
                f"{self._path.name} has only {self._received} of its {self._shape.lines} rows"
            )

    def abandon(self) -> None:
        """Let the file go, whatever state it is in."""
        if self._dataset is None:
            return
        with suppress(ProcessingError), Writing(self._path):
            self._dataset = None
