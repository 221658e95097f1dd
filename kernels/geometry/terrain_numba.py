"""Compiled loops that meet a terrain: arrays only, checked in `terrain`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}

_BISECTIONS = 60


@numba.njit(inline="always", **_COMPILE)
def surface(heights: NDArray[np.float32], row: float, column: float) -> tuple[float, float, float]:
    """Bilinear height and its slopes along row and column; clamped to the raster."""
    i = min(max(int(row), 0), heights.shape[0] - 2)
    j = min(max(int(column), 0), heights.shape[1] - 2)
    fy, fx = row - i, column - j
    # unsigned: an index that may be negative costs a test for each access
    y, x, one = np.uint64(i), np.uint64(j), np.uint64(1)
    a, b = heights[y, x], heights[y, x + one]
    c, d = heights[y + one, x], heights[y + one, x + one]
    top, bottom = a + fx * (b - a), c + fx * (d - c)
    return top + fy * (bottom - top), bottom - top, (b - a) + fy * ((d - c) - (b - a))


@numba.njit(inline="always", **_COMPILE)
def cubic(c: NDArray[np.float64], base: int, z: float) -> float:
    """Cubic of a scaled height, whose coefficients begin at `base`."""
    value: float = ((c[base + 3] * z + c[base + 2]) * z + c[base + 1]) * z + c[base]
    return value


@numba.njit(**_COMPILE)
def bracket(
    c: NDArray[np.float64], heights: NDArray[np.float32], middle: float, half: float
) -> float:
    """Find a crossing of the range circle with the terrain by bisection over all heights.

    At the lowest height the circle is below the terrain and at the highest above it, so one
    crossing is always between; in layover there are several and this finds one of them.
    """
    low, high = -1.0, 1.0
    for _ in range(_BISECTIONS):
        z = 0.5 * (low + high)
        h, _, _ = surface(heights, cubic(c, 0, z), cubic(c, 4, z))
        if middle + half * z < h:
            low = z
        else:
            high = z
        if (high - low) * half < 1e-4:
            break
    return 0.5 * (low + high)


@numba.njit(**_COMPILE)
def blend_node_rows(
    coefficients: NDArray[np.float64],
    row: float,
    row_step: float,
    blended: NDArray[np.float64],
    first: int = 0,
) -> None:
    """Coefficients (node columns, quantities * 4) of one raster row from the nodes around it."""
    y = row / row_step
    i = min(max(int(y), 0), coefficients.shape[0] - 2)
    f = y - i
    stop = first + blended.shape[0]
    above = coefficients[i][first:stop].reshape(blended.shape)
    below = coefficients[i + 1][first:stop].reshape(blended.shape)
    for j in range(blended.shape[0]):
        for k in range(blended.shape[1]):
            blended[j, k] = above[j, k] + f * (below[j, k] - above[j, k])


@numba.njit(inline="always", **_COMPILE)
def _on_raster(heights: NDArray[np.float32], row: float, column: float) -> bool:
    last_row, last_column = heights.shape[0] - 1, heights.shape[1] - 1
    return row >= 0.0 and column >= 0.0 and row <= last_row and column <= last_column


@numba.njit(**_COMPILE)
def _map_heights(
    row: float,
    column: float,
    row_step: float,
    column_step: float,
    first: int,
    heights: NDArray[np.float32],
    found: NDArray[np.float64],
) -> None:
    """Bilinear heights from the first pixel of a straight line over the DEM; NaN outside."""
    stop = first + found.shape[0]
    # what is between two ends inside is inside
    if _on_raster(heights, row + first * row_step, column + first * column_step) and _on_raster(
        heights, row + (stop - 1) * row_step, column + (stop - 1) * column_step
    ):
        one = np.uint64(1)
        for k in range(found.shape[0]):
            y, x = row + (first + k) * row_step, column + (first + k) * column_step
            i = np.uint64(min(int(y), heights.shape[0] - 2))
            j = np.uint64(min(int(x), heights.shape[1] - 2))
            fy, fx = y - i, x - j
            a, b = heights[i, j], heights[i, j + one]
            c, d = heights[i + one, j], heights[i + one, j + one]
            top, bottom = a + fx * (b - a), c + fx * (d - c)
            found[k] = top + fy * (bottom - top)
        return
    for k in range(found.shape[0]):
        y, x = row + (first + k) * row_step, column + (first + k) * column_step
        found[k] = math.nan
        if _on_raster(heights, y, x):
            found[k], _, _ = surface(heights, y, x)


@numba.njit(**_COMPILE)
def _map_cubics(
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    first: int,
    column_step: float,
    middle: float,
    half: float,
    found: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Evaluate one quantity between two nodes, whose four coefficients are given."""
    a, b, c, d = start[0], start[1], start[2], start[3]
    e, f, g, h = stop[0] - a, stop[1] - b, stop[2] - c, stop[3] - d
    for k in range(found.shape[0]):
        z, s = (found[k] - middle) / half, (first + k) / column_step
        values[k] = (((d + s * h) * z + (c + s * g)) * z + (b + s * f)) * z + (a + s * e)


