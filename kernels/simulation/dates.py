"""The dates of a series, and which of their bursts see the same ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kernels.engine.bands import Band
from kernels.model import SlcProduct
from kernels.simulation.locate_numba import Motion, Terrain, find_zero_doppler
from kernels.simulation.mapping_numba import TIME_TOLERANCE, ground_under, view_line
from kernels.simulation.orbit import tabulate
from kernels.simulation.view import View, view_of

Selection = dict[int, Band]
"""Lines to fill of some bursts, by index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """One date of a series as its images are made.

    Attributes
    ----------
    images : tuple of SlcProduct
        One per swath, in the same order for every date.
    motion : Motion
        What lengthens its ranges.
    misregistration : float
        Line l of the files truly is line l + misregistration.
    """

    images: tuple[SlcProduct, ...]
    motion: Motion
    misregistration: float

    def views(self, swath: int) -> tuple[View, ...]:
        """Tables of the bursts of a swath, by its place among the images."""
        image = self.images[swath]
        first, last = image.bursts[0].grid, image.bursts[-1].grid
        stop = last.first_line_time + last.shape.lines * last.line_interval
        orbit = tabulate(
            image.state_vectors,
            epoch=image.grid.epoch,
            about=0.5 * (first.first_line_time + stop),
        )
        return tuple(
            view_of(burst, orbit=orbit, motion=self.motion, misregistration=self.misregistration)
            for burst in image.bursts
        )


def overlying_burst(view: View, others: Sequence[View], terrain: Terrain) -> int:
    """Find the burst of another image whose middle lies nearest to this one's.

    Parameters
    ----------
    view : View
        A burst.
    others : sequence of View
        The bursts of the same swath on another date.
    terrain : Terrain
        Of the scene.

    Returns
    -------
    int
        Place in `others`.
    """
    middle = view.ramp.middle_line
    distances = [
        abs(_line_seen(view, middle, other, terrain) - other.ramp.middle_line) for other in others
    ]
    return int(np.argmin(distances))


def seen_lines(view: View, within: Band, other: View, terrain: Terrain) -> tuple[float, float]:
    """Lines of another view at the first and last of some lines of a view, at near range."""
    last = within.first + within.rows - 1
    return (
        _line_seen(view, within.first, other, terrain),
        _line_seen(view, last, other, terrain),
    )


def _line_seen(view: View, line: float, other: View, terrain: Terrain) -> float:
    """Line at which another view sees the near end of a line of a view."""
    sight = ground_under(view, terrain, line, 0.0)
    point = (sight.x, sight.y, sight.z)
    seen, distance = find_zero_doppler(other.orbit, point, other.orbit.middle, TIME_TOLERANCE)
    return float(view_line(other, seen, distance))
