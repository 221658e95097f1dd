"""True coordinates of ground points, and layover and shadow by marching over the terrain."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.locate_numba import (
    Terrain,
    Vector,
    find_ground,
    first_sight,
    geodetic,
    orbit_position,
    orbit_velocity,
    sight_frame,
    terrain_height,
)
from kernels.simulation.mapping_numba import pixel_time, see_point, view_line
from kernels.simulation.view import View

LAYOVER = 1
SHADOW = 2

_HEIGHT = 1e-8
_TIME = 1e-13
_ANGLE = 1e-10
_STEPS_PER_POST = 8.0


@njit(cache=True, nogil=True)
def ground_truth(
    view: View, terrain: Terrain, lines: NDArray[np.int64], samples: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Ground points under pixels of the reference, solved to 1e-8 m.

    Returns
    -------
    ndarray of float64, shape (7, lines, samples)
        Longitude, latitude [degrees], height [m], ECEF x, y, z [m], change of the range [m].
    """
    found = np.empty((7, lines.size, samples.size))
    for i in range(lines.size):
        near = view.first_range + samples[0] * view.range_spacing
        sight = first_sight(view.orbit, terrain, pixel_time(view, lines[i], near), near)
        for j in range(samples.size):
            slant_range = view.first_range + samples[j] * view.range_spacing
            time = pixel_time(view, lines[i], slant_range)
            for _ in range(2):
                sight = find_ground(
                    view.orbit, terrain, view.motion, time, slant_range, sight, _HEIGHT
                )
            found[0, i, j], found[1, i, j], found[2, i, j] = geodetic(sight.x, sight.y, sight.z)
            found[3, i, j], found[4, i, j], found[5, i, j] = sight.x, sight.y, sight.z
            found[6, i, j] = sight.change
    return found


@njit(cache=True, nogil=True)
def image_truth(view: View, ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where an image sees ground points.

    Parameters
    ----------
    view : View
        Of the burst of the image.
    ground : ndarray of float64, shape (7, lines, samples)
        From ground_truth.

    Returns
    -------
    ndarray of float64, shape (5, lines, samples)
        Zero-Doppler time [s on the view's clock], geometric slant range [m], line and sample
        without misregistration, change of the range [m].
    """
    found = np.empty((5, ground.shape[1], ground.shape[2]))
    seed = view.orbit.middle
    for i in range(ground.shape[1]):
        for j in range(ground.shape[2]):
            point = (ground[3, i, j], ground[4, i, j], ground[5, i, j])
            seed, distance, change = see_point(view, point, ground[2, i, j], seed, _TIME)
            found[0, i, j], found[1, i, j], found[4, i, j] = seed, distance, change
            found[2, i, j] = view_line(view, seed, distance)
            found[3, i, j] = (distance - view.first_range) / view.range_spacing
    return found


@njit(cache=True, nogil=True)
def _central_angle(platform: float, radius: float, slant_range: float) -> float:
    cosine = (platform**2 + radius**2 - slant_range**2) / (2.0 * platform * radius)
    return math.acos(min(max(cosine, -1.0), 1.0))


@njit(cache=True, nogil=True)
def _march(
    terrain: Terrain, platform: Vector, centre_distance: float, near: float, far: float
) -> tuple[float, float, float]:
    """First and last angle at the Earth's centre, and the step, to see all of a line's ranges.

    It begins nearer than the first range, for mountains there throw shadows into the image.
    """
    below = geodetic(platform[0], platform[1], platform[2])
    earth = math.sqrt(platform[0] ** 2 + platform[1] ** 2 + platform[2] ** 2) - below[2]
    relief = terrain.highest - terrain.lowest
    start = _central_angle(centre_distance, earth + terrain.lowest, near) - 3.0 * relief / earth
    stop = _central_angle(centre_distance, earth + terrain.highest, far) + 200.0 / earth
    post = abs(terrain.latitude_step) * 110_900.0
    return start, stop, post / _STEPS_PER_POST / earth


@njit(cache=True, nogil=True)
def _surface_radius(
    terrain: Terrain,
    platform: Vector,
    down: Vector,
    right: Vector,
    centre_distance: float,
    angle: float,
    radius: float,
) -> float:
    """Radius of the terrain at an angle, in polar coordinates of the zero-Doppler plane.

    Their origin is the foot of the Earth's centre in that plane, `centre_distance` from the
    platform.
    """
    s, c = math.sin(angle), math.cos(angle)
    for _ in range(20):
        inwards, across = centre_distance - radius * c, radius * s
        lon, lat, height = geodetic(
            platform[0] + inwards * down[0] + across * right[0],
            platform[1] + inwards * down[1] + across * right[1],
            platform[2] + inwards * down[2] + across * right[2],
        )
        miss = terrain_height(terrain, lon, lat) - height
        radius += miss
        if abs(miss) < 1e-3:
            break
    return radius


@njit(cache=True, nogil=True)
def mark_distortion(view: View, terrain: Terrain, first_line: int, mask: NDArray[np.uint8]) -> None:
    """Mark layover and shadow of some lines by marching over the terrain from near to far.

    Each step is an eighth of a post of the elevation model. A pixel whose range belongs to more
    than one ground point of its zero-Doppler plane is in layover, and so are its neighbours at
    the ends of a fold; a pixel with a ground point that lies behind a nearer one is in shadow.
    The plane is that of the line's middle range.

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
    near = view.first_range
    far = near + (mask.shape[1] - 1) * view.range_spacing
    count = np.empty(mask.shape[1], np.int32)
    for i in range(mask.shape[0]):
        time = pixel_time(view, first_line + i + view.misregistration, 0.5 * (near + far))
        platform = orbit_position(view.orbit, time)
        down, right = sight_frame(platform, orbit_velocity(view.orbit, time))
        centre_distance = -(platform[0] * down[0] + platform[1] * down[1] + platform[2] * down[2])
        start, stop, step = _march(terrain, platform, centre_distance, near, far)
        radius, steepest, last_range = centre_distance, -1.0, 0.0
        count[:] = 0
        for k in range(int((stop - start) / step) + 2):
            angle = start + k * step
            radius = _surface_radius(terrain, platform, down, right, centre_distance, angle, radius)
            across, depth = radius * math.sin(angle), centre_distance - radius * math.cos(angle)
            look, distance = math.atan2(across, depth), math.hypot(across, depth)
            hidden = look < steepest - _ANGLE
            steepest = max(steepest, look)
            if k > 0:
                first = math.ceil((min(last_range, distance) - near) / view.range_spacing)
                last = math.ceil((max(last_range, distance) - near) / view.range_spacing)
                for j in range(max(first, 0), min(last, count.size)):
                    count[j] += 1
                    if hidden:
                        mask[i, j] |= SHADOW
            last_range = distance
        for j in range(count.size):
            if count[j] > 1:
                mask[i, j] |= LAYOVER
