from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from osgeo import gdal
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import brentq

from kernels.errors import InputError, RequestError
from kernels.model import SPEED_OF_LIGHT, Dem, GrdProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Acquisition,
    Background,
    DetectedMode,
    DetectedTruth,
    PointTarget,
    Scene,
    SimulatedDetected,
    TargetGrid,
    load_detected_truth,
    load_scene,
    simulate_detected,
)
from tests.simulation.conftest import CENTRE, START, hills
from tests.simulation.tools import Array, ecef, orbit, surface

MODE = DetectedMode(lines=420, samples=500, slices=2)
LATER = START + timedelta(days=12)
LEVEL = 0.12


class Detected(NamedTuple):
    """Two dates of two slices in two polarisations, with targets and borders."""

    series: SimulatedDetected
    dem: Dem

    def image(self, product: int, polarisation: str = "VV") -> GrdProduct:
        return open_sentinel1(self.series.products[product]).grd(polarisation)

    def truth(self, product: int) -> DetectedTruth:
        return load_detected_truth(self.series.truth, product=product)


@pytest.fixture(scope="module")
def speckled(tmp_path_factory: pytest.TempPathFactory) -> Detected:
    dem = hills()
    series = simulate_detected(
        Scene(dem=dem, targets=(PointTarget(longitude=0.0, latitude=0.0, amplitude=1e4),)),
        [
            Acquisition(centre=START),
            Acquisition(centre=LATER, perpendicular_baseline=90.0, timing_offset=4e-4),
        ],
        tmp_path_factory.mktemp("detected"),
        mode=MODE,
        background=Background(level=LEVEL, looks=4.4),
        target_grid=TargetGrid(count=40, margin=20),
        polarisations=("VV", "VH"),
        border=8,
    )
    return Detected(series, dem)


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


def pixels(image: GrdProduct) -> Array:
    assert image.pixels is not None
    return image.pixels.read(0, image.grid.shape.lines).astype(np.float64)


def on_pixels(image: GrdProduct, lines: Array, samples: Array, values: Array) -> Array:
    """Linear between vectors and between samples."""
    table = RegularGridInterpolator((lines, samples), values.astype(np.float64))
    return table(tuple(np.indices(image.grid.shape)))


def calibrated(image: GrdProduct, quantity: str) -> Array:
    lut = image.calibration
    assert lut is not None
    return on_pixels(image, lut.lines, lut.pixels, getattr(lut, quantity))


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


def seen(image: GrdProduct, point: Array) -> tuple[float, float]:
    """Line and pixel of a ground point, by bisection."""
    grid = image.grid

    def doppler(time: float) -> float:
        position, velocity = orbit(image, np.array([time]))
        return float((point - position[0]) @ velocity[0])

    middle = grid.first_line_time + 0.5 * grid.shape.lines * grid.line_interval
    time = brentq(doppler, middle - 5.0, middle + 5.0, xtol=1e-12)
    slant_range = float(np.linalg.norm(point - orbit(image, np.array([time]))[0][0]))
    assert grid.bistatic_range is not None
    annotated = time - (slant_range - grid.bistatic_range) / SPEED_OF_LIGHT
    record = min(grid.records, key=lambda r: abs(r.azimuth_time - annotated))

    def miss(ground_range: float) -> float:
        x = ground_range - record.ground_range_origin
        return float(np.polynomial.polynomial.polyval(x, record.ground_to_slant)) - slant_range

    ground_range = brentq(miss, -1e4, 1e5, xtol=1e-9)
    return (
        (annotated - grid.first_line_time) / grid.line_interval,
        ground_range / grid.ground_range_spacing,
    )


def centroid(amplitudes: Array, line: float, pixel: float) -> tuple[float, float]:
    """Centre of the intensity of the 7 x 7 pixels around a peak."""
    i, j = round(line), round(pixel)
    window = amplitudes[i - 3 : i + 4, j - 3 : j + 4] ** 2
    offsets = np.arange(-3, 4)
    total = window.sum()
    return (
        i + float(window.sum(axis=1) @ offsets) / total,
        j + float(window.sum(axis=0) @ offsets) / total,
    )


