"""A swath in pieces: what is read, judged and kept as one, and the bands that it is computed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.engine.bands import Band, rows_for_budget, split_rows
from kernels.insar.burst_pair import BurstPair
from kernels.insar.mosaic import MISSING, Placement

_LARGEST_PIECE = 2048
"""Lines: more than a burst has, so that only StripMap images are cut."""
LARGEST_BAND = 256
"""Lines of a band: more would not shorten the halo's share of the work noticeably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A burst, or some lines of a StripMap image.

    Attributes
    ----------
    placement : Placement
        Of the burst.
    lines : Band
        Of the swath.
    rows : Band
        Of look cells in the swath.
    name : str
        For people, with the swath.
    """

    placement: Placement
    lines: Band
    rows: Band
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Some lines of one piece.

    Attributes
    ----------
    piece : Piece
        Which one.
    pair : BurstPair or None
        None where there is nothing to read: the task is all of its piece.
    lines : Band
        Of the burst.
    rows : Band
        Of look cells in the swath.
    """

    piece: Piece
    pair: BurstPair | None
    lines: Band
    rows: Band

    @property
    def is_last(self) -> bool:
        """Whether the piece ends with it."""
        return sum(self.rows) == sum(self.piece.rows)


def cut_pieces(pair: SwathPair) -> tuple[Piece, ...]:
    """Cut a swath into pieces, whatever the memory budget.

    Parameters
    ----------
    pair : SwathPair
        Opened swath.

    Returns
    -------
    tuple of Piece
        In order of lines; together they cover every row once.
    """
    looks, swath = pair.looks, pair.reference.swath
    pieces = []
    for placement in pair.layout.placements:
        cuts = split_rows(
            placement.stop - placement.start,
            band_rows=_LARGEST_PIECE,
            multiple=looks.azimuth,
            first=placement.start,
        )
        for lines in cuts:
            name = f"{swath} burst {placement.burst.index + 1}"
            if placement.burst.index == MISSING:
                name = f"{swath} without a burst"
            if len(cuts) > 1:
                name = f"{swath} lines {lines.first + 1} to {sum(lines)}"
            rows = Band(lines.first // looks.azimuth, lines.rows // looks.azimuth)
            pieces.append(Piece(placement=placement, lines=lines, rows=rows, name=name))
    return tuple(pieces)


def cut_tasks(
    piece: Piece, pair: BurstPair | None, *, azimuth_looks: int, budget_bytes: float
) -> Iterator[Task]:
    """Cut a piece into bands of whole look cells that fit a memory budget.

    Parameters
    ----------
    piece : Piece
        Which one.
    pair : BurstPair or None
        Of its burst; None where there is nothing to read.
    azimuth_looks : int
        Lines of a cell.
    budget_bytes : float
        For one band [bytes].

    Yields
    ------
    Task
        In order of lines.
    """
    origin = piece.placement.origin
    if pair is None:
        lines = Band(piece.lines.first - origin, piece.lines.rows)
        yield Task(piece=piece, pair=None, lines=lines, rows=piece.rows)
        return
    rows = rows_for_budget(budget_bytes, bytes_per_row=pair.bytes_per_line)
    for band in split_rows(
        piece.lines.rows,
        band_rows=min(rows, LARGEST_BAND),
        multiple=azimuth_looks,
        first=piece.lines.first,
    ):
        yield Task(
            piece=piece,
            pair=pair,
            lines=Band(band.first - origin, band.rows),
            rows=Band(band.first // azimuth_looks, band.rows // azimuth_looks),
        )
