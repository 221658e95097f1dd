"""Inputs of a request against what a process declares: nothing is dropped, guessed or rounded."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from pywps import BoundingBoxInput, ComplexInput, LiteralInput, Process
from pywps.exceptions import InvalidParameterValue, MissingParameterValue
from pywps.inout.literaltypes import AllowedValue
from pywps.validator.allowed_value import ALLOWEDVALUETYPE

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
        # PyWPS declares an input with a default as required, and does without it
        if len(values) < put.min_occurs and (values or put._default is None):
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
    if reader := _TEXTS.get(put.data_type):
        try:
            reader(name, text)
        except RequestError as error:
            raise InvalidParameterValue(plain_message(error), name) from error
    return {"data": item["data"]}


def check_rules(process: Process, inputs: Inputs) -> None:
    """Check literals against the rules that a process declares for PyWPS to apply.

    Parameters
    ----------
    process : pywps.Process
        One whose handler PyWPS would call; chains have rules of their own, with better words.
    inputs : Inputs
        As `check_inputs` returns them.

    Raises
    ------
    InvalidParameterValue
        A value that is not allowed; the input is named.
    """
    for put in process.inputs:
        if isinstance(put, LiteralInput):
            for item in inputs.get(put.identifier, ()):
                try:
                    put.clone().data = item["data"]
                except (InvalidParameterValue, ValueError, TypeError, ArithmeticError) as error:
                    told = RequestError(put.identifier, _rule(put), item["data"])
                    raise InvalidParameterValue(plain_message(told), put.identifier) from error


def _rule(put: LiteralInput) -> str:
    allowed = [_shown(value) for value in put.allowed_values if isinstance(value, AllowedValue)]
    return f"one of {', '.join(allowed)}" if allowed else f"of type {put.data_type}"


def _shown(allowed: AllowedValue) -> str:
    if allowed.allowed_type == ALLOWEDVALUETYPE.VALUE:
        return str(allowed.value)
    return f"{allowed.minval} to {allowed.maxval}"


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


def _at_least(minimum: int) -> Callable[[str, str], object]:
    def read(name: str, text: str) -> int:
        value = read_whole_number(name, text)
        if value < minimum:
            raise RequestError(name, f"at least {minimum}", text)
        return value

    return read


def _finite(name: str, text: str) -> float:
    value = read_number(name, text)
    if not math.isfinite(value):
        raise RequestError(name, "a finite number", text)
    return value


_TEXTS: Mapping[str, Callable[[str, str], object]] = {
    "integer": read_whole_number,
    "positiveInteger": _at_least(1),
    "nonNegativeInteger": _at_least(0),
    "float": _finite,
    "scale": _finite,
    "angle": _finite,
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
