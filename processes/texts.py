"""Texts that people and clients give, read strictly into the values of a request.

One set of rules for WPS literals and command-line options: nothing is guessed or rounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kernels.chains.request import OptionInfo
from kernels.errors import RequestError

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_texts(infos: Iterable[OptionInfo], texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Read the texts given for the options of a request.

    Parameters
    ----------
    infos : iterable of OptionInfo
        The options.
    texts : mapping of str to sequence of str
        By name of the option, every text that was given; blank texts count as not given.

    Returns
    -------
    dict
        By name, a value of the option's kind, or a list of them where the option has many;
        only what was given. Choices and bounds are left to the request.

    Raises
    ------
    RequestError
        An unknown name, several values for an option that has one, or a text of another kind.
    """
    known = {info.name: info for info in infos}
    values: dict[str, Any] = {}
    for name, given in texts.items():
        if name not in known:
            raise RequestError(name, f"one of {', '.join(known)}", "an unknown name")
        info = known[name]
        found = [_READERS[info.kind](name, text.strip()) for text in given if text.strip()]
        if info.many and found:
            values[name] = found
        elif len(found) > 1:
            raise RequestError(name, "given once", f"{len(found)} values")
        elif found:
            values[name] = found[0]
    return values


def read_whole_number(name: str, text: str) -> int:
    """Read a whole number; raises RequestError naming the option."""
    if not _WHOLE_NUMBER.fullmatch(text):
        raise RequestError(name, "a whole number", text)
    return int(text)


def read_number(name: str, text: str) -> float:
    """Read a number in decimal notation; raises RequestError naming the option."""
    if not _NUMBER.fullmatch(text):
        raise RequestError(name, "a number", text)
    return float(text)


def read_boolean(name: str, text: str) -> bool:
    """Read true, false, 1 or 0; raises RequestError naming the option."""
    if text not in _BOOLEANS:
        raise RequestError(name, "true or false", text)
    return _BOOLEANS[text]


def _text(_name: str, text: str) -> str:
    return text


def _path(_name: str, text: str) -> Path:
    return Path(text)


_READERS: dict[type, Callable[[str, str], Any]] = {
    int: read_whole_number,
    float: read_number,
    bool: read_boolean,
    str: _text,
    Path: _path,
}
