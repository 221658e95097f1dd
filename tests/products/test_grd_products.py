"""Detected products in folders and zips, and everything that can be wrong with them."""

from __future__ import annotations

import pickle
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.errors import ProductError
from kernels.model import OrbitSource, Shape
from kernels.products.pixels import GdalDetectedReader
from kernels.products.sentinel1 import open_sentinel1
from tests.products import grd_samples, samples

STEM = grd_samples.file_stem(0, 50, "VV")
TIFF = f"measurement/{STEM}.tiff"
TABLES = "annotation/calibration"


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return grd_samples.write_slice(tmp_path)


def test_manifest_tables_and_pixels_join_the_annotation(safe: Path) -> None:
    product = open_sentinel1(safe)
    assert (product.product_type, product.images) == ("GRD", (("IW", "VH"), ("IW", "VV")))
    assert product.facts().processed == datetime(2023, 4, 6, 1)
    image = product.grd("vv")
    assert image.name == product.name
    assert image.relative_orbit == samples.RELATIVE_ORBIT
    assert image.processor == "Sentinel-1 IPF 003.52"
    assert image.calibration is not None
    assert image.calibration.lines.tolist() == [0, 20, 40, 60]
    assert image.calibration.times[0] == pytest.approx(86398.25, abs=1e-9)
    assert image.noise is not None
    assert [vector.line for vector in image.noise.vectors] == [0, 20]
    assert image.pixels is not None
    np.testing.assert_array_equal(image.pixels.read(0, 50), grd_samples.pixels(0, 50))


def test_polarisations_are_told_apart(safe: Path) -> None:
    product = open_sentinel1(safe)
    assert [product.grd(name).polarisation for name in ("VV", "VH")] == ["VV", "VH"]


def test_a_zip_reads_as_the_folder_does(tmp_path: Path, safe: Path) -> None:
    packed = samples.zip_folder(safe, tmp_path / "product.zip")
    image = open_sentinel1(packed).grd("VV")
    assert image.grid == open_sentinel1(safe).grd("VV").grid
    assert image.calibration is not None
    assert image.noise is not None
    assert image.pixels is not None
    np.testing.assert_array_equal(image.pixels.read(3, 7, 4, 9), grd_samples.pixels(3, 7)[:, 4:13])


def test_a_cloud_optimised_product_reads_as_well(safe: Path) -> None:
    """Its files have names of their own, and its measurement is tiled and has overviews."""
    for file in [f for f in safe.rglob("*") if STEM in f.name]:
        file.rename(file.with_name(file.name.replace(STEM, f"{STEM}-cog")))
    tiff = safe / "measurement" / f"{STEM}-cog.tiff"
    plain = tiff.rename(tiff.with_name("plain.tiff"))
    gdal.Translate(str(tiff), str(plain), format="COG")
    image = open_sentinel1(safe.rename(safe.with_name(f"{safe.stem}_COG.SAFE"))).grd("VV")
    assert image.calibration is not None
    assert image.noise is not None
    assert image.pixels is not None
    np.testing.assert_array_equal(image.pixels.read(0, 50), grd_samples.pixels(0, 50))


def test_what_is_not_there_is_none(safe: Path) -> None:
    shutil.rmtree(safe / "measurement")
    shutil.rmtree(safe / TABLES)
    image = open_sentinel1(safe).grd("VV", need_pixels=False)
    assert (image.calibration, image.noise, image.pixels) == (None, None, None)


def test_an_epoch_holds_for_every_time_of_the_image(safe: Path) -> None:
    image = open_sentinel1(safe).grd("VV", epoch=samples.START)
    assert image.grid.epoch == image.state_vectors.epoch == samples.START
    assert image.grid.first_line_time == 0.0
    assert image.grid.records[0].azimuth_time == 0.0
    assert image.calibration is not None
    assert image.calibration.times.tolist() == [0.0, 10.0, 20.0, 30.0]
    assert image.state_vectors.times[0] == -70.0


def test_precise_orbit_of_the_folder_replaces_the_annotation_s(tmp_path: Path, safe: Path) -> None:
    orbits = tmp_path / "orbits"
    orbits.mkdir()
    (orbits / samples.orbit_file_name("POEORB")).write_text(samples.orbit_file())
    image = open_sentinel1(safe, orbits=orbits).grd("VV")
    assert image.state_vectors.source is OrbitSource.PRECISE


def test_a_detected_reader_serves_threads_and_other_processes(safe: Path) -> None:
    reader = GdalDetectedReader(str(safe / TIFF), shape=Shape(50, 30))
    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(lambda line: reader.read(line, 1)[0], range(50)))
    np.testing.assert_array_equal(np.array(rows), grd_samples.pixels(0, 50))
    sent = pickle.loads(pickle.dumps(reader))
    assert sent.read(49, 1).dtype == np.uint16
    np.testing.assert_array_equal(sent.read(49, 1), grd_samples.pixels(49, 1))


