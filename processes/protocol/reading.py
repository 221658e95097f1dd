"""Execute requests, in addresses and in XML, as clients really send them.

PyWPS reads the rest of the protocol. What it loses or stumbles over is read here: values that hold
``=``, the brackets of PEPS, empty elements, boxes, references (which are refused: no address that
a client chose is ever opened).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, NoReturn
from urllib.parse import unquote

from lxml import etree
from owslib.crs import Crs
from pywps.app.WPSRequest import WPSRequest
from pywps.exceptions import (
    InvalidParameterValue,
    MissingParameterValue,
    NoApplicableCode,
    VersionNegotiationFailed,
)

from processes.jobs.model import Inputs

BOX_NUMBERS = 4
_OWN_AXES = ("urn:", "http://www.opengis.net/def/crs/")
_WPS = {"wps": "http://www.opengis.net/wps/1.0.0", "ows": "http://www.opengis.net/ows/1.1"}
_ATTRIBUTE = re.compile(r"@(datatype|uom|mimetype|encoding|schema|asreference)=[^@]*$", re.I)
_WPS_2 = "http://www.opengis.net/wps/2.0"
_OF_JOBS = ("GetStatus", "GetResult", "Dismiss")
"""Operations of WPS 2.0 that are answered; all others are those of 1.0.0."""
_EXTRAS = {"title": "title", "notifmail": "notify"}
_TRUE, _FALSE = {"true", "1"}, {"false", "0", ""}


class Request(WPSRequest):
    """A WPS request; of an Execute, these attributes are filled by our own reading.

    Attributes
    ----------
    given : Inputs
        Every input, as `processes.jobs.model` keeps it.
    wanted : tuple of str
        Outputs asked for; empty: all.
    raw_output : str
        The output that alone is to be the response; empty: a document.
    is_async : bool
        True where the client wants to be answered at once and to ask for the status later.
    with_lineage : bool
        True where the response is to repeat the inputs.
    title, notify : str
        The user's name for the job and where its end is told, as PEPS' portal sends them.
    job_id : str
        Of a request about a job.
    """

    identifier: str
    given: Inputs = MappingProxyType({})
    wanted: tuple[str, ...] = ()
    raw_output = ""
    is_async = False
    with_lineage = False
    title = ""
    notify = ""
    job_id = ""

    def check_and_set_version(self, version: str | None, allow_default: bool = True) -> None:
        """Accept 1.0.0, which is what is spoken here."""
        if version not in {None, "", "1.0.0"}:
            raise VersionNegotiationFailed("version must be 1.0.0", "version")
        super().check_and_set_version("1.0.0", allow_default)

    def check_accepted_versions(self, acceptedversions: str | None) -> None:
        """Accept a list that holds 1.0.0."""
        versions = [version.strip() for version in (acceptedversions or "1.0.0").split(",")]
        self.check_and_set_version("1.0.0" if "1.0.0" in versions else versions[0])

    def _get_request_parser(self, operation: str | None) -> Any:
        name = (operation or "").lower()
        if name == "execute":
            self.operation = name
            return self._read_address
        if name in map(str.lower, _OF_JOBS):
            self.operation = name
            return self._read_job
        return super()._get_request_parser(operation)

    def _read_job(self, http_request: Any) -> None:
        values = {key.lower(): value for key, value in http_request.args.items()}
        self.job_id = values.get("jobid", "").strip()

    def _post_request(self) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            document = etree.fromstring(self.http_request.get_data(), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise NoApplicableCode(f"the request must be an XML document: {error}") from error
        if document.getroottree().docinfo.internalDTD is not None:
            raise NoApplicableCode("the request must be an XML document without a DOCTYPE")
        tag = etree.QName(document)
        if tag.namespace == _WPS_2 and tag.localname in _OF_JOBS:
            self.operation = tag.localname.lower()
            self.job_id = (document.findtext(f"{{{_WPS_2}}}JobID") or "").strip()
            return
        if tag.namespace == _WPS_2:
            raise VersionNegotiationFailed("version must be 1.0.0", "version")
        self.set_version("1.0.0")
        self.check_and_set_language(document.get("language"))
        self._post_request_parser(document.tag)(document)

    def _post_request_parser(self, tagname: str) -> Any:
        if tagname != f"{{{_WPS['wps']}}}Execute":
            return super()._post_request_parser(tagname)
        self.operation = "execute"
        return self._read_document

    def _read_address(self, http_request: Any) -> None:
        values = {key.lower(): value for key, value in http_request.args.items()}
        self.check_and_set_version(values.get("version"))
        self.identifier = values.get("identifier", "").strip()
        if not self.identifier:
            raise MissingParameterValue("Identifier must be given", "Identifier")
        found: dict[str, list[dict[str, Any]]] = {}
        for name, value in _pairs(values.get("datainputs", "")):
            _check_name(name)
            found.setdefault(name, []).append({"data": value})
        self.given = {name: tuple(items) for name, items in found.items()}
        document = [name for name, _ in _pairs(values.get("responsedocument", ""))]
        raw = [name for name, _ in _pairs(values.get("rawdataoutput", ""))]
        self._read_form(document, raw, values, from_address=True)
        for key, attribute in _EXTRAS.items():
            setattr(self, attribute, values.get(key, "").strip())

    def _read_document(self, document: etree._Element) -> None:
        self.check_and_set_version(document.get("version"))
        self.identifier = (document.findtext("ows:Identifier", namespaces=_WPS) or "").strip()
        if not self.identifier:
            raise MissingParameterValue("Identifier must be given", "Identifier")
        found: dict[str, list[dict[str, Any]]] = {}
        for element in document.iterfind("wps:DataInputs/wps:Input", _WPS):
            name = (element.findtext("ows:Identifier", namespaces=_WPS) or "").strip()
            _check_name(name)
            found.setdefault(name, []).append(_value(name, element))
        self.given = {name: tuple(items) for name, items in found.items()}
        form = document.find("wps:ResponseForm/wps:ResponseDocument", _WPS)
        names = "wps:ResponseForm/wps:{}/ows:Identifier"
        wanted, raw = (
            [(e.text or "").strip() for e in document.iterfind(names.format(path), _WPS)]
            for path in ("ResponseDocument/wps:Output", "RawDataOutput")
        )
        attributes = () if form is None else form.attrib.items()
        values = {str(key).lower(): str(value) for key, value in attributes}
        self._read_form(wanted, raw, values, from_address=False)

    def _read_form(
        self, wanted: list[str], raw: list[str], values: dict[str, str], *, from_address: bool
    ) -> None:
        if len(raw) > 1 or (raw and wanted):
            raise InvalidParameterValue(
                "RawDataOutput must be one output, without a ResponseDocument", "RawDataOutput"
            )
        stored = _flag(values, "storeexecuteresponse", from_address)
        self.is_async = _flag(values, "status", from_address) and stored
        self.with_lineage = _flag(values, "lineage", from_address)
        self.wanted = tuple(dict.fromkeys(wanted))
        self.raw_output = raw[0] if raw else ""


def _check_name(name: str) -> None:
    if not name:
        raise MissingParameterValue("every Input must have an Identifier", "DataInputs")


def _flag(values: dict[str, str], name: str, from_address: bool) -> bool:
    text = values.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        where = name if from_address else f"the attribute {name}"
        raise InvalidParameterValue(f"{where} must be true or false", name)
    return text in _TRUE


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Read ``[name=value;name=value@uom=m]``; a value may hold ``=`` and ``@``."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    for pair in filter(None, map(str.strip, text.split(";"))):
        name, _, value = pair.partition("=")
        name, _, attributes = name.partition("@")
        if attributes.lower().startswith("xlink:href"):
            _refuse_reference(unquote(name).strip())
        while match := _ATTRIBUTE.search(value):
            value = value[: match.start()]
        if "@xlink:href=" in value.lower():
            _refuse_reference(unquote(name).strip())
        yield unquote(name).strip(), unquote(value)


def _value(name: str, element: etree._Element) -> dict[str, Any]:
    if element.find("wps:Reference", _WPS) is not None:
        _refuse_reference(name)
    literal = element.find("wps:Data/wps:LiteralData", _WPS)
    if literal is not None:
        return {"data": _text(literal)}
    box = element.find("wps:Data/wps:BoundingBoxData", _WPS)
    if box is not None:
        return _box_element(name, box)
    value = element.find("wps:Data/wps:ComplexData", _WPS)
    if value is None:
        raise InvalidParameterValue(
            f"{name} must hold LiteralData, BoundingBoxData or ComplexData", name
        )
    inner = next(value.iterchildren(tag=etree.Element), None)
    data = _text(value) if inner is None else etree.tostring(inner, encoding="unicode")
    attributes = ("mimeType", "encoding", "schema")
    return {"data": data} | {key: value.get(key, "") for key in attributes}


def _text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext())


def _refuse_reference(name: str) -> NoReturn:
    _check_name(name)
    raise InvalidParameterValue(f"{name} must be a value, references are never followed", name)


def _box_element(name: str, element: etree._Element) -> dict[str, Any]:
    corners = [
        element.findtext(f"ows:{corner}Corner", "", namespaces=_WPS).split()
        for corner in ("Lower", "Upper")
    ]
    return read_box(name, [*corners[0], *corners[1]], element.get("crs", ""))


def read_box_text(name: str, text: str) -> dict[str, Any] | None:
    """Read ``minx,miny,maxx,maxy[,crs]``, also as the value of a literal, as QGIS sends it.

    Parameters
    ----------
    name : str
        Of the input.
    text : str
        Empty, or a reference system alone, mean that no box was given.

    Returns
    -------
    dict or None
        As `read_box` returns it.

    Raises
    ------
    InvalidParameterValue
        It is no box.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and (not parts[0] or ":" in parts[0]):
        return None
    crs = parts[BOX_NUMBERS] if len(parts) > BOX_NUMBERS else ""
    return read_box(name, parts[:BOX_NUMBERS] + parts[BOX_NUMBERS + 1 :], crs)


