"""Whatever is sent: no failure of the server, every refusal a valid report, nothing left behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from werkzeug.test import TestResponse

from kernels.engine.progress import Progress
from kernels.errors import ProcessingError
from processes.protocol.documents import plain
from processes.running import run_process
from processes.settings import read_settings
from tests.processes.conftest import OWS, Service, make_configuration, service_of
from tests.processes.own_processes import LITERALS, EveryInput
from tests.processes.protocol.schemas import load_schema

WPS = "http://www.opengis.net/wps/1.0.0"
EXECUTE = "/wps?service=WPS&version=1.0.0&request=Execute&status=true&storeExecuteResponse=true"
NAMES = [*LITERALS, "choice", "limited", "area", "feature", "checked"]
MANY = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
few, many = settings(max_examples=70, **MANY), settings(max_examples=700, **MANY)


class Fuzzed:
    """The service over a process with every kind of input, and what is demanded of its answers."""

    def __init__(self, service: Service, scratch: Path, schema: etree.XMLSchema | None) -> None:
        self.service, self.scratch, self.schema = service, scratch, schema

    def check(self, response: TestResponse) -> tuple[int, str]:
        """Return the status and the locator of an answer that is as it must be."""
        status = response.status_code
        assert status in {200, 302, 400, 404, 405, 409, 411, 413, 415}, response.text
        if status == 302 or not response.content_type.startswith("text/xml"):
            locator = ""
        elif status == 200:
            etree.fromstring(response.data)
            locator = ""
        else:
            locator = self._refusal(response.data)
        assert self.service.leftovers() == []
        assert list(self.scratch.iterdir()) == []
        return status, locator

    def _refusal(self, text: bytes) -> str:
        report = etree.fromstring(text)
        if self.schema is not None:
            self.schema.assertValid(report)
        (found,) = report.findall("ows:Exception", OWS)
        assert found.get("exceptionCode")
        assert found.findtext("ows:ExceptionText", namespaces=OWS).strip()
        return str(found.get("locator", ""))

    def address(self, query: str) -> tuple[int, str]:
        return self.check(self.service.client.get(query))

    def post(self, body: bytes, content_type: str = "text/xml") -> tuple[int, str]:
        return self.check(self.service.client.post("/wps", data=body, content_type=content_type))


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzz")
    configuration = make_configuration(
        folder,
        jobs_queued="100000",
        jobs_queued_per_user="100000",
        requests_per_minute="1000000",
    )
    scratch = folder / "scratch"
    scratch.mkdir()
    schemas = Path(__file__).resolve().parents[3] / "shared" / "data"
    schema = load_schema(schemas, "ows/1.1.0/owsExceptionReport.xsd") if schemas.is_dir() else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(scratch))
        with service_of(read_settings([configuration]), EveryInput()) as service:
            yield Fuzzed(service, scratch, schema)


odd = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "", " ", "None", "nan", "-inf", "1e999", "3.7", "0x10", "1_0", "\u0663", "no", "off",
            "2018-02-30", "2018-07-20", "24:00:00", "2018-07-20T06:00:00Z", "\0", "\x1b[31m",
            "a=b@c;d", "@xlink:href=file:///etc/passwd", "file:///etc/passwd", "//", "%00", "%zz",
            "1,2", "1,2,3,4", "3,2,1,4", "1,2,3,4,EPSG:4326", "1,2,3,4,urn:ogc:def:crs:EPSG::4326",
            "1,2,3,4,EPSG:9999999", "1,2,nan,4", "1,2,3,4,5,6", "EPSG:4326", "<a/>", "<a", "]]>",
            "{}", "\ufffe", "[" * 300, "x" * 5000, "9" * 400, "http://[::1", "http://[",
        ]
    ),
)  # fmt: skip
keys = st.one_of(
    st.sampled_from(
        [
            "service", "version", "request", "Identifier", "DataInputs", "ResponseDocument",
            "RawDataOutput", "lineage", "status", "storeExecuteResponse", "language",
            "AcceptVersions", "jobid", "title", "notifmail",
        ]
    ),
    st.text(max_size=10),
)  # fmt: skip
values = st.one_of(
    st.sampled_from(
        [
            "WPS", "1.0.0", "2.0.0", "Execute", "GetCapabilities", "DescribeProcess", "GetStatus",
            "every-input", "all", "true", "false", "report", "en-US",
        ]
    ),
    odd,
)  # fmt: skip
given_inputs = st.lists(
    st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), odd), max_size=5
)
BASE = [("service", "WPS"), ("version", "1.0.0"), ("identifier", "every-input"), ("status", "true")]
requests = st.sampled_from(
    ["Execute", "DescribeProcess", "GetCapabilities", "GetStatus", "Dismiss", "GetResult"]
)


def as_query(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)


def any_address(fuzzed: Fuzzed, request: str, pairs: list[tuple[str, str]]) -> None:
    fuzzed.address(f"/wps?{as_query([*BASE, ('request', request), *pairs])}")
    fuzzed.address(f"/wps?{as_query(pairs)}")


def any_inputs(fuzzed: Fuzzed, inputs: list[tuple[str, str]], *, escaped: bool) -> None:
    written = ";".join(f"{n}={quote(v, safe='') if escaped else v}" for n, v in inputs)
    status, locator = fuzzed.address(
        f"{EXECUTE}&identifier=every-input&datainputs={quote(written, safe='')}"
    )
    # a name may have no character that a report can hold
    assert status == 200 or locator or not all(plain(name).strip() for name, _ in inputs)


addresses = given(request=requests, pairs=st.lists(st.tuples(keys, values), max_size=8))
inputs_in_addresses = given(inputs=given_inputs, escaped=st.booleans())
test_any_address = few(addresses(any_address))
test_any_address_long = pytest.mark.slow(many(addresses(any_address)))
test_any_inputs_in_an_address = few(inputs_in_addresses(any_inputs))
test_any_inputs_in_an_address_long = pytest.mark.slow(many(inputs_in_addresses(any_inputs)))

content = st.one_of(st.text(max_size=30), odd).map(plain)
tags = st.sampled_from(
    [
        "Identifier", "DataInputs", "Input", "Data", "LiteralData", "ComplexData", "Reference",
        "BoundingBoxData", "LowerCorner", "UpperCorner", "ResponseForm", "ResponseDocument",
        "RawDataOutput", "Output", "odd",
    ]
)  # fmt: skip
namespaces = st.sampled_from([WPS, OWS["ows"], "", "http://www.opengis.net/wps/2.0", "urn:x"])
attributes = st.dictionaries(
    st.sampled_from(
        ["dataType", "uom", "mimeType", "encoding", "schema", "crs", "dimensions", "status"]
    ),
    content,
    max_size=3,
)  # fmt: skip
heads = st.sampled_from(
    [
        f"{{{WPS}}}Execute", f"{{{WPS}}}GetCapabilities", f"{{{WPS}}}DescribeProcess",
        "{http://www.opengis.net/wps/2.0}Dismiss", "Execute", "{urn:x}Execute",
    ]
)  # fmt: skip


@st.composite
def elements(draw: st.DrawFn, depth: int = 4) -> etree._Element:
    """Make a tree of elements that a request may have, in any order."""
    space = draw(namespaces)
    element = etree.Element(f"{{{space}}}{draw(tags)}" if space else draw(tags))
    _fill(draw, element, depth)
    return element


def _fill(draw: st.DrawFn, element: etree._Element, depth: int) -> None:
    element.text = draw(content)
    for key, value in draw(attributes).items():
        element.set(key, value)
    if depth:
        element.extend(draw(st.lists(elements(depth - 1), max_size=2)))


def data_of(name: str, inner: etree._Element | None, text: str, kind: str) -> etree._Element:
    """Make an Input whose value may be of the wrong kind."""
    found = etree.Element(f"{{{WPS}}}Input")
    etree.SubElement(found, f"{{{OWS['ows']}}}Identifier").text = name
    data = etree.SubElement(found, f"{{{WPS}}}Data")
    value = etree.SubElement(data, f"{{{WPS}}}{kind}")
    if kind == "BoundingBoxData":
        for corner in ("Lower", "Upper"):
            etree.SubElement(value, f"{{{OWS['ows']}}}{corner}Corner").text = text
    else:
        value.text = text
    if inner is not None:
        value.append(inner)
    return found


def document_of(inputs: list[etree._Element]) -> etree._Element:
    root = etree.Element(f"{{{WPS}}}Execute", {"service": "WPS", "version": "1.0.0"})
    etree.SubElement(root, f"{{{OWS['ows']}}}Identifier").text = "every-input"
    etree.SubElement(root, f"{{{WPS}}}DataInputs").extend(inputs)
    form = etree.SubElement(root, f"{{{WPS}}}ResponseForm")
    etree.SubElement(
        form, f"{{{WPS}}}ResponseDocument", {"storeExecuteResponse": "true", "status": "true"}
    )
    return root


xml_inputs = st.builds(
    data_of,
    st.sampled_from(NAMES),
    st.none() | elements(1),
    content,
    st.sampled_from(["LiteralData", "ComplexData", "BoundingBoxData"]),
)


@st.composite
def trees(draw: st.DrawFn) -> bytes:
    """Make a document of the right or a wrong kind with anything in it."""
    root = draw(st.lists(xml_inputs, max_size=3).map(document_of))
    if draw(st.booleans()):
        root = etree.Element(draw(heads))
        _fill(draw, root, 4)
    return etree.tostring(root, encoding=draw(st.sampled_from(["utf-8", "utf-16", "iso-8859-1"])))


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Cut a document off, or put anything into it."""
    text = draw(trees())
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, len(text)))
    return text[:begin] + draw(st.binary(max_size=6)) + draw(st.sampled_from([text[end:], b""]))


