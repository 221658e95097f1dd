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
) -> None:
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
    """
    rows, columns = valid.shape
    left = valid.copy()
    queue = np.empty(rows * columns, np.int64)
    for start in range(rows * columns):
        if not left[start // columns, start % columns]:
            continue
        left[start // columns, start % columns] = False
        queue[0] = start
        first, last = 0, 1
        while first < last:
            i, j = queue[first] // columns, queue[first] % columns
            first += 1
            here = cycles[i, j]
            if j + 1 < columns and left[i, j + 1]:
                left[i, j + 1] = False
                cycles[i, j + 1] = here + along[i, j]
                queue[last] = i * columns + j + 1
                last += 1
            if j > 0 and left[i, j - 1]:
                left[i, j - 1] = False
                cycles[i, j - 1] = here - along[i, j - 1]
                queue[last] = i * columns + j - 1
                last += 1
            if i + 1 < rows and left[i + 1, j]:
                left[i + 1, j] = False
                cycles[i + 1, j] = here + down[i, j]
                queue[last] = (i + 1) * columns + j
                last += 1
            if i > 0 and left[i - 1, j]:
                left[i - 1, j] = False
                cycles[i - 1, j] = here - down[i - 1, j]
                queue[last] = (i - 1) * columns + j
                last += 1


@numba.njit(**_COMPILE)
def grow(
    allowed: NDArray[np.bool_],
    along: NDArray[np.bool_],
    down: NDArray[np.bool_],
    regions: NDArray[np.int32],
) -> None:
    """Give pixels the number of the region that is fewest steps away.

    Parameters
    ----------
    allowed : ndarray of bool, shape (rows, columns)
        Pixels that steps may lead to.
    along : ndarray of bool, shape (rows, columns - 1)
        Whether a step may lead from a pixel to the next one of its row, or back.
    down : ndarray of bool, shape (rows - 1, columns)
        The same of steps down the columns.
    regions : ndarray of int32, shape (rows, columns)
        Numbers of the pixels that regions begin with; 0 elsewhere, where they are filled in.
        Pixels that no region is connected with stay 0.
    """
    rows, columns = allowed.shape
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
            if not (0 <= k < rows and 0 <= m < columns):
                continue
            open_step = along[i, min(j, m)] if di == 0 else down[min(i, k), j]
            if open_step and allowed[k, m] and regions[k, m] == 0:
                regions[k, m] = regions[i, j]
                queue[last] = k * columns + m
                last += 1
