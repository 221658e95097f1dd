"""Windows of the images of a pass under the rows of a tile, each line read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, split_rows
from kernels.model import IntensityReader
from kernels.products.borders import ValidWindow
from kernels.radiometry.detected import DetectedGeometry, Window

_BLOCK_COLUMNS = 2048
"""Columns of a tile that share a window of the image: tracks run askew to the map, so that the
window under a whole row of a tile would be ten times the pixels that the row needs."""


class LineCache:
    """Reads windows of one image that move along it, each line once.

    Parameters
    ----------
    reader : IntensityReader
        Of the image.
    pixels : Band
        Part of every line.
    """

    def __init__(self, reader: IntensityReader, pixels: Band) -> None:
        self._reader = reader
        self._pixels = pixels
        self._lines = Band(0, 0)
        self._held = np.empty((0, pixels.rows), np.float32)

    def read(self, lines: Band) -> NDArray[np.float32]:
        """Return some lines, shape (lines, pixels); do not write into them."""
        first, stop = lines.first, lines.first + lines.rows
        held_stop = self._lines.first + self._lines.rows
        keep = max(first, self._lines.first), min(stop, held_stop)
        if keep[1] <= keep[0]:
            self._held = self._fetch(first, stop)
        else:
            middle = self._held[keep[0] - self._lines.first : keep[1] - self._lines.first]
            parts = [self._fetch(first, keep[0]), middle, self._fetch(keep[1], stop)]
            self._held = np.concatenate(parts)
        self._lines = lines
        return self._held

    def _fetch(self, first: int, stop: int) -> NDArray[np.float32]:
        if stop <= first:
            return np.empty((0, self._pixels.rows), np.float32)
        return self._reader.read(first, stop - first, self._pixels.first, self._pixels.rows)


class TileWindow(NamedTuple):
    """What some columns of some rows of a tile are sampled from.

    Attributes
    ----------
    columns : Band
        Of the tile.
    window : Window
        Part of the image.
    intensities : tuple of ndarray of float32, shape (lines, pixels)
        Of the window, one per polarisation; NaN is no data.
    """

    columns: Band
    window: Window
    intensities: tuple[NDArray[np.float32], ...]


class _Block(NamedTuple):
    """Some columns of the tile: their pixels in the image, and a cache per polarisation."""

    columns: Band
    pixels: Band
    caches: tuple[LineCache, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWindows:
    """Gives the parts of an image that lie under the rows of a tile, from north to south.

    Attributes
    ----------
    geometry : DetectedGeometry
        Of the image on the tile.
    valid : ValidWindow
        Part of the image that is used.
    blocks : tuple
        Of the tile's columns.
    """

    geometry: DetectedGeometry
    valid: ValidWindow
    blocks: tuple[_Block, ...]

    @classmethod
    def of(
        cls, geometry: DetectedGeometry, readers: Sequence[IntensityReader], valid: ValidWindow
    ) -> ImageWindows:
        """Prepare reading.

        Parameters
        ----------
        geometry : DetectedGeometry
            Of the image on the tile.
        readers : sequence of IntensityReader
            Of the image, one per polarisation.
        valid : ValidWindow
            Part of the image that is used.

        Returns
        -------
        ImageWindows
            For the rows of the tile in order.
        """
        shape = geometry.geometry.grid.shape
        blocks = []
        for columns in split_rows(shape.samples, band_rows=_BLOCK_COLUMNS):
            under = geometry.window(Band(0, shape.lines), columns)
            pixels = _inside(under.pixels, valid.first_sample, valid.samples)
            caches = tuple(LineCache(reader, pixels) for reader in readers)
            blocks.append(_Block(columns, pixels, caches))
        return cls(geometry=geometry, valid=valid, blocks=tuple(blocks))

    def read(self, rows: Band) -> list[TileWindow]:
        """Read what is under some rows of the tile; nothing where the image has no pixels."""
        windows = []
        for block in self.blocks:
            under = self.geometry.window(rows, block.columns)
            lines = _inside(under.lines, self.valid.first_line, self.valid.lines)
            if lines.rows > 1 and block.pixels.rows > 1:
                window = Window(lines=lines, pixels=block.pixels)
                intensities = tuple(cache.read(lines) for cache in block.caches)
                windows.append(TileWindow(block.columns, window, intensities))
        return windows


def _inside(band: Band, first: int, count: int) -> Band:
    """Part of a band inside another."""
    start, stop = max(band.first, first), min(band.first + band.rows, first + count)
    return Band(start, max(stop - start, 0))
