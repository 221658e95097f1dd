"""Solid earth tides: how sun and moon displace the ground.

Conventions of the International Earth Rotation Service 2010 (Petit and Luzum, IERS Technical
Note 36), chapter 7.1.1, as pyTMD computes them. Two dates differ by up to some decimetres, over
a frame of 250 km by some centimetres.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.geometry.ellipsoid import ecef_to_geodetic

_EPOCH = datetime(2000, 1, 1)


def tidal_displacement(points: NDArray[np.float64], instant: datetime) -> NDArray[np.float64]:
    """Displacement of the ground by solid earth tides, without the permanent tide.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Earth-fixed [m].
    instant : datetime
        UTC (naive).

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Earth-fixed [m].

    Raises
    ------
    RequestError
        The package pyTMD is not installed.
    """
    try:
        from pyTMD.compute import SET_displacements  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise RequestError(
            "tides", "off where the package pyTMD, of the extra tides, is not installed", "on"
        ) from error
    longitudes, latitudes, _ = ecef_to_geodetic(points)
    found = SET_displacements(
        np.degrees(longitudes),
        np.degrees(latitudes),
        np.full(longitudes.shape, (instant - _EPOCH).total_seconds()),
        epoch=(2000, 1, 1, 0, 0, 0),
        type="trajectory",
        variable=["X", "Y", "Z"],
    )
    return np.stack([np.asarray(found[axis], np.float64) for axis in "XYZ"], axis=-1)
