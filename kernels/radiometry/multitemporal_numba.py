"""Compiled window means with valid counts, and the sums over dates that are made of them.

Every mean is a fresh sum of its own window, in an order that depends on nothing but the window:
no running sum that drifts, so that bands of any height and threads of any number give the same
bits. For the same reason nothing here may reorder sums (no fastmath).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True, "error_model": "numpy"}
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@numba.njit(**_COMPILE)
def _copy(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    """Copy a row; a slice assignment does not vectorise."""
    for x in range(target.size):
        target[x] = source[x]


@numba.njit(**_COMPILE)
def _add_pair(
    total: NDArray[np.float32], one: NDArray[np.float32], other: NDArray[np.float32]
) -> None:
    for x in range(total.size):
        total[x] += one[x] + other[x]


@numba.njit(**_COMPILE)
def _split(
    values: NDArray[np.float32], valid: NDArray[np.float32], flags: NDArray[np.float32]
) -> None:
    """Set pixels without measurement (0, NaN, negative, infinite) to 0, and their flag."""
    for x in range(values.size):
        value = values[x]
        good = (value > 0.0) & (value < np.inf)
        valid[x] = value if good else _ZERO
        flags[x] = _ONE if good else _ZERO


@numba.njit(**_COMPILE)
def _sum_along_row(padded: NDArray[np.float32], half: int, sums: NDArray[np.float32]) -> None:
    """Sum windows along a row that has `half` zeros before and behind, from the middle out."""
    columns = sums.size
    _copy(padded[half : half + columns], sums)
    for k in range(1, half + 1):
        _add_pair(sums, padded[half - k : half - k + columns], padded[half + k :][:columns])


@numba.njit(**_COMPILE)
def window_means(
    image: NDArray[np.float32], first: int, half: int, means: NDArray[np.float32]
) -> None:
    """Average the valid pixels of windows around rows ``first``...; 0 where there are none."""
    rows, columns = image.shape
    window = 2 * half + 1
    padded = np.zeros((2, columns + 2 * half), np.float32)
    sums = np.empty((window, columns), np.float32)
    counts = np.empty((window, columns), np.float32)
    total = np.empty(columns, np.float32)
    weight = np.empty(columns, np.float32)
    nothing = np.zeros(columns, np.float32)
    ready = max(first - half, 0)
    for row in range(first, first + means.shape[0]):
        while ready < min(row + half + 1, rows):
            slot = ready % window
            valid, flags = padded[0], padded[1]
            _split(image[ready], valid[half : half + columns], flags[half : half + columns])
            _sum_along_row(valid, half, sums[slot])
            _sum_along_row(flags, half, counts[slot])
            ready += 1
        _copy(sums[row % window], total)
        _copy(counts[row % window], weight)
        for k in range(1, half + 1):
            above, below = (row - k) % window, (row + k) % window
            in_above, in_below = row - k >= 0, row + k < rows
            _add_pair(
                total,
                sums[above] if in_above else nothing,
                sums[below] if in_below else nothing,
            )
            _add_pair(
                weight,
                counts[above] if in_above else nothing,
                counts[below] if in_below else nothing,
            )
        out = means[row - first]
        for x in range(columns):
            out[x] = total[x] / (weight[x] if weight[x] > _ZERO else _ONE)


@numba.njit(**_COMPILE)
def add_ratios(
    image: NDArray[np.float32],
    first: int,
    means: NDArray[np.float32],
    ratio_sum: NDArray[np.float32],
    count: NDArray[np.uint16],
) -> None:
    """Add pixel over window mean, and 1, where the date is valid."""
    for row in range(count.shape[0]):
        values, averages = image[first + row], means[row]
        sums, numbers = ratio_sum[row], count[row]
        for x in range(values.size):
            value = values[x]
            good = (value > 0.0) & (value < np.inf)
            ratio = value / averages[x]
            sums[x] += ratio if good else _ZERO
            numbers[x] += np.uint16(good)


@numba.njit(**_COMPILE)
def apply_ratios(
    image: NDArray[np.float32],
    first: int,
    ratio_sum: NDArray[np.float32],
    count: NDArray[np.uint16],
    missing: float,
    means: NDArray[np.float32],
) -> None:
    """Turn window means into filtered pixels, in place; `missing` where the date is not valid."""
    gap = np.float32(missing)
    for row in range(count.shape[0]):
        values, averages = image[first + row], means[row]
        sums, numbers = ratio_sum[row], count[row]
        for x in range(values.size):
            value = values[x]
            good = (value > 0.0) & (value < np.inf)
            filtered = averages[x] * (sums[x] / np.float32(numbers[x]))
            averages[x] = filtered if good else gap


@numba.njit(**_COMPILE)
def add_intensities(
    image: NDArray[np.float32],
    first: int,
    intensity_sum: NDArray[np.float32],
    count: NDArray[np.uint16],
) -> None:
    """Add pixel, and 1, where the date is valid."""
    for row in range(count.shape[0]):
        values, sums, numbers = image[first + row], intensity_sum[row], count[row]
        for x in range(values.size):
            value = values[x]
            good = (value > 0.0) & (value < np.inf)
            sums[x] += value if good else _ZERO
            numbers[x] += np.uint16(good)
