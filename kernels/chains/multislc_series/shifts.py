"""Azimuth shifts of the new dates of a series, from the overlaps of bursts of pairs of dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from kernels.chains.dinsar_pair.seams import find_seams
from kernels.chains.multislc_series.making import Making, Work
from kernels.chains.multislc_series.windows import Windows, shift_of_pair, write_windows
from kernels.engine.progress import Progress
from kernels.insar.esd_network import NetworkShifts, ShiftOfPair, solve_shifts
from kernels.insar.networks import Pair

_NEIGHBOURS = 3
"""Dates before and after, in time, with which a date is compared."""
_TRUSTED_STEP = 0.005
"""Lines: a smaller step is not worth another look; Doppler centroids err by less than 1 %."""
_MOST_TURNS = 3
_OVERLAPS = "overlaps"


class _Network:
    """The pairs of dates, and what they say so far."""

    def __init__(self, making: Making, works: Sequence[Work], reference: int) -> None:
        self._making = making
        self._works = works
        self._reference = reference
        self.seams = tuple(seam for seam in find_seams(making.frame.swaths) if seam.within_swath)
        self._windows = [Windows(making.store.date_folder(work.date) / _OVERLAPS) for work in works]
        self.links: dict[Pair, ShiftOfPair | None] = {}

    def look(self, moving: Sequence[int], progress: Progress) -> None:
        """Resample the overlaps of some dates with their trial shifts."""
        for done, k in enumerate(moving):
            work = self._works[k]
            part = progress.part(done / len(moving), (done + 1) / len(moving))
            with work.judged():
                write_windows(
                    self._windows[k],
                    self.seams,
                    self._making.open(work, work.trial),
                    self._making.dem,
                    taps=self._making.frame.request.kernel,
                    threads=self._making.threads,
                    progress=part.named(f"{work.date.text} overlaps of bursts"),
                )

    def compare(self, moving: Sequence[int], progress: Progress) -> None:
        """Estimate the shifts of all pairs in which one of some dates is."""
        usable = [k for k, work in enumerate(self._works) if not work.problem]
        wanted = [pair for pair in self._pairs(usable) if set(pair) & set(moving)]
        for done, pair in enumerate(wanted):
            progress.update(done / len(wanted), "spectral diversity of pairs of dates")
            progress.check()
            self.links[pair] = shift_of_pair(
                pair,
                self.seams,
                (self._windows[pair[0]], self._windows[pair[1]]),
                self._windows[self._reference],
                threshold=self._making.frame.request.esd_threshold,
            )

    def _pairs(self, usable: Iterable[int]) -> list[Pair]:
        """Each date with its neighbours in time, and with the reference."""
        order = list(usable)
        return [
            (order[a], order[b])
            for a, b in combinations(range(len(order)), 2)
            if b - a <= _NEIGHBOURS or self._reference in {order[a], order[b]}
        ]

    def solve(self) -> NetworkShifts:
        """Solve for what is left of the shifts; dates of the store are held."""
        fixed = {k: work.rest for k, work in enumerate(self._works) if work.is_kept}
        usable = {k for k, work in enumerate(self._works) if not work.problem}
        said = [link for link in self.links.values() if link is not None]
        return solve_shifts(
            len(self._works),
            [link for link in said if usable >= set(link.pair)],
            fixed | {self._reference: 0.0},
        )


def find_shifts(
    making: Making, works: Sequence[Work], reference: int, progress: Progress
) -> dict[str, Any]:
    """Find the azimuth shifts of new dates; those of dates in the store stay as they are.

    Never fails for what the images hold: where they tell nothing the orbits are trusted, and the
    date gets a warning.

    Parameters
    ----------
    making : Making
        What dates are made with.
    works : sequence of Work
        All dates in order of time; `trial` and `rest` of the new ones are set.
    reference : int
        Number of the reference.
    progress : Progress
        Told of dates and pairs.

    Returns
    -------
    dict
        Findings for the report.
    """
    network = _Network(making, works, reference)
    if making.frame.request.esd == "off":
        return {"esd": "off"}
    if not network.seams:
        return {"esd": "no overlaps of bursts"}
    moving = [k for k, work in enumerate(works) if work.is_new]
    for turn in range(_MOST_TURNS):
        part = progress.part(turn / _MOST_TURNS, (turn + 1) / _MOST_TURNS)
        network.look(moving, part.part(0.0, 0.8))
        network.compare(moving, part.part(0.8, 1.0))
        found = network.solve()
        for k, work in enumerate(works):
            if work.is_new:
                work.rest = float(found.shifts[k])
        moving = [k for k, work in enumerate(works) if work.is_new and _is_large(work.rest)]
        if not moving or turn == _MOST_TURNS - 1:
            break
        for k in moving:
            works[k].trial += works[k].rest
    for k, work in enumerate(works):
        if work.is_new and not found.known[k]:
            work.warnings.append(
                "coherence is too low for spectral diversity, the orbits are trusted"
            )
    return _describe(works, network.links, found)


def _is_large(shift: float) -> bool:
    return abs(shift) > _TRUSTED_STEP


def _describe(
    works: Sequence[Work], links: dict[Pair, ShiftOfPair | None], found: NetworkShifts
) -> dict[str, Any]:
    residuals = found.residuals[found.used]
    return {
        "esd": "network",
        "pairs": len(links),
        "pairs_without_coherence": sum(link is None for link in links.values()),
        "pairs_that_contradict": int((~found.used).sum()),
        "residual_rms_lines": float(np.sqrt(np.mean(residuals**2))) if residuals.size else None,
        "shifts_lines": {
            work.date.text: round(work.shift, 7) for work in works if not work.problem
        },
    }
