"""How the radar sees a point: incidence and line of sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.ellipsoid import east_north_up, ecef_to_geodetic
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar


def line_of_sight(orbit: Orbit, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the direction from ground points to the satellite.

    Parameters
    ----------
    orbit : Orbit
        Of the image.
    points : ndarray of float64, shape (..., 3)
        Earth-fixed [m].

    Returns
    -------
    ndarray of float64, shape (..., 3)
        Unit vectors with components east, north and up. A displacement's share towards the
        satellite is its scalar product with them.
    """
    times, ranges = ground_to_radar(orbit, points)
    direction = (orbit.position(times) - points) / ranges[..., None]
    longitudes, latitudes, _ = ecef_to_geodetic(points)
    local: NDArray[np.float64] = np.einsum(
        "...ij,...j->...i", east_north_up(longitudes, latitudes), direction
    )
    return local


def incidence_angle(orbit: Orbit, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle between the line of sight and the ellipsoid's normal [rad], shape (...)."""
    return np.arccos(np.clip(line_of_sight(orbit, points)[..., 2], -1.0, 1.0))
