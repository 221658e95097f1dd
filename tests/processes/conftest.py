"""A server's folders, and the service over the fake chain in this process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree
from owslib.wps import ASYNC, WPSExecution
from pywps import Process
from werkzeug.test import Client, TestResponse

from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from processes.application import make_application
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.running import run_process
from processes.settings import Settings, read_settings
from tests.processes.fake_process import Fake

OWS = {"ows": "http://www.opengis.net/ows/1.1"}
GOOD = [("product", "S1A_X"), ("dem", "dem")]


def make_configuration(folder: Path, **options: str) -> Path:
    """Make data roots with a product, an elevation model and ways out of them."""
    for name in ("lake/S1A_X.SAFE", "lake/dem", "lake-secret", "elsewhere"):
        (folder / name).mkdir(parents=True)
    (folder / "lake/S1B_Y.zip").touch()
    (folder / "elsewhere/secret.tif").touch()
    (folder / "lake-secret/dem").touch()
    (folder / "lake/link").symlink_to(folder / "elsewhere")
    lines = {
        "state_folder": "var",
        "data_roots": "lake",
        "job_threads": "1",
        "worker_slots": "1",
    } | options
    configuration = folder / "pywps.cfg"
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    configuration.write_text(f"[fournaise]\n{text}")
    return configuration


def processes_of(configuration: Path) -> list[int]:
    """Find the processes of a server, its jobs too, by the environment that they share."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            if f"PYWPS_CFG={configuration}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def leftovers(state: Path) -> list[Path]:
    """Files of ended jobs beside their records and logs."""
    known = {".json", ".txt", ".log", ".lock"}
    # walk passes over folders that are taken away meanwhile
    files = (Path(folder, name) for folder, _, names in os.walk(state / "jobs") for name in names)
    return [path for path in files if path.suffix not in known]


@dataclass(frozen=True)
class Service:
    """The service without a network, its store, and a worker that is called by hand."""

    client: Client
    store: JobStore
    settings: Settings
    processes: Mapping[str, Process]

    @property
    def state(self) -> Path:
        return self.settings.state_folder

    def execute(self, inputs: list[tuple[str, object]], **options: object) -> TestResponse:
        """Post what owslib would post."""
        options = {"output": [], "mode": ASYNC} | options
        document = WPSExecution().buildRequest("fake", inputs, **options)
        return self.post(etree.tostring(document))

    def post(self, body: bytes) -> TestResponse:
        return self.client.post("/wps", data=body, content_type="text/xml")

    def run_next(self) -> Job:
        """Run the job that is first in the queue, here."""
        job = self.store.claim("by hand", lease=60.0, now=time.time())
        assert job is not None
        results = self.settings.outputs_folder / job.id
        results.mkdir()
        with scratch_folder(self.state / "work") as work:
            outputs = run_process(
                self.processes[job.request.process],
                job.request,
                work=work,
                results=results,
                progress=Progress(),
            )
        ended = {"state": JobState.SUCCEEDED, "outputs": outputs, "keep": 3600.0}
        assert self.store.finish(job.id, job.attempt, now=time.time(), **ended)
        found = self.store.get(job.id)
        assert found is not None
        return found

    def status(self, accepted: TestResponse) -> TestResponse:
        """Ask for the status of a job as its client would."""
        address = etree.fromstring(accepted.data).get("statusLocation")
        return self.client.get(address.partition("5000")[2])

    def leftovers(self) -> list[str]:
        """What refused or failed requests left behind."""
        folders = (self.state / "work", self.state / "jobs", self.state / "outputs")
        return [str(path) for folder in folders for path in folder.rglob("*")]


@dataclass(frozen=True)
class Refusal:
    """The parts of an ExceptionReport."""

    code: str
    locator: str
    text: str


def read_refusal(response: TestResponse) -> Refusal:
    assert response.status_code == 400
    root = etree.fromstring(response.data)
    (found,) = root.findall("ows:Exception", OWS)
    text = found.findtext("ows:ExceptionText", namespaces=OWS)
    return Refusal(found.get("exceptionCode"), found.get("locator"), text)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    yield from _service(make_configuration(tmp_path))


@pytest.fixture
def reusing_service(tmp_path: Path) -> Iterator[Service]:
    yield from _service(make_configuration(tmp_path, reuse_results="true"))


def _service(configuration: Path) -> Iterator[Service]:
    settings = read_settings([configuration])
    with service_of(settings, Fake(settings)) as service:
        yield service


@contextmanager
def service_of(settings: Settings, *processes: Process) -> Iterator[Service]:
    """Offer some processes."""
    store = open_store(settings)
    client = Client(make_application(settings, processes))
    try:
        yield Service(client, store, settings, {p.identifier: p for p in processes})
    finally:
        store.close()
