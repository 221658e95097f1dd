"""Requests per second and latency of the server beside plain PyWPS, and how soon jobs start.

Both servers run under gunicorn with the same process, on loopback, in one run; PyWPS with two
single-threaded workers, as it forks its jobs, and with a file as its database; its status documents
are files. Its one slot is kept busy, so that accepting means queueing on both sides. A third server
is ours with many finished jobs. Eight clients with a connection each. The machine is never quiet
enough to compare figures of different moments: short bursts of all kinds at our two take turns, in
changing order, and what finished jobs cost is the median of the ratios of neighbouring bursts.
Where others use the machine too, trust `cpu_growth_at_10000_jobs`: processor time of the servers.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import psutil
from lxml import etree
from sqlalchemy import create_engine, insert

from benchmarks.harness import ROOT, say
from processes.background import background_server, free_address
from processes.jobs.model import JobState, NewJob, Output, new_identifier
from processes.jobs.opening import open_store
from processes.jobs.schema import jobs, write_outputs, write_request
from processes.settings import Settings, read_settings

CLIENTS = 8
BURST = 48
"""Requests to one server before it is the turn of the next."""
ROUNDS = 32
PEER_ROUNDS = 2
STARTS = 10
FINISHED = 10_000
_ACCEPT = (
    "?service=WPS&version=1.0.0&request=Execute&identifier=clock&storeExecuteResponse=true"
    "&status=true&DataInputs=text_1=S1A_IW_GRDH_1SDV_20210101;text_2=b;seconds={seconds}"
)
QUERIES = {
    "capabilities": "?service=WPS&request=GetCapabilities",
    "describe": "?service=WPS&version=1.0.0&request=DescribeProcess&identifier=clock",
    "accept": _ACCEPT.format(seconds=0),
}


class Burst(NamedTuple):
    """Requests per second, the time that each took [s], and processor time of each [s]."""

    per_second: float
    taken: list[float]
    cpu: float


class Server(NamedTuple):
    """Address of a server, and its processes."""

    url: str
    processes: list[psutil.Process]

    @classmethod
    def of(cls, url: str, mark: Path) -> Server:
        """Find the processes that have a path in their environment."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # gone meanwhile
                if str(mark) in process.environ().values() and process.pid != os.getpid():
                    found.append(process)
        return cls(url, found)

    def cpu(self) -> float:
        """Return the processor time that it used [s]."""
        times = [process.cpu_times() for process in self.processes]
        return sum(time.user + time.system for time in times)


Bursts = dict[str, list[Burst]]
"""Of one server, by kind of request, in the order of the rounds."""


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; see the module's docstring."""
    rounds = 4 if arguments.quick else ROUNDS
    finished = 200 if arguments.quick else FINISHED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configurations = [_configure(folder / which) for which in ("empty", "full", "starts")]
        command = ("-m", "processes", "web")
        with (
            _peer(folder / "peer") as peer_url,
            background_server(configurations[0], command) as url,
            background_server(configurations[1], command) as full_url,
        ):
            _fill(read_settings([configurations[1]]), finished)
            _get(peer_url, _ACCEPT.format(seconds=600))  # takes the slot
            servers = [
                Server.of(address, mark)
                for address, mark in zip((url, full_url), configurations, strict=False)
            ]
            say("this server, and the same with finished jobs")
            ours, full = _bursts(servers, rounds)
            say("plain PyWPS")
            (peer,) = _bursts([Server.of(peer_url, folder / "peer")], PEER_ROUNDS)  # much slower
        with background_server(configurations[2]) as url:
            say("starts of jobs")
            overheads = [_start_overhead(url) for _ in range(STARTS)]
    slowdown = {name: _ratio(ours[name], full[name]) - 1.0 for name in ours}
    return {
        **_figures("", ours),
        **_figures("pywps_", peer),
        **{f"{name}_ratio_vs_pywps": _rate(ours[name]) / _rate(peer[name]) for name in ours},
        **_figures("full_", full),
        **{f"{name}_slowdown": value for name, value in slowdown.items()},
        "slowdown_at_10000_jobs": max(slowdown.values()),
        "cpu_growth_at_10000_jobs": max(_cpu(full[name]) / _cpu(ours[name]) for name in ours) - 1.0,
        "finished_jobs": finished,
        "start_overhead_s": float(np.median(overheads)),
        "start_overhead_max_s": float(max(overheads)),
        "requests": BURST * rounds,
        "clients": CLIENTS,
    }


def _configure(folder: Path) -> Path:
    folder.mkdir()
    configuration = folder / "pywps.cfg"
    configuration.write_text(
        f"[fournaise]\nlisten_address = {free_address()}\nstate_folder = var\n"
        "process_modules = benchmarks.hosting_process\nworker_slots = 1\n"
        "jobs_queued = 100000\njobs_queued_per_user = 100000\nrequests_per_minute = 1000000\n"
    )
    return configuration


