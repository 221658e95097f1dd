"""Range-Doppler geometry on an elevation model, point by point, by safeguarded iteration.

Slower and simpler than the processor's, and written apart from it. Times count from the epoch
of the reference or of the image, as each argument says; angles of the ground are degrees.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.orbit import OrbitTable

SEMI_MAJOR_AXIS = 6_378_137.0
FLATTENING = 1.0 / 298.257_223_563

_A = SEMI_MAJOR_AXIS
_B = _A * (1.0 - FLATTENING)
_E2 = FLATTENING * (2.0 - FLATTENING)
_EP2 = _E2 / (1.0 - _E2)
_DEGREE = 180.0 / math.pi

Vector = tuple[float, float, float]


class Terrain(NamedTuple):
    """Heights [m] above the ellipsoid, bilinear between posts, constant beyond the edges."""

    heights: NDArray[np.float32]
    west: float
    north: float
    longitude_step: float
    latitude_step: float
    lowest: float
    highest: float


class Motion(NamedTuple):
    """What lengthens the range: rows of (origin, east, north as ECEF vectors; parameters).

    Mogi rows end with depth [m] and strength (1 - nu) dV / pi [m3]; ramp rows with an offset
    [m], the gradients to the east and north [m/m] and per height [m/m].
    """

    mogi: NDArray[np.float64]
    ramps: NDArray[np.float64]


class Sight(NamedTuple):
    """A ground point under a pixel, and what helps to find the next one.

    Angle at the platform from the nadir, its growth since the pixel before [rad], growth of the
    height above the terrain per angle [m], lengthening of the range [m], ECEF [m], longitude,
    latitude [degrees] and height [m].
    """

    look: float
    advance: float
    slope: float
    change: float
    x: float
    y: float
    z: float
    longitude: float
    latitude: float
    height: float


@njit(cache=True, nogil=True)
def orbit_position(orbit: OrbitTable, time: float) -> Vector:
    """Position of the platform [m]."""
    u = (time - orbit.middle) / orbit.span
    x, y, z = 0.0, 0.0, 0.0
    for k in range(orbit.position.shape[0]):
        x = x * u + orbit.position[k, 0]
        y = y * u + orbit.position[k, 1]
        z = z * u + orbit.position[k, 2]
    return x, y, z


@njit(cache=True, nogil=True)
def orbit_velocity(orbit: OrbitTable, time: float) -> Vector:
    """Velocity of the platform [m/s]."""
    u = (time - orbit.middle) / orbit.span
    x, y, z = 0.0, 0.0, 0.0
    for k in range(orbit.velocity.shape[0]):
        x = x * u + orbit.velocity[k, 0]
        y = y * u + orbit.velocity[k, 1]
        z = z * u + orbit.velocity[k, 2]
    return x, y, z


@njit(cache=True, nogil=True)
def cartesian(longitude: float, latitude: float, height: float) -> Vector:
    """ECEF [m] of longitude and latitude [degrees] and ellipsoidal height [m]."""
    sin_lat, cos_lat = math.sin(latitude / _DEGREE), math.cos(latitude / _DEGREE)
    n = _A / math.sqrt(1.0 - _E2 * sin_lat * sin_lat)
    across = (n + height) * cos_lat
    return (
        across * math.cos(longitude / _DEGREE),
        across * math.sin(longitude / _DEGREE),
        (n * (1.0 - _E2) + height) * sin_lat,
    )


@njit(cache=True, nogil=True)
def geodetic(x: float, y: float, z: float) -> Vector:
    """Longitude, latitude [degrees] and height [m] of ECEF; Bowring 1976, below 1 nm here."""
    p = math.sqrt(x * x + y * y)
    s, c = z * _A, p * _B
    norm = 1.0 / math.sqrt(s * s + c * c)
    s, c = s * norm, c * norm
    s, c = z + _EP2 * _B * s * s * s, p - _E2 * _A * c * c * c
    norm = 1.0 / math.sqrt(s * s + c * c)
    s, c = s * norm, c * norm
    height = p * c + z * s - _A * math.sqrt(1.0 - _E2 * s * s)
    return math.atan2(y, x) * _DEGREE, math.atan2(s, c) * _DEGREE, height


@njit(cache=True, nogil=True)
def terrain_height(terrain: Terrain, longitude: float, latitude: float) -> float:
    """Height [m] at a position [degrees]."""
    rows, columns = terrain.heights.shape
    if longitude < terrain.west - 180.0:
        longitude += 360.0
    column = (longitude - terrain.west) / terrain.longitude_step
    row = (latitude - terrain.north) / terrain.latitude_step
    column = min(max(column, 0.0), columns - 1.0)
    row = min(max(row, 0.0), rows - 1.0)
    j, i = min(int(column), columns - 2), min(int(row), rows - 2)
    u, v = column - j, row - i
    h = terrain.heights
    upper = h[i, j] * (1.0 - u) + h[i, j + 1] * u
    lower = h[i + 1, j] * (1.0 - u) + h[i + 1, j + 1] * u
    height: float = upper * (1.0 - v) + lower * v
    return height


@njit(cache=True, nogil=True)
def range_change(
    motion: Motion, point: Vector, height: float, platform: Vector, slant_range: float
) -> float:
    """Lengthening of the range [m] at a ground point: motion along the line of sight and air.

    Mogi 1958 in its vector form: u = C / (d^2 + r^2)^1.5 (east, north, d).
    """
    total = 0.0
    lx = (point[0] - platform[0]) / slant_range
    ly = (point[1] - platform[1]) / slant_range
    lz = (point[2] - platform[2]) / slant_range
    for k in range(motion.mogi.shape[0]):
        m = motion.mogi[k]
        dx, dy, dz = point[0] - m[0], point[1] - m[1], point[2] - m[2]
        east = dx * m[3] + dy * m[4] + dz * m[5]
        north = dx * m[6] + dy * m[7] + dz * m[8]
        ux = m[4] * m[8] - m[5] * m[7]
        uy = m[5] * m[6] - m[3] * m[8]
        uz = m[3] * m[7] - m[4] * m[6]
        r2 = m[9] * m[9] + east * east + north * north
        scale = m[10] / (r2 * math.sqrt(r2))
        total += scale * (
            lx * (east * m[3] + north * m[6] + m[9] * ux)
            + ly * (east * m[4] + north * m[7] + m[9] * uy)
            + lz * (east * m[5] + north * m[8] + m[9] * uz)
        )
    for k in range(motion.ramps.shape[0]):
        m = motion.ramps[k]
        dx, dy, dz = point[0] - m[0], point[1] - m[1], point[2] - m[2]
        east = dx * m[3] + dy * m[4] + dz * m[5]
        north = dx * m[6] + dy * m[7] + dz * m[8]
        total += m[9] + m[10] * east + m[11] * north + m[12] * height
    return total


@njit(cache=True, nogil=True)
def sight_frame(platform: Vector, velocity: Vector) -> tuple[Vector, Vector]:
    """Find unit vectors perpendicular to the velocity: towards the Earth, and to the right."""
    px, py, pz = platform
    vx, vy, vz = velocity
    share = (px * vx + py * vy + pz * vz) / (vx * vx + vy * vy + vz * vz)
    ax, ay, az = share * vx - px, share * vy - py, share * vz - pz
    norm = 1.0 / math.sqrt(ax * ax + ay * ay + az * az)
    ax, ay, az = ax * norm, ay * norm, az * norm
    norm = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx * norm, vy * norm, vz * norm
    # Right is forward x up, and up is minus a.
    return (ax, ay, az), (ay * vz - az * vy, az * vx - ax * vz, ax * vy - ay * vx)


@njit(cache=True, nogil=True)
def look_angle(platform: Vector, slant_range: float, radius: float) -> float:
    """Angle [rad] from the nadir to a sphere's surface at a slant range (law of cosines)."""
    p2 = platform[0] ** 2 + platform[1] ** 2 + platform[2] ** 2
    cosine = (p2 + slant_range**2 - radius**2) / (2.0 * math.sqrt(p2) * slant_range)
    return math.acos(min(max(cosine, -1.0), 1.0))


