"""The operator's own processes, as the example writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import TestResponse

from processes.jobs.model import JobState
from processes.offered import offered_processes
from processes.settings import CHECKOUT, read_settings
from tests.processes.conftest import Service, make_configuration, read_refusal, service_of
from tests.processes.jobs.places import wait_for
from tests.processes.test_fuzz import EXECUTE
from tests.processes.test_runs import WPS, read_outputs

MODULES = "own_processes.days_between own_processes.file_list"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.syspath_prepend(str(CHECKOUT / "examples"))
    settings = read_settings([make_configuration(tmp_path, process_modules=MODULES)])
    offered = offered_processes(settings)
    assert "dinsar-pair" in offered
    with service_of(settings, *offered.values()) as service:
        yield service


def result(service: Service, name: str, inputs: str) -> object:
    accepted = service.client.get(f"{EXECUTE}&identifier={name}&datainputs={inputs}")
    assert accepted.status_code == 200
    service.run_next()
    (found,) = read_outputs(service.status(accepted)).values()
    return json.loads(service.client.get(found[1].partition("5000")[2], buffered=True).data)


def test_a_plain_process_runs_as_pywps_would_run_it(own: Service) -> None:
    days = "first_day=2018-07-20;second_day=2018-08-01"
    assert result(own, "days-between", f"{days}&responsedocument=report") == {
        "days": 12,
        "is_pair": True,
    }


def test_a_process_of_a_chain_finds_products_by_name(own: Service) -> None:
    product = own.settings.data_roots[0] / "S1A_X.SAFE"
    (product / "manifest.safe").write_text("12345")
    (product / "annotation").mkdir()
    (product / "annotation" / "empty.xml").touch()
    assert result(own, "file-list", "product=S1A_X;at_least=1") == {"manifest.safe": 5}


def wait_for_answer(service: Service, query: str) -> TestResponse:
    """Ask for a result at once while a worker runs the job."""
    address = f"/wps?service=WPS&version=1.0.0&request=Execute&identifier=days-between&{query}"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.client.get, address, buffered=True)
        wait_for(lambda: service.store.counts()[JobState.ACCEPTED])
        service.run_next()
        return answer.result()


DAYS = "datainputs=first_day=2018-07-20;second_day=2018-08-02"


def test_a_short_process_may_be_waited_for(own: Service) -> None:
    document = etree.fromstring(wait_for_answer(own, DAYS).data)
    assert document.get("statusLocation") is None
    assert document.findtext(".//wps:LiteralData", namespaces=WPS) == "13"


@pytest.mark.parametrize(
    ("output", "body", "media_type"),
    [
        ("days", b"13", "text/plain; charset=utf-8"),
        ("report", b'{"days": 13, "is_pair": false}', "application/json"),
    ],
)
def test_one_output_may_be_asked_for_by_itself(
    own: Service, output: str, body: bytes, media_type: str
) -> None:
    answer = wait_for_answer(own, f"{DAYS}&rawdataoutput={output}")
    assert (answer.data, answer.content_type) == (body, media_type)


def test_who_waits_too_long_is_told_and_the_job_is_dismissed(own: Service) -> None:
    ask = f"/wps?service=WPS&version=1.0.0&request=Execute&identifier=days-between&{DAYS}"
    settings = replace(own.settings, sync_seconds=1)
    with service_of(settings, *own.processes.values()) as hasty:
        refusal = read_refusal(hasty.client.get(ask))
    assert refusal.text == "no result within 1 s: ask asynchronously"
    (job,) = own.store.jobs(limit=2)
    assert job.state is JobState.DISMISSED
