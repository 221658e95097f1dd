"""Pixels on real annotation, and dates derived from it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from kernels.engine.bands import Band
from kernels.errors import ProductError, RequestError
from kernels.model import Dem, SlcProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    AnnotatedDate,
    Derivation,
    Scene,
    SimulatedSeries,
    load_truth,
    simulate_on_annotation,
)
from tests.simulation.tools import coherence, interpolate, orbit, seen_times

WINDOW = Band(20_000, 40)
BASELINE = 100.0


def hills(image: SlcProduct) -> Dem:
    """Hills under a whole image."""
    grid, step = image.geolocation, 0.01
    longitudes = np.arange(grid.longitudes.min() - 0.1, grid.longitudes.max() + 0.1, step)
    latitudes = np.arange(grid.latitudes.max() + 0.1, grid.latitudes.min() - 0.1, -step)
    heights = 300.0 + 200.0 * np.sin(longitudes * 90.0)[None, :] * np.cos(latitudes * 80.0)[:, None]
    return Dem(
        heights=heights.astype(np.float32),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=step,
        latitude_step=-step,
    )


@pytest.fixture(scope="module")
def stripmap(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, SimulatedSeries]:
    """A window of a real StripMap image, and a derived date of another platform."""
    (product,) = (shared_data / "sm_annotations").glob("S1A_S3_SLC*.SAFE")
    image = open_sentinel1(product).slc("S3", "VH", need_pixels=False)
    dates = [
        AnnotatedDate(product=product),
        AnnotatedDate(
            product=product,
            derivation=Derivation(days=12, perpendicular_baseline=BASELINE, platform="S1C"),
        ),
    ]
    series = simulate_on_annotation(
        Scene(dem=hills(image)),
        dates,
        tmp_path_factory.mktemp("stripmap"),
        swaths=["S3"],
        polarisation="VH",
        lines=WINDOW,
    )
    return product, series


@pytest.mark.shared_data
def test_real_metadata_is_copied_byte_for_byte(stripmap: tuple[Path, SimulatedSeries]) -> None:
    product, series = stripmap
    copy = series.products[0]
    assert copy.name == product.name
    names = [p.relative_to(copy) for p in copy.rglob("*") if p.is_file() and p.suffix != ".tiff"]
    assert len(names) == 3
    for name in names:
        assert (copy / name).read_bytes() == (product / name).read_bytes()


@pytest.mark.shared_data
def test_files_have_full_size_but_hold_only_the_window(
    stripmap: tuple[Path, SimulatedSeries],
) -> None:
    _, series = stripmap
    for product in series.products:
        image = open_sentinel1(product).slc("S3", "VH")
        assert image.grid.shape == (36_895, 18_998)
        (path,) = (product / "measurement").glob("*.tiff")
        assert path.stat().st_size < 30e6  # of 2.8 GB
        assert image.pixels is not None
        assert (image.pixels.read(WINDOW.first + 5, 20, 100, 500) != 0).mean() > 0.99
        assert (image.pixels.read(10_000, 20, 100, 500) == 0).all()


@pytest.mark.shared_data
def test_derived_date_is_a_product_of_its_own(stripmap: tuple[Path, SimulatedSeries]) -> None:
    _, series = stripmap
    first, second = (open_sentinel1(p).slc("S3", "VH") for p in series.products)
    assert second.name.startswith("S1C_S3_SLC__1SDV_20210413T152855_20210413T152914_037433_")
    assert second.platform == "S1C"
    assert second.absolute_orbit == first.absolute_orbit + 175
    assert second.relative_orbit == first.relative_orbit
    assert second.start - first.start == timedelta(days=12)
    assert second.bursts[0].grid.first_line_time == first.bursts[0].grid.first_line_time
    manifest = (series.products[1] / "manifest.safe").read_text()
    assert "20210401" not in manifest
    assert "s1a" not in manifest.lower()
    for stream in etree.fromstring(manifest.encode()).iter("byteStream"):
        path = series.products[1] / stream.find("fileLocation").get("href")
        if path.exists() and path.suffix == ".xml":
            assert int(stream.get("size")) == path.stat().st_size
    shift = second.state_vectors.positions - first.state_vectors.positions
    np.testing.assert_allclose(np.linalg.norm(shift, axis=1), BASELINE, atol=1e-3)


@pytest.mark.shared_data
def test_derived_baseline_is_across_the_line_of_sight(
    stripmap: tuple[Path, SimulatedSeries],
) -> None:
    _, series = stripmap
    truth = load_truth(series.truth, swath="S3", burst=0)
    assert truth.mask.shape == (WINDOW.rows, 18_998)
    assert truth.mask_first_line == truth.lines[0] == WINDOW.first
    # in the middle of the swath the ranges are equal; they part to both sides
    middle = truth.range_difference[:, truth.samples.size // 2]
    assert np.abs(middle).max() < 2.0  # [m]
    sides = truth.range_difference[:, [0, -1]].mean(axis=0) - middle.mean()
    assert sides[0] * sides[1] < 0.0
    image = open_sentinel1(series.products[1]).slc("S3", "VH", need_pixels=False)
    position, velocity = orbit(image, seen_times(truth, image))
    assert np.isfinite(position).all()
    assert np.linalg.norm(velocity, axis=-1).mean() == pytest.approx(7590.0, abs=20.0)


@pytest.mark.shared_data
def test_pair_on_real_annotation_is_coherent(stripmap: tuple[Path, SimulatedSeries]) -> None:
    _, series = stripmap
    first, second = (open_sentinel1(p).slc("S3", "VH") for p in series.products)
    truth = load_truth(series.truth, swath="S3", burst=0)
    assert first.pixels is not None
    assert second.pixels is not None
    row = 4
    columns = np.arange(200, truth.samples.size - 200, 9)
    line, sample = truth.secondary_line[row, columns], truth.secondary_sample[row, columns]
    top = int(line.min()) - 20
    pixels = second.pixels.read(top, 48).astype(np.complex128)
    value = interpolate(pixels, line - top, sample)
    mine = first.pixels.read(int(truth.lines[row]), 1)[0, truth.samples[columns]]
    flat = 4.0 * np.pi / first.grid.wavelength * truth.range_difference[row, columns]
    value *= np.exp(1j * flat)
    clear = truth.mask[truth.lines[row] - WINDOW.first, truth.samples[columns]] == 0
    assert clear.sum() > 200
    # StripMap has no ramp: its small Doppler centroid stays, inside the interpolator's band
    assert coherence(mine[clear], value[clear]) > 0.999
    assert abs(np.angle(np.sum(mine[clear] * np.conj(value[clear])))) < 2e-3


@pytest.mark.shared_data
def test_bursts_of_a_real_pair_are_matched(shared_data: Path, tmp_path: Path) -> None:
    first, second = sorted((shared_data / "alps_iw_pair").glob("*.SAFE"))
    flat = Dem(
        heights=np.full((4, 4), 500.0, np.float32),
        west=6.0,
        north=49.0,
        longitude_step=2.0,
        latitude_step=-2.0,
    )
    images = [open_sentinel1(p).slc("IW2", "VV", need_pixels=False) for p in (first, second)]
    with pytest.raises(RequestError, match="bursts must be from 0 to 8, got 9"):
        simulate_on_annotation(
            Scene(dem=flat),
            [AnnotatedDate(product=first)],
            tmp_path,
            swaths=["IW2"],
            bursts=[9],
        )
    assert not list(tmp_path.iterdir())
    with pytest.raises(RequestError, match="different from each other"):
        simulate_on_annotation(
            Scene(dem=flat), [AnnotatedDate(product=first)] * 2, tmp_path, swaths=["IW2"]
        )
    with pytest.raises(ProductError, match="manifest"):
        simulate_on_annotation(
            Scene(dem=flat), [AnnotatedDate(product=tmp_path / "none")], tmp_path, swaths=["IW2"]
        )
    assert len(images[0].bursts) == len(images[1].bursts) == 9
