"""Web servers, workers and jobs are killed at random: no accepted job is lost, nothing stays."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from lxml import etree

from processes.background import background_server, free_address
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.settings import read_settings
from tests.processes.conftest import leftovers, make_configuration, processes_of
from tests.processes.jobs.places import wait_for
from tests.processes.test_fuzz import EXECUTE

ROUNDS = 20
JOBS = 25
LEASE_AND_MORE = 90.0
"""A worker that is killed right after a claim keeps a job for its lease of 30 s."""
SOON = 10.0
"""Longest time in which no web server answers after a death [s]."""


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


def submit(address: str, number: int) -> str:
    """Ask until somebody answers; returns the token of the job."""
    deadline = time.monotonic() + SOON
    while True:
        try:
            ask = f"{address}{EXECUTE}&identifier=tiny&datainputs=number={number};seconds=0.3"
            with urlopen(ask, timeout=SOON) as answer:
                location = etree.fromstring(answer.read()).get("statusLocation")
            return str(location).rpartition("-")[2].removesuffix(".xml")
        except (OSError, etree.XMLSyntaxError):
            assert time.monotonic() < deadline, "no web server comes back"
            time.sleep(0.1)


def victims(configuration: Path) -> Iterator[tuple[str, int]]:
    """Processes of the server by their kind; the one that starts the others is left alone."""
    for pid in processes_of(configuration):
        with suppress(psutil.Error):
            words = " ".join(psutil.Process(pid).cmdline())
            if "processes serve" in words:
                continue
            kind = "web" if "processes web" in words else "worker"
            yield ("job" if "spawner" in words else kind), pid


@pytest.mark.slow
def test_no_job_is_lost_whatever_is_killed(configuration: Path) -> None:
    chance = random.Random(17)
    settings = read_settings([configuration])
    with background_server(configuration), closing(open_store(settings)) as store:
        tokens, killed = [], set()
        for number in range(ROUNDS):
            tokens += [submit(settings.base_url, number) for _ in range(JOBS // ROUNDS + 1)]
            time.sleep(chance.uniform(0.0, 0.6))
            kinds: dict[str, list[int]] = {}
            for kind, pid in victims(configuration):
                kinds.setdefault(kind, []).append(pid)
            kind = chance.choice(sorted(kinds))
            killed.add(kind)
            with suppress(ProcessLookupError):
                os.kill(chance.choice(kinds[kind]), signal.SIGKILL)
        assert killed == {"web", "worker", "job"}
        wait_for(lambda: all_final(store, tokens), 0.2, LEASE_AND_MORE)
        ended = [found(store, token) for token in tokens]
        assert [job.state for job in ended] == [JobState.SUCCEEDED] * len(tokens)
        # a job that was accepted while its answer was lost is one more, and ended as well
        assert len(store.jobs(limit=1000)) >= len(tokens)
        assert len({job.id for job in ended}) == len(tokens)
        wait_for(lambda: leftovers(settings.state_folder) == [], 0.2)
    assert processes_of(configuration) == []


def found(store: JobStore, token: str) -> Job:
    job = store.by_token(token)
    assert job is not None
    return job


def all_final(store: JobStore, tokens: list[str]) -> bool:
    return all(found(store, token).state.is_final for token in tokens)
