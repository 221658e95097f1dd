"""Single-look complex products of every sensor in folders, and what their names tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.products import cosmo_skymed, terrasar_x
from kernels.products.annotation_head import relative_orbit
from kernels.products.folder_search import LeftOut, find_below
from kernels.products.safe import MANIFEST
from kernels.products.sentinel1_names import parse_product_name

_TIMES = re.compile(r"_(\d{8})T?(\d{6})_\d{8}T?\d{6}", re.ASCII)
"""Start and stop in names of TerraSAR-X and COSMO-SkyMed."""


class NamedSlc(NamedTuple):
    """A product and what its name tells.

    Attributes
    ----------
    path : Path
        File or folder.
    name : str
        Without folder or ending.
    start : datetime
        Of sensing [UTC, naive], to the second.
    track : int or None
        Relative orbit at the start; None where names do not tell.
    polarisations : tuple of str
        Empty where names do not tell.
    """

    path: Path
    name: str
    start: datetime
    track: int | None = None
    polarisations: tuple[str, ...] = ()


def list_slc(places: Sequence[Path], progress: Progress) -> tuple[list[NamedSlc], list[LeftOut]]:
    """Find everything that is named as a single-look complex product; none is opened.

    Parameters
    ----------
    places : sequence of Path
        Products, and folders that are searched as `find_below` does.
    progress : Progress
        Asked for cancellation.

    Returns
    -------
    products : list of NamedSlc
        In order of time.
    left_out : list of LeftOut
        Folders that cannot be listed.

    Raises
    ------
    InputError
        A place is neither a product nor a folder.
    """
    found, left_out = find_below(places, named_slc, progress, kinds="SLC products")
    return sorted(found, key=lambda one: (one.start, one.name, one.path)), left_out


def named_slc(path: Path) -> NamedSlc | None:
    """Read the name of a product; None of anything else, and of a folder that is not complete."""
    if path.name.startswith("S1"):
        return _sentinel1(path)
    if path.name == MANIFEST:
        return _sentinel1(path.parent)
    if terrasar_x.NAME.fullmatch(path.stem):
        annotation = path / f"{path.name}.xml" if path.suffix != ".xml" else path
    elif cosmo_skymed.NAME.fullmatch(path.stem) and path.suffix in (".h5", ".hdf5"):
        annotation = path
    else:
        return None
    times = _TIMES.search(path.stem)
    start = times and _instant(f"{times[1]}{times[2]}", "%Y%m%d%H%M%S")
    return NamedSlc(path, path.stem, start) if start and annotation.is_file() else None


def _sentinel1(path: Path) -> NamedSlc | None:
    try:
        name = parse_product_name(path.name)
        is_there = path.is_file() if path.suffix == ".zip" else (path / MANIFEST).is_file()
    except (ProductError, OSError):
        return None
    if name.product_type != "SLC" or not is_there:
        return None
    track = relative_orbit(name.platform, name.absolute_orbit)
    return NamedSlc(path, name.text, name.start, track, name.polarisations)


def _instant(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None
