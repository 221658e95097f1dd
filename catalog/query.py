"""Queries from texts: of the command line, and of the inputs of processes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from catalog.areas import read_area, read_numbers
from catalog.errors import QueryError
from catalog.mgrs import read_tile
from catalog.model import Query
from catalog.names import TRACKS, bare_name, platform_name, polarisation_names
from catalog.times import read_start, read_stop

_DIRECTIONS = {"a": "ascending", "asc": "ascending", "d": "descending", "des": "descending"}
_PLACES = ("area", "point", "place", "tile")
_NAME = re.compile(r"[\w.\-]+", re.ASCII)
_WORD = re.compile(r"[\w\-]+", re.ASCII)


def read_query(**texts: str) -> Query:
    """Read a query.

    Parameters
    ----------
    **texts : str
        By the names of the attributes of `Query`; empty ones count as absent. `area` is a box
        (``west,south,east,north``), GeoJSON or WKT; `point` is ``longitude,latitude``; `tile` is
        an MGRS tile with or without the T; `start` and `stop` are days or instants, both
        included; `names` lie between commas or blanks.

    Returns
    -------
    Query
        Checked.

    Raises
    ------
    QueryError
        An argument is unknown or breaks its rule, several say where, or times are reversed.
    """
    values: dict[str, Any] = {}
    for argument, text in texts.items():
        if argument not in _READERS:
            raise QueryError(argument, f"one of {', '.join(_READERS)}", "another name")
        if text.strip():
            values[argument] = _READERS[argument](text.strip(), argument)
    where = [argument for argument in _PLACES if argument in values]
    if len(where) > 1:
        raise QueryError(where[1], f"left out where {where[0]} says where", texts[where[1]])
    return checked_query(Query(**values))


def checked_query(query: Query) -> Query:
    """Check what no single argument shows.

    Parameters
    ----------
    query : Query
        Made of single arguments.

    Returns
    -------
    Query
        The same.

    Raises
    ------
    QueryError
        The period ends before it begins.
    """
    if query.start and query.stop and query.stop < query.start:
        raise QueryError("stop", f"not before start, {query.start.isoformat()}", query.stop)
    return query


def _word(text: str, argument: str) -> str:
    if not _WORD.fullmatch(text):
        raise QueryError(argument, "a name of letters and digits", text)
    return text


def _platform(text: str, argument: str) -> str:
    return platform_name(_word(text, argument))


def _polarisation(text: str, argument: str) -> str:
    names = polarisation_names(text)
    if not all(name in {"VV", "VH", "HH", "HV"} for name in names.split()):
        raise QueryError(argument, "VV, VH, HH or HV, or two of them", text)
    return names


def _point(text: str, argument: str) -> tuple[float, float]:
    rule = "longitude,latitude in degrees"
    longitude, latitude = read_numbers(text, argument=argument, count=2, rule=rule)
    if abs(longitude) > 180.0 or abs(latitude) > 90.0:
        raise QueryError(argument, f"{rule}, within range", text)
    return longitude, latitude


def _radius(text: str, argument: str) -> float:
    (radius,) = read_numbers(text, argument=argument, count=1, rule="a number of metres")
    if radius <= 0.0:
        raise QueryError(argument, "larger than 0 m", text)
    return radius


def _place(text: str, argument: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise QueryError(argument, "a name of at most 200 letters", text[:200])
    return text


def _whole(most: float, what: str) -> Callable[[str, str], int]:
    def read(text: str, argument: str) -> int:
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
            raise QueryError(argument, what, text)
        return int(text)

    return read


def _direction(text: str, argument: str) -> str:
    word = text.lower()
    direction = _DIRECTIONS.get(word, word)
    if direction not in _DIRECTIONS.values():
        raise QueryError(argument, "ascending or descending", text)
    return direction


def _cloud_cover(text: str, argument: str) -> float:
    rule = "0 to 100 percent"
    (cover,) = read_numbers(text, argument=argument, count=1, rule=rule)
    if not 0.0 <= cover <= 100.0:
        raise QueryError(argument, rule, text)
    return cover


def _names(text: str, argument: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(bare_name(part) for part in re.split(r"[,\s]+", text) if part))
    for name in names:
        if not _NAME.fullmatch(name):
            raise QueryError(argument, "names of products", name)
    return names


_READERS: dict[str, Callable[[str, str], Any]] = {
    "collection": _word,
    "product_type": _word,
    "mode": _word,
    "polarisation": _polarisation,
    "platform": _platform,
    "area": lambda text, argument: read_area(text, argument=argument),
    "point": _point,
    "radius_m": _radius,
    "place": _place,
    "tile": lambda text, _: read_tile(text),
    "start": lambda text, argument: read_start(text, argument=argument),
    "stop": lambda text, argument: read_stop(text, argument=argument),
    "absolute_orbit": _whole(math.inf, "a number of 1 or more"),
    "relative_orbit": _whole(999, f"1 to 999, for Sentinel-1 1 to {TRACKS}"),
    "direction": _direction,
    "largest_cloud_cover": _cloud_cover,
    "names": _names,
    "most": _whole(math.inf, "a number of 1 or more"),
}
