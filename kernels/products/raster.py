"""GeoTIFF rasters: several bands with their geometry, written by bands of rows.

Missing pixels are NaN (amplitude, phase, coherency, displacement); the band isData holds 0 or
1. Rasters on a map carry the usual geotransform and reference system, rasters in radar geometry
carry their radar grid as metadata tags and no geotransform.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import InputError
from kernels.model import MapGrid, RadarGrid, Shape
from kernels.products.gdal_access import gdal_errors, gdal_module
from kernels.products.overviews import Resampling
from kernels.products.raster_geometry import radar_grid_tags, read_geometry
from kernels.products.raster_writing import (
    TILE,
    BandWriter,
    Compression,
    Form,
    PixelType,
    Writing,
)

__all__ = [
    "TILE",
    "BandWriter",
    "Compression",
    "PixelType",
    "Raster",
    "RasterReader",
    "create_raster",
    "radar_grid_tags",
    "read_radar_grid",
    "read_raster",
]

gdal_module()  # exceptions, and a bounded cache of blocks


class Raster(NamedTuple):
    """A whole raster file: bands of shape (bands, rows, columns), geometry, names of the bands."""

    array: NDArray[np.float32]
    grid: MapGrid | RadarGrid | None
    band_names: tuple[str, ...]


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
    overviews: Resampling | None = None,
    decibels: bool = False,
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
    compression : "ZSTD", "DEFLATE", "LERC" or "NONE"
        Fastest level, with a predictor; LERC with errors up to `LERC_ERROR`.
    tags : mapping of str to str
        Further metadata.
    units : sequence of str
        Of the bands; empty where no band has one.
    threads : int
        Compressing threads.
    dtype : "float32", "uint16", "uint8", "float64" or "complex64"
        Of the pixels.
    overviews : "mean", "nearest" or None
        Makes a Cloud Optimized GeoTIFF: "mean" of the valid pixels under a cell, or "nearest"
        for wrapped phase and flags. While it is written, an uncompressed copy is beside it.
    decibels : bool
        Whether the rows are intensities that the file keeps as decibels, and what is not
        positive as NaN. Overviews are those of the mean intensity.

    Yields
    ------
    BandWriter
        Takes the rows, from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file, or rows are missing at the end.
    """
    form = Form(
        nodata=nodata,
        compression=compression,
        threads=threads,
        dtype=dtype,
        overviews=overviews,
        decibels=decibels,
    )
    with scratch_folder(path.parent) as scratch:
        partial, optimized = scratch / path.name, scratch / "optimized.tif"
        with Writing(path):
            writer = BandWriter(form.create(partial, shape, len(band_names)), path, form)
        try:
            writer.describe(grid=grid, tags=tags or {}, names=band_names, units=units)
            yield writer
            writer.close()
        finally:
            writer.abandon()
        if overviews is not None:
            with Writing(path):
                form.optimize(partial, optimized)
            partial = optimized
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

    def pixels(
        self, first_row: int, rows: int, *, first_column: int = 0, columns: int | None = None
    ) -> NDArray[Any]:
        """Read rows of the first band in the file's own type; raises InputError.

        Parameters
        ----------
        first_row, rows : int
            Of the raster.
        first_column : int
            Of the raster.
        columns : int or None
            How many; None: all that follow.

        Returns
        -------
        ndarray, shape (rows, columns)
            As GDAL has them; complex integers as complex64.
        """
        width = self.shape.samples - first_column if columns is None else columns
        band = self._dataset.GetRasterBand(1)
        with gdal_errors(InputError, self._path.name):
            found = band.ReadAsArray(first_column, first_row, width, rows)
        if found is None:  # another module may have switched exceptions off meanwhile
            raise InputError(f"{self._path.name} cannot be read")
        pixels: NDArray[Any] = found
        return pixels

    def read_band(self, number: int, first_row: int, rows: int) -> NDArray[np.float32]:
        """Read rows of one band, counted from 0, shape (rows, columns); raises InputError."""
        array = np.empty((rows, self.shape.samples), np.float32)
        with gdal_errors(InputError, self._path.name):
            band = self._dataset.GetRasterBand(number + 1)
            band.ReadAsArray(0, first_row, self.shape.samples, rows, buf_obj=array)
        return array

    @property
    def tags(self) -> dict[str, str]:
        """Metadata of the file."""
        tags: dict[str, str] = self._dataset.GetMetadata()
        return tags

    def overview(self, long_side: int) -> Raster:
        """Read the largest overview, or else the raster itself, that fits a picture.

        Parameters
        ----------
        long_side : int
            Most pixels on either side; the smallest overview is taken where none is so small.

        Returns
        -------
        Raster
            On a map of exactly the cells, of which the last ones may reach over the edge; in
            radar geometry without a grid.

        Raises
        ------
        InputError
            The file cannot be read.
        """
        with gdal_errors(InputError, self._path.name):
            bands = [self._dataset.GetRasterBand(n + 1) for n in range(len(self.band_names))]
            level = 0
            while max(self.shape) > long_side << level and level < bands[0].GetOverviewCount():
                level += 1
            chosen = [band.GetOverview(level - 1) if level else band for band in bands]
            array = np.stack([band.ReadAsArray().astype(np.float32) for band in chosen])
        if not isinstance(self.grid, MapGrid):
            return Raster(array, None, self.band_names)
        grid = replace(
            self.grid,
            x_spacing=self.grid.x_spacing * (1 << level),
            y_spacing=self.grid.y_spacing * (1 << level),
            shape=Shape(*array.shape[1:]),
        )
        return Raster(array, grid, self.band_names)


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
