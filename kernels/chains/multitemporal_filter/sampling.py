"""Figures from a few strips of rows: speckle, and numbers of acquisitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multitemporal_filter.reading import Layer, LayerReader, block_cache
from kernels.errors import InputError
from kernels.radiometry.speckle import BLOCK, Speckle, cut_blocks, measure_speckle

_STRIPS = 12


class Counts(NamedTuple):
    """How many acquisitions are valid at the pixels that have any."""

    least: int
    median: int
    most: int


def _strips(layer: Layer) -> Iterator[NDArray[np.float32]]:
    """Read strips of `BLOCK` rows, evenly spread."""
    reader = LayerReader(layer)
    lines, columns = reader.shape
    number = min(_STRIPS, lines // BLOCK)
    for first in np.linspace(0, lines - BLOCK, number).astype(int) if number else ():
        strip = np.empty((BLOCK, columns), np.float32)
        reader.read(int(first), strip)
        yield strip


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
    blocks: list[NDArray[np.float32]] = []
    negative = positive = 0
    with block_cache(0):
        for strip in _strips(layer):
            positive += int(np.count_nonzero(strip > 0.0))
            negative += int(np.count_nonzero(strip < 0.0))
            blocks.append(cut_blocks(strip))
    if negative > positive:
        raise InputError(f"{layer.path.name} must hold linear intensities, not decibels")
    return measure_speckle(blocks)


def sample_counts(layer: Layer) -> Counts | None:
    """Find the numbers of acquisitions in the count band of a state."""
    with block_cache(0):
        found = [strip[strip > 0.0] for strip in _strips(layer)]
    values = np.concatenate([np.empty(0, np.float32), *found])
    if not values.size:
        return None
    return Counts(int(values.min()), int(np.median(values)), int(values.max()))


def middle(figures: Iterable[float]) -> float | None:
    """Median; None of nothing."""
    values = list(figures)
    return float(np.median(values)) if values else None
