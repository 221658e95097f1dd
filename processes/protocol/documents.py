"""Responses that the schemas of WPS accept, whatever a user's texts hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lxml import etree
from pywps import Process
from pywps.exceptions import NoApplicableCode
from werkzeug.wrappers import Response

from processes.jobs.model import Inputs, Job, JobState, Output
from processes.protocol.reading import BOX_NUMBERS

WPS = "http://www.opengis.net/wps/1.0.0"
WPS2 = "http://www.opengis.net/wps/2.0"
OWS = "http://www.opengis.net/ows/1.1"
XLINK = "http://www.w3.org/1999/xlink"
_SCHEMAS = "http://schemas.opengis.net"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NAMESPACES = {"wps": WPS, "ows": OWS, "xlink": XLINK, "xsi": _XSI}
# what an element declares that its parent does not yet: the fewer, the quicker the document
_OWN = {WPS: {"wps": WPS}, OWS: {"ows": OWS}, WPS2: {"wps": WPS2, "xlink": XLINK}}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES = {bool: "boolean", int: "integer", float: "double"}
_LOG_LINES = 3


def _element(
    namespace: str, tag: str, *content: etree._Element | str, **attributes: str
) -> etree._Element:
    """Make an element of texts and elements."""
    element = etree.Element(f"{{{namespace}}}{tag}", attributes, nsmap=_OWN[namespace])
    for item in content:
        if isinstance(item, str):
            element.text = plain(item)
        else:
            element.append(item)
    return element


_wps, _ows, _wps2 = (partial(_element, namespace) for namespace in (WPS, OWS, WPS2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses of one job and of the service.

    Attributes
    ----------
    service : str
        Of the WPS.
    status : str
        Of the job's status; empty where the client did not ask for one.
    outputs : str
        What the names of the job's results are added to.
    """

    service: str
    status: str
    outputs: str


def plain(text: object) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", str(text))


