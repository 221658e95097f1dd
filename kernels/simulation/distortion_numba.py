"""Layover and shadow of whole lines, by marching over the terrain."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.locate_numba import (
    Terrain,
    Vector,
    geodetic,
    orbit_position,
    orbit_velocity,
    sight_frame,
    terrain_height,
)
from kernels.simulation.mapping_numba import pixel_time
from kernels.simulation.view import View

LAYOVER = 1
SHADOW = 2

_ANGLE = 1e-10
_STEPS_PER_POST = 8.0
_FINE_STEPS = 8
_STEEP = 0.2
"""Growth of the range per step, over that on level ground, below which steps are made finer."""
_FOLD_MARGIN = 0.3
"""Range around the end of a fold that counts as layover [m]: fine steps find the end so well."""
_HEIGHT = 1e-2
"""Tolerance of the terrain's height under a step [m]."""
_BLOCK = 64
"""Steps that share a zero-Doppler plane: it turns by 2 cm on them with the bistatic term."""


class Plane(NamedTuple):
    """A zero-Doppler plane: the platform, unit vectors towards the Earth and to the right.

    `depth` is how far below the platform the foot of the Earth's centre lies [m].
    """

    platform: Vector
    down: Vector
    right: Vector
    depth: float


class March(NamedTuple):
    """Angles about the foot of the Earth's centre that a line's ranges are seen at [rad]."""

    start: float
    step: float
    steps: int


@njit(cache=True, nogil=True)
def _plane(view: View, line: float, slant_range: float) -> Plane:
    """Zero-Doppler plane of a line at a slant range."""
    time = pixel_time(view, line, slant_range)
    platform = orbit_position(view.orbit, time)
    down, right = sight_frame(platform, orbit_velocity(view.orbit, time))
    depth = -(platform[0] * down[0] + platform[1] * down[1] + platform[2] * down[2])
    return Plane(platform, down, right, depth)


@njit(cache=True, nogil=True)
def _central_angle(depth: float, radius: float, slant_range: float) -> float:
    cosine = (depth**2 + radius**2 - slant_range**2) / (2.0 * depth * radius)
    return math.acos(min(max(cosine, -1.0), 1.0))


@njit(cache=True, nogil=True)
def _march(terrain: Terrain, plane: Plane, near: float, far: float) -> March:
    """Plan the steps of a line; mountains nearer than it throw shadows into it."""
    below = geodetic(plane.platform[0], plane.platform[1], plane.platform[2])
    square = plane.platform[0] ** 2 + plane.platform[1] ** 2 + plane.platform[2] ** 2
    earth = math.sqrt(square) - below[2]
    relief = terrain.highest - terrain.lowest
    start = _central_angle(plane.depth, earth + terrain.lowest, near) - 3.0 * relief / earth
    stop = _central_angle(plane.depth, earth + terrain.highest, far) + 200.0 / earth
    step = abs(terrain.latitude_step) * 110_900.0 / _STEPS_PER_POST / earth
    return March(start, step, int((stop - start) / step) + 2)


@njit(cache=True, nogil=True)
def _surface(
    terrain: Terrain, plane: Plane, angle: float, radius: float
) -> tuple[float, float, float]:
    """Radius of the terrain at an angle, its slant range [m] and the look angle to it."""
    s, c = math.sin(angle), math.cos(angle)
    for _ in range(20):
        inwards, across = plane.depth - radius * c, radius * s
        lon, lat, height = geodetic(
            plane.platform[0] + inwards * plane.down[0] + across * plane.right[0],
            plane.platform[1] + inwards * plane.down[1] + across * plane.right[1],
            plane.platform[2] + inwards * plane.down[2] + across * plane.right[2],
        )
        miss = terrain_height(terrain, lon, lat) - height
        radius += miss
        if abs(miss) < _HEIGHT:
            break
    inwards, across = plane.depth - radius * c, radius * s
    return radius, math.hypot(inwards, across), math.atan2(across, inwards)


