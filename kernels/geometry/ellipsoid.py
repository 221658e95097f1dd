"""The WGS84 ellipsoid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SEMI_MAJOR_AXIS = 6_378_137.0
FLATTENING = 1.0 / 298.257_223_563
SEMI_MINOR_AXIS = SEMI_MAJOR_AXIS * (1.0 - FLATTENING)
ECCENTRICITY_2 = FLATTENING * (2.0 - FLATTENING)
_SECOND_ECCENTRICITY_2 = ECCENTRICITY_2 / (1.0 - ECCENTRICITY_2)


def geodetic_to_ecef(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64], heights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Earth-fixed coordinates of geodetic positions.

    Parameters
    ----------
    longitudes, latitudes : ndarray of float64
        [rad], of one shape (or shapes that broadcast).
    heights : ndarray of float64
        Above the ellipsoid [m].

    Returns
    -------
    ndarray of float64, shape (..., 3)
        X, Y, Z [m].
    """
    sine, cosine = np.sin(latitudes), np.cos(latitudes)
    normal = SEMI_MAJOR_AXIS / np.sqrt(1.0 - ECCENTRICITY_2 * sine * sine)
    return np.stack(
        [
            (normal + heights) * cosine * np.cos(longitudes),
            (normal + heights) * cosine * np.sin(longitudes),
            (normal * (1.0 - ECCENTRICITY_2) + heights) * sine,
        ],
        axis=-1,
    )


def ecef_to_geodetic(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Geodetic positions of Earth-fixed coordinates.

    Bowring's formula with one more step on the reduced latitude: below 1e-9 m from the centre
    of the Earth's crust to low orbits (B. R. Bowring, Survey Review 28 (1985) 202-206).

    Parameters
    ----------
    points : ndarray of float64, shape (..., 3)
        X, Y, Z [m].

    Returns
    -------
    longitudes, latitudes : ndarray of float64, shape (...)
        [rad].
    heights : ndarray of float64, shape (...)
        Above the ellipsoid [m].
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    axis_distance = np.hypot(x, y)
    reduced = np.arctan2(z * SEMI_MAJOR_AXIS, axis_distance * SEMI_MINOR_AXIS)
    for _ in range(2):
        latitudes = np.arctan2(
            z + _SECOND_ECCENTRICITY_2 * SEMI_MINOR_AXIS * np.sin(reduced) ** 3,
            axis_distance - ECCENTRICITY_2 * SEMI_MAJOR_AXIS * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2(
            SEMI_MINOR_AXIS * np.sin(latitudes), SEMI_MAJOR_AXIS * np.cos(latitudes)
        )
    sine, cosine = np.sin(latitudes), np.cos(latitudes)
    heights = (
        axis_distance * cosine
        + z * sine
        - SEMI_MAJOR_AXIS * np.sqrt(1.0 - ECCENTRICITY_2 * sine * sine)
    )
    return np.arctan2(y, x), latitudes, heights


def east_north_up(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Local unit vectors.

    Parameters
    ----------
    longitudes, latitudes : ndarray of float64
        [rad].

    Returns
    -------
    ndarray of float64, shape (..., 3, 3)
        Rows east, north, up in Earth-fixed axes.
    """
    sin_lon, cos_lon = np.sin(longitudes), np.cos(longitudes)
    sin_lat, cos_lat = np.sin(latitudes), np.cos(latitudes)
    zero = np.zeros_like(sin_lon)
    east = np.stack([-sin_lon, cos_lon, zero], axis=-1)
    north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1)
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
    return np.stack([east, north, up], axis=-2)
