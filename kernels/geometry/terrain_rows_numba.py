"""Compiled meeting of several raster rows with a terrain at once: arrays only.

Finding a pixel's height is a chain of dependent operations, and so is the walk along a row, whose
guesses continue the last heights. Rows know nothing of each other: sixteen of them walk abreast, so
that the processor has many chains to work on, and each gives what it would give alone.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.geometry.terrain_numba import blend_node_rows, bracket

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}

LANES = 16
"""Rows that walk abreast."""

_CLOSE = 0.02
"""Heights that agree so well need one last step only [m]."""
_NEWTON_STEPS = 8
_PLACE = 8
"""Coefficients of DEM row and column."""

# Rows of the work array: one array, so that the compiler sees that nothing overlaps.
_GROWTH = _PLACE * LANES
_Z, _LAST, _BEFORE = (2 * _PLACE * LANES + k * LANES for k in range(3))
_AT, _FY, _FX, _BY_ROW, _BY_COLUMN = (_BEFORE + k * LANES for k in range(1, 6))
_UPPER, _UPPER_RIGHT, _LOWER, _LOWER_RIGHT, _STATE = (_BY_COLUMN + k * LANES for k in range(1, 6))
_WORK = _STATE + LANES
_DONE, _WALKING, _FAILED = 0.0, 1.0, 2.0


@numba.njit(**_COMPILE)
def _walk(
    w: NDArray[np.float64],
    lanes: int,
    heights: NDArray[np.float32],
    middle: float,
    half: float,
) -> None:
    """Newton's method from guesses in all lanes; those not done at the end have failed."""
    last_row, last_column = heights.shape[0] - 2.0, heights.shape[1] - 2.0
    columns = np.float64(heights.shape[1])
    flat, stride, one = heights.ravel(), np.uint64(heights.shape[1]), np.uint64(1)
    for r in range(lanes):
        w[_Z + r] = 2.0 * w[_LAST + r] - w[_BEFORE + r]
        w[_STATE + r] = _WALKING
    for _ in range(_NEWTON_STEPS):
        for r in range(lanes):
            z = w[_Z + r]
            c0, c1, c2, c3 = w[r], w[LANES + r], w[2 * LANES + r], w[3 * LANES + r]
            row = ((c3 * z + c2) * z + c1) * z + c0
            w[_BY_ROW + r] = (3.0 * c3 * z + 2.0 * c2) * z + c1
            c0, c1 = w[4 * LANES + r], w[5 * LANES + r]
            c2, c3 = w[6 * LANES + r], w[7 * LANES + r]
            column = ((c3 * z + c2) * z + c1) * z + c0
            w[_BY_COLUMN + r] = (3.0 * c3 * z + 2.0 * c2) * z + c1
            i = np.floor(min(max(row, 0.0), last_row))
            j = np.floor(min(max(column, 0.0), last_column))
            w[_FY + r] = row - i
            w[_FX + r] = column - j
            w[_AT + r] = i * columns + j
        for r in range(lanes):
            at = np.uint64(np.int64(w[_AT + r]))
            w[_UPPER + r] = flat[at]
            w[_UPPER_RIGHT + r] = flat[at + one]
            w[_LOWER + r] = flat[at + stride]
            w[_LOWER_RIGHT + r] = flat[at + stride + one]
        left = 0
        for r in range(lanes):
            fy, fx = w[_FY + r], w[_FX + r]
            upper, lower = w[_UPPER + r], w[_LOWER + r]
            right, lower_right = w[_UPPER_RIGHT + r] - upper, w[_LOWER_RIGHT + r] - lower
            top, bottom = upper + fx * right, lower + fx * lower_right
            z = w[_Z + r]
            gap = middle + half * z - (top + fy * (bottom - top))
            by_column = right + fy * (lower_right - right)
            slope = half - (bottom - top) * w[_BY_ROW + r] - by_column * w[_BY_COLUMN + r]
            new = z - gap / slope
            reached = _DONE if abs(gap) < _CLOSE else (_FAILED if abs(new) > 1.5 else _WALKING)
            # layover, or nearly: Newton's step would lead astray
            state = reached if slope >= 0.05 * half else _FAILED
            walks = w[_STATE + r] == _WALKING
            w[_Z + r] = new if walks else z
            w[_STATE + r] = state if walks else w[_STATE + r]
            left += 1 if w[_STATE + r] == _WALKING else 0
        if left == 0:
            return


@numba.njit(**_COMPILE)
def _place(w: NDArray[np.float64], r: int) -> NDArray[np.float64]:
    """Coefficients of DEM row and column of one lane."""
    c = np.empty(_PLACE)
    for k in range(_PLACE):
        c[k] = w[k * LANES + r]
    return c