def read_box(name: str, numbers: list[str], crs: str) -> dict[str, Any]:
    """Check a box and bring it to one order of axes.

    Parameters
    ----------
    name : str
        Of the input.
    numbers : list of str
        Two corners. With a reference system given as URN, or as OGC's address of it, they follow
        its own axes (latitude first for ``urn:ogc:def:crs:EPSG::4326``), otherwise x (longitude)
        comes first.
    crs : str
        Reference system; empty: EPSG:4326.

    Returns
    -------
    dict
        ``{"data": [minx, miny, maxx, maxy], "crs": "EPSG:4326"}``.

    Raises
    ------
    InvalidParameterValue
        Not four finite numbers in order, or an unknown form of the reference system.
    """
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        values = []
    if len(values) != BOX_NUMBERS or not all(map(math.isfinite, values)):
        raise InvalidParameterValue(f"{name} must be four numbers: minx,miny,maxx,maxy", name)
    try:
        system = Crs(crs or "EPSG:4326")
        code = f"{system.authority}:{system.code}".upper()
    except (ValueError, IndexError, AttributeError, TypeError):
        code = ""
    if code.endswith("CRS84") or code == "OGC:84":
        code = "EPSG:4326"
    elif not re.fullmatch(r"EPSG:[0-9]{4,6}", code):
        raise InvalidParameterValue(f"{name} must name its reference system as EPSG:4326", name)
    elif crs.lower().startswith(_OWN_AXES) and system.axisorder == "yx":
        values = [values[1], values[0], values[3], values[2]]
    if values[0] > values[2] or values[1] > values[3]:
        raise InvalidParameterValue(
            f"{name} must have its lower corner first: minx,miny,maxx,maxy", name
        )
    return {"data": values, "crs": code}
