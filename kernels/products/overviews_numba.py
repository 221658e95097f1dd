"""Compiled loops of `overviews`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(nogil=True, cache=True)
def halve_valid(
    values: NDArray[np.float32],
    missing: float,
    sums: NDArray[np.float32],
    counts: NDArray[np.float32],
) -> None:
    """Add and count the valid pixels of every 2 x 2; fewer at the lower and right edge."""
    rows, columns = values.shape
    gone = np.float32(missing)
    zero, one = np.float32(0.0), np.float32(1.0)
    for row in range(sums.shape[0]):
        sums[row] = zero
        counts[row] = zero
        for source in range(2 * row, min(2 * row + 2, rows)):
            for pair in range(columns // 2):
                left, right = values[source, 2 * pair], values[source, 2 * pair + 1]
                left_is_data = (left != gone) & ~np.isnan(left)
                right_is_data = (right != gone) & ~np.isnan(right)
                sums[row, pair] += left if left_is_data else zero
                sums[row, pair] += right if right_is_data else zero
                counts[row, pair] += one if left_is_data else zero
                counts[row, pair] += one if right_is_data else zero
            if columns % 2:
                last = values[source, columns - 1]
                if last != gone and not np.isnan(last):
                    sums[row, columns // 2] += last
                    counts[row, columns // 2] += one


@numba.njit(nogil=True, cache=True)
def halve(values: NDArray[np.float32], sums: NDArray[np.float32]) -> None:
    """Add up every 2 x 2; fewer at the lower and right edge."""
    rows, columns = values.shape
    for row in range(sums.shape[0]):
        sums[row] = np.float32(0.0)
        for source in range(2 * row, min(2 * row + 2, rows)):
            for pair in range(columns // 2):
                sums[row, pair] += values[source, 2 * pair] + values[source, 2 * pair + 1]
            if columns % 2:
                sums[row, columns // 2] += values[source, columns - 1]
