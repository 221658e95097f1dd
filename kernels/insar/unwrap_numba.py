"""Compiled integration of unwrapped gradients: arrays only, checked in `unwrap_network`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True}


@numba.njit(**_COMPILE)
def integrate(
    valid: NDArray[np.bool_],
    along: NDArray[np.int32],
    down: NDArray[np.int32],
    cycles: NDArray[np.int32],
    components: NDArray[np.int32],
) -> int:
    """Add up whole cycles over all pixels that are connected, region by region.

    Parameters
    ----------
    valid : ndarray of bool, shape (rows, columns)
        Pixels that count.
    along : ndarray of int32, shape (rows, columns - 1)
        Cycles from a pixel to the next one of its row.
    down : ndarray of int32, shape (rows - 1, columns)
        Cycles from a pixel to the next one of its column.
    cycles : ndarray of int32, shape (rows, columns)
        Receives the cycles of each pixel; 0 at the first pixel of a region and where not valid.
    components : ndarray of int32, shape (rows, columns)
        All 0 at first; receives the region of each pixel, from 1.

    Returns
    -------
    int
        Number of regions.
    """
    rows, columns = valid.shape
    queue = np.empty(rows * columns, np.int64)
    count = 0
    for start in range(rows * columns):
        if not valid[start // columns, start % columns]:
            continue
        if components[start // columns, start % columns] != 0:
            continue
        count += 1
        components[start // columns, start % columns] = count
        queue[0] = start
        first, last = 0, 1
        while first < last:
            i, j = queue[first] // columns, queue[first] % columns
            first += 1
            here = cycles[i, j]
            if j + 1 < columns and valid[i, j + 1] and components[i, j + 1] == 0:
                components[i, j + 1] = count
                cycles[i, j + 1] = here + along[i, j]
                queue[last] = i * columns + j + 1
                last += 1
            if j > 0 and valid[i, j - 1] and components[i, j - 1] == 0:
                components[i, j - 1] = count
                cycles[i, j - 1] = here - along[i, j - 1]
                queue[last] = i * columns + j - 1
                last += 1
            if i + 1 < rows and valid[i + 1, j] and components[i + 1, j] == 0:
                components[i + 1, j] = count
                cycles[i + 1, j] = here + down[i, j]
                queue[last] = (i + 1) * columns + j
                last += 1
            if i > 0 and valid[i - 1, j] and components[i - 1, j] == 0:
                components[i - 1, j] = count
                cycles[i - 1, j] = here - down[i - 1, j]
                queue[last] = (i - 1) * columns + j
                last += 1
    return count


@numba.njit(**_COMPILE)
def grow(valid: NDArray[np.bool_], regions: NDArray[np.int32]) -> None:
    """Give valid pixels the number of the region that is fewest steps away.

    Parameters
    ----------
    valid : ndarray of bool, shape (rows, columns)
        Pixels that steps may lead over, along rows and columns.
    regions : ndarray of int32, shape (rows, columns)
        Numbers of valid pixels that regions begin with; 0 elsewhere, where they are filled in.
        Pixels that no region is connected with stay 0.
    """
    rows, columns = valid.shape
    queue = np.empty(rows * columns, np.int64)
    first, last = 0, 0
    for i in range(rows):
        for j in range(columns):
            if regions[i, j] != 0:
                queue[last] = i * columns + j
                last += 1
    while first < last:
        i, j = queue[first] // columns, queue[first] % columns
        first += 1
        for di, dj in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            k, m = i + di, j + dj
            if 0 <= k < rows and 0 <= m < columns and valid[k, m] and regions[k, m] == 0:
                regions[k, m] = regions[i, j]
                queue[last] = k * columns + m
                last += 1
