"""Motion that is known, through files: velocity, elevation, atmosphere, cycles, subsets, maps."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.artefacts import ChainResult
from kernels.chains.insar_timeseries import CHAIN, InsarTimeseriesRequest, run
from kernels.engine.progress import Progress
from kernels.model import MapGrid, Shape
from kernels.products.raster import read_raster
from tests.simulated_network import METRES, SHAPE, STEPS, NetworkScene, bowl

# float32 phases of some tens of radians
MICROMETRES = 5e-6


def go(output: Path, files: tuple[Path, Path | None], **options: Any) -> ChainResult:
    values = {"threads": 2, "dem_error": False} | options
    request = InsarTimeseriesRequest(interferograms=files[0], geometry=files[1], **values)
    return run(request, output, Progress())


def layer(path: Path, name: str) -> NDArray[np.float64]:
    with h5py.File(path) as file:
        return np.asarray(file[name][:], np.float64)


def unpacked(done: ChainResult, folder: Path, name: str) -> Path:
    with zipfile.ZipFile(done.artefact("mintpy").path) as archive:
        return Path(archive.extract(name, folder))


def relative(values: NDArray[np.float64], done: ChainResult) -> NDArray[np.float64]:
    """The truth against the mean of the reference's 5 x 5 cells."""
    row, column = (done.report["reference"][name] for name in ("row", "column"))
    around = values[..., max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
    return values - around.mean(axis=(-2, -1), keepdims=True)


def test_every_result_holds_the_motion(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, -0.03))
    done = go(tmp_path / "out", scene.write(tmp_path / "in"), points=("55.42,-21.017",))
    assert [a.name for a in done.artefacts] == [o.name for o in CHAIN.outputs]
    assert all(a.path.parent == tmp_path / "out" for a in done.artefacts)
    truth = relative(scene.motion, done)
    series = done.artefact("timeseries").path
    np.testing.assert_allclose(layer(series, "timeseries"), truth, atol=MICROMETRES)
    velocity = layer(unpacked(done, tmp_path, "velocity.h5"), "velocity")
    np.testing.assert_allclose(velocity, relative(scene.velocity, done), atol=2e-5)
    coherence = layer(unpacked(done, tmp_path, "temporalCoherence.h5"), "temporalCoherence")
    np.testing.assert_allclose(coherence, 1.0, atol=1e-5)
    for name in ("velocity_picture", "displacement_picture", "points_picture"):
        picture = gdal.Open(str(done.artefact(name).path))
        assert picture.GetDriver().ShortName == "PNG"
        assert len(np.unique(picture.ReadAsArray())) > 30
    with done.artefact("points").path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["day"] for row in rows] == [day.isoformat() for day in scene.days]
    cell = int(rows[0]["row"]), int(rows[0]["column"])
    distance = np.hypot(scene.longitudes - 55.42, scene.latitudes + 21.017)
    assert cell == np.unravel_index(distance.argmin(), SHAPE)
    found = [float(row["displacement_m"]) for row in rows]
    np.testing.assert_allclose(found, truth[:, cell[0], cell[1]], atol=MICROMETRES)
    assert json.loads(done.artefact("report").path.read_text()) == done.report
    assert list((tmp_path / "out").glob(".*")) == []


def on_map(scene: NetworkScene, grid: MapGrid) -> tuple[NDArray[np.float64], ...]:
    """Fractional rows and columns of the cells at the pixels: the scene's grid is affine."""
    rows, columns = np.indices(grid.shape)
    east = grid.west + (columns + 0.5) * grid.x_spacing - scene.longitudes[0, 0]
    south = scene.latitudes[0, 0] - (grid.north - (rows + 0.5) * grid.y_spacing)
    matrix = np.array([[STEPS[0], -0.2 * STEPS[1]], [0.2 * STEPS[0], STEPS[1]]])
    found = np.einsum("ij,jkl->ikl", np.linalg.inv(matrix), np.stack([east, south]))
    return found[1], found[0]


