"""Many processes and threads at one store, and processes that die in the middle of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from processes.jobs import connections
from processes.jobs.claims import lock_store
from processes.jobs.errors import StoreUnavailableError
from processes.jobs.model import JobState, Limits
from processes.jobs.store import JobStore
from tests.processes.jobs import crowd
from tests.processes.jobs.stores import MakeStore, order, start


def test_tables_are_made_once_whoever_starts_first(store_url: str) -> None:
    assert crowd.answers_of(crowd.migrate, store_url, Limits(), number=6) == ["migrated"] * 6
    store = JobStore(store_url, Limits())
    store.submit(order(), now=1.0)
    with store._database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM control")) == 1
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == ["0002"]
    store.close()


def test_every_job_is_claimed_once_and_never_more_run_than_may(
    make_store: MakeStore, store_url: str
) -> None:
    store = make_store()
    submitted = [store.submit(order(f"u{number % 5}"), now=1.0).id for number in range(200)]
    limits = Limits(running=3)
    answers = crowd.answers_of(crowd.run_all, store_url, limits, number=8)
    claimed = [job for mine, _most in answers for job in mine]
    assert sorted(claimed) == sorted(submitted)
    assert max(most for _mine, most in answers) <= 3
    assert store.counts()[JobState.SUCCEEDED] == 200


def test_jobs_of_many_servers_keep_their_order(make_store: MakeStore, store_url: str) -> None:
    store = make_store()
    answers = crowd.answers_of(crowd.submit_some, store_url, Limits(), number=4)
    listed = [job.id for job in store.jobs(limit=100)][::-1]
    assert len(listed) == 40
    for mine in answers:
        assert [job for job in listed if job in mine] == mine


def test_a_full_queue_is_full_for_everybody(make_store: MakeStore, store_url: str) -> None:
    store = make_store()
    answers = crowd.answers_of(crowd.fill, store_url, Limits(queued=15), number=4)
    assert sum(answers) == store.counts()[JobState.ACCEPTED] == 15


@pytest.mark.parametrize("step", ["submit", "claim", "finish"])
def test_a_step_that_was_killed_never_happened(
    make_store: MakeStore, store_url: str, step: str
) -> None:
    store = make_store()
    steps = ["submit", "claim", "finish"]
    for done in steps[: steps.index(step)]:
        crowd.one_step(store, done)
    before = store.jobs(limit=9)
    with crowd.crowd(crowd.die_at_commit, store_url, Limits(), step) as (process,):
        process.join(crowd.PATIENCE_S)
        assert process.exitcode == -signal.SIGKILL
    assert store.jobs(limit=9) == before
    assert store.results_bytes() == 0
    crowd.one_step(store, step)  # nobody holds a lock any more
    (job,) = store.jobs(limit=9)
    after = {"submit": JobState.ACCEPTED, "claim": JobState.RUNNING, "finish": JobState.SUCCEEDED}
    assert job.state is after[step]


def test_processes_killed_at_any_moment_leave_a_consistent_store(
    make_store: MakeStore, store_url: str
) -> None:
    store = make_store()
    limits = Limits(running=9)
    for _ in range(3):
        done = store.counts()[JobState.SUCCEEDED]
        with crowd.crowd(crowd.work_for_ever, store_url, limits, number=2):
            give_up = time.monotonic() + crowd.PATIENCE_S
            while store.counts()[JobState.SUCCEEDED] < done + 5:
                assert time.monotonic() < give_up
    ended = [job for job in store.jobs(limit=10_000) if job.state.is_final]
    assert all(job.results_bytes == 5 and job.finished == 1.0 for job in ended)
    assert store.results_bytes() == 5 * len(ended)
    assert len(store.lost(now=100.0)) == store.counts()[JobState.RUNNING] <= 6
    if store_url.startswith("sqlite"):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store.submit(order("late"), now=1.0)
    store.limits = Limits(running=100)
    assert start(store).attempt == 1


def test_threads_share_a_store(make_store: MakeStore) -> None:
    store = make_store(running=100)
    barrier = threading.Barrier(8)

    def submit_and_claim(number: int) -> tuple[str, str]:
        barrier.wait()
        return store.submit(order(f"u{number}"), now=1.0).id, start(store).id

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(submit_and_claim, range(8)))
    submitted, claimed = zip(*done, strict=True)
    assert sorted(submitted) == sorted(claimed)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_leaves_the_connections_of_its_parent_alone(make_store: MakeStore) -> None:
    store = make_store()
    job = store.submit(order(), now=1.0)
    with store._database.reading() as connection:  # in use while the child is made
        child = os.fork()
        if child == 0:
            passed = False
            try:
                passed = store.get(job.id) == job and store.submit(order(), now=2.0).created == 2.0
                store.close()
            finally:
                os._exit(0 if passed else 1)
        _child, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 2
    assert store.submit(order(), now=3.0).created == 3.0


def test_a_restart_of_the_server_is_not_noticed(make_store: MakeStore, store_url: str) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    store = make_store()
    job = store.submit(order(), now=1.0)
    other = make_store()
    with other._database.writing() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )
    assert store.get(job.id) == job


def test_whoever_freezes_does_not_hold_the_others_up(
    make_store: MakeStore, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("nobody can take a lock from a process of this machine that lives")
    store = make_store()
    monkeypatch.setattr(connections, "PATIENCE_S", 1)
    frozen = make_store()

    def freeze() -> None:
        with frozen._database.writing() as connection:
            lock_store(connection)
            store.submit(order(), now=1.0)  # waits until the other one has lost its lock

    with pytest.raises(StoreUnavailableError):
        freeze()
    assert start(frozen).attempt == 1
