"""Compiled sampling of radar rasters on a map: arrays only, checked in `geocode`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True, "fastmath": {"contract", "arcp", "nsz"}}


@numba.njit(**_COMPILE)
def sample_row(
    lines: NDArray[np.float64],
    samples: NDArray[np.float64],
    sums: NDArray[np.float32],
    limits: NDArray[np.float64],
    pixels_per_cell: float,
    metres_per_radian: float,
    out: NDArray[np.float32],
) -> None:
    """Sample look sums along one row of a map, bilinear, and form the five bands.

    Parameters
    ----------
    lines, samples : ndarray of float64, shape (columns,)
        Row and cell in the sums; NaN where unknown.
    sums : ndarray of float32, shape (rows, cells, 4)
        Cross product (real, imaginary) and both powers; a power of 0 marks no data.
    limits : ndarray of float64, shape (rows, 2)
        Cells between which samples are taken, the second excluded.
    pixels_per_cell : float
        Looks of a cell.
    metres_per_radian : float
        Displacement towards the satellite per phase.
    out : ndarray of float32, shape (5, columns)
        Amplitude, phase, coherency, isData, displacement; pixels with data are kept.
    """
    rows, cells = sums.shape[0], sums.shape[1]
    value = np.empty(4)
    for p in range(lines.shape[0]):
        y, x = lines[p], samples[p]
        # an unknown place (NaN) fails these comparisons
        if not (y >= 0.0 and x >= 0.0 and y <= rows - 1 and x <= cells - 1):
            continue
        if out[3, p] == 1.0:
            continue
        i, j = min(int(y), rows - 2), min(int(x), cells - 2)
        if not limits[i, 0] <= x < limits[i, 1]:
            continue
        if (
            sums[i, j, 2] <= 0.0
            or sums[i, j + 1, 2] <= 0.0
            or sums[i + 1, j, 2] <= 0.0
            or sums[i + 1, j + 1, 2] <= 0.0
        ):
            continue
        fy, fx = np.float32(y - i), np.float32(x - j)
        for q in range(4):
            top = sums[i, j, q] + fx * (sums[i, j + 1, q] - sums[i, j, q])
            low = sums[i + 1, j, q] + fx * (sums[i + 1, j + 1, q] - sums[i + 1, j, q])
            value[q] = top + fy * (low - top)
        power = math.sqrt(value[2] * value[3])
        phase = math.atan2(value[1], value[0])
        out[0, p] = math.sqrt(power / pixels_per_cell)
        out[1, p] = phase
        out[2, p] = min(math.sqrt(value[0] ** 2 + value[1] ** 2) / power, 1.0)
        out[3, p] = 1.0
        out[4, p] = metres_per_radian * phase
