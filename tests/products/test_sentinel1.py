"""Products in folders and zips, and everything that can be wrong with them."""

from __future__ import annotations

import dataclasses
import pickle
import re
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal

from kernels.errors import OrbitError, ProductError
from kernels.model import OrbitSource
from kernels.products.sentinel1 import Sentinel1Product, open_sentinel1
from tests.products import samples


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return samples.write_safe(tmp_path)


def assert_same(one: Any, other: Any) -> None:
    """Compare two dataclasses field by field, arrays by value."""
    if dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif hasattr(one, "read"):
        np.testing.assert_array_equal(
            one.read(0, one.shape.lines), other.read(0, other.shape.lines)
        )
    else:
        assert one == other


def test_what_a_product_says_about_itself(safe: Path) -> None:
    product = open_sentinel1(safe)
    assert isinstance(product, Sentinel1Product)
    assert product.name == samples.PRODUCT
    assert (product.platform, product.mode, product.product_type) == ("S1A", "IW", "SLC")
    assert product.start == datetime(2023, 4, 5, 23, 59, 50)
    assert product.images == (("IW2", "VV"),)


def test_manifest_calibration_and_pixels_join_the_annotation(safe: Path) -> None:
    image = open_sentinel1(safe).slc("IW2", "VV")
    assert image.name == samples.PRODUCT
    assert image.relative_orbit == samples.RELATIVE_ORBIT
    assert image.processor == "Sentinel-1 IPF 003.52"
    assert image.pixels is not None
    np.testing.assert_array_equal(image.pixels.read(0, 36), samples.pixels())
    assert image.calibration is not None
    assert image.calibration.lines.tolist() == [-500, 500]
    np.testing.assert_allclose(image.calibration.times, [86397.25, 86399.25], atol=1e-9)


def test_a_calibration_vector_on_other_samples_is_interpolated(safe: Path) -> None:
    calibration = open_sentinel1(safe).slc("IW2", "VV").calibration
    assert calibration is not None
    assert calibration.pixels.tolist() == [0, 10, 19]
    assert calibration.sigma_nought[0].tolist() == [330.5, 331.5, 332.5]
    # the second vector rises by one per sample from 340
    np.testing.assert_allclose(calibration.sigma_nought[1], [340.0, 350.0, 359.0], rtol=1e-6)


def test_the_epoch_is_the_product_s_day_for_every_image(tmp_path: Path) -> None:
    """One swath may begin before midnight and the next one after it."""
    later = samples.annotation().replace("2023-04-05T23:59:58.25", "2023-04-06T00:00:00.25")
    image = open_sentinel1(samples.write_safe(tmp_path, content=later)).slc("IW2", "VV")
    assert image.grid.epoch == datetime(2023, 4, 5)
    assert image.grid.first_line_time == pytest.approx(86400.25, abs=1e-9)


@pytest.mark.parametrize("below", [None, "", f"downloads/{samples.PRODUCT}.SAFE"])
def test_a_zip_reads_as_the_folder_does(tmp_path: Path, safe: Path, below: str | None) -> None:
    packed = samples.zip_folder(safe, tmp_path / f"{samples.PRODUCT}.zip", below=below)
    assert_same(open_sentinel1(packed).slc("IW2", "VV"), open_sentinel1(safe).slc("IW2", "VV"))


def test_nothing_is_unpacked(tmp_path: Path, safe: Path) -> None:
    packed = samples.zip_folder(safe, tmp_path / f"{samples.PRODUCT}.zip")
    before = sorted(tmp_path.rglob("*"))
    open_sentinel1(packed).slc("IW2", "VV")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_renamed_zip_keeps_the_name_of_its_folder(tmp_path: Path, safe: Path) -> None:
    packed = samples.zip_folder(safe, tmp_path / "download (1).bin")
    assert open_sentinel1(packed).name == samples.PRODUCT
    assert open_sentinel1(packed).slc("IW2", "VV").pixels is not None


def test_a_link_keeps_its_own_name(tmp_path: Path, safe: Path) -> None:
    stored = safe.rename(tmp_path / "object-4711")
    safe.symlink_to(stored, target_is_directory=True)
    assert open_sentinel1(safe).slc("IW2", "VV").name == samples.PRODUCT


