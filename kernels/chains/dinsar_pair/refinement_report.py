"""The report's section on what the overlaps of bursts and swaths told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.dinsar_pair.seams import Seam, Sight, number_bursts
from kernels.insar.esd import FEWEST_CELLS, OverlapFit, Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """How an estimation went.

    Attributes
    ----------
    seams : tuple of Seam
        Overlaps of bursts and of swaths.
    groups : ndarray of int64, shape (bursts,)
        Which constant each burst has.
    constants : ndarray of float64, shape (groups,)
        Applied so far [rad].
    shift : float
        Applied so far [lines].
    before, after : tuple of Sight
        First look at the seams, and the last one less what was applied after it.
    fits : tuple of OverlapFit or None
        Of the seams in the last solution; None where it did not hear them.
    solutions : tuple of Solution
        All of them.
    """

    seams: tuple[Seam, ...]
    groups: NDArray[np.int64]
    constants: NDArray[np.float64]
    shift: float = 0.0
    before: tuple[Sight, ...] = ()
    after: tuple[Sight, ...] = ()
    fits: tuple[OverlapFit | None, ...] = ()
    solutions: tuple[Solution, ...] = ()

    def adjusted(
        self, sights: tuple[Sight, ...], solution: Solution, heard: list[bool]
    ) -> Refinement:
        """Take in a look at the seams, and the solution that was made of it and applied."""
        fits = iter(solution.fits)
        return replace(
            self,
            shift=self.shift + solution.shift,
            constants=np.angle(np.exp(1j * (self.constants + solution.constants))),
            before=self.before or sights,
            after=tuple(
                sight.less(
                    solution.shift,
                    solution.constants[self.groups[seam.first.number]]
                    - solution.constants[self.groups[seam.second.number]],
                )
                for seam, sight in zip(self.seams, sights, strict=True)
            ),
            fits=tuple(next(fits) if listened else None for listened in heard),
            solutions=(*self.solutions, solution),
        )


def describe_refinement(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...], found: Refinement
) -> dict[str, Any]:
    """Describe an estimation.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        The swaths.
    found : Refinement
        How it went.

    Returns
    -------
    dict
        Ready for JSON; None stands for what is not known.
    """
    first, last = found.solutions[0], found.solutions[-1]
    return {
        "esd": request.esd,
        "phase_offsets": request.phase_offsets,
        "coherence_threshold": request.esd_threshold,
        "shift_lines": _number(found.shift, 7),
        "standard_deviation_lines": _number(last.deviation, 7),
        "unambiguous_within_lines": _number(first.limit, 4),
        "steps_lines": [_number(step.shift, 7) for step in found.solutions],
        "shift_by_swath_lines": _by_swath(pairs, found),
        "phase_offsets_rad": _offsets(pairs, found),
        "seams": [_describe_seam(pairs, found, place) for place in range(len(found.seams))],
        "burst_seams": _jumps(found, within_swath=True),
        "swath_seams": _jumps(found, within_swath=False),
        "warnings": _warnings(request, found),
    }


def _number(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _describe_seam(pairs: tuple[SwathPair, ...], found: Refinement, place: int) -> dict[str, Any]:
    seam, sight, fit = found.seams[place], found.after[place], found.fits[place]
    description: dict[str, Any] = {
        "bursts": [
            f"{pairs[side.swath].reference.swath} {side.placement.burst.index + 1}"
            for side in (seam.first, seam.second)
        ],
        "doppler_difference_hz": _number(sight.frequency, 2),
        "cells": sight.all_cells,
        "coherent_cells": sight.cells.phases.size,
        "coherence": _number(sight.coherence, 4),
        "jump_before_rad": _number(found.before[place].cells.mean_phase, 5),
        "jump_rad": _number(sight.cells.mean_phase, 5),
    }
    if sight.problem:
        description["problem"] = sight.problem
    if fit is not None:
        description |= {"used": fit.used, "weight": _number(fit.weight, 4)}
        if math.isfinite(fit.shift):
            description |= {
                "shift_lines": _number(found.shift - found.solutions[-1].shift + fit.shift, 7),
                "standard_deviation_lines": _number(fit.deviation, 7),
            }
    return description


def _by_swath(pairs: tuple[SwathPair, ...], found: Refinement) -> dict[str, float | None]:
    """Average what the overlaps of each swath alone say, where they hold no constants."""
    shifts = {}
    for swath, pair in enumerate(pairs):
        own = [
            fit
            for seam, fit in zip(found.seams, found.fits, strict=True)
            if fit is not None and fit.used and seam.within_swath and seam.first.swath == swath
        ]
        total = sum(fit.weight for fit in own)
        if total > 0.0:
            mean = sum(fit.weight * fit.shift for fit in own) / total
            shifts[pair.reference.swath] = _number(
                found.shift - found.solutions[-1].shift + mean, 7
            )
    return shifts


def _offsets(pairs: tuple[SwathPair, ...], found: Refinement) -> dict[str, float | None]:
    """Constants by burst, as far as any were estimated."""
    if found.constants.size == 1:
        return {}
    return {
        f"{pairs[swath].reference.swath} {placement.burst.index + 1}": _number(
            float(found.constants[group]), 5
        )
        for (swath, placement), group in zip(number_bursts(pairs), found.groups, strict=True)
    }


def _jumps(found: Refinement, *, within_swath: bool) -> dict[str, float | int | None]:
    """Size of the mean jumps at the seams of one kind, before and after."""
    own = [place for place, seam in enumerate(found.seams) if seam.within_swath == within_swath]
    jumps = [
        [abs(sights[place].cells.mean_phase) for place in own if sights[place].cells.phases.size]
        for sights in (found.before, found.after)
    ]
    return {
        "seams": len(own),
        "mean_jump_before_rad": _number(float(np.mean(jumps[0])) if jumps[0] else math.nan, 5),
        "mean_jump_rad": _number(float(np.mean(jumps[1])) if jumps[1] else math.nan, 5),
        "largest_jump_rad": _number(max(jumps[1], default=math.nan), 5),
    }


def _warnings(request: DinsarPairRequest, found: Refinement) -> list[str]:
    """One line for everything that the user should know of the result."""
    last, warnings = found.solutions[-1], []
    heard = [sight for sight, fit in zip(found.after, found.fits, strict=True) if fit is not None]
    if not heard:
        warnings.append(
            "no two bursts overlap: the azimuth shift is that of the orbits, none was estimated"
        )
    elif not any(fit is not None and fit.used for fit in found.fits):
        best = max(sight.coherence for sight in heard)
        warnings.append(
            f"too little coherence where bursts overlap, at most {best:.2f} on the average: fewer "
            f"than {FEWEST_CELLS} cells reach {request.esd_threshold}; coregistration is that of "
            "the orbits"
        )
    elif not last.known:
        reason = (
            "the overlaps contradict each other"
            if request.phase_offsets == "none"
            else "it cannot be told from the constant phases of the bursts"
        )
        warnings.append(f"the azimuth shift is that of the orbits: {reason}")
    if not last.connected:
        warnings.append(
            "not all bursts are connected by coherent overlaps: the constant phases of the others "
            "cannot be compared"
        )
    if any(solution.ambiguous for solution in found.solutions):
        warnings.append(
            f"the azimuth shift may be beyond what overlaps can tell, "
            f"{found.solutions[0].limit:.3f} lines: better orbits are needed"
        )
    return warnings
