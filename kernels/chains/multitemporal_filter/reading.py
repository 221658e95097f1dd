"""Rows of many rasters on one grid, each pixel read once, within a bounded block cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.errors import InputError
from kernels.model import Shape
from kernels.products.gdal_access import gdal_errors, gdal_module, open_raster

_SPARE_CACHE = 64_000_000
"""For blocks that are being written [bytes]."""


class Layer(NamedTuple):
    """One band of a file, and how it marks its missing pixels.

    Attributes
    ----------
    path : Path
        GeoTIFF.
    band : int
        From 1.
    holes : float or None
        Positive value of missing pixels, if there is one.
    image : int
        Of the images in the file, from 1.
    """

    path: Path
    band: int = 1
    holes: float | None = None
    image: int = 1


@contextmanager
def block_cache(size: float) -> Iterator[None]:
    """Bound GDAL's cache of blocks, which is a share of all memory otherwise [bytes]."""
    gdal = gdal_module()
    before = gdal.GetCacheMax()
    gdal.SetCacheMax(int(size) + _SPARE_CACHE)
    try:
        yield
    finally:
        gdal.SetCacheMax(before)


class LayerReader:
    """Reads rows of one layer, from one thread; raises InputError naming the file."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        name = str(layer.path) if layer.image == 1 else f"GTIFF_DIR:{layer.image}:{layer.path}"
        self._dataset: Any = open_raster(name, error=InputError, drivers=["GTiff"])
        with gdal_errors(InputError, layer.path.name):
            self._band = self._dataset.GetRasterBand(layer.band)
        self.shape = Shape(self._dataset.RasterYSize, self._dataset.RasterXSize)

    def read(self, first_row: int, rows: NDArray[Any], *, first_column: int = 0) -> None:
        """Fill an array of shape (rows, columns)."""
        down, across = rows.shape
        with gdal_errors(InputError, self._layer.path.name):
            self._band.ReadAsArray(first_column, first_row, across, down, buf_obj=rows)
        self._mark_holes(rows)

    def read_coarse(self, pixels: NDArray[Any]) -> None:
        """Fill an array of shape (rows, columns) with pixels evenly spread over the file."""
        with gdal_errors(InputError, self._layer.path.name):
            self._band.ReadAsArray(buf_obj=pixels)
        self._mark_holes(pixels)

    def _mark_holes(self, pixels: NDArray[Any]) -> None:
        if self._layer.holes is not None:
            pixels[pixels == np.float32(self._layer.holes)] = 0.0


class SlidingRows:
    """Bands of rows with a halo, in order from top to bottom; halo rows are kept, not read again.

    Parameters
    ----------
    layers : sequence of Layer
        On one grid.
    shape : Shape
        Of the grid.
    halo : int
        Rows above and below a band, as far as the raster goes.
    dtype : str
        Of the pixels in memory.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        shape: Shape,
        halo: int,
        dtype: str = "float32",
    ) -> None:
        self._readers = [LayerReader(layer) for layer in layers]
        self._shape = shape
        self._halo = halo
        self._kept = np.empty((len(layers), 0, shape.samples), dtype)
        self._next = 0

    def read(self, band: Band) -> NDArray[Any]:
        """Return the rows of a band and its halo, shape (layers, rows, columns)."""
        top = max(band.first - self._halo, 0)
        bottom = min(band.first + band.rows + self._halo, self._shape.lines)
        rows = (len(self._readers), bottom - top, self._shape.samples)
        block = np.empty(rows, self._kept.dtype)
        kept = self._next - top
        if kept:
            block[:, :kept] = self._kept[:, -kept:]
        for reader, layer in zip(self._readers, block, strict=True):
            reader.read(self._next, layer[kept:])
        self._next = bottom
        self._kept = block[:, -2 * self._halo :].copy()
        return block
