"""Footprints on the ground: rings of longitudes and latitudes, and boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.geometry.polygons import subdivided
from kernels.model import GeographicBox

_STEP = 0.1
"""Longest edge [degrees]; a parallel leaves it by 1.2 m at most (at 45 degrees)."""


def footprint_outline(footprint: NDArray[np.float64] | GeographicBox) -> NDArray[np.float64]:
    """Ring around a footprint with edges short enough for any projection.

    Parameters
    ----------
    footprint : ndarray of float64, shape (n, 2), or GeographicBox
        Longitudes and latitudes [degrees] of a simple ring in any order of rotation, closed or
        not, whose edges are the shortest lines on the ground; it may cross the antimeridian and
        holds no pole. Or a box, whose edges are parallels and meridians.

    Returns
    -------
    ndarray of float64, shape (m, 2)
        Longitude and latitude [degrees]; longitudes are continuous, so some may lie beyond 180.

    Raises
    ------
    RequestError
        If the footprint is neither.
    """
    if isinstance(footprint, GeographicBox):
        west, south, east, north = footprint
        if not (-90.0 <= south < north <= 90.0 and west < east <= west + 360.0):
            rule = "a box of west below east, south below north, within 90 and 360 degrees"
            raise RequestError("footprint", rule, tuple(footprint))
        corners = [[west, south], [east, south], [east, north], [west, north]]
        return with_short_edges(np.array(corners), _STEP)
    ring = np.asarray(footprint, dtype=np.float64)
    if ring.ndim != 2 or ring.shape[0] < 3 or ring.shape[1] != 2:
        raise RequestError("footprint", "3 or more pairs of longitude and latitude", ring.shape)
    usable = np.isfinite(ring[:, 0]) & (np.abs(ring[:, 1]) <= 90.0)
    if not usable.all():
        rule = "finite, with latitudes from -90 to 90"
        raise RequestError("footprint", rule, ring[~usable][0].tolist())
    return _along_great_circles(ring)


def _along_great_circles(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut the edges of a ring short, and make its longitudes continuous.

    The circles are those of the verticals, which stay within metres of the geodesics for edges as
    long as a scene.
    """
    verticals = _verticals(ring)
    chords = np.linalg.norm(np.roll(verticals, -1, axis=0) - verticals, axis=1)
    parts = np.maximum(np.ceil(np.degrees(chords) / _STEP), 1.0).astype(np.int64)
    x, y, z = subdivided(verticals, parts).T
    longitude = np.unwrap(np.degrees(np.arctan2(y, x)), period=360.0)
    if abs(longitude[-1] - longitude[0]) > 180.0:
        raise RequestError("footprint", "a ring that holds no pole", "one around it")
    return np.column_stack([longitude, np.degrees(np.arctan2(z, np.hypot(x, y)))])


def may_touch(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Tell quickly whether two footprints may have ground in common.

    Parameters
    ----------
    one, other : ndarray of float64, shape (n, 2)
        Longitudes and latitudes [degrees] of rings whose edges are the shortest lines on the
        ground, smaller than a hemisphere.

    Returns
    -------
    bool
        False where the smallest circles around their mean directions that hold all of their
        vertices, and with them their edges, do not meet.
    """
    (first, reach), (second, other_reach) = _circle(one), _circle(other)
    return float(np.arccos(np.clip(first @ second, -1.0, 1.0))) <= reach + other_reach


def _circle(ring: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Find the direction of the middle of a ring, and the largest angle to a vertex [rad]."""
    vertices = _verticals(ring)
    middle = vertices.mean(axis=0)
    middle /= np.linalg.norm(middle)
    return middle, float(np.arccos(np.clip(vertices @ middle, -1.0, 1.0)).max())


def _verticals(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit vectors of the verticals at longitudes and latitudes [degrees]."""
    longitude, latitude = np.radians(ring).T
    return np.column_stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ]
    )


def with_short_edges(ring: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Cut edges that are straight in longitude and latitude to at most a step [degrees]."""
    length = np.abs(np.roll(ring, -1, axis=0) - ring).max(axis=1)
    return subdivided(ring, np.maximum(np.ceil(length / step), 1.0).astype(np.int64))
