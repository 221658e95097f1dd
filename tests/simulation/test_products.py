"""Simulated products as files: GDAL, the project's reader and the manifest agree on them."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from osgeo import gdal

from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError, RequestError
from kernels.model import SPEED_OF_LIGHT
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Acquisition,
    Scene,
    StripMapMode,
    TopsMode,
    load_scene,
    load_truth,
    simulate,
)
from kernels.simulation.modes import SWATHS
from tests.simulation.conftest import START, Small, hills


def test_gdal_opens_the_measurement_with_the_tags_that_others_look_for(small: Small) -> None:
    gdal.UseExceptions()
    for product, image in zip(small.series.products, small.images, strict=True):
        (path,) = (product / "measurement").glob("*.tiff")
        dataset = gdal.Open(str(path))
        assert dataset.RasterCount == 1
        assert dataset.GetRasterBand(1).DataType == gdal.GDT_CInt16
        assert (dataset.RasterYSize, dataset.RasterXSize) == image.grid.shape
        tags = dataset.GetMetadata()
        assert tags["TIFFTAG_IMAGEDESCRIPTION"].startswith("Sentinel-1")
        assert tags["TIFFTAG_DATETIME"] == f"{image.start:%Y:%m:%d %H:%M:%S}"
        assert tags["TIFFTAG_SOFTWARE"].startswith("Sentinel-1 IPF")
        points = dataset.GetGCPs()
        assert len(points) == image.geolocation.lines.size
        assert abs(points[0].GCPX - image.geolocation.longitudes[0]) < 1e-9
        assert points[0].GCPPixel == 0.5


def test_gdal_opens_the_manifest(small: Small) -> None:
    gdal.UseExceptions()
    dataset = gdal.Open(str(small.series.products[0] / "manifest.safe"))
    assert dataset.GetDriver().ShortName == "SAFE"
    tags = dataset.GetMetadata()
    assert (tags["MODE"], tags["PRODUCT_TYPE"], tags["ORBIT_DIRECTION"]) == (
        "IW",
        "SLC",
        "DESCENDING",
    )
    names = [name for name, _ in dataset.GetSubDatasets()]
    (plain,) = [name for name in names if name.endswith("UNCALIB:") or ":COMPLEX" in name]
    pixels = gdal.Open(plain).ReadAsArray(100, 100, 20, 10)
    assert small.images[0].pixels is not None
    np.testing.assert_array_equal(pixels, small.images[0].pixels.read(100, 10, 100, 20))


def test_manifest_names_every_file_with_its_size_and_checksum(small: Small) -> None:
    for product in small.series.products:
        named = set()
        for stream in etree.parse(product / "manifest.safe").iter("byteStream"):
            path = product / stream.find("fileLocation").get("href")
            named.add(path.relative_to(product))
            assert int(stream.get("size")) == path.stat().st_size
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            assert stream.findtext("checksum") == digest
        files = {p.relative_to(product) for p in product.rglob("*") if p.is_file()}
        assert named == files - {Path("manifest.safe")}


def test_reader_gets_back_what_was_simulated(small: Small) -> None:
    figures = SWATHS["IW1"]
    first, second = small.images[0], small.images[1]
    assert (first.platform, first.mode, first.relative_orbit) == ("S1A", "IW", 151)
    assert not first.ascending
    assert len(first.bursts) == 2
    assert first.grid.line_interval == figures.line_interval
    assert first.grid.slant_range_spacing == pytest.approx(figures.range_spacing, rel=1e-14)
    assert first.bursts[0].steering_rate == pytest.approx(np.radians(figures.steering_rate))
    assert first.bursts[0].doppler.coefficients == figures.doppler
    assert first.bursts[0].fm_rate.origin == figures.near_time
    # the reader measures the bistatic term on tie points whose times are rounded to 1 us
    bistatic = 0.5 * SPEED_OF_LIGHT * figures.bistatic_time
    assert abs(first.grid.bistatic_range - bistatic) / SPEED_OF_LIGHT < 3e-8  # [s]
    # bursts repeat by whole lines to the microsecond, and are delayed as asked on the second date
    starts = [burst.grid.first_line_time for burst in first.bursts]
    lines = (starts[1] - starts[0]) / figures.line_interval
    assert abs(lines - round(lines)) < 1e-3
    delay = second.bursts[0].grid.first_line_time - starts[0]
    assert delay == pytest.approx(7e-4, abs=1.1e-6)
    assert first.calibration is not None
    assert (first.calibration.beta_nought == 237.0).all()
    middle = first.calibration.sigma_nought[0, first.calibration.pixels.size // 2]
    angle = np.median(first.geolocation.incidence_angles)
    assert middle == pytest.approx(237.0 / np.sqrt(np.sin(angle)), rel=1e-3)


def test_pixels_fill_the_valid_samples_only(small: Small) -> None:
    image = small.images[1]
    assert image.pixels is not None
    for burst in image.bursts:
        pixels = image.pixels.read(burst.first_line, burst.grid.shape.lines)
        samples = np.arange(burst.grid.shape.samples)
        first, last = burst.first_valid_sample[:, None], burst.last_valid_sample[:, None]
        valid = (first >= 0) & (samples >= first) & (samples <= last)
        assert 0.7 < valid.mean() < 1.0
        assert (pixels[~valid] == 0).all()
        rms = np.sqrt(np.mean(np.abs(pixels[valid]) ** 2))
        assert rms == pytest.approx(small.scene.amplitude, rel=0.02)
        assert np.abs(pixels.real).max() < 32767


def test_neighbouring_bursts_and_swaths_overlap(tmp_path: Path) -> None:
    mode = TopsMode(swaths=("IW1", "IW2", "IW3"), bursts=2, samples=200, burst_lines=160)
    series = simulate(Scene(dem=hills()), [Acquisition(centre=START)], tmp_path, mode=mode)
    product = open_sentinel1(series.products[0])
    images = [product.slc(swath, "VV") for swath in ("IW1", "IW2", "IW3")]
    for one, other in pairwise(images):
        far = one.grid.slant_range(one.bursts[0].last_valid_sample.max().astype(float))
        near = other.grid.slant_range(32.0)
        assert other.grid.first_slant_range < one.grid.slant_range(199.0)
        assert abs(near - far) < 200.0  # [m]
    for image in images:
        upper, lower = image.bursts
        last = np.flatnonzero(upper.first_valid_sample >= 0)[-1]
        first = np.flatnonzero(lower.first_valid_sample >= 0)[0]
        cycle = lower.grid.first_line_time - upper.grid.first_line_time
        assert last - first - cycle / upper.grid.line_interval > 20  # [lines]


def test_stripmap_is_one_burst_without_ramp(tmp_path: Path) -> None:
    dates = [Acquisition(centre=START), Acquisition(centre=START, platform="S1C")]
    mode = StripMapMode(lines=200, samples=150)
    series = simulate(Scene(dem=hills()), dates, tmp_path, mode=mode)
    product = open_sentinel1(series.products[0])
    assert (product.mode, product.name[:6]) == ("SM", "S1A_S3")
    image = product.slc("S3", "VV")
    assert image.grid.shape == (200, 150)
    assert len(image.bursts) == 1
    assert image.bursts[0].steering_rate == 0.0
    assert open_sentinel1(series.products[1]).slc("S3", "VV").platform == "S1C"


def test_result_depends_neither_on_threads_nor_on_runs(tmp_path: Path) -> None:
    files = []
    for threads in (1, 3):
        series = simulate(
            Scene(dem=hills(), land_coherence=0.6, sea_coherence=0.6),
            [Acquisition(centre=START, perpendicular_baseline=30.0)],
            tmp_path / str(threads),
            mode=TopsMode(bursts=1, samples=100, burst_lines=120),
            threads=threads,
        )
        folder = series.products[0].parent
        files.append(
            {
                p.relative_to(folder): p.read_bytes()
                for p in folder.rglob("*")
                if p.suffix in (".tiff", ".xml", ".safe", ".json")
            }
        )
    assert files[0].keys() == files[1].keys()
    assert files[0] == files[1]


def test_simulating_again_replaces_and_cancelling_leaves_nothing(tmp_path: Path) -> None:
    mode = TopsMode(bursts=1, samples=64, burst_lines=100)
    for seed in (1, 2):
        series = simulate(
            Scene(dem=hills(), seed=seed), [Acquisition(centre=START)], tmp_path, mode=mode
        )
    assert load_scene(series.truth)["scene"]["seed"] == 2
    assert len(list(tmp_path.iterdir())) == 2
    progress = Progress.to(lambda share, step: progress.cancelled.set())
    with pytest.raises(Cancelled):
        simulate(
            Scene(dem=hills()),
            [Acquisition(centre=START)],
            tmp_path / "stopped",
            mode=mode,
            progress=progress,
        )
    assert not (tmp_path / "stopped").exists()


def test_wrong_wishes_are_refused_by_name(tmp_path: Path, small: Small) -> None:
    with pytest.raises(RequestError, match="acquisitions"):
        simulate(Scene(dem=hills()), [], tmp_path)
    twice = [Acquisition(centre=START), Acquisition(centre=START)]
    with pytest.raises(RequestError, match="different instants"):
        simulate(Scene(dem=hills()), twice, tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(RequestError, match=r"land_coherence must be from 0 to 1, got 1\.2"):
        Scene(dem=hills(), land_coherence=1.2)
    with pytest.raises(RequestError, match="swaths must be among IW1, IW2, IW3, got EW1"):
        TopsMode(swaths=("EW1",)).figures()
    with pytest.raises(InputError, match="iw1_burst9"):
        load_truth(small.series.truth, swath="IW1", burst=9)
    with pytest.raises(InputError, match=r"scene\.json"):
        load_scene(tmp_path)
