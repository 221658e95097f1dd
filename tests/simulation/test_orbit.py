"""Orbits of the simulation."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.errors import OrbitError
from kernels.simulation.derive import baseline_shift
from kernels.simulation.orbit import CircularOrbit, orbit_over, sample_orbit, tabulate
from tests.simulation.tools import ecef

EPOCH = datetime(2024, 6, 1, 1, 45)
RADIUS = 7_071_000.0
INCLINATION = math.radians(98.18)


def target(longitude: float, latitude: float) -> np.ndarray:
    return ecef(np.array(longitude), np.array(latitude), np.array(0.0))


def over(longitude: float, latitude: float, *, ascending: bool) -> CircularOrbit:
    return orbit_over(
        target(longitude, latitude),
        850_000.0,
        radius=RADIUS,
        inclination=INCLINATION,
        ascending=ascending,
    )


@settings(max_examples=25)
@given(longitude=st.floats(-180.0, 180.0), latitude=st.floats(-70.0, 70.0), ascending=st.booleans())
def test_orbit_sees_the_point_abeam_to_the_right(
    longitude: float, latitude: float, ascending: bool
) -> None:
    orbit = over(longitude, latitude, ascending=ascending)
    position, velocity = (v[0] for v in orbit.state(np.zeros(1)))
    sight = target(longitude, latitude) - position
    assert abs(np.linalg.norm(sight) - 850_000.0) < 1e-3  # [m]
    assert abs(sight @ velocity) / (velocity @ velocity) < 1e-9  # [s]
    assert np.cross(velocity, position) @ sight > 0.0
    assert (velocity[2] > 0.0) == ascending


def test_velocity_is_the_derivative_of_the_position() -> None:
    orbit = over(55.7, -21.0, ascending=False).shifted(radial=50.0, cross_track=-70.0)
    times, step = np.linspace(-60.0, 60.0, 7), 1e-3
    ahead, behind = orbit.state(times + step)[0], orbit.state(times - step)[0]
    # central difference: error below v''' step^2 / 6 = 1e-12 m/s, rounding 1e-9 m / 1e-3 s
    np.testing.assert_allclose(
        (ahead - behind) / (2.0 * step), orbit.state(times)[1], rtol=0, atol=5e-6
    )
    # Kepler's speed, less the turning Earth: between 7.5 and 7.7 km/s
    assert 7500.0 < np.linalg.norm(orbit.state(times)[1], axis=1).mean() < 7700.0


def test_table_follows_the_orbit_between_its_vectors() -> None:
    orbit = over(55.7, -21.0, ascending=False)
    vectors = sample_orbit(orbit, centre=EPOCH, seconds=80.0)
    assert vectors.times.size >= 16
    epoch = EPOCH - timedelta(seconds=100)
    table = tabulate(vectors, epoch=epoch, about=103.0)
    times = np.linspace(-15.0, 20.0, 50)
    u = (times + 100.0 - table.middle) / table.span
    for k in range(3):
        position, velocity = (v[:, k] for v in orbit.state(times))
        # rounding of 7000 km in double precision is 1e-9 m
        np.testing.assert_allclose(np.polyval(table.position[:, k], u), position, atol=2e-8)
        np.testing.assert_allclose(np.polyval(table.velocity[:, k], u), velocity, atol=2e-9)


def test_too_few_vectors_are_refused() -> None:
    orbit = over(55.7, -21.0, ascending=False)
    vectors = sample_orbit(orbit, centre=EPOCH, seconds=80.0)
    with pytest.raises(OrbitError):
        tabulate(vectors, epoch=EPOCH, about=200.0)
    short = sample_orbit(orbit, centre=EPOCH, seconds=30.0)
    with pytest.raises(OrbitError):
        tabulate(short, epoch=EPOCH, about=0.0)


def test_derived_orbit_lies_across_the_line_of_sight() -> None:
    orbit = over(55.7, -21.0, ascending=True)
    vectors = sample_orbit(orbit, centre=EPOCH, seconds=80.0)
    middle = vectors.times.size // 2
    sight = target(55.7, -21.0) - vectors.positions[middle]
    sight /= np.linalg.norm(sight)
    down = -vectors.positions[middle] / np.linalg.norm(vectors.positions[middle])
    shift, drift = baseline_shift(
        vectors.times,
        vectors.positions,
        vectors.velocities,
        baseline=120.0,
        look_angle=math.acos(sight @ down),
    )
    np.testing.assert_allclose(np.linalg.norm(shift, axis=1), 120.0, atol=1e-6)
    assert abs(shift[middle] @ sight) < 0.05  # [m]; the vertical is not square to the velocity
    assert shift[middle] @ down < 0.0
    rate = np.gradient(shift, vectors.times, axis=0)
    np.testing.assert_allclose(drift[1:-1], rate[1:-1], atol=1e-4)  # [m/s]
