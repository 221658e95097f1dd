"""The plan of a series is told before pixels are read, and holds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kernels.chains.dry_run import dry_run
from kernels.chains.multislc_series import CHAIN
from kernels.chains.multislc_series.opening import open_frame
from kernels.chains.multislc_series.plan import plan_series
from kernels.chains.multislc_series.selection import select_dates
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from kernels.products.pixels import GdalPixelReader
from kernels.products.raster import TILE
from processes.jobs.stacks import written_by
from tests.chains.test_multislc_series import DAYS, Lake, lake

__all__ = ["lake"]


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a pixel was read")

    monkeypatch.setattr(GdalPixelReader, "read", refuse)


@pytest.mark.usefixtures("no_pixels")
def test_a_plan_names_dates_and_pairs(lake: Lake, tmp_path: Path) -> None:
    request = lake.request(network="small_baseline", largest_days=24)
    dry_run(CHAIN, request, tmp_path, Progress())
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["dates"] == list(DAYS)
    assert told["reference"] == DAYS[0]
    assert told["pairs"] == [
        f"{DAYS[a]}_{DAYS[b]}" for a, b in ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
    ]


@pytest.mark.parametrize("archive", ["report", "all"])
def test_a_run_takes_no_more_disk_than_its_plan_says(
    archive: str, lake: Lake, tmp_path: Path
) -> None:
    request = lake.request(*DAYS[:3], light=False, archive=archive)
    assert CHAIN.plan is not None
    plan = CHAIN.plan(request)
    most = [0]

    def watch(_: float, __: str) -> None:
        most[0] = max(most[0], folder_bytes(tmp_path))

    CHAIN.run(request, tmp_path, Progress.to(watch))
    assert 0.1 * plan.disk_bytes < max(most[0], folder_bytes(tmp_path)) < plan.disk_bytes


def test_what_the_store_holds_takes_no_disk_again(lake: Lake, tmp_path: Path) -> None:
    """The plan of one more date is of one image; what the server measures of its run is less."""
    assert CHAIN.plan is not None
    store = tmp_path / "store"
    store.mkdir()
    two, three = (lake.request(*DAYS[:number], store=store) for number in (2, 3))
    first = CHAIN.plan(two)
    CHAIN.run(two, tmp_path / "two", Progress())
    assert CHAIN.plan(two).store_bytes == 0.0
    assert CHAIN.plan(replace(two, kernel=20 - two.kernel)).store_bytes > 0.0
    more = CHAIN.plan(three)
    assert 0.0 < more.store_bytes < first.store_bytes
    before = folder_bytes(store)
    CHAIN.run(three, tmp_path / "three", Progress())
    assert 0.1 * more.store_bytes < folder_bytes(store) - before < more.store_bytes
    empty = tmp_path / "empty"
    empty.mkdir()
    written = written_by(empty, tmp_path / "three", store)
    assert written == pytest.approx(folder_bytes(store) - before, rel=0.1)
    assert written_by(empty, tmp_path / "two", store) == 0


@pytest.mark.usefixtures("no_pixels")
def test_the_reference_is_chosen_among_dates_that_can_be_opened(lake: Lake, tmp_path: Path) -> None:
    """Of 0, 80 and -60 m the first is nearest to the others, of 80, -60 and 30 m the last."""
    assert CHAIN.plan is not None
    plan = CHAIN.plan(lake.request(*DAYS[:3], reference=None))
    assert plan.details["reference"] == DAYS[0]
    bad = Path(shutil.copytree(lake.product(DAYS[0]), tmp_path / lake.product(DAYS[0]).name))
    for annotation in bad.glob("annotation/*.xml"):
        annotation.write_text("<product>")
    products = (bad, *(lake.product(day) for day in DAYS[1:]))
    plan = CHAIN.plan(lake.request(products=products, reference=None))
    assert plan.details["reference"] == DAYS[3]


@pytest.mark.usefixtures("no_pixels")
def test_memory_is_planned_for_the_rows_of_the_amplitude_stack(lake: Lake) -> None:
    """Of each date a row of tiles waits to be written, 4 bytes a cell."""
    dates = select_dates(lake.request(), Progress()).dates
    frame = open_frame(lake.request(), dates[0].paths, need_pixels=False)
    few, many = (plan_series(frame, dates * count, 0).memory_bytes for count in (1, 100))
    (swath,) = frame.swaths
    cells = swath.layout.grid.shape.samples // swath.looks.range
    assert many - few >= 99 * len(dates) * TILE * cells * 4


@pytest.mark.usefixtures("no_pixels")
def test_a_plan_refuses_what_the_run_refuses(lake: Lake) -> None:
    assert CHAIN.plan is not None
    with pytest.raises(RequestError, match="pairs must be of the days"):
        CHAIN.plan(lake.request(network="list", pairs=("20260101_20260301",)))


@pytest.mark.usefixtures("no_pixels")
def test_baselines_without_a_pair_are_told_before_pixels_are_read(
    lake: Lake, tmp_path: Path
) -> None:
    """Of all days the nearest orbits, 0 and 30 m, are 30 m apart."""
    request = lake.request(network="small_baseline", largest_days=100, largest_baseline=25.0)
    with pytest.raises(RequestError, match="network must be one that makes pairs"):
        CHAIN.run(request, tmp_path, Progress())
    assert not list(tmp_path.iterdir())