@contextmanager
def _peer(folder: Path) -> Iterator[str]:
    for name in ("outputs", "work"):
        (folder / name).mkdir(parents=True)
    address = free_address()
    (folder / "pywps.cfg").write_text(
        f"[server]\nurl = http://{address}/wps\noutputurl = http://{address}/outputs\n"
        f"outputpath = {folder / 'outputs'}\nworkdir = {folder / 'work'}\n"
        "parallelprocesses = 1\nmaxprocesses = 100000\n"
        f"[logging]\ndatabase = sqlite:///{folder / 'log.sqlite'}\nlevel = ERROR\n"
        f"file = {folder / 'log'}\n"
    )
    command = ["-m", "gunicorn", "-w", "2", "-b", address, "--log-level", "error"]
    server = subprocess.Popen(
        [sys.executable, *command, "benchmarks.hosting_peer:application"],
        cwd=ROOT,
        env=os.environ | {"HOSTING_PEER": str(folder), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://{address}/wps"
        _until_answering(url)
        yield url
    finally:
        server.kill()
        server.wait()
        subprocess.run(["pkill", "-9", "-f", address], check=False)  # it forks jobs


def _until_answering(url: str) -> None:
    deadline = time.monotonic() + 60.0
    while True:
        try:
            _get(url, QUERIES["capabilities"])
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _get(url: str, query: str) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    try:
        connection.request("GET", parts.path + query)
        return connection.getresponse().read()
    finally:
        connection.close()


def _bursts(servers: Sequence[Server], rounds: int) -> list[Bursts]:
    """Measure each kind of request at every server in turn."""
    found: list[Bursts] = [{} for _ in servers]
    turns = []
    for server, bursts in zip(servers, found, strict=True):
        accepted = etree.fromstring(_get(server.url, QUERIES["accept"]))
        addresses = {name: server.url + query for name, query in QUERIES.items()}
        addresses["status"] = str(accepted.get("statusLocation"))
        turns.append((server, bursts, addresses))
    for _ in range(rounds):
        for kind in (*QUERIES, "status"):
            for server, bursts, addresses in turns:
                bursts.setdefault(kind, []).append(_burst(server, addresses[kind]))
        turns.reverse()
    for kind in (*QUERIES, "status"):
        rates = " and ".join(f"{_rate(bursts[kind]):.0f}" for bursts in found)
        say(f"  {kind}: {rates} per second")
    return found


def _burst(server: Server, url: str) -> Burst:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path

    def client(number: int) -> list[float]:
        connection = http.client.HTTPConnection(parts.netloc, timeout=120)
        taken = []
        for _ in range(number):
            start = time.perf_counter()
            connection.request("GET", target)
            response = connection.getresponse()
            body = response.read()
            taken.append(time.perf_counter() - start)
            if response.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{response.status}: {body[:500]!r}")
        connection.close()
        return taken

    used = server.cpu()
    with ThreadPoolExecutor(CLIENTS) as pool:
        start = time.perf_counter()
        taken = list(chain.from_iterable(pool.map(client, [BURST // CLIENTS] * CLIENTS)))
        wall = time.perf_counter() - start
    return Burst(len(taken) / wall, taken, (server.cpu() - used) / len(taken))


def _rate(bursts: Sequence[Burst]) -> float:
    return float(np.median([burst.per_second for burst in bursts]))


def _cpu(bursts: Sequence[Burst]) -> float:
    """Return the processor time of a request [s]; the mean, as its clock is coarse."""
    return float(np.mean([burst.cpu for burst in bursts]))


def _ratio(bursts: Sequence[Burst], others: Sequence[Burst]) -> float:
    """Compare the rates of two servers, burst by burst."""
    pairs = zip(bursts, others, strict=True)
    return float(np.median([one.per_second / other.per_second for one, other in pairs]))


def _figures(prefix: str, found: Bursts) -> dict[str, float]:
    """Return median rates, times that 99 of 100 requests stay below, and processor times [ms]."""
    figures = {}
    for name, bursts in found.items():
        taken = [one for burst in bursts for one in burst.taken]
        figures[f"{prefix}{name}_per_second"] = _rate(bursts)
        figures[f"{prefix}{name}_p99_ms"] = 1e3 * float(np.percentile(taken, 99.0))
        figures[f"{prefix}{name}_cpu_ms"] = 1e3 * _cpu(bursts)
    return figures


def _fill(settings: Settings, count: int) -> None:
    """Let jobs of the past stand in the store."""
    open_store(settings).close()
    now = time.time()
    request = write_request(NewJob(process="clock", version="1.0", inputs={}))
    past = [
        {
            "id": new_identifier(),
            "token": new_identifier(),
            "user": "",
            "request_key": "",
            "request": request,
            "state": JobState.SUCCEEDED.value,
            "created": now - number,
            "started": now - number,
            "finished": now - number,
            "expires": now + 1e6,
            "outputs": write_outputs((Output(identifier="began", value=1.0),)),
        }
        for number in range(count)
    ]
    engine = create_engine(f"sqlite:///{settings.state_folder / 'queue.sqlite'}")
    with engine.begin() as connection:
        connection.execute(insert(jobs), past)
    engine.dispose()


def _start_overhead(url: str) -> float:
    """Submit a job and see how long after its acceptance it began [s]."""
    accepted = time.time()
    status = etree.fromstring(_get(url, QUERIES["accept"])).get("statusLocation")
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        root = etree.fromstring(_get(str(status), ""))
        found = root.findtext(".//{*}ProcessOutputs//{*}LiteralData")
        if found is not None:
            return float(found) - accepted
        time.sleep(0.05)
    raise RuntimeError("a job did not end within a minute")
