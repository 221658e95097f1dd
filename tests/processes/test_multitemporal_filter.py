"""`multitemporal-filter` as a user has it: a real server, owslib, a folder, then one date more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from osgeo import gdal

from kernels.model import MapGrid, Shape
from kernels.products.raster import create_raster
from tests.processes.over_wps import wps_server

PROCESS = "multitemporal-filter"
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


def test_a_folder_then_one_date_more_with_the_state(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    for date in range(1, 5):
        last = write(lake / "series", date)
    with wps_server(tmp_path, lake) as server:
        first = server.results(tmp_path / "first", PROCESS, series="series")
        assert first["filtered"].name == f"{last}_filtered.tif"
        (lake / "state.tif").write_bytes(first["state"].read_bytes())
        added = write(lake / "new", 9)
        more = server.results(tmp_path / "more", PROCESS, series="new", state="state.tif")
        server.assert_refused("new cannot be read", PROCESS, series="new", state="new")
    assert more["filtered"].name == f"{added}_filtered.tif"
    assert gdal.Open(f"GTIFF_DIR:2:{more['state']}").ReadAsArray().min() == 5
    report = json.loads(more["report"].read_text())
    assert [entry["images"] for entry in report["acquisitions"]] == [5]
    assert len(report["images_in_state"]) == 5
