"""Series of images: what is made once, what is taken from the store, and what is left out."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest

from kernels.chains.multislc_series import CHAIN, MultislcSeriesRequest
from kernels.engine.locking import lock_folder
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError, ProcessingError, RequestError
from kernels.products.raster import RasterReader, read_raster
from kernels.simulation import Acquisition, Scene, TopsMode, simulate
from tests.series import CENTRE, START, hills, write_dem

DAYS = ("20260101", "20260113", "20260125", "20260206")
BASELINES = (0.0, 80.0, -60.0, 30.0)


@dataclass(frozen=True)
class Lake:
    """Four dates of two short bursts."""

    folder: Path
    dem: Path

    def product(self, day: str) -> Path:
        (found,) = self.folder.glob(f"*_{day}T*.SAFE")
        return found

    def request(self, *days: str, **options: Any) -> MultislcSeriesRequest:
        values = {
            "products": tuple(self.product(day) for day in days or DAYS),
            "first_day": "2026-01-01",
            "last_day": "2026-02-28",
            "reference": "20260101",
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "spacing": 1e-3,
            "threads": 2,
            "archive": "report",
        }
        return MultislcSeriesRequest(**(values | options))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("lake")
    dem = hills(*CENTRE)
    simulate(
        Scene(dem=dem, land_coherence=0.9),
        [
            Acquisition(centre=START + timedelta(days=12 * k), perpendicular_baseline=length)
            for k, length in enumerate(BASELINES)
        ],
        folder,
        mode=TopsMode(bursts=2, samples=1600, burst_lines=220),
    )
    return Lake(folder, write_dem(folder / "dem.tif", dem))


@pytest.fixture(scope="module")
def stored(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the first three dates."""
    store = tmp_path_factory.mktemp("store")
    folder = tmp_path_factory.mktemp("first")
    CHAIN.run(lake.request(*DAYS[:3], store=store), folder, Progress())
    return store


def run(request: MultislcSeriesRequest, folder: Path, progress: Progress | None = None) -> Any:
    CHAIN.run(request, folder, progress or Progress())
    return json.loads((folder / "report.json").read_text())


def images(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() for p in sorted(store.rglob("slc_*.tif"))}


def copied(store: Path, folder: Path) -> Path:
    return Path(shutil.copytree(store, folder / "store"))


def test_a_new_date_is_added_and_the_old_ones_are_not_touched(
    lake: Lake, stored: Path, tmp_path: Path
) -> None:
    store = copied(stored, tmp_path)
    before = images(store)
    report = run(lake.request(store=store), tmp_path / "out")
    after = images(store)
    assert [date["from_store"] for date in report["dates"]] == [True, True, True, False]
    assert [date["perpendicular_baseline_m"] for date in report["dates"]] == pytest.approx(
        BASELINES, abs=0.1
    )
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1


def test_folders_are_named_as_users_of_diapotb_know_them(
    lake: Lake, stored: Path, tmp_path: Path
) -> None:
    store = copied(stored, tmp_path)
    run(lake.request(*DAYS[:3], store=store, archive="all"), tmp_path / "out")
    folder = tmp_path / "out"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        "20260101_m_20260113_s",
        "20260101_m_20260125_s",
        "20260101_master_directory",
    ]
    assert (folder / "dem_scene.vrt").exists()
    raster = read_raster(folder / "20260101_m_20260113_s" / "interferogram_ortho.tif")
    assert np.mean(raster.array[3] == 1.0) > 0.2
    with zipfile.ZipFile(folder / "series.zip") as archive:
        names = archive.namelist()
    assert "20260101_m_20260125_s/interferogram_radar.tif" in names
    assert "20260101_master_directory/footprint.gpkg" in names
    assert not [name for name in names if "slc_" in name]


def test_pairs_that_are_there_are_not_made_again(lake: Lake, stored: Path, tmp_path: Path) -> None:
    store = copied(stored, tmp_path)
    request = lake.request(*DAYS[:3], store=store)
    first = run(request, tmp_path / "out")
    again = run(request, tmp_path / "out")
    other = run(lake.request(*DAYS[:3], store=store, gain=2.0), tmp_path / "out")
    made = [[pair["made"] for pair in one["network"]["pairs"]] for one in (first, again, other)]
    assert made == [[True, True], [False, False], [True, True]]


def test_gain_multiplies_amplitudes_alone(lake: Lake, stored: Path, tmp_path: Path) -> None:
    rasters = []
    for gain in (1.0, 2.0):
        store = copied(stored, tmp_path / str(gain))
        run(lake.request(*DAYS[:2], store=store, gain=gain), tmp_path / str(gain) / "out")
        pair = tmp_path / str(gain) / "out" / "20260101_m_20260113_s"
        rasters.append(read_raster(pair / "interferogram_radar.tif").array)
    np.testing.assert_allclose(rasters[1][0], 2.0 * rasters[0][0], rtol=1e-6)
    np.testing.assert_array_equal(rasters[1][1:], rasters[0][1:])