def any_document(fuzzed: Fuzzed, body: bytes, content_type: str) -> None:
    fuzzed.post(body, content_type)


def any_xml_inputs(fuzzed: Fuzzed, inputs: list[etree._Element]) -> None:
    status, locator = fuzzed.post(etree.tostring(document_of(inputs)))
    assert status == 200 or locator in NAMES


content_types = st.sampled_from(
    ["text/xml", "", "text/plain; charset=odd", "multipart/form-data; boundary=x"]
)
documents = given(body=trees() | broken() | st.binary(max_size=200), content_type=content_types)
inputs_in_documents = given(inputs=st.lists(xml_inputs, max_size=3))
test_any_document = few(documents(any_document))
test_any_document_long = pytest.mark.slow(many(documents(any_document)))
test_any_inputs_in_a_document = few(inputs_in_documents(any_xml_inputs))
test_any_inputs_in_a_document_long = pytest.mark.slow(many(inputs_in_documents(any_xml_inputs)))


REFUSED = {
    "boolean": ["no", "off", "maybe", "2", "TRUE"],
    "integer": ["3.7", "1e3", "nan", "0x10", "1_000", "\u0663"],
    "positiveInteger": ["0", "-1", "1.5"],
    "nonNegativeInteger": ["-1", "0.0"],
    "float": ["nan", "inf", "-inf", "1e999", "1,5", "one"],
    "scale": ["nan", "1e999", "one"],
    "angle": ["nan", "inf", "one"],
    "date": ["2018-02-30", "20 July", "today"],
    "dateTime": ["2018-07-20T25:00:00", "now"],
    "time": ["24:30", "noon"],
    "anyURI": ["no address", "http://["],
    "choice": ["c", "A"],
    "limited": ["0", "10", "3.5"],
    "area": [
        "1,2", "1,2,3", "3,2,1,4", "1,4,3,2", "1,2,nan,4", "1,2,3,4,EPSG:2154",
        "1,2,3,4,urn:ogc:def:crs:EPSG::2154", "1,2,3,4,5,6", "1,2,3,4,5,6,EPSG:4326",
    ],
}  # fmt: skip
ACCEPTED = {
    "boolean": ["true", "false", "1", "0"],
    "integer": ["-3", "+4"],
    "positiveInteger": ["1"],
    "nonNegativeInteger": ["0"],
    "float": ["1e3", "-.5"],
    "scale": ["2"],
    "angle": ["361.5"],
    "date": ["2018-07-20"],
    "dateTime": ["2018-07-20T06:00:00Z", "2018-07-20T06:00:00.25+02:00"],
    "time": ["06:00:00"],
    "anyURI": ["http://example.test/a"],
    "string": ["a=b@c;d", "no", "\u00e9\u4e2d"],
    "choice": ["a"],
    "limited": ["1", "9"],
    "area": ["1,2,3,4", "1,2,3,4,EPSG:4326", "1,2,3,4,EPSG:32631"],
    "feature": ['{"a": "b;c=d"}', "plain"],
    "checked": ['{"a": 1}'],
}
PAIRS = [(name, value) for name, found in REFUSED.items() for value in found]


