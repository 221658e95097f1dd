from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from osgeo import gdal

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
from tests.simulation.detected_tools import calibrated, centroid, pixels, seen
from tests.simulation.tools import ecef, surface

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


def test_refusals(tmp_path: Path) -> None:
    scene, date = Scene(dem=hills()), Acquisition(centre=datetime(2024, 1, 1))
    with pytest.raises(RequestError, match="acquisitions must be at least one"):
        simulate_detected(scene, [], tmp_path)
    for polarisations in ((), ("VV", "vv"), ("VX",)):
        with pytest.raises(RequestError, match="polarisations must be different ones of VV"):
            simulate_detected(scene, [date], tmp_path, polarisations=polarisations)
    with pytest.raises(RequestError, match="samples must be at least 40, got 20"):
        DetectedMode(samples=20)
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