def test_the_manifest_stands_for_its_folder(safe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_sentinel1(safe / "manifest.safe").name == samples.PRODUCT
    monkeypatch.chdir(safe)
    assert open_sentinel1(Path("manifest.safe")).name == samples.PRODUCT


def test_swath_and_polarisation_in_any_case(safe: Path) -> None:
    assert open_sentinel1(safe).slc("iw2", "vv", need_pixels=False).swath == "IW2"


def test_metadata_alone_needs_no_measurement_and_no_calibration(safe: Path) -> None:
    shutil.rmtree(safe / "measurement")
    shutil.rmtree(safe / "annotation" / "calibration")
    image = open_sentinel1(safe).slc("IW2", "VV", need_pixels=False)
    assert image.pixels is None
    assert image.calibration is None


def test_precise_orbit_of_the_folder_replaces_the_annotation_s(tmp_path: Path, safe: Path) -> None:
    orbits = tmp_path / "orbits"
    orbits.mkdir()
    annotated = open_sentinel1(safe, orbits=orbits).slc("IW2", "VV")
    assert annotated.state_vectors.source is OrbitSource.ANNOTATION
    name = samples.orbit_file_name("POEORB")
    (orbits / name).write_text(samples.orbit_file())
    precise = open_sentinel1(safe, orbits=orbits).slc("IW2", "VV").state_vectors
    assert (precise.source, precise.origin) == (OrbitSource.PRECISE, name)
    assert precise.epoch == annotated.state_vectors.epoch


TIFF = f"measurement/{samples.IMAGE}.tiff"


def without_manifest(safe: Path) -> Path:
    (safe / "manifest.safe").unlink()
    return safe


def with_wrong_name(safe: Path) -> Path:
    return safe.rename(safe.parent / "product.SAFE")


def absent(safe: Path) -> Path:
    return safe.parent / "absent.zip"


def truncated_zip(safe: Path) -> Path:
    packed = samples.zip_folder(safe, safe.parent / f"{samples.PRODUCT}.zip")
    packed.write_bytes(packed.read_bytes()[:-100])
    return packed


def corrupt_zip(safe: Path) -> Path:
    packed = samples.zip_folder(safe, safe.parent / f"{samples.PRODUCT}.zip")
    content = bytearray(packed.read_bytes())
    start = content.index(b"manifest.safe") + 20
    content[start : start + 60] = bytes(60)
    packed.write_bytes(content)
    return packed


def encrypted_zip(safe: Path) -> Path:
    packed = samples.zip_folder(safe, safe.parent / f"{samples.PRODUCT}.zip")
    content = packed.read_bytes()
    # bit 0 of the flags, in the local headers and in the directory
    for start in (rb"(PK\x03\x04..)\x00", rb"(PK\x01\x02....)\x00"):
        content = re.sub(start, lambda match: match[1] + b"\x01", content, flags=re.DOTALL)
    packed.write_bytes(content)
    return packed


def zip_of_something_else(safe: Path) -> Path:
    return samples.zip_folder(safe / "annotation", safe.parent / f"{samples.PRODUCT}.zip")


def without_measurement(safe: Path) -> Path:
    (safe / TIFF).unlink()
    return safe


def with_fewer_lines(safe: Path) -> Path:
    samples.write_tiff(safe / TIFF, samples.pixels(lines=35))
    return safe


def with_detected_pixels(safe: Path) -> Path:
    samples.write_tiff(safe / TIFF, np.abs(samples.pixels()), kind=gdal.GDT_Float32)
    return safe


def with_cut_off_measurement(safe: Path) -> Path:
    (safe / TIFF).write_bytes((safe / TIFF).read_bytes()[:-50])
    return safe


def with_a_page_for_a_measurement(safe: Path) -> Path:
    (safe / TIFF).write_bytes(b"<html>503</html>")
    return safe


def with_malformed_annotation(safe: Path) -> Path:
    (safe / "annotation" / f"{samples.IMAGE}.xml").write_text(samples.annotation()[:3000])
    return safe


def with_malformed_calibration(safe: Path) -> Path:
    folder = safe / "annotation" / "calibration"
    (folder / f"calibration-{samples.IMAGE}.xml").write_text("<a>")
    return safe


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_manifest, f"{samples.PRODUCT}.SAFE is not a SAFE product: it has no manifest"),
        (with_wrong_name, "product.SAFE must follow the Sentinel-1 naming convention"),
        (absent, "absent.zip does not exist"),
        (truncated_zip, f"{samples.PRODUCT}.zip is neither a SAFE folder nor a complete zip"),
        (corrupt_zip, f"{samples.PRODUCT}.SAFE: manifest.safe cannot be read"),
        (encrypted_zip, f"{samples.PRODUCT}.SAFE: annotation/{samples.IMAGE}.xml cannot be read"),
        (zip_of_something_else, f"{samples.PRODUCT}.zip must hold one manifest.safe, got 0"),
        (without_measurement, f"{samples.PRODUCT} has no measurement file {TIFF}"),
        (with_fewer_lines, "must have 36 lines and 20 samples as annotated, got 35 and 20"),
        (with_detected_pixels, "must have one complex band, got 1 of type Float32"),
        (with_cut_off_measurement, f"{samples.IMAGE}.tiff is cut off"),
        (with_a_page_for_a_measurement, f"{samples.IMAGE}.tiff cannot be read"),
        (with_malformed_annotation, f"{samples.IMAGE}.xml is not well-formed XML"),
        (with_malformed_calibration, f"calibration-{samples.IMAGE}.xml is not well-formed XML"),
    ],
)
def test_a_damaged_product_is_named(
    safe: Path, damage: Callable[[Path], Path], message: str
) -> None:
    path = damage(safe)
    with pytest.raises(ProductError) as caught:
        open_sentinel1(path).slc("IW2", "VV")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("kind", ["GRDH", "RAW_", "OCN_"])
