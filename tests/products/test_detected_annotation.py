"""Annotations of detected images: hand-made ones and real ones."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.model import SPEED_OF_LIGHT, GrdProduct, GroundRangeRecord, OrbitSource, Shape
from kernels.products.annotation import read_annotation
from kernels.products.annotation_head import ProductContext
from kernels.products.detected_annotation import (
    parse_detected_annotation,
    read_detected_annotation,
)
from tests.products import grd_samples, samples

RECENT = (
    "alps_iw_desc_and_grd/*GRDH*.SAFE/annotation/*.xml",
    "rome_s1/*GRDH*.SAFE/annotation/*.xml",
)
"""GRD products of 2021, whose geolocation grids can be trusted."""


def parse(text: str, *, epoch: datetime | None = None) -> GrdProduct:
    context = ProductContext(name="A", epoch=epoch)
    return parse_detected_annotation(text.encode(), origin="a.xml", context=context)


def test_raster_of_the_image() -> None:
    product = parse(grd_samples.annotation())
    grid = product.grid
    assert grid.epoch == datetime(2023, 4, 5)
    assert grid.first_line_time == pytest.approx(86398.25, abs=1e-9)
    assert grid.line_interval == 0.5
    assert grid.ground_range_spacing == 10.0
    assert grid.shape == Shape(50, 30)
    assert grid.wavelength == pytest.approx(0.0554657, abs=1e-7)
    assert product.stop == datetime(2023, 4, 6, 0, 0, 22, 750000)


def test_header_and_what_only_the_product_knows() -> None:
    product = parse(grd_samples.annotation(polarisation="VH"))
    assert (product.platform, product.mode, product.polarisation) == ("S1A", "IW", "VH")
    assert product.ascending
    assert product.absolute_orbit == 47965
    assert product.relative_orbit == 118
    assert product.state_vectors.source is OrbitSource.ANNOTATION
    assert product.state_vectors.origin == "a.xml"
    assert (product.calibration, product.noise, product.pixels) == (None, None, None)


def test_every_conversion_record_in_order_of_time() -> None:
    records = parse(grd_samples.annotation(), epoch=samples.START).grid.records
    assert [record.azimuth_time for record in records] == [5.0 * k for k in range(7)]
    for record in records:
        assert record.slant_range_origin == 800_000.0
        assert record.ground_range_origin == 0.0
        assert record.slant_to_ground == (0.0, 1.5 + 1e-4 * record.azimuth_time)
        assert record.ground_to_slant[0] == 800_000.0


def test_the_bistatic_term_is_fitted_on_the_grid() -> None:
    found = parse(grd_samples.annotation()).grid.bistatic_range
    assert found is not None
    # 0.29 us of rounding in 60 times, twice that in tau
    assert 2.0 * found / SPEED_OF_LIGHT == pytest.approx(grd_samples.REFERENCE_TIME, abs=2e-7)


@pytest.mark.parametrize(("mode", "swath", "known"), [("S4", "S4", "SM"), ("EW", "EW", "EW")])
def test_without_a_grid_the_bistatic_range_is_mid_swath(mode: str, swath: str, known: str) -> None:
    none = "<geolocationGrid><geolocationGridPointList/></geolocationGrid>"
    product = parse(grd_samples.annotation(mode=mode, swath=swath, tie_points=none))
    assert product.mode == known
    # 14.5 samples of 10 m beyond 800 km, with the record at 15 s
    assert product.grid.bistatic_range == pytest.approx(800_000.0 + 145.0 / 1.5015, abs=1e-6)


def test_an_slc_is_no_detected_image_and_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match=r"a\.xml must be a GRD, got SLC"):
        parse(samples.annotation())
    path = tmp_path / "grd.xml"
    path.write_text(grd_samples.annotation())
    with pytest.raises(ProductError, match=r"grd\.xml must be an SLC, got GRD"):
        read_annotation(path)


def test_a_file_alone_is_read_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "image-vv.xml"
    path.write_text(grd_samples.annotation())
    assert read_detected_annotation(path).name == "image-vv"
    with pytest.raises(ProductError, match=r"absent\.xml cannot be read"):
        read_detected_annotation(tmp_path / "absent.xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (grd_samples.annotation(conversions=""), "has no element coordinateConversion"),
        (grd_samples.annotation(mode="WV"), "mode must be IW, EW or StripMap, got WV"),
        (grd_samples.annotation().replace("<sr0>", "<sr0>x"), "sr0 must be a number, got x800"),
        (
            grd_samples.annotation().replace(">0.0 1.5<", "><"),
            "coordinateConversion must have coefficients",
        ),
    ],
)
def test_a_damaged_annotation_is_named(text: str, message: str) -> None:
    with pytest.raises(ProductError) as caught:
        parse(text)
    assert str(caught.value).startswith("a.xml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# ---- real products


def annotated_times(product: GrdProduct) -> NDArray[np.float64]:
    """Times of the lines of the tie points [s]."""
    return product.grid.first_line_time + product.geolocation.lines * product.grid.line_interval


def nearest_records(product: GrdProduct) -> list[GroundRangeRecord]:
    """Record nearest to the line of each tie point."""
    records = product.grid.records
    times = np.array([record.azimuth_time for record in records])
    nearest = np.abs(annotated_times(product)[:, np.newaxis] - times).argmin(axis=1)
    return [records[k] for k in nearest]


def samples_by_nearest_record(
    product: GrdProduct, slant_ranges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sample of the tie points at slant ranges [m]."""
    ground = [
        polyval(slant_range - record.slant_range_origin, record.slant_to_ground)
        for slant_range, record in zip(slant_ranges, nearest_records(product), strict=True)
    ]
    return np.array(ground) / product.grid.ground_range_spacing


