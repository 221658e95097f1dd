"""Compiled loops of zero-Doppler geometry; arrays only, checked in `zero_doppler`.

All are single-threaded and release the interpreter lock.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.geometry.ellipsoid import ECCENTRICITY_2, SEMI_MAJOR_AXIS

_COMPILE = {"nogil": True, "cache": True, "fastmath": {"contract", "arcp", "nsz"}}
_STEPS = 3
_FORWARD_STEPS = 12


@numba.njit(inline="always", **_COMPILE)
def _state(
    position: NDArray[np.float64], velocity: NDArray[np.float64], scale: float, u: float
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Position, velocity and acceleration by Horner's rule on three axes at once."""
    last = position.shape[0] - 1
    px, py, pz = position[last, 0], position[last, 1], position[last, 2]
    vx, vy, vz = velocity[last, 0], velocity[last, 1], velocity[last, 2]
    ax = ay = az = 0.0
    for k in range(last - 1, -1, -1):
        ax, ay, az = ax * u + vx, ay * u + vy, az * u + vz
        vx, vy, vz = vx * u + velocity[k, 0], vy * u + velocity[k, 1], vz * u + velocity[k, 2]
        px, py, pz = px * u + position[k, 0], py * u + position[k, 1], pz * u + position[k, 2]
    return px, py, pz, vx, vy, vz, ax / scale, ay / scale, az / scale


@numba.njit(inline="always", **_COMPILE)
def _closest(
    position: NDArray[np.float64],
    velocity: NDArray[np.float64],
    scale: float,
    middle: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
) -> tuple[float, float]:
    """Scaled time and slant range of zero Doppler for one point.

    Newton on f = (P - S) . V with f' = -V . V + (P - S) . A, from mid-orbit; each step squares
    the error (13 s, 1e-3 s, 1e-9 s, nothing).
    """
    dx, dy, dz = x - middle[0], y - middle[1], z - middle[2]
    f = dx * middle[3] + dy * middle[4] + dz * middle[5]
    slope = middle[9] - (dx * middle[6] + dy * middle[7] + dz * middle[8])
    step = f / slope
    u = step / scale
    square = 0.0
    for _ in range(_STEPS):
        px, py, pz, vx, vy, vz, ax, ay, az = _state(position, velocity, scale, u)
        dx, dy, dz = x - px, y - py, z - pz
        f = dx * vx + dy * vy + dz * vz
        slope = vx * vx + vy * vy + vz * vz - (dx * ax + dy * ay + dz * az)
        step = f / slope
        u += step / scale
        # the range is stationary here: second-order correction of the last step
        square = dx * dx + dy * dy + dz * dz - step * f
        if abs(step) < 1e-6:
            break
    return u, math.sqrt(square)


