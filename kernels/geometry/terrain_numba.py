"""Compiled loops that meet a terrain: arrays only, checked in `terrain`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True, "fastmath": {"contract", "arcp", "nsz"}}

_CLOSE = 0.02
"""Heights that agree so well need one last step only [m]."""
_NEWTON_STEPS = 8
_BISECTIONS = 60


@numba.njit(inline="always", **_COMPILE)
def _surface(heights: NDArray[np.float32], row: float, column: float) -> tuple[float, float, float]:
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
def _cubic(c: NDArray[np.float64], base: int, z: float) -> float:
    value: float = ((c[base + 3] * z + c[base + 2]) * z + c[base + 1]) * z + c[base]
    return value


@numba.njit(inline="always", **_COMPILE)
def _cubic_slope(c: NDArray[np.float64], base: int, z: float) -> float:
    slope: float = (3.0 * c[base + 3] * z + 2.0 * c[base + 2]) * z + c[base + 1]
    return slope


@numba.njit(**_COMPILE)
def _bracket(
    c: NDArray[np.float64], heights: NDArray[np.float32], middle: float, half: float
) -> float:
    """Find a crossing of the range circle with the terrain by bisection over all heights.

    At the lowest height the circle is below the terrain and at the highest above it, so one
    crossing is always between; in layover there are several and this finds one of them.
    """
    low, high = -1.0, 1.0
    for _ in range(_BISECTIONS):
        z = 0.5 * (low + high)
        h, _, _ = _surface(heights, _cubic(c, 0, z), _cubic(c, 4, z))
        if middle + half * z < h:
            low = z
        else:
            high = z
        if (high - low) * half < 1e-4:
            break
    return 0.5 * (low + high)


@numba.njit(inline="always", **_COMPILE)
def _meet(
    c: NDArray[np.float64],
    heights: NDArray[np.float32],
    middle: float,
    half: float,
    guess: float,
) -> float:
    """Scaled height at which the range circle of a pixel meets the terrain, from a guess."""
    z = guess
    for _ in range(_NEWTON_STEPS):
        h, by_row, by_column = _surface(heights, _cubic(c, 0, z), _cubic(c, 4, z))
        gap = middle + half * z - h
        slope = half - by_row * _cubic_slope(c, 0, z) - by_column * _cubic_slope(c, 4, z)
        if slope < 0.05 * half:
            break  # layover, or nearly: Newton's step would lead astray
        z -= gap / slope
        if abs(gap) < _CLOSE:
            return z
        if abs(z) > 1.5:
            break
    return _bracket(c, heights, middle, half)


@numba.njit(**_COMPILE)
def blend_node_rows(
    coefficients: NDArray[np.float64], row: float, row_step: float, blended: NDArray[np.float64]
) -> None:
    """Coefficients (node columns, quantities * 4) of one raster row from the nodes around it."""
    y = row / row_step
    i = min(max(int(y), 0), coefficients.shape[0] - 2)
    f = y - i
    above = coefficients[i].reshape(blended.shape)
    below = coefficients[i + 1].reshape(blended.shape)
    for j in range(blended.shape[0]):
        for k in range(blended.shape[1]):
            blended[j, k] = above[j, k] + f * (below[j, k] - above[j, k])


@numba.njit(**_COMPILE)
def terrain_row(
    blended: NDArray[np.float64],
    column_step: float,
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    scaled: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Meet the terrain along one row of pixels and evaluate quantities there.

    The first two quantities are the DEM's row and column. A row starts with a bisection and
    then walks: the guess of a pixel continues its two predecessors, so that a result depends
    on its own row only.

    Parameters
    ----------
    blended : ndarray of float64, shape (node columns, quantities * 4)
        From `blend_node_rows`.
    column_step : float
        Pixels between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    scaled : ndarray of float64, shape (columns,)
        Receives the scaled heights; NaN where the point is outside the DEM.
    values : ndarray of float64, shape (quantities - 2, columns)
        Receives the other quantities.
    """
    width = blended.shape[1]
    c = np.empty(width)
    step = np.empty(width)
    before = last = 0.0
    columns = scaled.shape[0]
    node_columns = int(column_step)
    for j in range(blended.shape[0] - 1):
        first = j * node_columns
        for k in range(width):
            c[k] = blended[j, k]
            step[k] = (blended[j + 1, k] - blended[j, k]) / column_step
        for p in range(first, min(first + node_columns, columns)):
            if p == 0:
                z = before = _bracket(c, heights, middle, half)
            else:
                z = _meet(c, heights, middle, half, 2.0 * last - before)
                before = last
            last = z
            row, column = _cubic(c, 0, z), _cubic(c, 4, z)
            inside = (
                row >= 0.0
                and column >= 0.0
                and row <= heights.shape[0] - 1
                and column <= heights.shape[1] - 1
            )
            scaled[p] = z if inside else math.nan
            for q in range(values.shape[0]):
                values[q, p] = _cubic(c, 8 + 4 * q, z)
            for k in range(width):
                c[k] += step[k]


@numba.njit(**_COMPILE)
def map_row(
    blended: NDArray[np.float64],
    places: NDArray[np.float64],
    column_step: float,
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    found: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Heights along one row of a map, and cubics of height evaluated there.

    Parameters
    ----------
    blended : ndarray of float64, shape (node columns, quantities * 4)
        From `blend_node_rows`.
    places : ndarray of float64, shape (node columns, 2)
        DEM row and column of the nodes.
    column_step : float
        Pixels between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    found : ndarray of float64, shape (columns,)
        Receives the heights [m]; NaN outside the DEM.
    values : ndarray of float64, shape (quantities, columns)
        Receives the quantities; NaN outside the DEM.
    """
    width = blended.shape[1]
    c, step = np.empty(width), np.empty(width)
    columns, nodes = found.shape[0], int(column_step)
    for j in range(blended.shape[0] - 1):
        first = j * nodes
        for k in range(width):
            c[k] = blended[j, k]
            step[k] = (blended[j + 1, k] - blended[j, k]) / column_step
        row, column = places[j, 0], places[j, 1]
        row_step = (places[j + 1, 0] - row) / column_step
        next_column = (places[j + 1, 1] - column) / column_step
        for p in range(first, min(first + nodes, columns)):
            inside = (
                row >= 0.0
                and column >= 0.0
                and row <= heights.shape[0] - 1
                and column <= heights.shape[1] - 1
            )
            h, _, _ = _surface(heights, row, column)
            found[p] = h if inside else math.nan
            z = (found[p] - middle) / half
            for q in range(values.shape[0]):
                values[q, p] = _cubic(c, 4 * q, z)
            for k in range(width):
                c[k] += step[k]
            row += row_step
            column += next_column


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
            h, _, _ = _surface(heights, row, column)
            out[k] = h
        else:
            out[k] = math.nan
