"""`multislc-series` over WPS: five dates of the datalake, killed in the middle, asked for again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import zipfile
from contextlib import suppress
from datetime import date
from pathlib import Path

import h5py
import numpy as np
import pytest
from owslib.wps import ASYNC

from kernels.products.raster import read_raster
from tests.processes.over_wps import PATIENCE, WpsServer, wps_server
from tests.processes.test_survival import victims
from tests.slc_series import SlcSeries

PROCESS = "multislc-series"


@pytest.fixture
def lake(slc_series: SlcSeries, tmp_path: Path) -> Path:
    """A datalake: a folder for each day, as archives have them."""
    folder = tmp_path / "lake"
    for product in slc_series.products:
        shutil.copytree(product, folder / "slc" / product.name[17:25] / product.name)
    shutil.copy(slc_series.dem, folder / "dem.tif")
    return folder


def inputs_of(series: SlcSeries) -> dict[str, str]:
    """Days and a reference: products and elevation are the server's."""
    first, last = (f"{date.fromisoformat(series.days[k])}" for k in (0, -1))
    return {
        "first_day": first,
        "last_day": last,
        "reference": series.days[0],
        "dem_heights": "ellipsoid",
        "azimuth_looks": "4",
        "range_looks": "16",
        "network": "small_baseline",
        "largest_days": "120",
        "unwrapping": "mcf",
        "spacing": "0.0003",
    }


def complete_days(server: WpsServer) -> set[str]:
    """Days whose images are complete in the store."""
    return {path.parent.name for path in server.state.rglob("date.json")}


def kill_in_the_middle(server: WpsServer, configuration: Path, inputs: dict[str, str]) -> set[str]:
    """Submit a job, kill it when some of its dates are complete, and return these."""
    job = server.wps.execute(PROCESS, list(inputs.items()), output=[], mode=ASYNC)
    deadline = time.monotonic() + PATIENCE
    while len(complete_days(server)) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    for pid in victims(configuration, "job"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.2)
    assert [error.text for error in job.errors] == ["the processing ended without a word"]
    return complete_days(server)


def test_a_series_that_was_killed_computes_only_what_is_missing(
    lake: Path, slc_series: SlcSeries, tmp_path: Path
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    inputs = inputs_of(slc_series)
    with wps_server(folder, lake, dem_path=lake / "dem.tif", job_attempts=1) as server:
        kept = kill_in_the_middle(server, folder / "pywps.cfg", inputs)
        assert 2 <= len(kept) < len(slc_series.days)
        found = server.results(tmp_path / "results", PROCESS, **inputs)
    report = json.loads(found["report"].read_text(encoding="utf-8"))
    assert [entry["day"] for entry in report["dates"]] == list(slc_series.days)
    assert {entry["day"] for entry in report["dates"] if entry["from_store"]} == kept
    _results_can_be_opened(found, slc_series, tmp_path)


def _results_can_be_opened(found: dict[str, Path], series: SlcSeries, folder: Path) -> None:
    """Open every file as a user does."""
    with zipfile.ZipFile(found["series"]) as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "series")
    pairs = sorted((folder / "series").rglob("interferogram_ortho.tif"))
    assert len(pairs) == 6
    for path in pairs:
        phase, coherence = read_raster(path).array[1:3]
        assert np.nanmedian(coherence) > 0.8
        assert np.isfinite(phase).mean() > 0.2
    with h5py.File(found["interferogram_stack"]) as file:
        assert file["unwrapPhase"].shape[0] == len(pairs)
    for name in ("baselines_picture", "phase_picture"):
        assert found[name].read_bytes().startswith(b"\x89PNG")
    lines = found["baselines"].read_text(encoding="utf-8").splitlines()
    assert all(any(day in line.replace("-", "") for line in lines) for day in series.days)
    amplitude, dispersion = read_raster(found["mean_amplitude"]).array[:2]
    assert np.nanmedian(amplitude) > 0.0
    assert 0.0 < np.nanmedian(dispersion) < 0.52, "coherent ground scatters less than speckle"
