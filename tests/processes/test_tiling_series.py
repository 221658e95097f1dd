"""`s1-tiling-series` as a user has it: a real server, owslib, days and tiles but no products."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from owslib.wps import ASYNC, WebProcessingService, WPSExecution

from kernels.chains.tiling_series import run
from kernels.engine.progress import Progress
from kernels.products.raster import read_raster
from processes.background import background_server, free_address
from tests.tile_lake import DAYS, TILES, TileLake

PATIENCE = 120.0
"""Longest wait for a job of some seconds, on a busy machine [s]."""


@pytest.fixture(scope="module")
def lake(tile_lake: TileLake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root: three products in folders of their days, one of them spoilt, and the DEM."""
    folder = tmp_path_factory.mktemp("roots")
    for day, product in zip(DAYS[:3], tile_lake.products, strict=False):
        shutil.copytree(product, folder / "grd" / day.replace("-", "/") / product.name)
    for file in folder.glob("grd/2026/01/13/*/measurement/*.tiff"):
        file.write_bytes(file.read_bytes()[:100_000])
    shutil.copy(tile_lake.dem, folder / "dem.tif")
    (folder / "out").symlink_to(tile_lake.folder)
    return folder


@pytest.fixture(scope="module")
def server(
    lake: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WebProcessingService, Path]]:
    folder = tmp_path_factory.mktemp("server")
    configuration = folder / "pywps.cfg"
    configuration.write_text(
        f"[fournaise]\nlisten_address = {free_address()}\nstate_folder = var\n"
        f"data_roots = {lake}\ndem_path = {lake / 'dem.tif'}\n"
    )
    with background_server(configuration) as url:
        yield WebProcessingService(url), folder / "var"


def execute(wps: WebProcessingService, **changed: str) -> WPSExecution:
    """Submit and follow to the end; products and elevation are the server's."""
    inputs = {
        "tiles": TILES[0],
        "first_day": DAYS[0],
        "last_day": DAYS[2],
        "direction": "descending",
        "dem_heights": "ellipsoid",
        "resolution": "300",
        "minimum_coverage": "0.05",
    }
    job = wps.execute("s1-tiling-series", list((inputs | changed).items()), output=[], mode=ASYNC)
    deadline = time.monotonic() + PATIENCE
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.2)
    return job


def assert_nothing_stays(state: Path) -> None:
    """Jobs that have ended leave no folder, a moment later."""
    deadline = time.monotonic() + PATIENCE
    while (left := list((state / "jobs").glob("*"))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_days_and_tiles_are_enough(
    server: tuple[WebProcessingService, Path], tile_lake: TileLake, tmp_path: Path
) -> None:
    wps, state = server
    (products,) = (
        item
        for item in wps.describeprocess("s1-tiling-series").dataInputs
        if item.identifier == "products"
    )
    assert products.minOccurs == 0
    job = execute(wps)
    assert job.isSucceeded(), [error.text for error in job.errors]
    for output in job.processOutputs:
        (tmp_path / output.identifier).write_bytes(output.retrieveData())
    report = json.loads((tmp_path / "report").read_text(encoding="utf-8"))
    (series,) = report["series"]
    assert [entry["day"] for entry in series["acquisitions"]] == [DAYS[0], DAYS[2]]
    assert [entry["day"] for entry in report["left_out"]] == [DAYS[1]]
    with zipfile.ZipFile(tmp_path / "series") as archive:
        assert archive.testzip() is None
        expected = {
            f"S1-L1-ORTHO/40KCB/{entry['day'].replace('-', '/')}/{entry[kind]}"
            for entry in series["acquisitions"]
            for kind in ("tile_file", "filtered_file")
        }
        assert set(archive.namelist()) == expected | {"report.json"}
    request = tile_lake.request(products=(tile_lake.products[0], tile_lake.products[2]))
    direct = run(request, tmp_path / "chain", Progress())
    np.testing.assert_array_equal(
        read_raster(tmp_path / "newest_tile").array,
        read_raster(direct.artefact("newest_tile").path).array,
    )
    assert (tmp_path / "quicklook").read_bytes().startswith(b"\x89PNG")
    assert_nothing_stays(state)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"products": "../.."}, "products must be the name of a product or a path"),
        ({"products": "out"}, "products must be the name of a product or a path"),
        ({"tiles": "40KZZ"}, "tiles must be names of Sentinel-2 tiles, got 40KZZ"),
        ({"first_day": "2026-03-01"}, "last_day must be the first day, 2026-03-01, or later"),
        ({"first_day": "yesterday"}, "first_day must be a day of the calendar as 2018-07-20"),
        ({"polarisations": "VH"}, "polarisations must be that of a product found: VV, got VH"),
        ({"relative_orbit": "12"}, "relative_orbit must be that of a product found: 151, got 12"),
        ({"first_day": DAYS[1], "last_day": DAYS[1]}, ".tiff is cut off"),
    ],
)
def test_what_breaks_a_rule_gets_one_line_and_nothing_stays(
    changed: dict[str, str], line: str, server: tuple[WebProcessingService, Path], lake: Path
) -> None:
    wps, state = server
    try:
        job = execute(wps, **changed)
        texts = [error.text for error in job.errors]
    except Exception as refusal:  # noqa: BLE001 - owslib raises what the server refuses at once
        texts = [str(refusal)]
    assert any(line in text for text in texts), texts
    assert all("Traceback" not in text and str(lake) not in text for text in texts)
    assert_nothing_stays(state)


def test_one_series_takes_one_relative_orbit(server: tuple[WebProcessingService, Path]) -> None:
    wps, _ = server
    inputs = [("tiles", TILES[0]), ("first_day", DAYS[0]), ("last_day", DAYS[2])]
    inputs += [("relative_orbit", "151"), ("relative_orbit", "8")]
    with pytest.raises(Exception, match="relative_orbit must be given at most 1 times"):
        wps.execute("s1-tiling-series", inputs, output=[], mode=ASYNC)
