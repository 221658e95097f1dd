"""What cannot become a time series is refused by one line, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.dry_run import make_plan
from kernels.chains.insar_timeseries import CHAIN, InsarTimeseriesRequest, run
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, FournaiseError, InputError, RequestError
from kernels.products.mintpy import create_stack
from tests.chains.test_plans import watched
from tests.products_out.limits import no_file_larger_than
from tests.simulated_network import METRES, SHAPE, NetworkScene, bowl

Files = tuple[Path, Path]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    return scene.write(tmp_path_factory.mktemp("network"))


def refused(files: tuple[Path, Path | None], output: Path, line: str, **options: Any) -> None:
    with pytest.raises(FournaiseError, match=line) as caught:
        run(
            InsarTimeseriesRequest(interferograms=files[0], geometry=files[1], **options),
            output,
            Progress(),
        )
    assert "\n" not in str(caught.value)
    assert not output.exists()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"minimum_coherence": 1.5}, "minimum_coherence must be at most 1"),
        ({"method": "l3"}, "method must be one of l2, l1, got l3"),
        ({"reference_point": "here"}, "reference_point must be longitude,latitude in degrees"),
        ({"reference_point": "55.4,-21", "reference_area": "1,2,3,4"}, "reference_area must be le"),
        ({"reference_day": "2016-13-01"}, "reference_day must be a day of the calendar"),
        ({"points": ("55.4,-21",) * 13}, "points must be at most 12, got 13"),
        ({"spacing": 0.2}, "spacing must be at most 0.1 degrees"),
        ({"ortho": "utm", "spacing": 0.5}, "spacing must be at least 1 metre"),
        ({"geometry": None, "points": ("55.4,-21",)}, "points must be left out without a geometry"),
        ({"geometry": None, "atmosphere": "height"}, "atmosphere must be none or plane with"),
    ],
)
def test_requests_check_themselves(values: dict[str, Any], line: str) -> None:
    given = {"interferograms": Path("a.h5"), "geometry": Path("b.h5")} | values
    with pytest.raises(RequestError, match=re.escape(line)):
        InsarTimeseriesRequest(**given)


def test_places_outside_the_ground(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "out"
    far = "must be on the ground of the interferograms, got"
    refused(files, out, f"reference_point {far} 57,-21", reference_point="57,-21")
    refused(files, out, f"reference_area {far} 57,-22,58,-21", reference_area="57,-22,58,-21")
    refused(files, out, f"points {far} 57,-21", points=("55.42,-21.017", "57,-21"))


def test_a_reference_where_nothing_is_coherent(tmp_path: Path) -> None:
    scene = NetworkScene()
    coherence = np.full((len(scene.network), *SHAPE), 0.9)
    coherence[:, 20:40, 20:40] = 0.1
    files = scene.write(tmp_path / "in", coherence=coherence)
    point = f"{scene.longitudes[30, 30]:.6f},{scene.latitudes[30, 30]:.6f}"
    line = "reference_point must be where a pair is known and coherent, coherence is 0.10 there"
    refused(files, tmp_path / "out", line, reference_point=point)
    line = "no cell reaches minimum_coherence = 0.95 in any pair"
    refused(files, tmp_path / "out", line, minimum_coherence=0.95)


def test_days_and_pairs_that_are_not_there(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused(files, out, "reference_day must be of the days 20160605, ", reference_day="20160606")
    line = "excluded_pairs must be of the pairs of ifgramStack.h5, got 20160605_20160921"
    refused(files, out, line, excluded_pairs=("20160605_20160921",))
    scene = NetworkScene()
    names = tuple(f"{scene.days[a]:%Y%m%d}_{scene.days[b]:%Y%m%d}" for a, b in scene.network)
    refused(files, out, "excluded_pairs must be some of the pairs", excluded_pairs=names)
    line = "must have pairs of 3 dates or more for a velocity, got 2"
    refused(files, out, line, excluded_pairs=names[1:])


def rewritten(files: Files, folder: Path, change: Callable[[h5py.File], None]) -> Files:
    found = []
    for path in files:
        copy = folder / path.name
        copy.write_bytes(path.read_bytes())
        found.append(copy)
    with h5py.File(found[0], "r+") as file:
        change(file)
    return found[0], found[1]


def test_a_stack_without_a_pair_that_counts(files: Files, tmp_path: Path) -> None:
    def drop(file: h5py.File) -> None:
        file["dropIfgram"][:] = False

    dropped = rewritten(files, tmp_path, drop)
    refused(dropped, tmp_path / "out", "has no pair that is not marked as dropped")


def test_a_geometry_of_another_grid(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "geometryRadar.h5"
    with h5py.File(other, "w") as file:
        file["height"] = np.zeros((50, 80), np.float32)
    line = "geometry must be on the grid of the interferograms, 60 x 80 cells, got .* of 50 x 80"
    refused((files[0], other), tmp_path / "out", line)


def test_a_geometry_that_lacks_layers(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "geometryRadar.h5"
    with h5py.File(other, "w") as file:
        file["height"] = np.zeros((60, 80), np.float32)
    line = "dem_error must be false without slantRangeDistance and incidenceAngle in geometryRadar"
    refused((files[0], other), tmp_path / "out", line)
    line = "must hold longitude and latitude of the cells"
    refused((files[0], other), tmp_path / "out", line, dem_error=False)


def test_a_map_in_metres_names_its_projection(tmp_path: Path) -> None:
    files = NetworkScene().write(tmp_path / "in")
    place = {"X_FIRST": "3e5", "Y_FIRST": "7.6e6", "X_STEP": "50", "Y_STEP": "-50"}
    with h5py.File(files[0], "r+") as file:
        file.attrs.update(place | {"X_UNIT": "meters"})
    line = "ifgramStack.h5 on a map in metres must have an attribute EPSG"
    refused(files, tmp_path / "out", line)


def test_files_of_another_kind(files: Files, tmp_path: Path) -> None:
    text = tmp_path / "text.h5"
    text.write_text("hello")
    refused((text, files[1]), tmp_path / "out", "text.h5 must be an HDF5 file")
    refused((files[1], files[1]), tmp_path / "out", "must be a stack of MintPy with a data set")
    refused((files[0], files[0]), tmp_path / "out", "must be a geometry of MintPy with a data set")


def test_delays_that_do_not_fit(files: Files, tmp_path: Path) -> None:
    days = NetworkScene().days
    out, delays = tmp_path / "out", tmp_path / "ERA5.h5"
    with h5py.File(delays, "w") as file:
        file["timeseries"] = np.zeros((9, 60, 80), np.float32)
        file["date"] = np.array([f"{day:%Y%m%d}".encode() for day in days[:9]])
    line = "ERA5.h5 must have a delay for every date, 20160921 lacks"
    refused(files, out, line, tropospheric_delays=delays)
    folder = tmp_path / "delays"
    folder.mkdir()
    refused(files, out, "delays must have a delay for every date", tropospheric_delays=folder)
    for day in days:
        name = str(folder / f"{day:%Y%m%d}.tif")
        gdal.GetDriverByName("GTiff").Create(name, 80, 50, 1, gdal.GDT_Float32).FlushCache()
    line = "tropospheric_delays must be on the grid of the interferograms"
    refused(files, out, line, tropospheric_delays=folder)


def test_cells_that_never_agree(tmp_path: Path) -> None:
    scene = NetworkScene()
    noise = np.random.default_rng(0).normal(0.0, 30.0, (len(scene.network), *SHAPE))
    files = scene.write(tmp_path / "in", noise)
    line = "no cell reaches minimum_temporal_coherence = 0.99"
    options = {"minimum_temporal_coherence": 0.99, "unwrapping_correction": "none"}
    refused(files, tmp_path / "out", line, **options)


def test_a_full_disk_and_a_cancellation_leave_nothing(files: Files, tmp_path: Path) -> None:
    with no_file_larger_than(60_000):
        refused(files, tmp_path / "out", "could not be written")
    progress = Progress.to(
        lambda _share, step: progress.cancelled.set() if step == "maps" else None
    )
    with pytest.raises(Cancelled):
        run(
            InsarTimeseriesRequest(interferograms=files[0], geometry=files[1]),
            tmp_path / "out",
            progress,
        )
    assert not (tmp_path / "out").exists()


def test_the_plan_promises_what_a_run_needs(files: Files, tmp_path: Path) -> None:
    request = InsarTimeseriesRequest(interferograms=files[0], geometry=files[1], threads=1)
    told = make_plan(CHAIN, request)
    done = watched(CHAIN, request, tmp_path / "out")
    assert told.details["network"] == done.report["network"]
    assert len(told.details["network"]["pairs"]) == len(NetworkScene().network)
    with pytest.raises(InputError, match="there is none of that name"):
        make_plan(CHAIN, InsarTimeseriesRequest(interferograms=tmp_path / "nothing.h5"))


def test_pairs_that_do_not_know_the_reference_are_named(tmp_path: Path) -> None:
    scene = NetworkScene(velocity=bowl(SHAPE, 0.02))
    phases = scene.phases()
    phases[3, :, :20] = np.nan
    files = scene.write(tmp_path / "in", phases)
    point = f"{scene.longitudes[30, 8]:.6f},{scene.latitudes[30, 8]:.6f}"
    request = InsarTimeseriesRequest(
        interferograms=files[0], geometry=files[1], reference_point=point, threads=1
    )
    done = run(request, tmp_path / "out", Progress())
    a, b = scene.network[3]
    name = f"{scene.days[a]:%Y%m%d}_{scene.days[b]:%Y%m%d}"
    assert name not in done.report["network"]["pairs"]
    assert any(name in line for line in done.report["warnings"])


@pytest.mark.shared_data
def test_the_series_of_pyrate_through_files(shared_data: Path, tmp_path: Path) -> None:
    """PyRate's twelve pairs of a tree and its series of them, at cells that all of them know."""
    folder = shared_data / "nsbas_pyrate" / "small_test"
    found = sorted((folder / "ref_phase_est").glob("*corrected_method2geo_*.csv"))
    millimetres = np.stack([np.genfromtxt(file, delimiter=",") for file in found])
    names = [re.findall(r"\d{6}", file.name)[-2:] for file in found]
    days = sorted({day for pair in names for day in pair})
    pairs = [(days.index(first), days.index(second)) for first, second in names]
    rows, columns = millimetres.shape[1:]
    flat = np.genfromtxt(folder / "time_series" / "ts_cum_interp0_method2.csv")
    cumulative = flat.reshape((rows, columns, len(days) - 1), order="F")
    series = np.concatenate([np.zeros((rows, columns, 1)), cumulative], axis=2)
    series = np.moveaxis(series, 2, 0)
    known = np.isfinite(millimetres).all(axis=0) & np.isfinite(series).all(axis=0)
    off = [
        np.median(np.abs(values - (series[b] - series[a]))[known])
        for values, (a, b) in zip(millimetres, pairs, strict=True)
    ]
    tree = [number for number, value in enumerate(off) if value < 1e-3]
    with create_stack(
        tmp_path / "ifgramStack.h5",
        days=[date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])) for day in days],
        pairs=[pairs[number] for number in tree],
        baselines=[0.0] * len(days),
        shape=NetworkScene().shape._replace(lines=rows, samples=columns),
        attributes={"WAVELENGTH": "0.05546576"},
    ) as writer:
        for place, number in enumerate(tree):
            phase = np.where(known, 1e-3 * millimetres[number] / METRES, np.nan)
            writer.write(place, phase, np.ones(phase.shape), known.astype(np.int64))
    request = InsarTimeseriesRequest(
        interferograms=tmp_path / "ifgramStack.h5", dem_error=False, threads=1
    )
    done = run(request, tmp_path / "out", Progress())
    with h5py.File(done.artefact("timeseries").path) as file:
        ours = 1e3 * file["timeseries"][:]
    row, column = (done.report["reference"][name] for name in ("row", "column"))
    around = series[:, row - 2 : row + 3, column - 2 : column + 3].mean(axis=(1, 2))
    error = (ours - (series - around[:, None, None]))[:, known]
    assert known.sum() > 2000
    assert np.sqrt(np.mean(error**2)) < 0.002  # [mm], the digits of the reference