def instant(seconds: float) -> str:
    """Write seconds since 1970 as UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def execute_response(
    process: Process, job: Job, addresses: Addresses, *, now: float, position: int | None = None
) -> bytes:
    """Describe a job, whatever its state, as WPS 1.0.0 does.

    Parameters
    ----------
    process : pywps.Process
        Of the job.
    job : Job
        As the store has it.
    addresses : Addresses
        What the document refers to.
    now : float
        Seconds since 1970.
    position : int or None
        Place in the queue, 1 = next.

    Returns
    -------
    bytes
        ExecuteResponse document.
    """
    asked = f"{addresses.service}?service=WPS&request=GetCapabilities"
    attributes = {"service": "WPS", "version": "1.0.0", "serviceInstance": asked}
    root = etree.Element(f"{{{WPS}}}ExecuteResponse", attributes, nsmap=_NAMESPACES)
    root.append(
        _wps("Process", *_described(process), **{f"{{{WPS}}}processVersion": job.request.version})
    )
    root.append(_wps("Status", _status(job, position), creationTime=instant(job.finished or now)))
    root.set(f"{{{_XSI}}}schemaLocation", f"{WPS} {_SCHEMAS}/wps/1.0.0/wpsExecute_response.xsd")
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en-US")
    if addresses.status:
        root.set("statusLocation", addresses.status)
    puts = {put.identifier: put for put in process.outputs}
    if job.request.lineage:
        if job.request.inputs:
            root.append(_lineage_inputs(process, job.request.inputs))
        names = job.request.outputs or tuple(puts)
        definitions = [_wps("Output", *_described(puts[name])) for name in names if name in puts]
        root.append(_wps("OutputDefinitions", *definitions))
    if job.state is JobState.SUCCEEDED:
        found = [_output(puts[o.identifier], o, addresses.outputs) for o in job.outputs]
        root.append(_wps("ProcessOutputs", *found))
    return _document(root)


def _document(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _described(item: Any) -> Iterator[etree._Element]:
    yield _ows("Identifier", plain(item.identifier))
    yield _ows("Title", plain(item.title or item.identifier))
    if item.abstract:
        yield _ows("Abstract", plain(item.abstract))


def _status(job: Job, position: int | None) -> etree._Element:
    match job.state:
        case JobState.ACCEPTED:
            place = f"place {position} in the queue, " if position else ""
            return _wps("ProcessAccepted", f"waiting, {place}accepted {instant(job.created)}")
        case JobState.RUNNING:
            return _wps("ProcessStarted", plain(progress_text(job)), percentCompleted=percent(job))
        case JobState.SUCCEEDED:
            until = f", results are kept until {instant(job.expires)}" if job.expires else ""
            return _wps("ProcessSucceeded", f"{plain(job.step or 'done')}{until}")
    report = _exception_report("NoApplicableCode", "", job.message or job.state.value)
    return _wps("ProcessFailed", report)


def percent(job: Job) -> str:
    """Write the progress of a running job, which is never 100: clients take that for the end."""
    return str(min(int(100.0 * job.share), 99))


def progress_text(job: Job) -> str:
    """Say in one line where a running job is.

    Parameters
    ----------
    job : Job
        As the store has it.

    Returns
    -------
    str
        Step, start, last sign of life, and the last lines of the log.
    """
    parts = [job.step or "starting"]
    if job.started:
        parts.append(f"started {instant(job.started)}")
    if job.heartbeat:
        parts.append(f"last sign of life {instant(job.heartbeat)}")
    if job.attempt > 1:
        parts.append(f"attempt {job.attempt}")
    parts += [line.strip() for line in job.log_tail.splitlines()[-_LOG_LINES:] if line.strip()]
    return "; ".join(parts)


def _lineage_inputs(process: Process, inputs: Inputs) -> etree._Element:
    puts = {put.identifier: put for put in process.inputs}
    return _wps(
        "DataInputs",
        *(
            _wps("Input", *_described(puts[name]), _wps("Data", _given(item)))
            for name, items in inputs.items()
            if name in puts
            for item in items
        ),
    )


def _given(item: Any) -> etree._Element:
    if not isinstance(item["data"], str):
        return _box(item["data"], item["crs"])
    if "mimeType" in item:
        return _complex(item["data"], item["mimeType"])
    return _wps("LiteralData", plain(item["data"]))


def _box(numbers: Sequence[float], crs: str) -> etree._Element:
    corners = [" ".join(f"{number:.15g}" for number in part) for part in (numbers[:2], numbers[2:])]
    lower, upper = _ows("LowerCorner", corners[0]), _ows("UpperCorner", corners[1])
    return _wps("BoundingBoxData", lower, upper, crs=crs, dimensions=str(BOX_NUMBERS // 2))


def _complex(text: str, media_type: str) -> etree._Element:
    element = _wps("ComplexData", mimeType=media_type) if media_type else _wps("ComplexData")
    if "xml" in media_type:
        try:
            element.append(etree.fromstring(text, etree.XMLParser(resolve_entities=False)))
        except (etree.XMLSyntaxError, ValueError):  # said to be XML, kept as text
            element.text = plain(text)
    else:
        element.text = plain(text)
    return element


def _output(put: Any, found: Output, folder: str) -> etree._Element:
    if found.file:
        content = _wps("Reference", href=f"{folder}{found.file}", mimeType=found.media_type)
    elif isinstance(found.value, dict):
        content = _wps("Data", _box(found.value["data"], found.value["crs"]))
    elif found.media_type:
        content = _wps("Data", _complex(str(found.value), found.media_type))
    else:
        kind = _TYPES.get(type(found.value), "string")
        value = str(found.value).lower() if kind == "boolean" else plain(found.value)
        content = _wps("Data", _wps("LiteralData", value, dataType=f"xs:{kind}"))
    return _wps("Output", *_described(put), content)


def _exception_report(code: str, locator: str, text: str) -> etree._Element:
    exception = _ows("Exception", _ows("ExceptionText", plain(text)), exceptionCode=code)
    if locator:
        exception.set("locator", plain(locator))
    return _ows("ExceptionReport", exception, version="1.0.0")


def refusal(error: NoApplicableCode) -> Response:
    """Answer a request that is refused.

    Parameters
    ----------
    error : pywps.exceptions.NoApplicableCode
        Says why.

    Returns
    -------
    werkzeug.wrappers.Response
        ExceptionReport, with the status of the error.
    """
    report = _exception_report(error.name, str(error.locator or ""), str(error.description or ""))
    report.set(f"{{{_XSI}}}schemaLocation", f"{OWS} {_SCHEMAS}/ows/1.1.0/owsExceptionReport.xsd")
    return Response(_document(report), error.code, content_type="text/xml; charset=utf-8")


_STATES_2 = {
    JobState.ACCEPTED: "Accepted",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Succeeded",
    JobState.FAILED: "Failed",
    JobState.DISMISSED: "Dismissed",
}


def status_info(job: Job) -> bytes:
    """Describe the state of a job as WPS 2.0 does.

    Parameters
    ----------
    job : Job
        As the store has it.

    Returns
    -------
    bytes
        StatusInfo document.
    """
    root = _wps2("StatusInfo", _wps2("JobID", job.token), _wps2("Status", _STATES_2[job.state]))
    if job.expires:
        root.append(_wps2("ExpirationDate", instant(job.expires)))
    if job.state is JobState.RUNNING:
        root.append(_wps2("PercentCompleted", percent(job)))
    return _document(root)


def result_document(job: Job, folder: str) -> bytes:
    """List the outputs of a job that succeeded as WPS 2.0 does.

    Parameters
    ----------
    job : Job
        As the store has it.
    folder : str
        Address of the results.

    Returns
    -------
    bytes
        Result document.
    """
    root = _wps2("Result", _wps2("JobID", job.token))
    if job.expires:
        root.append(_wps2("ExpirationDate", instant(job.expires)))
    for output in job.outputs:
        if output.file:
            content = _wps2("Reference", mimeType=output.media_type)
            content.set(f"{{{XLINK}}}href", f"{folder}{output.file}")
        else:
            content = _wps2("Data", plain(output.value), mimeType=output.media_type or "text/plain")
        root.append(_wps2("Output", content, id=output.identifier))
    return _document(root)
