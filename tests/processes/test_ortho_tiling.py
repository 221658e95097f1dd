"""`s1-ortho-tiling` as a user has it: a real server, owslib, one GRD over a tile, bad input."""

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

from kernels.chains.ortho_tiling import run
from kernels.engine.progress import Progress
from kernels.geometry.mgrs import tile_grid
from kernels.products.raster import read_raster
from processes.background import background_server, free_address
from tests.detected_series import TILE, DetectedSeries
from tests.processes.conftest import leftovers
from tests.series import Series

PATIENCE = 120.0
"""Longest wait for a job of some seconds, on a busy machine [s]."""


@pytest.fixture(scope="module")
def lake(
    level_product: DetectedSeries,
    stripmap_series: Series,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Data roots: a GRD and its DEM, a truncated copy, and an SLC."""
    folder = tmp_path_factory.mktemp("lake")
    product = level_product.products[0]
    for found in (product, stripmap_series.reference):
        shutil.copytree(found, folder / found.name)
    shutil.copy(level_product.dem, folder / "dem.tif")
    corrupt = Path(shutil.copytree(product, folder / f"{product.stem[:-4]}0000.SAFE"))
    for file in corrupt.glob("measurement/*.tiff"):
        file.write_bytes(file.read_bytes()[:200_000])
    return folder


@pytest.fixture(scope="module")
def server(
    lake: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WebProcessingService, Path]]:
    folder = tmp_path_factory.mktemp("server")
    configuration = folder / "pywps.cfg"
    configuration.write_text(
        f"[fournaise]\nlisten_address = {free_address()}\nstate_folder = var\ndata_roots = {lake}\n"
    )
    with background_server(configuration) as url:
        yield WebProcessingService(url), folder / "var"


def execute(wps: WebProcessingService, series: DetectedSeries, **changed: str) -> WPSExecution:
    """Submit and follow to the end."""
    inputs = {
        "products": series.products[0].name,
        "tiles": TILE,
        "dem": "dem.tif",
        "dem_heights": "ellipsoid",
        "resolution": "100",
        "minimum_coverage": "0.5",
    }
    job = wps.execute("s1-ortho-tiling", list((inputs | changed).items()), output=[], mode=ASYNC)
    deadline = time.monotonic() + PATIENCE
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.2)
    return job


def test_one_product_over_a_tile_gives_a_zip_a_layer_and_a_quicklook(
    server: tuple[WebProcessingService, Path], level_product: DetectedSeries, tmp_path: Path
) -> None:
    wps, state = server
    job = execute(wps, level_product)
    assert job.isSucceeded(), [error.text for error in job.errors]
    for output in job.processOutputs:
        (tmp_path / output.identifier).write_bytes(output.retrieveData())
    made = run(level_product.request(), tmp_path / "chain", Progress())
    over_web = read_raster(tmp_path / "first_tile")
    assert over_web.grid == tile_grid(TILE, 100.0)
    direct = read_raster(made.artefact("first_tile").path)
    np.testing.assert_array_equal(over_web.array, direct.array)
    report = json.loads((tmp_path / "report").read_text(encoding="utf-8"))
    with zipfile.ZipFile(tmp_path / "tiles") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {*report["tiles"][0]["files"], "report.json"}
    assert (tmp_path / "quicklook").read_bytes().startswith(b"\x89PNG")
    assert leftovers(state) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"products": "CORRUPT"}, ".tiff cannot be read"),
        ({"products": "../../etc/passwd"}, "products must be"),
        ({"tiles": "40KZZ"}, "tiles must be names of Sentinel-2 tiles, got 40KZZ"),
        ({"tiles": "31TDJ"}, "tiles must be covered by the products to at least 0.5 percent"),
        ({"resolution": "7"}, "resolution must be a divisor of 109800 m, got 7"),
        ({"minimum_coverage": "1.65"}, "no tile has 1.65 percent of data: 40KCB"),
        ({"polarisations": "HH"}, "has no image HH"),
    ],
)
def test_bad_input_gets_one_clear_line_and_nothing_stays(
    changed: dict[str, str],
    line: str,
    server: tuple[WebProcessingService, Path],
    level_product: DetectedSeries,
    lake: Path,
) -> None:
    wps, state = server
    names = {"CORRUPT": next(lake.glob("S1A_IW_GRDH*0000.SAFE")).name}
    outputs = set((state / "outputs").rglob("*.tif"))
    values = {name: names.get(value, value) for name, value in changed.items()}
    try:
        job = execute(wps, level_product, **values)
        texts = [error.text for error in job.errors]
    except Exception as refusal:  # noqa: BLE001 - owslib raises what the server refuses at once
        texts = [str(refusal)]
    assert any(line in text for text in texts), texts
    assert all("Traceback" not in text and str(lake) not in text for text in texts)
    assert set((state / "outputs").rglob("*.tif")) == outputs
    assert leftovers(state) == []
