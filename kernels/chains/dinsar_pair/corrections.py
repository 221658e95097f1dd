"""Corrections that are no measurement: of the processor's timing, and of tides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.grids import with_grids
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.errors import ProductError
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.insar.delays import DisplacementDelay, total_delay
from kernels.insar.tides import tidal_displacement
from kernels.insar.timing import PixelTiming
from kernels.model import RadarGrid, SlcProduct

_NODES = 5
"""Lines and samples of the scene at which tides are computed, and shifts reported."""


def correct_pairs(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...]
) -> tuple[SwathPair, ...]:
    """Prepare the corrections that a request asks for, alike in both images.

    Parameters
    ----------
    request : DinsarPairRequest
        Its `corrections` and `tides`.
    pairs : tuple of SwathPair
        As opened.

    Returns
    -------
    tuple of SwathPair
        With corrections and delays.

    Raises
    ------
    ProductError
        An annotation lacks what a correction needs.
    RequestError
        Tides are asked for and the package that knows them is not installed.
    """
    chosen = tuple(sorted(set(request.corrections) - {"none"}))
    for pair in pairs:
        for image in (pair.reference, pair.secondary):
            if "doppler_range" in chosen and image.bursts[0].range_chirp_rate is None:
                raise ProductError(
                    f"{image.name} has no chirp rate in its annotation, which the correction "
                    "doppler_range needs"
                )
    pairs = tuple(replace(pair, corrections=chosen) for pair in pairs)
    if "bistatic" not in chosen:
        pairs = tuple(with_grids(pair, reference=_plain, secondary=_plain) for pair in pairs)
    if request.tides == "on":
        points = np.concatenate([_ground(pair).reshape(-1, 3) for pair in pairs])
        delays = tuple(
            (_tide(image, orbit, points),)
            for image, orbit in (
                (pairs[0].reference, pairs[0].reference_orbit),
                (pairs[0].secondary, pairs[0].secondary_orbit),
            )
        )
        pairs = tuple(replace(pair, delays=(delays[0], delays[1])) for pair in pairs)
    return pairs


def _plain(grid: RadarGrid) -> RadarGrid:
    return replace(grid, bistatic_range=None)


def _ground(pair: SwathPair) -> NDArray[np.float64]:
    """Points at sea level all over a swath, shape (lines, samples, 3)."""
    grid = pair.layout.grid
    lines = np.linspace(0.0, grid.shape.lines - 1.0, _NODES)[:, None]
    ranges = grid.slant_range(np.linspace(0.0, grid.shape.samples - 1.0, _NODES))[None, :]
    times = grid.zero_doppler_time(lines, ranges)
    return radar_to_ground(pair.reference_orbit, times, ranges, np.zeros(1), side=grid.look_side)


def _tide(image: SlcProduct, orbit: Orbit, points: NDArray[np.float64]) -> DisplacementDelay:
    """Tide of the moment at which the middle of the scene was seen."""
    time = float(np.mean(ground_to_radar(orbit, points)[0]))
    return DisplacementDelay.fit(
        points, tidal_displacement(points, image.grid.epoch + timedelta(seconds=time))
    )


def describe_corrections(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...]
) -> dict[str, Any]:
    """Describe the corrections for the report.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        With corrections.

    Returns
    -------
    dict
        Ready for JSON: what was applied, the largest shifts within bursts, and the line-of-sight
        difference of the tides.
    """
    found: dict[str, Any] = {"applied": list(pairs[0].corrections), "tides": request.tides}
    shifts = {pair.reference.swath: _largest_shifts(pair) for pair in pairs}
    if any(shifts.values()):
        found["largest_shifts"] = shifts
    if request.tides == "on":
        ends = [_tide_difference(pair) for pair in pairs]
        found["tide_range_difference_m"] = {
            "mean": round(float(np.mean([e.mean() for e in ends])), 5),
            "smallest": round(float(min(e.min() for e in ends)), 5),
            "largest": round(float(max(e.max() for e in ends)), 5),
        }
    return found


def _largest_shifts(pair: SwathPair) -> dict[str, float]:
    """Largest correction of time [s] and range [m] in the middle burst, at sea level."""
    placements = [p for p in pair.layout.placements if p.partner is not None]
    burst = placements[len(placements) // 2].burst
    timing = PixelTiming.of(burst, pair.reference_orbit, pair.corrections)
    if timing is None:
        return {}
    grid = burst.grid
    lines = np.linspace(0.0, grid.shape.lines - 1.0, _NODES)[:, None]
    ranges = np.broadcast_to(
        grid.slant_range(np.linspace(0.0, grid.shape.samples - 1.0, _NODES)), (_NODES, _NODES)
    )
    times = grid.zero_doppler_time(lines, ranges)
    points = radar_to_ground(pair.reference_orbit, times, ranges, np.zeros(1), side=grid.look_side)
    late, far = timing.errors(times, ranges, points)
    return {
        "azimuth_s": round(float(np.abs(late).max()), 9),
        "range_m": round(float(np.abs(far).max()), 5),
    }


def _tide_difference(pair: SwathPair) -> NDArray[np.float64]:
    points = _ground(pair)
    totals = [
        total_delay(delays, orbit, ground_to_radar(orbit, points)[0], points)
        for delays, orbit in zip(
            pair.delays, (pair.reference_orbit, pair.secondary_orbit), strict=True
        )
    ]
    return totals[1] - totals[0]
