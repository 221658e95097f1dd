from dataclasses import replace

import numpy as np
import pytest

from kernels.errors import OrbitError
from kernels.geometry.orbit import Orbit
from tests.geometry.scenes import circular_orbit, circular_state, circular_vectors


def test_follows_an_analytic_orbit_between_the_vectors() -> None:
    times = np.linspace(-15.0, 15.0, 301)
    positions, velocities = circular_state(times)
    orbit = circular_orbit()
    # 1 um and 1 um/s: the truncation of degree 11 over 120 s is far below
    np.testing.assert_allclose(orbit.position(times), positions, atol=1e-6, rtol=0)
    np.testing.assert_allclose(orbit.velocity(times), velocities, atol=1e-6, rtol=0)


def test_velocity_comes_from_the_velocity_vectors() -> None:
    vectors = circular_vectors()
    biased = replace(vectors, velocities=vectors.velocities + np.array([0.01, 0.0, 0.0]))
    orbit = Orbit.fit(biased, start=-15.0, stop=15.0)
    _, velocity = circular_state(np.array([3.3]))
    np.testing.assert_allclose(
        orbit.velocity(np.array([3.3])) - velocity, [[0.01, 0, 0]], atol=1e-6
    )


def test_tells_how_far_velocities_scatter() -> None:
    vectors = circular_vectors()
    rough = vectors.velocities.copy()
    rough[8, 2] += 0.01
    scatter = Orbit.fit(replace(vectors, velocities=rough), start=-15.0, stop=15.0).velocity_scatter
    assert circular_orbit().velocity_scatter < 1e-4  # [m/s]
    assert 0.005 < scatter < 0.01  # the smooth orbit gives way to one vector of twelve


def test_a_long_acquisition_uses_more_vectors() -> None:
    orbit = Orbit.fit(circular_vectors(), start=-60.0, stop=60.0)
    times = np.linspace(-60.0, 60.0, 241)
    np.testing.assert_allclose(orbit.position(times), circular_state(times)[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("start", "stop"), [(-90.0, 0.0), (60.0, 76.0)])
def test_refuses_an_acquisition_that_the_vectors_do_not_cover(start: float, stop: float) -> None:
    with pytest.raises(OrbitError, match=r"analytic orbit: .* do not cover the acquisition"):
        Orbit.fit(circular_vectors(), start=start, stop=stop)


def test_refuses_too_few_vectors() -> None:
    vectors = circular_vectors()
    few = replace(
        vectors,
        times=vectors.times[5:11],
        positions=vectors.positions[5:11],
        velocities=vectors.velocities[5:11],
    )
    with pytest.raises(OrbitError, match="6 state vectors do not cover"):
        Orbit.fit(few, start=-5.0, stop=5.0)


@pytest.mark.parametrize("field", ["positions", "velocities"])
def test_refuses_a_wrong_digit(field: str) -> None:
    vectors = circular_vectors()
    wrong = getattr(vectors, field).copy()
    wrong[8, 1] += 10.0
    with pytest.raises(OrbitError, match="from a smooth orbit"):
        Orbit.fit(replace(vectors, **{field: wrong}), start=-15.0, stop=15.0)
