"""Pixels on the terrain: every point must lie on the bilinear surface, seen at its pixel."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.height_polynomials import tabulate
from kernels.geometry.terrain import heights_on_dem, meet_terrain, radar_to_terrain, tabulate_radar
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import Dem, Shape
from tests.geometry.scenes import circular_orbit, circular_state, radar_grid, rough_dem

GRID = radar_grid(Shape(160, 3000))


@pytest.fixture(scope="module")
def dem() -> Dem:
    orbit = circular_orbit()
    corners = radar_to_ground(
        orbit,
        np.array([-0.6, 0.0])[:, None],
        np.array([844e3, 853e3])[None],
        np.array([[[0.0]], [[2000.0]]]),
    )
    longitudes, latitudes, _ = ecef_to_geodetic(corners)
    degrees = np.degrees(longitudes), np.degrees(latitudes)
    return rough_dem(
        west=degrees[0].min() - 0.05,
        east=degrees[0].max() + 0.05,
        south=degrees[1].min() - 0.05,
        north=degrees[1].max() + 0.05,
    )


def scipy_heights(dem: Dem, longitudes: np.ndarray, latitudes: np.ndarray) -> np.ndarray:
    rows, columns = dem.heights.shape
    surface = RegularGridInterpolator(
        (
            -(dem.north + dem.latitude_step * np.arange(rows)),
            dem.west + dem.longitude_step * np.arange(columns),
        ),
        dem.heights.astype(np.float64),
    )
    return surface(np.stack([-np.degrees(latitudes), np.degrees(longitudes)], axis=-1))


def test_points_lie_on_the_surface_at_their_time_and_range(dem: Dem) -> None:
    points = radar_to_terrain(GRID, circular_orbit(), dem, lines=Band(30, 40))
    assert np.isfinite(points).all()
    longitudes, latitudes, heights = ecef_to_geodetic(points)
    gap = heights - scipy_heights(dem, longitudes, latitudes)
    # 6 mm of position at a slope of 2 and a last Newton step of less than 2 cm
    assert np.abs(gap).max() < 0.05
    assert np.sqrt((gap**2).mean()) < 0.005
    ranges = GRID.slant_range(np.arange(3000.0))
    times = GRID.zero_doppler_time(np.arange(30.0, 70.0)[:, None], ranges)
    position, velocity = circular_state(times)
    sight = points - position
    np.testing.assert_allclose(
        np.linalg.norm(sight, axis=-1), np.broadcast_to(ranges, times.shape), atol=1e-5, rtol=0
    )
    np.testing.assert_allclose((sight * velocity).sum(-1) / 7600.0, 0.0, atol=1e-4)


def test_half_a_post_of_shift_would_be_seen(dem: Dem) -> None:
    points = radar_to_terrain(GRID, circular_orbit(), dem, lines=Band(30, 5))
    shifted = replace(dem, west=dem.west + 0.5 * dem.longitude_step)
    longitudes, latitudes, heights = ecef_to_geodetic(points)
    assert np.abs(heights - scipy_heights(shifted, longitudes, latitudes)).max() > 5.0


def test_result_depends_neither_on_bands_nor_on_threads(dem: Dem) -> None:
    polynomials = tabulate_radar(GRID, circular_orbit(), dem)
    whole, _ = meet_terrain(polynomials, dem, lines=Band(0, 150), samples=3000, threads=3)
    part, _ = meet_terrain(polynomials, dem, lines=Band(77, 9), samples=3000)
    np.testing.assert_array_equal(whole[77:86], part)


def test_pixels_outside_the_dem_are_nan(dem: Dem) -> None:
    cut = replace(dem, heights=dem.heights[:, : dem.heights.shape[1] // 2])
    heights, _ = meet_terrain(
        tabulate_radar(GRID, circular_orbit(), cut), cut, lines=Band(30, 2), samples=3000
    )
    known = np.isfinite(heights)
    assert 0 < known.sum() < known.size
    points = radar_to_terrain(GRID, circular_orbit(), cut, lines=Band(30, 2))
    np.testing.assert_array_equal(np.isfinite(points[..., 0]), known)


def test_dem_across_the_antimeridian_is_one_surface() -> None:
    heights = np.arange(20.0, dtype=np.float32).reshape(4, 5)
    dem = Dem(heights=heights, west=179.8, north=10.0, longitude_step=0.1, latitude_step=-0.1)
    found = heights_on_dem(dem, np.radians([179.9, -180.0, -179.9]), np.radians([10.0, 9.9, 9.8]))
    np.testing.assert_allclose(found, [1.0, 7.0, 13.0], atol=1e-9)


def test_coarse_nodes_err_by_millimetres_on_the_ground_and_micrometres_in_range(dem: Dem) -> None:
    orbit, other = circular_orbit(), circular_orbit(node=0.2 + 1.1e-5)

    def exact(rows: np.ndarray, columns: np.ndarray, heights: np.ndarray) -> np.ndarray:
        ranges = GRID.slant_range(columns)
        points = radar_to_ground(orbit, GRID.zero_doppler_time(rows, ranges), ranges, heights)
        longitudes, latitudes, _ = ecef_to_geodetic(points)
        east = longitudes * 6.378e6 * np.cos(latitudes)
        return np.stack([east, latitudes * 6.36e6, ground_to_radar(other, points)[1] - ranges], -1)

    polynomials = tabulate(GRID.shape, exact, lowest=-500.0, highest=5000.0)
    generator = np.random.default_rng(2)
    at = (
        generator.uniform(0, 159, 2000),
        generator.uniform(0, 2999, 2000),
        generator.uniform(-500, 5000, 2000),
    )
    error = np.abs(polynomials.evaluate(*at) - exact(*at)).max(axis=0)
    assert error[0] < 0.006
    assert error[1] < 0.006
    assert error[2] < 1e-6


def test_steep_slopes_that_face_away_are_met_exactly() -> None:
    """A ridge with slopes of 40 degrees: the far side is steeper than the incidence angle, where
    a fixed-point iteration on the height would diverge."""
    orbit = circular_orbit()
    centre = radar_to_ground(orbit, np.array([-0.3]), np.array([848e3]), np.array([0.0]))
    longitude, latitude, _ = (float(v[0]) for v in ecef_to_geodetic(centre))
    step = 1.0 / 3600.0
    columns = np.degrees(longitude) + step * np.arange(-400, 400)
    metres = np.abs(columns - np.degrees(longitude)) * 111_000.0 * np.cos(latitude)
    ridge = np.maximum(1500.0 - np.tan(np.radians(40.0)) * metres, 0.0).astype(np.float32)
    dem = Dem(
        heights=np.tile(ridge, (400, 1)),
        west=float(columns[0]),
        north=float(np.degrees(latitude) + 200 * step),
        longitude_step=step,
        latitude_step=-step,
    )
    points = radar_to_terrain(GRID, orbit, dem, lines=Band(95, 3))
    longitudes, latitudes, heights = ecef_to_geodetic(points[np.isfinite(points[..., 0])])
    assert heights.max() > 1300.0
    assert np.abs(heights - scipy_heights(dem, longitudes, latitudes)).max() < 0.05


def test_heights_on_dem_reads_posts_at_pixel_centres(dem: Dem) -> None:
    rows, columns = np.array([3, 50]), np.array([7, 90])
    longitudes = np.radians(dem.west + dem.longitude_step * columns)
    latitudes = np.radians(dem.north + dem.latitude_step * rows)
    np.testing.assert_allclose(
        heights_on_dem(dem, longitudes, latitudes), dem.heights[rows, columns], atol=1e-3
    )
    assert geodetic_to_ecef(longitudes, latitudes, np.zeros(2)).shape == (2, 3)