@numba.njit(**_COMPILE)
def middle_state(
    position: NDArray[np.float64], velocity: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """Position, velocity, acceleration and squared speed at the centre of an orbit, shape (10,)."""
    out = np.empty(10)
    px, py, pz, vx, vy, vz, ax, ay, az = _state(position, velocity, scale, 0.0)
    out[0], out[1], out[2] = px, py, pz
    out[3], out[4], out[5] = vx, vy, vz
    out[6], out[7], out[8] = ax, ay, az
    out[9] = vx * vx + vy * vy + vz * vz
    return out


@numba.njit(**_COMPILE)
def ground_to_radar(
    position: NDArray[np.float64],
    velocity: NDArray[np.float64],
    centre: float,
    scale: float,
    points: NDArray[np.float64],
    times: NDArray[np.float64],
    ranges: NDArray[np.float64],
) -> None:
    """Zero-Doppler time and slant range of points, shape (n, 3), into two arrays of shape (n,)."""
    middle = middle_state(position, velocity, scale)
    for i in range(points.shape[0]):
        u, slant_range = _closest(
            position, velocity, scale, middle, points[i, 0], points[i, 1], points[i, 2]
        )
        times[i] = centre + scale * u
        ranges[i] = slant_range


@numba.njit(inline="always", **_COMPILE)
def _height_and_up(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Height above the ellipsoid and its gradient (the upward normal), Bowring's formula."""
    minor = SEMI_MAJOR_AXIS * math.sqrt(1.0 - ECCENTRICITY_2)
    second = ECCENTRICITY_2 / (1.0 - ECCENTRICITY_2)
    p = math.sqrt(x * x + y * y)
    u = math.atan2(z * SEMI_MAJOR_AXIS, p * minor)
    sin_u, cos_u = math.sin(u), math.cos(u)
    top = z + second * minor * sin_u * sin_u * sin_u
    side = p - ECCENTRICITY_2 * SEMI_MAJOR_AXIS * cos_u * cos_u * cos_u
    length = math.sqrt(top * top + side * side)
    sin_lat, cos_lat = top / length, side / length
    height = (
        p * cos_lat
        + z * sin_lat
        - SEMI_MAJOR_AXIS * math.sqrt(1.0 - ECCENTRICITY_2 * sin_lat * sin_lat)
    )
    return height, cos_lat * x / p, cos_lat * y / p, sin_lat


@numba.njit(**_COMPILE)
def radar_to_ground(
    position: NDArray[np.float64],
    velocity: NDArray[np.float64],
    centre: float,
    scale: float,
    side: float,
    times: NDArray[np.float64],
    ranges: NDArray[np.float64],
    heights: NDArray[np.float64],
    points: NDArray[np.float64],
) -> None:
    """Point of given height on the circle of zero Doppler and slant range, into shape (n, 3).

    Newton over the look angle around the velocity: P = S + R (cos a down + sin a side), both
    unit vectors normal to V. NaN where the circle does not reach the height.
    """
    for i in range(times.shape[0]):
        u = (times[i] - centre) / scale
        px, py, pz, vx, vy, vz, _, _, _ = _state(position, velocity, scale, u)
        speed = math.sqrt(vx * vx + vy * vy + vz * vz)
        vx, vy, vz = vx / speed, vy / speed, vz / speed
        along = px * vx + py * vy + pz * vz
        dx, dy, dz = along * vx - px, along * vy - py, along * vz - pz
        length = math.sqrt(dx * dx + dy * dy + dz * dz)
        dx, dy, dz = dx / length, dy / length, dz / length
        sx, sy, sz = vy * dz - vz * dy, vz * dx - vx * dz, vx * dy - vy * dx
        sx, sy, sz = -side * sx, -side * sy, -side * sz
        slant, target = ranges[i], heights[i]
        # start on a sphere through the sub-satellite point
        top, _, _, _ = _height_and_up(px, py, pz)
        orbit_radius = math.sqrt(px * px + py * py + pz * pz)
        ground = orbit_radius - top + target
        cosine = (slant * slant + orbit_radius * orbit_radius - ground * ground) / (
            2.0 * slant * orbit_radius
        )
        angle = math.acos(min(max(cosine, -1.0), 1.0))
        error = 1.0
        for _ in range(_FORWARD_STEPS):
            ca, sa = math.cos(angle), math.sin(angle)
            x = px + slant * (ca * dx + sa * sx)
            y = py + slant * (ca * dy + sa * sy)
            z = pz + slant * (ca * dz + sa * sz)
            height, ux, uy, uz = _height_and_up(x, y, z)
            slope = slant * (
                ux * (ca * sx - sa * dx) + uy * (ca * sy - sa * dy) + uz * (ca * sz - sa * dz)
            )
            error = target - height
            if abs(error) < 1e-6:
                break
            angle += error / slope
        if abs(error) < 1e-3:
            points[i, 0], points[i, 1], points[i, 2] = x, y, z
        else:
            points[i, 0] = points[i, 1] = points[i, 2] = np.nan