def test_maps_and_cube_are_where_the_ground_is(tmp_path: Path) -> None:
    rows, columns = np.indices(SHAPE)
    scene = NetworkScene(velocity=1e-4 * rows - 2e-4 * columns)  # linear: interpolation is exact
    coherence = np.full((len(scene.network), *SHAPE), 0.9)
    coherence[:, 20:30, 30:40] = 0.1  # decorrelated
    files = scene.write(tmp_path / "in", coherence=coherence)
    done = go(tmp_path / "out", files, spacing=3e-4)
    raster = read_raster(done.artefact("velocity").path)
    assert isinstance(raster.grid, MapGrid)
    assert raster.band_names == (
        "velocity",
        "velocity_error",
        "temporal_coherence",
        "dem_error",
        "mask",
    )
    at_row, at_column = on_map(scene, raster.grid)
    slopes = 1e-4 * at_row - 2e-4 * at_column
    row, column = (done.report["reference"][name] for name in ("row", "column"))
    truth = slopes - (1e-4 * row - 2e-4 * column)
    inside = (at_row > 0.01) & (at_row < 58.99) & (at_column > 0.01) & (at_column < 78.99)
    lost = (at_row > 19.5) & (at_row < 29.5) & (at_column > 29.5) & (at_column < 39.5)
    near = (at_row > 18.9) & (at_row < 30.1) & (at_column > 28.9) & (at_column < 40.1)
    velocity, mask = raster.array[0], raster.array[4]
    assert (mask[inside & ~near] == 1.0).all()
    assert (mask[lost] == 0.0).all()
    np.testing.assert_allclose(velocity[inside & ~near], truth[inside & ~near], atol=1e-5)
    assert np.isnan(velocity[lost]).all()
    assert np.isnan(velocity[at_row < -0.1]).all()
    # beside lost cells the nearest cell's value is taken, half a cell away at most
    edge = near & ~lost & np.isfinite(velocity)
    assert np.abs(velocity[edge] - truth[edge]).max() < 0.5 * 3e-4 + 1e-5
    bands = gdal.Open(str(done.artefact("displacement").path))
    assert bands.GetRasterBand(10).GetDescription() == "2016-09-21"
    last = bands.GetRasterBand(10).ReadAsArray()
    np.testing.assert_array_equal(np.isfinite(last), np.isfinite(velocity))
    with xarray.open_dataset(done.artefact("cube").path, engine="h5netcdf") as cube:
        assert cube.displacement.dims == ("time", "latitude", "longitude")
        assert str(cube.time.values[-1])[:10] == "2016-09-21"
        np.testing.assert_array_equal(cube.displacement.values[-1], last)
        np.testing.assert_array_equal(cube.velocity.values, velocity)
        np.testing.assert_allclose(
            cube.longitude.values[:2], raster.grid.west + 3e-4 * np.array([0.5, 1.5]), rtol=1e-12
        )
    # the driver of GDAL and QGIS finds the map
    layer = gdal.Open(f"NETCDF:{done.artefact('cube').path}:velocity")
    np.testing.assert_allclose(layer.GetGeoTransform(), raster.grid.geotransform, rtol=1e-9)
    assert layer.GetSpatialRef().IsGeographic()


def test_the_map_in_utm_shows_the_same_ground(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    files = scene.write(tmp_path / "in")
    done = go(tmp_path / "out", files, ortho="utm", spacing=50.0)
    raster = read_raster(done.artefact("velocity").path)
    assert isinstance(raster.grid, MapGrid)
    assert raster.grid.crs == "EPSG:32740"
    highest = np.nanmax(raster.array[0])
    assert highest == pytest.approx(0.02, abs=2e-3)


def test_the_error_of_the_elevation_is_found_and_taken_out(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, -0.03), dem_error=bowl(SHAPE, 15.0)[:, ::-1])
    files = scene.write(tmp_path / "in")
    done = go(tmp_path / "out", files, dem_error=True)
    np.testing.assert_allclose(
        layer(done.artefact("timeseries").path, "timeseries"),
        relative(scene.motion, done),
        atol=5 * MICROMETRES,
    )
    found = layer(unpacked(done, tmp_path, "demErr.h5"), "dem")
    np.testing.assert_allclose(found, relative(scene.dem_error, done), atol=0.05)  # [m]
    without = go(tmp_path / "without", files)
    assert np.isnan(layer(unpacked(without, tmp_path, "demErr.h5"), "dem")).all()
    series = layer(without.artefact("timeseries").path, "timeseries")
    assert np.abs(series - relative(scene.motion, without)).max() > 2e-3


def test_atmosphere_that_follows_the_height_is_taken_out(tmp_path: Path) -> None:
    """A cone of 2000 m; 3 cm of delay between top and coast; a tenth of the cells moves."""
    rows, columns = np.indices(SHAPE)
    height = 2000.0 - 40.0 * np.hypot(rows - 30, columns - 30)
    moving = np.where((rows > 40) & (columns > 60), 0.05, 0.0)
    slopes = 1.5e-5 * np.random.default_rng(8).uniform(-1.0, 1.0, 10)
    scene = NetworkScene(velocity=moving, height=height, delay_per_metre=slopes)
    files = scene.write(tmp_path / "in")
    done = go(tmp_path / "out", files, atmosphere="height")
    np.testing.assert_allclose(
        done.report["corrections"]["height_mm_per_km"], 1e6 * (slopes - slopes[0]), atol=0.05
    )
    error = layer(done.artefact("timeseries").path, "timeseries") - relative(scene.motion, done)
    assert np.abs(error).max() < 1e-4
    assert np.abs(relative(scene.apparent - scene.apparent[0] - scene.motion, done)).max() > 0.02


