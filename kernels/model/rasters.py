"""Rasters with a geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.model.grids import MapGrid, RadarGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Dem:
    """Heights on a geographic grid, bilinear between the pixel centres.

    Attributes
    ----------
    heights : ndarray of float32, shape (rows, columns)
        Above the WGS84 ellipsoid [m]; finite everywhere.
    west, north : float
        Longitude and latitude of the *centre* of the first pixel [degrees].
    longitude_step, latitude_step : float
        Between pixel centres [degrees]; the latitude step is negative.
    filled : ndarray of bool, shape (rows, columns), or None
        Where no source had a value and the policy for missing tiles gave one.
    sources : tuple of str
        Names of the files read.
    """

    heights: NDArray[np.float32]
    west: float
    north: float
    longitude_step: float
    latitude_step: float
    filled: NDArray[np.bool_] | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interferogram:
    """Multilooked interferogram on a radar or map grid.

    Attributes
    ----------
    amplitude : ndarray of float32, shape (rows, columns)
        Geometric mean of both images' amplitudes [digital numbers].
    phase : ndarray of float32, shape (rows, columns)
        [rad], in (-pi, pi]; positive where the ground moved away from the radar.
    coherence : ndarray of float32, shape (rows, columns)
        0 to 1.
    is_data : ndarray of bool, shape (rows, columns)
        True where every contributing pixel was valid.
    grid : RadarGrid or MapGrid
        Geometry of the rasters.
    """

    amplitude: NDArray[np.float32]
    phase: NDArray[np.float32]
    coherence: NDArray[np.float32]
    is_data: NDArray[np.bool_]
    grid: RadarGrid | MapGrid
