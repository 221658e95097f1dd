"""Annotations of TOPS and StripMap images: hand-made ones and real ones."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from kernels.errors import ProductError
from kernels.model import SPEED_OF_LIGHT, OrbitSource, Shape, SlcProduct
from kernels.products.annotation import parse_annotation, read_annotation
from kernels.products.annotation_head import ProductContext, relative_orbit
from kernels.products.manifest import parse_manifest
from kernels.products.pixels import GdalPixelReader
from tests.products import samples


def parse(text: str) -> SlcProduct:
    return parse_annotation(text.encode(), origin="a.xml", context=ProductContext(name="A"))


def test_times_count_from_midnight_of_the_first_line() -> None:
    product = parse(samples.annotation())
    assert product.start == samples.START
    assert product.grid.epoch == datetime(2023, 4, 5)
    assert product.grid.first_line_time == pytest.approx(86398.25, abs=1e-9)
    assert product.stop == datetime(2023, 4, 6, 0, 0, 8, 250000)


def test_an_epoch_of_the_product_holds_for_every_image() -> None:
    context = ProductContext(name="A", epoch=datetime(2023, 4, 4))
    product = parse_annotation(samples.annotation().encode(), origin="a.xml", context=context)
    assert product.grid.first_line_time == pytest.approx(2 * 86400 - 1.75, abs=1e-9)
    assert product.bursts[0].doppler.azimuth_time == pytest.approx(2 * 86400 - 1.74, abs=1e-9)
    assert product.state_vectors.times[8] == pytest.approx(2 * 86400 - 1.75, abs=1e-9)


def test_spacing_follows_the_sampling_rate_not_the_rounded_spacing() -> None:
    grid = parse(samples.annotation()).grid
    assert grid.slant_range_spacing == pytest.approx(SPEED_OF_LIGHT / 2 / 6.4e7, rel=1e-15)
    assert grid.first_slant_range == pytest.approx(SPEED_OF_LIGHT / 2 * 5.8e-3, rel=1e-15)
    assert grid.wavelength == pytest.approx(0.0554657, abs=1e-7)
    assert grid.shape == Shape(36, 20)


def test_header_of_the_image() -> None:
    product = parse(samples.annotation())
    assert (product.platform, product.mode, product.swath, product.polarisation) == (
        "S1A",
        "IW",
        "IW2",
        "VV",
    )
    assert not product.ascending
    assert (product.absolute_orbit, product.relative_orbit) == (47965, samples.RELATIVE_ORBIT)
    assert (product.range_bandwidth, product.azimuth_bandwidth) == (4.83e7, 313.0)
    assert product.processor == "unknown"
    assert product.pixels is None
    assert product.calibration is None


def test_bursts_have_their_own_time_and_row() -> None:
    bursts = parse(samples.annotation()).bursts
    assert [burst.index for burst in bursts] == [0, 1, 2]
    assert [burst.first_line for burst in bursts] == [0, 12, 24]
    assert [burst.identifier for burst in bursts] == [373740, 373741, 373742]
    times = [burst.grid.first_line_time - 86398.25 for burst in bursts]
    np.testing.assert_allclose(times, [0.0, 0.02, 0.04], atol=1e-9)
    assert {burst.grid.shape for burst in bursts} == {Shape(12, 20)}


def test_valid_samples() -> None:
    burst = parse(samples.annotation()).bursts[1]
    assert burst.first_valid_sample.tolist() == [-1, -1, *[3] * 9, -1]
    assert burst.last_valid_sample.tolist() == [-1, -1, *[17] * 9, -1]
    assert burst.first_valid_sample.dtype == np.int32


def test_steering_is_in_radians() -> None:
    burst = parse(samples.annotation()).bursts[0]
    assert burst.steering_rate == pytest.approx(0.9798 * np.pi / 180.0, rel=1e-12)


@pytest.mark.parametrize("old_spelling", [False, True])
def test_ramps_come_from_the_entry_nearest_to_mid_burst(old_spelling: bool) -> None:
    product = parse(samples.annotation(fm=samples.fm_rates(old_spelling=old_spelling)))
    # bursts are 0.011 s to their middle: 0.011, 0.031, 0.051 s; entries at 0.010 / 0.055 s
    assert [burst.doppler.origin for burst in product.bursts] == [5.81e-3, 5.81e-3, 5.82e-3]
    # entries of the FM rate at 0.02 / 0.06 s
    assert [burst.fm_rate.origin for burst in product.bursts] == [5.8e-3, 5.8e-3, 5.9e-3]
    assert product.bursts[2].fm_rate.coefficients == (-2310.0, 4.6e5, -7.8e7)
    assert product.bursts[2].doppler(5.82e-3 + 1e-3) == pytest.approx(50.0 + 5.0)


def test_geometric_doppler_stands_in_where_nothing_was_measured() -> None:
    product = parse(samples.annotation(dc=samples.doppler(data=False)))
    assert product.bursts[0].doppler.coefficients == (400.0, 40000.0)


def test_geometric_doppler_is_used_where_the_image_was_processed_with_it() -> None:
    product = parse(samples.annotation(dc_method="Orbit and Attitude"))
    assert product.bursts[0].doppler.coefficients == (400.0, 40000.0)


def test_products_of_old_carry_no_burst_identifier() -> None:
    product = parse(samples.annotation(timing=samples.swath_timing(identifiers=False)))
    assert [burst.identifier for burst in product.bursts] == [None] * 3


def test_state_vectors_of_the_annotation() -> None:
    vectors = parse(samples.annotation()).state_vectors
    assert (vectors.source, vectors.origin) == (OrbitSource.ANNOTATION, "a.xml")
    assert vectors.positions.shape == vectors.velocities.shape == (17, 3)
    np.testing.assert_allclose(np.diff(vectors.times), 10.0, atol=1e-9)
    assert vectors.positions[8].tolist() == [7e6, 0.0, 1e5]


def test_bistatic_term_comes_from_the_grid_despite_its_last_row() -> None:
    product = parse(samples.annotation())
    expected = 0.5 * SPEED_OF_LIGHT * samples.REFERENCE_TIME
    # grid times are rounded to 1 us, 0.3 us std over 21 points: 0.2 us of tau, 30 m of range
    assert product.grid.bistatic_range == pytest.approx(expected, abs=60.0)
    assert all(b.grid.bistatic_range == product.grid.bistatic_range for b in product.bursts)


def test_bistatic_term_falls_back_where_the_grid_does_not_show_it() -> None:
    tops = parse(samples.annotation(grid=samples.geolocation(slope=0.1)))
    assert tops.grid.bistatic_range == pytest.approx(0.5 * SPEED_OF_LIGHT * 5.85e-3, rel=1e-12)
    stripmap = parse(
        samples.annotation(
            head=samples.header(mode="S3", swath="S3"),
            timing=samples.swath_timing(bursts=0),
            grid=samples.geolocation(bursts=0, slope=0.1, rows=1),
        )
    )
    assert stripmap.grid.bistatic_range == pytest.approx(stripmap.grid.slant_range(9.5), rel=1e-12)


def test_a_stripmap_image_is_one_burst_with_a_fixed_beam() -> None:
    product = parse(samples.stripmap_annotation())
    (burst,) = product.bursts
    assert (product.mode, product.swath) == ("SM", "S3")
    assert burst.grid == product.grid
    assert burst.steering_rate == 0.0
    assert burst.identifier is None
    assert burst.first_valid_sample.tolist() == [0] * 36
    assert burst.last_valid_sample.tolist() == [19] * 36
    # the middle of 36 lines of 2 ms is at 0.035 s: doppler at 0.055 s, FM rate at 0.02 s
    assert (burst.doppler.origin, burst.fm_rate.origin) == (5.82e-3, 5.8e-3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            samples.annotation(head=samples.header(product_type="GRD")),
            "a.xml must be an SLC, got GRD",
        ),
        (
            samples.annotation(head=samples.header(mode="WV", swath="WV1")),
            "a.xml: mode must be IW, EW or StripMap, got WV",
        ),
        (
            re.sub(r"<slantRangeTime>.*?</slantRangeTime>", "", samples.annotation(), count=1),
            "a.xml has no element slantRangeTime",
        ),
        (
            re.sub(r"<firstValidSample>.*?</firstValidSample>", "", samples.annotation()),
            "a.xml has no element firstValidSample",
        ),
        (
            samples.annotation(timing=samples.swath_timing(lines=11)),
            "a.xml: element firstValidSample must have 12 values, got 11",
        ),
        (
            samples.annotation(lines=35),
            "a.xml: 3 bursts of 12 lines must fit in numberOfLines, got 35",
        ),
        (
            samples.annotation(timing=samples.swath_timing(bursts=0)),
            "a.xml: 0 bursts of 0 lines must fit in numberOfLines, got 36",
        ),
        (
            samples.annotation(dc="<dopplerCentroid/>"),
            "a.xml has no element dopplerCentroid/dcEstimateList/dcEstimate/dataDcPolynomial",
        ),
        (
            samples.annotation(fm="<azimuthFmRateList/>"),
            "a.xml has no element generalAnnotation/azimuthFmRateList/azimuthFmRate",
        ),
        (
            samples.annotation().replace("Descending", "Sideways"),
            "a.xml: pass must be Ascending or Descending, got sideways",
        ),
        (
            re.sub(r"<orbitList>.*</orbitList>", "", samples.annotation(), flags=re.DOTALL),
            "a.xml: element orbitList must have at least 4 orbits, got 0",
        ),
        (samples.annotation()[:2000], "a.xml is not well-formed XML"),
    ],
)
def test_a_damaged_annotation_is_named_with_its_element(content: str, message: str) -> None:
    with pytest.raises(ProductError) as caught:
        parse(content)
    assert str(caught.value) == message


def test_an_annotation_file_needs_no_product_around_it(tmp_path: Path) -> None:
    path = tmp_path / f"{samples.IMAGE}.xml"
    path.write_text(samples.annotation())
    assert read_annotation(path).name == samples.IMAGE
    with pytest.raises(ProductError, match=r"none\.xml cannot be read"):
        read_annotation(tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("platform", "absolute", "relative"),
    [("S1A", 17168, 121), ("S1A", 73, 1), ("S1A", 247, 175), ("S1B", 27, 1), ("S1C", 5497, 76)],
)
def test_published_pairs_of_absolute_and_relative_orbit(
    platform: str, absolute: int, relative: int
) -> None:
    assert relative_orbit(platform, absolute) == relative


def test_an_unknown_platform_has_no_relative_orbit() -> None:
    with pytest.raises(ProductError, match="platform must be one of"):
        relative_orbit("S2A", 1)


# ---- real annotations


def real_slc_annotations(shared: Path) -> list[Path]:
    folders = chain(shared.glob("*/*.SAFE/annotation/*slc*.xml"), shared.glob("*/*slc*.xml"))
    return sorted(folders)


@pytest.mark.shared_data
def test_size_of_the_alps_image_is_the_documented_one(shared_data: Path) -> None:
    (path,) = shared_data.glob("alps_iw_pair/*0A0B.SAFE/annotation/*iw2-slc-vv*.xml")
    product = read_annotation(path)
    assert product.grid.shape == Shape(lines=13590, samples=25812)
    assert len(product.bursts) == 9
    assert (product.relative_orbit, product.ascending) == (15, True)
    # azimuthSteeringRate of IW2 is 0.9798 degrees per second
    assert product.bursts[0].steering_rate == pytest.approx(0.9798 * np.pi / 180, rel=1e-3)


@pytest.mark.shared_data
def test_real_lines_and_samples_are_where_the_geolocation_grid_says(shared_data: Path) -> None:
    """Products of 2021 and later; grid times are rounded to 1 us, so are burst times."""
    later = [p for p in real_slc_annotations(shared_data) if re.search(r"-202[1-9]\d{4}t", p.name)]
    assert len(later) == 6
    for path in later:
        product = read_annotation(path)
        ties = product.geolocation
        # the last row is 11 to 13 us off in some products themselves
        inner = ties.lines < ties.lines.max()
        lines_per_burst = product.bursts[0].grid.shape.lines
        for burst in product.bursts:
            own = inner & (ties.lines // lines_per_burst == burst.index)
            times = burst.grid.zero_doppler_time(
                ties.lines[own] - burst.first_line, SPEED_OF_LIGHT / 2 * ties.slant_range_times[own]
            )
            np.testing.assert_allclose(times, ties.zero_doppler_times[own], rtol=0, atol=3e-6)
        samples_found = product.grid.sample(SPEED_OF_LIGHT / 2 * ties.slant_range_times)
        np.testing.assert_allclose(samples_found, ties.pixels, rtol=0, atol=0.005)


@pytest.mark.shared_data
def test_reference_of_the_bistatic_term_is_mid_iw2_or_mid_swath(shared_data: Path) -> None:
    for path in real_slc_annotations(shared_data):
        product = read_annotation(path)
        assert product.grid.bistatic_range is not None
        time = 2.0 * product.grid.bistatic_range / SPEED_OF_LIGHT
        if product.mode == "IW":
            assert time == pytest.approx(5.85e-3, abs=2e-5)
        else:
            middle = product.grid.slant_range(product.grid.shape.samples / 2)
            assert product.grid.bistatic_range == pytest.approx(middle, abs=30.0)


@pytest.mark.shared_data
def test_relative_orbits_of_real_manifests_follow_the_formula(shared_data: Path) -> None:
    contents = {p.parent.name: p.read_bytes() for p in shared_data.glob("*/*.SAFE/manifest.safe")}
    for path in shared_data.glob("*/S1*.zip"):
        with zipfile.ZipFile(path) as archive:
            contents[path.name] = archive.read(f"{path.stem}.SAFE/manifest.safe")
    assert len(contents) >= 12
    for name, content in contents.items():
        orbit = int(re.findall(r"_(\d{6})_[0-9A-F]{6}_", name)[0])
        facts = parse_manifest(content, origin=name)
        assert facts.relative_orbit == relative_orbit(name[:3], orbit), name
        assert facts.processor is not None
        assert re.fullmatch(r"Sentinel-1 IPF 00[23]\.\d\d", facts.processor)


def test_a_manifest_with_an_impossible_track_is_refused() -> None:
    content = samples.MANIFEST.replace(f">{samples.RELATIVE_ORBIT}<", ">176<").encode()
    with pytest.raises(ProductError, match="relativeOrbitNumber must be 1 to 175, got 176"):
        parse_manifest(content, origin="manifest.safe")


@pytest.mark.shared_data
def test_ramp_parameters_bring_real_pixels_to_baseband(shared_data: Path) -> None:
    """Lag-1 azimuth correlation of a real crop: 0.06 before deramping, 0.64 after.

    The ramp is that of ESA's COPE-GSEG-EOPG-TN-14-0025, written out plainly.
    """
    folder = shared_data / "s1_iw3_crop_azores"
    (path,) = folder.glob("*.xml")
    (tiff,) = folder.glob("*.tiff")
    product = read_annotation(path)
    pixels = GdalPixelReader(str(tiff), shape=Shape(601, 1401)).read(0, 601)
    lines, columns = np.arange(9800, 10401)[:, np.newaxis], np.arange(11000, 12401)
    burst = product.bursts[6]
    eta = (lines - burst.first_line - burst.mid_line) * burst.grid.line_interval
    tau = 2.0 / SPEED_OF_LIGHT * burst.grid.slant_range(columns.astype(float))
    vectors = product.state_vectors
    middle = burst.grid.first_line_time + burst.mid_line * burst.grid.line_interval
    nearest = int(np.argmin(np.abs(vectors.times - middle)))
    speed = float(np.linalg.norm(vectors.velocities[nearest]))
    beam = 2.0 * speed / burst.grid.wavelength * burst.steering_rate
    rate = burst.fm_rate(tau) * beam / (burst.fm_rate(tau) - beam)
    tau_mid = np.array(2.0 / SPEED_OF_LIGHT * burst.grid.slant_range(burst.grid.shape.samples / 2))
    centre = burst.doppler(tau_mid) / burst.fm_rate(tau_mid)
    shifted = eta + burst.doppler(tau) / burst.fm_rate(tau) - centre
    phase = -np.pi * rate * shifted**2 - 2.0 * np.pi * burst.doppler(tau) * shifted

    def lag_one(values: np.ndarray) -> float:
        product_of_neighbours = np.vdot(values[:-1], values[1:])
        power = np.linalg.norm(values[:-1]) * np.linalg.norm(values[1:])
        return float(abs(product_of_neighbours) / power)

    assert lag_one(pixels) < 0.08
    assert lag_one(pixels * np.exp(1j * phase)) == pytest.approx(0.64, abs=0.02)
    assert lag_one(pixels * np.exp(-1j * phase)) < 0.08