def test_a_plane_beside_the_height_is_taken_out(tmp_path: Path) -> None:
    """Long waves of 2 cm over the scene and a stratified delay, on every date."""
    rows, columns = np.indices(SHAPE).astype(np.float64)
    height = 2000.0 - 40.0 * np.hypot(rows - 30, columns - 30)
    moving = np.where((rows > 40) & (columns > 60), 0.05, 0.0)
    generator = np.random.default_rng(10)
    scene = NetworkScene(
        velocity=moving, height=height, delay_per_metre=1.5e-5 * generator.uniform(-1.0, 1.0, 10)
    )
    tilts = 0.02 / max(SHAPE) * generator.uniform(-1.0, 1.0, (2, 10))
    planes = tilts[0][:, None, None] * rows + tilts[1][:, None, None] * columns
    difference = [planes[b] - planes[a] for a, b in scene.network]
    files = scene.write(tmp_path / "in", scene.phases() + np.array(difference) / METRES)
    done = go(tmp_path / "out", files, atmosphere="plane_height")
    found = done.report["corrections"]
    # cells that move pull by no more than the rounding of the L1 norm, 0.1 mm over the scene
    np.testing.assert_allclose(
        found["plane_mm_per_1000_rows"], 1e6 * (tilts[0] - tilts[0][0]), atol=1.5
    )
    error = layer(done.artefact("timeseries").path, "timeseries") - relative(scene.motion, done)
    assert np.abs(error).max() < 3e-4
    heights_alone = go(tmp_path / "height", files, atmosphere="height")
    error = layer(heights_alone.artefact("timeseries").path, "timeseries")
    assert np.abs(error - relative(scene.motion, heights_alone)).max() > 5e-3


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_delays_from_elsewhere_are_taken_out(tmp_path: Path, kind: str) -> None:
    generator = np.random.default_rng(9)
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    apparent = generator.normal(0.0, 0.01, (10, 1, 1)) * bowl(SHAPE, 1.0)[::-1]
    difference = [apparent[b] - apparent[a] for a, b in scene.network]
    files = scene.write(tmp_path / "in", scene.phases() + np.array(difference) / METRES)
    delays = tmp_path / "ERA5.h5"
    if kind == "file":
        with h5py.File(delays, "w") as file:
            file["timeseries"] = apparent.astype(np.float32)
            file["date"] = np.array([f"{day:%Y%m%d}".encode() for day in scene.days])
    else:
        delays = tmp_path / "delays"
        delays.mkdir()
        for day, values in zip(scene.days, apparent, strict=True):
            name = str(delays / f"delay_{day:%Y%m%d}.tif")
            data = gdal.GetDriverByName("GTiff").Create(name, 80, 60, 1, gdal.GDT_Float32)
            data.WriteArray(-values)
            data = None  # closes it
    done = go(tmp_path / "out", files, tropospheric_delays=delays)
    np.testing.assert_allclose(
        layer(done.artefact("timeseries").path, "timeseries"),
        relative(scene.motion, done),
        atol=MICROMETRES,
    )


def test_wrong_cycles_are_found_and_taken_out(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, -0.03))
    phases = scene.phases()
    phases[7, 30:50, 10:40] += 2.0 * np.pi
    phases[12, 5:20, 50:70] -= 4.0 * np.pi
    files = scene.write(tmp_path / "in", phases)
    done = go(tmp_path / "out", files)
    np.testing.assert_allclose(
        layer(done.artefact("timeseries").path, "timeseries"),
        relative(scene.motion, done),
        atol=MICROMETRES,
    )
    loops = done.report["loops"]
    assert loops["wrong_before"] > 0
    assert loops["wrong_after"] == 0
    assert loops["cycles_taken_out"] == 20 * 30 + 2 * 15 * 20
    taken = [pair["cycles_taken_out"] for pair in done.report["pairs"]]
    assert [number for number, count in enumerate(taken) if count] == [7, 12]
    kept = go(tmp_path / "kept", files, unwrapping_correction="none")
    error = layer(kept.artefact("timeseries").path, "timeseries") - relative(scene.motion, kept)
    assert np.abs(error).max() > 5e-3
    assert kept.report["pairs"][7]["residual_rms_mm"] > 1.0
    robust = go(tmp_path / "robust", files, unwrapping_correction="none", method="l1")
    error = layer(robust.artefact("timeseries").path, "timeseries")
    assert np.abs(error - relative(scene.motion, robust)).max() < 1e-4


