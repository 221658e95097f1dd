"""Compiled crossings of range circles with a profile: arrays only, checked in `radar_shadow`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.geometry.shadow_numba import SHADOW

_COMPILE = {"nogil": True, "cache": True, "error_model": "numpy"}


@numba.njit(**_COMPILE)
def crossings(
    ranges: NDArray[np.float64],
    bits: NDArray[np.uint8],
    first_range: float,
    spacing: float,
    counts: NDArray[np.int32],
    seen: NDArray[np.int32],
) -> None:
    """Count where the circles of cells meet a profile, and how often they meet what is seen.

    Parameters
    ----------
    ranges : ndarray of float64, shape (stations,)
        Slant ranges from near to far ground [m]; NaN outside the DEM.
    bits : ndarray of uint8, shape (stations,)
        Of `mark`.
    first_range, spacing : float
        Of the cells' centres [m].
    counts, seen : ndarray of int32, shape (cells,)
        Added to.
    """
    for p in range(ranges.shape[0] - 1):
        start = (ranges[p] - first_range) / spacing
        stop = (ranges[p + 1] - first_range) / spacing
        if not (math.isfinite(start) and math.isfinite(stop)):
            continue
        low, high = min(start, stop), max(start, stop)
        first = max(math.ceil(low), 0)
        last = min(math.ceil(high) - 1, counts.shape[0] - 1)
        for cell in range(first, last + 1):
            counts[cell] += 1
            # the station that is nearer to the crossing tells whether it is seen
            nearer = p if abs(cell - start) <= abs(cell - stop) else p + 1
            if bits[nearer] & SHADOW == 0:
                seen[cell] += 1
