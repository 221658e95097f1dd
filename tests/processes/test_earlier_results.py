"""Results of jobs as inputs of later jobs: of the same user, finished, and by the server alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kernels.errors import RequestError
from processes.earlier_results import EarlierResults
from processes.jobs.model import JobState, NewJob, Output
from processes.resolve import FoldersOfServer
from tests.processes.conftest import GOOD, Service, read_refusal
from tests.processes.fake_chain import FakeRequest

INFO = next(info for info in FakeRequest.describe() if info.name == "dem")


def finished(service: Service, *, user: str = "", keep: float = 3600.0) -> str:
    """Token of a job with one result."""
    service.store.submit(NewJob(process="fake", version="1", user=user, inputs={}), now=time.time())
    job = service.store.claim("by hand", lease=60.0, now=time.time())
    assert job is not None
    folder = service.settings.outputs_folder / job.id
    folder.mkdir(parents=True)
    (folder / "picture.tif").write_bytes(b"II*")
    outputs = (
        Output(identifier="picture", file="picture.tif", size=3),
        Output(identifier="figure", value=3.0),
    )
    service.store.finish(
        job.id, job.attempt, JobState.SUCCEEDED, now=time.time(), outputs=outputs, keep=keep
    )
    return job.token


def resolver(service: Service, user: str = "") -> EarlierResults:
    folders = FoldersOfServer(service.settings.data_roots)
    return EarlierResults(folders=folders, settings=service.settings, user=user)


def test_a_result_is_found_by_its_job_and_output(service: Service) -> None:
    token = finished(service, user="ada")
    found = resolver(service, "ada")(INFO, Path(f"{token}/picture"))
    assert found.read_bytes() == b"II*"
    assert found.is_relative_to(service.settings.outputs_folder)


def test_other_names_are_those_of_the_folders(service: Service) -> None:
    (root,) = service.settings.data_roots
    assert resolver(service)(INFO, Path("dem")) == root / "dem"


@pytest.mark.parametrize("output", ["report", "figure", "picture.tif", "../picture", "picture/.."])
def test_what_is_no_file_of_the_job_is_refused(service: Service, output: str) -> None:
    token = finished(service)
    with pytest.raises(RequestError, match="dem must be"):
        resolver(service)(INFO, Path(f"{token}/{output}"))


def test_jobs_of_others_do_not_exist(service: Service) -> None:
    token = finished(service, user="ada")
    with pytest.raises(RequestError, match="a finished job of yours") as stranger:
        resolver(service, "eve")(INFO, Path(f"{token}/picture"))
    nobody = "0" * 32
    with pytest.raises(RequestError) as never:
        resolver(service, "eve")(INFO, Path(f"{nobody}/picture"))
    assert str(never.value).replace(nobody, token) == str(stranger.value)


def test_jobs_that_run_or_whose_time_is_over_give_nothing(service: Service) -> None:
    waiting = service.store.submit(NewJob(process="fake", version="1", inputs={}), now=time.time())
    with pytest.raises(RequestError):
        resolver(service)(INFO, Path(f"{waiting.token}/picture"))
    assert service.store.claim("by hand", lease=60.0, now=time.time()) is not None
    over = finished(service, keep=-1.0)
    with pytest.raises(RequestError):
        resolver(service)(INFO, Path(f"{over}/picture"))


def test_a_job_takes_a_result_over_the_web(service: Service) -> None:
    token = finished(service)
    accepted = service.execute([GOOD[0], ("dem", f"{token}/picture")])
    assert accepted.status_code == 200
    assert service.run_next().state is JobState.SUCCEEDED
    refused = read_refusal(service.execute([GOOD[0], ("dem", f"{token}/nothing")]))
    assert refused.locator == "dem"
    assert str(service.state) not in refused.text
