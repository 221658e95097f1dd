"""What the chain hands over: names, tags, which tiles, and the report."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.ortho_tiling import CHAIN, OrthoTilingRequest, run
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, ProcessingError
from tests.detected_series import (
    ALONE,
    LEVEL,
    TILE,
    DetectedSeries,
    decibel,
    simulated_pass,
    tile_files,
    tiles_of,
)


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
    tags = gdal.Open(str(tmp_path / "peps" / next(iter(peps)))).GetMetadata()
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
    assert [entry["tile"] for entry in result.report["tiles"]] == [TILE]


def test_a_tile_with_too_little_data_is_left_out_and_said(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    result = run(level_product.request(tiles=("40KDB", TILE)), tmp_path, Progress())
    assert [entry["tile"] for entry in result.report["tiles"]] == [TILE]
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


def test_dates_are_tiles_of_their_own(tmp_path: Path) -> None:
    series = simulated_pass(tmp_path / "products", lines=300, dates=2)
    request = series.request(minimum_coverage=0.1, products=series.products[::-1])
    images = tiles_of(request, tmp_path / "out")
    assert [name[-19:] for name in images] == ["20260101t015959.tif", "20260113t015959.tif"]
    for image in images.values():
        assert abs(decibel(np.median(image[image > 0.0]) / LEVEL)) < 0.01


def test_everything_promised_is_there(level_product: DetectedSeries, tmp_path: Path) -> None:
    steps: list[tuple[float, str]] = []
    progress = Progress.to(lambda share, step: steps.append((share, step)))
    result = run(level_product.request(), tmp_path, progress)
    assert [a.name for a in result.artefacts] == [o.name for o in CHAIN.outputs]
    tiles = {tmp_path / name for name in result.report["tiles"][0]["files"]}
    assert {a.path for a in result.artefacts} | tiles == set(tmp_path.iterdir())
    assert result.artefact("first_tile").path in tiles
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