@numba.njit(**_COMPILE)
def map_block(
    coefficients: NDArray[np.float64],
    places: NDArray[np.float64],
    steps: tuple[float, float],
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    first_row: int,
    first_column: int,
    found: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Heights in a part of a map, and cubics of height evaluated there.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (node rows, node columns, quantities, 4)
        Of the whole map.
    places : ndarray of float64, shape (node rows, node columns, 2)
        DEM row and column of the nodes.
    steps : tuple of float
        Rows and columns between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    first_row, first_column : int
        Of the part.
    found : ndarray of float64, shape (rows, columns)
        Receives the heights [m]; NaN outside the DEM.
    values : ndarray of float64, shape (quantities, rows, columns)
        Receives the quantities; NaN outside the DEM.
    """
    rows, columns = found.shape
    quantities, nodes = values.shape[0], int(steps[1])
    j0 = first_column // nodes
    j1 = (first_column + columns - 1) // nodes + 1
    blended = np.empty((j1 - j0 + 1, quantities * 4))
    placed = np.empty((j1 - j0 + 1, 2))
    for r in range(rows):
        row = float(first_row + r)
        blend_node_rows(coefficients, row, steps[0], blended, j0)
        blend_node_rows(places, row, steps[0], placed, j0)
        for j in range(j1 - j0):
            first = max((j0 + j) * nodes, first_column)
            stop = min((j0 + j + 1) * nodes, first_column + columns)
            part = slice(first - first_column, stop - first_column)
            offset = first - (j0 + j) * nodes
            by_row = (placed[j + 1, 0] - placed[j, 0]) / steps[1]
            by_column = (placed[j + 1, 1] - placed[j, 1]) / steps[1]
            _map_heights(
                placed[j, 0],
                placed[j, 1],
                by_row,
                by_column,
                offset,
                heights,
                found[r, part],
            )
            for q in range(quantities):
                c = slice(4 * q, 4 * q + 4)
                _map_cubics(
                    blended[j, c],
                    blended[j + 1, c],
                    offset,
                    steps[1],
                    middle,
                    half,
                    found[r, part],
                    values[q, r, part],
                )


@numba.njit(**_COMPILE)
def heights_at(
    heights: NDArray[np.float32],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Bilinear heights at DEM coordinates, shape (n,); NaN outside."""
    for k in range(rows.shape[0]):
        row, column = rows[k], columns[k]
        if (
            row >= 0.0
            and column >= 0.0
            and row <= heights.shape[0] - 1
            and column <= heights.shape[1] - 1
        ):
            h, _, _ = surface(heights, row, column)
            out[k] = h
        else:
            out[k] = math.nan
