"""The bursts of a swath on one continuous grid of lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kernels.geometry.burst_lines import place_bursts
from kernels.model import Burst, RadarGrid, Shape


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
    pieces = place_bursts(bursts, azimuth_looks=azimuth_looks)
    first = bursts[0].grid
    return SwathLayout(
        grid=replace(first, shape=Shape(pieces[-1].stop, first.shape.samples)),
        placements=tuple(
            Placement(
                burst=piece.burst,
                partner=partners.get(piece.burst.index),
                origin=piece.origin,
                start=piece.start,
                stop=piece.stop,
            )
            for piece in pieces
        ),
    )
