"""Bands of rows through read, compute and write, with bounded threads and memory.

Reading and writing happen in order, in the caller's thread; computing happens in a few threads
over different bands (the kernels release the interpreter lock and start no threads of their
own), so that results do not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple, TypeVar

from kernels.engine.progress import Progress

Task = TypeVar("Task")
Block = TypeVar("Block")
Result = TypeVar("Result")

_CHECK_INTERVAL = 0.1
"""Between two looks for a cancellation while a band is computed [s]."""


class Band(NamedTuple):
    """Rows ``first`` to ``first + rows - 1``."""

    first: int
    rows: int


def split_rows(rows: int, *, band_rows: int, multiple: int = 1, first: int = 0) -> tuple[Band, ...]:
    """Cut rows into bands of at most `band_rows`, each but the last a multiple of `multiple`.

    Parameters
    ----------
    rows : int
        How many rows there are.
    band_rows : int
        Rows of a band.
    multiple : int
        Bands hold a whole number of groups of so many rows.
    first : int
        Number of the first row.

    Returns
    -------
    tuple of Band
        In order, without gap or overlap.

    Examples
    --------
    >>> split_rows(10, band_rows=5, multiple=2)
    (Band(first=0, rows=4), Band(first=4, rows=4), Band(first=8, rows=2))
    """
    step = max(band_rows // multiple, 1) * multiple
    return tuple(Band(first + k, min(step, rows - k)) for k in range(0, rows, step))


def rows_for_budget(budget_bytes: float, *, bytes_per_row: float, at_least: int = 1) -> int:
    """Find how many rows of a band fit a memory budget.

    Parameters
    ----------
    budget_bytes : float
        Memory for one band [bytes].
    bytes_per_row : float
        Memory that a row takes [bytes].
    at_least : int
        Rows of a band even where the budget is too small.

    Returns
    -------
    int
        Rows of a band.
    """
    return max(at_least, int(budget_bytes // max(bytes_per_row, 1.0)))


def default_threads() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int
        1 or more.
    """
    return len(os.sched_getaffinity(0))


def run_bands(
    tasks: Sequence[Task],
    *,
    read: Callable[[Task], Block],
    compute: Callable[[Task, Block], Result],
    write: Callable[[Task, Result], None],
    threads: int,
    progress: Progress,
    step: str | Callable[[Task], str],
) -> None:
    """Read, compute and write each task; computing overlaps with reading and writing.

    Parameters
    ----------
    tasks : sequence
        Pieces of work, in the order of reading and writing.
    read : callable
        ``read(task) -> block``; called in order by one thread.
    compute : callable
        ``compute(task, block) -> result``; called by up to `threads` threads at once.
    write : callable
        ``write(task, result)``; called in order by one thread.
    threads : int
        Computing threads; at most ``threads + 1`` blocks are held at any time.
    progress : Progress
        Told after each task; asked for cancellation before each and while one is waited for.
    step : str or callable
        Name of the step for the progress report, or ``step(task) -> name``.

    Raises
    ------
    Cancelled
        If asked to stop; nothing more is written.
    """
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="band") as pool:
        waiting: deque[tuple[int, Task, Future[Result]]] = deque()

        def finish_first() -> None:
            number, task, future = waiting.popleft()
            while not wait((future,), timeout=_CHECK_INTERVAL).done:
                progress.check()
            write(task, future.result())
            progress.update(
                (number + 1) / len(tasks), step if isinstance(step, str) else step(task)
            )

        try:
            for number, task in enumerate(tasks):
                progress.check()
                block = read(task)
                waiting.append((number, task, pool.submit(compute, task, block)))
                del block
                if len(waiting) > threads:
                    finish_first()
            while waiting:
                finish_first()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def map_bands(
    tasks: Sequence[Task], compute: Callable[[Task], Result], *, threads: int
) -> Iterator[Result]:
    """Compute independent pieces in a few threads.

    Parameters
    ----------
    tasks : sequence
        The pieces.
    compute : callable
        ``compute(task) -> result``; called by up to `threads` threads at once.
    threads : int
        Computing threads.

    Yields
    ------
    object
        The result of each piece, in the order of `tasks`.
    """
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="band") as pool:
        yield from pool.map(compute, tasks)
