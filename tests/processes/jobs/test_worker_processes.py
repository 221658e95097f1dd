"""Workers as processes: stopped, killed, two at a time, and what the next one finds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from processes.jobs.folders import Folders
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.settings import CHECKOUT, Settings, read_settings
from tests.processes.jobs.places import (
    DEADLINE,
    fake_request,
    processes_in,
    wait_for,
    write_configuration,
)

SEED = 20180720


@dataclass
class Server:
    """A state folder, its store, and workers as an operator starts them."""

    configuration: Path
    settings: Settings
    store: JobStore
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def folders(self) -> Folders:
        return Folders(self.settings.state_folder)

    def start(self) -> subprocess.Popen[bytes]:
        with (self.settings.state_folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "processes.jobs", "worker"],
                cwd=CHECKOUT,
                env=os.environ | {"PYWPS_CFG": str(self.configuration)},
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def submit(self, ending: str, **inputs: object) -> str:
        return self.store.submit(fake_request(ending, **inputs), now=time.time()).id

    def job(self, identifier: str) -> Job:
        job = self.store.get(identifier)
        assert job is not None
        return job

    def wait_for_step(self, identifier: str, step: str) -> None:
        folder = self.folders.job(identifier)
        wait_for(
            lambda: folder.attempt(self.job(identifier).attempt).read_progress()[1] == step, 0.05
        )

    def wait_for_end(self, *identifiers: str) -> list[Job]:
        wait_for(lambda: all(self.job(i).state.is_final for i in identifiers), 0.05)
        return [self.job(identifier) for identifier in identifiers]

    def processes(self) -> set[int]:
        """Every process that carries this configuration in its environment, or works here."""
        found = set(processes_in(self.settings.state_folder))
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                environment = Path(f"/proc/{process.pid}/environ").read_bytes()
                if f"PYWPS_CFG={self.configuration}".encode() in environment:
                    found.add(process.pid)
        return found

    def events(self) -> list[dict[str, object]]:
        log = self.settings.state_folder / "worker.log"
        # a worker whose spawner was killed too often says so on its way out, as commands do
        return [json.loads(line) for line in log.read_text().splitlines() if line[0] == "{"]


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    options = getattr(request, "param", {})
    configuration = write_configuration(tmp_path, **options)
    settings = read_settings([configuration])
    found = Server(configuration, settings, open_store(settings))
    yield found
    for worker in found.workers:
        worker.kill()
        worker.wait()
    for pid in found.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    found.store.close()


def test_a_killed_worker_s_jobs_go_on_and_end_once_under_the_next(server: Server) -> None:
    first = server.start()
    done, waiting = server.submit("good", parts=20, seconds=0.1), server.submit("wait")
    server.wait_for_step(waiting, "ending")
    server.wait_for_step(done, "part 2")
    first.kill()
    first.wait()
    server.start()
    (job,) = server.wait_for_end(done)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert server.job(waiting).state is JobState.RUNNING
    server.store.dismiss(waiting, now=time.time(), reason="enough")
    (job,) = server.wait_for_end(waiting)
    assert (job.state, job.attempt) == (JobState.DISMISSED, 1)
    adopted = [e["job"] for e in server.events() if e["event"] == "attempt adopted"]
    assert sorted(map(str, adopted)) == sorted([done, waiting])
    wait_for(lambda: not list(server.folders.jobs.iterdir()))


def test_a_job_that_ends_while_no_worker_looks_is_not_run_again(server: Server) -> None:
    first = server.start()
    identifier = server.submit("good", parts=5, seconds=0.1)
    server.wait_for_step(identifier, "part 0")
    first.kill()
    first.wait()
    folder = server.folders.job(identifier).attempt(1)
    wait_for(lambda: folder.read_end() is not None)
    assert server.job(identifier).state is JobState.RUNNING
    server.start()
    (job,) = server.wait_for_end(identifier)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


def test_a_worker_takes_over_from_another_that_was_killed_beside_it(server: Server) -> None:
    first = server.start()
    identifier = server.submit("wait")
    server.wait_for_step(identifier, "ending")
    server.start()
    first.kill()
    first.wait()
    wait_for(lambda: any(e["event"] == "attempt adopted" for e in server.events()), 0.1)
    server.store.dismiss(identifier, now=time.time(), reason="enough")
    (job,) = server.wait_for_end(identifier)
    assert job.attempt == 1


@pytest.mark.parametrize("server", [{"stop_policy": "requeue"}], indirect=True)
def test_a_stopped_worker_leaves_nothing_running(server: Server) -> None:
    worker = server.start()
    identifiers = [server.submit("stay"), server.submit("family")]
    server.wait_for_step(identifiers[0], "ending")
    server.wait_for_step(identifiers[1], "with a family")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15.0) == 0
    assert {server.job(identifier).state for identifier in identifiers} == {JobState.ACCEPTED}
    assert not server.processes()


@pytest.mark.parametrize("server", [{"stop_policy": "finish"}], indirect=True)
def test_a_stopped_worker_may_leave_its_jobs_running(server: Server) -> None:
    worker = server.start()
    identifier = server.submit("good", parts=20, seconds=0.1)
    server.wait_for_step(identifier, "part 0")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15.0) == 0
    assert server.job(identifier).state is JobState.RUNNING
    server.start()
    (job,) = server.wait_for_end(identifier)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


def test_no_token_is_logged(server: Server) -> None:
    worker = server.start()
    (job,) = server.wait_for_end(server.submit("error"))
    worker.terminate()
    worker.wait(15.0)
    assert {str(e["job"]) for e in server.events() if "job" in e} == {job.id}
    files = [p for p in server.settings.state_folder.rglob("*") if p.is_file()]
    holding = {p.name for p in files if job.token.encode() in p.read_bytes()}
    assert all(name.startswith("queue.sqlite") for name in holding)


@pytest.mark.slow
@pytest.mark.parametrize(
    "server", [{"job_attempts": 50, "worker_slots": 3, "jobs_running": 6}], indirect=True
)
def test_jobs_survive_every_kind_of_death(server: Server) -> None:
    chance = random.Random(SEED)
    identifiers = [server.submit("good", parts=12, seconds=0.4) for _ in range(16)]
    for _ in range(2):
        server.start()
    for _ in range(20):
        time.sleep(chance.uniform(0.2, 1.5))
        workers = [worker.pid for worker in server.workers if worker.poll() is None]
        others = sorted(server.processes() - set(workers))
        victim = chance.choice(workers if chance.random() < 0.3 else others or workers)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        wait_for(lambda victim=victim: victim not in server.processes())
        for _ in range(2 - sum(worker.poll() is None for worker in server.workers)):
            server.start()
    wait_for(lambda: all(server.job(i).state.is_final for i in identifiers), 0.2, 2 * DEADLINE)
    for job in map(server.job, identifiers):
        assert job.state is JobState.SUCCEEDED, job.message
        results = list((server.folders.outputs / job.id).iterdir())
        assert [path.name for path in results] == ["report.json"]
    for worker in server.workers:
        worker.send_signal(signal.SIGTERM)
    for worker in server.workers:
        worker.wait(15.0)
    assert not server.processes()
    assert not list(server.folders.jobs.iterdir())
    ends = [
        e["job"]
        for e in server.events()
        if e["event"] == "attempt over" and e["state"] == "succeeded"
    ]
    assert len(ends) == len(set(ends))