@numba.njit(**_COMPILE)
def terrain_rows(
    coefficients: NDArray[np.float64],
    first_row: int,
    steps: tuple[float, float],
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    scaled: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Meet the terrain along at most `LANES` rows of pixels and evaluate quantities there.

    The first two quantities are the DEM's row and column. A row starts with a bisection and
    then walks: the guess of a pixel continues its two predecessors, so that a result depends
    on its own row only.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (node rows, node columns, quantities, 4)
        Of the whole raster.
    first_row : int
        Row of the raster.
    steps : tuple of float
        Rows and columns between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    scaled : ndarray of float64, shape (rows, columns)
        Receives the scaled heights; NaN where the point is outside the DEM.
    values : ndarray of float64, shape (quantities - 2, rows, columns)
        Receives the other quantities.
    """
    rows, columns = scaled.shape
    quantities, nodes = coefficients.shape[2], int(steps[1])
    blended = np.empty((rows, coefficients.shape[1], quantities * 4))
    w, found = np.empty(_WORK), np.empty((rows, nodes))
    for r in range(rows):
        blend_node_rows(coefficients, float(first_row + r), steps[0], blended[r])
    for j in range(blended.shape[1] - 1):
        first = j * nodes
        stop = min(first + nodes, columns)
        for r in range(rows):
            for k in range(_PLACE):
                w[k * LANES + r] = blended[r, j, k]
                w[_GROWTH + k * LANES + r] = (blended[r, j + 1, k] - blended[r, j, k]) / steps[1]
        for p in range(first, stop):
            if p == 0:
                for r in range(rows):
                    w[_Z + r] = w[_LAST + r] = bracket(blended[r, j], heights, middle, half)
            else:
                _walk(w, rows, heights, middle, half)
                for r in range(rows):
                    if w[_STATE + r] != _DONE:
                        w[_Z + r] = bracket(_place(w, r), heights, middle, half)
            for r in range(rows):
                w[_BEFORE + r] = w[_LAST + r]
                w[_LAST + r] = w[_Z + r]
                found[r, p - first] = w[_Z + r]
            for k in range(_GROWTH):
                w[k] += w[_GROWTH + k]
        for r in range(rows):
            start, end = blended[r, j], blended[r, j + 1]
            _inside(start, end, steps[1], found[r], heights.shape, scaled[r, first:stop])
            for q in range(values.shape[0]):
                part = slice(_PLACE + 4 * q, _PLACE + 4 * q + 4)
                _evaluate(start[part], end[part], steps[1], found[r], values[q, r, first:stop])


@numba.njit(**_COMPILE)
def rows_at_heights(
    coefficients: NDArray[np.float64],
    first_row: int,
    steps: tuple[float, float],
    scaled: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Evaluate quantities along rows of pixels whose heights are known.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (node rows, node columns, quantities, 4)
        Of the whole raster; the first two quantities are not evaluated.
    first_row : int
        Row of the raster.
    steps : tuple of float
        Rows and columns between nodes.
    scaled : ndarray of float64, shape (rows, columns)
        Scaled heights; NaN where there is none.
    values : ndarray of float64, shape (quantities - 2, rows, columns)
        Receives the quantities, those of `terrain_rows`.
    """
    rows, columns = scaled.shape
    quantities, nodes = coefficients.shape[2], int(steps[1])
    blended = np.empty((coefficients.shape[1], quantities * 4))
    for r in range(rows):
        blend_node_rows(coefficients, float(first_row + r), steps[0], blended)
        for j in range(blended.shape[0] - 1):
            first = j * nodes
            stop = min(first + nodes, columns)
            start, end = blended[j], blended[j + 1]
            for q in range(values.shape[0]):
                part = slice(_PLACE + 4 * q, _PLACE + 4 * q + 4)
                _evaluate(
                    start[part],
                    end[part],
                    steps[1],
                    scaled[r, first:stop],
                    values[q, r, first:stop],
                )


@numba.njit(**_COMPILE)
def _inside(
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    step: float,
    found: NDArray[np.float64],
    shape: tuple[int, int],
    scaled: NDArray[np.float64],
) -> None:
    """Keep the scaled heights between two nodes whose points are on the DEM."""
    per_column = 1.0 / step
    a, b, c, d = start[0], start[1], start[2], start[3]
    e, f, g, h = stop[0] - a, stop[1] - b, stop[2] - c, stop[3] - d
    i, j, k, m = start[4], start[5], start[6], start[7]
    n, o, q, t = stop[4] - i, stop[5] - j, stop[6] - k, stop[7] - m
    last_row, last_column = shape[0] - 1.0, shape[1] - 1.0
    for p in range(scaled.shape[0]):
        z, s = found[p], p * per_column
        row = (((d + s * h) * z + (c + s * g)) * z + (b + s * f)) * z + (a + s * e)
        column = (((m + s * t) * z + (k + s * q)) * z + (j + s * o)) * z + (i + s * n)
        inside = (row >= 0.0) & (column >= 0.0) & (row <= last_row) & (column <= last_column)
        scaled[p] = z if inside else math.nan


@numba.njit(**_COMPILE)
def _evaluate(
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    step: float,
    found: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Evaluate one quantity between two nodes at known scaled heights."""
    per_column = 1.0 / step
    a, b, c, d = start[0], start[1], start[2], start[3]
    e, f, g, h = stop[0] - a, stop[1] - b, stop[2] - c, stop[3] - d
    for p in range(values.shape[0]):
        z, s = found[p], p * per_column
        values[p] = (((d + s * h) * z + (c + s * g)) * z + (b + s * f)) * z + (a + s * e)
