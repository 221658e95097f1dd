"""Orbit files of Sentinel-1: what their names promise, and whether they keep it.

Earth Observation CFI format, PDGS file names:
``S1A_OPER_AUX_POEORB_OPOD_<created>_V<from>_<to>.EOF``, plain or in a zip of the same name.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from lxml import etree

from catalog.model import Product

MARGIN = timedelta(seconds=60)
"""How far an orbit file must reach beyond both ends of an acquisition."""
_MORE = timedelta(seconds=40)
"""Beyond the margin that interpolation takes part of."""
ONE_ORBIT = timedelta(days=12) / 175
"""Between two passes of the equator in the same direction."""

_NAME = re.compile(
    r"(?P<platform>S1[A-D])_[A-Z]{4}_AUX_(?P<kind>POEORB|RESORB)_[A-Z0-9]{4}_(?P<created>\d{8}T\d{6})"
    r"_V(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})\.EOF",
    re.ASCII,
)
_UNREADABLE = (
    *(OSError, EOFError, KeyError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError),
)


class OrbitSource(StrEnum):
    """Where an orbit comes from, best first."""

    PRECISE = "POEORB"
    RESTITUTED = "RESORB"
    ANNOTATION = "annotation"


_RANK = {source: -rank for rank, source in enumerate(OrbitSource)}


class Span(NamedTuple):
    """First and last instant of an acquisition."""

    start: datetime
    stop: datetime


def span_of(product: Product) -> Span | None:
    """Tell when a product was acquired; None where that is not known."""
    if product.start is None or product.stop is None:
        return None
    # names cut times off at the second
    late = timedelta(seconds=0 if product.stop.microsecond else 1)
    return Span(product.start, product.stop + late)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitFile:
    """An orbit file, as its name has it.

    Attributes
    ----------
    name : str
        Of the file, without .zip.
    platform : str
        For example S1A.
    source : OrbitSource
        Precise or restituted.
    created, start, stop : datetime
        Creation and validity.
    path : Path or None
        On this disk.
    """

    name: str
    platform: str
    source: OrbitSource
    created: datetime
    start: datetime
    stop: datetime
    path: Path | None = None

    def covers(self, span: Span) -> bool:
        """Tell whether it is valid from a minute before to a minute after an acquisition."""
        return self.start <= span.start - MARGIN and self.stop >= span.stop + MARGIN


def orbit_file_of_name(name: str) -> OrbitFile | None:
    """Read the name of an orbit file; None of any other file, and of satellites to come."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        created, start, stop = (_time(match[key]) for key in ("created", "start", "stop"))
    except ValueError:  # digits that are no time
        return None
    source = OrbitSource(match["kind"])
    return OrbitFile(
        name=name,
        platform=match["platform"],
        source=source,
        created=created,
        start=start,
        stop=stop,
    )


def _time(digits: str) -> datetime:
    return datetime.fromisoformat(digits).replace(tzinfo=UTC)


def find_orbit_files(folders: Iterable[Path]) -> Iterator[OrbitFile]:
    """Find the orbit files of folders and of the folders in them; other names are passed over.

    Parameters
    ----------
    folders : iterable of Path
        Those that do not exist hold none.

    Yields
    ------
    OrbitFile
        With its path.
    """
    for folder in folders:
        for root, below, names in os.walk(folder):
            below[:] = [name for name in below if not name.startswith(".")]
            for name in names:
                if (file := orbit_file_of_name(name.removesuffix(".zip"))) is not None:
                    yield replace(file, path=Path(root, name))


def best_first(files: Iterable[OrbitFile], platform: str, span: Span) -> list[OrbitFile]:
    """Sort the orbit files that cover an acquisition.

    Precise ones go first, then those that begin at least one orbit before it, then those that
    were created last.

    Parameters
    ----------
    files : iterable of OrbitFile
        Of any satellite and time.
    platform : str
        For example S1A.
    span : Span
        Of the acquisition.

    Returns
    -------
    list of OrbitFile
        The best one first; empty where none covers it.
    """
    covering = [file for file in files if file.platform == platform and file.covers(span)]
    return sorted(
        covering,
        key=lambda file: (
            _RANK[file.source],
            file.start <= span.start - ONE_ORBIT - MARGIN,
            file.created,
            file.name,
        ),
        reverse=True,
    )


def is_better(one: OrbitSource, other: OrbitSource) -> bool:
    """Tell whether an orbit of one source is better than that of another."""
    return _RANK[one] > _RANK[other]


def incomplete(path: Path) -> str:
    """Tell what is wrong with an orbit file as it was published.

    Parameters
    ----------
    path : Path
        Of the file, under any name.

    Returns
    -------
    str
        A phrase; empty where the file is XML with as many state vectors as it promises.
    """
    promised, found = "", 0
    try:
        for event, node in etree.iterparse(
            str(path),
            events=("start", "end"),
            tag=("{*}List_of_OSVs", "{*}OSV"),
            resolve_entities=False,
        ):
            is_list = etree.QName(node).localname == "List_of_OSVs"
            if is_list and event == "start":
                promised = node.get("count", "")
            elif not is_list and event == "end":
                found += 1
                node.clear()
    except _UNREADABLE:
        return "it is cut off or no XML"
    if not found or promised != str(found):
        return f"it holds {found} state vectors of {promised or 'no'} promised"
    return ""


def lacking(file: OrbitFile, span: Span) -> str:
    """Tell why an orbit file cannot serve an acquisition that its name covers.

    Parameters
    ----------
    file : OrbitFile
        On this disk.
    span : Span
        Of the acquisition.

    Returns
    -------
    str
        A phrase; empty where its state vectors reach a minute beyond both ends, less one step,
        and none is left out.
    """
    first, last = span.start - MARGIN, span.stop + MARGIN
    try:
        with _opened(file) as stream:
            times = [t for t in _vector_times(stream) if first - _MORE <= t <= last + _MORE]
    except (*_UNREADABLE, ValueError):
        return "it cannot be read"
    steps = [later - earlier for earlier, later in pairwise(times)]
    if not steps or min(steps) <= timedelta(0) or max(steps) > 1.5 * min(steps):
        return "it leaves out state vectors around the acquisition"
    if times[0] > first + max(steps) or times[-1] < last - max(steps):
        return "it does not hold the state vectors that its name promises"
    return ""


def _vector_times(stream: IO[bytes]) -> Iterator[datetime]:
    for _, node in etree.iterparse(stream, tag="{*}OSV", resolve_entities=False):
        text = (node.findtext("{*}UTC") or "").removeprefix("UTC=")
        yield datetime.fromisoformat(text).replace(tzinfo=UTC)
        node.clear()


@contextmanager
def _opened(file: OrbitFile) -> Iterator[IO[bytes]]:
    if file.path is None:
        raise FileNotFoundError(file.name)
    if file.path.suffix != ".zip":
        with file.path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(file.path) as archive:
        (member,) = [name for name in archive.namelist() if PurePosixPath(name).name == file.name]
        with archive.open(member) as stream:
            yield stream
