"""Documents against the official schemas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from pywps import (
    BoundingBoxInput,
    BoundingBoxOutput,
    ComplexInput,
    ComplexOutput,
    Format,
    LiteralInput,
    LiteralOutput,
    Process,
)
from pywps.exceptions import InvalidParameterValue, NoApplicableCode, ServerBusy
from werkzeug.test import Client

from processes.application import make_application
from processes.dinsar_pair import DinsarPair
from processes.jobs.model import Job, JobState, NewJob, Output
from processes.protocol.documents import (
    Addresses,
    execute_response,
    refusal,
    result_document,
    status_info,
)
from processes.settings import Settings
from tests.processes.fake_process import Fake
from tests.processes.protocol.schemas import load_schema

AWKWARD = "a < b & \"c\" ]]> 'd' \u00e9 \x00\x0b end"
OWS = {"ows": "http://www.opengis.net/ows/1.1", "wps": "http://www.opengis.net/wps/1.0.0"}
ADDRESSES = Addresses(
    service="http://x.test/wps", status="http://x.test/jobs/0f", outputs="http://x.test/outputs/0f-"
)


class EveryKind(Process):
    """A process with every kind of input and output."""

    def __init__(self) -> None:
        text, zipped = Format("text/xml"), Format("application/zip")
        super().__init__(
            lambda request, response: None,
            "every",
            "Every kind & more",
            abstract=AWKWARD.replace("\x00", "").replace("\x0b", ""),
            version="1.0",
            inputs=[
                LiteralInput("name", "Name", data_type="string"),
                BoundingBoxInput("area", "Area", crss=["EPSG:4326"]),
                ComplexInput("feature", "Feature", supported_formats=[text]),
            ],
            outputs=[
                LiteralOutput("count", "Count", data_type="integer"),
                BoundingBoxOutput("extent", "Extent", crss=["EPSG:4326"]),
                ComplexOutput("inline", "Inline", supported_formats=[text]),
                ComplexOutput("file", "File", supported_formats=[zipped], as_reference=True),
            ],
            store_supported=True,
            status_supported=True,
        )


INPUTS = {
    "name": ({"data": AWKWARD},),
    "area": ({"data": [1.0, 2.0, 3.5, 4.0], "crs": "EPSG:4326"},),
    "feature": ({"data": "<a><b/></a>", "mimeType": "text/xml"},),
}
OUTPUTS = (
    Output(identifier="count", value=3),
    Output(identifier="extent", value={"data": [1.0, 2.0, 3.0, 4.0], "crs": "EPSG:4326"}),
    Output(identifier="inline", value=AWKWARD, media_type="text/xml"),
    Output(identifier="file", file="a.zip", media_type="application/zip", size=7),
)
JOB = Job(
    id="1" * 32,
    token="2" * 32,
    request=NewJob(process="every", version="1.0", inputs=INPUTS),
    state=JobState.ACCEPTED,
    created=1e9,
)
RUNNING = replace(
    JOB,
    state=JobState.RUNNING,
    started=1e9 + 1,
    heartbeat=1e9 + 2,
    attempt=2,
    share=1.0,
    step=AWKWARD,
    log_tail=f"one\n{AWKWARD}",
)
DONE = replace(
    RUNNING, state=JobState.SUCCEEDED, finished=1e9 + 9, outputs=OUTPUTS, expires=1e9 + 99
)
FAILED = replace(RUNNING, state=JobState.FAILED, message=AWKWARD, finished=1e9 + 9)
STATES = {
    "accepted": JOB,
    "running": RUNNING,
    "succeeded": DONE,
    "failed": FAILED,
    "dismissed": replace(FAILED, state=JobState.DISMISSED, message=""),
}


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("request=GetCapabilities", "wpsGetCapabilities_response.xsd"),
        (
            "request=DescribeProcess&version=1.0.0&identifier=all",
            "wpsDescribeProcess_response.xsd",
        ),
    ],
)
def test_documents_are_valid(shared_data: Path, tmp_path: Path, query: str, name: str) -> None:
    schema = load_schema(shared_data, f"wps/1.0.0/{name}")
    settings = Settings(state_folder=tmp_path, dem_path=tmp_path)
    client = Client(make_application(settings, [Fake(settings), DinsarPair(settings)]))
    schema.assertValid(etree.fromstring(client.get(f"/wps?service=WPS&{query}").data))


@pytest.mark.shared_data
@pytest.mark.parametrize("lineage", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_job_is_valid(shared_data: Path, state: str, lineage: bool) -> None:
    job = replace(STATES[state], request=replace(JOB.request, lineage=lineage))
    document = execute_response(EveryKind(), job, ADDRESSES, now=1e9, position=3)
    root = etree.fromstring(document)
    load_schema(shared_data, "wps/1.0.0/wpsExecute_response.xsd").assertValid(root)
    assert (root.find("wps:DataInputs", OWS) is not None) is lineage


@pytest.mark.shared_data
@pytest.mark.parametrize("state", STATES)
def test_states_and_results_of_wps_2_are_valid(shared_data: Path, state: str) -> None:
    schema = load_schema(shared_data, "wps/2.0/wps.xsd")
    schema.assertValid(etree.fromstring(status_info(STATES[state])))
    if state == "succeeded":
        schema.assertValid(etree.fromstring(result_document(DONE, ADDRESSES.outputs)))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "error",
    [
        InvalidParameterValue(AWKWARD, "looks & more"),
        NoApplicableCode("unexpected", code=500),
        ServerBusy("too many jobs wait"),
    ],
)
def test_refusals_are_valid(shared_data: Path, error: NoApplicableCode) -> None:
    response = refusal(error)
    root = etree.fromstring(response.data)
    load_schema(shared_data, "ows/1.1.0/owsExceptionReport.xsd").assertValid(root)
    assert response.status_code == error.code
    assert root.find("ows:Exception", OWS).get("exceptionCode") == type(error).__name__


def test_texts_of_users_arrive_as_they_were() -> None:
    root = etree.fromstring(
        execute_response(
            EveryKind(),
            replace(DONE, request=replace(JOB.request, lineage=True)),
            ADDRESSES,
            now=1e9,
        )
    )
    readable = AWKWARD.replace("\x00", "").replace("\x0b", "")
    assert root.findtext("wps:DataInputs//wps:LiteralData", namespaces=OWS) == readable
    assert root.findtext("wps:ProcessOutputs//wps:ComplexData", namespaces=OWS) == readable
    (box,) = root.findall("wps:DataInputs//wps:BoundingBoxData", OWS)
    assert box.findtext("ows:UpperCorner", namespaces=OWS) == "3.5 4"


def test_a_running_job_never_says_hundred_percent_and_shows_its_log() -> None:
    root = etree.fromstring(execute_response(EveryKind(), RUNNING, ADDRESSES, now=1e9))
    (started,) = root.findall("wps:Status/wps:ProcessStarted", OWS)
    assert started.get("percentCompleted") == "99"
    assert "attempt 2; one; " in started.text
    assert "last sign of life 2001-09-09T01:46:42Z" in started.text
