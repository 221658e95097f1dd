"""Many jobs at once through the real server, and jobs that are stopped at every moment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import psycopg
import pytest
from lxml import etree

from processes.background import background_server, free_address
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.settings import CHECKOUT, Settings, read_settings
from tests.processes.conftest import make_configuration
from tests.processes.jobs.places import wait_for
from tests.processes.jobs.stores import postgresql
from tests.processes.test_fuzz import EXECUTE

__all__ = ["postgresql"]
WPS = "{http://www.opengis.net/wps/1.0.0}"
WPS_2 = "{http://www.opengis.net/wps/2.0}"
SLOTS = 3
PATIENCE = 120.0
"""Longest wait for all jobs of a test, on a busy machine [s]."""


@dataclass(frozen=True)
class Server:
    """A real server in a folder of its own; the store is read beside it."""

    settings: Settings
    store: JobStore

    def get(self, address: str, user: str = "ann", method: str = "GET") -> bytes:
        request = Request(address, headers={"X-User": user}, method=method)
        with urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def submit(self, user: str = "ann", **inputs: object) -> str:
        """Ask for a job and return the address of its status."""
        given = ";".join(f"{name}={value}" for name, value in inputs.items())
        ask = f"{self.settings.base_url}{EXECUTE}&identifier=tiny&datainputs={given}"
        return str(etree.fromstring(self.get(ask, user)).get("statusLocation"))

    def status(self, address: str) -> etree._Element:
        return etree.fromstring(self.get(address))

    def job(self, address: str) -> Job:
        job = self.store.by_token(address.rpartition("-")[2].removesuffix(".xml"))
        assert job is not None
        return job

    def report(self, address: str) -> dict[str, float]:
        (reference,) = self.status(address).iter(f"{WPS}Reference")
        return dict(json.loads(self.get(reference.get("href"))))

    def follow(self, addresses: list[str]) -> None:
        """Poll until every job has ended; every answer must be a whole document."""
        left = list(addresses)
        deadline = time.monotonic() + PATIENCE
        while left:
            assert time.monotonic() < deadline, "jobs do not end"
            with ThreadPoolExecutor(6) as pool:
                found = dict(zip(left, pool.map(self.status, left), strict=True))
            left = [a for a, s in found.items() if not self.is_over(s)]
            time.sleep(0.1)  # a slow machine is not to be asked more often than a client may

    @staticmethod
    def is_over(status: etree._Element) -> bool:
        (state,) = status.find(f"{WPS}Status")
        return etree.QName(state).localname in {"ProcessSucceeded", "ProcessFailed"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    options = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA crowd")
        options["database_url"] = f"{url}&options=-csearch_path%3Dcrowd"
    configuration = make_configuration(
        tmp_path_factory.mktemp("crowd"),
        listen_address=free_address(),
        process_modules="tests.processes.own_processes",
        user_header="X-User",
        worker_slots=str(SLOTS),
        jobs_running=str(SLOTS),
        requests_per_minute="100000",
        **options,
    )
    settings = read_settings([configuration])
    with closing(open_store(settings)) as store, background_server(configuration):
        yield Server(settings, store)


def crowd(server: Server, *, many: int, few: int) -> None:
    """Let two users ask at once, from several threads, the one with far more jobs."""
    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(server.submit, f"ann-{many}", number=n) for n in range(many)]
        second = [pool.submit(server.submit, f"bob-{many}", number=n) for n in range(few)]
        addresses = [future.result() for future in first + second]
    server.follow(addresses)
    jobs = [server.job(address) for address in addresses]
    assert [job.state for job in jobs] == [JobState.SUCCEEDED] * (many + few)
    assert {job.attempt for job in jobs} == {1}
    assert len({job.id for job in jobs}) == many + few
    numbers = [
        int(server.status(address).findtext(f".//{WPS}LiteralData")) for address in addresses
    ]
    assert numbers == [*range(many), *range(few)]
    spans = [server.report(address) for address in addresses]
    events = sorted([(s["begin"], 1) for s in spans] + [(s["end"], -1) for s in spans])
    at_once = [sum(step for _, step in events[: n + 1]) for n in range(len(events))]
    assert max(at_once) <= SLOTS
    for user in (f"ann-{many}", f"bob-{many}"):
        newest_first = server.store.jobs(user=user, limit=100)
        assert all(a.started >= b.started for a, b in pairwise(newest_first))
    log = (server.settings.state_folder / "server.log").read_text()
    assert "Traceback" not in log
    assert "locked" not in log


def test_a_crowd_is_served(server: Server) -> None:
    crowd(server, many=24, few=2)


@pytest.mark.slow
def test_a_great_crowd_is_served(server: Server) -> None:
    crowd(server, many=48, few=4)


def test_many_jobs_of_one_user_do_not_keep_another_waiting(server: Server) -> None:
    many = [server.submit("ann", seconds=0.2) for _ in range(40)]
    few = [server.submit("bob") for _ in range(2)]
    server.follow(few)
    assert any(server.job(address).state is JobState.ACCEPTED for address in many)
    for address in many:
        server.store.dismiss(server.job(address).id, now=time.time(), reason="seen enough")


def children_of(server: Server) -> list[int]:
    """Find the sleeping children that jobs of a server started, in sessions of their own."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        command, environment = process.info["cmdline"] or (), process.info["environ"] or {}
        mine = str(server.settings.state_folder.parent) in environment.get("PYWPS_CFG", "")
        if mine and "import time; time.sleep(300)" in command:
            found.append(process.pid)
    return found


