"""What workers do about each other: killed, hung, elsewhere; and about clocks and disks."""

from __future__ import annotations

import errno
import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes.jobs import presence
from processes.jobs.attempt import Attempt
from processes.jobs.files import Lock
from processes.jobs.folders import JobFolder
from processes.jobs.limits import Allowance
from processes.jobs.model import JobState, Limits
from processes.jobs.presence import SECOND_LOOK, Lookout, Presence
from processes.jobs.store import JobStore
from processes.log import warn_of
from processes.settings import CHECKOUT
from tests.processes.jobs.places import processes_in, wait_for
from tests.processes.jobs.worker_place import Place, drive, step_of

ENDED = f"{socket.gethostname()}-999999999-abcd"
"""A worker of this machine that is no more."""


def test_a_job_whose_worker_was_killed_after_the_claim_is_free_at_once(place: Place) -> None:
    identifier = place.submit("good")
    place.store.claim(ENDED, lease=3600.0, now=time.time())
    worker = place.worker()
    worker.step()
    assert (place.job(identifier).attempt, place.job(identifier).worker) == (2, worker.name)
    (job,) = place.run(worker, identifier)
    assert job.state is JobState.SUCCEEDED
    first, second = place.store.attempts(identifier)
    assert (first.worker, first.reason) == (ENDED, "its worker vanished")
    assert (second.worker, second.reason) == (worker.name, "succeeded")


def test_a_job_whose_worker_was_killed_before_the_start_is_free_at_once(place: Place) -> None:
    identifier = place.submit("good")
    place.store.claim(ENDED, lease=3600.0, now=time.time())
    worker = place.worker()
    place.folders.job(identifier).attempt(1).path.mkdir(parents=True)
    worker.step()
    assert place.job(identifier).attempt == 2


def test_what_a_living_worker_claimed_is_left_to_it(place: Place) -> None:
    busy, idle = place.worker(), place.worker()
    identifier = place.submit("good")
    place.store.claim(busy.name, lease=60.0, now=time.time())
    idle.step()
    assert (place.job(identifier).attempt, place.job(identifier).worker) == (1, busy.name)
    busy.close()
    drive(idle, lambda: place.job(identifier).attempt == 2)


def test_an_adopted_attempt_is_its_new_worker_s(place: Place) -> None:
    first = place.worker(stop_policy="finish")
    identifier = place.submit("wait")
    drive(first, lambda: step_of(place, identifier) == "ending")
    first.close()
    second, third = place.worker(), place.worker()
    second.step()
    assert place.job(identifier).worker == second.name
    third.step()  # the first worker is gone, but the job is not abandoned
    second.step()
    assert (place.job(identifier).attempt, len(second.attempts)) == (1, 1)


def test_a_jump_of_the_clock_takes_no_job_from_a_worker_that_lives(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, idle = place.worker(), place.worker(job_seconds=600)
    identifier = place.submit("wait")
    drive(busy, lambda: step_of(place, identifier) == "ending")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 86400.0)
    idle.step()
    (attempt,) = busy.attempts.values()
    assert attempt.excess(Allowance(seconds=600.0), busy.runner, place.folders.jobs) == ""
    attempt.renewed = 0.0
    busy.step()
    idle.step()
    assert place.job(identifier).attempt == 1
    assert place.store.lost(now=time.time()) == []


