"""What is too old or too much goes, with everything that belongs to it, and nothing else."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.jobs.folders import Folders
from processes.jobs.model import Job, JobState, Limits, Output
from processes.jobs.store import JobStore
from processes.jobs.sweeping import MOST_AT_ONCE, SCRATCH_AGE, Sweeper
from processes.settings import Settings
from tests.processes.jobs.places import fake_request

NOW = 1_800_000_000.0
DAY = 86400.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_folder=tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    found = JobStore(f"sqlite:///{tmp_path / 'queue.sqlite'}", Limits(running=1000))
    found.migrate()
    yield found
    found.close()


def finished_job(store: JobStore, folders: Folders, *, size: int = 1, keep: float = DAY) -> Job:
    """Make a job that succeeded, as a worker leaves it."""
    store.submit(fake_request("good"), now=NOW)
    job = store.claim("worker", lease=60.0, now=NOW)
    assert job is not None
    folders.make()
    results = folders.outputs / job.id
    results.mkdir()
    (results / "picture.tif").write_bytes(b"x")
    (folders.logs / f"{job.id}-1.txt").write_text("log")
    output = Output(identifier="picture", file="picture.tif", size=size)
    assert store.finish(
        job.id,
        1,
        JobState.SUCCEEDED,
        now=NOW,
        outputs=(output,),
        results_bytes=size,
        keep=keep,
    )
    return job


def names_in(folders: Folders) -> set[str]:
    return {path.name for folder in (folders.outputs, folders.logs) for path in folder.iterdir()}


def test_a_job_goes_when_its_time_is_over_and_not_before(
    store: JobStore, settings: Settings
) -> None:
    folders = Folders(settings.state_folder)
    old = finished_job(store, folders, keep=DAY)
    young = finished_job(store, folders, keep=2 * DAY)
    sweeper = Sweeper(store, folders, settings)
    assert not sweeper.step(NOW + DAY - 1.0)
    assert store.get(old.id) is not None
    assert sweeper.step(NOW + DAY + 1.0)
    assert store.get(old.id) is None
    assert store.get(young.id) is not None
    assert names_in(folders) == {young.id, f"{young.id}-1.txt"}


def test_the_oldest_results_go_first_where_there_are_too_many(
    store: JobStore, settings: Settings
) -> None:
    folders = Folders(settings.state_folder)
    jobs = [finished_job(store, folders, size=600_000_000, keep=DAY + hour) for hour in (3, 1, 2)]
    sweeper = Sweeper(store, folders, dataclasses.replace(settings, results_gb=1))
    while sweeper.step(NOW):
        pass
    left = [job.id for job in jobs if store.get(job.id) is not None]
    assert left == [jobs[0].id]
    assert names_in(folders) == {jobs[0].id, f"{jobs[0].id}-1.txt"}
    assert store.results_bytes() == 600_000_000


def test_many_old_jobs_go_in_small_steps(store: JobStore, settings: Settings) -> None:
    folders = Folders(settings.state_folder)
    for _ in range(MOST_AT_ONCE + 5):
        finished_job(store, folders)
    sweeper = Sweeper(store, folders, settings)
    assert sweeper.step(NOW + 2 * DAY)
    assert store.counts()[JobState.SUCCEEDED] == 5
    assert sweeper.step(NOW + 2 * DAY)
    assert not sweeper.step(NOW + 2 * DAY)
    assert names_in(folders) == set()


def test_logs_without_a_job_and_results_of_one_that_was_dismissed_go(
    store: JobStore, settings: Settings
) -> None:
    folders = Folders(settings.state_folder)
    kept = finished_job(store, folders)
    dismissed = store.submit(fake_request("good"), now=NOW)
    store.dismiss(dismissed.id, now=NOW, reason="enough")
    (folders.outputs / dismissed.id).mkdir()  # its worker was killed before it took them away
    for name in (dismissed.id, "0" * 32):
        (folders.logs / f"{name}-1.txt").write_text("log")
    (folders.logs / "somebody-else.txt").write_text("kept")
    assert not Sweeper(store, folders, settings).step(NOW)
    assert names_in(folders) == {
        kept.id,
        f"{kept.id}-1.txt",
        f"{dismissed.id}-1.txt",
        "somebody-else.txt",
    }


def test_results_without_a_job_and_old_scratch_folders_go(
    store: JobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = Folders(settings.state_folder)
    kept = finished_job(store, folders)
    for name in ("0" * 32, "f" * 32, ".scratch-x", "somebody-else"):
        (folders.outputs / name).mkdir()
    (folders.jobs / ".scratch-y").mkdir()
    sweeper = Sweeper(store, folders, settings)
    assert not sweeper.step(NOW)
    expected = {kept.id, f"{kept.id}-1.txt", "somebody-else"}
    assert names_in(folders) == expected | {".scratch-x"}
    later = time.time() + SCRATCH_AGE + 1.0
    monkeypatch.setattr(time, "time", lambda: later)
    sweeper.step(NOW)
    assert names_in(folders) == expected
    assert list(folders.jobs.iterdir()) == []


def test_stacks_that_nobody_uses_go_with_the_rest(store: JobStore, settings: Settings) -> None:
    folders = Folders(settings.state_folder)
    folders.make()
    stack = settings.stacks_folder / "user-ann" / "key"
    stack.mkdir(parents=True)
    (stack / "lock").touch()
    sweeper = Sweeper(store, folders, settings)
    sweeper.step(time.time())
    assert stack.is_dir()
    sweeper.step(time.time() + (settings.stack_days + 1) * DAY)
    assert not stack.exists()