def test_where_an_slc_is_needed_other_types_are_refused(tmp_path: Path, kind: str) -> None:
    name = samples.PRODUCT.replace("SLC_", kind)
    product = open_sentinel1(samples.write_safe(tmp_path, name=name))
    with pytest.raises(ProductError, match=f"must be an SLC, got {kind[:3]}"):
        product.slc("IW2", "VV")


@pytest.mark.parametrize(("swath", "polarisation"), [("IW1", "VV"), ("IW2", "VH")])
def test_an_absent_image_is_answered_with_those_there(
    safe: Path, swath: str, polarisation: str
) -> None:
    with pytest.raises(
        ProductError, match=f"has no image {swath} {polarisation}; there are: IW2 VV"
    ):
        open_sentinel1(safe).slc(swath, polarisation)


def test_a_missing_orbit_folder_is_named_at_once(tmp_path: Path, safe: Path) -> None:
    with pytest.raises(OrbitError, match=r"orbit folder .*none does not exist"):
        open_sentinel1(safe, orbits=tmp_path / "none")


# ---- real products


@pytest.mark.shared_data
def test_images_of_real_products(shared_data: Path) -> None:
    (alps,) = shared_data.glob("alps_iw_pair/*0A0B.SAFE")
    assert open_sentinel1(alps).images == tuple(
        (swath, polarisation) for swath in ("IW1", "IW2", "IW3") for polarisation in ("VH", "VV")
    )
    (packed,) = shared_data.glob("orbits_with_products/*13F8.zip")
    assert open_sentinel1(packed).images == (("IW1", "VV"), ("IW2", "VV"), ("IW3", "VV"))


@pytest.mark.shared_data
def test_a_real_grd_is_refused_as_slc(shared_data: Path) -> None:
    (path,) = shared_data.glob("grd_slices/*CEAB.zip")
    product = open_sentinel1(path)
    assert product.images == (("IW", "VH"), ("IW", "VV"))
    with pytest.raises(ProductError, match="must be an SLC, got GRD"):
        product.slc("IW", "VV")


@pytest.mark.shared_data
def test_real_calibration_is_the_file_s(shared_data: Path) -> None:
    (alps,) = shared_data.glob("alps_iw_pair/*0A0B.SAFE")
    calibration = open_sentinel1(alps).slc("IW1", "VV", need_pixels=False).calibration
    assert calibration is not None
    assert calibration.sigma_nought.shape == (29, 550)
    assert calibration.sigma_nought[0, :3].tolist() == pytest.approx([332.4770, 332.4133, 332.3497])
    assert (calibration.beta_nought == 237.0).all()
    assert calibration.lines[:2].tolist() == [-574, 68]
    assert calibration.times[0] == pytest.approx(17 * 3600 + 15 * 60 + 15.131516, abs=1e-9)


@pytest.mark.shared_data
def test_real_orbit_files_cover_their_products(shared_data: Path) -> None:
    folder = shared_data / "orbits_with_products"
    expected = {"13F8": "POEORB", "6E2D": "POEORB", "D6E2": "RESORB"}
    for unique, kind in expected.items():
        (path,) = folder.glob(f"*{unique}.zip")
        precise = open_sentinel1(path, orbits=folder).slc("IW2", "VV", need_pixels=False)
        annotated = open_sentinel1(path).slc("IW2", "VV", need_pixels=False).state_vectors
        vectors = precise.state_vectors
        assert vectors.source == kind
        common = np.interp(
            annotated.times[6:10], vectors.times, np.arange(vectors.times.size, dtype=float)
        )
        # vectors of both lists are 10 s apart; bring the nearest to the same instant by velocity
        index = np.rint(common).astype(int)
        step = (annotated.times[6:10] - vectors.times[index])[:, np.newaxis]
        velocity = 0.5 * (vectors.velocities[index] + annotated.velocities[6:10])
        moved = vectors.positions[index] + velocity * step
        distance = np.linalg.norm(moved - annotated.positions[6:10], axis=1)
        # orbits differ by 0.08 to 0.76 m; the trapezium rule over 5 s adds up to 0.1 m
        assert distance.max() < 1.0
