"""Requests per second and latency of the server beside plain PyWPS, and how soon jobs start.

Both servers run under gunicorn with the same process, on loopback, in one run; PyWPS with two
single-threaded workers, as it forks its jobs, and with a file as its database; its status documents
are files. Its one slot is kept busy, so that accepting means queueing on both sides. A third server
is ours with many finished jobs. Eight clients with a connection each; rounds alternate, and of each
kind of request the best round counts.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
from lxml import etree
from sqlalchemy import create_engine, insert

from benchmarks.harness import ROOT, say
from processes.background import background_server, free_address
from processes.jobs.model import JobState, NewJob, Output, new_identifier
from processes.jobs.opening import open_store
from processes.jobs.schema import jobs, write_outputs, write_request
from processes.settings import Settings, read_settings

CLIENTS = 8
REQUESTS = 240
ROUNDS = 6
WARM_UP = 40
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


class Rate(NamedTuple):
    """Requests per second, and the time that 99 of 100 stay below."""

    per_second: float
    p99_ms: float


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; see the module's docstring."""
    count = 80 if arguments.quick else REQUESTS
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
            places = {"plain PyWPS": peer_url, "this server": url, "the same, full": full_url}
            peer, ours, full = _rates(places, count).values()
        with background_server(configurations[2]) as url:
            say("starts of jobs")
            overheads = [_start_overhead(url) for _ in range(STARTS)]
    return {
        **{f"{name}_per_second": rate.per_second for name, rate in ours.items()},
        **{f"{name}_p99_ms": rate.p99_ms for name, rate in ours.items()},
        **{f"pywps_{name}_per_second": rate.per_second for name, rate in peer.items()},
        **{f"pywps_{name}_p99_ms": rate.p99_ms for name, rate in peer.items()},
        **{
            f"{name}_ratio_vs_pywps": rate.per_second / peer[name].per_second
            for name, rate in ours.items()
        },
        **{f"full_{name}_per_second": rate.per_second for name, rate in full.items()},
        "slowdown_at_10000_jobs": max(
            ours[name].per_second / full[name].per_second - 1.0 for name in ours
        ),
        "finished_jobs": finished,
        "start_overhead_s": float(np.median(overheads)),
        "start_overhead_max_s": float(max(overheads)),
        "requests": count,
        "rounds": ROUNDS,
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


def _rates(places: Mapping[str, str], count: int) -> dict[str, dict[str, Rate]]:
    """Measure each kind of request in rounds, one server after the other; the best rounds count."""
    found: dict[str, dict[str, Rate]] = {place: {} for place in places}
    for _ in range(ROUNDS):
        for place, url in places.items():
            location = etree.fromstring(_get(url, QUERIES["accept"])).get("statusLocation")
            addresses = {name: url + query for name, query in QUERIES.items()}
            for name, address in (addresses | {"status": str(location)}).items():
                rate = _rate(address, count)
                found[place][name] = max(rate, found[place].get(name, rate))
    for place, rates in found.items():
        say(place)
        for name, rate in rates.items():
            say(f"  {name}: {rate.per_second:.0f} per second, p99 {rate.p99_ms:.1f} ms")
    return found


def _rate(url: str, count: int) -> Rate:
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

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, [WARM_UP // CLIENTS] * CLIENTS))
        start = time.perf_counter()
        taken = list(chain.from_iterable(pool.map(client, [count // CLIENTS] * CLIENTS)))
        wall = time.perf_counter() - start
    return Rate(len(taken) / wall, 1e3 * float(np.percentile(taken, 99.0)))


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
