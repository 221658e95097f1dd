"""Compiled sampling of radar rasters on a map: arrays only, checked in `geocode`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True, "fastmath": {"contract", "arcp", "nsz"}}


@numba.njit(**_COMPILE)
def sample_row(
    blended: NDArray[np.float64],
    column_step: float,
    scaled_heights: NDArray[np.float64],
    sums: NDArray[np.float32],
    pixels_per_cell: float,
    metres_per_radian: float,
    out: NDArray[np.float32],
) -> None:
    """Sample look sums along one row of a map, bilinear, and form the five bands.

    Parameters
    ----------
    blended : ndarray of float64, shape (node columns, 8)
        Cubic polynomials of height of the raster's row and column.
    column_step : float
        Map pixels between nodes.
    scaled_heights : ndarray of float64, shape (columns,)
        Argument of the polynomials; NaN where there is no height.
    sums : ndarray of float32, shape (rows, cells, 4)
        Cross product (real, imaginary) and both powers; a power of 0 marks no data.
    pixels_per_cell : float
        Looks of a cell.
    metres_per_radian : float
        Displacement towards the satellite per phase.
    out : ndarray of float32, shape (5, columns)
        Amplitude, phase, coherency, isData, displacement; pixels with data are kept.
    """
    rows, cells = sums.shape[0], sums.shape[1]
    step = int(column_step)
    columns = scaled_heights.shape[0]
    c, slope, value = np.empty(8), np.empty(8), np.empty(4)
    for j in range(blended.shape[0] - 1):
        for k in range(8):
            c[k] = blended[j, k]
            slope[k] = (blended[j + 1, k] - blended[j, k]) / column_step
        for p in range(j * step, min((j + 1) * step, columns)):
            z = scaled_heights[p]
            y = ((c[3] * z + c[2]) * z + c[1]) * z + c[0]
            x = ((c[7] * z + c[6]) * z + c[5]) * z + c[4]
            for k in range(8):
                c[k] += slope[k]
            # an unknown height (NaN) fails these comparisons
            if not (y >= 0.0 and x >= 0.0 and y <= rows - 1 and x <= cells - 1):
                continue
            if out[3, p] == 1.0:
                continue
            i0 = min(int(y), rows - 2)
            j0 = min(int(x), cells - 2)
            if (
                sums[i0, j0, 2] <= 0.0
                or sums[i0, j0 + 1, 2] <= 0.0
                or sums[i0 + 1, j0, 2] <= 0.0
                or sums[i0 + 1, j0 + 1, 2] <= 0.0
            ):
                continue
            fy, fx = np.float32(y - i0), np.float32(x - j0)
            for q in range(4):
                top = sums[i0, j0, q] + fx * (sums[i0, j0 + 1, q] - sums[i0, j0, q])
                low = sums[i0 + 1, j0, q] + fx * (sums[i0 + 1, j0 + 1, q] - sums[i0 + 1, j0, q])
                value[q] = top + fy * (low - top)
            power = math.sqrt(value[2] * value[3])
            phase = math.atan2(value[1], value[0])
            out[0, p] = math.sqrt(power / pixels_per_cell)
            out[1, p] = phase
            out[2, p] = min(math.sqrt(value[0] ** 2 + value[1] ** 2) / power, 1.0)
            out[3, p] = 1.0
            out[4, p] = metres_per_radian * phase