@pytest.mark.parametrize("product", range(4))
def test_targets_are_where_zero_doppler_geometry_puts_them(
    speckled: Detected, product: int
) -> None:
    image, targets = speckled.image(product), speckled.truth(product).targets
    assert 15 <= targets.index.size <= 22
    heights = surface(speckled.dem)((targets.latitude, targets.longitude))
    np.testing.assert_allclose(targets.height, heights, atol=1e-3)  # [m], float32 posts
    points = ecef(targets.longitude, targets.latitude, targets.height)
    places = np.array([seen(image, point) for point in points])
    # times are annotated to the microsecond, 7e-4 line; the bistatic range is fitted to them
    np.testing.assert_allclose(targets.line, places[:, 0], atol=1e-3)
    np.testing.assert_allclose(targets.pixel, places[:, 1], atol=1e-4)


@pytest.mark.parametrize("polarisation", ["VV", "VH"])
def test_peaks_lie_at_the_saved_coordinates(speckled: Detected, polarisation: str) -> None:
    for product in range(4):
        amplitudes = pixels(speckled.image(product, polarisation))
        targets = speckled.truth(product).targets
        for line, pixel, peak in zip(targets.line, targets.pixel, targets.peak, strict=True):
            if not (12 < line < 408 and 12 < pixel < 488):
                continue
            found = centroid(amplitudes, line, pixel)
            np.testing.assert_allclose(found, (line, pixel), atol=0.005)  # [pixels]
            nearest = amplitudes[round(line), round(pixel)]
            assert 0.7 * peak < nearest < 1.01 * peak


def test_dates_see_the_same_targets(speckled: Detected) -> None:
    first, again = speckled.truth(0).targets, speckled.truth(2).targets
    common, mine, other = np.intersect1d(first.index, again.index, return_indices=True)
    assert common.size > 15
    np.testing.assert_array_equal(first.longitude[mine], again.longitude[other])
    # 0.4 ms later and 90 m aside, the same ground lies elsewhere in the image
    assert np.abs(first.line[mine] - again.line[other]).mean() > 0.2
    assert np.abs(first.pixel[mine] - again.pixel[other]).mean() > 0.02
    facts = load_scene(speckled.series.truth)
    assert len(facts["targets"]) == 1 + 40
    assert facts["products"] == [speckled.image(k).name for k in range(4)]


def test_slices_continue_one_grid(speckled: Detected) -> None:
    first, second = speckled.image(0), speckled.image(1)
    step = MODE.lines * first.grid.line_interval
    rounding = second.grid.first_line_time - first.grid.first_line_time - step
    assert abs(rounding) <= 1e-6  # [s], as annotated
    shared = {r.azimuth_time: r for r in first.grid.records}
    common = [r for r in second.grid.records if r.azimuth_time in shared]
    assert len(common) >= 2
    assert all(r == shared[r.azimuth_time] for r in common)
    targets = speckled.truth(1).targets
    points = ecef(targets.longitude, targets.latitude, targets.height)
    places = np.array([seen(first, point) for point in points])
    np.testing.assert_allclose(places[:, 0], targets.line + MODE.lines, atol=2e-3)
    # records change between the ends of the pass: 0.1 pixel at most
    np.testing.assert_allclose(places[:, 1], targets.pixel, atol=0.2)
    assert first.name.split("_")[5] <= second.name.split("_")[4]


def test_borders_are_zero_and_nothing_else_is(speckled: Detected) -> None:
    for product in range(2):
        valid = speckled.truth(product).is_valid()
        assert 0.9 < valid.mean() < 0.99
        np.testing.assert_array_equal(pixels(speckled.image(product)) > 0, valid)
    # slices meet without a border
    assert speckled.truth(0).is_valid()[-1].any()
    assert speckled.truth(1).is_valid()[0].any()
    assert not speckled.truth(0).is_valid()[0, -1]
    assert not speckled.truth(1).is_valid()[-1, 0]


