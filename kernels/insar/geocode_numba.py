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
    samples_per_cell: float,
    out: NDArray[np.float32],
) -> None:
    """Sample look sums along one row of a map, bilinear, and form the four bands.

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
    samples_per_cell : float
        Looks of a cell.
    out : ndarray of float32, shape (4, columns)
        Amplitude, phase, coherency, isData; pixels that already have data are kept.
    """
    rows, cells = sums.shape[0], sums.shape[1]
    step = int(column_step)
    c, value = np.empty(8), np.empty(4)
    for p in range(scaled_heights.shape[0]):
        z = scaled_heights[p]
        if math.isnan(z) or out[3, p] == 1.0:
            continue
        j = min(p // step, blended.shape[0] - 2)
        f = (p - j * step) / column_step
        for k in range(8):
            c[k] = blended[j, k] + f * (blended[j + 1, k] - blended[j, k])
        y = ((c[3] * z + c[2]) * z + c[1]) * z + c[0]
        x = ((c[7] * z + c[6]) * z + c[5]) * z + c[4]
        if not (y >= 0.0 and x >= 0.0 and y <= rows - 1 and x <= cells - 1):
            continue
        i0 = min(int(y), rows - 2)
        j0 = min(int(x), cells - 2)
        fy, fx = y - i0, x - j0
        if (
            sums[i0, j0, 2] <= 0.0
            or sums[i0, j0 + 1, 2] <= 0.0
            or sums[i0 + 1, j0, 2] <= 0.0
            or sums[i0 + 1, j0 + 1, 2] <= 0.0
        ):
            continue
        w00, w01 = (1.0 - fy) * (1.0 - fx), (1.0 - fy) * fx
        w10, w11 = fy * (1.0 - fx), fy * fx
        for q in range(4):
            value[q] = (
                w00 * sums[i0, j0, q]
                + w01 * sums[i0, j0 + 1, q]
                + w10 * sums[i0 + 1, j0, q]
                + w11 * sums[i0 + 1, j0 + 1, q]
            )
        power = math.sqrt(value[2] * value[3])
        out[0, p] = math.sqrt(power / samples_per_cell)
        out[1, p] = math.atan2(value[1], value[0])
        out[2, p] = min(math.hypot(value[0], value[1]) / power, 1.0)
        out[3, p] = 1.0