def test_the_largest_amplitude_survives(tmp_path: Path) -> None:
    values = np.array([[0, 65535]], dtype=np.uint16)
    samples.write_tiff(tmp_path / "a.tiff", values, kind=gdal.GDT_UInt16)
    read = GdalDetectedReader(str(tmp_path / "a.tiff"), shape=Shape(1, 2)).read(0, 1)
    np.testing.assert_array_equal(read, values)


def without_measurement(safe: Path) -> None:
    (safe / TIFF).unlink()


def with_fewer_lines(safe: Path) -> None:
    samples.write_tiff(safe / TIFF, grd_samples.pixels(0, 49), kind=gdal.GDT_UInt16)


def with_complex_pixels(safe: Path) -> None:
    samples.write_tiff(safe / TIFF, np.ones((50, 30), np.complex64))


def with_cut_off_measurement(safe: Path) -> None:
    (safe / TIFF).write_bytes((safe / TIFF).read_bytes()[:-50])


def with_a_page_for_a_measurement(safe: Path) -> None:
    (safe / TIFF).write_bytes(b"<html>503</html>")


def with_malformed_annotation(safe: Path) -> None:
    (safe / "annotation" / f"{STEM}.xml").write_text(grd_samples.annotation()[:2000])


def with_malformed_noise(safe: Path) -> None:
    (safe / TABLES / f"noise-{STEM}.xml").write_text("<a>")


def with_malformed_calibration(safe: Path) -> None:
    (safe / TABLES / f"calibration-{STEM}.xml").write_text("<a>")


def with_a_wrong_time_of_processing(safe: Path) -> None:
    (safe / "manifest.safe").write_text(grd_samples.manifest(processed="yesterday"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_measurement, f"has no measurement file {TIFF}"),
        (with_fewer_lines, f"{STEM}.tiff must have 50 lines and 30 samples as annotated, got 49"),
        (with_complex_pixels, f"{STEM}.tiff must have one UInt16 band, got 1 of type CInt16"),
        (with_cut_off_measurement, f"{STEM}.tiff is cut off"),
        (with_a_page_for_a_measurement, f"{STEM}.tiff cannot be read"),
        (with_malformed_annotation, f"{STEM}.xml is not well-formed XML"),
        (with_malformed_noise, f"noise-{STEM}.xml is not well-formed XML"),
        (with_malformed_calibration, f"calibration-{STEM}.xml is not well-formed XML"),
        (with_a_wrong_time_of_processing, "must be a UTC time, got yesterday"),
    ],
)
def test_a_damaged_product_is_named(
    safe: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(safe)
    with pytest.raises(ProductError) as caught:
        open_sentinel1(safe).grd("VV")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_where_a_grd_is_needed_an_slc_is_refused(tmp_path: Path) -> None:
    product = open_sentinel1(samples.write_safe(tmp_path))
    with pytest.raises(ProductError, match=f"{samples.PRODUCT} must be a GRD, got SLC"):
        product.grd("VV")


def test_an_absent_polarisation_is_answered_with_those_there(safe: Path) -> None:
    with pytest.raises(ProductError, match="has no image HH; there are: IW VH, IW VV"):
        open_sentinel1(safe).grd("HH")


# ---- real products


@pytest.mark.shared_data
def test_a_real_grd_with_everything(shared_data: Path) -> None:
    (path,) = shared_data.glob("rome_s1/*GRDH*.SAFE")
    image = open_sentinel1(path).grd("VV")
    assert image.processor == "Sentinel-1 IPF 003.40"
    assert image.relative_orbit == 22
    assert not image.ascending
    assert image.grid.shape == Shape(16705, 26102)
    assert len(image.grid.records) == 28
    assert image.calibration is not None
    assert image.noise is not None
    assert image.pixels is not None
    assert image.pixels.read(16704, 1).shape == (1, 26102)


@pytest.mark.shared_data
def test_a_real_grd_without_calibration(shared_data: Path) -> None:
    (path,) = shared_data.glob("alps_iw_desc_and_grd/*GRDH*.SAFE")
    image = open_sentinel1(path).grd("VH", need_pixels=False)
    assert image.polarisation == "VH"
    assert image.calibration is None
    assert image.noise is None


@pytest.mark.shared_data
def test_real_times_of_processing(shared_data: Path) -> None:
    found = {
        path.stem[-4:]: open_sentinel1(path).facts().processed
        for path in shared_data.glob("grd_slices/*.zip")
    }
    assert found == {
        "6D00": datetime(2016, 4, 18, 8, 30, 57),
        "FEC3": datetime(2015, 2, 3, 8, 4, 33),
        "CEAB": datetime(2015, 2, 22, 19, 26, 16),
        "3768": datetime(2015, 2, 22, 19, 26, 19),
    }


def test_the_name_says_where_a_window_is_outside(safe: Path) -> None:
    image = open_sentinel1(safe).grd("VV")
    assert image.pixels is not None
    with pytest.raises(ProductError, match=re.escape(f"{STEM}.tiff: window must be inside 50")):
        image.pixels.read(49, 2)
