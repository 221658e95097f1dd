from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.model import Dem, GrdProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Acquisition,
    Background,
    DetectedMode,
    PointTarget,
    Scene,
    load_detected_truth,
    simulate_detected,
)
from tests.simulation.conftest import CENTRE, START, hills
from tests.simulation.detected_tools import calibrated, on_pixels, pixels, seen
from tests.simulation.tools import Array, ecef, orbit, surface

LEVEL = 0.12


def one(tmp_path: Path, dem: Dem, **background: object) -> GrdProduct:
    """A small image without speckle and targets."""
    series = simulate_detected(
        Scene(dem=dem),
        [Acquisition(centre=START)],
        tmp_path,
        mode=DetectedMode(lines=200, samples=600),
        background=Background(level=LEVEL, looks=None, **background),
    )
    return open_sentinel1(series.products[0]).grd("VV")


def noise_power(image: GrdProduct) -> Array:
    assert image.noise is not None
    vectors = image.noise.vectors
    power = on_pixels(
        image,
        np.array([v.line for v in vectors]),
        vectors[0].pixels,
        np.array([v.values for v in vectors]),
    )
    for block in image.noise.blocks:
        part = slice(block.first_line, block.last_line + 1)
        columns = slice(block.first_sample, block.last_sample + 1)
        lines = np.arange(block.first_line, block.last_line + 1)
        power[part, columns] *= np.interp(lines, block.lines, block.values)[:, None]
    return power


def test_constant_scene_is_constant(tmp_path: Path) -> None:
    image = one(tmp_path, hills())
    vector = calibrated(image, "gamma")
    expected = np.sqrt(LEVEL) * vector
    assert np.abs(pixels(image) - expected).max() <= 0.5 + 1e-3  # rounded, float32
    assert np.ptp(expected) > 1.0


def test_noise_adds_its_power(tmp_path: Path) -> None:
    image = one(tmp_path, hills(), noise=True, quantity="sigma_nought")
    power = noise_power(image)
    assert power.max() / power.min() > 1.3
    signal = LEVEL * calibrated(image, "sigma_nought") ** 2
    assert np.abs(pixels(image) - np.sqrt(signal + power)).max() <= 0.5 + 1e-3