def dismiss_by_address(server: Server, address: str) -> bool:
    """Return False where the job had ended already."""
    try:
        server.get(address, method="DELETE")
    except HTTPError as error:
        if error.code == HTTPStatus.CONFLICT:
            return False
        raise
    return True


def dismiss_by_wps_2(server: Server, address: str) -> bool:
    token = server.job(address).token
    ask = f"{server.settings.service_url}?service=WPS&version=2.0.0&request={{}}&jobid={token}"
    state = etree.fromstring(server.get(ask.format("Dismiss"))).findtext(f"{WPS_2}Status")
    return state != "Succeeded"


def state_of(server: Server, address: str) -> JobState:
    """Wait for the end, and check that every view of the job says the same."""
    wait_for(lambda: server.job(address).state.is_final, pause=0.1)
    job = server.job(address)
    assert server.is_over(server.status(address))
    described = json.loads(server.get(address.replace(".xml", ".json")))
    assert described["state"] == job.state
    state = server.settings.state_folder
    wait_for(lambda: not (state / "jobs" / job.id).exists(), pause=0.1)
    has_results = job.state is JobState.SUCCEEDED
    assert (state / "outputs" / job.id).exists() is has_results
    assert bool(described["outputs"]) is has_results
    return job.state


@pytest.mark.parametrize(
    "dismiss", [dismiss_by_address, pytest.param(dismiss_by_wps_2, marks=pytest.mark.slow)]
)
def test_jobs_are_dismissed_at_any_time(
    server: Server, dismiss: Callable[[Server, str], bool]
) -> None:
    running = [server.submit(children=2, seconds=300) for _ in range(SLOTS)]
    queued = server.submit()
    assert dismiss(server, queued)
    assert state_of(server, queued) is JobState.DISMISSED
    wait_for(lambda: len(children_of(server)) == 2 * SLOTS, pause=0.2)
    assert all(dismiss(server, address) for address in running)
    assert {state_of(server, address) for address in running} == {JobState.DISMISSED}
    assert children_of(server) == []
    assert not dismiss_by_address(server, queued)
    # about to end: who was told that it stops finds it stopped, the others find results
    for pause in (0.0, 0.2, 0.3, 0.4, 0.6):
        address = server.submit(seconds=0.1)
        time.sleep(pause)
        stopped = dismiss(server, address)
        assert state_of(server, address) is (JobState.DISMISSED if stopped else JobState.SUCCEEDED)


NEWCOMERS_CHAIN = """
from tests.processes.jobs.fake_jobs import FakeJob

CHAIN = FakeJob.chain
"""
NEWCOMERS_PROCESS = """
from tests.processes.jobs.fake_jobs import FakeJob


class Newcomer(FakeJob):
    pass
"""


def test_a_server_without_any_configuration_runs_jobs(tmp_path: Path) -> None:
    """A copy of the packages with one more process; no file, no variable, an empty home."""
    copy, home = tmp_path / "checkout", tmp_path / "home"
    home.mkdir()
    for name in ("kernels", "processes", "catalog"):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "kernels" / "chains" / "newcomer").mkdir()
    (copy / "kernels" / "chains" / "newcomer" / "__init__.py").write_text(NEWCOMERS_CHAIN)
    (copy / "processes" / "newcomer.py").write_text(NEWCOMERS_PROCESS)
    address = free_address()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "processes", "serve", "--address", address],
            cwd=copy,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(CHECKOUT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    settings = Settings(listen_address=address, state_folder=copy / "var")
    try:
        wait_for(lambda: answers(f"{settings.base_url}/health"), pause=0.2, longest=PATIENCE)
        with closing(open_store(settings)) as store:
            server = Server(settings, store)
            ask = f"{settings.base_url}{EXECUTE}&identifier=fake-job"
            addresses = [
                str(etree.fromstring(server.get(ask)).get("statusLocation")) for _ in range(10)
            ]
            server.follow(addresses)
            states = [server.job(address).state for address in addresses]
        assert states == [JobState.SUCCEEDED] * 10
        assert list(home.iterdir()) == []
        assert "Traceback" not in (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    with suppress(OSError), urlopen(address, timeout=10):
        return True
    return False
