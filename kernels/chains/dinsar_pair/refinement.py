"""Azimuth shift and constant phases from the overlaps of a pair, worked into its adjustments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.refinement_report import Refinement, describe_refinement
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.dinsar_pair.seams import (
    Seam,
    Sight,
    find_seams,
    look_at_seams,
    number_bursts,
)
from kernels.engine.progress import Progress
from kernels.insar.adjustment import Adjustment, Plane
from kernels.insar.esd import Overlap, Solution, solve
from kernels.model import Dem

_MOST_ITERATIONS = 4
_TRUSTED_STEP = 0.005
"""Lines: a smaller step is not worth another look; Doppler centroids err by less than 1 %."""


def refine(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    threads: int,
    progress: Progress,
) -> tuple[tuple[SwathPair, ...], dict[str, Any]]:
    """Estimate what the images tell beyond the geometry.

    Never fails for what the images hold: where they tell nothing, the geometry stays as it is
    and a warning says so.

    Parameters
    ----------
    request : DinsarPairRequest
        Its `esd`, `esd_threshold` and `phase_offsets` say what to estimate.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.
    threads : int
        Over overlaps.
    progress : Progress
        Told of each overlap.

    Returns
    -------
    pairs : tuple of SwathPair
        With adjustments.
    findings : dict
        For the report.
    """
    if request.esd == "off" and request.phase_offsets == "none":
        return pairs, {"esd": "off", "phase_offsets": "none", "warnings": []}
    groups = _groups(request.phase_offsets, pairs)
    seams = find_seams(pairs)
    heard = [s.within_swath or request.phase_offsets != "none" for s in seams]
    auto = request.esd in ("auto", "off")
    most = _MOST_ITERATIONS if auto else int(request.esd)
    found = Refinement(seams=seams, groups=groups, constants=np.zeros(groups.max(initial=0) + 1))
    for turn in range(most):
        sights = look_at_seams(
            seams,
            pairs,
            dem,
            taps=request.kernel,
            threshold=request.esd_threshold,
            threads=threads,
            memory_mb=request.memory_mb,
            progress=progress.part(turn / most, (turn + 1) / most),
        )
        solution = _solve(seams, sights, heard, groups, estimate_shift=request.esd != "off")
        pairs = _adjust(pairs, solution, groups)
        found = found.adjusted(sights, solution, heard)
        if auto and abs(solution.shift) <= _TRUSTED_STEP:
            break
    findings = describe_refinement(request, pairs, found)
    progress.update(1.0, "; ".join(["overlaps of bursts", *findings["warnings"]]))
    return pairs, findings


def _groups(phase_offsets: str, pairs: tuple[SwathPair, ...]) -> NDArray[np.int64]:
    """Group of bursts that share a constant, of every burst."""
    bursts = number_bursts(pairs)
    groups = {
        "none": [0] * len(bursts),
        "swath": [swath for swath, _ in bursts],
        "burst": list(range(len(bursts))),
    }
    return np.array(groups[phase_offsets], np.int64)


def _solve(
    seams: tuple[Seam, ...],
    sights: tuple[Sight, ...],
    heard: list[bool],
    groups: NDArray[np.int64],
    *,
    estimate_shift: bool,
) -> Solution:
    overlaps = tuple(
        Overlap(first=seam.first.number, second=seam.second.number, cells=sight.cells)
        for seam, sight, listen in zip(seams, sights, heard, strict=True)
        if listen
    )
    return solve(overlaps, groups, estimate_shift=estimate_shift)


def _adjust(
    pairs: tuple[SwathPair, ...], solution: Solution, groups: NDArray[np.int64]
) -> tuple[SwathPair, ...]:
    """Add a solution to the adjustments of all bursts."""
    adjusted = [dict(pair.adjustments) for pair in pairs]
    for (swath, placement), group in zip(number_bursts(pairs), groups, strict=True):
        step = Adjustment(lines=Plane(solution.shift), phase=float(solution.constants[group]))
        before = adjusted[swath].get(placement.burst.index, Adjustment())
        adjusted[swath][placement.burst.index] = before.plus(step)
    return tuple(
        replace(pair, adjustments=found) for pair, found in zip(pairs, adjusted, strict=True)
    )
