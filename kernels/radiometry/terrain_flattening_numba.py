"""Compiled sums over facets of a terrain: arrays only, checked in `terrain_flattening`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.geometry.shadow_numba import SHADOW
from kernels.geometry.terrain_numba import blend_node_rows, cubic, surface

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}

_LONGEST, _PART, _MOST_PARTS = 0.5, 0.35, 16
"""Facets longer than the first in range [cells] are laid out as parts below the second."""


@numba.njit(**_COMPILE)
def _see_facets(
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    column_step: float,
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    row: float,
    first: int,
    splits: tuple[int, int],
    bits: NDArray[np.uint8],
    seen: NDArray[np.float64],
) -> None:
    """Place and projected area of facets between two nodes.

    Parameters
    ----------
    start, stop : ndarray of float64, shape (28,)
        Coefficients at the nodes before and after.
    column_step : float
        Facets between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    row : float
        DEM row of the facets' centres.
    first : int
        Number of the first facet in its row.
    splits : tuple of (int, int)
        Facets of a DEM cell along rows and columns.
    bits : ndarray of uint8, shape (profiles, stations)
        Of `TerrainProfiles`.
    seen : ndarray of float64, shape (3, n)
        Receives rows and columns of cells and areas [m2]; the area of a facet that is not seen
        is 0.
    """
    c, step = start.copy(), (stop - start) / column_step
    for p in range(seen.shape[1]):
        h, down, across = surface(heights, row, (first + p + 0.5) / splits[1])
        z = (h - middle) / half
        seen[0, p], seen[1, p] = cubic(c, 0, z), cubic(c, 4, z)
        east, north = across / splits[1], -down / splits[0]
        area = cubic(c, 8, z) - east * cubic(c, 12, z) - north * cubic(c, 16, z)
        y, x = cubic(c, 20, z) + 0.5, cubic(c, 24, z) + 0.5
        inside = y >= 0.0 and x >= 0.0 and y < bits.shape[0] and x < bits.shape[1]
        hidden = inside and bits[int(y), int(x)] & SHADOW
        seen[2, p] = 0.0 if hidden else max(area, 0.0)
        for k in range(c.shape[0]):
            c[k] += step[k]


@numba.njit(inline="always", **_COMPILE)
def _add(total: NDArray[np.float64], y: float, x: float, first_row: int, area: float) -> None:
    """Divide an area among the four cells around a place."""
    rows, columns = total.shape
    floor_y, floor_x = math.floor(y), math.floor(x)
    i, j = int(floor_y) - first_row, int(floor_x)
    if i < -1 or j < -1 or i >= rows or j >= columns:
        return
    lower, right = area * (y - floor_y), x - floor_x
    upper = area - lower
    if i >= 0:
        if j >= 0:
            total[i, j] += upper * (1.0 - right)
        if j < columns - 1:
            total[i, j + 1] += upper * right
    if i < rows - 1:
        if j >= 0:
            total[i + 1, j] += lower * (1.0 - right)
        if j < columns - 1:
            total[i + 1, j + 1] += lower * right


@numba.njit(**_COMPILE)
def _spread(seen: NDArray[np.float64], first_row: int, total: NDArray[np.float64]) -> None:
    """Divide the areas of neighbouring facets among cells.

    Slopes that face away are drawn out in range: where neighbours are far apart, a facet is
    laid out as several equal ones between them.
    """
    last = seen.shape[1] - 1
    for p in range(last + 1):
        y, x, area = seen[0, p], seen[1, p], seen[2, p]
        if area == 0.0:
            continue
        before, after = max(p - 1, 0), min(p + 1, last)
        across = (seen[1, after] - seen[1, before]) / max(after - before, 1)
        if abs(across) <= _LONGEST:
            _add(total, y, x, first_row, area)
            continue
        along = (seen[0, after] - seen[0, before]) / max(after - before, 1)
        parts = min(int(abs(across) / _PART) + 1, _MOST_PARTS)
        for k in range(parts):
            shift = (k + 0.5) / parts - 0.5
            _add(total, y + shift * along, x + shift * across, first_row, area / parts)


@numba.njit(**_COMPILE)
def add_facets(
    coefficients: NDArray[np.float64],
    node_step: int,
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    row_split: int,
    column_split: int,
    wanted: NDArray[np.bool_],
    bits: NDArray[np.uint8],
    first_row: int,
    total: NDArray[np.float64],
) -> None:
    """Add the facets of some squares between nodes to some rows of cells.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (node rows, node columns, 7, 4)
        Row and column of cells, three areas, profile and station of facets by height.
    node_step : int
        Facets between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    row_split, column_split : int
        Facets of a DEM cell.
    wanted : ndarray of bool, shape (node rows - 1, node columns - 1)
        Squares with a share.
    bits : ndarray of uint8, shape (profiles, stations)
        Of `TerrainProfiles`.
    first_row : int
        Number of the first row of cells in `total`.
    total : ndarray of float64, shape (rows, columns)
        Receives the areas [m2] on top of what it holds.
    """
    blended = np.empty((coefficients.shape[1], coefficients.shape[2] * 4))
    seen = np.empty((3, node_step))
    facet_rows = (heights.shape[0] - 1) * row_split
    facet_columns = (heights.shape[1] - 1) * column_split
    splits = (row_split, column_split)
    for i in range(wanted.shape[0]):
        if not wanted[i].any():
            continue
        for row in range(i * node_step, min((i + 1) * node_step, facet_rows)):
            blend_node_rows(coefficients, float(row), float(node_step), blended)
            for j in range(wanted.shape[1]):
                first = j * node_step
                n = min(node_step, facet_columns - first)
                if not wanted[i, j] or n <= 0:
                    continue
                _see_facets(
                    blended[j],
                    blended[j + 1],
                    float(node_step),
                    middle,
                    half,
                    heights,
                    (row + 0.5) / row_split,
                    first,
                    splits,
                    bits,
                    seen[:, :n],
                )
                _spread(seen[:, :n], first_row, total)


@numba.njit(**_COMPILE)
def factors(
    ratio: NDArray[np.float32],
    first_line: int,
    first_pixel: int,
    azimuth_looks: int,
    range_looks: int,
    smallest: float,
    lines: NDArray[np.float64],
    pixels: NDArray[np.float64],
    found: NDArray[np.float32],
) -> None:
    """Inverse of a ratio interpolated bilinearly.

    Parameters
    ----------
    ratio : ndarray of float32, shape (rows, columns)
        Of cells.
    first_line, first_pixel : int
        Of the window.
    azimuth_looks, range_looks : int
        Lines and pixels of a cell.
    smallest : float
        Smaller ratios give NaN.
    lines, pixels : ndarray of float64, shape (n,)
        Places; NaN where unknown.
    found : ndarray of float32, shape (n,)
        Receives the factors; NaN outside the cells.
    """
    rows, columns = ratio.shape
    for p in range(lines.shape[0]):
        y = (lines[p] - first_line + 0.5) / azimuth_looks - 0.5
        x = (pixels[p] - first_pixel + 0.5) / range_looks - 0.5
        found[p] = np.nan
        # NaN fails these comparisons
        if not (y >= -0.5 and x >= -0.5 and y <= rows - 0.5 and x <= columns - 0.5):
            continue
        y, x = min(max(y, 0.0), rows - 1.0), min(max(x, 0.0), columns - 1.0)
        i, j = min(int(y), max(rows - 2, 0)), min(int(x), max(columns - 2, 0))
        k, m = min(i + 1, rows - 1), min(j + 1, columns - 1)
        fy, fx = np.float32(y - i), np.float32(x - j)
        top = ratio[i, j] + fx * (ratio[i, m] - ratio[i, j])
        low = ratio[k, j] + fx * (ratio[k, m] - ratio[k, j])
        value = top + fy * (low - top)
        if value >= smallest:
            found[p] = np.float32(1.0) / value


@numba.njit(**_COMPILE)
def scale_backscatter(
    values: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    factors: NDArray[np.float32],
    smallest: np.float32,
) -> None:
    """Multiply backscatter by factors.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, columns)
        Backscatter [1]; becomes 0 where there is no factor. The smallest value stays as it is.
    wanted : ndarray of bool, shape (rows, columns)
        Which to multiply.
    factors : ndarray of float32, shape (rows, columns)
        NaN where unknown.
    smallest : float32
        Lower limit of products.
    """
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            if not wanted[i, j]:
                continue
            factor = factors[i, j]
            if np.isnan(factor):
                values[i, j] = 0.0
            elif values[i, j] > smallest:
                values[i, j] = max(values[i, j] * factor, smallest)
