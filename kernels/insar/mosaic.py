"""The bursts of a swath on one continuous grid of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.burst_lines import place_bursts, valid_lines
from kernels.model import Burst, Looks, RadarGrid, Shape

MISSING = -1
"""Index of a burst that the reference should have between two of its bursts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What one burst gives to the swath.

    Attributes
    ----------
    burst : Burst
        The reference burst; one of index MISSING, without valid samples, where there is none.
    partner : Burst or None
        The secondary burst; None where there is none.
    origin : int
        Swath line of the burst's line 0; below 0 where the first cell begins later.
    start, stop : int
        Swath lines taken from this burst, the second not included.
    """

    burst: Burst
    partner: Burst | None
    origin: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SwathLayout:
    """A swath as bursts one after the other.

    Attributes
    ----------
    grid : RadarGrid
        Of the whole swath; a whole number of look cells in azimuth.
    placements : tuple of Placement
        In azimuth order; together they cover every line once.
    """

    grid: RadarGrid
    placements: tuple[Placement, ...]

    def valid_ranges(self, looks: Looks) -> NDArray[np.float64]:
        """Where the signal begins and ends in range.

        Parameters
        ----------
        looks : Looks
            Of the interferogram.

        Returns
        -------
        ndarray of float64, shape (rows of cells, 2)
            Slant ranges of the first and last sample that are valid in all lines of a burst
            [m]; NaN where there is no pair of bursts.
        """
        ranges = np.full((self.grid.shape.lines // looks.azimuth, 2), np.nan)
        for placement in self.placements:
            burst = placement.burst
            known = burst.first_valid_sample >= 0
            if placement.partner is None or not known.any():
                continue
            edges = burst.first_valid_sample[known].max(), burst.last_valid_sample[known].min()
            rows = slice(placement.start // looks.azimuth, placement.stop // looks.azimuth)
            ranges[rows] = self.grid.slant_range(np.array(edges, np.float64))
        return ranges


def lay_out(
    bursts: tuple[Burst, ...],
    partners: dict[int, Burst],
    *,
    azimuth_looks: int,
    first_line: int = 0,
) -> SwathLayout:
    """Merge bursts at the middle of their overlaps.

    Parameters
    ----------
    bursts : tuple of Burst
        In azimuth order.
    partners : dict of int to Burst
        Secondary bursts by the index of their reference burst.
    azimuth_looks : int
        Lines of a look cell.
    first_line : int
        Of the first burst, where the first cell begins.

    Returns
    -------
    SwathLayout
        From the first line to the last whole cell of the last burst; where neighbours do not
        touch there is a placement of index MISSING between them.

    Raises
    ------
    ProductError
        Bursts that are not on a common grid or that do not follow each other.
    """
    pieces = place_bursts(
        _without_gaps(bursts, azimuth_looks=azimuth_looks, first_line=first_line),
        azimuth_looks=azimuth_looks,
        first_line=first_line,
    )
    first = bursts[0].grid
    lines = pieces[-1].stop - first_line
    return SwathLayout(
        grid=first.window(first_line, 0, Shape(lines, first.shape.samples)),
        placements=tuple(
            Placement(
                burst=piece.burst,
                partner=partners.get(piece.burst.index),
                origin=piece.origin - first_line,
                start=piece.start - first_line,
                stop=piece.stop - first_line,
            )
            for piece in pieces
        ),
    )


def _without_gaps(
    bursts: Sequence[Burst], *, azimuth_looks: int, first_line: int
) -> tuple[Burst, ...]:
    """Put bursts without signal between bursts that do not touch.

    They hold the cells that neither neighbour fills.
    """
    grid = bursts[0].grid
    filled = [bursts[0]]
    for before, after in pairwise(bursts):
        ends = [
            round((burst.grid.first_line_time - grid.first_line_time) / grid.line_interval) + line
            for burst, line in (
                (before, valid_lines(before)[1] + 1),
                (after, valid_lines(after)[0]),
            )
        ]
        if ends[0] < ends[1]:
            start = first_line + (ends[0] - first_line) // azimuth_looks * azimuth_looks
            stop = first_line - (first_line - ends[1]) // azimuth_looks * azimuth_looks
            nothing = np.full(stop - start, -1, np.int32)
            filled.append(
                replace(
                    before,
                    index=MISSING,
                    grid=grid.window(start, 0, Shape(stop - start, grid.shape.samples)),
                    first_valid_sample=nothing,
                    last_valid_sample=nothing,
                    identifier=None,
                )
            )
        filled.append(after)
    return tuple(filled)


def first_cell(grid: RadarGrid, cells: RadarGrid, looks: Looks) -> Shape:
    """Find where look cells of a swath begin so that they continue those of another one.

    Parameters
    ----------
    grid : RadarGrid
        Of the swath's first burst.
    cells : RadarGrid
        Lines and samples of the other swath, whose first cell begins at line 0 and sample 0.
    looks : Looks
        Of both.

    Returns
    -------
    Shape
        Lines and samples before the first cell; what remains is at most half of each.
    """
    lines = round((grid.first_line_time - cells.first_line_time) / cells.line_interval)
    samples = round(float(cells.sample(grid.first_slant_range)))
    return Shape(-lines % looks.azimuth, -samples % looks.range)
