"""The bursts of a swath on one continuous grid of lines."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from kernels.errors import ProductError
from kernels.model import Burst, RadarGrid, Shape

_LARGEST_MISFIT = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What one burst gives to the swath.

    Attributes
    ----------
    burst : Burst
        The reference burst.
    partner : Burst or None
        The secondary burst; None where there is none.
    origin : int
        Swath line of the burst's line 0.
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


def lay_out(
    bursts: tuple[Burst, ...], partners: dict[int, Burst], *, azimuth_looks: int
) -> SwathLayout:
    """Merge bursts at the middle of their overlaps.

    Bursts of one swath lie on a common grid of lines. A seam is moved to the nearest border of
    look cells, so that every cell comes from one burst.

    Parameters
    ----------
    bursts : tuple of Burst
        In azimuth order.
    partners : dict of int to Burst
        Secondary bursts by the index of their reference burst.
    azimuth_looks : int
        Lines of a look cell.

    Returns
    -------
    SwathLayout
        From line 0 of the first burst to the last whole cell of the last one.

    Raises
    ------
    ProductError
        Bursts that are not on a common grid or that do not follow each other.
    """
    first = bursts[0].grid
    origins = []
    for burst in bursts:
        position = (burst.grid.first_line_time - first.first_line_time) / first.line_interval
        if abs(position - round(position)) > _LARGEST_MISFIT:
            raise ProductError(
                f"burst {burst.index + 1} is {position - round(position):.3f} lines off the "
                f"grid of the swath, at most {_LARGEST_MISFIT} is allowed"
            )
        origins.append(round(position))
    borders = [0]
    for k in range(len(bursts) - 1):
        end = origins[k] + _valid_lines(bursts[k])[1]
        begin = origins[k + 1] + _valid_lines(bursts[k + 1])[0]
        borders.append(round(0.5 * (end + 1 + begin) / azimuth_looks) * azimuth_looks)
    lines = origins[-1] + bursts[-1].grid.shape.lines
    borders.append(lines // azimuth_looks * azimuth_looks)
    if any(b <= a for a, b in itertools.pairwise(borders)):
        raise ProductError("the bursts of the swath do not follow each other in time")
    return SwathLayout(
        grid=replace(first, shape=Shape(borders[-1], first.shape.samples)),
        placements=tuple(
            Placement(
                burst=burst,
                partner=partners.get(burst.index),
                origin=origins[k],
                start=borders[k],
                stop=borders[k + 1],
            )
            for k, burst in enumerate(bursts)
        ),
    )


def _valid_lines(burst: Burst) -> tuple[int, int]:
    """First and last line that carries signal."""
    lines = np.flatnonzero(burst.first_valid_sample >= 0)
    if lines.size == 0:
        return 0, burst.grid.shape.lines - 1
    return int(lines[0]), int(lines[-1])