@njit(cache=True, nogil=True)
def _profile(view: View, terrain: Terrain, line: float, march: March) -> NDArray[np.float64]:
    """March along a line in equal steps.

    Returns
    -------
    ndarray of float64, shape (4, steps)
        Radius [m], slant range [m], look angle [rad], and 1 at steps on or beside foreshortened
        ground.
    """
    found = np.zeros((4, march.steps))
    plane = _plane(view, line, view.first_range)
    radius = plane.depth
    for k in range(march.steps):
        if k > 0 and k % _BLOCK == 0:
            plane = _plane(view, line, found[1, k - 1])
        angle = march.start + k * march.step
        found[0, k], found[1, k], found[2, k] = _surface(terrain, plane, angle, radius)
        growth = found[0, k] - found[0, k - 1] if k > 1 else 0.0
        radius = found[0, k] + growth
        level = plane.depth * found[0, k] * math.sin(angle) / found[1, k] * march.step
        if k > 0 and found[1, k] - found[1, k - 1] < _STEEP * level:
            found[3, max(k - 1, 0) : k + 2] = 1.0
    return found


@njit(cache=True, nogil=True)
def _pixels(view: View, samples: int, low: float, high: float) -> tuple[int, int]:
    """First pixel at or beyond a range, and first one at or beyond another, within the line."""
    first = math.ceil((low - view.first_range) / view.range_spacing)
    last = math.ceil((high - view.first_range) / view.range_spacing)
    return min(max(first, 0), samples), min(max(last, 0), samples)


@njit(cache=True, nogil=True)
def mark_distortion(view: View, terrain: Terrain, first_line: int, mask: NDArray[np.uint8]) -> None:
    """Mark layover and shadow of some lines by marching over the terrain from near to far.

    Steps are an eighth of a post of the elevation model, finer where the ground is foreshortened.
    A pixel whose range belongs to more than one ground point of its zero-Doppler plane is in
    layover; a pixel with a ground point that lies behind a nearer one is in shadow.

    Parameters
    ----------
    view : View
        Of the burst.
    terrain : Terrain
        Of the scene.
    first_line : int
        Line of the burst that the mask begins at.
    mask : ndarray of uint8, shape (lines, samples)
        Filled with LAYOVER and SHADOW.
    """
    lines, samples = mask.shape
    far = view.first_range + (samples - 1) * view.range_spacing
    count = np.empty(samples, np.int32)
    for i in range(lines):
        line = first_line + i + view.misregistration
        plane = _plane(view, line, view.first_range)
        march = _march(terrain, plane, view.first_range, far)
        profile = _profile(view, terrain, line, march)
        count[:] = 0
        before, last_range, steepest = 0.0, profile[1, 0], -1.0
        for k in range(1, march.steps):
            if k % _BLOCK == 0:
                plane = _plane(view, line, profile[1, k - 1])
            parts = _FINE_STEPS if profile[3, k] else 1
            for part in range(1, parts + 1):
                distance, look = profile[1, k], profile[2, k]
                if part < parts:
                    angle = march.start + (k - 1 + part / parts) * march.step
                    _, distance, look = _surface(terrain, plane, angle, profile[0, k])
                low, high = min(last_range, distance), max(last_range, distance)
                first, last = _pixels(view, samples, low, high)
                for j in range(first, last):
                    count[j] += 1
                    if look < steepest - _ANGLE:
                        mask[i, j] |= SHADOW
                steepest = max(steepest, look)
                growth = distance - last_range
                if growth * before < 0.0:
                    first, last = _pixels(
                        view, samples, last_range - _FOLD_MARGIN, last_range + _FOLD_MARGIN
                    )
                    for j in range(first, last):
                        count[j] += 2
                before, last_range = growth, distance
        for j in range(samples):
            if count[j] > 1:
                mask[i, j] |= LAYOVER
