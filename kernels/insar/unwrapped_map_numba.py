"""Compiled sampling of unwrapped phase on a map: arrays only, checked in `unwrapped_map`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True}


@numba.njit(**_COMPILE)
def unwrap_pixels(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    unwrapped: NDArray[np.float32],
    components: NDArray[np.int32],
    phase: NDArray[np.float32],
    component: NDArray[np.int32],
) -> None:
    """Add whole cycles to the wrapped phase of map pixels.

    Parameters
    ----------
    rows, columns : ndarray of float64, shape (lines, samples)
        Of the pixels in the unwrapped raster; NaN where unknown.
    unwrapped : ndarray of float32, shape (rows, columns)
        Unwrapped phase [rad]; any value where its component is 0.
    components : ndarray of int32, shape (rows, columns)
        Connected regions; 0: none.
    phase : ndarray of float32, shape (lines, samples)
        Wrapped phase [rad], becomes the unwrapped one; NaN where there is no data or the four
        neighbours are not of one component.
    component : ndarray of int32, shape (lines, samples)
        Receives the component; 0 where the phase is NaN.
    """
    cycle = 2.0 * math.pi
    last_row, last_column = unwrapped.shape[0] - 1, unwrapped.shape[1] - 1
    for p in range(phase.shape[0]):
        for q in range(phase.shape[1]):
            wrapped, y, x = phase[p, q], rows[p, q], columns[p, q]
            phase[p, q] = np.nan
            component[p, q] = 0
            # an unknown place or phase (NaN) fails these comparisons
            if not (y >= 0.0 and x >= 0.0 and y <= last_row and x <= last_column):
                continue
            i, j = min(int(y), last_row - 1), min(int(x), last_column - 1)
            number = components[i, j]
            if (
                not abs(wrapped) <= cycle
                or number == 0
                or components[i, j + 1] != number
                or components[i + 1, j] != number
                or components[i + 1, j + 1] != number
            ):
                continue
            fy, fx = y - i, x - j
            top = unwrapped[i, j] + fx * (unwrapped[i, j + 1] - unwrapped[i, j])
            low = unwrapped[i + 1, j] + fx * (unwrapped[i + 1, j + 1] - unwrapped[i + 1, j])
            smooth = top + fy * (low - top)
            phase[p, q] = wrapped + cycle * np.rint((smooth - wrapped) / cycle)
            component[p, q] = number
