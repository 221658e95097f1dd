"""Orbits of the simulation: made analytically, or read from state vectors as polynomials.

The simulation keeps its own geometry, apart from the one that it is used to test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.optimize import fsolve

from kernels.errors import OrbitError
from kernels.model import OrbitSource, StateVectors

EARTH_RATE = 7.2921158553e-5
"""Rotation of the Earth [rad/s] (IERS Conventions 2010, table 1.1)."""

_GRAVITY = 3.986004418e14
_NODES = 12
_REACH = 20.0
_DEGREE = 9


class OrbitTable(NamedTuple):
    """Polynomials of an orbit, highest order first, in ``u = (time - middle) / span``.

    Positions [m] and velocities [m/s] have shape (n, 3) and are fitted apart, because annotated
    velocities are not always the derivative of the annotated positions; the acceleration
    [m/s2], shape (3,), is the velocities' derivative in the middle and only steers iterations.
    """

    middle: float
    span: float
    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    acceleration: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircularOrbit:
    """A circular orbit about the rotating Earth, exact at any time.

    Attributes
    ----------
    radius : float
        Distance from the centre of the Earth [m].
    inclination : float
        [rad].
    argument : float
        Angle from the ascending node at time 0 [rad].
    node : float
        Longitude of the ascending node in the frame that is Earth-fixed at time 0 [rad].
    cross_track : float
        Constant shift along the normal of the orbit's plane [m].
    rate : float
        Of the argument [rad/s].
    """

    radius: float
    inclination: float
    argument: float
    node: float
    cross_track: float
    rate: float

    def state(self, time: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Earth-fixed positions [m] and velocities [m/s], shape (n, 3), at times [s]."""
        u = self.argument + self.rate * time
        turn = self.node - EARTH_RATE * time
        cos_i, sin_i = math.cos(self.inclination), math.sin(self.inclination)
        # In the plane of the node: x to the node, z along the axis of the Earth.
        along = np.stack([np.cos(u), np.sin(u) * cos_i, np.sin(u) * sin_i])
        ahead = np.stack([-np.sin(u), np.cos(u) * cos_i, np.cos(u) * sin_i])
        normal = np.array([0.0, -sin_i, cos_i])[:, None]
        still = self.radius * along + self.cross_track * normal
        drift = self.radius * self.rate * ahead
        drift[0] += EARTH_RATE * still[1]
        drift[1] -= EARTH_RATE * still[0]
        cos_t, sin_t = np.cos(turn), np.sin(turn)

        def turned(v: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.stack([cos_t * v[0] - sin_t * v[1], sin_t * v[0] + cos_t * v[1], v[2]], 1)

        return turned(still), turned(drift)

    def normal(self) -> NDArray[np.float64]:
        """Return the unit vector along the orbit's angular momentum at time 0, shape (3,)."""
        sin_i = math.sin(self.inclination)
        return np.array(
            [
                math.sin(self.node) * sin_i,
                -math.cos(self.node) * sin_i,
                math.cos(self.inclination),
            ]
        )

    def shifted(self, *, radial: float, cross_track: float) -> CircularOrbit:
        """Return the orbit moved outwards and along its normal [m] at the same rate."""
        return CircularOrbit(
            radius=self.radius + radial,
            inclination=self.inclination,
            argument=self.argument,
            node=self.node,
            cross_track=self.cross_track + cross_track,
            rate=self.rate,
        )


def orbit_over(
    point: NDArray[np.float64],
    slant_range: float,
    *,
    radius: float,
    inclination: float,
    ascending: bool,
) -> CircularOrbit:
    """Find the orbit that sees a point at zero Doppler, to the right, at time 0.

    Parameters
    ----------
    point : ndarray of float64, shape (3,)
        Earth-fixed [m].
    slant_range : float
        Distance of the platform from the point at time 0 [m].
    radius : float
        Of the orbit [m].
    inclination : float
        [rad].
    ascending : bool
        Direction of the pass over the point.

    Returns
    -------
    CircularOrbit
        With the rate of Kepler's third law.

    Raises
    ------
    OrbitError
        No such orbit exists.
    """
    rate = math.sqrt(_GRAVITY / radius**3)
    latitude = math.asin(point[2] / float(np.linalg.norm(point)))
    first = math.asin(max(-1.0, min(1.0, math.sin(latitude) / math.sin(inclination))))
    argument = first if ascending else math.pi - first

    def orbit(x: NDArray[np.float64]) -> CircularOrbit:
        return CircularOrbit(
            radius=radius,
            inclination=inclination,
            argument=float(x[0]),
            node=float(x[1]),
            cross_track=0.0,
            rate=rate,
        )

    def miss(x: NDArray[np.float64]) -> list[float]:
        position, velocity = orbit(x).state(np.zeros(1))
        line = point - position[0]
        return [
            float(line @ velocity[0]) / 1e4,
            (float(np.linalg.norm(line)) - slant_range),
        ]

    # The sub-satellite point lies to the left of the target: west of it on an ascending pass.
    offset = 0.06 if ascending else -0.06
    below = math.atan2(math.sin(argument) * math.cos(inclination), math.cos(argument))
    node = math.atan2(point[1], point[0]) - below - offset
    # About 1, because steps of finite differences are relative and angles may be 0.
    guess = np.array([argument, node]) - 1.0
    found, *_ = fsolve(lambda x: miss(guess + x), np.ones(2), full_output=True, xtol=1e-14)
    found = guess + found
    if max(map(abs, miss(found))) > 1e-3:
        raise OrbitError("no circular orbit of this inclination sees the centre of the scene")
    return orbit(found)


def sample_orbit(
    orbit: CircularOrbit, *, centre: datetime, seconds: float, interval: float = 10.0
) -> StateVectors:
    """State vectors of an orbit whose time 0 is `centre`, over +-`seconds` about it."""
    count = 2 * math.ceil(seconds / interval) + 1
    times = (np.arange(count, dtype=np.float64) - count // 2) * interval
    positions, velocities = orbit.state(times)
    return StateVectors(
        epoch=centre,
        times=times,
        positions=positions,
        velocities=velocities,
        source=OrbitSource.ANNOTATION,
        origin="simulation",
    )


def seconds_between(first: datetime, second: datetime) -> float:
    """Seconds from the first instant to the second."""
    return (second - first) / timedelta(seconds=1)


def tabulate(vectors: StateVectors, *, epoch: datetime, about: float) -> OrbitTable:
    """Polynomials through the 12 state vectors nearest to an instant.

    Parameters
    ----------
    vectors : StateVectors
        At least 8.
    epoch : datetime
        That the table's times count from.
    about : float
        Instant [s from epoch].

    Returns
    -------
    OrbitTable
        The polynomial of degree 11 through them, by one of degree 9 within 20 s of the instant:
        quicker to evaluate, and less than 1e-6 m away where annotations are rounded to 1 mm.

    Raises
    ------
    OrbitError
        Too few state vectors, or none around the instant.
    """
    times = vectors.times + seconds_between(epoch, vectors.epoch)
    if times.size < 8 or not times[0] < about < times[-1]:
        raise OrbitError("the simulation needs at least 8 state vectors around the scene")
    first = int(
        np.clip(np.searchsorted(times, about) - _NODES // 2, 0, max(times.size - _NODES, 0))
    )
    part = slice(first, first + _NODES)
    u = (times[part] - about) / _REACH
    position = _power_series(u, vectors.positions[part])
    velocity = _power_series(u, vectors.velocities[part])
    return OrbitTable(about, _REACH, position, velocity, velocity[-2] / _REACH)


def _power_series(u: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients on [-1, 1] of the polynomial through some values, shape (degree + 1, 3)."""
    through = chebyshev.Chebyshev.fit
    near = chebyshev.chebpts1(2 * _DEGREE)
    columns = []
    for k in range(3):
        whole = through(u, values[:, k], u.size - 1)
        series = chebyshev.chebfit(near, whole(near), _DEGREE)
        columns.append(chebyshev.cheb2poly(series)[::-1])
    return np.ascontiguousarray(np.stack(columns, axis=1))