def test_a_worker_that_hangs_loses_its_jobs_with_its_lease(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = Presence(place.folders.workers)
    place.submit("good")
    job = place.store.claim(hung.name, lease=30.0, now=1000.0)
    assert job is not None
    clock = [500.0]
    monkeypatch.setattr(presence, "since_boot", lambda: clock[0])
    lookout = Lookout(place.store, Presence(place.folders.workers), 30.0)
    assert lookout.abandoned() == {}
    clock[0] += SECOND_LOOK - 0.1
    assert lookout.abandoned() == {}
    renewed = {"lease": 30.0, "share": 0.0, "step": "", "log_tail": ""}
    place.store.renew(job.id, 1, now=2000.0, **renewed)  # as slow as it is, it lives
    clock[0] += SECOND_LOOK
    assert lookout.abandoned() == {}
    clock[0] += SECOND_LOOK
    assert lookout.abandoned() == {job.id: 1}
    # where the clock was set back the lease seems to go on for ever
    place.store.renew(job.id, 1, now=time.time() + 86400.0, **renewed)
    assert lookout.abandoned() == {}
    clock[0] += 29.0
    assert lookout.abandoned() == {}
    clock[0] += 1.0
    assert lookout.abandoned() == {job.id: 1}
    hung.close()


def test_workers_are_known_until_they_are_killed(tmp_path: Path) -> None:
    code = "import sys, time, pathlib; from processes.jobs.presence import Presence"
    code += "; print(Presence(pathlib.Path(sys.argv[1])).name, flush=True); time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    ) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        here = Presence(tmp_path)
        assert not here.is_gone(name)
        assert not here.is_gone(here.name)
        assert not here.is_gone("elsewhere-1-abcd")
        other.kill()
    assert here.is_gone(name)
    assert here.is_gone(ENDED)
    assert [file.name for file in tmp_path.iterdir()] == [here.name]
    here.close()
    assert not list(tmp_path.iterdir())


def test_an_attempt_on_another_machine_is_not_run_twice(place: Place) -> None:
    first = place.worker(stop_policy="finish")
    identifier = place.submit("good", parts=6, seconds=0.3)
    drive(first, lambda: step_of(place, identifier) == "part 0")
    folder = place.folders.job(identifier).attempt(1)
    folder.host_file.write_text("elsewhere")
    first.close()
    place.store.adopt(identifier, 1, "elsewhere-1-abcd")
    renewed = {"lease": 0.0, "share": 0.0, "step": "", "log_tail": ""}
    place.store.renew(identifier, 1, now=1000.0, **renewed)
    second = place.worker(lease=0.3)
    for _ in range(4):
        second.step()
        time.sleep(0.15)
    assert (place.job(identifier).attempt, second.attempts) == (1, {})
    (job,) = place.run(second, identifier)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


def test_a_job_dismissed_between_its_results_and_its_end_has_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = place.worker()
    identifier = place.submit("good")
    finish = place.store.finish

    def dismiss_first(*arguments: object, **options: object) -> bool:
        assert (place.folders.outputs / identifier / "report.json").exists()
        place.store.dismiss(identifier, now=time.time(), reason="enough")
        return finish(*arguments, **options)

    monkeypatch.setattr(place.store, "finish", dismiss_first)
    (job,) = place.run(worker, identifier)
    assert (job.state, job.outputs, job.results_bytes) == (JobState.DISMISSED, (), 0)
    assert not list(place.folders.outputs.iterdir())
    assert place.store.results_bytes() == 0


def test_a_job_dismissed_after_its_end_keeps_its_results(place: Place) -> None:
    worker = place.worker()
    identifier = place.submit("good")
    (job,) = place.run(worker, identifier)
    assert place.store.dismiss(identifier, now=time.time(), reason="late") == job
    worker.step()
    assert (place.folders.outputs / identifier / "report.json").exists()


def test_jobs_wait_while_the_disk_is_full(place: Place) -> None:
    identifier = place.submit("good")
    worker = place.worker(disk_reserve_mb=10**12)
    for _ in range(3):
        worker.step()
    assert place.job(identifier).state is JobState.ACCEPTED
    (job,) = place.run(place.worker(disk_reserve_mb=1), identifier)
    assert job.state is JobState.SUCCEEDED


def test_a_folder_that_cannot_be_made_fails_the_job(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: JobFolder) -> Lock | None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(JobFolder, "lock", fail)
    (job,) = place.run(place.worker(), place.submit("good"))
    assert (job.state, job.message) == (
        JobState.FAILED,
        "this server cannot write: No space left on device",
    )


def test_the_files_of_one_job_are_no_trouble_for_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = place.worker()
    bad = place.submit("wait")
    drive(worker, lambda: step_of(place, bad) == "ending")
    look_after = worker._look_after

    def stumble(attempt: Attempt) -> None:
        if attempt.job.id == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        look_after(attempt)

    monkeypatch.setattr(worker, "_look_after", stumble)
    good = place.submit("good")

    def work() -> bool:
        with pytest.raises(OSError, match="Input/output"):
            worker.step()
        return place.job(good).state is JobState.SUCCEEDED

    wait_for(work, pause=0.03)
    monkeypatch.undo()
    place.store.dismiss(bad, now=time.time(), reason="enough")
    place.run(worker, bad)
    assert not processes_in(place.settings.state_folder)


def test_the_log_says_why_a_store_does_not_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = JobStore(f"postgresql://owner:secret@/jobs?host={tmp_path}", Limits())
    with pytest.raises(Exception, match="does not answer") as caught:
        store.claim("w1", lease=1.0, now=1.0)
    warn_of(logging.getLogger("test"), "trouble", caught.value)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    cause = vars(record)["fields"]["cause"]
    assert cause.startswith("OperationalError: ")
    assert "No such file or directory" in cause
    assert "secret" not in str(vars(record)["fields"])
