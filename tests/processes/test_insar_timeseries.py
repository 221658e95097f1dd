"""`insar-timeseries` as a user has it: a real server, owslib, and results of an earlier job."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import xarray

from tests.processes.over_wps import wps_server
from tests.simulated_network import SHAPE, NetworkScene, bowl

PROCESS = "insar-timeseries"


def test_motion_over_the_web(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, -0.03))
    stack, geometry = scene.write(tmp_path / "lake" / "series")
    names = {f"{path.stem}": f"series/{path.name}" for path in (stack, geometry)}
    files = {"interferograms": names["ifgramStack"], "geometry": names["geometryRadar"]}
    with wps_server(tmp_path, tmp_path / "lake") as server:
        done = server.results(
            tmp_path / "results", PROCESS, **files, dem_error="false", points="55.42,-21.017"
        )
        server.assert_refused(
            "reference_point must be on the ground of the interferograms",
            PROCESS,
            **files,
            reference_point="57,-21",
        )
        server.assert_refused(
            "must be a stack of MintPy", PROCESS, interferograms=files["geometry"]
        )
    assert done["timeseries"].suffix == ".h5"
    with h5py.File(done["timeseries"]) as file:
        series = file["timeseries"][:]
    row, column = (
        json.loads(done["report"].read_text())["reference"][name] for name in ("row", "column")
    )
    around = scene.motion[:, max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
    truth = scene.motion - around.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(series, truth, atol=5e-6)
    assert done["cube"].suffix == ".nc"
    with xarray.open_dataset(done["cube"], engine="h5netcdf") as cube:
        assert cube.sizes["time"] == len(scene.days)