def test_regions_that_do_not_hold_the_reference_are_left_out(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    phases, count = scene.phases(), len(scene.network)
    components = np.ones((count, *SHAPE), np.int64)
    components[4, :, 50:] = 2
    phases[4, :, 50:] += 6.0 * np.pi  # unknown cycles between regions
    files = scene.write(tmp_path / "in", phases, components=components)
    point = f"{scene.longitudes[30, 10]:.6f},{scene.latitudes[30, 10]:.6f}"
    options = {"reference_point": point, "unwrapping_correction": "none"}
    done = go(tmp_path / "out", files, **options)
    assert (done.report["reference"]["row"], done.report["reference"]["column"]) == (30, 10)
    np.testing.assert_allclose(
        layer(done.artefact("timeseries").path, "timeseries"),
        relative(scene.motion, done),
        atol=MICROMETRES,
    )
    every = go(tmp_path / "every", files, components="all", **options)
    error = layer(every.artefact("timeseries").path, "timeseries") - relative(scene.motion, every)
    assert np.abs(error).max() > 1e-3


def test_subsets_without_a_common_date_are_tied_or_masked(tmp_path: Path) -> None:
    halves = tuple(
        (a, b) for a in range(10) for b in range(a + 1, 10) if (a < 5) == (b < 5) and b - a < 4
    )
    scene = NetworkScene(pairs=halves, velocity=bowl(SHAPE, -0.04))
    files = scene.write(tmp_path / "in")
    done = go(tmp_path / "out", files)
    assert len(done.report["network"]["subsets"]) == 2
    assert "2 subsets" in " ".join(done.report["warnings"])
    assert done.report["cells"]["disconnected"] == SHAPE.lines * SHAPE.samples
    # the motion is steady, as the model that ties the subsets says
    np.testing.assert_allclose(
        layer(done.artefact("timeseries").path, "timeseries"),
        relative(scene.motion, done),
        atol=2e-5,
    )
    with pytest.raises(Exception, match="no cell reaches minimum_temporal_coherence"):
        go(tmp_path / "masked", files, disconnected="mask")
    assert not (tmp_path / "masked").exists()


def test_noise_meets_its_stated_error(tmp_path: Path) -> None:
    """Deviations of the velocity from the truth are as large as its standard error says."""
    scene = NetworkScene(velocity=bowl(SHAPE, -0.02), noise=0.3, reach=1)
    done = go(tmp_path / "out", scene.write(tmp_path / "in"))
    path = unpacked(done, tmp_path, "velocity.h5")
    velocity, error = layer(path, "velocity"), layer(path, "velocityStd")
    difference = velocity - relative(scene.velocity, done)
    # consecutive pairs make a random walk: ordinary least squares states too little for it, by
    # a factor that Monte Carlo of ten dates gives
    walk = np.random.default_rng(1).normal(size=(10, 20_000))
    walk[0] = 0.0
    walk = walk.cumsum(axis=0)
    design = np.stack([np.ones(10), scene.times], axis=1)
    solution, squares = np.linalg.lstsq(design, walk, rcond=None)[:2]
    stated = np.sqrt(squares / 8 * np.linalg.inv(design.T @ design)[1, 1])
    expected = np.std(solution[1]) / np.sqrt(np.mean(stated**2))
    ratio = np.std(difference) / np.sqrt(np.mean(error**2))
    assert ratio == pytest.approx(expected, rel=0.1)


def test_without_a_geometry_results_stay_in_that_of_the_cells(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    done = go(tmp_path / "out", (scene.write(tmp_path / "in")[0], None))
    assert "cube" not in [a.name for a in done.artefacts]
    raster = read_raster(done.artefact("velocity").path)
    assert raster.grid is None
    np.testing.assert_allclose(raster.array[0], relative(scene.velocity, done), atol=2e-5)


def test_results_depend_neither_on_threads_nor_on_memory(tmp_path: Path) -> None:
    scene = NetworkScene(
        shape=Shape(300, 40),
        velocity=np.random.default_rng(0).normal(0, 0.01, (300, 40)),
        dem_error=np.zeros((300, 40)),
        height=np.zeros((300, 40)),
        noise=0.4,
    )
    files = scene.write(tmp_path / "in")
    one = go(tmp_path / "one", files, threads=1)
    two = go(tmp_path / "two", files, threads=2, memory_mb=200)
    for name in ("timeseries", "velocity", "displacement"):
        assert one.artefact(name).path.stat().st_size == two.artefact(name).path.stat().st_size
    np.testing.assert_array_equal(
        layer(one.artefact("timeseries").path, "timeseries"),
        layer(two.artefact("timeseries").path, "timeseries"),
    )


def test_another_reference_date(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    done = go(tmp_path / "out", scene.write(tmp_path / "in"), reference_day="2016-07-11")
    truth = relative(scene.motion - scene.motion[3], done)
    path = done.artefact("timeseries").path
    np.testing.assert_allclose(layer(path, "timeseries"), truth, atol=MICROMETRES)
    with h5py.File(path) as file:
        assert file.attrs["REF_DATE"] == "20160711"
