"""The unwrapped phase of all swaths in radar geometry, on cells of more looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.engine.bands import split_rows
from kernels.engine.progress import Progress
from kernels.errors import RequestError, UnwrappingError
from kernels.insar.further_looks import (
    LookedCells,
    further_factors,
    looked_cells,
    sum_further,
)
from kernels.insar.geocode import RadarSums
from kernels.insar.merged import MergedSwaths
from kernels.insar.unwrapping import Unwrapped, reliable, unwrap
from kernels.model import Looks, RadarGrid

TOPS_CELLS = Looks(azimuth=4, range=16)
STRIPMAP_CELLS = Looks(azimuth=9, range=9)
"""Pixels of the cells that are unwrapped, or as near as the looks of the interferogram allow: 40
to 60 m of Sentinel-1 on the ground."""

_BAND = 256
_MOST_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwrappedRadar:
    """What was unwrapped, in radar geometry.

    Attributes
    ----------
    grid : RadarGrid
        Of the cells.
    unwrapped : Unwrapped
        Congruent with the phase that is not filtered.
    coherence : ndarray of float32, shape (rows, columns)
        Of the cells; NaN where there is no data.
    description : dict
        For the report.
    """

    grid: RadarGrid
    unwrapped: Unwrapped
    coherence: NDArray[np.float32]
    description: dict[str, object]


def check_unwrapper(request: DinsarPairRequest) -> None:
    """Refuse, before pixels are read, an unwrapper that is not here.

    Parameters
    ----------
    request : DinsarPairRequest
        Names it.

    Raises
    ------
    RequestError
        Its package is not installed.
    """
    if request.unwrapping == "snaphu" and find_spec("snaphu") is None:
        rule = "mcf or none where the package snaphu is not installed"
        raise RequestError("unwrapping", rule, request.unwrapping)


def unwrapping_factors(pair: SwathPair) -> Looks:
    """Find how many look cells of a swath make one that is unwrapped."""
    is_tops = pair.reference.bursts[0].steering_rate != 0.0
    return further_factors(pair.looks, TOPS_CELLS if is_tops else STRIPMAP_CELLS)


def unwrap_pair(
    request: DinsarPairRequest,
    pair: SwathPair,
    merged: MergedSwaths,
    filtered: RadarSums | None,
    *,
    progress: Progress,
) -> UnwrappedRadar:
    """Unwrap the phase of the pair.

    Parameters
    ----------
    request : DinsarPairRequest
        Names the unwrapper and what is coherent.
    pair : SwathPair
        First swath.
    merged : MergedSwaths
        The swaths on one grid.
    filtered : RadarSums or None
        Whose phase is unwrapped instead; the result is congruent with that of `merged` all the
        same.
    progress : Progress
        Told per tile.

    Returns
    -------
    UnwrappedRadar
        In radar geometry.

    Raises
    ------
    ProcessingError
        Nothing is coherent, or there are less than two rows or columns of cells.
    """
    factors = unwrapping_factors(pair)
    cells, smooth = _sum_up(merged, filtered, factors)
    if min(cells.phase.shape) < 2:
        raise UnwrappingError("phase unwrapping needs two rows and two columns of cells")
    looks = Looks(*(a * b for a, b in zip(merged.looks, factors, strict=True)))
    effective = pair.independent_looks(looks)
    valid = reliable(
        smooth, cells.coherence, looks=effective, threshold=request.unwrapping_coherence
    )
    found = unwrap(
        smooth,
        cells.coherence,
        looks=effective,
        valid=valid,
        method=request.unwrapping,  # type: ignore[arg-type]  # checked by the request
        memory_mb=request.memory_mb,
        progress=progress,
    )
    cycle = np.float32(2.0 * math.pi)
    difference = cells.phase - smooth
    phase = found.phase + difference - cycle * np.rint(difference / cycle)
    sizes = np.bincount(found.components.reshape(-1))[1:]
    description: dict[str, object] = {
        "method": request.unwrapping,
        "looks": looks._asdict(),
        "effective_looks": round(effective, 1),
        "cells": int(np.isfinite(cells.phase).sum()),
        "cells_unwrapped": int(sizes.sum()),
        "components": int(sizes.size),
        "cells_of_largest_components": sizes[:_MOST_LISTED].tolist(),
    }
    return UnwrappedRadar(
        grid=merged.grid.looked(factors),
        unwrapped=Unwrapped(phase=phase, components=found.components),
        coherence=cells.coherence,
        description=description,
    )


def _sum_up(
    merged: MergedSwaths, filtered: RadarSums | None, factors: Looks
) -> tuple[LookedCells, NDArray[np.float32]]:
    """Form the larger cells, and the phase to be unwrapped."""
    lines = merged.grid.shape.lines // factors.azimuth * factors.azimuth
    parts, phases = [], []
    for band in split_rows(lines, band_rows=_BAND, multiple=factors.azimuth):
        parts.append(looked_cells(sum_further(merged.sums(band), factors)))
        if filtered is not None:
            sums = filtered.sums[band.first : band.first + band.rows]
            phases.append(looked_cells(sum_further(sums, factors)).phase)
    cells = LookedCells(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    return cells, np.concatenate(phases) if phases else cells.phase
