"""Inputs of a request against what a process declares: nothing is dropped, guessed or rounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from pywps import BoundingBoxInput, ComplexInput, LiteralInput, Process
from pywps.exceptions import InvalidParameterValue, MissingParameterValue

from kernels.errors import RequestError
from processes.binding import plain_message
from processes.jobs.model import Inputs
from processes.protocol.reading import read_box_text
from processes.texts import read_boolean, read_number, read_whole_number

_NONE = "None"
"""PyWPS's spelling of an empty element, which some clients copied."""


def check_inputs(process: Process, given: Inputs) -> Inputs:
    """Check the inputs of a request.

    Parameters
    ----------
    process : pywps.Process
        Declares them.
    given : Inputs
        As the request had them.

    Returns
    -------
    Inputs
        What is not empty: clients send an empty element for every input that was left out.

    Raises
    ------
    InvalidParameterValue, MissingParameterValue
        An unknown name, a value of another kind, too few or too many; the input is named.
    """
    declared = {put.identifier: put for put in process.inputs}
    for name in given:
        if name not in declared:
            raise InvalidParameterValue(
                f"{name} must be one of {', '.join(declared)}, got an unknown name", name
            )
    checked: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for name, put in declared.items():
        read = next(read for kind, read in _KINDS.items() if isinstance(put, kind))
        values = tuple(v for item in given.get(name, ()) if (v := read(put, item)) is not None)
        if len(values) > put.max_occurs:
            raise InvalidParameterValue(
                f"{name} must be given at most {put.max_occurs} times, got {len(values)} values",
                name,
            )
        if len(values) < put.min_occurs:
            raise MissingParameterValue(f"{name} must be given", name)
        if values:
            checked[name] = values
    return checked


def _literal(put: LiteralInput, item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    name = put.identifier
    if set(item) - {"data"} or not isinstance(item["data"], str):
        raise InvalidParameterValue(
            f"{name} must be a literal value, got a box or complex data", name
        )
    text = item["data"].strip()
    if not text or text == _NONE:
        return None
    reader = _TEXTS.get(put.data_type)
    if reader is not None:
        try:
            reader(name, text)
        except RequestError as error:
            raise InvalidParameterValue(plain_message(error), name) from error
    return {"data": item["data"]}


def _box(put: BoundingBoxInput, item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    name = put.identifier
    if isinstance(item["data"], str):
        if set(item) - {"data"}:
            raise InvalidParameterValue(f"{name} must be a bounding box", name)
        found = read_box_text(name, item["data"])
        if found is None:
            return None
        item = found
    known = {crs.upper() for crs in put.crss}
    if not any(item["crs"] == _short(crs) for crs in known):
        raise InvalidParameterValue(
            f"{name} must be in one of {', '.join(sorted(known))}, got {item['crs']}", name
        )
    return item


def _short(crs: str) -> str:
    """Return EPSG:4326 of any spelling of it."""
    found = re.search(r"EPSG:(?:[0-9.]*:)?([0-9]+)$", crs)
    return f"EPSG:{found[1]}" if found else crs


def _complex(put: ComplexInput, item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    name = put.identifier
    if not isinstance(item["data"], str):
        raise InvalidParameterValue(f"{name} must be complex data, got a box", name)
    if not item["data"].strip():
        return None
    known = [form.mime_type for form in put.supported_formats]
    if item.get("mimeType") and item["mimeType"] not in known:
        raise InvalidParameterValue(f"{name} must be of {', '.join(known)}", name)
    return item


_KINDS: dict[type, Callable[[Any, Mapping[str, Any]], Mapping[str, Any] | None]] = {
    LiteralInput: _literal,
    BoundingBoxInput: _box,
    ComplexInput: _complex,
}


def _instant(kind: Callable[[str], object], rule: str) -> Callable[[str, str], object]:
    def read(name: str, text: str) -> object:
        try:
            return kind(text)
        except ValueError as error:
            raise RequestError(name, rule, text) from error

    return read


_TEXTS: Mapping[str, Callable[[str, str], object]] = {
    "integer": read_whole_number,
    "positiveInteger": read_whole_number,
    "nonNegativeInteger": read_whole_number,
    "float": read_number,
    "boolean": read_boolean,
    "date": _instant(date.fromisoformat, "a day as in 2018-07-20"),
    "dateTime": _instant(datetime.fromisoformat, "a time as in 2018-07-20T06:00:00"),
    "time": _instant(time.fromisoformat, "a time as in 06:00:00"),
}


def check_outputs(process: Process, wanted: Iterable[str]) -> tuple[str, ...]:
    """Check the outputs that a request names.

    Parameters
    ----------
    process : pywps.Process
        Declares them.
    wanted : iterable of str
        Identifiers.

    Returns
    -------
    tuple of str
        The same.

    Raises
    ------
    InvalidParameterValue
        An output that the process has not.
    """
    known = [put.identifier for put in process.outputs]
    for name in wanted:
        if name not in known:
            raise InvalidParameterValue(
                f"output must be one of {', '.join(known)}, got {name}", "output"
            )
    return tuple(wanted)
