"""Values out of the XML files that come with SAR products, with errors that name the element."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from kernels.errors import ProductError

Value = TypeVar("Value")

_TIME = re.compile(r"(?:UTC=)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d*Z?", re.ASCII)


def parse_time(text: str) -> datetime:
    """Read a UTC instant to the microsecond.

    Parameters
    ----------
    text : str
        As in ``2019-01-01T17:15:15.990739``; a leading ``UTC=`` and a trailing ``Z`` are allowed,
        digits beyond the microsecond are dropped.

    Returns
    -------
    datetime
        Without time zone.

    Raises
    ------
    ValueError
        If the text is anything else.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text} is no UTC time")
    return datetime.fromisoformat(match.group(1))


def secure_parser() -> etree.XMLParser:
    """Return a parser that fetches nothing and expands no entities of the document."""
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an annotation file that knows the file's name.

    Attributes
    ----------
    node : lxml element
        The element itself.
    origin : str
        Name of the file, for errors.
    """

    node: etree._Element
    origin: str

    @classmethod
    def parse(cls, content: bytes, *, origin: str) -> Element:
        """Parse a whole file; raises ProductError if it is not well-formed."""
        try:
            return cls(etree.fromstring(content, secure_parser()), origin)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise ProductError(f"{origin} is not well-formed XML") from error

    def has(self, path: str) -> bool:
        """Tell whether there is an element at a path below this one."""
        return self.node.find(path) is not None

    def child(self, path: str) -> Element:
        """Return the first element at a path; raises ProductError if there is none."""
        node = self.node.find(path)
        if node is None:
            raise ProductError(f"{self.origin} has no element {path}")
        return Element(node, self.origin)

    def children(self, path: str) -> Iterator[Element]:
        """Yield every element at a path."""
        for node in self.node.findall(path):
            yield Element(node, self.origin)

    def text(self, path: str) -> str:
        """Return the text of an element."""
        return (self.child(path).node.text or "").strip()

    def _value(self, path: str, convert: Callable[[str], Value], kind: str) -> Value:
        text = self.text(path)
        try:
            return convert(text)
        except ValueError as error:
            raise ProductError(
                f"{self.origin}: element {path} must be {kind}, got {text[:40]}"
            ) from error

    def number(self, path: str) -> float:
        """Return the value of an element that holds one finite number."""
        return self._value(path, _finite, "a number")

    def integer(self, path: str) -> int:
        """Return the value of an element that holds one whole number."""
        return self._value(path, int, "a whole number")

    def time(self, path: str) -> datetime:
        """Return the instant [UTC, naive] that an element holds."""
        return self._value(path, parse_time, "a UTC time")

    def seconds(self, path: str, epoch: datetime) -> float:
        """Return the instant that an element holds [s from epoch]."""
        return (self.time(path) - epoch).total_seconds()

    def numbers(self, path: str) -> NDArray[np.float64]:
        """Return the blank-separated numbers of an element, shape (n,)."""
        return self._value(path, _finite_array, "a list of numbers")


def _finite(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(text)
    return value


def _finite_array(text: str) -> NDArray[np.float64]:
    values = np.array(text.split(), dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("not finite")
    return values
