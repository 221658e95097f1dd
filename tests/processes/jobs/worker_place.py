"""Workers in this process over a real store, in folders of one test."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from processes.jobs.folders import Folders
from processes.jobs.model import Job, Limits
from processes.jobs.runner import LocalRunner
from processes.jobs.store import JobStore
from processes.jobs.worker import Worker
from processes.settings import Settings, read_settings
from tests.processes.jobs.places import fake_request, processes_in, wait_for, write_configuration


@dataclass
class Place:
    """A store, folders and workers of one test."""

    settings: Settings
    runner: LocalRunner
    store: JobStore
    workers: list[Worker] = field(default_factory=list)

    @property
    def folders(self) -> Folders:
        return Folders(self.settings.state_folder)

    def worker(self, *, lease: float = 30.0, **options: object) -> Worker:
        settings = dataclasses.replace(self.settings, **options)
        worker = Worker(self.store, settings, runner=self.runner, lease=lease)
        self.workers.append(worker)
        return worker

    def submit(self, ending: str, **inputs: object) -> str:
        return self.store.submit(fake_request(ending, **inputs), now=time.time()).id

    def job(self, identifier: str) -> Job:
        job = self.store.get(identifier)
        assert job is not None
        return job

    def run(self, worker: Worker, *identifiers: str) -> list[Job]:
        """Let a worker work until these jobs have ended."""
        drive(worker, lambda: all(self.job(i).state.is_final for i in identifiers))
        return [self.job(identifier) for identifier in identifiers]

    def leftovers(self) -> list[str]:
        return [path.name for path in self.folders.jobs.iterdir()]


def drive(worker: Worker, until: Callable[[], object]) -> None:
    def work() -> object:
        worker.step()
        return until()

    wait_for(work, pause=0.03)


def step_of(place: Place, identifier: str) -> str:
    job = place.job(identifier)
    return place.folders.job(identifier).attempt(job.attempt).read_progress()[1]


@pytest.fixture
def place(tmp_path: Path, runner: LocalRunner) -> Iterator[Place]:
    settings = read_settings([write_configuration(tmp_path)])
    settings.state_folder.mkdir()
    store = JobStore(f"sqlite:///{tmp_path / 'queue.sqlite'}", Limits(running=4))
    store.migrate()
    found = Place(settings, runner, store)
    yield found
    for worker in found.workers:
        worker.close()
    store.close()
    left = processes_in(tmp_path)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
