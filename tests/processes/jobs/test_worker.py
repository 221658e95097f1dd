"""A worker in this process over a real store: every end of a job, in the store and on disk."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time

import pytest

from processes.jobs.family import Leader, boot_identifier, start_ticks
from processes.jobs.files import write_json
from processes.jobs.model import ANYBODY, JobState
from processes.jobs.stacks import stacks_of
from tests.processes.jobs.fake_jobs import FAILURE
from tests.processes.jobs.places import processes_in, wait_for
from tests.processes.jobs.worker_place import Place, drive, step_of


def test_a_success_is_published_and_its_folder_gone(place: Place) -> None:
    identifier = place.submit("good", parts=2)
    (job,) = place.run(place.worker(), identifier)
    (output,) = job.outputs
    result = place.folders.outputs / identifier / output.file
    assert (job.state, job.attempt, job.share, job.message) == (JobState.SUCCEEDED, 1, 1.0, "")
    assert json.loads(result.read_text())["made"] == 2
    assert job.results_bytes == output.size == result.stat().st_size
    assert job.expires is not None
    assert job.finished is not None
    assert job.expires - job.finished == pytest.approx(7 * 86400)
    assert place.leftovers() == []
    assert [log.name for log in place.folders.logs.iterdir()] == [f"{identifier}-1.txt"]


def test_a_failure_of_the_chain_is_not_tried_again(place: Place) -> None:
    (job,) = place.run(place.worker(), place.submit("error"))
    assert (job.state, job.attempt, job.message) == (JobState.FAILED, 1, FAILURE)
    assert not list(place.folders.outputs.iterdir())
    assert place.leftovers() == []


@pytest.mark.parametrize(("ending", "code"), [("exit", 7), ("killed", -9), ("crash", -11)])
def test_a_crash_is_tried_again_and_then_told(place: Place, ending: str, code: int) -> None:
    (job,) = place.run(place.worker(), place.submit(ending))
    assert (job.state, job.attempt) == (JobState.FAILED, 2)
    assert f"exit code {code}" in job.message
    assert place.leftovers() == []


def test_a_killed_leader_is_a_lost_attempt(place: Place) -> None:
    worker = place.worker()
    identifier = place.submit("family")
    drive(worker, lambda: step_of(place, identifier) == "with a family")
    (attempt,) = worker.attempts.values()
    attempt.excess(worker.allowance, worker.runner, place.folders.jobs)
    record = json.loads(attempt.folder.process_file.read_text())
    os.kill(record["pid"], signal.SIGKILL)
    drive(worker, lambda: place.job(identifier).attempt == 2)
    assert place.job(identifier).state is JobState.RUNNING
    place.store.dismiss(identifier, now=time.time(), reason="enough")
    place.run(worker, identifier)


@pytest.mark.parametrize(
    ("ending", "options", "reason"),
    [
        ("wait", {"job_seconds": 1}, "stopped after 1 s, the longest time"),
        ("memory", {"job_memory_limit_mb": 300}, "more memory than the 300 MB"),
        ("disk", {"job_disk_mb": 2}, "more disk space than the 2 MB"),
        ("stay", {"job_seconds": 1}, "stopped after 1 s, the longest time"),
    ],
)
def test_a_job_that_uses_too_much_is_stopped(
    place: Place, ending: str, options: dict[str, int], reason: str
) -> None:
    (job,) = place.run(place.worker(**options), place.submit(ending))
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert reason in job.message
    assert place.leftovers() == []


def test_what_a_job_adds_to_a_stack_counts_as_its_own(place: Place) -> None:
    worker = place.worker(job_disk_mb=2)
    first, second = place.submit("wait"), place.submit("wait")
    drive(worker, lambda: {step_of(place, one) for one in (first, second)} == {"ending"})
    stack = stacks_of(ANYBODY, worker.settings) / "key"
    stack.mkdir(parents=True)
    (stack / "lock").write_text(str(place.folders.job(first).output.resolve()))
    (stack / "image").write_bytes(bytes(3_000_000))
    drive(worker, lambda: place.job(first).state is JobState.FAILED)
    assert "more disk space than the 2 MB" in place.job(first).message
    assert place.job(second).state is JobState.RUNNING
    place.store.dismiss(second, now=time.time(), reason="enough")
    place.run(worker, second)


def test_progress_and_log_reach_the_store(place: Place) -> None:
    worker = place.worker(lease=0.6)
    identifier = place.submit("wait", parts=1)
    drive(worker, lambda: place.job(identifier).step == "ending")
    assert place.job(identifier).share == 0.5
    talk = place.submit("talk")
    place.run(worker, talk)
    assert place.job(talk).log_tail.endswith("native text")
    place.store.dismiss(identifier, now=time.time(), reason="enough")
    place.run(worker, identifier)


@pytest.mark.parametrize("ending", ["wait", "stay", "family"])
def test_a_dismissed_job_is_gone_with_all_its_processes(place: Place, ending: str) -> None:
    worker = place.worker()
    identifier = place.submit(ending)
    drive(worker, lambda: step_of(place, identifier).startswith(("ending", "with a")))
    begin = time.monotonic()
    place.store.dismiss(identifier, now=time.time(), reason="dismissed by its user")
    (job,) = place.run(worker, identifier)
    assert time.monotonic() - begin < 5.0 + 2.0  # the promise, and a busy machine
    assert (job.state, job.message) == (JobState.DISMISSED, "dismissed by its user")
    assert place.leftovers() == []
    assert not list(place.folders.outputs.iterdir())


def test_a_waiting_job_that_is_dismissed_never_begins(place: Place) -> None:
    worker = place.worker(worker_slots=1)
    first, second = place.submit("wait"), place.submit("good")
    drive(worker, lambda: step_of(place, first) == "ending")
    place.store.dismiss(second, now=time.time(), reason="enough")
    place.store.dismiss(first, now=time.time(), reason="enough")
    jobs = place.run(worker, first, second)
    assert [(job.state, job.attempt) for job in jobs] == [
        (JobState.DISMISSED, 1),
        (JobState.DISMISSED, 0),
    ]


def test_a_job_dismissed_while_it_ends_has_no_results(place: Place) -> None:
    worker = place.worker()
    identifier = place.submit("good")
    drive(worker, lambda: worker.attempts)
    folder = place.folders.job(identifier).attempt(1)
    wait_for(lambda: folder.read_end() is not None)
    place.store.dismiss(identifier, now=time.time(), reason="enough")
    (job,) = place.run(worker, identifier)
    assert (job.state, job.outputs) == (JobState.DISMISSED, ())
    assert not list(place.folders.outputs.iterdir())


def test_no_more_jobs_run_than_there_are_slots(place: Place) -> None:
    worker = place.worker(worker_slots=2)
    identifiers = [place.submit("wait") for _ in range(3)]
    drive(worker, lambda: len(worker.attempts) == 2)
    worker.step()
    states = sorted(place.job(identifier).state for identifier in identifiers)
    assert states == [JobState.ACCEPTED, JobState.RUNNING, JobState.RUNNING]


def test_a_stopped_worker_puts_its_jobs_back(place: Place) -> None:
    worker = place.worker(stop_policy="requeue")
    identifier = place.submit("wait", parts=1)
    drive(worker, lambda: step_of(place, identifier) == "ending")
    worker.close()
    assert place.job(identifier).state is JobState.ACCEPTED
    assert (place.folders.job(identifier).output / "part-0").exists()
    assert not processes_in(place.settings.state_folder)
    again = place.worker()
    drive(again, lambda: step_of(place, identifier) == "ending")
    place.store.dismiss(identifier, now=time.time(), reason="enough")
    place.run(again, identifier)
    assert place.leftovers() == []


def test_a_worker_may_leave_its_jobs_to_the_next_one(place: Place) -> None:
    first = place.worker(stop_policy="finish")
    identifier = place.submit("good", parts=4, seconds=0.3)
    drive(first, lambda: step_of(place, identifier) != "")
    first.close()
    assert place.job(identifier).state is JobState.RUNNING
    (job,) = place.run(place.worker(), identifier)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


def test_an_attempt_is_looked_after_by_one_worker_only(place: Place) -> None:
    first, second = place.worker(), place.worker()
    identifier = place.submit("wait")
    drive(first, lambda: step_of(place, identifier) == "ending")
    second.step()
    assert (len(first.attempts), len(second.attempts)) == (1, 0)


def test_a_worker_that_lost_its_lease_ends_the_attempt(place: Place) -> None:
    worker = place.worker()
    identifier = place.submit("wait")
    drive(worker, lambda: step_of(place, identifier) == "ending")
    place.store.give_back(identifier, 1, now=time.time(), reason="a test", counts=False)
    other = place.store.claim("elsewhere", lease=60.0, now=time.time())
    assert other is not None
    drive(worker, lambda: not worker.attempts)
    assert not processes_in(place.settings.state_folder)
    assert place.job(identifier).state is JobState.RUNNING


def test_a_job_whose_worker_vanished_is_run_again(place: Place) -> None:
    identifier = place.submit("good")
    place.store.claim("elsewhere", lease=0.0, now=time.time() - 1.0)
    (job,) = place.run(place.worker(), identifier)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)


def test_folders_of_jobs_that_are_over_are_swept(place: Place) -> None:
    over = place.submit("good")
    place.store.dismiss(over, now=time.time(), reason="enough")
    for name in (over, "0" * 32):
        (place.folders.jobs / name / "attempt-1").mkdir(parents=True)
        (place.folders.jobs / name / "attempt-1" / "log.txt").write_text("kept")
    place.worker().step()
    assert place.leftovers() == []
    assert (place.folders.logs / f"{over}-1.txt").read_text() == "kept"


def test_a_worker_that_gets_its_own_lost_job_again_ends_the_old_attempt_first(
    place: Place,
) -> None:
    worker = place.worker()
    identifier = place.submit("wait")
    drive(worker, lambda: step_of(place, identifier) == "ending")
    place.store.give_back(identifier, 1, now=time.time(), reason="a test", counts=False)
    drive(worker, lambda: place.job(identifier).attempt == 2)
    drive(worker, lambda: len(worker.attempts) == 1 and step_of(place, identifier) == "ending")
    first, second = (place.folders.job(identifier).attempt(number) for number in (1, 2))
    assert (first.path.exists(), second.path.exists()) == (False, True)


def test_a_disk_that_cannot_be_written_fails_the_job_and_not_the_worker(place: Place) -> None:
    worker = place.worker()
    worker.step()  # looks for old results, for a minute from now
    place.folders.outputs.rmdir()
    place.folders.outputs.write_text("a file where a folder should be")
    (job,) = place.run(worker, place.submit("good"))
    assert (job.state, job.outputs) == (JobState.FAILED, ())
    assert job.message.startswith("this server cannot write: ")


@pytest.mark.parametrize("changed", [{"boot": "an earlier one"}, {"start": 1}])
def test_a_number_that_now_belongs_to_another_process_is_left_alone(
    place: Place, changed: dict[str, object]
) -> None:
    """After a restart of the machine, or long after the end of the leader."""
    identifier = place.submit("good")
    job = place.store.claim("before", lease=60.0, now=time.time())
    assert job is not None
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        place.folders.make()
        folder = place.folders.job(identifier).attempt(1)
        folder.path.mkdir(parents=True)
        folder.host_file.write_text(socket.gethostname())
        leader = Leader(stranger.pid, start_ticks(stranger.pid), boot_identifier())
        write_json(folder.process_file, leader._asdict() | changed)
        (job,) = place.run(place.worker(), identifier)
        assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
        assert stranger.poll() is None
        stranger.kill()