@njit(cache=True, nogil=True)
def first_sight(orbit: OrbitTable, terrain: Terrain, time: float, slant_range: float) -> Sight:
    """Rough ground point of the first pixel of a line, to start the iteration from."""
    platform = orbit_position(orbit, time)
    lon, lat, h = geodetic(platform[0], platform[1], platform[2])
    p = math.sqrt(platform[0] ** 2 + platform[1] ** 2 + platform[2] ** 2)
    height = min(max(0.0, terrain.lowest), terrain.highest)
    look = look_angle(platform, slant_range, p - h + height)
    # Only the length of the vector matters: the radius of the Earth hereabouts.
    return Sight(look, 0.0, slant_range * math.sin(look), 0.0, p - h, 0.0, 0.0, lon, lat, 0.0)


@njit(cache=True, nogil=True)
def find_ground(
    orbit: OrbitTable,
    terrain: Terrain,
    motion: Motion,
    time: float,
    slant_range: float,
    last: Sight,
    tolerance: float,
) -> Sight:
    """Ground point that is seen at a zero-Doppler time and slant range (right-looking).

    On the circle of the range in the zero-Doppler plane, the angle is sought at which the point
    lies on the terrain: secant steps kept inside a bracket, so that layover gives one of the
    points and never fails. The range of the point itself is `slant_range` less its own change.
    """
    platform = orbit_position(orbit, time)
    velocity = orbit_velocity(orbit, time)
    a, b = sight_frame(platform, velocity)
    look, slope, change = last.look + last.advance, last.slope, last.change
    low, high = 0.0, 0.5 * math.pi
    x, y, z, lon, lat, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    old_look, old_miss = 0.0, 0.0
    for step in range(60):
        reach = slant_range - change
        c, s = reach * math.cos(look), reach * math.sin(look)
        x = platform[0] + c * a[0] + s * b[0]
        y = platform[1] + c * a[1] + s * b[1]
        z = platform[2] + c * a[2] + s * b[2]
        lon, lat, h = geodetic(x, y, z)
        miss = h - terrain_height(terrain, lon, lat)
        if abs(miss) < tolerance:
            break
        if miss > 0.0:
            high = look
        else:
            low = look
        if step > 0 and look != old_look:
            secant = (miss - old_miss) / (look - old_look)
            slope = max(secant, 0.05 * slant_range)
        old_look, old_miss = look, miss
        look -= miss / slope
        if step == 3:
            # Rarely needed, so only now: all of the terrain lies between these angles.
            radius = math.sqrt(last.x**2 + last.y**2 + last.z**2) - last.height
            low = look_angle(platform, slant_range, radius + terrain.lowest - 400.0)
            high = look_angle(platform, slant_range, radius + terrain.highest + 400.0)
        if not low < look < high or step % 8 == 7:
            look = 0.5 * (low + high)
    if motion.mogi.shape[0] + motion.ramps.shape[0] > 0:
        for _ in range(2):
            reach = slant_range - change
            change = range_change(motion, (x, y, z), h, platform, reach)
            scale = (slant_range - change) / reach
            x = platform[0] + (x - platform[0]) * scale
            y = platform[1] + (y - platform[1]) * scale
            z = platform[2] + (z - platform[2]) * scale
    return Sight(look, look - last.look, slope, change, x, y, z, lon, lat, h)


@njit(cache=True, nogil=True)
def find_zero_doppler(
    orbit: OrbitTable, point: Vector, seed: float, tolerance: float
) -> tuple[float, float]:
    """Zero-Doppler time [s] and slant range [m] of a point: (P - S(t)) . V(t) = 0."""
    time = seed
    distance = 0.0
    for _ in range(20):
        s = orbit_position(orbit, time)
        v = orbit_velocity(orbit, time)
        dx, dy, dz = point[0] - s[0], point[1] - s[1], point[2] - s[2]
        acc = orbit.acceleration
        rate = dx * acc[0] + dy * acc[1] + dz * acc[2] - v[0] ** 2 - v[1] ** 2 - v[2] ** 2
        step = (dx * v[0] + dy * v[1] + dz * v[2]) / rate
        distance = math.sqrt(dx * dx + dy * dy + dz * dz)
        time -= step
        if abs(step) < tolerance:
            break
    return time, distance
