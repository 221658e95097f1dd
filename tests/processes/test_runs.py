"""Synchronous runs without a network: what comes out, and what is left behind."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from processes.chain_process import ChainProcess
from processes.settings import Settings
from tests.processes.conftest import GOOD, Service
from tests.processes.fake_chain import CHAIN, FAILURE

WPS = {"wps": "http://www.opengis.net/wps/1.0.0", "ows": "http://www.opengis.net/ows/1.1"}


def read_outputs(body: bytes) -> dict[str, tuple[str, str]]:
    found = {}
    for output in etree.fromstring(body).iterfind(".//wps:ProcessOutputs/wps:Output", WPS):
        reference = output.find("wps:Reference", WPS)
        name = output.findtext("ows:Identifier", namespaces=WPS)
        found[name] = (reference.get("mimeType"), reference.get("href"))
    return found


def read_report(service: Service, body: bytes) -> dict[str, object]:
    base, _, path = read_outputs(body)["report"][1].partition("/outputs/")
    assert base == "http://127.0.0.1:5000"
    return dict(json.loads(service.client.get(f"/outputs/{path}", buffered=True).data))


def test_results_come_by_reference_with_their_media_types(service: Service) -> None:
    response = service.execute([*GOOD, ("looks", "5")])
    outputs = read_outputs(response.data)
    assert {name: media for name, (media, _) in outputs.items()} == {
        "picture": "image/tiff; subtype=geotiff",
        "report": "application/json",
    }
    # threads: the operator's
    assert read_report(service, response.data) == {"looks": 5, "threads": 1}
    assert not list((service.state / "work").iterdir())


def test_only_the_outputs_asked_for_are_kept(service: Service) -> None:
    response = service.execute(GOOD, output=[("picture", None, "image/tiff; subtype=geotiff")])
    assert list(read_outputs(response.data)) == ["picture"]
    assert [path.name for path in (service.state / "outputs").rglob("*.*")] == ["picture.tif"]


def test_empty_literals_mean_not_given(service: Service) -> None:
    optional = [info.name for info in CHAIN.request.describe() if not info.required]
    empty = [(name, "") for name in optional if name not in {"threads", "memory_mb"}]
    report = read_report(service, service.execute([*GOOD, *empty]).data)
    assert report["looks"] == 2


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("input", FAILURE),
        ("processing", "nothing coherent is left"),
        ("bug", "unexpected error, described in the log of the server"),
        ("killed", "the processing was stopped from outside with exit code -9"),
    ],
)
def test_a_failure_is_told_unchanged_and_leaves_nothing(
    service: Service, ending: str, message: str
) -> None:
    response = service.execute([*GOOD, ("ending", ending)])
    text = etree.fromstring(response.data).findtext(".//ows:ExceptionText", namespaces=WPS)
    assert text.startswith(f"Process error: {message}")
    assert "secret" not in response.text
    assert service.leftovers() == []


def test_the_operators_elevation_model_makes_the_input_optional(tmp_path: object) -> None:
    class WithDem(ChainProcess):
        chain = CHAIN

    process = WithDem(Settings(dem_path=tmp_path))
    (dem,) = [put for put in process.inputs if put.identifier == "dem"]
    assert dem.min_occurs == 0
    assert dem.title == "Elevation model (none = that of the server)"
    assert dem.data is None
