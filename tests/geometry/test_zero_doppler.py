import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from kernels.geometry.ellipsoid import east_north_up, ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import LookSide
from tests.geometry.scenes import circular_orbit, circular_state

TIMES = np.linspace(-14.0, 14.0, 7)[:, None, None]
RANGES = np.linspace(800e3, 950e3, 6)[None, :, None]
HEIGHTS = np.array([-400.0, 0.0, 3000.0, 8800.0])[None, None, :]


@given(st.floats(-179.99, 179.99), st.floats(-89.9, 89.9), st.floats(-11_000.0, 9_000.0))
def test_ellipsoid_agrees_with_proj(longitude: float, latitude: float, height: float) -> None:
    proj = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    expected = proj.transform(longitude, latitude, height)
    point = geodetic_to_ecef(
        np.radians(np.array([longitude])), np.radians(np.array([latitude])), np.array([height])
    )
    np.testing.assert_allclose(point[0], expected, atol=1e-7, rtol=0)
    back = ecef_to_geodetic(point)
    assert abs(np.degrees(back[1][0]) - latitude) < 1e-12
    assert abs(back[2][0] - height) < 1e-7


def test_local_axes_are_orthonormal_and_right_handed() -> None:
    axes = east_north_up(np.array([0.3, -2.0]), np.array([0.8, -1.1]))
    np.testing.assert_allclose(
        axes @ np.swapaxes(axes, -1, -2), np.broadcast_to(np.eye(3), axes.shape), atol=1e-15
    )
    np.testing.assert_allclose(np.linalg.det(axes), 1.0)


def test_forward_solves_the_three_equations() -> None:
    points = radar_to_ground(circular_orbit(), TIMES, RANGES, HEIGHTS)
    position, velocity = circular_state(TIMES.ravel())
    sight = points - position[:, None, None]
    along = np.einsum("ijkc,ic->ijk", sight, velocity)
    np.testing.assert_allclose(along / 7600.0, 0.0, atol=1e-5)  # 10 um along the track
    np.testing.assert_allclose(
        np.linalg.norm(sight, axis=-1), np.broadcast_to(RANGES, sight.shape[:-1]), atol=1e-5, rtol=0
    )
    _, _, heights = ecef_to_geodetic(points)
    np.testing.assert_allclose(heights, np.broadcast_to(HEIGHTS, heights.shape), atol=1e-5)


def test_right_and_left_are_on_their_sides_of_the_track() -> None:
    orbit = circular_orbit()
    position, velocity = circular_state(np.array([0.0]))
    for side, sign in ((LookSide.RIGHT, 1.0), (LookSide.LEFT, -1.0)):
        point = radar_to_ground(
            orbit, np.array([0.0]), np.array([850e3]), np.array([0.0]), side=side
        )
        right = np.cross(velocity[0], position[0])
        assert sign * np.dot(point[0] - position[0], right) > 0


def test_inverse_finds_the_closest_approach() -> None:
    """For a platform whose velocity is the derivative of its position, zero Doppler is where
    the distance is smallest; found here by a search that knows no Newton."""
    points = radar_to_ground(circular_orbit(), TIMES, RANGES, HEIGHTS).reshape(-1, 3)[::13]
    times, ranges = ground_to_radar(circular_orbit(), points)
    for point, time, slant_range in zip(points, times, ranges, strict=True):

        def distance(t: float, point: np.ndarray = point) -> float:
            return float(np.linalg.norm(circular_state(np.array([t]))[0][0] - point))

        found = minimize_scalar(
            distance, bounds=(-20.0, 20.0), method="bounded", options={"xatol": 1e-7}
        )
        # the minimum is flat: its place is known to some 1e-5 s, its value to rounding
        assert abs(found.x - time) < 1e-4
        assert abs(found.fun - slant_range) < 1e-6


def test_round_trip_is_exact_everywhere_in_the_frame() -> None:
    orbit = circular_orbit()
    points = radar_to_ground(orbit, TIMES, RANGES, HEIGHTS)
    times, ranges = ground_to_radar(orbit, points)
    np.testing.assert_allclose(times, np.broadcast_to(TIMES, times.shape), atol=1e-9)
    np.testing.assert_allclose(ranges, np.broadcast_to(RANGES, times.shape), atol=1e-6, rtol=0)


def test_result_does_not_depend_on_threads() -> None:
    orbit = circular_orbit()
    generator = np.random.default_rng(0)
    times = generator.uniform(-14, 14, 150_000)
    ranges = generator.uniform(800e3, 950e3, times.size)
    one = radar_to_ground(orbit, times, ranges, np.zeros(1), threads=1)
    three = radar_to_ground(orbit, times, ranges, np.zeros(1), threads=3)
    np.testing.assert_array_equal(one, three)
    for a, b in zip(
        ground_to_radar(orbit, one), ground_to_radar(orbit, one, threads=3), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_unreachable_and_unknown_points_are_nan() -> None:
    orbit = circular_orbit()
    assert np.isnan(radar_to_ground(orbit, np.zeros(1), np.array([500e3]), np.zeros(1))).all()
    times, ranges = ground_to_radar(orbit, np.full((1, 3), np.nan))
    assert np.isnan(times).all()
    assert np.isnan(ranges).all()


@pytest.mark.parametrize("count", [0, 1])
def test_any_number_of_points(count: int) -> None:
    times, _ = ground_to_radar(circular_orbit(), np.full((count, 3), 6.4e6))
    assert times.shape == (count,)
