"""What other processes do to a store, to be run in several of them at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy import event

from processes.jobs.errors import QueueFullError
from processes.jobs.model import JobState, Limits
from processes.jobs.store import JobStore
from tests.processes.jobs.stores import order

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])
PATIENCE_S = 60.0


@contextmanager
def crowd(work: Callable[..., None], *arguments: Any, number: int = 1) -> Iterator[list[Any]]:
    """Run the same work in so many processes; give them, and kill what is left of them."""
    processes: list[ForkServerProcess] = [
        CONTEXT.Process(target=work, args=arguments) for _ in range(number)
    ]
    for process in processes:
        process.start()
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.join(PATIENCE_S)


def answers_of(
    work: Callable[..., Any], url: str, limits: Limits, *, number: int, patience: float = PATIENCE_S
) -> list[Any]:
    """Let so many processes begin at the same moment, and return what each of them found."""
    answers: Queue[Any] = CONTEXT.Queue()
    with crowd(_answer, work, url, limits, CONTEXT.Barrier(number), answers, number=number):
        return [answers.get(timeout=patience) for _ in range(number)]


def _answer(
    work: Callable[..., Any], url: str, limits: Limits, barrier: Barrier, answers: Queue[Any]
) -> None:
    store = JobStore(url, limits)
    barrier.wait(PATIENCE_S)
    try:
        answers.put(work(store))
    except Exception as error:
        answers.put(repr(error))
        raise
    store.close()


def migrate(store: JobStore) -> str:
    """Make the tables."""
    store.migrate()
    return "migrated"


def run_all(store: JobStore) -> tuple[list[str], int]:
    """Claim and end jobs until none waits; tell which, and how many were ever seen running."""
    mine: list[str] = []
    most = 0
    while True:
        job = store.claim(f"worker-{os.getpid()}", lease=60.0, now=1.0)
        counts = store.counts()
        most = max(most, counts[JobState.RUNNING])
        if job is not None:
            mine.append(job.id)
            assert store.finish(job.id, job.attempt, JobState.SUCCEEDED, now=1.0, keep=60.0)
        elif not counts[JobState.ACCEPTED]:
            return mine, most
        else:
            time.sleep(0.01)


def submit_some(store: JobStore) -> list[str]:
    """Submit jobs, in order, as a user of its own."""
    return [store.submit(order(f"user-{os.getpid()}"), now=1.0).id for _ in range(10)]


def fill(store: JobStore) -> int:
    """Submit until it is refused; tell how many were accepted."""
    accepted = 0
    for _ in range(10):
        try:
            store.submit(order(), now=1.0)
        except QueueFullError:
            return accepted
        accepted += 1
    return accepted


def die_at_commit(url: str, limits: Limits, step: str) -> None:
    """Be killed after the last statement of a step and before it is final."""
    store = JobStore(url, limits)
    event.listen(
        store._database.engine, "commit", lambda _connection: os.kill(os.getpid(), signal.SIGKILL)
    )
    one_step(store, step)


def one_step(store: JobStore, step: str) -> None:
    """Do one step in the life of the only job of a store."""
    if step == "submit":
        store.submit(order(), now=1.0)
    elif step == "claim":
        assert store.claim("w1", lease=60.0, now=1.0)
    else:
        (job,) = store.jobs(limit=1)
        store.finish(job.id, job.attempt, JobState.SUCCEEDED, now=1.0, results_bytes=5, keep=60.0)


def work_for_ever(url: str, limits: Limits) -> None:
    """Go from step to step until somebody kills this process."""
    store = JobStore(url, limits)
    while True:
        one_step(store, "submit")
        job = store.claim("w1", lease=60.0, now=1.0)
        assert job is not None
        store.finish(job.id, job.attempt, JobState.SUCCEEDED, now=1.0, results_bytes=5, keep=60.0)
