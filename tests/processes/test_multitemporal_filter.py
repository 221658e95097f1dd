"""`multitemporal-filter` as a user has it: a real server, owslib, a folder, then one date more."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.request import urlretrieve

import numpy as np
from osgeo import gdal
from owslib.wps import ASYNC, WebProcessingService, WPSExecution

from kernels.model import MapGrid, Shape
from kernels.products.raster import create_raster
from processes.background import background_server, free_address

PATIENCE = 120.0
"""Longest wait for a job of some seconds, on a busy machine [s]."""
SHAPE = Shape(120, 100)
GRID = MapGrid(
    crs="EPSG:32631", west=6e5, north=4_900_020.0, x_spacing=10.0, y_spacing=10.0, shape=SHAPE
)


def write(folder: Path, date: int) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"s1a_31TGL_vv_DES_139_201801{date:02d}t060000.tif"
    values = np.random.default_rng(date).gamma(4.4, 1 / 4.4, (1, *SHAPE)).astype(np.float32)
    with create_raster(path, SHAPE, ("intensity",), grid=GRID, nodata=0.0) as writer:
        writer.write(0, values)
    return path.stem


def execute(wps: WebProcessingService, **inputs: str) -> WPSExecution:
    job = wps.execute("multitemporal-filter", list(inputs.items()), output=[], mode=ASYNC)
    deadline = time.monotonic() + PATIENCE
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.2)
    return job


def fetch(job: WPSExecution, folder: Path) -> dict[str, Path]:
    """Download every output under the name of its address."""
    assert job.isSucceded(), [error.text for error in job.errors]
    folder.mkdir()
    found = {}
    for output in job.processOutputs:
        found[output.identifier] = folder / output.reference.rpartition("/")[2]
        urlretrieve(output.reference, found[output.identifier])
    return found


def test_a_folder_then_one_date_more_with_the_state(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    for date in range(1, 5):
        last = write(lake / "series", date)
    configuration = tmp_path / "pywps.cfg"
    configuration.write_text(
        f"[fournaise]\nlisten_address = {free_address()}\nstate_folder = var\ndata_roots = {lake}\n"
    )
    with background_server(configuration) as url:
        wps = WebProcessingService(url)
        first = fetch(execute(wps, series="series"), tmp_path / "first")
        assert first["filtered"].name == f"{last}_filtered.tif"
        (lake / "state.tif").write_bytes(first["state"].read_bytes())
        added = write(lake / "new", 9)
        more = fetch(execute(wps, series="new", state="state.tif"), tmp_path / "more")
        failed = execute(wps, series="new", state="new")
    assert more["filtered"].name == f"{added}_filtered.tif"
    assert gdal.Open(f"GTIFF_DIR:2:{more['state']}").ReadAsArray().min() == 5
    report = json.loads(more["report"].read_text())
    assert [entry["images"] for entry in report["acquisitions"]] == [5]
    assert len(report["images_in_state"]) == 5
    assert not failed.isSucceded()
    assert "new cannot be read" in failed.errors[0].text
