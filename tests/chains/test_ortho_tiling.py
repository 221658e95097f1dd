"""The whole chain on simulated products whose radiometry and place are known exactly."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.ortho_tiling import run, tile, windows
from kernels.chains.ortho_tiling.inputs import open_passes
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.geometry.mgrs import tile_grid
from kernels.model import GeographicBox
from kernels.products.raster import read_raster
from kernels.simulation import (
    Background,
    Scene,
    load_detected_truth,
    plane,
    simulate_detected_on_annotation,
)
from tests.detected_series import (
    ALONE,
    LEVEL,
    TILE,
    DetectedSeries,
    decibel,
    only_tile,
    simulated_pass,
    tiles_of,
)
from tests.series import write_dem

JOINED = "DES_151_20260101txxxxxx.tif"
ROUNDING = 0.5 / 150.0
"""Of amplitudes, which are above 150 digital numbers in the co-polarised image."""


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """The level scene with the thermal noise of its own annotation added."""
    background = Background(level=LEVEL, looks=None, noise=True)
    return simulated_pass(tmp_path_factory.mktemp("noisy"), background=background, border=8)


@pytest.fixture(scope="module")
def one_piece(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """The same lines and ground as the slices, in one product."""
    background = Background(level=LEVEL, looks=None, relief=True)
    return simulated_pass(tmp_path_factory.mktemp("one_piece"), background=background)


def test_level_ground_comes_out_level(level_product: DetectedSeries, tmp_path: Path) -> None:
    images = tiles_of(level_product.request(), tmp_path)
    assert list(images) == [f"s1a_{TILE}_vv_{ALONE}", f"s1a_{TILE}_vh_{ALONE}"]
    for image, level in zip(images.values(), (LEVEL, 0.2 * LEVEL), strict=True):
        known = image[image > 0.0]
        assert known.size > 19_000
        assert abs(decibel(np.median(known) / level)) < 0.01
    co_polarised = images[f"s1a_{TILE}_vv_{ALONE}"]
    known = co_polarised[co_polarised > 0.0]
    # the weights of the cubic convolution sum up to less than 1.6 in magnitude
    assert np.abs(known / LEVEL - 1.0).max() < 1.6 * 2.0 * ROUNDING


def test_the_calibrations_are_those_of_one_incidence_angle(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    """sigma = gamma cos(incidence) = beta sin(incidence)."""
    found = {
        name: only_tile(
            level_product.request(calibration=name, polarisations=("VV",)), tmp_path / name
        )
        for name in ("gamma", "sigma", "beta")
    }
    known = found["gamma"] > 0.0
    sigma, gamma, beta = (found[name][known] for name in ("sigma", "gamma", "beta"))
    np.testing.assert_allclose((sigma / gamma) ** 2 + (sigma / beta) ** 2, 1.0, atol=1e-4)
    angles = np.degrees(np.arccos(sigma / gamma))
    assert 20.0 < angles.min() < angles.max() < 50.0


def test_noise_removal_gives_the_scene_back(noisy: DetectedSeries, tmp_path: Path) -> None:
    kept = only_tile(noisy.request(), tmp_path / "kept")
    removed = only_tile(noisy.request(remove_noise=True), tmp_path / "removed")
    np.testing.assert_array_equal(kept > 0.0, removed > 0.0)
    known = removed > 0.0
    assert np.median(kept[known]) > 1.02 * LEVEL
    assert abs(decibel(np.median(removed[known]) / LEVEL)) < 0.01
    error = np.abs(removed[known] / LEVEL - 1.0)
    assert np.percentile(error, 99.0) < 2.0 * ROUNDING
    # the noise of two swaths differs by a few percent: their border stays within a kernel
    assert error.max() < 0.012


def test_data_ends_with_the_image_and_its_border(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    result = run(level_product.request(resolution=60.0), tmp_path, Progress())
    raster = read_raster(result.artefact("first_tile").path)
    covered = np.count_nonzero(raster.array[0]) / raster.array[0].size
    (found,) = result.report["tiles"]
    assert found["covered"] == pytest.approx(covered, abs=5e-5)
    valid = load_detected_truth(level_product.truth).is_valid()
    # the footprint is a polygon around the whole image
    assert 0.97 < valid.mean() < 0.99
    assert covered == pytest.approx(found["footprint_share"] * valid.mean(), rel=0.005)


def test_tiles_lie_on_the_grid_of_sentinel_2(level_product: DetectedSeries, tmp_path: Path) -> None:
    result = run(level_product.request(resolution=60.0), tmp_path, Progress())
    path = result.artefact("first_tile").path
    assert read_raster(path).grid == tile_grid(TILE, 60.0)
    dataset = gdal.Open(str(path))
    assert dataset.GetGeoTransform() == (300000.0, 60.0, 0.0, 7700020.0, 0.0, -60.0)
    assert (dataset.RasterXSize, dataset.RasterYSize) == (1830, 1830)
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32740"
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0.0


def test_slices_fill_a_tile_without_a_seam(
    slices: DetectedSeries, one_piece: DetectedSeries, tmp_path: Path
) -> None:
    (joined,) = tiles_of(slices.request(calibration="beta"), tmp_path / "joined").items()
    (whole,) = tiles_of(one_piece.request(calibration="beta"), tmp_path / "whole").items()
    assert joined[0] == f"s1a_{TILE}_vv_{JOINED}"
    assert whole[0] == f"s1a_{TILE}_vv_{ALONE}"
    np.testing.assert_array_equal(joined[1] > 0.0, whole[1] > 0.0)
    known = whole[1] > 0.0
    assert known.sum() > 19_000
    ratio = joined[1][known] / whole[1][known]
    # times to the microsecond move lines by a thousandth, which turns some last digits
    assert np.abs(ratio - 1.0).max() < 4.0 * ROUNDING
    assert np.median(np.abs(ratio - 1.0)) < 1e-4


def test_a_lone_slice_fills_its_part_only(slices: DetectedSeries, tmp_path: Path) -> None:
    both = only_tile(slices.request(), tmp_path / "both")
    halves = [
        only_tile(slices.request(products=(product,)), tmp_path / product.name)
        for product in slices.products
    ]
    assert not ((halves[0] > 0.0) & (halves[1] > 0.0)).any()
    known = [(half > 0.0).sum() for half in halves]
    assert sum(known) == pytest.approx((both > 0.0).sum(), abs=300)
    assert known[0] == pytest.approx(known[1], rel=0.03)


def test_a_tile_is_named_after_the_slices_that_meet_it(slices: DetectedSeries) -> None:
    (one,), _ = open_passes(slices.request())
    assert one.over(TILE).names == tuple(product.stem for product in slices.products)
    first, second = one.outlines
    elsewhere = replace(one, outlines=(first, second - [0.0, 3.0]))
    assert elsewhere.over(TILE).names == (slices.products[0].stem,)
    assert elsewhere.over(TILE).starts == one.starts[:1]
    assert elsewhere.over(TILE).images is one.images


def test_slices_that_do_not_share_a_raster_fill_a_tile_together(
    slices: DetectedSeries, tmp_path: Path
) -> None:
    """A newer processor made the second one: the pass has two images."""
    first, second = slices.products
    newer = Path(shutil.copytree(second, tmp_path / second.name))
    for file in newer.rglob("manifest.safe"):
        file.write_text(file.read_text().replace("003.71", "003.80"))
    together = run(slices.request(products=(first, newer)), tmp_path / "both", Progress())
    found = read_raster(together.artefact("first_tile").path).array[0]
    (files,) = [entry["files"] for entry in together.report["tiles"]]
    assert files == [f"s1a_{TILE}_vv_{JOINED}"]
    joined = only_tile(slices.request(), tmp_path / "joined")
    np.testing.assert_array_equal(found > 0.0, joined > 0.0)
    known = joined > 0.0
    ratio = found[known] / joined[known]
    # the kernel shrinks where one image ends, and the times of the two are rounded
    assert np.mean(np.abs(ratio - 1.0) > 1e-3) < 0.02


def test_an_image_across_the_antimeridian_is_whole(tmp_path: Path) -> None:
    series = simulated_pass(tmp_path / "products", lines=300, centre=(180.0, -17.0))
    request = series.request(tiles=(), minimum_coverage=0.1)
    ((name, image),) = tiles_of(request, tmp_path / "out").items()
    assert name.startswith("s1a_01KAB_vv_")
    known = np.argwhere(image[0] > 0.0)
    assert abs(decibel(np.median(image[image > 0.0]) / LEVEL)) < 0.01
    # 3 km x 14 km
    assert len(known) * 1e4 == pytest.approx(300 * 1400 * 100.0, rel=0.04)
    assert (np.ptp(known, axis=0) < 180).all()


@pytest.mark.parametrize(("columns", "rows"), [(300, 256), (2048, 37)])
def test_bits_do_not_depend_on_how_a_tile_is_cut(
    columns: int,
    rows: int,
    slices: DetectedSeries,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = only_tile(slices.request(), tmp_path / "whole")
    monkeypatch.setattr(windows, "_BLOCK_COLUMNS", columns)
    monkeypatch.setattr(tile, "_BAND_ROWS", rows)
    np.testing.assert_array_equal(only_tile(slices.request(), tmp_path / "cut"), whole)


def test_bits_depend_neither_on_threads_nor_on_memory(
    slices: DetectedSeries, tmp_path: Path
) -> None:
    one = only_tile(slices.request(resolution=60.0, threads=1), tmp_path / "one")
    many = slices.request(resolution=60.0, threads=64, memory_mb=200)
    np.testing.assert_array_equal(only_tile(many, tmp_path / "many"), one)


def test_zips_serve_as_well_as_folders(slices: DetectedSeries, tmp_path: Path) -> None:
    zips = []
    for safe in slices.products:
        zips.append(tmp_path / f"{safe.stem}.zip")
        with zipfile.ZipFile(zips[-1], "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(safe.rglob("*")):
                archive.write(file, Path(safe.name) / file.relative_to(safe))
    np.testing.assert_array_equal(
        only_tile(slices.request(), tmp_path / "folders"),
        only_tile(slices.request(products=tuple(zips)), tmp_path / "zips"),
    )


def test_the_order_of_products_does_not_matter(slices: DetectedSeries, tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        only_tile(slices.request(), tmp_path / "forward"),
        only_tile(slices.request(products=slices.products[::-1]), tmp_path / "backward"),
    )


def test_compression_changes_no_value(level_product: DetectedSeries, tmp_path: Path) -> None:
    request = {"polarisations": ("VV",)}
    images = [
        only_tile(level_product.request(compression=name, **request), tmp_path / name)
        for name in ("ZSTD", "DEFLATE", "NONE")
    ]
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


@pytest.mark.shared_data
def test_a_real_products_annotation_gives_level_ground_back(
    shared_data: Path, tmp_path: Path
) -> None:
    """Real orbit, conversions, calibration and noise of three swaths, in two UTM zones."""
    (product,) = shared_data.glob("rome_s1/*GRDH*.SAFE")
    dem = plane(GeographicBox(11.5, 40.8, 15.5, 42.9), height=300.0, step=1.0 / 240.0)
    made = simulate_detected_on_annotation(
        Scene(dem=dem),
        product,
        tmp_path / "products",
        background=Background(level=LEVEL, looks=None, noise=True),
        lines=Band(8000, 500),
    )
    path = write_dem(tmp_path / "dem.tif", dem)
    series = DetectedSeries(products=made.products, dem=path, truth=made.truth)
    request = series.request(tiles=("32TQM", "33TVG"), remove_noise=True)
    images = tiles_of(request, tmp_path / "out")
    assert list(images) == [
        "s1b_32TQM_vv_DES_022_20211223t051122.tif",
        "s1b_33TVG_vv_DES_022_20211223t051122.tif",
    ]
    for image in images.values():
        known = image[image > 0.0]
        assert known.size > 25_000
        assert abs(decibel(np.median(known) / LEVEL)) < 0.01
        assert np.percentile(np.abs(known / LEVEL - 1.0), 99.0) < 2.5 * ROUNDING
