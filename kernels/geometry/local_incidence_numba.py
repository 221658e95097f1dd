"""Compiled angles between slopes and sight: arrays only, checked in `local_incidence`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def incidence_row(
    above: NDArray[np.float64],
    here: NDArray[np.float64],
    below: NDArray[np.float64],
    values: NDArray[np.float64],
    local: NDArray[np.float32],
    projected: NDArray[np.float32],
) -> None:
    """Angles along one row of a map.

    Parameters
    ----------
    above, here, below : ndarray of float64, shape (columns + 2,)
        Heights of three rows, one pixel wider than the map on either side [m].
    values : ndarray of float64, shape (5, columns + 2)
        Of the row: direction to the satellite (along x, along y, up), pixel's size along x and
        along y [m].
    local, projected : ndarray of float32, shape (columns,)
        Receive the angles [rad].
    """
    for p in range(local.shape[0]):
        q = p + 1
        x, y, up = values[0, q], values[1, q], values[2, q]
        east = (here[q + 1] - here[q - 1]) / (2.0 * values[3, q])
        north = (above[q] - below[q]) / (2.0 * values[4, q])
        level = math.sqrt(x * x + y * y)
        rise = x * east + y * north  # towards the satellite, times level
        cosine = (up - rise) / math.sqrt(1.0 + east * east + north * north)
        local[p] = math.acos(min(max(cosine, -1.0), 1.0))
        # incidence plus slope, which leans the normal away where it rises towards the
        # satellite: angle of the product of (up, level) and (level, rise) as complex numbers
        projected[p] = math.atan2(level * level + up * rise, level * (up - rise))
