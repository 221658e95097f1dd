"""Compiled placing of radar cells on a map: arrays only, checked in `cells_on_map`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True}
_EDGE = 1e-9
"""By how much a pixel may lie outside a triangle, in its own coordinates."""
_LARGEST = 200.0
"""Pixels of the map that a triangle may span: larger ones are no neighbours."""


@numba.njit(**_COMPILE)
def place_cells(
    map_rows: NDArray[np.float64],
    map_columns: NDArray[np.float64],
    first_row: int,
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
) -> None:
    """Find the fractional cell of the map pixels between some rows of cells.

    Parameters
    ----------
    map_rows, map_columns : ndarray of float64, shape (cell rows, cell columns)
        Where the middles of the cells are on the map; NaN where unknown.
    first_row : int
        Number of the first of these rows of cells.
    rows, columns : ndarray of float32, shape (lines, samples)
        Of the map; receive row and column of the cells where a triangle of three neighbouring
        cells holds the pixel.
    """
    lines, samples = rows.shape
    for i in range(map_rows.shape[0] - 1):
        for j in range(map_rows.shape[1] - 1):
            for half in range(2):
                # corners of a triangle, each a neighbour of the first one along one axis
                i0 = i + half
                j0 = j + half
                i1 = i + 1 - half
                j1 = j + 1 - half
                y0, x0 = map_rows[i0, j0], map_columns[i0, j0]
                ya, xa = map_rows[i1, j0] - y0, map_columns[i1, j0] - x0
                yb, xb = map_rows[i0, j1] - y0, map_columns[i0, j1] - x0
                area = ya * xb - yb * xa
                top, bottom = y0 + min(0.0, ya, yb), y0 + max(0.0, ya, yb)
                left, right = x0 + min(0.0, xa, xb), x0 + max(0.0, xa, xb)
                # unknown places (NaN) fail these comparisons
                if not (
                    abs(area) > 0.0
                    and bottom - top < _LARGEST
                    and right - left < _LARGEST
                    and bottom >= 0.0
                    and right >= 0.0
                    and top <= lines - 1
                    and left <= samples - 1
                ):
                    continue
                for p in range(max(math.ceil(top), 0), min(math.floor(bottom), lines - 1) + 1):
                    for q in range(
                        max(math.ceil(left), 0), min(math.floor(right), samples - 1) + 1
                    ):
                        dy, dx = p - y0, q - x0
                        a = (dy * xb - yb * dx) / area
                        b = (ya * dx - dy * xa) / area
                        if a >= -_EDGE and b >= -_EDGE and a + b <= 1.0 + _EDGE:
                            # rounding must not lead out of the triangle
                            rows[p, q] = first_row + i0 + min(max(a, 0.0), 1.0) * (i1 - i0)
                            columns[p, q] = j0 + min(max(b, 0.0), 1.0) * (j1 - j0)


@numba.njit(**_COMPILE)
def sample_layers(
    layers: NDArray[np.float32],
    first_row: int,
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Sample layers of cells at fractional rows and columns.

    Parameters
    ----------
    layers : ndarray of float32, shape (layers, cell rows, cell columns)
        NaN where there is no value.
    first_row : int
        Number of the first of these rows of cells.
    rows, columns : ndarray of float32, shape (lines, samples)
        Fractional cells of the pixels; NaN outside.
    out : ndarray of float32, shape (layers, lines, samples)
        Receives values: bilinear where all four cells have one, else that of the nearest cell,
        so that nothing reaches into cells without a value.
    """
    count, height, width = layers.shape
    for p in range(rows.shape[0]):
        for q in range(rows.shape[1]):
            y, x = rows[p, q] - first_row, columns[p, q]
            if not (y >= -0.5 and x >= -0.5 and y <= height - 0.5 and x <= width - 0.5):
                for layer in range(count):
                    out[layer, p, q] = np.nan
                continue
            i = min(max(math.floor(y), 0), max(height - 2, 0))
            j = min(max(math.floor(x), 0), max(width - 2, 0))
            fy, fx = min(max(y - i, 0.0), 1.0), min(max(x - j, 0.0), 1.0)
            below, right = min(i + 1, height - 1), min(j + 1, width - 1)
            near_row = below if fy > 0.5 else i
            near_column = right if fx > 0.5 else j
            for layer in range(count):
                a, b = layers[layer, i, j], layers[layer, i, right]
                c, d = layers[layer, below, j], layers[layer, below, right]
                upper = a + fx * (b - a)
                lower = c + fx * (d - c)
                value = upper + fy * (lower - upper)
                if math.isnan(value):
                    value = layers[layer, near_row, near_column]
                out[layer, p, q] = value
