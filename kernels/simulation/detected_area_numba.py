"""Illuminated area of the terrain by pixel: facets projected and cut at pixel borders.

Small 2011 (IEEE Trans. Geosci. Remote Sens. 49(8), 3081-3093): the area of terrain that a pixel
sees, projected on the plane perpendicular to the line of sight, by sums over facets.
Here every facet is a triangle of the bilinear surface, exactly divided among the pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.detected_numba import GroundView, image_point
from kernels.simulation.locate_numba import (
    Terrain,
    cartesian,
    orbit_position,
    terrain_height,
)

_CORNERS = 12
"""Room for a triangle cut by four lines."""

Polygon = NDArray[np.float64]


class Lattice(NamedTuple):
    """Vertices of the facets: whole fractions of the steps between the posts of the terrain."""

    first_row: int
    first_column: int
    rows: int
    columns: int
    latitude_step: float
    longitude_step: float


class Reflectivity(NamedTuple):
    """Gamma nought of the ground, and of what is at or below the height of the sea."""

    land: float
    sea: float
    sea_height: float


@njit(cache=True, nogil=True)
def add_facets(
    view: GroundView,
    terrain: Terrain,
    lattice: Lattice,
    reflectivity: Reflectivity,
    first_line: int,
    total: NDArray[np.float64],
) -> None:
    """Add gamma nought times projected area [m2] of all facets to the pixels of some lines.

    Facets that face away from the radar are dark; shadow that one slope casts upon another is
    not told apart.
    """
    upper = np.empty((lattice.columns, 9))
    lower = np.empty((lattice.columns, 9))
    work = np.empty((4, _CORNERS, 2))
    _vertices(view, terrain, lattice, 0, upper)
    for i in range(1, lattice.rows):
        _vertices(view, terrain, lattice, i, lower)
        for j in range(lattice.columns - 1):
            a, b, c, d = upper[j], upper[j + 1], lower[j], lower[j + 1]
            _add_triangle(a, c, b, reflectivity, first_line, total, work)
            _add_triangle(b, c, d, reflectivity, first_line, total, work)
        upper, lower = lower, upper


@njit(cache=True, nogil=True)
def _vertices(view: GroundView, terrain: Terrain, lattice: Lattice, row: int, out: Polygon) -> None:
    """Fill a row: ECEF, unit vector to the radar, line, pixel, height."""
    latitude = terrain.north + (lattice.first_row + row) * lattice.latitude_step
    seed = view.orbit.middle
    for j in range(lattice.columns):
        longitude = terrain.west + (lattice.first_column + j) * lattice.longitude_step
        height = terrain_height(terrain, longitude, latitude)
        point = cartesian(longitude, latitude, height)
        seen = image_point(view, point, seed)
        seed = seen.time
        radar = orbit_position(view.orbit, seen.time)
        for k in range(3):
            out[j, k] = point[k]
            out[j, 3 + k] = (radar[k] - point[k]) / seen.slant_range
        out[j, 6], out[j, 7], out[j, 8] = seen.line, seen.pixel, height


@njit(cache=True, nogil=True)
def _add_triangle(
    a: Polygon,
    b: Polygon,
    c: Polygon,
    reflectivity: Reflectivity,
    first_line: int,
    total: Polygon,
    work: Polygon,
) -> None:
    """Divide the brightness of one triangle, whose corners go round anticlockwise from above."""
    lines, samples = total.shape
    last_line = first_line + lines - 1
    top, bottom = _pixels_between(min(a[6], b[6], c[6]), max(a[6], b[6], c[6]))
    left, right = _pixels_between(min(a[7], b[7], c[7]), max(a[7], b[7], c[7]))
    if bottom < first_line or top > last_line or right < 0 or left >= samples:
        return
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    projected = 0.0
    projected += (uy * vz - uz * vy) * (a[3] + b[3] + c[3])
    projected += (uz * vx - ux * vz) * (a[4] + b[4] + c[4])
    projected += (ux * vy - uy * vx) * (a[5] + b[5] + c[5])
    projected /= 6.0
    if projected <= 0.0:
        return
    height = (a[8] + b[8] + c[8]) / 3.0
    gamma = reflectivity.sea if height <= reflectivity.sea_height else reflectivity.land
    brightness = gamma * projected
    size = abs((b[6] - a[6]) * (c[7] - a[7]) - (b[7] - a[7]) * (c[6] - a[6])) / 2.0
    if (top == bottom and left == right) or size < 1e-9:
        i, j = (top + bottom) // 2, (left + right) // 2
        if first_line <= i <= last_line and 0 <= j < samples:
            total[i - first_line, j] += brightness
        return
    triangle, strip, half, cell = work[0], work[1], work[2], work[3]
    triangle[0, 0], triangle[0, 1] = a[6], a[7]
    triangle[1, 0], triangle[1, 1] = b[6], b[7]
    triangle[2, 0], triangle[2, 1] = c[6], c[7]
    for i in range(max(top, first_line), min(bottom, last_line) + 1):
        n = _cut(triangle, 3, half, 0, i - 0.5, 1.0)
        rows = _cut(half, n, strip, 0, i + 0.5, -1.0)
        if rows < 3:
            continue
        for j in range(max(left, 0), min(right, samples - 1) + 1):
            n = _cut(strip, rows, half, 1, j - 0.5, 1.0)
            n = _cut(half, n, cell, 1, j + 0.5, -1.0)
            if n > 2:
                total[i - first_line, j] += brightness * _area(cell, n) / size


@njit(cache=True, nogil=True)
def _pixels_between(low: float, high: float) -> tuple[int, int]:
    """First and last pixel that an interval touches; pixel k reaches from k - 0.5 to k + 0.5."""
    return math.floor(low + 0.5), math.floor(high + 0.5)


@njit(cache=True, nogil=True)
def _cut(polygon: Polygon, n: int, out: Polygon, axis: int, border: float, side: float) -> int:
    """Keep what lies beyond a border (side 1) or before it (side -1); Sutherland, Hodgman 1974."""
    kept = 0
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        before, after = side * (polygon[k, axis] - border), side * (polygon[m, axis] - border)
        if before >= 0.0:
            out[kept, 0], out[kept, 1] = polygon[k, 0], polygon[k, 1]
            kept += 1
        if (before >= 0.0) != (after >= 0.0):
            share = before / (before - after)
            out[kept, 0] = polygon[k, 0] + share * (polygon[m, 0] - polygon[k, 0])
            out[kept, 1] = polygon[k, 1] + share * (polygon[m, 1] - polygon[k, 1])
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _area(polygon: Polygon, n: int) -> float:
    """Area of a polygon, positive."""
    twice = 0.0
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        twice += polygon[k, 0] * polygon[m, 1] - polygon[k, 1] * polygon[m, 0]
    return abs(twice) / 2.0
