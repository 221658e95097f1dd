"""GeoTIFF rasters: several bands with their geometry, written by bands of rows.

Missing pixels are NaN (amplitude, phase, coherency, displacement); the band isData holds 0 or
1. Rasters on a map carry the usual geotransform and reference system, rasters in radar geometry
carry their radar grid as metadata tags and no geotransform.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import InputError, ProcessingError
from kernels.model import MapGrid, RadarGrid, Shape
from kernels.products.gdal_access import gdal_errors
from kernels.products.raster_geometry import radar_grid_tags, read_geometry, write_geometry

__all__ = [
    "TILE",
    "BandWriter",
    "Compression",
    "PixelType",
    "Raster",
    "RasterReader",
    "create_raster",
    "make_cloud_optimized",
    "radar_grid_tags",
    "read_radar_grid",
    "read_raster",
]

gdal.UseExceptions()

Compression = Literal["ZSTD", "DEFLATE", "NONE"]

PixelType = Literal["float32", "uint16", "uint8"]

TILE = 256
"""Rows and columns of a tile of the files written here."""

_GDAL_TYPES = {"float32": gdal.GDT_Float32, "uint16": gdal.GDT_UInt16, "uint8": gdal.GDT_Byte}

_FASTEST = {"ZSTD": ("ZSTD_LEVEL", "LEVEL"), "DEFLATE": ("ZLEVEL", "LEVEL")}


class Raster(NamedTuple):
    """A whole raster file: bands of shape (bands, rows, columns), geometry, names of the bands."""

    array: NDArray[np.float32]
    grid: MapGrid | RadarGrid | None
    band_names: tuple[str, ...]


class _Writing:
    """Turns what GDAL complains of inside into one ProcessingError."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._complaints: list[str] = []

    def __enter__(self) -> None:
        gdal.PushErrorHandler(self._note)

    def _note(self, level: int, _number: int, text: str) -> None:
        if level >= gdal.CE_Failure:
            self._complaints.append(text)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        gdal.PopErrorHandler()
        # GDAL raises RuntimeError for most failures, but closing a file only complains.
        if isinstance(error, RuntimeError) or (error is None and self._complaints):
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
    dtype : "float32", "uint16" or "uint8"
        Of the pixels.
    """

    def __init__(self, dataset: Any, path: Path, dtype: PixelType) -> None:
        self._dataset = dataset
        self._path = path
        self._shape = Shape(dataset.RasterYSize, dataset.RasterXSize)
        self._received = 0
        self._tiles = np.empty((dataset.RasterCount, TILE, self._shape.samples), dtype)

    def describe(
        self,
        *,
        grid: MapGrid | RadarGrid | None,
        tags: Mapping[str, str],
        names: Sequence[str],
        units: Sequence[str],
        nodata: float,
    ) -> None:
        """Write all but the pixels; the arguments are those of `create_raster`."""
        with _Writing(self._path):
            self._dataset.SetMetadata(dict(tags))
            write_geometry(self._dataset, grid)
            for number, name in enumerate(names):
                band = self._dataset.GetRasterBand(number + 1)
                band.SetDescription(name)
                band.SetNoDataValue(nodata)
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

    def _put(self, first_row: int, array: NDArray[Any]) -> None:
        with _Writing(self._path):
            for number, rows in enumerate(array):
                band = self._dataset.GetRasterBand(number + 1)
                band.WriteArray(rows, 0, first_row)
                # Else finished tiles stay in GDAL's cache, which is a share of all memory.
                band.FlushCache()

    def close(self) -> None:
        """Finish the file; raises ProcessingError if rows are missing or the disk is full."""
        with _Writing(self._path):
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
        # GDAL writes once more when it closes, and an exception of a destructor is only printed.
        gdal.PushErrorHandler("CPLQuietErrorHandler")
        gdal.DontUseExceptions()
        self._dataset = None
        gdal.UseExceptions()
        gdal.PopErrorHandler()


@contextmanager
def create_raster(
    path: Path,
    shape: Shape,
    band_names: Sequence[str],
    *,
    grid: MapGrid | RadarGrid | None = None,
    nodata: float = math.nan,
    compression: Compression = "ZSTD",
    tags: Mapping[str, str] | None = None,
    units: Sequence[str] = (),
    threads: int = 1,
    dtype: PixelType = "float32",
) -> Iterator[BandWriter]:
    """Write a tiled GeoTIFF by bands of rows; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name; an older file of that name is replaced.
    shape : Shape
        Rows and columns.
    band_names : sequence of str
        Descriptions of the bands.
    grid : MapGrid, RadarGrid or None
        Geometry: on a map as geotransform and reference system (longitude first), in radar
        geometry as tags.
    nodata : float
        Value that marks missing pixels in every band.
    compression : "ZSTD", "DEFLATE" or "NONE"
        Fastest level, with a predictor.
    tags : mapping of str to str
        Further metadata.
    units : sequence of str
        Of the bands; empty where no band has one.
    threads : int
        Compressing threads.
    dtype : "float32", "uint16" or "uint8"
        Of the pixels.

    Yields
    ------
    BandWriter
        Takes the rows, from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file, or rows are missing at the end.
    """
    with scratch_folder(path.parent) as scratch:
        partial = scratch / path.name
        with _Writing(path):
            writer = BandWriter(
                gdal.GetDriverByName("GTiff").Create(
                    str(partial),
                    shape.samples,
                    shape.lines,
                    len(band_names),
                    _GDAL_TYPES[dtype],
                    _creation_options(compression, threads),
                ),
                path,
                dtype,
            )
        try:
            writer.describe(
                grid=grid, tags=tags or {}, names=band_names, units=units, nodata=nodata
            )
            yield writer
            writer.close()
        finally:
            writer.abandon()
        publish(partial, path)


def _creation_options(compression: Compression, threads: int) -> list[str]:
    options = ["TILED=YES", f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}", "INTERLEAVE=BAND"]
    options += ["BIGTIFF=IF_SAFER", f"COMPRESS={compression}"]
    if compression != "NONE":
        # differences of the bit patterns: cheaper than predictor 3, for somewhat larger files
        options += ["PREDICTOR=2", f"{_FASTEST[compression][0]}=1", f"NUM_THREADS={threads}"]
    return options


def make_cloud_optimized(
    path: Path, *, compression: Compression = "ZSTD", threads: int = 1
) -> None:
    """Rewrite a raster in place as a Cloud Optimized GeoTIFF with overviews.

    Overviews take every second pixel of the level below: averages would be wrong for wrapped
    phase and would turn isData into a fraction.

    Parameters
    ----------
    path : Path
        File written by `create_raster`.
    compression : "ZSTD", "DEFLATE" or "NONE"
        Of the new file.
    threads : int
        Compressing threads.

    Raises
    ------
    ProcessingError
        The file system did not take the new file; the old one stays.
    """
    options = [f"COMPRESS={compression}", "OVERVIEW_RESAMPLING=NEAREST", "BIGTIFF=IF_SAFER"]
    options += [f"NUM_THREADS={threads}", f"BLOCKSIZE={2 * TILE}", "OVERVIEWS=IGNORE_EXISTING"]
    if compression != "NONE":
        options += ["PREDICTOR=YES", f"{_FASTEST[compression][1]}=1"]
    with scratch_folder(path.parent) as scratch:
        partial = scratch / path.name
        with gdal_errors(InputError, path.name):
            source = gdal.Open(str(path))
        with _Writing(path):
            copy = gdal.GetDriverByName("COG").CreateCopy(str(partial), source, options=options)
            copy.FlushCache()
            del copy
        del source
        publish(partial, path)


class RasterReader:
    """An open raster file that gives bands of rows, from one thread.

    Parameters
    ----------
    path : Path
        Any raster that GDAL reads.

    Raises
    ------
    InputError
        Not a raster, damaged, or on a map that is not north-up.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with gdal_errors(InputError, path.name):
            self._dataset = gdal.Open(str(path))
        self.shape = Shape(self._dataset.RasterYSize, self._dataset.RasterXSize)
        self.band_names = tuple(
            self._dataset.GetRasterBand(number + 1).GetDescription()
            for number in range(self._dataset.RasterCount)
        )
        self.grid = read_geometry(self._dataset, path.name)

    def read(self, first_row: int = 0, rows: int | None = None) -> NDArray[np.float32]:
        """Read rows of all bands, shape (bands, rows, columns); raises InputError."""
        count = self.shape.lines - first_row if rows is None else rows
        array = np.empty((len(self.band_names), count, self.shape.samples), np.float32)
        with gdal_errors(InputError, self._path.name):
            self._dataset.ReadAsArray(0, first_row, self.shape.samples, count, buf_obj=array)
        return array


def read_raster(path: Path) -> Raster:
    """Read a whole raster; raises InputError if that is impossible.

    Parameters
    ----------
    path : Path
        Any raster that GDAL reads.

    Returns
    -------
    Raster
        Bands as float32 of shape (bands, rows, columns), geometry and names of the bands.
    """
    reader = RasterReader(path)
    return Raster(reader.read(), reader.grid, reader.band_names)


def read_radar_grid(path: Path) -> RadarGrid:
    """Read the radar grid from a raster's tags.

    Parameters
    ----------
    path : Path
        Raster in radar geometry.

    Returns
    -------
    RadarGrid
        Exactly the one that was written.

    Raises
    ------
    InputError
        Not a raster, or without such tags.
    """
    grid = RasterReader(path).grid
    if not isinstance(grid, RadarGrid):
        raise InputError(f"{path.name} must be a raster in radar geometry")
    return grid
