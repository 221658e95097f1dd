"""`dinsar-pair` as a user has it: a real server, owslib, real files, and bad input."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from owslib.wps import ASYNC, WebProcessingService, WPSExecution

from kernels.chains.dinsar_pair import run
from kernels.engine.progress import Progress
from kernels.products.raster import read_raster
from processes.background import background_server, free_address
from tests.chains.test_dinsar_pair_refusals import (
    another_place,
    another_track,
    detected_product,
    missing_measurement,
)
from tests.processes.conftest import leftovers
from tests.series import Series

PATIENCE = 120.0
"""Longest wait for a job of some seconds, on a busy machine [s]."""


@pytest.fixture(scope="module")
def lake(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data roots: a pair and its DEM, and spoilt copies."""
    folder = tmp_path_factory.mktemp("lake")
    for product in (tops_series.reference, tops_series.still):
        shutil.copytree(product, folder / product.name)
    shutil.copy(tops_series.dem, folder / "dem.tif")
    holed = Path(shutil.copy(tops_series.dem, folder / "holed.tif"))
    dataset = gdal.Open(str(holed), gdal.GA_Update)
    heights = dataset.ReadAsArray()
    heights[340:360, 340:360] = np.nan
    dataset.GetRasterBand(1).WriteArray(heights)
    dataset = None
    truncated = folder / f"{tops_series.still.stem[:-4]}0000.zip"
    with zipfile.ZipFile(truncated, "w") as archive:
        for file in sorted(tops_series.still.rglob("*")):
            archive.write(
                file, Path(f"{truncated.stem}.SAFE") / file.relative_to(tops_series.still)
            )
    truncated.write_bytes(truncated.read_bytes()[:100_000])
    for spoil in (detected_product, missing_measurement, another_track, another_place):
        scratch = tmp_path_factory.mktemp("spoilt")
        spoilt = spoil(tops_series, scratch)["secondary"]
        assert isinstance(spoilt, Path)
        (folder / spoil.__name__).mkdir()
        shutil.copytree(spoilt, folder / spoil.__name__ / spoilt.name)
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


def execute(wps: WebProcessingService, series: Series, **changed: str) -> WPSExecution:
    """Submit and follow to the end."""
    inputs = {
        "reference": series.reference.name,
        "secondary": series.still.name,
        "dem": "dem.tif",
        "dem_heights": "ellipsoid",
        "azimuth_looks": "4",
        "range_looks": "16",
    }
    job = wps.execute("dinsar-pair", list((inputs | changed).items()), output=[], mode=ASYNC)
    deadline = time.monotonic() + PATIENCE
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.2)
    return job


def test_the_result_over_the_web_is_the_result_of_the_chain(
    server: tuple[WebProcessingService, Path], tops_series: Series, tmp_path: Path
) -> None:
    wps, state = server
    job = execute(wps, tops_series)
    assert job.isSucceeded(), [error.text for error in job.errors]
    for output in job.processOutputs:
        (tmp_path / output.identifier).write_bytes(output.retrieveData())
    run(tops_series.request(), tmp_path / "chain", Progress())
    over_web = read_raster(tmp_path / "interferogram")
    direct = read_raster(tmp_path / "chain" / "interferogram.tif")
    assert over_web.grid == direct.grid
    np.testing.assert_array_equal(over_web.array, direct.array)
    report = json.loads((tmp_path / "report").read_text(encoding="utf-8"))
    assert report["coherence"]["mean"] > 0.998
    assert (tmp_path / "phase_picture").read_bytes().startswith(b"\x89PNG")
    assert leftovers(state) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"secondary": "TRUNCATED"}, "zip"),
        ({"dem": "holed.tif"}, "elevation model lacks"),
        ({"orbits": "no_orbits"}, "orbits must be"),
        ({"secondary": "detected_product"}, "SLC"),
        ({"secondary": "missing_measurement"}, "measurement"),
        ({"secondary": "another_track"}, "secondary must be of the same track"),
        ({"secondary": "another_place"}, "do not overlap"),
        ({"polarisation": "HH"}, "HH"),
        ({"last_burst": "9"}, "last_burst must be at most 2"),
        ({"secondary": "REFERENCE"}, "secondary must be another product"),
        ({"kernel": "9"}, "kernel must be one of 8, 12, got 9"),
        ({"secondary": "../../etc/passwd"}, "secondary must be"),
    ],
)
def test_bad_input_gets_one_clear_line_and_nothing_stays(
    changed: dict[str, str],
    line: str,
    server: tuple[WebProcessingService, Path],
    tops_series: Series,
    lake: Path,
) -> None:
    wps, state = server
    names = {"TRUNCATED": next(lake.glob("*.zip")).name, "REFERENCE": tops_series.reference.name}
    outputs = set((state / "outputs").rglob("*.tif"))
    values = {name: names.get(value, value) for name, value in changed.items()}
    for name, value in values.items():
        if (lake / value).is_dir() and not value.endswith(".SAFE"):
            values[name] = f"{value}/{next((lake / value).iterdir()).name}"
    try:
        job = execute(wps, tops_series, **values)
        texts = [error.text for error in job.errors]
    except Exception as refusal:  # noqa: BLE001 - owslib raises what the server refuses at once
        texts = [str(refusal)]
    assert any(line in text for text in texts), texts
    assert all("Traceback" not in text for text in texts)
    assert set((state / "outputs").rglob("*.tif")) == outputs
    assert leftovers(state) == []
