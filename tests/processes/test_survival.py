"""Everything is killed at random: no accepted job is lost, the queue moves on, nothing stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from lxml import etree

from processes.background import free_address
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.settings import CHECKOUT, read_settings
from tests.processes.conftest import make_configuration, processes_of
from tests.processes.jobs.places import wait_for
from tests.processes.test_fuzz import EXECUTE

KINDS = ("supervisor", "web", "worker", "spawner", "job")
ROUNDS = 20
WAITING = 6
"""Jobs that are accepted before each death: more than run at once."""
SOON = 10.0
"""Longest time after a death until a server answers, and until a job that waited has ended [s];
twice the time of the first start on a machine so busy that this is more."""
STARTED = 60.0
"""Longest time of the first start [s]."""
STOPPED = 20.0
RESTART_PAUSE = 0.1
"""As systemd's by default [s]."""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    return make_configuration(
        tmp_path,
        listen_address=free_address(),
        process_modules="tests.processes.own_processes",
        worker_slots="3",
        jobs_running="3",
        job_attempts="50",
    )


@contextmanager
def always_restarted(configuration: Path, log: Path) -> Iterator[None]:
    """Run the server, again whenever it ends, as systemd does with Restart=always."""
    stopping = threading.Event()
    servers = [_start(configuration, log)]

    def restart() -> None:
        while not stopping.wait(RESTART_PAUSE):
            if servers[-1].poll() is not None:
                servers.append(_start(configuration, log))

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        servers[-1].terminate()
        with suppress(subprocess.TimeoutExpired):
            servers[-1].wait(STOPPED)
        left = processes_of(configuration)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        servers[-1].wait()
    assert left == []


def _start(configuration: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "processes", "serve"],
            cwd=CHECKOUT,
            env=os.environ | {"PYWPS_CFG": str(configuration)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def submit(address: str, number: int, patience: float) -> str:
    """Ask until somebody answers; returns the token of the job."""
    deadline = time.monotonic() + patience
    while True:
        try:
            ask = f"{address}{EXECUTE}&identifier=tiny&datainputs=number={number};seconds=0.3"
            with urlopen(ask, timeout=patience) as answer:
                location = etree.fromstring(answer.read()).get("statusLocation")
            return str(location).rpartition("-")[2].removesuffix(".xml")
        except (OSError, etree.XMLSyntaxError):
            assert time.monotonic() < deadline, "no web server comes back"
            time.sleep(0.1)


def kind_of(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    for kind, command in (("supervisor", "es serve"), ("web", "es web"), ("worker", "jobs worker")):
        if command in words:
            return kind
    parent = process.parent()
    return "spawner" if parent and kind_of(parent) == "worker" else "job"


def victims(configuration: Path, kind: str) -> list[int]:
    """Processes of the server of a kind."""
    found = []
    for pid in processes_of(configuration):
        with suppress(psutil.Error):
            if kind_of(psutil.Process(pid)) == kind:
                found.append(pid)
    return found


def kill_one(configuration: Path, kind: str, chance: random.Random) -> None:
    wait_for(lambda: victims(configuration, kind), 0.02)
    with suppress(ProcessLookupError, IndexError):  # a job may have ended this moment
        os.kill(chance.choice(victims(configuration, kind)), signal.SIGKILL)


@pytest.mark.slow
def test_no_job_is_lost_whatever_is_killed(configuration: Path, tmp_path: Path) -> None:
    chance = random.Random(17)
    settings = read_settings([configuration])
    kinds = [*KINDS] * (ROUNDS // len(KINDS))
    chance.shuffle(kinds)
    begin = time.monotonic()
    with (
        closing(open_store(settings)) as store,
        always_restarted(configuration, tmp_path / "server.log"),
    ):
        tokens = [submit(settings.base_url, 0, STARTED)]
        wait_for(lambda: all_final(store, tokens), 0.05, STARTED)
        soon = max(SOON, 2.0 * (time.monotonic() - begin))
        for number, kind in enumerate(kinds, start=1):
            tokens += [submit(settings.base_url, number, soon) for _ in range(WAITING)]
            time.sleep(chance.uniform(0.0, 0.3))
            waiting = [job.id for job in store.jobs(state=JobState.ACCEPTED, limit=WAITING)]
            kill_one(configuration, kind, chance)
            killed = time.monotonic()
            wait_for(lambda waiting=waiting: any_ended(store, waiting), 0.05, soon)
            print(f"{kind} killed, the queue moves after {time.monotonic() - killed:.1f} s")
        wait_for(lambda: all(job.state.is_final for job in store.jobs(limit=1000)), 0.2)
        assert_each_ended_once(store, tokens)
        wait_for(lambda: list((settings.state_folder / "jobs").iterdir()) == [], 0.2)


def assert_each_ended_once(store: JobStore, tokens: list[str]) -> None:
    ended = [found(store, token) for token in tokens]
    assert [job.state for job in ended] == [JobState.SUCCEEDED] * len(tokens)
    assert len({job.id for job in ended}) == len(tokens)
    # a job that was accepted while its answer was lost is one more, and ended as well
    for job in store.jobs(limit=1000):
        ends = [record.reason for record in store.attempts(job.id)]
        assert [end == "succeeded" for end in ends] == [False] * (len(ends) - 1) + [True]


def any_ended(store: JobStore, names: list[str]) -> bool:
    return any(job.state.is_final for name in names if (job := store.get(name)))


def found(store: JobStore, token: str) -> Job:
    job = store.by_token(token)
    assert job is not None
    return job


def all_final(store: JobStore, tokens: list[str]) -> bool:
    return all(found(store, token).state.is_final for token in tokens)
