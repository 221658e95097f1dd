"""Figures from a few windows of a file: speckle, and numbers of acquisitions."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multitemporal_filter.reading import Layer, LayerReader, block_cache
from kernels.engine.bands import Band
from kernels.errors import InputError
from kernels.products.raster import TILE
from kernels.radiometry.speckle import Speckle, cut_blocks, measure_looks, measure_speckle
from kernels.radiometry.windows import is_valid

_WINDOWS = 4
"""Windows of a tile each, down and across: a per cent of a large file, all of a small one."""
_SPARSE = 4
"""Of so many pixels of a window, down and across, one count is looked at."""


class Counts(NamedTuple):
    """How many acquisitions are valid at the pixels that have any."""

    least: int
    median: int
    most: int


def _cut(pixels: int) -> list[Band]:
    """Tiles evenly spread along one side."""
    tiles = -(-pixels // TILE)
    chosen = sorted({int(t) for t in np.linspace(0, tiles - 1, min(_WINDOWS, tiles))})
    return [_tile(number, pixels) for number in chosen]


def _tile(number: int, pixels: int) -> Band:
    """One of the tiles along a side."""
    return Band(number * TILE, min(TILE, pixels - number * TILE))


def _windows(layer: Layer) -> list[NDArray[np.float32]]:
    """Read tiles evenly spread over the file, or over its data where most of those are empty."""
    reader = LayerReader(layer)

    def read(rows: Band, columns: Band) -> NDArray[np.float32]:
        window = np.empty((rows.rows, columns.rows), np.float32)
        reader.read(rows.first, window, first_column=columns.first)
        return window

    lines, samples = reader.shape
    windows = [read(*place) for place in product(_cut(lines), _cut(samples))]
    filled = sum(bool(is_valid(window).any()) for window in windows)
    if 2 * filled < len(windows):
        windows = [read(*place) for place in _places_of_data(reader)] or windows
    return windows


def _places_of_data(reader: LayerReader) -> list[tuple[Band, Band]]:
    """Tiles evenly spread over those that have data in their middle."""
    lines, samples = reader.shape
    coarse = np.empty((-(-lines // TILE), -(-samples // TILE)), np.float32)
    reader.read_coarse(coarse)
    places = np.argwhere(is_valid(coarse))
    chosen = np.linspace(0, len(places) - 1, min(_WINDOWS**2, len(places))).astype(int)
    return [(_tile(row, lines), _tile(column, samples)) for row, column in places[chosen].tolist()]


def sample_speckle(layer: Layer) -> Speckle | None:
    """Measure the speckle of a file.

    Parameters
    ----------
    layer : Layer
        Intensities.

    Returns
    -------
    Speckle or None
        None where too little of the image is homogeneous.

    Raises
    ------
    InputError
        The file cannot be read, or most of its pixels are negative.
    """
    return measure_speckle(_blocks(layer))


def sample_looks(layer: Layer) -> float | None:
    """Measure the looks of a file alone; as `sample_speckle`."""
    return measure_looks(_blocks(layer))


def _blocks(layer: Layer) -> list[NDArray[np.float32]]:
    blocks: list[NDArray[np.float32]] = []
    negative = positive = 0
    with block_cache(0):
        for window in _windows(layer):
            positive += int(np.count_nonzero(window > 0.0))
            negative += int(np.count_nonzero(window < 0.0))
            blocks.append(cut_blocks(window))
    if negative > positive:
        raise InputError(f"{layer.path.name} must hold linear intensities, not decibels")
    return blocks


def sample_counts(layer: Layer) -> Counts | None:
    """Find the numbers of acquisitions in the counts of a state."""
    with block_cache(0):
        some = [window[::_SPARSE, ::_SPARSE] for window in _windows(layer)]
    found = [window[window > 0.0] for window in some]
    values = np.concatenate([np.empty(0, np.float32), *found])
    if not values.size:
        return None
    return Counts(int(values.min()), int(np.median(values)), int(values.max()))


def middle(figures: Iterable[float]) -> float | None:
    """Median; None of nothing."""
    values = list(figures)
    return float(np.median(values)) if values else None
