"""Compiled march along profiles of the terrain: arrays only, checked in `shadow`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.geometry.terrain_numba import cubic, surface

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}

LAYOVER, SHADOW = 1, 2

_STEPS = 3
"""Profiles lean by some milliradians: a step multiplies the error by that and the slope. Each
station starts anew, because waiting for its predecessor would take longer."""


@numba.njit(**_COMPILE)
def profile(
    blended: NDArray[np.float64],
    column_step: float,
    middle: float,
    half: float,
    heights: NDArray[np.float32],
    ranges: NDArray[np.float64],
    looks: NDArray[np.float64],
) -> None:
    """Slant ranges and look angles of the terrain along one profile.

    Parameters
    ----------
    blended : ndarray of float64, shape (node columns, 16)
        From `blend_node_rows`: DEM row and column, slant range, look angle.
    column_step : float
        Stations between nodes.
    middle, half : float
        Of the scaled height.
    heights : ndarray of float32, shape (rows, columns)
        The DEM [m].
    ranges, looks : ndarray of float64, shape (stations,)
        Receive slant ranges [m] and look angles [rad]; NaN outside the DEM.
    """
    width = blended.shape[1]
    c, step = np.empty(width), np.empty(width)
    stations, nodes = ranges.shape[0], int(column_step)
    for j in range(blended.shape[0] - 1):
        first = j * nodes
        for k in range(width):
            c[k] = blended[j, k]
            step[k] = (blended[j + 1, k] - blended[j, k]) / column_step
        for p in range(first, min(first + nodes, stations)):
            row = column = z = 0.0
            for _ in range(_STEPS):
                row, column = cubic(c, 0, z), cubic(c, 4, z)
                h, _, _ = surface(heights, row, column)
                z = (h - middle) / half
            inside = (
                row >= 0.0
                and column >= 0.0
                and row <= heights.shape[0] - 1
                and column <= heights.shape[1] - 1
            )
            ranges[p] = cubic(c, 8, z) if inside else math.nan
            looks[p] = cubic(c, 12, z) if inside else math.nan
            for k in range(width):
                c[k] += step[k]


@numba.njit(**_COMPILE)
def mark(ranges: NDArray[np.float64], looks: NDArray[np.float64], bits: NDArray[np.uint8]) -> None:
    """Mark layover and shadow along one profile from near to far; NaN is passed over."""
    farthest = highest = -math.inf
    for p in range(bits.shape[0]):
        bits[p] = 0
        # NaN fails all comparisons
        if ranges[p] < farthest:
            bits[p] |= LAYOVER
        elif ranges[p] >= farthest:
            farthest = ranges[p]
        if looks[p] < highest:
            bits[p] |= SHADOW
        elif looks[p] >= highest:
            highest = looks[p]
    nearest = math.inf
    for p in range(bits.shape[0] - 1, -1, -1):
        if ranges[p] > nearest:
            bits[p] |= LAYOVER
        elif ranges[p] <= nearest:
            nearest = ranges[p]


@numba.njit(**_COMPILE)
def nearest_bits(
    bits: NDArray[np.uint8],
    profiles: NDArray[np.float64],
    stations: NDArray[np.float64],
    out: NDArray[np.uint8],
) -> None:
    """Bits of the nearest stations, shape (n,); 0 beyond them and where a place is NaN."""
    for p in range(out.shape[0]):
        y, x = profiles[p] + 0.5, stations[p] + 0.5
        inside = y >= 0.0 and x >= 0.0 and y < bits.shape[0] and x < bits.shape[1]
        out[p] = bits[int(y), int(x)] if inside else 0