def test_speckle_has_the_looks_and_level_asked_for(speckled: Detected) -> None:
    intensities = []
    for product, polarisation, level in ((0, "VV", 1.0), (0, "VH", 0.2), (2, "VV", 1.0)):
        image = speckled.image(product, polarisation)
        targets = speckled.truth(product).targets
        clear = speckled.truth(product).is_valid()
        for line, pixel in zip(targets.line, targets.pixel, strict=True):
            clear[:, max(round(pixel) - 25, 0) : round(pixel) + 26] &= (
                np.abs(np.arange(MODE.lines) - line)[:, None] > 25
            )
        power = pixels(image) ** 2 / calibrated(image, "gamma") ** 2
        values = power[clear] / (LEVEL * level)
        assert values.size > 80_000
        assert values.mean() == pytest.approx(1.0, abs=6e-3)  # standard error 1.7e-3
        assert values.mean() ** 2 / values.var() == pytest.approx(4.4, rel=0.03)
        pairs = clear[:, 1:] & clear[:, :-1]
        assert abs(np.corrcoef(power[:, 1:][pairs], power[:, :-1][pairs])[0, 1]) < 0.015
        intensities.append(np.where(clear, power, np.nan))
    for k in (1, 2):
        both = np.isfinite(intensities[0]) & np.isfinite(intensities[k])
        assert abs(np.corrcoef(intensities[0][both], intensities[k][both])[0, 1]) < 0.015


def test_readers_give_back_what_was_made(speckled: Detected) -> None:
    image = speckled.image(1, "VH")
    assert image.polarisation == "VH"
    assert image.mode == "IW"
    assert image.relative_orbit == 151
    assert image.name.startswith("S1A_IW_GRDH_1SDV_20240601T0145")
    assert not image.ascending
    assert image.grid.shape == (MODE.lines, MODE.samples)
    assert image.grid.ground_range_spacing == 10.0
    assert image.grid.bistatic_range == pytest.approx(0.5 * SPEED_OF_LIGHT * 5.85e-3, abs=60.0)
    middle = image.grid.records[0].ground_to_slant
    assert np.polynomial.polynomial.polyval(2500.0, middle) == pytest.approx(830e3, abs=300.0)
    assert image.noise is not None
    assert [block.swath for block in image.noise.blocks] == ["IW1", "IW2"]
    assert image.geolocation.lines.size == 210
    assert abs(image.geolocation.longitudes.mean() - CENTRE[0]) < 0.05
    assert abs(image.geolocation.latitudes.mean() - CENTRE[1]) < 0.05


def test_gdal_takes_the_files_as_sentinel1(speckled: Detected) -> None:
    gdal.UseExceptions()
    folder = speckled.series.products[0]
    paths = sorted((folder / "measurement").iterdir())
    assert [p.name.split("-")[3] for p in paths] == ["vh", "vv"]
    for path in paths:
        dataset = gdal.Open(str(path))
        assert (dataset.RasterYSize, dataset.RasterXSize) == (MODE.lines, MODE.samples)
        assert dataset.GetRasterBand(1).DataType == gdal.GDT_UInt16
        assert dataset.GetGCPCount() == 210
        tags = dataset.GetMetadata()
        assert tags["TIFFTAG_IMAGEDESCRIPTION"].startswith("Sentinel-1A IW GRD")
    product = gdal.Open(str(folder / "manifest.safe"))
    assert product.GetMetadataItem("PRODUCT_TYPE") == "GRD"
    assert product.GetMetadataItem("MODE") == "IW"
    assert not list(folder.rglob("summary.txt"))


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


def test_refusals(tmp_path: Path) -> None:
    scene, date = Scene(dem=hills()), Acquisition(centre=datetime(2024, 1, 1))
    with pytest.raises(RequestError, match="acquisitions must be at least one"):
        simulate_detected(scene, [], tmp_path)
    with pytest.raises(RequestError, match="polarisations must be at least one"):
        simulate_detected(scene, [date], tmp_path, polarisations=())
    with pytest.raises(RequestError, match="border must be from 0 to a quarter"):
        simulate_detected(scene, [date], tmp_path, border=500)
    small = DetectedMode(lines=40, samples=40)
    with pytest.raises(RequestError, match="different instants"):
        simulate_detected(scene, [date, date], tmp_path, mode=small)
    with pytest.raises(RequestError, match="level must be above 0, got 0"):
        Background(level=0.0)
    with pytest.raises(RequestError, match="relief must be used with the quantity gamma"):
        Background(relief=True, quantity=None)
    with pytest.raises(RequestError, match="sea_level must be used with relief"):
        Background(sea_level=0.01)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="targets_3"):
        load_detected_truth(tmp_path, product=3)
