"""A real server and a client as a user has them, for the tests of each process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlretrieve

from owslib.wps import ASYNC, WebProcessingService, WPSExecution

from processes.background import background_server, free_address
from tests.processes.conftest import leftovers

PATIENCE = 120.0
"""Longest wait for a job of some seconds, on a busy machine [s]."""


@dataclass(frozen=True, kw_only=True)
class WpsServer:
    """A server that runs: its client, its data root, and its state folder."""

    wps: WebProcessingService
    lake: Path
    state: Path

    def execute(self, process: str, **inputs: str) -> WPSExecution:
        """Submit a job and follow it to its end."""
        job = self.wps.execute(process, list(inputs.items()), output=[], mode=ASYNC)
        deadline = time.monotonic() + PATIENCE
        while not job.isComplete() and time.monotonic() < deadline:
            job.checkStatus(sleepSecs=0.2)
        return job

    def results(self, folder: Path, process: str, **inputs: str) -> dict[str, Path]:
        """Run a job that succeeds, and download every output under the name of its address."""
        job = self.execute(process, **inputs)
        assert job.isSucceeded(), [error.text for error in job.errors]
        folder.mkdir(exist_ok=True)
        found = {}
        for output in job.processOutputs:
            found[output.identifier] = folder / output.reference.rpartition("/")[2]
            urlretrieve(output.reference, found[output.identifier])
        self._assert_nothing_stays()
        return found

    def assert_refused(self, line: str, process: str, **inputs: str) -> None:
        """See that inputs are refused, at once or by the job, by one line; nothing stays."""
        results = set((self.state / "outputs").rglob("*.tif"))
        try:
            texts = [error.text for error in self.execute(process, **inputs).errors]
        except Exception as refusal:  # noqa: BLE001 - owslib raises what the server refuses at once
            texts = [str(refusal)]
        assert any(line in text for text in texts), texts
        assert all("Traceback" not in text and str(self.lake) not in text for text in texts)
        assert set((self.state / "outputs").rglob("*.tif")) == results
        self._assert_nothing_stays()

    def _assert_nothing_stays(self) -> None:
        """Jobs that have ended leave no files, a moment later."""
        deadline = time.monotonic() + PATIENCE
        while (left := leftovers(self.state)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []


@contextmanager
def wps_server(folder: Path, lake: Path, **options: object) -> Iterator[WpsServer]:
    """Run a server on a data root; options are those of its configuration."""
    lines = {
        "listen_address": free_address(),
        "state_folder": "var",
        "data_roots": lake,
    } | options
    configuration = folder / "pywps.cfg"
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    configuration.write_text(f"[fournaise]\n{text}")
    with background_server(configuration) as url:
        yield WpsServer(wps=WebProcessingService(url), lake=lake, state=folder / "var")
