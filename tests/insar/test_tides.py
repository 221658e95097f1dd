"""Delays at ground points, and tides against what is known of them."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.errors import RequestError
from kernels.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import radar_to_terrain
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.coregistration import Coregistration
from kernels.insar.delays import DisplacementDelay, RangeDelay, total_delay
from kernels.insar.effects import ImageEffects, PairEffects
from kernels.insar.tides import tidal_displacement
from kernels.model import Shape
from tests.geometry.scenes import circular_orbit, radar_grid, rough_dem
from tests.insar.scenes import around


def up_and_north(longitude: float, latitude: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lon, lat = np.radians(longitude), np.radians(latitude)
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    return up, np.cross(up, east), east


def place(longitude: float, latitude: float) -> np.ndarray:
    return geodetic_to_ecef(
        np.radians(np.array([longitude])), np.radians(np.array([latitude])), np.zeros(1)
    )


def test_a_ground_that_rises_comes_nearer() -> None:
    points = np.concatenate([place(55.0 + x, -21.0 + y) for x in (0, 1) for y in (0, 1)])
    up = points / np.linalg.norm(points, axis=1, keepdims=True)
    delay = DisplacementDelay.fit(points, 0.2 * up)
    # seen 40 degrees from the vertical
    side = np.cross(up, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    sights = np.cos(np.radians(40)) * up + np.sin(np.radians(40)) * side
    # the directions of up over 150 km are linear to 0.1 mm
    np.testing.assert_allclose(delay(points, sights), -0.2 * np.cos(np.radians(40)), atol=1e-4)


class Slab:
    """An atmosphere of some thickness, seen at a slant: as grids of delays would be."""

    def __init__(self, zenith: float) -> None:
        self.zenith = zenith

    def __call__(self, points: np.ndarray, sights: np.ndarray) -> np.ndarray:
        up = points / np.linalg.norm(points, axis=-1, keepdims=True)
        return self.zenith / (up * sights).sum(axis=-1)


@pytest.fixture(scope="module")
def orbits() -> tuple[Orbit, Orbit]:
    return circular_orbit(), circular_orbit(node=0.2 + 1.1e-5, phase=0.35 + 2.0e-6)


def test_delays_lengthen_the_range_and_move_the_pixels(orbits: tuple[Orbit, Orbit]) -> None:
    grid = radar_grid(Shape(140, 900))
    longitude, latitude = around(orbits[0], grid)
    dem = rough_dem(
        west=longitude - 0.1,
        east=longitude + 0.1,
        south=latitude - 0.1,
        north=latitude + 0.1,
        amplitude=100.0,
    )
    slabs: tuple[RangeDelay, RangeDelay] = Slab(2.3), Slab(2.5)
    effects = PairEffects(
        reference=ImageEffects(delays=(slabs[0],)), secondary=ImageEffects(delays=(slabs[1],))
    )
    lines = Band(40, 20)
    plain, delayed = (
        Coregistration.of(
            reference=grid,
            reference_orbit=orbits[0],
            secondary=grid,
            secondary_orbit=orbits[1],
            dem=dem,
            **options,
        ).offsets(lines)
        for options in ({}, {"effects": effects})
    )
    points = radar_to_terrain(grid, orbits[0], dem, lines=lines)
    sums = [
        total_delay((slab,), orbit, ground_to_radar(orbit, points)[0], points)
        for slab, orbit in zip(slabs, orbits, strict=True)
    ]
    expected = sums[1] - sums[0]
    assert 0.2 < np.nanmin(expected) < 0.35
    found = delayed.range_differences - plain.range_differences
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(
        delayed.samples - plain.samples, expected / grid.slant_range_spacing, atol=1e-6
    )
    np.testing.assert_allclose(delayed.lines, plain.lines, atol=1e-9)


def test_without_the_package_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyTMD", None)
    monkeypatch.setitem(sys.modules, "pyTMD.compute", None)
    with pytest.raises(RequestError, match="pyTMD") as caught:
        tidal_displacement(place(0.0, 0.0), datetime(2026, 1, 1))
    assert "extra tides" in str(caught.value)


PUBLISHED = [
    # PySolid 0.3.4, an independent implementation (D. Milbert's solid.for): east, north, up [mm]
    (55.2, -21.0, datetime(2021, 6, 24, 5, 41), (42.46, 54.66, -5.13)),
    (10.0, 46.0, datetime(2021, 6, 24, 5, 41), (55.90, 11.38, -85.77)),
    (10.0, 70.0, datetime(2021, 6, 24, 5, 41), (61.16, -0.32, -71.36)),
]


@pytest.mark.parametrize(("longitude", "latitude", "instant", "expected"), PUBLISHED)
def test_tides_agree_with_another_implementation(
    longitude: float, latitude: float, instant: datetime, expected: tuple[float, float, float]
) -> None:
    pytest.importorskip("pyTMD")
    moved = tidal_displacement(place(longitude, latitude), instant)[0]
    up, north, east = up_and_north(longitude, latitude)
    # the implementations differ by terms of a millimetre
    np.testing.assert_allclose(
        1e3 * np.array([moved @ east, moved @ north, moved @ up]), expected, atol=2.0
    )


def test_tides_follow_the_moon() -> None:
    """Half a day and the moon's own half hour later the other bulge passes; on the equator."""
    pytest.importorskip("pyTMD")
    point = place(0.0, 0.0)
    up = point[0] / np.linalg.norm(point[0])
    start = datetime(2026, 1, 3)  # full moon: sun and moon pull together
    heights = np.array(
        [tidal_displacement(point, start + timedelta(hours=h / 2))[0] @ up for h in range(100)]
    )
    assert 0.3 < np.ptp(heights) < 0.6  # [m]
    tops = [k for k in range(1, 99) if heights[k - 1] < heights[k] >= heights[k + 1]]
    assert np.diff(tops).mean() / 2 == pytest.approx(12.4, abs=0.3)  # [h]


def test_a_tide_is_linear_over_a_scene() -> None:
    pytest.importorskip("pyTMD")
    degrees = np.linspace(-1.2, 1.2, 5)
    points = np.concatenate([place(10.0 + x, 46.0 + 0.7 * y) for x in degrees for y in degrees])
    assert np.degrees(np.ptp(ecef_to_geodetic(points)[0])) == pytest.approx(2.4)
    moved = tidal_displacement(points, datetime(2021, 6, 24, 5, 41))
    delay = DisplacementDelay.fit(points, moved)
    up = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(delay(points, up), -(moved * up).sum(axis=1), atol=2e-4)
