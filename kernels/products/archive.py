"""Which products of an archive of folders answer a question, without opening their pixels.

Names tell time, orbit, mode and polarisations; of those that are left, the manifests tell
direction and footprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from kernels.engine.progress import Progress
from kernels.errors import InputError, ProductError, RequestError
from kernels.geometry.footprints import may_touch
from kernels.geometry.mgrs import tile_outline, tiles_touched
from kernels.products.annotation_head import relative_orbit
from kernels.products.folder_search import LeftOut, find_below
from kernels.products.manifest import parse_frame
from kernels.products.safe import MANIFEST, open_safe
from kernels.products.sentinel1_names import ProductName, parse_product_name

_PASS_OVER_A_TILE = timedelta(minutes=3)
"""More than the slices over one tile take together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for; the names are those of the options of requests.

    Attributes
    ----------
    first_day, last_day : date
        UTC days of the start of acquisition, both included.
    tiles : tuple of str
        Tiles of Sentinel-2, of which a product touches at least one.
    mode : str
        IW, EW or SM.
    polarisations : tuple of str
        A product holds at least one of them; empty: any.
    relative_orbit : int or None
        Of the first slice of a pass over a tile; None: any.
    direction : "ascending", "descending" or None
        Of the pass; None: any.
    """

    first_day: date
    last_day: date
    tiles: tuple[str, ...]
    mode: str = "IW"
    polarisations: tuple[str, ...] = ()
    relative_orbit: int | None = None
    direction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A product that answers a question.

    Attributes
    ----------
    path : Path
        SAFE folder or zip.
    name : ProductName
        Platform, times, orbit and polarisations.
    relative_orbit : int
        1 to 175, at the start.
    ascending : bool
        Direction of the pass.
    footprint : ndarray of float64, shape (n, 2)
        Longitudes and latitudes [degrees] of the corners.
    tiles : tuple of str
        Those of the question that it touches.
    """

    path: Path
    name: ProductName
    relative_orbit: int
    ascending: bool
    footprint: NDArray[np.float64]
    tiles: tuple[str, ...]


class Answer(NamedTuple):
    """Products in order of time, and what could not be used."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]


class NamedProduct(NamedTuple):
    """A product and what its name tells."""

    path: Path
    name: ProductName

    @property
    def relative_orbit(self) -> int:
        """Track number at the start, 1 to 175."""
        return relative_orbit(self.name.platform, self.name.absolute_orbit)


def choose_products(places: Sequence[Path], question: Question, progress: Progress) -> Answer:
    """Choose the detected products of an archive that answer a question.

    Parameters
    ----------
    places : sequence of Path
        Products (SAFE folders or zips), and folders that hold products at any depth up to `DEPTH`.
    question : Question
        What is looked for.
    progress : Progress
        Asked for cancellation.

    Returns
    -------
    Answer
        Beside the products that start on the days asked for, those that may continue or begin
        the same pass on the next or previous day, or beyond the change of orbit at the node.

    Raises
    ------
    RequestError
        Nothing is left by one of the rules of the question; names that rule.
    InputError
        A place is neither a product nor a folder, or no place holds a detected product.
    """
    listed, left_out = list_products(places, progress)
    shown = ", ".join(sorted({place.name for place in places}))
    named = [item for item in listed if item.name.product_type == "GRD"]
    if not named:
        raise InputError(f"products must hold Sentinel-1 GRD products, got none in {shown}")
    named = _by_names(named, question)
    candidates: list[Candidate] = []
    for item in sorted(named, key=lambda item: (item.name.start, item.name.text)):
        progress.check()
        try:
            candidates.append(_placed(item, question))
        except ProductError as error:
            left_out.append(LeftOut(item.name.text, str(error)))
    if not candidates:
        raise InputError(f"products of those days must be readable: {left_out[-1].reason}")
    directions = {_direction(item) for item in candidates}
    if question.direction is not None and question.direction not in directions:
        rule = f"that of a product found: {', '.join(sorted(directions))}"
        raise RequestError("direction", rule, question.direction)
    found = [
        item for item in candidates if item.tiles and question.direction in (None, _direction(item))
    ]
    if not found:
        rule = "touched by a product that answers the request"
        raise RequestError("tiles", rule, ", ".join(question.tiles))
    return Answer(tuple(found), tuple(left_out))


def _by_names(named: list[NamedProduct], question: Question) -> list[NamedProduct]:
    """Keep what may answer by its name; refuse the question by the first rule that keeps none."""
    named = [item for item in named if item.name.mode == question.mode] or _refuse(
        "mode", {item.name.mode for item in named}, question.mode
    )
    days = sorted(item.name.start.date() for item in named)
    first, last = question.first_day, question.last_day
    if not any(first <= day <= last for day in days):
        rule = f"with last_day around a product; those found start from {days[0]} to {days[-1]}"
        raise RequestError("first_day", rule, f"{first} to {last}")
    begin = datetime.combine(first, datetime.min.time()) - _PASS_OVER_A_TILE
    end = datetime.combine(last, datetime.max.time()) + _PASS_OVER_A_TILE
    named = [item for item in named if begin <= item.name.start <= end]
    wanted = set(question.polarisations)
    if wanted:
        named = [item for item in named if wanted & set(item.name.polarisations)] or _refuse(
            "polarisations",
            {polarisation for item in named for polarisation in item.name.polarisations},
            ", ".join(question.polarisations),
        )
    orbit = question.relative_orbit
    if orbit is None:
        return named
    if not any(item.relative_orbit == orbit for item in named):
        _refuse("relative_orbit", {item.relative_orbit for item in named}, orbit)
    # a pass over the ascending node has slices of two orbits
    return [item for item in named if (item.relative_orbit - orbit + 1) % 175 <= 2]


def _refuse(argument: str, there: set[str] | set[int], value: object) -> NoReturn:
    rule = f"that of a product found: {', '.join(map(str, sorted(there)))}"
    raise RequestError(argument, rule, value)


def _direction(item: Candidate) -> str:
    return "ascending" if item.ascending else "descending"


def _placed(item: NamedProduct, question: Question) -> Candidate:
    safe = open_safe(item.path)
    frame = parse_frame(safe.read(MANIFEST), origin=f"{item.name.text} {MANIFEST}")
    near = any(may_touch(frame.footprint, tile_outline(tile)) for tile in question.tiles)
    touched = {tile.name for tile in tiles_touched(frame.footprint)} if near else set()
    return Candidate(
        path=item.path,
        name=item.name,
        relative_orbit=item.relative_orbit,
        ascending=frame.ascending,
        footprint=frame.footprint,
        tiles=tuple(tile for tile in dict.fromkeys(question.tiles) if tile in touched),
    )


def list_products(
    places: Sequence[Path], progress: Progress
) -> tuple[list[NamedProduct], list[LeftOut]]:
    """Find everything that is named as a Sentinel-1 product.

    Parameters
    ----------
    places : sequence of Path
        Products and folders, searched as `find_below` does.
    progress : Progress
        Asked for cancellation.

    Returns
    -------
    products : list of NamedProduct
        In no order, each path once.
    left_out : list of LeftOut
        Folders that cannot be listed.

    Raises
    ------
    InputError
        A place is neither a product nor a folder.
    """
    return find_below(places, _product, progress, kinds="Sentinel-1 products")


def _product(path: Path) -> NamedProduct | None:
    """Product at a path; None of anything else, and of a folder that is not complete."""
    try:
        is_product = path.suffix == ".zip" if path.is_file() else (path / MANIFEST).is_file()
        return NamedProduct(path, parse_product_name(path.name)) if is_product else None
    except (ProductError, OSError):
        return None
