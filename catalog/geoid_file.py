"""The file of the geoid: whether it is there whole. Its heights are for the reader to prove."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from catalog.download import Downloader
from catalog.errors import IntegrityError, NotFoundError, StagingError
from catalog.model import Source
from catalog.requesting import OnTape
from catalog.wording import one_line

_HEADER = struct.Struct(">4d2i")
"""Of a gtx file: south-west corner and steps [degrees], rows and columns."""
_BYTES_PER_POST = 4


def geoid_file_for(path: Path, *, address: str = "", downloader: Downloader | None = None) -> Path:
    """Make sure that the file of the geoid is there.

    Parameters
    ----------
    path : Path
        Where it is, or is to be: for example ``egm96_15.gtx`` of PROJ.
    address : str
        That it is fetched from where it is missing; empty: nothing is fetched.
    downloader : Downloader, optional
        Fetches, tells of the progress and hears the wish to stop.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    NotFoundError
        It is not there, and nothing may be fetched.
    IntegrityError
        It is cut off.
    CatalogError
        It cannot be fetched; see `catalog.download`.
    """
    name = one_line(path.name)
    if path.is_file():
        if why := cut_off(path):
            raise IntegrityError(f"the geoid file {name} cannot be used: {why}")
        return path
    if not address:
        raise NotFoundError(f"the geoid file {name} is not there: install the package proj-data")
    found = (downloader or Downloader()).fetch_file(Source(address=address), path, cut_off)
    if isinstance(found, OnTape):
        raise StagingError(f"the geoid file {name} is on tape")
    return found


def cut_off(path: Path) -> str:
    """Tell whether a file of the geoid is whole.

    Parameters
    ----------
    path : Path
        A gtx file, or any other.

    Returns
    -------
    str
        A phrase; empty where a gtx file has as many heights as it promises, and any other is
        not empty.
    """
    size = path.stat().st_size
    is_gtx = path.name.removesuffix(".part").lower().endswith(".gtx")
    if not is_gtx or size < _HEADER.size:
        return "it is cut off" if is_gtx or size == 0 else ""
    with path.open("rb") as stream:
        *_, rows, columns = _HEADER.unpack(os.read(stream.fileno(), _HEADER.size))
    promised = _HEADER.size + _BYTES_PER_POST * rows * columns
    return "" if size == promised else f"it has {size} bytes instead of {promised}"
