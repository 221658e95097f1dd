"""The whole chain on simulated products whose radiometry and place are known exactly."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.artefacts import ChainResult
from kernels.chains.ortho_tiling import CHAIN, OrthoTilingRequest, run
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, ProcessingError
from kernels.geometry.mgrs import tile_grid
from kernels.products.raster import read_raster
from kernels.simulation import Background, load_detected_truth
from tests.detected_series import LEVEL, TILE, DetectedSeries, simulated_pass

Image = NDArray[np.float32]
ALONE = "DES_151_20260101t015958.tif"
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


def tile_files(result: ChainResult, folder: Path) -> dict[str, Path]:
    """Unpack the tiles of a result, in the order of its report."""
    names = [name for tile in result.report["tiles"] for name in tile["files"]]
    with zipfile.ZipFile(result.artefact("tiles").path) as archive:
        assert sorted(archive.namelist()) == sorted([*names, "report.json"])
        archive.extractall(folder)
    return {name: folder / name for name in names}


def tiles_of(request: OrthoTilingRequest, folder: Path) -> dict[str, Image]:
    result = run(request, folder, Progress())
    files = tile_files(result, folder / "tiles")
    return {name: read_raster(path).array for name, path in files.items()}


def only_tile(request: OrthoTilingRequest, folder: Path) -> Image:
    (image,) = tiles_of(request, folder).values()
    return image[0]


def decibel(ratio: float) -> float:
    return 10.0 * float(np.log10(ratio))


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
    (tile,) = result.report["tiles"]
    assert tile["covered"] == pytest.approx(covered, abs=5e-5)
    valid = load_detected_truth(level_product.truth).is_valid()
    # the footprint is a polygon around the whole image
    assert 0.97 < valid.mean() < 0.99
    assert covered == pytest.approx(tile["footprint_share"] * valid.mean(), rel=0.005)


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


def test_names_and_tags_of_s1tiling(level_product: DetectedSeries, tmp_path: Path) -> None:
    result = run(level_product.request(remove_noise=True), tmp_path, Progress())
    for name, path in tile_files(result, tmp_path / "tiles").items():
        tags = gdal.Open(str(path)).GetMetadata()
        polarisation = name.split("_")[2]
        expected = {
            "ACQUISITION_DATETIME": "2026:01:01T01:59:58Z",
            "CALIBRATION": "gamma",
            "FLYING_UNIT_CODE": "s1a",
            "IMAGE_TYPE": "GRD",
            "INPUT_S1_IMAGES": level_product.products[0].stem,
            "NOISE_REMOVED": "True",
            "ORBIT_DIRECTION": "DES",
            "ORBIT_NUMBER": level_product.products[0].name.split("_")[6],
            "ORTHORECTIFIED": "true",
            "POLARIZATION": polarisation,
            "RELATIVE_ORBIT_NUMBER": "151",
            "S2_TILE_CORRESPONDING_CODE": TILE,
            "SPATIAL_RESOLUTION": "100",
            "TIFFTAG_DATETIME": "2026:01:01 01:59:58",
        }
        assert expected.items() <= tags.items()


def test_peps_names_hold_both_polarisations(level_product: DetectedSeries, tmp_path: Path) -> None:
    peps = tiles_of(level_product.request(names="peps"), tmp_path / "peps")
    single = tiles_of(level_product.request(), tmp_path / "single")
    assert list(peps) == [f"s1a_gam_{TILE}_vvvh_{ALONE}"]
    (bands,) = peps.values()
    np.testing.assert_array_equal(bands, np.concatenate(list(single.values())))
    tags = gdal.Open(str(tmp_path / "peps" / "first_tile.tif")).GetMetadata()
    assert tags["POLARIZATION"] == "vv vh"


def test_the_co_polarised_image_comes_first(tmp_path: Path) -> None:
    series = simulated_pass(tmp_path / "products", lines=300, polarisations=("HV", "HH"))
    request = series.request(names="peps", calibration="sigma", minimum_coverage=0.1)
    ((name, bands),) = tiles_of(request, tmp_path / "out").items()
    assert name.startswith(f"s1a_sig_{TILE}_hhhv_")
    known = bands[0] > 0.0
    assert np.median(bands[1][known] / bands[0][known]) == pytest.approx(0.2, rel=0.02)


def test_a_tile_and_a_polarisation_asked_for_twice_come_once(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    request = level_product.request(tiles=(TILE, TILE), polarisations=("VH", "VH"))
    assert list(tiles_of(request, tmp_path)) == [f"s1a_{TILE}_vh_{ALONE}"]


def test_without_names_all_covered_tiles_are_made(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    result = run(level_product.request(tiles=()), tmp_path, Progress())
    assert [tile["tile"] for tile in result.report["tiles"]] == [TILE]


def test_a_tile_with_too_little_data_is_left_out_and_said(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    result = run(level_product.request(tiles=("40KDB", TILE)), tmp_path, Progress())
    assert [tile["tile"] for tile in result.report["tiles"]] == [TILE]
    (left_out,) = result.report["left_out"]
    assert (left_out["tile"], left_out["covered"]) == ("40KDB", 0.0)
    assert len(tile_files(result, tmp_path / "tiles")) == 2


def test_data_counts_and_not_the_footprint_alone(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    """The footprint reaches 1.65 percent, the image within its border of zeros does not."""
    with pytest.raises(ProcessingError, match=f"no tile has 1.65 percent of data: {TILE}"):
        run(level_product.request(minimum_coverage=1.65), tmp_path / "out", Progress())
    assert not (tmp_path / "out").exists()


def test_bits_do_not_depend_on_threads(slices: DetectedSeries, tmp_path: Path) -> None:
    one = only_tile(slices.request(resolution=60.0, threads=1), tmp_path / "one")
    four = only_tile(slices.request(resolution=60.0, threads=4), tmp_path / "four")
    np.testing.assert_array_equal(one, four)


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


def test_everything_promised_is_there(level_product: DetectedSeries, tmp_path: Path) -> None:
    steps: list[tuple[float, str]] = []
    progress = Progress.to(lambda share, step: steps.append((share, step)))
    result = run(level_product.request(), tmp_path, progress)
    assert [a.name for a in result.artefacts] == [o.name for o in CHAIN.outputs]
    assert {a.path for a in result.artefacts} == set(tmp_path.iterdir())
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(TILE in step for _, step in steps)
    report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
    assert report == result.report
    assert report["tiles"][0]["mean_db"] == pytest.approx(decibel(LEVEL), abs=0.02)
    assert report["passes"][0]["products"] == [level_product.products[0].stem]
    assert str(level_product.dem.parent) not in json.dumps(report)
    _, alpha = gdal.Open(str(result.artefact("quicklook").path)).ReadAsArray()
    assert (alpha > 0).mean() == pytest.approx(report["tiles"][0]["covered"], rel=0.05)


def test_cancelling_leaves_nothing(level_product: DetectedSeries, tmp_path: Path) -> None:
    stop = threading.Event()

    def report(share: float, _step: str) -> None:
        if share > 0.3:
            stop.set()

    folder = tmp_path / "never"
    with pytest.raises(Cancelled):
        run(level_product.request(), folder, Progress(report, 0.0, 1.0, stop))
    assert not folder.exists()


def test_the_request_says_what_it_wants(level_product: DetectedSeries) -> None:
    request = level_product.request()
    assert OrthoTilingRequest.from_values(request.to_values()) == request


@pytest.mark.parametrize("resolution", [10.0, 12.2, 18.3, 100.0])
def test_resolutions_that_divide_a_tile_are_taken(
    level_product: DetectedSeries, resolution: float
) -> None:
    assert level_product.request(resolution=resolution).resolution == resolution
