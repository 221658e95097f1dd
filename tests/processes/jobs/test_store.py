"""The life of a job in the store, step by step."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processes.jobs.errors import JobStateError, QueueFullError, QuotaError, UnknownJobError
from processes.jobs.model import JobState, NewJob, Output
from processes.jobs.schema import read_request, write_request
from processes.jobs.store import JobStore
from tests.processes.jobs.stores import MakeStore, order, start

NOBODY = "0" * 32

literals = st.fixed_dictionaries({"data": st.text()})
boxes = st.fixed_dictionaries(
    {
        "data": st.lists(st.floats(allow_nan=False), min_size=4, max_size=6),
        "crs": st.sampled_from(["EPSG:4326", "EPSG:32631", "urn:ogc:def:crs:EPSG::32631", ""]),
    }
)
complexes = st.fixed_dictionaries(
    {"data": st.text(), "mimeType": st.text(), "encoding": st.text(), "schema": st.text()}
)
occurrences = st.lists(literals | boxes | complexes, max_size=3).map(tuple)
requests = st.builds(
    NewJob,
    process=st.text(),
    version=st.text(),
    user=st.text(),
    inputs=st.dictionaries(st.text(min_size=1), occurrences, max_size=3),
    outputs=st.lists(st.text()).map(tuple),
    lineage=st.booleans(),
    title=st.text(),
    notify=st.lists(st.text()).map(tuple),
    request_key=st.text(),
)
AWKWARD = "a=b@c;d=\"e\" 'f'\r\n\t]]>&amp;<x/>\0\u2028 é \U0001f6f0 3.10"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(new=requests)
def test_every_request_comes_back_as_it_was(store: JobStore, new: NewJob) -> None:
    accepted = store.submit(new, now=1.0)
    assert store.get(accepted.id) == accepted
    assert accepted.request == new


@pytest.mark.parametrize(
    "value",
    [
        {"data": AWKWARD},
        {"data": "007.10"},
        {"data": [0.1, 43.0, 2.5, 44.0], "crs": "EPSG:32631"},
        {"data": AWKWARD, "mimeType": "text/xml", "encoding": "utf-8", "schema": "x"},
    ],
)
def test_the_worker_gets_the_inputs_as_they_were(store: JobStore, value: dict[str, object]) -> None:
    new = order(inputs={"first": (value, value), "none": ()}, title=AWKWARD, user="é=@;'")
    store.submit(new, now=5.0)
    assert start(store).request == new


def test_requests_of_older_versions_are_read() -> None:
    """They told a disk space that was never known."""
    text = json.dumps(json.loads(write_request(order())) | {"disk_bytes": 0})
    assert read_request(text) == order()


def test_a_job_from_acceptance_to_success(store: JobStore) -> None:
    accepted = store.submit(order(), now=10.0)
    assert (accepted.state, accepted.created, accepted.attempt) == (JobState.ACCEPTED, 10.0, 0)
    running = store.claim("w1", lease=30.0, now=20.0)
    assert running == replace(
        accepted, state=JobState.RUNNING, attempt=1, worker="w1", started=20.0, heartbeat=20.0
    )
    assert store.running("w1") == [running]
    assert store.running("w2") == []
    renewal = store.renew(
        accepted.id, 1, lease=30.0, now=40.0, share=0.5, step="looks", log_tail="line\nline"
    )
    assert renewal == (True, False)
    outputs = (
        Output(identifier="map", media_type="image/tiff", file="map.tif", size=7),
        Output(identifier="corners", value={"box": [1, 2.5], "crs": "EPSG:4326"}),
    )
    ended = store.finish(
        accepted.id,
        1,
        JobState.SUCCEEDED,
        now=50.0,
        outputs=outputs,
        results_bytes=7,
        keep=100.0,
    )
    assert ended
    assert store.by_token(accepted.token) == replace(
        running,
        state=JobState.SUCCEEDED,
        heartbeat=50.0,
        finished=50.0,
        expires=150.0,
        share=1.0,
        step="looks",
        log_tail="line\nline",
        outputs=outputs,
        results_bytes=7,
    )
    assert store.running("w1") == []


@pytest.mark.parametrize("name", ["", "x", NOBODY, "\0", "a\0" * 16, "'; DROP TABLE jobs; --"])
def test_names_of_no_job_open_nothing(store: JobStore, name: str) -> None:
    job = store.submit(order(), now=1.0)
    assert store.get(name) is None
    assert store.by_token(name) is None
    assert store.get(job.token) is None
    assert store.by_token(job.id) is None
    assert store.position(name) == 0
    with pytest.raises(UnknownJobError):
        store.dismiss(name, now=1.0, reason="x")


def test_a_job_ends_once(store: JobStore) -> None:
    store.submit(order(), now=1.0)
    job = start(store)
    with pytest.raises(JobStateError, match="final"):
        store.finish(job.id, 1, JobState.ACCEPTED, now=2.0, keep=9.0)
    assert store.finish(job.id, 1, JobState.FAILED, now=2.0, message="no orbit", keep=9.0)
    ended = store.get(job.id)
    assert not store.finish(job.id, 1, JobState.SUCCEEDED, now=3.0, keep=9.0)
    assert store.renew(job.id, 1, lease=9.0, now=3.0, share=0.1, step="x", log_tail="") == (
        False,
        False,
    )
    assert store.give_back(job.id, 1, now=3.0, reason="x", counts=True) is JobState.FAILED
    assert store.dismiss(job.id, now=3.0, reason="x") == ended
    assert store.get(job.id) == ended
    assert ended is not None
    assert ended.message == "no orbit"


def test_a_lease_that_ends_is_seen_and_its_attempt_cannot_speak_any_more(store: JobStore) -> None:
    store.submit(order(), now=1.0)
    first = start(store, now=10.0, lease=5.0)
    assert store.lost(now=14.0) == []
    store.renew(first.id, 1, lease=5.0, now=14.0, share=0.5, step="looks", log_tail="line")
    assert store.lost(now=18.0) == []
    assert [job.id for job in store.lost(now=19.5)] == [first.id]
    state = store.give_back(first.id, 1, now=20.0, reason="its worker fell silent", counts=True)
    assert state is JobState.ACCEPTED
    waiting = store.get(first.id)
    assert waiting is not None
    assert (waiting.message, waiting.log_tail) == ("its worker fell silent", "line")
    second = start(store, now=21.0)
    assert (second.id, second.attempt, second.started) == (first.id, 2, 10.0)
    assert (second.share, second.step, second.log_tail) == (0.0, "", "")
    assert not store.renew(first.id, 1, lease=5.0, now=22.0, share=1.0, step="", log_tail="").valid
    assert not store.finish(first.id, 1, JobState.SUCCEEDED, now=22.0, keep=9.0)
    assert store.give_back(first.id, 1, now=22.0, reason="x", counts=True) is JobState.RUNNING
    assert store.finish(first.id, 2, JobState.SUCCEEDED, now=23.0, keep=9.0)
    ended = store.get(first.id)
    assert ended is not None
    assert ended.message == ""


def test_attempts_are_used_up_by_losses_alone(make_store: MakeStore) -> None:
    store = make_store(attempts=2)
    job = store.submit(order(), now=1.0)
    ends = []
    for attempt, counts in enumerate([False, True, False, True], start=1):
        assert start(store).attempt == attempt
        ends.append(store.give_back(job.id, attempt, now=2.0, reason="lost", counts=counts))
    assert ends == [JobState.ACCEPTED] * 3 + [JobState.FAILED]
    failed = store.get(job.id)
    assert failed is not None
    assert (failed.message, failed.finished) == ("lost", 2.0)
    assert failed.expires is not None
    assert store.claim("w1", lease=1.0, now=3.0) is None


def test_a_job_given_back_is_before_later_jobs_of_its_user(store: JobStore) -> None:
    first, second = (store.submit(order(), now=now) for now in (2.0, 1.0))
    assert start(store).id == first.id
    store.give_back(first.id, 1, now=3.0, reason="worker stops", counts=False)
    assert store.position(first.id) == 1
    assert [start(store).id, start(store).id] == [first.id, second.id]


def test_a_waiting_job_is_dismissed_at_once(store: JobStore) -> None:
    job = store.submit(order(), now=1.0)
    store.keep = 10.0
    dismissed = store.dismiss(job.id, now=2.0, reason="by its user")
    assert dismissed.state is JobState.DISMISSED
    assert (dismissed.message, dismissed.finished, dismissed.expires) == ("by its user", 2.0, 12.0)
    assert store.claim("w1", lease=1.0, now=3.0) is None


def test_a_running_job_hears_that_it_is_dismissed(store: JobStore) -> None:
    store.submit(order(), now=1.0)
    job = start(store)
    asked = store.dismiss(job.id, now=2.0, reason="by its user")
    assert (asked.state, asked.dismiss, asked.finished) == (JobState.RUNNING, True, None)
    renewal = store.renew(job.id, 1, lease=9.0, now=3.0, share=0.1, step="", log_tail="")
    assert renewal == (True, True)


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.DISMISSED])
def test_a_dismissed_job_never_shows_results(store: JobStore, state: JobState) -> None:
    store.submit(order(request_key="k"), now=1.0)
    job = start(store)
    store.dismiss(job.id, now=2.0, reason="by its user")
    outputs = (Output(identifier="map", file="map.tif", size=7),)
    assert store.finish(
        job.id, 1, state, now=3.0, message="ended", outputs=outputs, results_bytes=7, keep=9.0
    )
    ended = store.get(job.id)
    assert ended is not None
    assert (ended.state, ended.outputs, ended.message) == (JobState.DISMISSED, (), "by its user")
    assert store.reusable("k", "ann", now=4.0) is None


def test_a_dismissed_attempt_that_is_lost_is_not_tried_again(store: JobStore) -> None:
    store.submit(order(), now=1.0)
    job = start(store)
    store.dismiss(job.id, now=2.0, reason="by its user")
    state = store.give_back(job.id, 1, now=3.0, reason="lost", counts=True)
    assert state is JobState.DISMISSED
    ended = store.get(job.id)
    assert ended is not None
    assert (ended.message, ended.finished) == ("by its user", 3.0)


def test_a_failed_job_is_retried_as_a_new_one(store: JobStore) -> None:
    new = order(inputs={"a": ({"data": AWKWARD},)}, request_key="k")
    job = store.submit(new, now=1.0)
    with pytest.raises(JobStateError, match="accepted"):
        store.retry(job.id, now=1.0)
    store.dismiss(job.id, now=2.0, reason="x")
    again = store.retry(job.id, now=3.0)
    assert again.request == new
    assert (again.state, again.created) == (JobState.ACCEPTED, 3.0)
    assert again.id != job.id
    assert again.token != job.token
    with pytest.raises(UnknownJobError):
        store.retry(NOBODY, now=3.0)


def test_only_an_equal_request_of_the_same_user_is_reused(store: JobStore) -> None:
    for keep in (100.0, 50.0):
        store.submit(order(request_key="k"), now=1.0)
        job = start(store)
        assert store.reusable("k", "ann", now=2.0) is None or keep == 50.0
        store.finish(job.id, 1, JobState.SUCCEEDED, now=10.0, keep=keep)
    found = store.reusable("k", "ann", now=59.0)
    assert found is not None
    assert found.id == job.id  # the newest
    later = store.reusable("k", "ann", now=61.0)
    assert later is not None
    assert later.id != job.id
    assert store.reusable("k", "ann", now=111.0) is None
    assert store.reusable("k", "ben", now=59.0) is None
    assert store.reusable("", "ann", now=59.0) is None


def test_limits_of_the_queue(make_store: MakeStore) -> None:
    store = make_store(queued=3, queued_per_user=2, running=1)
    store.submit(order("ann"), now=1.0)
    store.submit(order("ann"), now=1.0)
    with pytest.raises(QuotaError, match="at most 2 of one user"):
        store.submit(order("ann"), now=1.0)
    store.submit(order("ben"), now=1.0)
    with pytest.raises(QueueFullError, match="at most 3 in all"):
        store.submit(order("cat"), now=1.0)
    start(store)  # a job that runs does not wait
    store.submit(order("cat"), now=1.0)
    assert store.counts()[JobState.ACCEPTED] == 3


def test_results_fill_a_quota_until_they_are_forgotten(make_store: MakeStore) -> None:
    store = make_store(results_bytes_per_user=100)
    store.submit(order("ann"), now=1.0)
    job = start(store)
    store.finish(job.id, 1, JobState.SUCCEEDED, now=2.0, results_bytes=100, keep=9.0)
    with pytest.raises(QuotaError, match="less than 100 bytes, got 100"):
        store.submit(order("ann"), now=3.0)
    store.submit(order("ben"), now=3.0)
    assert (store.results_bytes("ann"), store.results_bytes("ben")) == (100, 0)
    assert store.forget([job.id]) == 1
    assert store.results_bytes() == 0
    store.submit(order("ann"), now=3.0)


def test_a_store_in_drain_mode_takes_nothing_and_ends_what_it_has(store: JobStore) -> None:
    job = store.submit(order(), now=1.0)
    assert not store.draining
    store.drain(True)
    assert store.draining
    with pytest.raises(QueueFullError):
        store.submit(order(), now=2.0)
    assert start(store).id == job.id
    store.drain(False)
    store.submit(order(), now=3.0)


def test_lists_are_newest_first_and_paged(store: JobStore) -> None:
    ids = [store.submit(order(user), now=1.0).id for user in ("ann", "ben", "ann", "ann")]
    assert [job.id for job in store.jobs(limit=9)] == ids[::-1]
    assert [job.id for job in store.jobs(limit=9, user="ann")] == [ids[3], ids[2], ids[0]]
    assert [job.id for job in store.jobs(limit=2, user="ann", before=ids[3])] == [ids[2], ids[0]]
    assert store.jobs(limit=9, before=NOBODY) == []
    store.dismiss(ids[1], now=2.0, reason="x")
    assert [job.id for job in store.jobs(limit=9, state=JobState.DISMISSED)] == [ids[1]]
    assert store.counts() == {
        JobState.ACCEPTED: 3,
        JobState.RUNNING: 0,
        JobState.SUCCEEDED: 0,
        JobState.FAILED: 0,
        JobState.DISMISSED: 1,
    }


def test_what_is_old_or_too_much_goes(make_store: MakeStore) -> None:
    store = make_store(running=9)
    ids = []
    for size in (10, 0, 20, 30):
        ids.append(store.submit(order(), now=1.0).id)
        job = start(store)
        store.finish(
            job.id,
            1,
            JobState.SUCCEEDED,
            now=len(ids),
            results_bytes=size,
            keep=100.0,
        )
    assert store.results_bytes() == 60
    assert store.oldest_results(60) == []
    assert [job.id for job in store.oldest_results(59)] == [ids[0]]
    assert [job.id for job in store.oldest_results(49)] == [ids[0], ids[2]]
    assert [job.id for job in store.expired(102.0)] == ids[:2]
    waiting = store.submit(order(), now=1.0)
    assert store.forget([*ids[:2], waiting.id, NOBODY]) == 2
    assert store.get(ids[0]) is None
    assert store.get(waiting.id) == waiting
    assert store.results_bytes() == 50


def test_numbers_in_the_queue_are_never_used_twice(store: JobStore) -> None:
    """A new job must not come before older ones because the newest was forgotten."""
    first = store.submit(order(), now=1.0)
    last = store.submit(order(), now=1.0)
    store.dismiss(last.id, now=1.0, reason="x")
    store.forget([last.id])
    new = store.submit(order(), now=0.0)
    assert [job.id for job in store.jobs(limit=9)] == [new.id, first.id]
