"""Requests are accepted as clients send them, or refused naming the input."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from owslib.wps import ComplexDataInput

from processes.binding import LONGEST_MESSAGE
from tests.processes.conftest import GOOD, Refusal, Service, read_refusal

REFUSALS = [
    ([("looks", "3.7")], "looks must be a whole number, got 3.7"),
    ([("looks", "65")], "looks must be at most 64, got 65"),
    ([("looks", "3"), ("looks", "4")], "looks must be given at most 1 times, got 2 values"),
    ([("spacing", "nan")], "spacing must be a number, got nan"),
    ([("spacing", "1e999")], "spacing must be a finite number, got inf"),
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


def test_other_data_than_literals_are_refused(service: Service) -> None:
    inline = ComplexDataInput("<a/>")
    by_reference = ComplexDataInput("http://example.test/secret")
    for value in (inline, by_reference):
        refusal = read_refusal(service.execute([GOOD[0], ("dem", value)]))
        assert refusal.locator == "dem"
        assert refusal.text == "dem must be a literal value, got other data or a reference"


def test_a_long_odd_value_stays_one_plain_line(service: Service) -> None:
    refusal = read_refusal(service.execute([*GOOD, ("looks", "<b>'\n&" + "y" * 999)]))
    assert refusal.text.startswith("looks must be a whole number, got b yyyy")
    assert len(refusal.text) == LONGEST_MESSAGE


def test_unknown_and_raw_outputs_are_refused(service: Service) -> None:
    refusal = read_refusal(service.execute(GOOD, output=[("colour", True)]))
    assert (refusal.locator, refusal.text) == (
        "colour",
        "output must be one of picture, report, got colour",
    )
    raw = service.client.get(
        "/wps?service=WPS&version=1.0.0&request=Execute&identifier=fake"
        "&DataInputs=product=S1A_X;dem=dem&RawDataOutput=picture"
    )
    assert read_refusal(raw).text.startswith("RawDataOutput is not possible")


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
            f"&datainputs={inputs}&title=mine&notifmail=a"
        )
    )
    # the name arrived whole: it is refused because there is no such product
    assert refusal.locator == "product"
    assert refusal.text.endswith("got day=3/a b")


def test_an_input_by_reference_in_an_address_is_refused(service: Service) -> None:
    refusal = read_refusal(
        service.client.get(
            "/wps?service=WPS&version=1.0.0&request=Execute&identifier=fake"
            "&DataInputs=dem=dem;product@xlink:href=http://example.test/secret"
        )
    )
    assert refusal.locator == "product"


def test_bodies_that_pywps_stumbles_over_are_refused_before_it(service: Service) -> None:
    post = service.client.post
    assert post("/wps", json={"identifier": "fake"}).status_code == 415
    chunked = post("/wps", input_stream=None, headers={"Transfer-Encoding": "chunked"})
    assert chunked.status_code in {400, 411}
    assert service.client.put("/wps", data=b"x").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/outputs/",
        "/outputs/../jobs.sqlite",
        "/outputs/%2e%2e/jobs.sqlite",
        "/outputs//etc/passwd",
        "/outputs/notes.txt",
        "/outputs/00000000-0000-4000-8000-000000000000",
        "/outputs/00000000-0000-4000-8000-000000000000/",
        "/outputs/00000000-0000-4000-8000-000000000000/.hidden",
        "/outputs/00000000-0000-4000-8000-000000000000/link.tif",
        "/outputs/00000000-0000-4000-8000-000000000000/../../jobs.sqlite",
        "/wps/fake",
        "/jobs",
    ],
)
def test_no_path_leads_out_of_the_results(service: Service, path: str) -> None:
    job = service.state / "outputs" / "00000000-0000-4000-8000-000000000000"
    job.mkdir()
    (job / ".hidden").write_text("x")
    (job / "link.tif").symlink_to(service.state / "jobs.sqlite")
    (job.parent / "notes.txt").write_text("x")
    assert (service.state / "jobs.sqlite").is_file()
    assert service.client.get(path).status_code == 404


def test_results_are_served_with_their_type_and_status_is_never_cached(service: Service) -> None:
    job = service.state / "outputs" / "00000000-0000-4000-8000-000000000000"
    job.mkdir()
    (job / "report.json").write_text("{}")
    job.with_suffix(".xml").write_text("<a/>")
    report = service.client.get(f"/outputs/{job.name}/report.json", buffered=True)
    assert (report.text, report.mimetype) == ("{}", "application/json")
    status = service.client.get(f"/outputs/{job.name}.xml", buffered=True)
    assert (status.mimetype, status.headers["Cache-Control"]) == ("text/xml", "no-cache")
    assert service.client.post(f"/outputs/{job.name}.xml").status_code == 405
