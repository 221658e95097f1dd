"""Finished jobs are no burden: the work of a call is counted with few and with many of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, insert

from processes.jobs.model import JobState, Limits
from processes.jobs.schema import jobs, write_request
from processes.jobs.store import JobStore
from tests.processes.jobs.stores import order, start

FINISHED = 10_000


def prepare(url: str, *, finished: int) -> None:
    """Make a store in which a few jobs wait and run, and many have ended."""
    store = JobStore(url, Limits(running=9))
    store.migrate()
    for number in range(20):
        store.submit(order(f"u{number % 4}", request_key="k"), now=1.0)
    for _ in range(4):
        start(store)
    rows = [
        {
            "id": f"{number:032x}",
            "token": f"{number:032x}",
            "user": f"u{number % 4}",
            "request_key": f"k{number}",
            "request": write_request(order()),
            "state": JobState.SUCCEEDED.value,
            "created": 1.0,
            "finished": 1.0,
            "expires": 1e9 + number,
            "results_bytes": 1,
        }
        for number in range(finished)
    ]
    if rows:
        with store._database.writing() as connection:
            connection.execute(insert(jobs), rows)
    store.close()


def accept(store: JobStore) -> None:
    store.submit(order("u1", request_key="k"), now=1.0)


def claim(store: JobStore) -> None:
    start(store)


def look(store: JobStore) -> None:
    (job,) = store.running("w1")[:1]
    assert store.by_token(job.token) == job
    assert store.get(job.id) == job


def follow(store: JobStore) -> None:
    (job,) = store.jobs(limit=1, state=JobState.ACCEPTED)
    assert store.position(job.id) > 0


def reuse(store: JobStore) -> None:
    assert store.reusable("k", "u1", now=1.0) is None


def sweep(store: JobStore) -> None:
    assert store.lost(now=2.0) == []
    assert store.expired(2.0) == []


def end(store: JobStore) -> None:
    (job,) = store.running("w1")[:1]
    store.renew(job.id, 1, lease=9.0, now=1.0, share=0.5, step="", log_tail="")
    assert store.finish(job.id, 1, JobState.SUCCEEDED, now=1.0, results_bytes=1, keep=9.0)


CALLS = [accept, claim, look, follow, reuse, sweep, end]


def sqlite_steps(url: str, call: Callable[[JobStore], None]) -> int:
    """Count the instructions of SQLite's machine."""
    limits = Limits(running=9, running_per_user=9, results_bytes_per_user=10**9)
    store = JobStore(url, limits)
    steps = count()

    def begin_to_count(connection: Any, _record: object) -> None:
        connection.set_progress_handler(lambda: next(steps) < 0, 1)

    event.listen(store._database.engine, "connect", begin_to_count)
    call(store)
    store.close()
    return next(steps)


@pytest.fixture(scope="module")
def few_and_many(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Addresses of two stores: without and with finished jobs."""
    folder = tmp_path_factory.mktemp("scale")
    few, many = f"sqlite:///{folder / 'few'}", f"sqlite:///{folder / 'many'}"
    prepare(few, finished=0)
    prepare(many, finished=FINISHED)
    return few, many


@pytest.mark.parametrize("call", CALLS)
def test_steps_do_not_grow_in_sqlite(
    few_and_many: tuple[str, str], call: Callable[[JobStore], None]
) -> None:
    few, many = (sqlite_steps(url, call) for url in few_and_many)
    assert few > 20
    assert many <= 1.2 * few


def test_no_call_reads_through_the_finished_jobs_of_postgresql(postgresql: str) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA scale")
        url = f"{postgresql}&options=-csearch_path%3Dscale"
        prepare(url, finished=FINISHED)
        connection.execute("ANALYZE scale.jobs")  # what the server does by itself after a minute

        def rows_read() -> int:
            found = connection.execute(
                "SELECT sum(seq_tup_read) + (SELECT sum(idx_tup_read) FROM"
                " pg_stat_user_indexes WHERE schemaname = 'scale' AND relname = 'jobs')"
                " FROM pg_stat_user_tables WHERE schemaname = 'scale' AND relname = 'jobs'"
            ).fetchone()
            assert found is not None
            return int(found[0])

        beginning = rows_read()
        for call in CALLS:
            before = rows_read()
            store = JobStore(url, Limits(running=9, running_per_user=9))
            call(store)
            store.close()  # the server counts when the connection ends
            assert rows_read() - before < 200, call
        assert rows_read() > beginning
