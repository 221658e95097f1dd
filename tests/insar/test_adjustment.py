"""Corrections worked into tabulated geometry, against the same sums done by hand."""

from dataclasses import replace

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import radar_to_terrain
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.insar.adjustment import Adjustment, Plane
from kernels.insar.coregistration import Coregistration
from kernels.model import RadarGrid, Shape
from tests.geometry.scenes import circular_orbit, radar_grid, rough_dem
from tests.insar.scenes import around

WAVELENGTH = 0.05546576
LINES = Band(20, 30)


@pytest.fixture(scope="module")
def orbits() -> tuple[Orbit, Orbit]:
    return circular_orbit(), circular_orbit(node=0.2 + 1.1e-5, phase=0.35 + 2.0e-6)


@pytest.fixture(scope="module")
def geometry(orbits: tuple[Orbit, Orbit]) -> Coregistration:
    grid = radar_grid(Shape(140, 900))
    longitude, latitude = around(orbits[0], grid)
    dem = rough_dem(
        west=longitude - 0.1,
        east=longitude + 0.1,
        south=latitude - 0.1,
        north=latitude + 0.1,
        amplitude=100.0,
    )
    return Coregistration.of(
        reference=grid,
        reference_orbit=orbits[0],
        secondary=grid,
        secondary_orbit=orbits[1],
        dem=dem,
    )


def test_planes_are_added_to_the_offsets_of_every_pixel(geometry: Coregistration) -> None:
    lines, samples = Plane(0.03, 1e-4, -2e-5), Plane(-0.2, 5e-5, 1e-4)
    moved = geometry.adjusted(Adjustment(lines=lines, samples=samples)).offsets(LINES)
    still = geometry.offsets(LINES)
    y, x = np.mgrid[20:50, 0:900].astype(np.float64)
    np.testing.assert_allclose(
        moved.lines - still.lines, 0.03 + 1e-4 * y - 2e-5 * x, atol=1e-9, equal_nan=False
    )
    np.testing.assert_allclose(moved.samples - still.samples, -0.2 + 5e-5 * y + 1e-4 * x, atol=1e-9)
    np.testing.assert_array_equal(moved.range_differences, still.range_differences)


def test_a_phase_is_removed_like_a_longer_range(geometry: Coregistration) -> None:
    moved = geometry.adjusted(Adjustment(phase=1.4)).offsets(LINES).range_differences
    still = geometry.offsets(LINES).range_differences
    wavelength = geometry.reference.wavelength
    np.testing.assert_allclose(4 * np.pi / wavelength * (moved - still), 1.4, atol=1e-6)


def test_two_adjustments_add_up() -> None:
    one = Adjustment(lines=Plane(1.0, 2.0, 3.0), phase=0.5)
    two = Adjustment(lines=Plane(0.1), samples=Plane(0.0, 0.0, 4.0), phase=-0.25)
    assert one.plus(two) == Adjustment(
        lines=Plane(1.1, 2.0, 3.0), samples=Plane(0.0, 0.0, 4.0), phase=0.25
    )


def ranges_at_sea_level(grid: RadarGrid, orbits: tuple[Orbit, Orbit]) -> np.ndarray:
    y, x = np.mgrid[20:50, 0:900].astype(np.float64)
    ranges = grid.slant_range(x)
    points = radar_to_ground(
        orbits[0], grid.zero_doppler_time(y, ranges), ranges, np.zeros(x.shape)
    )
    return ground_to_radar(orbits[1], points)[1] - ranges


def test_the_ellipsoid_alone_leaves_the_terrain_in_the_phase(
    geometry: Coregistration, orbits: tuple[Orbit, Orbit]
) -> None:
    found = geometry.adjusted(Adjustment(), flattening="ellipsoid").offsets(LINES)
    expected = ranges_at_sea_level(geometry.reference, orbits)
    np.testing.assert_allclose(found.range_differences, expected, atol=2e-5)  # [m]
    # the images are still coregistered with the terrain
    np.testing.assert_array_equal(found.lines, geometry.offsets(LINES).lines)


def test_without_flattening_the_whole_range_difference_stays(geometry: Coregistration) -> None:
    found = geometry.adjusted(Adjustment(), flattening="none").offsets(LINES)
    np.testing.assert_array_equal(found.range_differences, 0.0)
    np.testing.assert_array_equal(found.samples, geometry.offsets(LINES).samples)


def test_the_terrain_is_what_is_removed_by_default(
    geometry: Coregistration, orbits: tuple[Orbit, Orbit]
) -> None:
    grid = replace(geometry.reference)
    points = radar_to_terrain(grid, orbits[0], geometry.dem, lines=LINES)
    expected = ground_to_radar(orbits[1], points)[1] - grid.slant_range(np.arange(900.0))
    np.testing.assert_allclose(
        geometry.adjusted(Adjustment()).offsets(LINES).range_differences, expected, atol=2e-5
    )
