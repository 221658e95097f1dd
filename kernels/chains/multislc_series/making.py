"""A date of a series while it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.multislc_series.images import Heights
from kernels.chains.multislc_series.opening import Frame, open_date
from kernels.chains.multislc_series.stack import SeriesDate
from kernels.chains.multislc_series.store import Store
from kernels.errors import InputError
from kernels.insar.adjustment import Adjustment, Plane
from kernels.model import Dem


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What all dates are made with.

    Attributes
    ----------
    frame : Frame
        The reference.
    dem : Dem
        Terrain under it.
    heights : Heights
        Of its pixels.
    store : Store
        Keeps the images.
    threads : int
        Computing threads.
    """

    frame: Frame
    dem: Dem
    heights: Heights
    store: Store
    threads: int

    def open(self, work: Work, shift: float = 0.0) -> tuple[SwathPair, ...]:
        """Open a date, anew each time: annotations and files of all dates would be too many.

        Parameters
        ----------
        work : Work
            The date.
        shift : float
            In azimuth [lines], added to what the amplitudes tell.

        Returns
        -------
        tuple of SwathPair
            With the reference.

        Raises
        ------
        InputError
            As `open_date`.
        """
        if work.is_reference:
            return self.frame.swaths
        pairs = open_date(self.frame, work.date.paths)
        if work.matched:
            both = zip(pairs, work.matched, strict=True)
            pairs = tuple(replace(pair, adjustments=known) for pair, known in both)
        return pairs if shift == 0.0 else tuple(_shifted(pair, shift) for pair in pairs)


def _shifted(pair: SwathPair, shift: float) -> SwathPair:
    step = Adjustment(lines=Plane(shift))
    return replace(
        pair,
        adjustments={
            one.burst.index: pair.adjustments.get(one.burst.index, Adjustment()).plus(step)
            for one in pair.layout.placements
        },
    )


@dataclass(slots=True, kw_only=True)
class Work:
    """A date while it is made.

    Attributes
    ----------
    date : SeriesDate
        Which one.
    is_reference : bool
        Whether it is the reference.
    matched : tuple of dict of int to Adjustment
        What the amplitudes tell of the bursts of each swath; empty where they are not asked.
    record : dict
        Of an earlier run; empty where it has to be made.
    trial : float
        Shift that its overlaps were resampled with [lines].
    rest : float
        What spectral diversity found beyond [lines].
    problem : str
        Why it cannot be used; empty where it can.
    """

    date: SeriesDate
    is_reference: bool
    matched: tuple[dict[int, Adjustment], ...] = ()
    record: dict[str, Any] = field(default_factory=dict)
    trial: float = 0.0
    rest: float = 0.0
    warnings: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether an earlier run made it."""
        return bool(self.record)

    @property
    def is_new(self) -> bool:
        """Whether it is to be made, and can be as far as is known."""
        return not self.record and not self.problem

    @property
    def shift(self) -> float:
        """Azimuth shift that is to be resampled away [lines]."""
        return self.trial + self.rest

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Note what makes the date unusable, instead of raising it."""
        try:
            yield
        except InputError as error:
            self.problem = str(error)