def test_threads_and_memory_change_no_bit(lake: Lake, stored: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    request = lake.request(*DAYS[:3], store=store, threads=1, memory_mb=200)
    run(request, tmp_path / "out")
    assert list(images(store).values()) == list(images(stored).values())


def test_a_damaged_image_is_left_out_and_the_others_are_not_concerned(
    lake: Lake, stored: Path, tmp_path: Path
) -> None:
    bad = Path(shutil.copytree(lake.product(DAYS[3]), tmp_path / lake.product(DAYS[3]).name))
    (measurement,) = bad.glob("measurement/*.tiff")
    measurement.write_bytes(measurement.read_bytes()[:5000])
    products = (*(lake.product(day) for day in DAYS[:3]), bad)
    store = copied(stored, tmp_path)
    report = run(lake.request(products=products, store=store), tmp_path / "out")
    assert [date["day"] for date in report["dates"]] == list(DAYS[:3])
    assert len(report["left_out"]) == 1
    assert report["left_out"][0].startswith(f"{DAYS[3]} was left out: ")
    assert measurement.name in report["left_out"][0]
    assert images(store) == images(stored)


def test_a_damaged_reference_ends_the_run(lake: Lake, tmp_path: Path) -> None:
    bad = Path(shutil.copytree(lake.product(DAYS[0]), tmp_path / lake.product(DAYS[0]).name))
    (measurement,) = bad.glob("measurement/*.tiff")
    measurement.write_bytes(measurement.read_bytes()[:5000])
    folder = tmp_path / "out"
    with pytest.raises(InputError, match=measurement.name):
        run(lake.request(products=(bad, lake.product(DAYS[1]))), folder)
    assert not folder.exists() or not list(folder.iterdir())


def test_a_run_that_was_cancelled_goes_on_from_the_dates_that_it_had(
    lake: Lake, tmp_path: Path
) -> None:
    seen: list[str] = []

    def stop(_: float, step: str) -> None:
        seen.append(step)
        if step.startswith(DAYS[2]) and "overlaps" not in step:
            raise Cancelled

    folder = tmp_path / "out"
    with pytest.raises(Cancelled):
        run(lake.request(), folder, Progress.to(stop))
    (hidden,) = folder.iterdir()
    assert hidden.name.startswith(".stack-")
    report = run(lake.request(), folder)
    assert [date["from_store"] for date in report["dates"]] == [True, True, False, False]
    assert not list(folder.glob(".*"))


def test_images_are_among_the_results_where_they_are_wanted(lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    report = run(lake.request(*DAYS[:2], light=False, interferograms=False), folder)
    assert report["network"]["pairs"] == []
    found = sorted((folder / "coregistered").rglob("*.tif"))
    assert [path.parent.name for path in found] == list(DAYS[:2])
    readers = [RasterReader(path) for path in found]
    pixels = [reader.pixels(0, reader.shape.lines) for reader in readers]
    assert all(np.iscomplexobj(one) and np.mean(one != 0.0) > 0.5 for one in pixels)


def test_a_store_in_use_is_waited_for(lake: Lake, stored: Path, tmp_path: Path) -> None:
    store = copied(stored, tmp_path)
    (inside,) = store.iterdir()
    lock = lock_folder(inside)
    assert lock is not None
    steps: list[str] = []
    Timer(1.0, os.close, (lock,)).start()
    request = lake.request(*DAYS[:2], store=store)
    run(request, tmp_path / "out", Progress.to(lambda _, step: steps.append(step)))
    assert "another run makes the same images: waiting for it" in steps


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"first_day": "2026-13-01"}, "first_day must be a day of the calendar"),
        ({"first_day": "20260301"}, "last_day must be the first day, 20260301, or later"),
        ({"pairs": ("20260101_20260113",)}, "pairs must be given with network = list"),
        ({"network": "list"}, "pairs must be given with network = list"),
        ({"network": "list", "pairs": ("20260101_20260114",)}, "pairs must be of the days"),
        (
            {"network": "small_baseline", "largest_days": 1},
            "network must be one that makes pairs",
        ),
        ({"region": "10,40,11,41"}, "region must be on the ground"),
        ({"interferograms": False, "unwrapping": "mcf"}, "unwrapping must be none without"),
        ({"ortho": "none", "phase_filter": "goldstein"}, "phase_filter must be none without map"),
        (
            {"ortho": "none", "unwrapping": "mcf", "reference_point": "55.7,-21.0"},
            "reference_point must be left out where there is no map",
        ),
    ],
)
def test_bad_requests_are_one_line(
    lake: Lake, stored: Path, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    store = copied(stored, tmp_path)
    with pytest.raises(RequestError, match=says):
        run(lake.request(*DAYS[:3], **({"store": store} | options)), tmp_path / "out")


def test_a_disk_that_is_too_small_is_told_before_anything_is_read(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: Path) -> Any:
        return shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000)  # type: ignore[attr-defined]

    monkeypatch.setattr(shutil, "disk_usage", no_room)
    with pytest.raises(ProcessingError, match="the disk is too small: the series needs"):
        run(lake.request(), tmp_path / "out")
    assert not list(tmp_path.rglob("*.tif"))


def test_the_status_tells_what_is_to_be_made(lake: Lake, stored: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    request = lake.request(store=copied(stored, tmp_path))
    run(request, tmp_path / "out", Progress.to(lambda _, step: steps.append(step)))
    (said,) = {step for step in steps if "GB of disk" in step}
    assert said.startswith("4 dates, 1 to be made, 3 pairs, ")
