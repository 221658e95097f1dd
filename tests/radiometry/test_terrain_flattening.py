"""Areas of planes, cliffs and rough ground in closed form, and simulated relief made flat."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import Cancelled
from kernels.geometry.local_incidence import LocalIncidence
from kernels.geometry.map_grids import utm_grid
from kernels.geometry.orbit import Orbit
from kernels.geometry.shadow import LAYOVER, SHADOW, TerrainProfiles
from kernels.model import Dem, GeographicBox, Looks, Shape
from kernels.products.sentinel1 import open_sentinel1
from kernels.radiometry.calibration import Quantity, calibration_lattice
from kernels.radiometry.detected import (
    Calibrated,
    DetectedGeometry,
    Interpolation,
    SquaredAmplitudes,
    Window,
)
from kernels.radiometry.image_cells import ImageCells
from kernels.radiometry.terrain_flattening import TerrainFacets, TerrainFlattening
from kernels.simulation import Acquisition, Background, DetectedMode, Scene, simulate_detected
from tests.geometry.ground import Array, centre, ecef, surface, tilted, zero_doppler_state
from tests.geometry.scenes import circular_orbit, radar_grid, rough_dem

GRID = radar_grid(Shape(600, 6000))
LOOKS = Looks(1, 6)


def window(lines: Band, pixels: Band) -> Window:
    return Window(lines=lines, pixels=pixels)


MIDDLE = window(Band(200, 90), Band(1800, 600))


def flatten(
    dem: Dem, part: Window = MIDDLE, *, looks: Looks = LOOKS, threads: int = 1
) -> TerrainFlattening:
    orbit = circular_orbit()
    cells = ImageCells.of(GRID, orbit, window=part, looks=looks)
    profiles = TerrainProfiles.of(dem, orbit, spacing=8.0, threads=threads)
    return TerrainFlattening.of(cells, profiles, threads=threads)


def plane_ratio(east: float, north: float) -> float:
    """A_gamma / A_beta of a plane: ``n.l / abs(n.(v x l))`` with unit vectors in ECEF.

    Range and azimuth steps dr = -l.dx and da = v.dx on the plane n.dx = 0 span the area
    dr da / abs(n.(v x l)), of which the share n.l lies across the line of sight l.
    """
    longitude, latitude = centre()
    step = 1e-3
    metres = step * 111_320.0  # as `plane` counts
    across = metres * np.cos(np.radians(latitude))
    corners = ecef(
        longitude + step * np.array([0.0, 1.0, 0.0]),
        latitude + step * np.array([0.0, 0.0, 1.0]),
        300.0 + np.array([0.0, east * across, north * metres]),
    )
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    position, velocity = zero_doppler_state(corners[:1])
    sight, forward = position[0] - corners[0], velocity[0] / np.linalg.norm(velocity[0])
    sight /= np.linalg.norm(sight)
    return float(normal @ sight / abs(normal @ np.cross(forward, sight)))


@pytest.mark.parametrize(
    "slopes", [(0.0, 0.0), (0.3, 0.0), (-0.3, 0.0), (0.47, 0.0), (-0.47, 0.0), (0.2, -0.4)]
)
def test_area_of_planes(slopes: tuple[float, float]) -> None:
    dem = tilted(*slopes)
    middle = round(column_of(dem, 0.0))
    inner = flatten(dem).ratio[25:65, middle - 5 : middle + 6]
    expected = plane_ratio(*slopes)
    # incidence changes by 0.02 degrees over the cells in the middle
    assert abs(inner.mean() / expected - 1.0) < 0.003
    # facets of half a cell and their spread leave a ripple
    assert inner.std() / expected < 0.03


def test_factor_is_the_inverse_of_the_ratio_between_cells() -> None:
    flattening = flatten(tilted(0.2, 0.1))
    rows, columns = np.array([30.0, 31.0, 40.5]), np.array([10.0, 20.0, 20.5])
    lines, pixels = 200.0 + rows, 1800.0 + 6.0 * columns + 2.5
    factors = flattening.factors(lines, pixels)
    ratio = flattening.ratio
    between = ratio[40:42, 20:22].mean()
    np.testing.assert_allclose(factors, 1.0 / np.array([ratio[30, 10], ratio[31, 20], between]))
    outside = flattening.factors(
        np.array([np.nan, 199.0, 240.0]), np.array([2100.0, 2100.0, 2401.0])
    )
    assert np.isnan(outside).all()


def test_sum_over_cells_is_the_sum_over_facets() -> None:
    longitude, latitude = centre()
    dem = rough_dem(
        west=longitude - 0.02,
        east=longitude + 0.02,
        south=latitude - 0.015,
        north=latitude + 0.015,
        amplitude=600.0,
    )
    orbit = circular_orbit()
    profiles = TerrainProfiles.of(dem, orbit, spacing=8.0)
    assert (profiles.bits & LAYOVER).any()
    assert not (profiles.bits & SHADOW).any()
    everything = window(Band(-100, 800), Band(0, 4200))
    cells = ImageCells.of(GRID, orbit, window=everything, looks=Looks(2, 8))
    total = TerrainFacets.of(cells, profiles).areas(Band(0, cells.shape.lines))
    assert total[0].sum() == total[-1].sum() == total[:, 0].sum() == total[:, -1].sum() == 0.0

    rows, columns = np.indices(dem.heights.shape)
    posts = ecef(
        dem.west + columns * dem.longitude_step, dem.north + rows * dem.latitude_step, dem.heights
    )
    # the area vector of a quadrilateral is half the product of its diagonals
    vectors = 0.5 * np.cross(posts[1:, 1:] - posts[:-1, :-1], posts[:-1, 1:] - posts[1:, :-1])
    middle = 0.25 * (posts[1:, 1:] + posts[:-1, :-1] + posts[:-1, 1:] + posts[1:, :-1])
    position, _ = zero_doppler_state(middle)
    sight = position - middle
    areas = (vectors * sight).sum(-1) / np.linalg.norm(sight, axis=-1)
    assert areas.min() > 0.0
    # the height of curved ground at the middle of its posts, 0.3 mm
    np.testing.assert_allclose(total.sum(), areas.sum(), rtol=2e-5)


def cliff(rise: float, width: float, step: float = 1.0 / 14400.0) -> Dem:
    """Level ground, a flank of some width and level ground, rising to the east."""
    longitude, latitude = centre()
    longitudes = np.arange(longitude - 0.03, longitude + 0.03, step)
    latitudes = np.arange(latitude + 0.02, latitude - 0.02, -12.0 * step)
    east = (longitudes - longitude) * 111_320.0 * np.cos(np.radians(latitude))
    profile = 300.0 + np.clip(east * rise / width, min(rise, 0.0), max(rise, 0.0))
    return Dem(
        heights=np.tile(profile.astype(np.float32), (latitudes.size, 1)),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=step,
        latitude_step=-12.0 * step,
    )


def east_of_satellite() -> float:
    """1 where the ground lies east of the track, -1 where it lies west."""
    longitude, latitude = centre()
    points = ecef(longitude + np.array([0.0, 0.01]), np.full(2, latitude), np.zeros(2))
    position, _ = zero_doppler_state(points)
    near, far = np.linalg.norm(position - points, axis=-1)
    return float(np.sign(far - near))


def column_of(dem: Dem, east: float) -> float:
    """Cell of the middle line that sees the ground so far east of the centre [m]."""
    longitude, latitude = centre()
    east_degrees = east / (111_320.0 * np.cos(np.radians(latitude)))
    at = np.array([longitude + east_degrees]), np.array([latitude])
    height = surface(dem)(np.stack([-at[1], at[0]], axis=-1))
    points = ecef(*at, height)
    position, _ = zero_doppler_state(points)
    sample = (np.linalg.norm(position - points) - GRID.first_slant_range) / (
        GRID.slant_range_spacing
    )
    return float((sample - MIDDLE.pixels.first + 0.5) / LOOKS.range - 0.5)


def test_layover_adds_up() -> None:
    side = east_of_satellite()
    dem = cliff(side * 500.0, 250.0)
    ratio = flatten(dem).ratio[40:50].mean(axis=0)
    # the far edge of the flank is nearer to the radar than its near edge
    ends = sorted(column_of(dem, x) for x in (0.0, 250.0))
    assert ends[1] - ends[0] > 8.0
    first, last = round(ends[0]) + 3, round(ends[1]) - 3
    level = plane_ratio(0.0, 0.0)
    expected = 2.0 * level + plane_ratio(side * 2.0, 0.0)
    np.testing.assert_allclose(ratio[first:last].mean(), expected, rtol=0.01)
    np.testing.assert_allclose(ratio[3 : round(ends[0]) - 3].mean(), level, rtol=0.01)
    np.testing.assert_allclose(ratio[round(ends[1]) + 3 : -3].mean(), level, rtol=0.01)


def test_shadow_has_no_share() -> None:
    side = east_of_satellite()
    dem = cliff(-side * 400.0, 100.0)
    flattening = flatten(dem)
    edge = column_of(dem, 0.0 if side > 0.0 else 100.0)
    longitude, latitude = centre()
    point = ecef(np.array([longitude]), np.array([latitude]), np.array([300.0]))
    position, _ = zero_doppler_state(point)
    up = point[0] / np.linalg.norm(point[0])
    cosine = (position - point)[0] @ up / np.linalg.norm(position - point)
    length = 400.0 / cosine / (GRID.slant_range_spacing * LOOKS.range)
    first, last = round(edge) + 3, round(edge + length) - 3
    assert last - first > 10
    assert (flattening.ratio[38:49, first:last] == 0.0).all()
    lines = np.full(4, 245.0)
    inside = MIDDLE.pixels.first + LOOKS.range * np.linspace(first + 1.0, last - 1.0, 4)
    assert np.isnan(flattening.factors(lines, inside)).all()
    before = flattening.ratio[38:49, 3 : round(edge) - 3].mean()
    np.testing.assert_allclose(before, plane_ratio(0.0, 0.0), rtol=0.01)


def test_result_depends_neither_on_threads_nor_on_rows() -> None:
    longitude, latitude = centre()
    dem = rough_dem(
        west=longitude - 0.03,
        east=longitude + 0.03,
        south=latitude - 0.03,
        north=latitude + 0.03,
    )
    part = window(Band(100, 300), Band(1800, 400))
    one, three = flatten(dem, part), flatten(dem, part, threads=3)
    np.testing.assert_array_equal(one.ratio, three.ratio)
    orbit = circular_orbit()
    cells = ImageCells.of(GRID, orbit, window=part, looks=LOOKS)
    facets = TerrainFacets.of(cells, TerrainProfiles.of(dem, orbit, spacing=8.0))
    np.testing.assert_array_equal(facets.areas(Band(0, 300))[77:99], facets.areas(Band(77, 22)))


@pytest.mark.parametrize("steps", [1, 2])
def test_cancelling_stops_it_between_blocks(steps: int) -> None:
    """While profiles are marched along, or while facets are summed."""
    longitude, latitude = centre()
    dem = rough_dem(
        west=longitude - 0.03,
        east=longitude + 0.03,
        south=latitude - 0.03,
        north=latitude + 0.03,
    )
    told: list[float] = []

    def report(share: float, _step: str) -> None:
        told.append(share)
        progress.cancelled.set()

    progress = Progress.to(report)
    orbit = circular_orbit()
    cells = ImageCells.of(GRID, orbit, window=window(Band(0, 600), Band(1800, 400)), looks=LOOKS)
    first, second = (progress, None) if steps == 1 else (None, progress)
    with pytest.raises(Cancelled):
        TerrainFlattening.of(
            cells,
            TerrainProfiles.of(dem, orbit, spacing=8.0, progress=first),
            progress=second,
        )
    assert len(told) == 1
    assert told[0] < 1.0


def test_window_is_a_part_of_the_whole() -> None:
    dem = tilted(0.3, 0.2)
    whole = flatten(dem, window(Band(100, 280), Band(1200, 1200))).ratio
    part = flatten(dem, window(Band(220, 40), Band(1800, 120))).ratio
    # a facet drawn out over the edge of a window is seen from both
    np.testing.assert_allclose(whole[120:160, 100:120], part, rtol=1e-6)


def ridges(longitude: float, latitude: float) -> Dem:
    """Ridges of 27 degrees across the range direction, with saddles."""
    step = 1.0 / 3600.0
    k = np.arange(-150, 151)
    x, y = np.meshgrid(k * step * 111_320.0 * np.cos(np.radians(latitude)), -k * step * 111_320.0)
    heights = 500.0 + 95.0 * np.sin((x + 0.2 * y) / 190.0) + 20.0 * np.sin(y / 250.0)
    return Dem(
        heights=heights.astype(np.float32),
        west=longitude - 150 * step,
        north=latitude + 150 * step,
        longitude_step=step,
        latitude_step=-step,
    )


def test_simulated_relief_becomes_flat(tmp_path: Path) -> None:
    longitude, latitude, level = 55.7, -21.0, 0.12
    dem = ridges(longitude, latitude)
    series = simulate_detected(
        Scene(dem=dem),
        [Acquisition(centre=datetime(2024, 6, 1, 1, 45))],
        tmp_path,
        mode=DetectedMode(lines=440, samples=440),
        background=Background(level=level, looks=None, relief=True),
    )
    image = open_sentinel1(series.products[0]).grd("VV")
    grid, start = image.grid, image.grid.first_line_time
    stop = start + grid.shape.lines * grid.line_interval
    orbit = Orbit.fit(image.state_vectors, start=start, stop=stop)
    box = GeographicBox(longitude - 0.012, latitude - 0.012, longitude + 0.012, latitude + 0.012)
    tile = utm_grid(box, spacing=10.0)
    geometry = DetectedGeometry.of(grid, orbit, tile, dem)
    profiles = TerrainProfiles.of(dem, orbit, spacing=10.0)
    whole = window(Band(0, 440), Band(0, 440))
    cells = ImageCells.of(geometry, orbit, window=whole, looks=Looks(2, 2))
    flattening = TerrainFlattening.of(cells, profiles)
    assert image.calibration is not None
    assert image.pixels is not None
    beta = Calibrated(
        lattice=calibration_lattice(image.calibration, Quantity.BETA, grid.shape),
        noise=None,
        interpolation=Interpolation.BILINEAR,
    )
    backscatter = SquaredAmplitudes(image.pixels).read(0, grid.shape.lines)
    beta.calibrate(backscatter, whole)
    rows, columns = tile.shape
    steep = np.zeros((rows, columns), np.float32)
    flat = np.empty((rows, columns), np.float32)
    places = geometry.places(Band(0, rows))
    beta.sample(places, backscatter, whole, steep)
    for row in range(rows):
        flat[row] = steep[row] * flattening.factors(places[0][row], places[1][row])
    _, projected = LocalIncidence.of(tile, dem, orbit).rows(Band(0, rows))
    level_ground = replace(dem, heights=np.full_like(dem.heights, 500.0))
    _, incidence = LocalIncidence.of(tile, level_ground, orbit).rows(Band(0, rows))
    steep *= np.tan(incidence)
    slopes = np.degrees(incidence - projected)

    def by_slope(values: Array) -> Array:
        bins = [(slopes >= a) & (slopes < a + 5.0) for a in range(-25, 25, 5)]
        assert all(inside.sum() > 300 for inside in bins)
        return np.array([10.0 * np.log10(values[inside].mean() / level) for inside in bins])

    before, after = by_slope(steep), by_slope(flat)
    assert np.ptp(before) > 6.0
    assert np.abs(after).max() < 0.2