def slant_ranges_by_nearest_record(product: GrdProduct) -> NDArray[np.float64]:
    """Slant range [m] of the tie points at their samples."""
    spacing = product.grid.ground_range_spacing
    ranges = [
        polyval(pixel * spacing - record.ground_range_origin, record.ground_to_slant)
        for pixel, record in zip(product.geolocation.pixels, nearest_records(product), strict=True)
    ]
    return np.array(ranges)


@pytest.mark.shared_data
def test_recent_grids_are_met_by_orbit_bistatic_term_and_nearest_record(shared_data: Path) -> None:
    """Times of the grid are rounded to 1 us; its samples by 0.008 px."""
    paths = [path for pattern in RECENT for path in shared_data.glob(pattern)]
    assert len(paths) == 3
    for path in paths:
        product = read_detected_annotation(path)
        ties = product.geolocation
        orbit = Orbit.fit(
            product.state_vectors,
            start=float(ties.zero_doppler_times.min()),
            stop=float(ties.zero_doppler_times.max()),
        )
        points = geodetic_to_ecef(
            np.radians(ties.longitudes), np.radians(ties.latitudes), ties.heights
        )
        times, ranges = ground_to_radar(orbit, points)
        assert product.grid.bistatic_range is not None
        delays = (ranges - product.grid.bistatic_range) / SPEED_OF_LIGHT
        np.testing.assert_allclose(times - delays, annotated_times(product), rtol=0, atol=3e-6)
        found = samples_by_nearest_record(product, ranges)
        np.testing.assert_allclose(found, ties.pixels, rtol=0, atol=0.01)


@pytest.mark.shared_data
def test_tie_points_are_ground_to_slant_of_the_nearest_record(shared_data: Path) -> None:
    """To rounding, also where the record is 0.25 s away (StripMap).

    This holds for tie points; it does not tell how lines between two records were resampled.
    """
    products = [read_detected_annotation(p) for g in RECENT for p in shared_data.glob(g)]
    products += [read_detected_annotation(p) for p in shared_data.glob("sm_annotations/*grd*.xml")]
    assert {product.mode for product in products} == {"IW", "SM"}
    for product in products:
        np.testing.assert_allclose(
            slant_ranges_by_nearest_record(product),
            0.5 * SPEED_OF_LIGHT * product.geolocation.slant_range_times,
            rtol=0,
            atol=1e-6,
        )


@pytest.mark.shared_data
def test_reference_of_the_bistatic_term_of_real_images(shared_data: Path) -> None:
    products = [read_detected_annotation(p) for g in RECENT for p in shared_data.glob(g)]
    products += [read_detected_annotation(p) for p in shared_data.glob("sm_annotations/*grd*.xml")]
    for path in shared_data.glob("grd_slices/*.zip"):
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if "/annotation/s1a" in n]
            products += [
                parse_detected_annotation(
                    archive.read(name), origin=name, context=ProductContext(name="A")
                )
                for name in names
            ]
    assert len(products) == 13
    for product in products:
        assert product.grid.bistatic_range is not None
        time = 2.0 * product.grid.bistatic_range / SPEED_OF_LIGHT
        taus = product.geolocation.slant_range_times
        if product.mode == "IW":
            assert time == pytest.approx(5.87e-3, abs=1e-5)
        else:
            assert time == pytest.approx(0.5 * (taus.min() + taus.max()), abs=2e-6)
