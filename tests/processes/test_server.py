"""The real server over the network, as owslib drives it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from owslib.wps import ASYNC, SYNC, WebProcessingService, WPSExecution

from kernels.errors import ProcessingError
from processes.background import background_server, free_address
from tests.processes.conftest import GOOD, make_configuration, processes_of
from tests.processes.fake_chain import FAILURE

COMMAND = ("-m", "tests.processes.fake_server")
PATIENCE = 30.0
"""Longest wait for a job that takes about a second, on a busy machine [s]."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebProcessingService, Path]]:
    folder = tmp_path_factory.mktemp("server")
    configuration = make_configuration(folder, listen_address=free_address())
    with background_server(configuration, COMMAND) as url:
        yield WebProcessingService(url), folder / "var"


def submit(wps: WebProcessingService, *inputs: tuple[str, str], mode: str = ASYNC) -> WPSExecution:
    return wps.execute("fake", [*GOOD, *inputs], output=[], mode=mode)


def follow(job: WPSExecution) -> list[tuple[str, int, str]]:
    """Poll until the end; returns each different status once."""
    seen = []
    deadline = time.monotonic() + PATIENCE
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.05)
        status = (job.status, job.percentCompleted, job.statusMessage)
        if status not in seen:
            seen.append(status)
    return seen


def test_capabilities_and_description_are_read_by_owslib(
    server: tuple[WebProcessingService, Path],
) -> None:
    wps, _ = server
    assert [process.identifier for process in wps.processes] == ["fake"]
    described = wps.describeprocess("fake")
    assert described.storeSupported
    assert described.statusSupported
    filtered = next(put for put in described.dataInputs if put.identifier == "filtered")
    assert (filtered.allowedValues, filtered.defaultValue) == (["true", "false"], "false")
    media = [output.supportedValues[0].mimeType for output in described.processOutputs]
    assert media == ["image/tiff; subtype=geotiff", "application/json"]


def test_an_asynchronous_job_tells_percent_and_step_and_succeeds(
    server: tuple[WebProcessingService, Path],
) -> None:
    wps, state = server
    job = submit(wps, ("ending", "slow"), ("looks", "7"))
    assert job.status == "ProcessAccepted"
    seen = follow(job)
    assert ("ProcessStarted", 10, "reading the product") in seen
    assert ("ProcessStarted", 50, "resampling") in seen
    assert [percent for _, percent, _ in seen] == sorted(percent for _, percent, _ in seen)
    assert job.isSucceeded()
    report = next(output for output in job.processOutputs if output.identifier == "report")
    assert b'"looks": 7' in report.retrieveData()
    assert not list((state / "work").iterdir())


def test_a_synchronous_request_works_too(server: tuple[WebProcessingService, Path]) -> None:
    job = submit(server[0], mode=SYNC)
    assert job.isSucceeded()
    assert [output.identifier for output in job.processOutputs] == ["picture", "report"]


def test_a_failed_job_repeats_the_message(server: tuple[WebProcessingService, Path]) -> None:
    wps, state = server
    job = submit(wps, ("ending", "input"))
    follow(job)
    assert [error.text for error in job.errors] == [f"Process error: {FAILURE}"]
    assert not list((state / "work").iterdir())


def test_jobs_wait_their_turn_and_keep_their_inputs(
    server: tuple[WebProcessingService, Path],
) -> None:
    """One job at a time is configured: the others go through the queue of PyWPS."""
    wps, _ = server
    jobs = {looks: submit(wps, ("looks", looks), ("swaths", "IW2")) for looks in "23456789"}
    for looks, job in jobs.items():
        follow(job)
        assert job.isSucceeded()
        report = next(output for output in job.processOutputs if output.identifier == "report")
        assert f'"looks": {looks},'.encode() in report.retrieveData()


def test_a_stopping_server_cancels_its_job_and_frees_the_port(tmp_path: Path) -> None:
    configuration = make_configuration(tmp_path, listen_address=free_address())
    with background_server(configuration, COMMAND) as url:
        wps = WebProcessingService(url)
        job = submit(wps, ("ending", "wait"))
        queued = submit(wps, ("ending", "wait"))
        while job.statusMessage != "resampling":
            job.checkStatus(sleepSecs=0.05)
    outputs = tmp_path / "var" / "outputs"
    cancelled = (outputs / job.statusLocation.rpartition("/")[2]).read_text()
    assert "Process error: the processing was cancelled" in cancelled
    waiting = (outputs / queued.statusLocation.rpartition("/")[2]).read_text()
    assert "ProcessAccepted" in waiting
    assert not list((tmp_path / "var" / "work").iterdir())
    with background_server(configuration, COMMAND) as again:
        assert again == url


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    configuration = make_configuration(tmp_path, listen_address=free_address())
    with (
        pytest.raises(ProcessingError, match="does not start: there is no module"),
        background_server(configuration, ("-c", "raise SystemExit('there is no module')")),
    ):
        pass


def test_nothing_of_the_server_is_left_when_its_user_fails(tmp_path: Path) -> None:
    configuration = make_configuration(tmp_path, listen_address=free_address())

    def fail_halfway() -> None:
        with background_server(configuration, COMMAND) as url:
            submit(WebProcessingService(url), ("ending", "wait"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert processes_of(configuration) == []


def test_the_server_of_the_declared_processes_has_no_threads(tmp_path: Path) -> None:
    """Only then may its workers fork jobs, with every module of the chains loaded."""
    configuration = make_configuration(tmp_path, listen_address=free_address())
    with background_server(configuration) as url:
        assert "dinsar-pair" in [p.identifier for p in WebProcessingService(url).processes]
        threads = [
            len(list(Path(f"/proc/{p}/task").iterdir())) for p in processes_of(configuration)
        ]
    assert threads
    assert set(threads) == {1}
    assert not list((tmp_path / "var" / "work").iterdir())
