"""What the store keeps beside the jobs: their attempts, and who is still to be told of an end."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import text

from processes.jobs.model import AttemptRecord, Job, JobState, Limits, Notice
from processes.jobs.schema import write_request
from processes.jobs.store import JobStore
from tests.processes.jobs.stores import MakeStore, order, start

HOOK = "https://hooks.example.org/end?key=1"


def taken(store: JobStore, *, now: float = 100.0) -> Notice:
    notice = store.take_notice(now=now, lease=60.0)
    assert notice is not None
    return notice


def finished(store: JobStore, **values: object) -> Job:
    store.submit(order(**values), now=1.0)
    job = start(store)
    store.finish(job.id, 1, JobState.FAILED, now=50.0, message="no orbit")
    return job


def test_every_attempt_is_kept_with_its_worker_and_its_end(store: JobStore) -> None:
    job = store.submit(order(), now=1.0)
    assert store.attempts(job.id) == []
    store.claim("w1", lease=5.0, now=2.0)
    store.give_back(job.id, 1, now=3.0, reason="its worker vanished", counts=True)
    store.claim("w2", lease=5.0, now=4.0)
    store.adopt(job.id, 2, "w3")
    running = store.get(job.id)
    assert running is not None
    assert (running.worker, running.attempt) == ("w3", 2)
    store.finish(job.id, 2, JobState.FAILED, now=6.0, message="no orbit")
    store.give_back(job.id, 1, now=9.0, reason="late", counts=True)
    assert store.attempts(job.id) == [
        AttemptRecord(number=1, worker="w1", started=2.0, ended=3.0, reason="its worker vanished"),
        AttemptRecord(number=2, worker="w3", started=4.0, ended=6.0, reason="failed: no orbit"),
    ]
    store.forget([job.id])
    assert store.attempts(job.id) == []


def test_an_attempt_that_is_over_is_not_adopted(store: JobStore) -> None:
    job = finished(store)
    store.adopt(job.id, 1, "w9")
    found = store.get(job.id)
    assert found is not None
    assert found.worker == "w1"
    assert [record.worker for record in store.attempts(job.id)] == ["w1"]


def test_an_end_leaves_a_notice_for_each_address(store: JobStore) -> None:
    job = finished(store, notify=(HOOK, "mailto:a@example.org"), title="Mexico")
    first, second = taken(store), taken(store)
    assert store.take_notice(now=100.0, lease=60.0) is None
    assert {first.address, second.address} == {HOOK, "mailto:a@example.org"}
    assert (first.job, first.title, first.state, first.message, first.created, first.tries) == (
        job.id,
        "Mexico",
        JobState.FAILED,
        "no orbit",
        50.0,
        1,
    )


def test_every_way_to_end_is_told_and_none_that_goes_on(make_store: MakeStore) -> None:
    store = make_store(attempts=1)
    waiting = store.submit(order(notify=(HOOK,)), now=1.0)
    store.dismiss(waiting.id, now=2.0, reason="enough")
    store.dismiss(waiting.id, now=2.0, reason="enough")
    lost = store.submit(order(notify=(HOOK,)), now=1.0)
    start(store)
    store.give_back(lost.id, 1, now=3.0, reason="stopped", counts=False)
    assert start(store).attempt == 2
    store.dismiss(lost.id, now=3.0, reason="enough")
    store.give_back(lost.id, 2, now=4.0, reason="lost", counts=True)
    given_up = store.submit(order(notify=(HOOK,)), now=1.0)
    start(store)
    store.give_back(given_up.id, 1, now=5.0, reason="lost", counts=True)
    told = [taken(store) for _ in range(3)]
    assert [(notice.job, notice.state) for notice in told] == [
        (waiting.id, JobState.DISMISSED),
        (lost.id, JobState.DISMISSED),
        (given_up.id, JobState.FAILED),
    ]
    assert store.take_notice(now=100.0, lease=60.0) is None


def test_a_notice_comes_back_until_it_is_dropped(store: JobStore) -> None:
    job = finished(store, notify=(HOOK,))
    first = taken(store, now=100.0)
    store.forget([job.id])  # the end is told even when the job is no more
    assert store.take_notice(now=159.0, lease=60.0) is None
    second = taken(store, now=161.0)  # whoever had it was killed
    assert second.tries == 2
    store.put_notice_off(first, due=0.0)  # too late: it is another's by now
    store.drop_notice(first)
    assert store.take_notice(now=162.0, lease=60.0) is None
    store.put_notice_off(second, due=500.0)
    assert store.take_notice(now=499.0, lease=60.0) is None
    store.drop_notice(taken(store, now=501.0))
    assert store.take_notice(now=1e6, lease=60.0) is None


def test_whoever_has_nothing_to_do_waits_for_nobody(make_store: MakeStore) -> None:
    """Idle workers ask several times a second: they must not hold the servers up."""
    store, busy = make_store(), make_store()
    with busy._database.writing() as connection:
        connection.execute(text("UPDATE control SET claims = claims"))
        assert store.claim("w1", lease=1.0, now=1.0) is None
        assert store.take_notice(now=1.0, lease=1.0) is None


def test_jobs_of_the_first_version_are_kept(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JobStore(store_url, Limits())
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
        store.migrate()
    with store._database.writing() as connection:
        connection.execute(
            text(
                'INSERT INTO jobs (id, token, "user", request_key, request, state, created,'
                " attempt, lost_attempts, worker, share, step, message, log_tail, dismiss,"
                " outputs, results_bytes) VALUES ('a', 'b', 'ann', '', :request, 'running', 1,"
                " 1, 0, 'w0', 0, '', '', '', :no, '[]', 0)"
            ),
            {
                "request": write_request(order()),
                "no": False,
            },
        )
    store.migrate()
    (job,) = store.running("w0")
    assert store.finish(job.id, 1, JobState.SUCCEEDED, now=2.0)
    assert store.attempts(job.id) == []
    store.close()
