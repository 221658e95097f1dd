"""Local incidence of known planes; layover and shadow against traced rays and range circles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.geometry.local_incidence import LocalIncidence, incidence_normalisation
from kernels.geometry.shadow import LAYOVER, SHADOW, TerrainProfiles
from kernels.model import Dem, MapGrid, Shape
from tests.geometry.ground import (
    Array,
    behind_terrain,
    centre,
    ecef,
    in_layover,
    map_around,
    positions,
    surface,
    tilted,
    zero_doppler_state,
)
from tests.geometry.scenes import circular_orbit, rough_dem


@pytest.fixture(scope="module")
def alps() -> Dem:
    longitude, latitude = centre()
    return rough_dem(
        west=longitude - 0.09,
        east=longitude + 0.09,
        south=latitude - 0.07,
        north=latitude + 0.07,
        amplitude=1100.0,
    )


@pytest.fixture(scope="module")
def profiles(alps: Dem) -> TerrainProfiles:
    return TerrainProfiles.of(alps, circular_orbit(), spacing=10.0)


def test_bits_agree_with_rays_and_range_circles(alps: Dem, profiles: TerrainProfiles) -> None:
    grid = map_around(Shape(400, 500))
    bits = profiles.on_map(grid).rows(Band(0, 400))
    random = np.random.default_rng(3)
    rows, columns = random.integers(0, 400, 3000), random.integers(0, 500, 3000)
    longitudes, latitudes = positions(grid, rows.astype(float), columns.astype(float))
    heights = surface(alps)(np.stack([-latitudes, longitudes], axis=-1))
    points = ecef(longitudes, latitudes, heights)
    position, velocity = zero_doppler_state(points)
    shadow = behind_terrain(alps, points, position)
    layover = in_layover(alps, points, position, velocity)
    found = bits[rows, columns]
    assert 0.05 < shadow.mean() < 0.5
    assert 0.05 < layover.mean() < 0.7
    assert ((found & SHADOW > 0) == shadow).mean() > 0.99
    assert ((found & LAYOVER > 0) == layover).mean() > 0.99


def test_gentle_ground_is_seen_everywhere() -> None:
    grid = map_around(Shape(100, 100))
    profiles = TerrainProfiles.of(tilted(0.3, 0.1), circular_orbit(), spacing=10.0)
    assert profiles.bits.shape[0] > 600
    assert not profiles.on_map(grid).rows(Band(0, 100)).any()


def test_maps_outside_the_dem_have_no_bits(profiles: TerrainProfiles) -> None:
    grid = map_around(Shape(20, 20))
    far = replace(grid, west=grid.west + 50e3)
    assert not profiles.on_map(far).rows(Band(0, 20)).any()


def test_bits_depend_neither_on_bands_nor_on_threads(alps: Dem, profiles: TerrainProfiles) -> None:
    again = TerrainProfiles.of(alps, circular_orbit(), spacing=10.0, threads=3)
    np.testing.assert_array_equal(again.bits, profiles.bits)
    shadows = profiles.on_map(map_around(Shape(300, 200)))
    np.testing.assert_array_equal(shadows.rows(Band(0, 300))[130:150], shadows.rows(Band(130, 20)))


def directions(grid: MapGrid, height: float) -> tuple[Array, Array, Array]:
    """East, north and up components of the direction to the satellite in mid-map."""
    at = np.array([0.5 * (grid.shape.lines - 1)]), np.array([0.5 * (grid.shape.samples - 1)])
    longitude, latitude = positions(grid, *at)
    point = ecef(longitude, latitude, np.full(1, height))
    position, _ = zero_doppler_state(point)
    sight = (position - point)[0]
    sight /= np.linalg.norm(sight)
    lon, lat = np.radians(longitude[0]), np.radians(latitude[0])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    return sight @ east, sight @ np.cross(up, east), sight @ up


@pytest.mark.parametrize("slopes", [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.2, -0.6), (1.5, 0.3)])
def test_local_incidence_of_planes(slopes: tuple[float, float]) -> None:
    grid = map_around(Shape(21, 31))
    incidence = LocalIncidence.of(grid, tilted(*slopes), circular_orbit())
    local, projected = incidence.rows(Band(0, 21))
    east, north, up = directions(grid, 300.0)
    # `plane` counts 111 320 m for a degree: up to 0.5 % from the ellipsoid's
    normal = np.array([-slopes[0], -slopes[1], 1.0])
    expected = np.arccos(normal @ (east, north, up) / np.linalg.norm(normal))
    assert abs(local[10, 15] - expected) < 0.003
    level = np.hypot(east, north)
    towards = (slopes[0] * east + slopes[1] * north) / level
    assert abs(projected[10, 15] - (np.arctan2(level, up) + np.arctan(towards))) < 0.003
    # a plane looks the same all over the map, also at its edges
    assert np.ptp(local) < 2e-3
    assert np.ptp(projected) < 2e-3


def test_level_ground_has_the_incidence_of_the_ellipsoid() -> None:
    grid = map_around(Shape(5, 5))
    local, projected = LocalIncidence.of(grid, tilted(0.0, 0.0), circular_orbit()).rows(Band(2, 1))
    expected = np.arccos(directions(grid, 300.0)[2])
    np.testing.assert_allclose(local[0, 2], expected, atol=1e-6)
    np.testing.assert_allclose(projected[0, 2], expected, atol=1e-6)
    np.testing.assert_allclose(incidence_normalisation(local)[0, 2], np.sin(expected), atol=1e-6)


def test_local_incidence_of_bands_and_outside_the_dem(alps: Dem) -> None:
    incidence = LocalIncidence.of(map_around(Shape(90, 70)), alps, circular_orbit())
    whole, part = incidence.rows(Band(0, 90)), incidence.rows(Band(37, 11))
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[37:48], other)
    assert np.isfinite(whole[0]).all()
    cut = replace(alps, heights=alps.heights[:, : alps.heights.shape[1] // 2])
    local, _ = LocalIncidence.of(map_around(Shape(9, 70)), cut, circular_orbit()).rows(Band(0, 9))
    known = np.isfinite(local)
    assert known[:, 0].all()
    assert not known[:, -1].any()


def test_layover_starts_where_the_projected_incidence_is_negative(
    alps: Dem, profiles: TerrainProfiles
) -> None:
    grid = map_around(Shape(200, 200))
    _, projected = LocalIncidence.of(grid, alps, circular_orbit()).rows(Band(0, 200))
    bits = profiles.on_map(grid).rows(Band(0, 200))
    turned_over = projected < -0.05
    assert turned_over.mean() > 0.02
    assert (bits[turned_over] & LAYOVER > 0).mean() > 0.99