def tilted(east: float, north: float) -> Dem:
    """A plane in longitude and latitude through 300 m at the centre, slopes in m/m."""
    step, posts = 1.0 / 1200.0, 160
    k = step * (np.arange(posts) - posts // 2) * 111_320.0
    heights = 300.0 + east * np.cos(np.radians(CENTRE[1])) * k[None, :] - north * k[:, None]
    return Dem(
        heights=heights.astype(np.float32),
        west=CENTRE[0] - step * (posts // 2),
        north=CENTRE[1] + step * (posts // 2),
        longitude_step=step,
        latitude_step=-step,
    )


def brightness(image: GrdProduct, dem: Dem, longitude: float, latitude: float) -> float:
    """Beta nought of ground of gamma nought 1: n.l over n.c for the unit normal n of the ground.

    A facet is seen with n.l and takes up n.c of the slant plane: l points to the radar, c is the
    normal of the plane of the line of sight and the track.
    """
    step = 1e-4
    lon = longitude + step * np.array([0.0, 1.0, 0.0])
    lat = latitude + step * np.array([0.0, 0.0, 1.0])
    here, east, north = ecef(lon, lat, surface(dem)((lat, lon)))
    normal = np.cross(east - here, north - here)
    line, _ = seen(image, here)
    time = image.grid.first_line_time + line * image.grid.line_interval
    position, velocity = orbit(image, np.array([time]))
    look = (position[0] - here) / np.linalg.norm(position[0] - here)
    # the track over the ground has the direction of the platform's, slower
    across = np.cross(look, velocity[0] / np.linalg.norm(velocity[0]))
    return float(normal @ look) / abs(float(normal @ across))


@pytest.mark.parametrize("slopes", [(0.0, 0.0), (0.25, 0.1), (-0.25, 0.0), (0.0, -0.3)])
def test_brightness_of_a_slope_is_that_of_its_projected_area(
    tmp_path: Path, slopes: tuple[float, float]
) -> None:
    dem = tilted(*slopes)
    image = one(tmp_path, dem, relief=True)
    beta_nought = (pixels(image) / calibrated(image, "beta_nought")) ** 2
    height = surface(dem)((np.array([CENTRE[1]]), np.array([CENTRE[0]])))
    line, pixel = seen(image, ecef(np.array([CENTRE[0]]), np.array([CENTRE[1]]), height)[0])
    expected = LEVEL * brightness(image, dem, *CENTRE)
    i, j = round(line), round(pixel)
    found = beta_nought[i - 30 : i + 31, j - 30 : j + 31].mean()
    assert found == pytest.approx(expected, rel=5e-3)


def test_brightness_of_hills_follows_their_slopes(tmp_path: Path) -> None:
    posts, side = 480, 1.0 / 3600.0
    k = np.arange(posts) - posts // 2
    heights = 900.0 + 270.0 * np.sin(k / 25.0)[None, :] * np.cos(k / 30.0)[:, None]
    dem = Dem(
        heights=heights.astype(np.float32),
        west=CENTRE[0] - side * (posts // 2),
        north=CENTRE[1] + side * (posts // 2),
        longitude_step=side,
        latitude_step=-side,
    )
    step = np.linspace(-0.02, 0.02, 9)
    places = tuple(
        PointTarget(longitude=CENTRE[0] + x, latitude=CENTRE[1] + 0.3 * y, amplitude=0.0)
        for x in step
        for y in step
    )
    series = simulate_detected(
        Scene(dem=dem, targets=places),
        [Acquisition(centre=START)],
        tmp_path,
        mode=DetectedMode(lines=200, samples=600),
        background=Background(level=LEVEL, looks=None, relief=True),
    )
    image = open_sentinel1(series.products[0]).grd("VV")
    beta_nought = (pixels(image) / calibrated(image, "beta_nought")) ** 2
    seen_places = load_detected_truth(series.truth).targets
    ratios, expected = [], []
    for k in range(seen_places.index.size):
        i, j = round(seen_places.line[k]), round(seen_places.pixel[k])
        if 3 < i < 196 and 3 < j < 596:
            ratio = LEVEL * brightness(
                image, dem, *(seen_places.longitude[k], seen_places.latitude[k])
            )
            expected.append(ratio)
            ratios.append(beta_nought[i - 1 : i + 2, j - 1 : j + 2].mean() / ratio)
    assert len(ratios) > 40
    assert max(expected) > 1.3 * min(expected)
    # slopes change within the 3 x 3 pixels, and from one cell of the elevation model to the next
    assert np.median(ratios) == pytest.approx(1.0, abs=3e-3)
    assert np.abs(np.array(ratios) - 1.0).max() < 0.03


def test_relief_of_level_ground_is_constant_gamma_nought(tmp_path: Path) -> None:
    image = one(tmp_path, tilted(0.0, 0.0), relief=True)
    gamma = (pixels(image) / calibrated(image, "gamma")) ** 2
    assert gamma.mean() == pytest.approx(LEVEL, rel=1e-3)
    rounding = 1.0 / pixels(image).min()
    # a change of records shifts a line's pixels by up to 0.1 across a facet
    assert np.abs(np.median(gamma, axis=0) / LEVEL - 1.0).max() < rounding + 1e-3


def test_sea_has_a_level_of_its_own(tmp_path: Path) -> None:
    dem = hills()
    land = one(tmp_path / "land", dem, relief=True)
    scene = Scene(dem=dem, sea_height=500.0)
    background = Background(level=LEVEL, looks=None, relief=True, sea_level=0.25 * LEVEL)
    series = simulate_detected(
        scene,
        [Acquisition(centre=START)],
        tmp_path / "sea",
        mode=DetectedMode(lines=200, samples=600),
        background=background,
    )
    both = open_sentinel1(series.products[0]).grd("VV")
    ratio = (pixels(both) / pixels(land)) ** 2
    assert ratio.min() > 0.24
    assert ratio.max() < 1.01
    assert 0.2 < (ratio > 0.97).mean() < 0.8
    assert 0.2 < (ratio < 0.27).mean() < 0.8
