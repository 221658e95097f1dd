"""From the request to the passes over every tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from kernels.chains.tiling_series.request import TilingSeriesRequest
from kernels.engine.progress import Progress
from kernels.errors import ProductError, RequestError
from kernels.products.archive import Answer, Candidate, Question, choose_products
from kernels.products.folder_search import LeftOut
from kernels.products.sentinel1 import Sentinel1Product, open_sentinel1
from kernels.products.slices import group_slices


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePass:
    """One pass over one tile.

    Attributes
    ----------
    tile : str
        Name of the tile.
    products : tuple of Path
        The slices that touch the tile, in order of time.
    names : tuple of str
        Of the products.
    start : datetime
        Of the first slice [UTC, naive], to the second.
    relative_orbit : int
        Of the first slice, 1 to 175.
    ascending : bool
        Direction of the pass.
    polarisations : tuple of str
        To be made, the co-polarised one first unless the request says otherwise.
    """

    tile: str
    products: tuple[Path, ...]
    names: tuple[str, ...]
    start: datetime
    relative_orbit: int
    ascending: bool
    polarisations: tuple[str, ...]

    @property
    def day(self) -> date:
        """UTC day on which the pass starts."""
        return self.start.date()

    @property
    def direction(self) -> str:
        """The words of requests."""
        return "ascending" if self.ascending else "descending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be made.

    Attributes
    ----------
    passes : tuple of TilePass
        In order of tiles, then of time.
    left_out : tuple of LeftOut
        Products that cannot be used.
    """

    passes: tuple[TilePass, ...]
    left_out: tuple[LeftOut, ...]


def plan_series(request: TilingSeriesRequest, progress: Progress) -> Plan:
    """Find the passes over the tiles; pixels are not opened.

    A pass over a tile is the contiguous slices that touch the tile, so that it does not depend
    on other tiles nor on what else the archive holds of the data take. It belongs to the day and
    the relative orbit at which the first of them starts.

    Parameters
    ----------
    request : TilingSeriesRequest
        Checked request.
    progress : Progress
        Told of steps; asked for cancellation.

    Returns
    -------
    Plan
        At least one pass.

    Raises
    ------
    RequestError
        No product answers the request; names the rule by which none is left.
    InputError
        There are no detected products.
    """
    progress.update(0.0, "products")
    answer = _choose(request, progress)
    left_out = list(answer.left_out)
    opened: list[tuple[Sentinel1Product, Candidate]] = []
    for candidate in answer.candidates:
        progress.check()
        try:
            opened.append((open_sentinel1(candidate.path), candidate))
        except ProductError as error:
            left_out.append(LeftOut(candidate.name.text, str(error)))
    passes = []
    for tile in dict.fromkeys(request.tiles):
        found, notes = _passes_over(tile, opened, request.polarisations)
        passes += [one for one in found if _is_wanted(one, request)]
        left_out += notes
    if not passes:
        rule = "passed over as the request says on those days"
        raise RequestError("tiles", rule, ", ".join(request.tiles))
    return Plan(passes=tuple(passes), left_out=tuple(dict.fromkeys(left_out)))


def products_of(request: TilingSeriesRequest, progress: Progress) -> tuple[Path, ...]:
    """Find the products that a series may take; only their manifests are read.

    Parameters
    ----------
    request : TilingSeriesRequest
        Checked request.
    progress : Progress
        Asked for cancellation.

    Returns
    -------
    tuple of Path
        In order of time.

    Raises
    ------
    RequestError
        No product answers the request; names the rule by which none is left.
    InputError
        There are no detected products.
    """
    return tuple(candidate.path for candidate in _choose(request, progress).candidates)


def _choose(request: TilingSeriesRequest, progress: Progress) -> Answer:
    first_day, last_day = request.days
    return choose_products(
        request.products,
        Question(
            first_day=first_day,
            last_day=last_day,
            tiles=request.tiles,
            mode=request.mode,
            polarisations=request.polarisations,
            relative_orbit=request.relative_orbit,
            direction=request.direction,
        ),
        progress,
    )


def _passes_over(
    tile: str,
    opened: Sequence[tuple[Sentinel1Product, Candidate]],
    polarisations: tuple[str, ...],
) -> tuple[list[TilePass], list[LeftOut]]:
    candidates = {product.archive.path: candidate for product, candidate in opened}
    groups = group_slices([product for product, candidate in opened if tile in candidate.tiles])
    passes = []
    left_out = [LeftOut(*_split(note)) for note in groups.notes]
    for group in groups.passes:
        names = tuple(product.name for product in group.slices)
        there = {image.polarisation for image in group.slices[0].images}
        wanted = polarisations or sorted(there, key=lambda p: (p[0] != p[1], p))
        chosen = tuple(p for p in dict.fromkeys(wanted) if p in there)
        if not chosen:
            left_out += [LeftOut(name, "has no annotation of its images") for name in names]
            continue
        first = candidates[group.slices[0].archive.path]
        passes.append(
            TilePass(
                tile=tile,
                products=tuple(product.archive.path for product in group.slices),
                names=names,
                start=group.slices[0].start,
                relative_orbit=first.relative_orbit,
                ascending=first.ascending,
                polarisations=chosen,
            )
        )
    return passes, left_out


def _split(note: str) -> tuple[str, str]:
    """Cut the name off the line that tells why a slice was left out."""
    name, _, reason = note.partition(" ")
    return name, reason


def _is_wanted(one: TilePass, request: TilingSeriesRequest) -> bool:
    first_day, last_day = request.days
    return (
        first_day <= one.day <= last_day
        and request.relative_orbit in (None, one.relative_orbit)
        and request.direction in (None, one.direction)
    )
