"""Overviews of a raster, made from its rows while they pass by.

A level has half the rows and columns of the one below, rounded up. Rows come in blocks that
start at a multiple of 2 ** MOST_LEVELS, so that no cell is cut and nothing is kept between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kernels.model import Shape
from kernels.products import overviews_numba

Resampling = Literal["mean", "nearest"]
"""Mean of all valid pixels under a cell, or its upper left pixel: wrapped phase and flags have no
mean."""

MOST_LEVELS = 8

_LONG_SIDE = 512
"""Most pixels of the last level on either side: one or a few blocks of a file."""


def overview_levels(shape: Shape) -> int:
    """Count the overviews of a raster.

    Parameters
    ----------
    shape : Shape
        Of the raster.

    Returns
    -------
    int
        0 where it is small.
    """
    halvings = 0
    while max(shape) > _LONG_SIDE << halvings:
        halvings += 1
    return min(halvings, MOST_LEVELS)


def overview_rows(
    rows: NDArray[Any], *, levels: int, resampling: Resampling, nodata: float
) -> Iterator[NDArray[Any]]:
    """Make the rows of all overviews that lie above some rows.

    Parameters
    ----------
    rows : ndarray, shape (bands, rows, columns)
        Of the raster, from a row on that is a multiple of 2 ** levels; as many rows, or the
        last ones.
    levels : int
        How many overviews there are.
    resampling : "mean" or "nearest"
        How they are made; means are of float32.
    nodata : float
        Value of missing pixels; NaN is missing always. A cell without valid pixels gets it.

    Yields
    ------
    ndarray, shape (bands, rows / 2 ** level, columns / 2 ** level)
        Of level 1, 2 and so on; both sizes rounded up.
    """
    if resampling == "nearest":
        for level in range(1, levels + 1):
            yield np.ascontiguousarray(rows[:, :: 1 << level, :: 1 << level])
        return
    counts = sums = rows
    for level in range(1, levels + 1):
        halved = (rows.shape[0], -(-sums.shape[1] // 2), -(-sums.shape[2] // 2))
        above, valid = np.empty(halved, np.float32), np.empty(halved, np.float32)
        for band in range(rows.shape[0]):
            if level == 1:
                overviews_numba.halve_valid(rows[band], nodata, above[band], valid[band])
            else:
                overviews_numba.halve(sums[band], above[band])
                overviews_numba.halve(counts[band], valid[band])
        sums, counts = above, valid
        means = sums / np.maximum(counts, np.float32(1.0))
        yield np.where(counts > 0.0, means, np.float32(nodata))
