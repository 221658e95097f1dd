"""Bands go through in order, whatever the number of threads, and stop at once when they must."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kernels.engine import bands
from kernels.engine.bands import Band, map_bands, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, ProcessingError

IMAGE = np.random.default_rng(7).normal(size=(103, 17)).astype(np.float32)
CUMULATED = np.cumsum(IMAGE, axis=1)
"""What the bands must give: computed at once, each row on its own."""


def cumulate(threads: int, progress: Progress | None = None) -> NDArray[np.float32]:
    """Sum along the rows by bands of 8, computing later bands faster than earlier ones."""
    result = np.full_like(IMAGE, np.nan)
    tasks = split_rows(len(IMAGE), band_rows=8)

    def read(band: Band) -> NDArray[np.float32]:
        return IMAGE[band.first : band.first + band.rows]

    def compute(band: Band, block: NDArray[np.float32]) -> NDArray[np.float32]:
        time.sleep(0.002 * (1.0 - band.first / len(IMAGE)))
        return np.cumsum(block, axis=1)

    def write(band: Band, block: NDArray[np.float32]) -> None:
        result[band.first : band.first + band.rows] = block

    run_bands(
        tasks,
        read=read,
        compute=compute,
        write=write,
        threads=threads,
        progress=progress or Progress(),
        step="cumulate",
    )
    return result


@given(
    rows=st.integers(0, 500),
    band_rows=st.integers(1, 80),
    multiple=st.integers(1, 20),
    first=st.integers(0, 1000),
)
def test_split_rows_covers_each_row_once(
    rows: int, band_rows: int, multiple: int, first: int
) -> None:
    pieces = split_rows(rows, band_rows=band_rows, multiple=multiple, first=first)
    covered = [row for band in pieces for row in range(band.first, band.first + band.rows)]
    assert covered == list(range(first, first + rows))
    assert all(band.rows % multiple == 0 for band in pieces[:-1])
    assert all(band.rows <= max(band_rows, multiple) for band in pieces)


def test_rows_for_budget_never_passes_it_nor_the_least() -> None:
    assert rows_for_budget(1000.0, bytes_per_row=300.0) == 3
    assert rows_for_budget(1000.0, bytes_per_row=300.0, at_least=8) == 8
    assert rows_for_budget(0.0, bytes_per_row=300.0) == 1


@pytest.mark.parametrize("threads", [1, 2, 5, 40])
def test_the_result_does_not_depend_on_the_number_of_threads(threads: int) -> None:
    np.testing.assert_array_equal(cumulate(threads), CUMULATED)


@pytest.mark.parametrize("threads", [1, 3])
def test_reading_and_writing_are_in_order_in_the_callers_thread(threads: int) -> None:
    seen: dict[str, list[int]] = {"read": [], "write": []}
    callers = set()

    def note(what: str, task: int) -> None:
        seen[what].append(task)
        callers.add(threading.get_ident())

    run_bands(
        range(20),
        read=lambda task: note("read", task),
        compute=lambda task, _block: time.sleep(0.001 * (task % 3)),
        write=lambda task, _result: note("write", task),
        threads=threads,
        progress=Progress(),
        step="order",
    )
    assert seen == {"read": list(range(20)), "write": list(range(20))}
    assert callers == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_more_than_one_block_per_thread_and_one_are_held(threads: int) -> None:
    held = most = 0

    def read(_task: int) -> None:
        nonlocal held, most
        held += 1
        most = max(most, held)

    def write(_task: int, _result: None) -> None:
        nonlocal held
        held -= 1

    run_bands(
        range(30),
        read=read,
        compute=lambda _task, _block: None,
        write=write,
        threads=threads,
        progress=Progress(),
        step="memory",
    )
    assert most == threads + 1


def test_progress_is_told_after_each_band_up_to_the_whole() -> None:
    told: list[tuple[float, str]] = []
    cumulate(2, Progress.to(lambda share, step: told.append((share, step))))
    pieces = len(split_rows(len(IMAGE), band_rows=8))
    np.testing.assert_allclose([share for share, _ in told], np.arange(1, pieces + 1) / pieces)
    assert {step for _, step in told} == {"cumulate"}


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_compute_stops_the_work_and_reaches_the_caller(threads: int) -> None:
    read: list[int] = []
    written: list[int] = []

    def compute(task: int, _block: None) -> None:
        if task == 4:
            raise ProcessingError("band 4 is bad")

    with pytest.raises(ProcessingError, match="band 4 is bad"):
        run_bands(
            range(100),
            read=read.append,
            compute=compute,
            write=lambda task, _result: written.append(task),
            threads=threads,
            progress=Progress(),
            step="error",
        )
    assert written == [0, 1, 2, 3]
    assert len(read) <= 5 + threads


@pytest.mark.parametrize("threads", [1, 3])
def test_cancelling_stops_between_two_blocks(threads: int) -> None:
    written: list[int] = []
    progress = Progress.to(lambda _share, _step: None)

    def write(task: int, _result: None) -> None:
        written.append(task)
        if task == 2:
            progress.cancelled.set()

    with pytest.raises(Cancelled):
        run_bands(
            range(100),
            read=lambda _task: None,
            compute=lambda _task, _block: None,
            write=write,
            threads=threads,
            progress=progress,
            step="cancel",
        )
    assert written == [0, 1, 2]


def test_no_thread_is_left_after_an_error() -> None:
    with pytest.raises(ProcessingError):
        run_bands(
            range(10),
            read=lambda _task: None,
            compute=lambda _task, _block: None,
            write=lambda _task, _result: (_ for _ in ()).throw(ProcessingError("disk full")),
            threads=3,
            progress=Progress(),
            step="threads",
        )
    assert not [t for t in threading.enumerate() if t.name.startswith("band")]


def test_nothing_to_do_is_done() -> None:
    assert split_rows(0, band_rows=8) == ()
    run_bands(
        (),
        read=lambda _task: None,
        compute=lambda _task, _block: None,
        write=lambda _task, _result: None,
        threads=2,
        progress=Progress(),
        step="nothing",
    )


@pytest.mark.parametrize("threads", [1, 4])
def test_map_bands_keeps_the_order(threads: int) -> None:
    def late_first(task: int) -> int:
        time.sleep(0.001 * (10 - task))
        return task**2

    assert list(map_bands(range(10), late_first, threads=threads)) == [n**2 for n in range(10)]


def test_map_bands_hands_on_an_error() -> None:
    def compute(task: int) -> int:
        if task == 3:
            raise ProcessingError("piece 3 is bad")
        return task

    results = map_bands(range(10), compute, threads=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ProcessingError, match="piece 3 is bad"):
        next(results)


def test_default_threads_is_what_the_process_may_use() -> None:
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        assert bands.default_threads() == 1
    finally:
        os.sched_setaffinity(0, cores)
