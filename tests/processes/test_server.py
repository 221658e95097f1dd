"""The real server over the network, as owslib drives it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from owslib.wps import ASYNC, WebProcessingService, WPSExecution

from kernels.errors import ProcessingError
from processes.background import background_server, free_address
from tests.processes.conftest import GOOD, make_configuration, processes_of
from tests.processes.fake_chain import FAILURE

PATIENCE = 60.0
"""Longest wait for a job that takes about a second, on a busy machine [s]."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebProcessingService, Path]]:
    folder = tmp_path_factory.mktemp("server")
    with background_server(fake_configuration(folder)) as url:
        yield WebProcessingService(url), folder / "var"


def fake_configuration(folder: Path) -> Path:
    return make_configuration(
        folder, listen_address=free_address(), process_modules="tests.processes.fake_process"
    )


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
    assert {"dinsar-pair", "fake"} <= {process.identifier for process in wps.processes}
    described = wps.describeprocess("fake")
    assert described.storeSupported
    assert described.statusSupported
    filtered = next(put for put in described.dataInputs if put.identifier == "filtered")
    assert (filtered.allowedValues, filtered.defaultValue) == (["true", "false"], "false")
    media = [output.supportedValues[0].mimeType for output in described.processOutputs]
    assert media == ["image/tiff; subtype=geotiff"] * 2 + ["application/json"]


def test_an_asynchronous_job_tells_percent_and_step_and_succeeds(
    server: tuple[WebProcessingService, Path],
) -> None:
    wps, _ = server
    job = submit(wps, ("ending", "slow"), ("looks", "7"))
    assert job.status == "ProcessAccepted"
    seen = follow(job)
    steps = [(status, percent, text.partition(";")[0]) for status, percent, text in seen]
    assert ("ProcessStarted", 10, "reading the product") in steps
    assert ("ProcessStarted", 50, "resampling") in steps
    assert [percent for _, percent, _ in seen] == sorted(percent for _, percent, _ in seen)
    assert job.isSucceeded()
    report = next(output for output in job.processOutputs if output.identifier == "report")
    assert b'"looks": 7' in report.retrieveData()


def test_a_failed_job_repeats_the_message(server: tuple[WebProcessingService, Path]) -> None:
    wps, _ = server
    job = submit(wps, ("ending", "input"))
    follow(job)
    assert [error.text for error in job.errors] == [FAILURE]


def test_jobs_wait_their_turn_and_keep_their_inputs(
    server: tuple[WebProcessingService, Path],
) -> None:
    """One job at a time is configured: the others wait in the queue."""
    wps, _ = server
    jobs = {looks: submit(wps, ("looks", looks), ("swaths", "IW2")) for looks in "23456789"}
    for looks, job in jobs.items():
        follow(job)
        assert job.isSucceeded()
        report = next(output for output in job.processOutputs if output.identifier == "report")
        assert f'"looks": {looks},'.encode() in report.retrieveData()


def test_jobs_outlive_the_server_that_accepted_them(tmp_path: Path) -> None:
    """A stopped server gives its jobs back; the next one runs them from the start."""
    configuration = fake_configuration(tmp_path)
    with background_server(configuration) as url:
        wps = WebProcessingService(url)
        jobs = [submit(wps, ("ending", "slow")) for _ in range(3)]
        while jobs[0].status != "ProcessStarted":
            jobs[0].checkStatus(sleepSecs=0.05)
    assert processes_of(configuration) == []
    with background_server(configuration) as again:
        assert again == url
        for job in jobs:
            follow(job)
            assert job.isSucceeded()
    assert processes_of(configuration) == []


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    configuration = make_configuration(tmp_path, listen_address=free_address())
    with (
        pytest.raises(ProcessingError, match="does not start: there is no module"),
        background_server(configuration, ("-c", "raise SystemExit('there is no module')")),
    ):
        pass


def test_nothing_of_the_server_is_left_when_its_user_fails(tmp_path: Path) -> None:
    configuration = fake_configuration(tmp_path)

    def fail_halfway() -> None:
        with background_server(configuration) as url:
            submit(WebProcessingService(url), ("ending", "wait"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert processes_of(configuration) == []
