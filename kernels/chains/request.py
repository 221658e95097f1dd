"""Requests that describe and check themselves.

A chain's request is a frozen dataclass whose fields are made with `option`. The description of
a field (title, abstract, unit, range, choices, default) is written once, there; WPS inputs,
command-line options and the docs page are made from `describe`. Checking happens in
`Request.__post_init__`, so a request that exists is a request that can run.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any, Self

from kernels.errors import RequestError

_KEY = "fournaise"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionInfo:
    """What a field of a request says of itself.

    Attributes
    ----------
    name : str
        Of the field, also the WPS identifier and (with dashes) the command-line option.
    kind : type
        str, int, float, bool or Path: type of one value.
    many : bool
        True where the field is a tuple of values.
    optional : bool
        True where None is allowed (the chain then chooses).
    required : bool
        True where the user must give a value.
    default : object
        None where there is none.
    title : str
        A few words; holds unit and range, because clients show nothing else.
    abstract : str
        One to three sentences.
    unit : str or None
        Of the number.
    minimum, maximum : float or None
        Bounds, both included.
    choices : tuple
        Allowed values; empty where any value of the kind will do.
    role : str or None
        What a Path names: "slc", "product", "raster", "datalake" (folders of detected
        products), "slc_datalake", "dem", "orbits", "store" (a folder that is made if need be; on a
        server its own) or None.
    """

    name: str
    kind: type
    many: bool
    optional: bool
    required: bool
    default: object
    title: str
    abstract: str
    unit: str | None
    minimum: float | None
    maximum: float | None
    choices: tuple[Any, ...]
    role: str | None


def option(
    *,
    title: str,
    abstract: str = "",
    default: Any = MISSING,
    unit: str | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[Any, ...] = (),
    role: str | None = None,
) -> Any:
    """Make a field of a request.

    Parameters
    ----------
    title, abstract, default, unit, minimum, maximum, choices, role : object
        As in `OptionInfo`; without a default the user must give a value.

    Returns
    -------
    dataclasses.Field
        To be assigned to the field's name in the class body.
    """
    description = {
        "title": title,
        "abstract": abstract,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "role": role,
    }
    if default is MISSING:
        return field(metadata={_KEY: description})
    return field(default=default, metadata={_KEY: description})


def _unpack(annotation: Any) -> tuple[type, bool, bool]:
    """Split an annotation into the kind of one value, many, optional."""
    optional = False
    if isinstance(annotation, types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        optional, annotation = True, rest[0]
    if typing.get_origin(annotation) is tuple:
        return typing.get_args(annotation)[0], True, optional
    return annotation, False, optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Base of all requests; checks every field against its own description."""

    def __post_init__(self) -> None:
        """Check the fields; raises RequestError naming the field, the rule and the value."""
        for info in self.describe():
            _check(info, getattr(self, info.name))

    @classmethod
    def describe(cls) -> tuple[OptionInfo, ...]:
        """Describe the fields in the order of declaration."""
        hints = typing.get_type_hints(cls)
        found = []
        for item in dataclasses.fields(cls):
            kind, many, optional = _unpack(hints[item.name])
            found.append(
                OptionInfo(
                    name=item.name,
                    kind=kind,
                    many=many,
                    optional=optional,
                    required=item.default is MISSING,
                    default=None if item.default is MISSING else item.default,
                    **item.metadata[_KEY],
                )
            )
        return tuple(found)

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Make a request of plain values (JSON, WPS literals, command line).

        Parameters
        ----------
        values : dict
            By field name; None and missing mean the default, a single value stands for a
            sequence of one, and text is accepted for paths.

        Returns
        -------
        Request
            Checked.

        Raises
        ------
        RequestError
            An unknown name, a missing value, or a value that breaks its rule.
        """
        infos = {info.name: info for info in cls.describe()}
        for name in values:
            if name not in infos:
                raise RequestError(name, f"one of {', '.join(infos)}", "an unknown name")
        given = {}
        for name, info in infos.items():
            value = values.get(name)
            if value is None:
                if info.required:
                    raise RequestError(name, "given", "nothing")
                continue
            given[name] = _convert(info, value)
        return cls(**given)

    def to_values(self) -> dict[str, Any]:
        """Plain values that `from_values` reads back; paths as text, tuples as lists."""
        plain: dict[str, Any] = {}
        for info in self.describe():
            value = getattr(self, info.name)
            if isinstance(value, tuple):
                value = [str(v) if isinstance(v, Path) else v for v in value]
            plain[info.name] = str(value) if isinstance(value, Path) else value
        return plain


def _convert(info: OptionInfo, value: Any) -> Any:
    if info.many:
        values = value if isinstance(value, list | tuple) else (value,)
        return tuple(_convert_one(info, v) for v in values)
    return _convert_one(info, value)


def _convert_one(info: OptionInfo, value: Any) -> Any:
    if info.kind is Path and isinstance(value, str):
        return Path(value)
    if info.kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise RequestError(info.name, "a finite number", value) from error
    return value


def _check(info: OptionInfo, value: Any) -> None:
    if value is None:
        if not info.optional:
            raise RequestError(info.name, "given", "nothing")
        return
    if not info.many:
        _check_one(info, value)
        return
    if not isinstance(value, tuple):
        raise RequestError(info.name, "a list", value)
    if info.required and not value:
        raise RequestError(info.name, "a list of at least one value", "an empty list")
    for item in value:
        _check_one(info, item)


_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _check_one(info: OptionInfo, value: Any) -> None:
    wrong_bool = isinstance(value, bool) and info.kind is not bool
    if wrong_bool or not isinstance(value, info.kind):
        raise RequestError(info.name, _NAMES.get(info.kind, "a path"), value)
    if info.choices and value not in info.choices:
        raise RequestError(info.name, f"one of {', '.join(map(str, info.choices))}", value)
    if isinstance(value, int | float):
        _check_number(info, value)


def _check_number(info: OptionInfo, value: float) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise RequestError(info.name, "a finite number", value)
    # fifteen digits: a million stays 1000000, as the user wrote it
    if info.minimum is not None and value < info.minimum:
        raise RequestError(info.name, f"at least {info.minimum:.15g}", value)
    if info.maximum is not None and value > info.maximum:
        raise RequestError(info.name, f"at most {info.maximum:.15g}", value)
