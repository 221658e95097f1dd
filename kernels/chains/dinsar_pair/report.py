"""The JSON report of a pair: what was used, how the geometry was, what came out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.ortho import CoherenceStatistics
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.reports import named_values, rounded, versions
from kernels.geometry.baseline import Baseline, baseline
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.insar.coherence import expected_coherence
from kernels.insar.mosaic import MISSING
from kernels.model import Dem, MapGrid, SlcProduct

SIGN = (
    "Positive phase: the ground moved away from the radar between reference and secondary. "
    "Displacement is towards the satellite, -wavelength / (4 pi) times the phase, wrapped to "
    "a quarter of a wavelength on either side of 0."
)

_NOISE_MARGIN = 1.2
"""Coherence of noise that is still taken for it: land has spots that are coherent."""


def middle_baseline(pair: SwathPair) -> Baseline:
    """Compute the baseline of a swath at sea level in its middle, arrays of shape (1,)."""
    grid = pair.layout.grid
    slant_range = np.array([grid.slant_range(0.5 * (grid.shape.samples - 1))])
    time = grid.zero_doppler_time(np.array([0.5 * (grid.shape.lines - 1)]), slant_range)
    point = radar_to_ground(
        pair.reference_orbit, time, slant_range, np.zeros(1), side=grid.look_side
    )
    return baseline(pair.reference_orbit, pair.secondary_orbit, point, wavelength=grid.wavelength)


def describe_pair(pair: SwathPair) -> dict[str, Any]:
    """Describe one swath: bursts, baselines at its middle, looks."""
    found = middle_baseline(pair)
    ambiguity = abs(float(found.height_of_ambiguity[0]))
    return {
        "swath": pair.reference.swath,
        "bursts": [
            {
                "reference": (
                    None if placement.burst.index == MISSING else placement.burst.index + 1
                ),
                "secondary": None if placement.partner is None else placement.partner.index + 1,
                "identifier": placement.burst.identifier,
            }
            for placement in pair.layout.placements
        ],
        "looks": {"azimuth": pair.looks.azimuth, "range": pair.looks.range},
        "perpendicular_baseline_m": round(float(found.perpendicular[0]), 3),
        "parallel_baseline_m": round(float(found.parallel[0]), 3),
        "height_of_ambiguity_m": round(ambiguity, 2) if math.isfinite(ambiguity) else None,
        "incidence_angle_deg": round(math.degrees(found.incidence[0]), 3),
    }


def describe_product(product: SlcProduct, names: tuple[str, ...]) -> dict[str, Any]:
    """Describe one image: when, where from, on which orbit."""
    return {
        "name": product.name,
        "slices": list(names),
        "start": product.start.isoformat(),
        "relative_orbit": product.relative_orbit,
        "direction": "ascending" if product.ascending else "descending",
        "processor": product.processor,
        "orbit": product.state_vectors.source.value,
        "orbit_file": product.state_vectors.origin,
    }


def _decorrelation(pair: SwathPair, mean: float | None, *, unbiased: bool) -> Iterator[str]:
    """Warn where the coherence is no more than that of unrelated images.

    Its mean in L looks is about sqrt(pi / (4 L)) (Touzi et al. 1999, eq. 8).
    """
    independent = pair.independent_looks(pair.looks)
    if unbiased and mean is not None:
        mean = float(np.interp(mean, *expected_coherence(independent)))
    of_noise = min(math.sqrt(math.pi / (4.0 * independent)), 1.0)
    if mean is not None and mean < _NOISE_MARGIN * of_noise < 1.0:
        yield (
            f"the images are decorrelated: the mean coherence is {mean:.2f}, that of noise in "
            f"{independent:.1f} independent looks {of_noise:.2f}"
        )


def make_report(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    *,
    dem: Dem,
    grid: MapGrid,
    statistics: CoherenceStatistics,
    refinement: dict[str, Any],
    warnings: list[str],
    unwrapping: dict[str, Any],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Put the report together.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain used.
    grid : MapGrid
        Of the result.
    statistics : CoherenceStatistics
        On the map.
    refinement : dict
        What the overlaps of bursts told.
    warnings : list of str
        What is missing in the result, and why.
    unwrapping : dict
        How the phase was unwrapped; empty where it was not.
    seconds : dict of str to float
        Wall clock by step.

    Returns
    -------
    dict
        Ready for JSON.
    """
    coherence = statistics.report()
    filled = 0.0 if dem.filled is None else float(dem.filled.mean())
    return {
        "process": "dinsar-pair",
        "request": named_values(request),
        "reference": describe_product(pairs[0].reference, pairs[0].reference_names),
        "secondary": describe_product(pairs[0].secondary, pairs[0].secondary_names),
        "polarisation": pairs[0].reference.polarisation,
        "wavelength_m": pairs[0].layout.grid.wavelength,
        "swaths": [describe_pair(pair) for pair in pairs],
        "elevation": {
            "sources": list(dem.sources),
            "lowest_m": round(float(dem.heights.min()), 1),
            "highest_m": round(float(dem.heights.max()), 1),
            "share_filled": round(filled, 5),
        },
        "map": {
            "crs": grid.crs,
            "spacing": grid.x_spacing,
            "rows": grid.shape.lines,
            "columns": grid.shape.samples,
        },
        "refinement": refinement,
        "coherence": coherence,
        "unwrapping": unwrapping or None,
        "warnings": [
            *(line for pair in pairs for line in pair.warnings),
            *warnings,
            *_decorrelation(pairs[0], coherence["mean"], unbiased=request.coherence == "unbiased"),
        ],
        "sign": SIGN,
        "versions": versions(),
        "seconds": rounded(seconds),
    }