def both_ways(fuzzed: Fuzzed, name: str, value: str) -> Iterator[tuple[int, str]]:
    """Send one input in an address, and in a document as QGIS does."""
    written = quote(f"{name}={quote(value, safe='')}", safe="")
    yield fuzzed.address(f"{EXECUTE}&identifier=every-input&datainputs={written}")
    kind = "ComplexData" if name in {"feature", "checked"} else "LiteralData"
    yield fuzzed.post(etree.tostring(document_of([data_of(name, None, value, kind)])))


@pytest.mark.parametrize(("name", "value"), PAIRS)
def test_a_value_that_is_none_of_its_type_is_refused(fuzzed: Fuzzed, name: str, value: str) -> None:
    assert set(both_ways(fuzzed, name, value)) == {(400, name)}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, found in ACCEPTED.items() for value in found]
)
def test_a_value_of_its_type_is_accepted_and_kept(fuzzed: Fuzzed, name: str, value: str) -> None:
    assert set(both_ways(fuzzed, name, value)) == {(200, "")}
    first, second = fuzzed.service.store.jobs(limit=2)
    assert first.request.inputs[name][0]["data"] == second.request.inputs[name][0]["data"]


@pytest.mark.parametrize(
    ("crs", "lower", "upper", "kept"),
    [
        ("EPSG:4326", "1 2", "3 4", [1.0, 2.0, 3.0, 4.0]),
        ("urn:ogc:def:crs:EPSG::4326", "2 1", "4 3", [1.0, 2.0, 3.0, 4.0]),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "1 2", "3 4", [1.0, 2.0, 3.0, 4.0]),
        ("urn:ogc:def:crs:EPSG:6.9:4326", "2 1", "4 3", [1.0, 2.0, 3.0, 4.0]),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "2 1", "4 3", [1.0, 2.0, 3.0, 4.0]),
        ("urn:ogc:def:crs:EPSG::32631", "1 2", "3 4", [1.0, 2.0, 3.0, 4.0]),
        ("", "1 2", "3 4", [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_corners_follow_the_axes_of_their_reference_system(
    fuzzed: Fuzzed, crs: str, lower: str, upper: str, kept: list[float]
) -> None:
    element = data_of("area", None, "", "BoundingBoxData")
    (box,) = element.iter(f"{{{WPS}}}BoundingBoxData")
    box.set("crs", crs)
    box[0].text, box[1].text = lower, upper
    assert fuzzed.post(etree.tostring(document_of([element])))[0] == 200
    written = ",".join([*lower.split(), *upper.split(), crs]).rstrip(",")
    assert (
        fuzzed.address(
            f"{EXECUTE}&identifier=every-input&datainputs={quote(f'area={written}', safe='')}"
        )[0]
        == 200
    )
    for job in fuzzed.service.store.jobs(limit=2):
        assert job.request.inputs["area"][0]["data"] == kept


def test_what_a_complex_input_holds_is_looked_at_in_the_job(fuzzed: Fuzzed) -> None:
    """The web server parses nothing but its own protocol."""
    (first, *_) = both_ways(fuzzed, "checked", "{")
    assert first[0] == 200
    job = fuzzed.service.store.jobs(limit=1)[0]
    process = fuzzed.service.processes["every-input"]
    work = fuzzed.service.state / "checked"
    work.mkdir()
    with pytest.raises(ProcessingError, match="does not hold what its media type says"):
        run_process(process, job.request, work=work, results=work, progress=Progress())
