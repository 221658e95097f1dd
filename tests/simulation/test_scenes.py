"""What scenes hold: targets, coherence, brightness, motion, terrains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.model import GeographicBox, SlcProduct
from kernels.products.dem import load_dem
from kernels.simulation import (
    Acquisition,
    MogiSource,
    PointTarget,
    RangeRamp,
    Scene,
    TopsMode,
    load_scene,
    load_truth,
    plane,
    save_dem,
    simulate,
    volcano_island,
)
from kernels.simulation.locate_numba import cartesian, range_change
from kernels.simulation.scene import motion_of
from tests.simulation.conftest import CENTRE, START, hills, open_images
from tests.simulation.tools import coherence, deramped, ramp, read_burst

MODE = TopsMode(bursts=1, samples=400, burst_lines=260)
BOX = GeographicBox(CENTRE[0] - 0.2, CENTRE[1] - 0.2, CENTRE[0] + 0.2, CENTRE[1] + 0.2)
INNER = np.s_[40:-40, 50:-50]


def series(scene: Scene, folder: Path, baselines: Sequence[float]) -> tuple[SlcProduct, ...]:
    dates = [
        Acquisition(centre=START + timedelta(days=12 * k), perpendicular_baseline=baseline)
        for k, baseline in enumerate(baselines)
    ]
    return open_images(simulate(scene, dates, folder, mode=MODE))


def pixels(image: SlcProduct) -> np.ndarray:
    return read_burst(image, image.bursts[0])[INNER]


def test_point_targets_are_where_the_truth_says_with_the_phase_of_their_path(
    tmp_path: Path,
) -> None:
    places = [(0.0, 0.0), (0.004, -0.006), (-0.0031, 0.0052)]
    targets = tuple(
        PointTarget(longitude=CENTRE[0] + x, latitude=CENTRE[1] + y, amplitude=8000.0)
        for x, y in places
    )
    scene = Scene(dem=hills(), amplitude=1.0, targets=targets)
    images = series(scene, tmp_path, (0.0, 150.0))
    facts = load_scene(tmp_path / "truth")["targets_seen"]
    assert len(facts) == 6
    peaks: dict[tuple[int, str], tuple[complex, float]] = {}
    for fact in facts:
        (image,) = [i for i in images if i.name == fact["product"]]
        burst = image.bursts[0]
        i, j = round(fact["line"]), round(fact["sample"])
        size, fine = 32, 32
        window = deramped(image, burst)[i - size : i + size, j - size : j + size]
        spectrum = np.fft.fftshift(np.fft.fft2(window))
        padded = np.pad(spectrum, (fine - 1) * size)
        over = np.fft.ifft2(np.fft.ifftshift(padded)) * fine**2
        line, sample = (n / fine for n in np.unravel_index(np.abs(over).argmax(), over.shape))
        # the comb of the oversampled image has steps of 1/32
        assert abs(line + i - size - fact["line"]) < 0.02
        assert abs(sample + j - size - fact["sample"]) < 0.02
        assert np.abs(over).max() == pytest.approx(8000.0, rel=0.01)
        turned = np.angle(over.flat[np.abs(over).argmax()]) - ramp(
            image, burst, np.array(fact["line"]), np.array(fact["slant_range"])
        )
        peaks[fact["target"], fact["product"]] = (turned, fact["slant_range"])
    for number in range(3):
        first, second = (peaks[number, image.name] for image in images)
        expected = 4.0 * np.pi / images[0].grid.wavelength * (second[1] - first[1])
        error = np.angle(np.exp(1j * (first[0] - second[0] - expected)))
        assert abs(error) < 0.02  # [rad]


def test_land_keeps_its_coherence_between_any_two_dates(tmp_path: Path) -> None:
    scene = Scene(dem=hills(), land_coherence=0.6, sea_coherence=0.0)
    images = series(scene, tmp_path, (0.0, 0.0, 0.0))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        # 27 000 cells: standard deviation 0.003
        assert abs(coherence(pixels(images[one]), pixels(images[other])) - 0.6) < 0.015


def test_sea_is_dark_and_incoherent(tmp_path: Path) -> None:
    dem = plane(BOX, east_slope=0.02)
    scene = Scene(dem=dem, sea_amplitude=100.0, sea_coherence=0.0)
    images = series(scene, tmp_path, (0.0, 0.0))
    truth = load_truth(tmp_path / "truth", swath="IW1", burst=0)
    lines, samples = np.meshgrid(truth.lines, truth.samples, indexing="ij")
    first, second = (read_burst(image, image.bursts[0])[lines, samples] for image in images)
    valid = (first != 0) & (lines > 30) & (lines < 230)
    sea, land = valid & (truth.height < -3.0), valid & (truth.height > 3.0)
    assert min(sea.sum(), land.sum()) > 500
    assert np.sqrt(np.mean(np.abs(first[sea]) ** 2)) == pytest.approx(100.0, rel=0.06)
    assert np.sqrt(np.mean(np.abs(first[land]) ** 2)) == pytest.approx(1000.0, rel=0.06)
    assert coherence(first[sea], second[sea]) < 0.1
    assert coherence(first[land], second[land]) > 0.999


def test_additive_noise_lowers_coherence_by_its_share_of_the_power(tmp_path: Path) -> None:
    scene = Scene(dem=hills(), noise=500.0)
    images = series(scene, tmp_path, (0.0, 0.0))
    # signal 1, noise 1/4 on each date
    assert abs(coherence(pixels(images[0]), pixels(images[1])) - 1.0 / 1.25) < 0.015


@pytest.mark.parametrize(("land_coherence", "expected"), [(1.0, 1.0), (0.0, 0.0)])
def test_bursts_share_the_ground_but_not_the_noise(
    tmp_path: Path, land_coherence: float, expected: float
) -> None:
    mode = TopsMode(bursts=2, samples=400, burst_lines=260)
    scene = Scene(dem=hills(), land_coherence=land_coherence)
    dates = [Acquisition(centre=START), Acquisition(centre=START + timedelta(days=12))]
    _, image = open_images(simulate(scene, dates, tmp_path, mode=mode))
    upper, lower = image.bursts
    offset = round(
        (lower.grid.first_line_time - upper.grid.first_line_time) / upper.grid.line_interval
    )
    shared = np.arange(offset + 20, 240)
    above = deramped(image, upper)[shared, 40:-40]
    below = deramped(image, lower)[shared - offset, 40:-40]
    # 20 000 pixels of 12 000 looks: 0.009 where there is none
    assert coherence(above, below) == pytest.approx(expected, abs=0.03)


def test_slopes_towards_the_radar_are_bright(tmp_path: Path) -> None:
    levels = []
    # a descending right-looking pass looks to the west: ground that falls to the east faces it
    for slope in (-0.3, 0.0, 0.3):
        dem = plane(BOX, east_slope=slope, height=500.0)
        (image,) = series(Scene(dem=dem, relief=True), tmp_path / str(slope), (0.0,))
        levels.append(np.sqrt(np.mean(np.abs(pixels(image)) ** 2)))
    assert levels[0] > 1.3 * levels[1] > 1.3 * 1.3 * levels[2]
    assert levels[1] == pytest.approx(1000.0, rel=0.03)


def test_mogi_rises_most_above_its_centre() -> None:
    source = MogiSource(longitude=CENTRE[0], latitude=CENTRE[1], depth=2000.0, volume_change=3e6)
    scene = Scene(dem=hills(), sources=(source,))
    # Mogi 1958: the centre rises by (1 - nu) dV / (pi d^2), here 0.75 * 3e6 / (pi * 4e6)
    expected = 0.179049311
    above = cartesian(*CENTRE, 0.0)
    radar = cartesian(*CENTRE, 700_000.0)
    motion = motion_of(scene, 1.0)
    found = range_change(motion, above, 0.0, radar, 700_000.0)
    assert found == pytest.approx(-expected, rel=1e-6)  # nearer to a radar overhead
    assert range_change(motion_of(scene, 0.5), above, 0.0, radar, 700_000.0) == pytest.approx(
        -0.5 * expected, rel=1e-6
    )
    # at a distance of the depth, the rise is 2^-1.5 of that; seen from straight above
    beside = cartesian(CENTRE[0], CENTRE[1] + 2000.0 / 110_717.0, 0.0)
    up = np.array(cartesian(CENTRE[0], CENTRE[1] + 2000.0 / 110_717.0, 700_000.0))
    rise = -range_change(motion, beside, 0.0, tuple(up), 700_000.0)
    assert rise == pytest.approx(expected * 2.0**-1.5, rel=2e-3)


def test_ramps_are_linear_in_place_and_height(tmp_path: Path) -> None:
    air = RangeRamp(
        longitude=CENTRE[0], latitude=CENTRE[1], offset=0.01, east=1e-6, north=-2e-6, height=-1e-5
    )
    dates = [Acquisition(centre=START), Acquisition(centre=START + timedelta(12), ramps=(air,))]
    simulate(Scene(dem=hills()), dates, tmp_path, mode=MODE)
    truth = load_truth(tmp_path / "truth", swath="IW1", burst=0)
    east = (truth.longitude - CENTRE[0]) * 111_320.0 * np.cos(np.radians(CENTRE[1]))
    north = (truth.latitude - CENTRE[1]) * 110_717.0
    expected = 0.01 + 1e-6 * east - 2e-6 * north - 1e-5 * truth.height
    np.testing.assert_allclose(truth.range_change, expected, atol=2e-5)  # [m]; map is not flat


def test_volcano_is_an_island_in_level_sea() -> None:
    dem = volcano_island(BOX, radius=8000.0, summit=1500.0, step=1.0 / 1200.0)
    heights = dem.heights
    assert (heights >= 0.0).all()
    for edge in (heights[0], heights[-1], heights[:, 0], heights[:, -1]):
        assert (edge == 0.0).all()
    land = heights > 0.0
    area = land.sum() * 92.6 * 92.6 * np.cos(np.radians(21.0))
    assert area == pytest.approx(np.pi * 8000.0**2, rel=0.15)
    assert 900.0 < heights.max() < 2000.0
    again = volcano_island(BOX, radius=8000.0, summit=1500.0, step=1.0 / 1200.0)
    np.testing.assert_array_equal(heights, again.heights)


def test_saved_terrain_is_read_back_post_by_post(tmp_path: Path) -> None:
    dem = plane(BOX, height=100.0, east_slope=0.01, north_slope=0.02)
    save_dem(dem, tmp_path / "dem.tif")
    box = GeographicBox(CENTRE[0] - 0.1, CENTRE[1] - 0.1, CENTRE[0] + 0.1, CENTRE[1] + 0.1)
    read = load_dem([tmp_path / "dem.tif"], box, heights="ellipsoid", missing="fail")
    row = round((read.north - dem.north) / dem.latitude_step)
    column = round((read.west - dem.west) / dem.longitude_step)
    assert read.north == pytest.approx(dem.north + row * dem.latitude_step, abs=1e-9)
    assert read.west == pytest.approx(dem.west + column * dem.longitude_step, abs=1e-9)
    rows, columns = read.heights.shape
    np.testing.assert_array_equal(
        read.heights, dem.heights[row : row + rows, column : column + columns]
    )
