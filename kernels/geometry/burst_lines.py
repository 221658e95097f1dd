"""Bursts of a swath one after the other on one continuous grid of lines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kernels.errors import ProductError
from kernels.model import Burst

LARGEST_MISFIT = 0.01
"""Of a burst's first line to the grid of the swath, in lines: rounded times give 0.0005."""


class BurstLines(NamedTuple):
    """What one burst gives to the swath.

    Attributes
    ----------
    burst : Burst
        The burst.
    origin : int
        Swath line of the burst's line 0.
    start, stop : int
        Swath lines taken from this burst, the second not included.
    """

    burst: Burst
    origin: int
    start: int
    stop: int


def place_bursts(
    bursts: Sequence[Burst], *, azimuth_looks: int, first_line: int = 0
) -> tuple[BurstLines, ...]:
    """Cut bursts at the middle of their overlaps.

    Bursts of one swath lie on a common grid of lines. A seam is moved to the nearest border of
    look cells, so that every cell comes from one burst.

    Parameters
    ----------
    bursts : sequence of Burst
        In azimuth order.
    azimuth_looks : int
        Lines of a look cell.
    first_line : int
        Of the first burst, where the first cell begins.

    Returns
    -------
    tuple of BurstLines
        In azimuth order; together they cover every line once, from the first line to the last
        whole cell of the last burst. Lines of the swath count from line 0 of the first burst.

    Raises
    ------
    ProductError
        Bursts that are not on a common grid or that do not follow each other.
    """
    first = bursts[0].grid
    origins = []
    for burst in bursts:
        position = (burst.grid.first_line_time - first.first_line_time) / first.line_interval
        if abs(position - round(position)) > LARGEST_MISFIT:
            raise ProductError(
                f"burst {burst.index + 1} is {position - round(position):.3f} lines off the "
                f"grid of the swath, at most {LARGEST_MISFIT} is allowed"
            )
        origins.append(round(position))
    borders = [first_line]
    for k in range(len(bursts) - 1):
        end = origins[k] + valid_lines(bursts[k])[1]
        begin = origins[k + 1] + valid_lines(bursts[k + 1])[0]
        cells = round((0.5 * (end + 1 + begin) - first_line) / azimuth_looks)
        borders.append(first_line + cells * azimuth_looks)
    lines = origins[-1] + bursts[-1].grid.shape.lines
    borders.append(first_line + (lines - first_line) // azimuth_looks * azimuth_looks)
    if any(b <= a for a, b in itertools.pairwise(borders)):
        raise ProductError("the bursts of the swath do not follow each other in time")
    return tuple(
        BurstLines(burst, origin, start, stop)
        for burst, origin, (start, stop) in zip(
            bursts, origins, itertools.pairwise(borders), strict=True
        )
    )


def valid_lines(burst: Burst) -> tuple[int, int]:
    """First and last line that carries signal."""
    lines = np.flatnonzero(burst.first_valid_sample >= 0)
    if lines.size == 0:
        return 0, burst.grid.shape.lines - 1
    return int(lines[0]), int(lines[-1])
