"""Time series within their memory, and where delays, references and points are partly unknown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.artefacts import ChainResult
from kernels.chains.insar_timeseries import InsarTimeseriesRequest, reference, run
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.model import Shape
from kernels.products import series_plot
from kernels.products.mintpy_results import LayerFile
from tests.simulated_network import METRES, SHAPE, NetworkScene, bowl


def go(
    output: Path, files: tuple[Path, Path], *, megabytes: float | None = None, **options: Any
) -> ChainResult:
    values = {"threads": 1, "dem_error": False} | options
    request = InsarTimeseriesRequest(interferograms=files[0], geometry=files[1], **values)
    if megabytes is not None:  # less than users can ask for, so that small scenes need bands
        object.__setattr__(request, "memory_mb", megabytes)
    return run(request, output, Progress())


def series_of(done: ChainResult) -> NDArray[np.float64]:
    with h5py.File(done.artefact("timeseries").path) as file:
        return np.asarray(file["timeseries"][:], np.float64)


def area(scene: NetworkScene, rows: slice, columns: slice) -> str:
    """Box whose corners are cells of the turned grid."""
    longitudes, latitudes = scene.longitudes[rows, columns], scene.latitudes[rows, columns]
    sides = longitudes.min(), latitudes.min(), longitudes.max(), latitudes.max()
    return ",".join(f"{side:.6f}" for side in sides)


def test_maps_and_trends_follow_the_budget_and_do_not_depend_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells are turned against the map: a band of it crosses many rows of all dates."""
    shape = Shape(200, 250)
    rows, columns = np.indices(shape)
    scene = NetworkScene(
        shape=shape,
        velocity=1e-4 * rows + 5e-5 * columns,
        dem_error=np.zeros(shape),
        height=10.0 * columns + 5.0 * rows,
        noise=0.3,
    )
    files = scene.write(tmp_path / "in")
    monkeypatch.setattr("kernels.chains.insar_timeseries.motion._MOST_SAMPLES", 700)
    plain = go(tmp_path / "plain", files, atmosphere="height")
    read: list[int] = []
    rows_of = LayerFile.rows

    def recorded(self: LayerFile, rows: Band, *dates: slice) -> NDArray[np.float32]:
        found = rows_of(self, rows, *dates)
        read.append(found.nbytes)
        return found

    monkeypatch.setattr(LayerFile, "rows", recorded)
    small = go(tmp_path / "small", files, atmosphere="height", megabytes=1.6)
    assert max(read) <= 0.4e6
    np.testing.assert_array_equal(series_of(small), series_of(plain))
    for name in ("displacement", "velocity"):
        one, other = (gdal.Open(str(done.artefact(name).path)) for done in (plain, small))
        np.testing.assert_array_equal(one.ReadAsArray(), other.ReadAsArray())


def test_delays_that_name_a_value_for_none_leave_the_cells_out(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    apparent = np.linspace(0.0, 0.03, 10)[:, None, None] * bowl(SHAPE, 1.0)[::-1]
    difference = [apparent[b] - apparent[a] for a, b in scene.network]
    files = scene.write(tmp_path / "in", scene.phases() + np.array(difference) / METRES)
    delays = tmp_path / "delays"
    delays.mkdir()
    for day, values in zip(scene.days, apparent, strict=True):
        delay = -values
        delay[50:, 70:] = -9999.0
        raster = gdal.GetDriverByName("GTiff").Create(
            str(delays / f"{day:%Y%m%d}.tif"), 80, 60, 1, gdal.GDT_Float32
        )
        raster.GetRasterBand(1).SetNoDataValue(-9999.0)
        raster.WriteArray(delay)
        raster = None  # closes it
    point = f"{scene.longitudes[5, 5]:.6f},{scene.latitudes[5, 5]:.6f}"
    found = series_of(
        go(tmp_path / "out", files, tropospheric_delays=delays, reference_point=point)
    )
    truth = scene.motion - scene.motion[:, 3:8, 3:8].mean(axis=(1, 2), keepdims=True)
    known = np.ones(SHAPE, np.bool_)
    known[50:, 70:] = False
    assert np.isnan(found[:, ~known]).all()
    np.testing.assert_allclose(found[:, known], truth[:, known], atol=5e-6)


def test_the_noted_reference_is_a_cell_with_a_result(tmp_path: Path) -> None:
    """MintPy's velocity fails on a reference without one; of an area the middle may be a lake."""
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    phases = scene.phases()
    phases[:, 12:19, 12:23] = np.nan
    files = scene.write(tmp_path / "in", phases)
    with h5py.File(files[0], "r+") as file:
        file.attrs.update(REF_Y="40", REF_X="60", REF_LAT="1.0", REF_LON="2.0")
    done = go(tmp_path / "out", files, reference_area=area(scene, np.s_[10:22], np.s_[10:25]))
    with h5py.File(done.artefact("timeseries").path) as file:
        row, column = int(file.attrs["REF_Y"]), int(file.attrs["REF_X"])
        assert np.isfinite(file["timeseries"][:, row, column]).all()
        assert "REF_LAT" not in file.attrs  # that of another reference
    assert 8 <= row < 24
    assert 8 <= column < 27


def test_of_a_large_area_some_cells_are_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The area is at rest: whichever cells are taken, motion is relative to 0."""
    scene = NetworkScene(velocity=np.where(np.indices(SHAPE)[1] > 50, 0.03, 0.0))
    monkeypatch.setattr(reference, "_MOST_CELLS", 100)
    done = go(
        tmp_path / "out",
        scene.write(tmp_path / "in"),
        reference_area=area(scene, np.s_[5:55], np.s_[5:40]),
    )
    assert 50 < done.report["reference"]["cells"] <= 100
    np.testing.assert_allclose(series_of(done), scene.motion, atol=5e-6)


def test_a_point_without_a_reliable_result_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    coherence = np.full((len(scene.network), *SHAPE), 0.9)
    coherence[:, 20:30, 30:40] = 0.1
    drawn: dict[str, Any] = {}
    draw = series_plot.points_picture

    def recorded(path: Path, **values: Any) -> object:
        drawn.update(values)
        return draw(path, **values)

    monkeypatch.setattr(series_plot, "points_picture", recorded)
    places = [(25, 35), (30, 60)]
    points = tuple(f"{scene.longitudes[p]:.6f},{scene.latitudes[p]:.6f}" for p in places)
    done = go(tmp_path / "out", scene.write(tmp_path / "in", coherence=coherence), points=points)
    assert drawn["points"][0].name == "point 1: not reliable"
    assert drawn["points"][1].name.startswith("point 2: +")
    tags = gdal.Open(str(done.artefact("velocity").path)).GetMetadata()
    assert "as if dates were independent" in tags["VELOCITY_ERROR"]


def test_gdal_keeps_no_share_of_the_machine() -> None:
    """A process that made nothing but maps would keep the displacement of all dates as blocks."""
    loads = "from kernels.chains.insar_timeseries import run; from osgeo import gdal"
    tells = f"{loads}; print(gdal.GetCacheMax())"
    environment = {name: text for name, text in os.environ.items() if name != "GDAL_CACHEMAX"}
    done = subprocess.run(
        [sys.executable, "-c", tells], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) <= 64_000_000
