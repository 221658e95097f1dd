"""Which files a series may be made of: those that are listed, and GeoTIFFs below folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kernels.chains.multitemporal_filter.names import tile_of
from kernels.chains.multitemporal_filter.request import MultitemporalFilterRequest
from kernels.errors import InputError, RequestError

_NO_ACQUISITION = re.compile(
    r"(LIA_|sin_LIA_|quicklook).*|.*_(filtered|state|BorderMask|LayoverShadow)", re.IGNORECASE
)
"""Names of other files that a folder of tiles holds, without their ends."""

_DEEPEST = 6
"""Levels of folders: the five of S1-L1-ORTHO/31TGL/2018/07/20, and one more."""
_MOST = 20_000
"""GeoTIFFs below a folder: a tile's have some hundred."""


class Source(NamedTuple):
    """A file of a request.

    Attributes
    ----------
    path : Path
        GeoTIFF.
    folder : Path
        Where it lies below the folder that was given; empty where it was listed.
    listed : bool
        Whether it was named by itself.
    """

    path: Path
    folder: Path
    listed: bool


def find_files(request: MultitemporalFilterRequest) -> Iterator[Source]:
    """Find the files of a request.

    Hidden files and folders, products (SAFE), masks and what the filter writes are left out, as
    are links to folders and links that lead out of the folder that was given.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        Names files or folders, and the tile.

    Yields
    ------
    Source
        Of a folder in alphabetical order.

    Raises
    ------
    InputError
        A folder cannot be read.
    RequestError
        Far too many files below a folder.
    """
    for path in request.series:
        if not path.is_dir():
            yield Source(path, Path(), listed=True)
            continue
        for number, file in enumerate(_below(path, path.resolve(), _DEEPEST)):
            if number >= _MOST:
                raise RequestError("series", f"a folder of at most {_MOST} GeoTIFFs", path.name)
            if request.tile in (None, tile_of(file.name) or request.tile):
                yield Source(file, file.parent.relative_to(path), listed=False)


def _below(folder: Path, root: Path, levels: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder.name} cannot be read: {error.strerror}") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if levels and not entry.is_symlink() and entry.suffix != ".SAFE":
                yield from _below(entry, root, levels - 1)
        elif _is_candidate(entry) and (not entry.is_symlink() or _leads_below(entry, root)):
            yield entry


def _is_candidate(file: Path) -> bool:
    is_tiff = file.suffix.lower() in (".tif", ".tiff")
    return is_tiff and not _NO_ACQUISITION.fullmatch(file.stem)


def _leads_below(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # to nothing, or to itself
        return False
