"""Precise and restituted orbit files of Sentinel-1: POEORB and RESORB.

Earth Observation CFI format, PDGS file names:
``S1A_OPER_AUX_POEORB_OPOD_<created>_V<from>_<to>.EOF``.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from kernels.errors import OrbitError
from kernels.model import OrbitSource, StateVectors
from kernels.products.elements import parse_time
from kernels.products.zips import ZIP_ERRORS

MARGIN = timedelta(seconds=60)
"""How far an orbit file must reach beyond both ends of the product."""

_KEPT = timedelta(seconds=100)
"""How far vectors are kept beyond both ends: more than the nodes of one interpolation."""

_NAME = re.compile(
    r"(?P<platform>S1[A-D])_[A-Z]{4}_AUX_(?P<kind>POEORB|RESORB)_[A-Z0-9]{4}_(?P<created>\d{8}T\d{6})"
    r"_V(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})\.EOF",
    re.ASCII,
)
_RANK = {OrbitSource.PRECISE: 0, OrbitSource.RESTITUTED: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitFile:
    """An orbit file known by its name.

    Attributes
    ----------
    path : Path
        The file, or the zip that it is in.
    member : str or None
        Its name in the zip.
    platform : str
        For example S1A.
    source : OrbitSource
        Precise or restituted.
    created, start, stop : datetime
        Creation and validity [UTC, naive].
    """

    path: Path
    member: str | None
    platform: str
    source: OrbitSource
    created: datetime
    start: datetime
    stop: datetime

    @property
    def name(self) -> str:
        """Name of the orbit file itself."""
        return self.path.name if self.member is None else PurePosixPath(self.member).name


def choose_state_vectors(
    orbits: Path | None,
    *,
    platform: str,
    start: datetime,
    stop: datetime,
    annotated: StateVectors,
) -> StateVectors:
    """State vectors of the best orbit for an acquisition.

    A file is used if it is of the platform and valid from a minute before to a minute after
    the acquisition; POEORB goes before RESORB, then the newest creation.

    Parameters
    ----------
    orbits : Path or None
        A folder of EOF files (each may be zipped), a zip of them, or one file; None: no files.
    platform : str
        For example S1A.
    start, stop : datetime
        Of the acquisition [UTC, naive].
    annotated : StateVectors
        Of the product itself, used where no file covers the acquisition.

    Returns
    -------
    StateVectors
        In the epoch of the annotated ones; source and origin tell which orbit it is.

    Raises
    ------
    OrbitError
        If the folder does not exist, or the chosen file is damaged or has a gap.
    """
    if orbits is None:
        return annotated
    covering = [
        file
        for file in list_orbit_files(orbits)
        if file.platform == platform and file.start <= start - MARGIN and file.stop >= stop + MARGIN
    ]
    if not covering:
        return annotated
    best = max(covering, key=lambda file: (-_RANK[file.source], file.created, file.name))
    return read_orbit_file(best, start=start, stop=stop, epoch=annotated.epoch)


def list_orbit_files(orbits: Path) -> list[OrbitFile]:
    """List the orbit files of a folder or zip; files with other names are passed over.

    Parameters
    ----------
    orbits : Path
        A folder of EOF files (each may be zipped), a zip of them, or one file.

    Returns
    -------
    list of OrbitFile
        In the order of their names.

    Raises
    ------
    OrbitError
        If the path does not exist, or a zip is damaged.
    """
    if orbits.is_dir():
        # other zips of the folder, products for one, are none of ours
        paths = sorted(path for path in orbits.iterdir() if _NAME.match(path.name))
    elif orbits.exists():
        paths = [orbits]
    else:
        raise OrbitError(f"orbit folder {orbits} does not exist")
    return [file for path in paths for file in _files_at(path)]


def _files_at(path: Path) -> Iterator[OrbitFile]:
    if path.suffix.lower() != ".zip":
        if (file := _parse_name(path, None)) is not None:
            yield file
        return
    with _orbit_errors(path.name), zipfile.ZipFile(path) as archive:
        members = sorted(archive.namelist())
    for member in members:
        if (file := _parse_name(path, member)) is not None:
            yield file


def _parse_name(path: Path, member: str | None) -> OrbitFile | None:
    match = _NAME.fullmatch(path.name if member is None else PurePosixPath(member).name)
    if match is None:
        return None
    created, start, stop = (
        datetime.strptime(match[key], "%Y%m%dT%H%M%S") for key in ("created", "start", "stop")
    )
    return OrbitFile(
        path=path,
        member=member,
        platform=match["platform"],
        source=OrbitSource(match["kind"]),
        created=created,
        start=start,
        stop=stop,
    )


def read_orbit_file(
    file: OrbitFile, *, start: datetime, stop: datetime, epoch: datetime
) -> StateVectors:
    """Read the vectors around an acquisition.

    Parameters
    ----------
    file : OrbitFile
        From list_orbit_files.
    start, stop : datetime
        Of the acquisition [UTC, naive].
    epoch : datetime
        UTC instant (naive) that times count from.

    Returns
    -------
    StateVectors
        From 100 s before to 100 s after the acquisition, as far as the file reaches.

    Raises
    ------
    OrbitError
        If the file is no complete XML, its vectors do not reach a minute beyond the acquisition
        less one step, or one is missing.
    """
    rows: list[tuple[float, ...]] = []
    with _orbit_errors(file.name), _opened(file) as stream:
        for instant, vector in _vectors(stream):
            if start - _KEPT <= instant <= stop + _KEPT:
                rows.append(((instant - epoch).total_seconds(), *vector))
    table = np.array(rows).reshape(-1, 7)
    times = table[:, 0]
    _check_coverage(
        file.name,
        times,
        first=(start - MARGIN - epoch).total_seconds(),
        last=(stop + MARGIN - epoch).total_seconds(),
    )
    return StateVectors(
        epoch=epoch,
        times=times,
        positions=table[:, 1:4],
        velocities=table[:, 4:7],
        source=file.source,
        origin=file.name,
    )


@contextmanager
def _opened(file: OrbitFile) -> Iterator[IO[bytes]]:
    if file.member is None:
        with file.path.open("rb") as stream:
            yield stream
    else:
        with zipfile.ZipFile(file.path) as archive, archive.open(file.member) as stream:
            yield stream


@contextmanager
def _orbit_errors(name: str) -> Iterator[None]:
    """Turn errors of reading into one that names the orbit file."""
    try:
        yield
    except etree.XMLSyntaxError as error:
        raise OrbitError(f"orbit file {name} is cut off or not well-formed XML") from error
    except ZIP_ERRORS as error:
        raise OrbitError(f"orbit file {name} cannot be read") from error
    except (ValueError, TypeError) as error:
        raise OrbitError(f"orbit file {name} holds a state vector that is no number") from error


def _vectors(stream: IO[bytes]) -> Iterator[tuple[datetime, tuple[float, ...]]]:
    """Yield time, position [m] and velocity [m/s], one after the other to keep memory small."""
    for _, node in etree.iterparse(stream, tag="{*}OSV", resolve_entities=False):
        numbers = [node.findtext(f"{{*}}{name}") for name in ("X", "Y", "Z", "VX", "VY", "VZ")]
        yield parse_time(node.findtext("{*}UTC") or ""), tuple(float(n or "") for n in numbers)
        node.clear()


def _check_coverage(name: str, times: NDArray[np.float64], *, first: float, last: float) -> None:
    """Refuse vectors that end early or leave one out."""
    steps = np.diff(times)
    if steps.size == 0 or (steps <= 0.0).any():
        raise OrbitError(f"orbit file {name} has no increasing vectors around the acquisition")
    if steps.max() > 1.5 * steps.min():
        raise OrbitError(f"orbit file {name} leaves out vectors around the acquisition")
    step = float(steps.max())
    if times[0] > first + step or times[-1] < last - step:
        raise OrbitError(f"orbit file {name} does not hold the vectors that its name promises")
