"""Plane polygons: clipping to a box, area, and points along the edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ring_area(ring: NDArray[np.float64]) -> float:
    """Area of a simple ring of shape (n, 2), closed or not; 0 below three vertices."""
    x, y = (ring - ring[:1]).T
    return 0.5 * abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))))


def clip_to_box(
    ring: NDArray[np.float64], *, west: float, south: float, east: float, north: float
) -> NDArray[np.float64]:
    """Clip a ring to a box.

    A ring that is not convex may leave the box and come back: its parts then hang together by
    edges along the border, which enclose nothing, so that the area is right.

    Parameters
    ----------
    ring : ndarray of float64, shape (n, 2)
        Vertices (x, y) of a simple polygon in any order of rotation; the last edge leads back to
        the first vertex.
    west, south, east, north : float
        Borders of the box in the units of the ring; they may be infinite.

    Returns
    -------
    ndarray of float64, shape (m, 2)
        What lies in the box, border included; m = 0 where nothing does.

    References
    ----------
    Sutherland, I. E. and Hodgman, G. W. (1974), Reentrant polygon clipping, Communications of the
    ACM 17(1), 32-42.
    """
    ring = _half_plane(ring, ring[:, 0] - west)
    ring = _half_plane(ring, east - ring[:, 0])
    ring = _half_plane(ring, ring[:, 1] - south)
    return _half_plane(ring, north - ring[:, 1])


def _half_plane(ring: NDArray[np.float64], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep what has a distance of at least 0 from a line."""
    inside = distance >= 0.0
    if inside.all():
        return ring
    following = np.roll(distance, -1)
    crossing = np.flatnonzero(inside != np.roll(inside, -1))
    share = distance[crossing] / (distance[crossing] - following[crossing])
    step = np.roll(ring, -1, axis=0)[crossing] - ring[crossing]
    kept = np.flatnonzero(inside)
    order = np.argsort(np.concatenate([2 * kept, 2 * crossing + 1]))
    return np.concatenate([ring[kept], ring[crossing] + share[:, None] * step])[order]


def subdivided(ring: NDArray[np.float64], parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Put points at even distances along the edges of a ring.

    Parameters
    ----------
    ring : ndarray of float64, shape (n, d)
        Vertices; the last edge leads back to the first vertex.
    parts : ndarray of int64, shape (n,)
        How many parts the edge that begins at each vertex is cut into, at least 1.

    Returns
    -------
    ndarray of float64, shape (sum of parts, d)
        The vertices with the points between them.
    """
    edge = np.repeat(np.arange(len(ring)), parts)
    place = np.arange(len(edge)) - (np.cumsum(parts) - parts)[edge]
    step = np.roll(ring, -1, axis=0) - ring
    return ring[edge] + (place / parts[edge])[:, None] * step[edge]
