"""Elevation models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
