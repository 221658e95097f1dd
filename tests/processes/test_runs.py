"""Jobs through the service, without a network: what their clients see, and what is left behind."""

from __future__ import annotations

import json

import pytest
from lxml import etree
from owslib.wps import SYNC
from werkzeug.test import TestResponse

from kernels.errors import ProcessingError
from processes.chain_process import ChainProcess
from processes.settings import Settings
from tests.processes.conftest import GOOD, Service, read_refusal
from tests.processes.fake_chain import CHAIN

WPS = {"wps": "http://www.opengis.net/wps/1.0.0", "ows": "http://www.opengis.net/ows/1.1"}


def read_outputs(response: TestResponse) -> dict[str, tuple[str, str]]:
    found = {}
    root = etree.fromstring(response.data)
    for output in root.iterfind(".//wps:ProcessOutputs/wps:Output", WPS):
        reference = output.find("wps:Reference", WPS)
        name = output.findtext("ows:Identifier", namespaces=WPS)
        found[name] = (reference.get("mimeType"), reference.get("href"))
    return found


def read_report(service: Service, response: TestResponse) -> dict[str, object]:
    base, _, path = read_outputs(response)["report"][1].partition("/outputs/")
    assert base == "http://127.0.0.1:5000"
    return dict(json.loads(service.client.get(f"/outputs/{path}", buffered=True).data))


def test_results_come_by_reference_with_their_media_types(service: Service) -> None:
    accepted = service.execute([*GOOD, ("looks", "5")])
    assert "place 1 in the queue" in accepted.text
    service.run_next()
    done = service.status(accepted)
    assert done.headers["Cache-Control"] == "no-cache"
    assert {name: media for name, (media, _) in read_outputs(done).items()} == {
        "picture": "image/tiff; subtype=geotiff",
        "report": "application/json",
    }
    # threads: the operator's
    assert read_report(service, done) == {"looks": 5, "threads": 1}


def test_only_the_outputs_asked_for_are_kept(service: Service) -> None:
    accepted = service.execute(GOOD, output=[("picture", None, "image/tiff; subtype=geotiff")])
    service.run_next()
    assert list(read_outputs(service.status(accepted))) == ["picture"]
    assert [path.name for path in (service.state / "outputs").rglob("*.*")] == ["picture.tif"]


def test_optional_outputs_are_there_when_the_inputs_give_them(service: Service) -> None:
    media_type = "image/tiff; subtype=geotiff"
    accepted = service.execute([*GOOD, ("filtered", "true")])
    service.run_next()
    assert list(read_outputs(service.status(accepted))) == ["picture", "smooth", "report"]
    service.execute(GOOD, output=[("smooth", None, media_type)])
    with pytest.raises(ProcessingError, match="these inputs give no output smooth"):
        service.run_next()


def test_empty_literals_mean_not_given(service: Service) -> None:
    optional = [info.name for info in CHAIN.request.describe() if not info.required]
    empty = [(name, "") for name in optional if name not in {"threads", "memory_mb"}]
    accepted = service.execute([*GOOD, *empty])
    service.run_next()
    assert read_report(service, service.status(accepted))["looks"] == 2


def test_lineage_repeats_the_inputs(service: Service) -> None:
    accepted = service.execute([*GOOD, ("looks", "5")], lineage=True)
    root = etree.fromstring(accepted.data)
    given = {
        item.findtext("ows:Identifier", namespaces=WPS): item.findtext(
            ".//wps:LiteralData", namespaces=WPS
        )
        for item in root.iterfind("wps:DataInputs/wps:Input", WPS)
    }
    assert given == {"product": "S1A_X", "dem": "dem", "looks": "5"}


def test_a_long_process_is_not_waited_for(service: Service) -> None:
    refusal = read_refusal(service.execute(GOOD, mode=SYNC))
    assert refusal.locator == "status"
    assert "storeExecuteResponse=true and status=true" in refusal.text
    assert service.store.jobs(limit=10) == []


def test_a_portal_names_its_job(service: Service) -> None:
    """As PEPS' portal asks: lower-case keys, brackets, keys of its own."""
    response = service.client.get(
        "/wps?service=WPS&request=execute&version=1.0.0&identifier=fake"
        "&datainputs=[product=S1A_X;dem=dem;looks=7]&status=true&storeExecuteResponse=true"
        "&title=Piton%20de%20la%20Fournaise&notifmail=true&wps_token=x"
    )
    assert response.status_code == 200
    (job,) = service.store.jobs(limit=10)
    assert (job.request.title, job.request.notify) == ("Piton de la Fournaise", ())
    assert job.request.inputs["looks"] == ({"data": "7"},)
    status = service.client.get(f"/outputs/pywps-{job.token}.json").json
    assert status["title"] == "Piton de la Fournaise"
    assert (status["state"], status["position"]) == ("accepted", 1)


def test_dismissing_by_address_and_by_wps_2(service: Service) -> None:
    service.execute(GOOD)
    service.execute(GOOD)
    first, second = sorted(service.store.jobs(limit=10), key=lambda job: job.created)
    assert (
        b"dismissed by its user" in service.client.delete(f"/outputs/pywps-{first.token}.xml").data
    )
    assert service.client.delete(f"/outputs/pywps-{first.token}.xml").status_code == 409
    ask = f"/wps?service=WPS&version=2.0.0&jobid={second.token}&request="
    assert b">Accepted<" in service.client.get(f"{ask}GetStatus").data
    assert b">Dismissed<" in service.client.get(f"{ask}Dismiss").data
    refusal = read_refusal(service.client.get(f"{ask}GetResult"))
    assert (refusal.locator, refusal.text) == ("JobID", "JobID has no result, it is dismissed")


def test_an_unknown_job_is_nobodys(service: Service) -> None:
    token = "0" * 32
    assert service.client.get(f"/outputs/pywps-{token}.xml").status_code == 404
    assert service.client.get(f"/outputs/{token}-picture.tif").status_code == 404
    ask = f"/wps?service=WPS&version=2.0.0&request=GetStatus&jobid={token}"
    assert read_refusal(service.client.get(ask)).locator == "JobID"


@pytest.mark.parametrize("changed", ["nothing", "file", "looks"])
def test_an_equal_request_on_unchanged_files_gets_the_same_job(
    reusing_service: Service, changed: str
) -> None:
    service = reusing_service
    service.execute([*GOOD, ("looks", "5")])
    done = service.run_next()
    if changed == "file":
        (service.settings.data_roots[0] / "dem" / "new.tif").write_text("x")
    response = service.execute([*GOOD, ("looks", "6" if changed == "looks" else "5")])
    status = etree.fromstring(response.data).get("statusLocation")
    assert (done.token in status) is (changed == "nothing")


def test_the_operators_elevation_model_makes_the_input_optional(tmp_path: object) -> None:
    class WithDem(ChainProcess):
        chain = CHAIN

    process = WithDem(Settings(dem_path=tmp_path))
    (dem,) = [put for put in process.inputs if put.identifier == "dem"]
    assert dem.min_occurs == 0
    assert dem.title == "Elevation model (none = that of the server)"
    assert dem.data is None
