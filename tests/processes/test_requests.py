"""Requests are accepted as clients send them, or refused naming the input."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from owslib.wps import BoundingBoxDataInput, ComplexDataInput

from processes.binding import LONGEST_MESSAGE
from tests.processes.conftest import GOOD, Refusal, Service, read_refusal

REFUSALS = [
    ([("looks", "3.7")], "looks must be a whole number, got 3.7"),
    ([("looks", "65")], "looks must be at most 64, got 65"),
    ([("looks", "3"), ("looks", "4")], "looks must be given at most 1 times, got 2 values"),
    ([("spacing", "nan")], "spacing must be a number, got nan"),
    ([("spacing", "1e999")], "spacing must be a finite number, got 1e999"),
    ([("spacing", "0.05")], "spacing must be at least 0.1, got 0.05"),
    ([("filtered", "maybe")], "filtered must be true or false, got maybe"),
    ([("swaths", "IW4")], "swaths must be one of IW1, IW2, IW3, got IW4"),
    ([("swaths", "IW1")] * 4, "swaths must be given at most 3 times, got 4 values"),
    (
        [("looks", "5"), ("first_burst", "3")],
        "first_burst must be at least looks = 5, got 3",
    ),
    ([("dem", "../lake-secret/dem")], "dem must be a path in the data folders of this server"),
]


@pytest.mark.parametrize(("inputs", "message"), REFUSALS)
def test_a_refusal_names_the_input_the_rule_and_the_value(
    service: Service, inputs: list[tuple[str, str]], message: str
) -> None:
    refusal = read_refusal(service.execute([*GOOD, *inputs]))
    assert refusal.code == "InvalidParameterValue"
    assert refusal.locator == inputs[-1][0]
    assert refusal.text.startswith(message)
    assert service.leftovers() == []


@pytest.mark.parametrize("name", ["colour", "threads", "Looks"])
def test_unknown_inputs_are_refused_by_name(service: Service, name: str) -> None:
    refusal = read_refusal(service.execute([*GOOD, (name, "1")]))
    assert (refusal.code, refusal.locator) == ("InvalidParameterValue", name)
    assert refusal.text.startswith(f"{name} must be one of product, dem, looks")


@pytest.mark.parametrize("inputs", [GOOD[1:], [("product", ""), *GOOD[1:]]])
def test_a_missing_input_is_named(service: Service, inputs: list[tuple[str, str]]) -> None:
    refusal = read_refusal(service.execute(inputs))
    assert refusal == Refusal("MissingParameterValue", "product", "product must be given")
    assert service.leftovers() == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (ComplexDataInput("<a/>"), "dem must be a literal value, got a box or complex data"),
        (
            BoundingBoxDataInput([1, 2, 3, 4]),
            "dem must be a literal value, got a box or complex data",
        ),
        (
            ComplexDataInput("http://example.test/secret"),
            "dem must be a value, references are never followed",
        ),
    ],
)
def test_other_data_than_literals_are_refused(
    service: Service, value: object, message: str
) -> None:
    refusal = read_refusal(service.execute([GOOD[0], ("dem", value)]))
    assert (refusal.locator, refusal.text) == ("dem", message)


def test_a_long_odd_value_stays_one_plain_line(service: Service) -> None:
    refusal = read_refusal(service.execute([*GOOD, ("looks", "<b>'\n&" + "y" * 999)]))
    assert refusal.text.startswith("looks must be a whole number, got b yyyy")
    assert len(refusal.text) == LONGEST_MESSAGE


def test_unknown_outputs_are_refused(service: Service) -> None:
    refusal = read_refusal(service.execute(GOOD, output=[("colour", True)]))
    assert (refusal.locator, refusal.text) == (
        "output",
        "output must be one of picture, smooth, report, got colour",
    )


@pytest.mark.parametrize("version", ["2.0.0", "3", "1.0.0,2.0.0"])
def test_other_versions_than_that_spoken_are_refused(service: Service, version: str) -> None:
    address = f"/wps?service=WPS&version={version}&request=DescribeProcess&identifier=fake"
    assert read_refusal(service.client.get(address)).code == "VersionNegotiationFailed"


def test_versions_are_negotiated(service: Service) -> None:
    ask = "/wps?service=WPS&request=GetCapabilities&acceptversions="
    assert service.client.get(f"{ask}2.0.0,1.0.0").status_code == 200
    assert b"2.0.0" not in service.client.get(f"{ask}1.0.0").data
    assert read_refusal(service.client.get(f"{ask}2.0.0")).code == "VersionNegotiationFailed"


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"not xml",
        b"<a/>",
        b"<a:b xmlns:c='d'/>",
        b"<Execute xmlns='http://www.opengis.net/wps/1.0.0'/>",
        b"<Execute xmlns='http://www.opengis.net/wps/2.0'/>",
        b"<Execute xmlns='http://www.opengis.net/wps/1.0.0' version='x'/>",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"\xff\xfe\x00<",
    ],
)
def test_what_is_no_request_is_refused_as_such(service: Service, body: bytes) -> None:
    assert read_refusal(service.post(body)).text


def test_an_unknown_process_is_refused(service: Service) -> None:
    address = "/wps?service=WPS&version=1.0.0&request=Execute&identifier=fak"
    refusal = read_refusal(service.client.get(address))
    assert refusal == Refusal(
        "InvalidParameterValue", "Identifier", "Identifier must be one of fake"
    )


def test_values_in_an_address_may_hold_equals_and_at_signs(service: Service) -> None:
    inputs = f"product={quote('day=3/a@b', safe='')};dem=dem@datatype=string;looks=2@uom=1"
    refusal = read_refusal(
        service.client.get(
            "/wps?service=WPS&version=1.0.0&request=Execute&identifier=fake"
            f"&datainputs={inputs}&status=true&storeExecuteResponse=true"
        )
    )
    # the name arrived whole: it is refused because there is no such product
    assert refusal.locator == "product"
    assert refusal.text.endswith("got day=3/a b")


@pytest.mark.parametrize("form", ["product@xlink:href={}", "product=@xlink:href={}"])
def test_an_input_by_reference_in_an_address_is_refused(service: Service, form: str) -> None:
    value = form.format("http://example.test/secret")
    refusal = read_refusal(
        service.client.get(
            "/wps?service=WPS&version=1.0.0&request=Execute&identifier=fake"
            f"&DataInputs=dem=dem;{value}&status=true&storeExecuteResponse=true"
        )
    )
    assert refusal.locator == "product"
    assert refusal.text == "product must be a value, references are never followed"


def test_other_methods_than_get_and_post_are_refused(service: Service) -> None:
    assert service.client.put("/wps", data=b"x").status_code == 405


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../queue.sqlite",
        "%2e%2e/queue.sqlite",
        "/etc/passwd",
        "{id}",
        "{id}/picture.tif",
        "{token}",
        "{token}-",
        "{token}-.hidden",
        "{token}-link.tif",
        "{token}-other.tif",
        "{token}-../../queue.sqlite",
        "{token}-..%2f..%2fqueue.sqlite",
        "pywps-{id}.xml",
        "pywps-{token}.txt",
    ],
)
def test_no_path_leads_out_of_the_results(service: Service, name: str) -> None:
    service.execute(GOOD)
    job = service.run_next()
    folder = service.state / "outputs" / job.id
    for extra in (".hidden", "other.tif"):
        (folder / extra).write_text("x")
    (folder / "link.tif").symlink_to(service.state / "queue.sqlite")
    assert (service.state / "queue.sqlite").is_file()
    assert service.client.get(f"/outputs/{job.token}-picture.tif", buffered=True).status_code == 200
    assert (
        service.client.get(f"/outputs/{name.format(id=job.id, token=job.token)}").status_code == 404
    )


@pytest.mark.parametrize("path", ["/wps/fake", "/jobs", "/wps/../outputs"])
def test_there_are_no_other_paths(service: Service, path: str) -> None:
    assert service.client.get(path).status_code == 404


def test_results_can_be_read_and_nothing_else(service: Service) -> None:
    service.execute(GOOD)
    job = service.run_next()
    for address in (f"/outputs/{job.token}-report.json", f"/outputs/pywps-{job.token}.xml"):
        assert service.client.post(address, data=b"x").status_code == 405
    part = service.client.get(
        f"/outputs/{job.token}-picture.tif", headers={"Range": "bytes=0-3"}, buffered=True
    )
    assert (part.status_code, part.data) == (206, b"II*\0")
