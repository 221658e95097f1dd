"""Constant phases of bursts, as pairs of different satellites have them, against their truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.decorrelation import Decorrelated
from benchmarks.harness import say
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.refinement import refine
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress

CONSTANT = 1.5
"""Step of the constants from burst to burst and from swath to swath [rad]."""


def offset_figures(request: DinsarPairRequest, shift: float) -> dict[str, Any]:
    """Give every burst of a pair a constant phase of its own and look for it.

    Parameters
    ----------
    request : DinsarPairRequest
        Of a pair of unit coherence.
    shift : float
        What the estimate of the azimuth shift should be [lines].

    Returns
    -------
    dict
        Largest error of the constants [rad], and error of the shift [lines], without noise and
        at coherence 0.5.
    """
    pairs = open_pair(request)
    dem = load_pair_dem(request, pairs)
    figures: dict[str, Any] = {"injected_offset_step_rad": CONSTANT}
    for share, where in ((0.0, ""), (1.0, "_at_half_coherence")):
        say(f"constant phases: {'with' if share else 'without'} noise")
        altered = tuple(_altered(pair, swath, share) for swath, pair in enumerate(pairs))
        _, found = refine(
            replace(request, phase_offsets="burst"),
            altered,
            dem,
            threads=default_threads(),
            progress=Progress(),
        )
        figures |= {
            f"offset_error_max_rad{where}": _largest_error(found["phase_offsets_rad"], pairs),
            f"offset_shift_error_lines{where}": abs(found["shift_lines"] - shift),
            f"offset_shift_deviation_lines{where}": found["standard_deviation_lines"],
            f"offset_seam_jump_rad{where}": found["burst_seams"]["largest_jump_rad"],
        }
    return figures


def _constants(swath: int, bursts: int) -> tuple[float, ...]:
    return tuple(CONSTANT * (burst + swath) for burst in range(bursts))


def _altered(pair: SwathPair, swath: int, share: float) -> SwathPair:
    """Add noise to both images, and to the secondary's bursts the constants."""
    images = [
        replace(
            image,
            pixels=Decorrelated(
                image=image,
                orbit=orbit,
                seed=100 + 2 * swath + place,
                share=share,
                constants=_constants(swath, len(image.bursts)) if place else (),
            ),
        )
        for place, (image, orbit) in enumerate(
            (
                (pair.reference, pair.reference_orbit),
                (pair.secondary, pair.secondary_orbit),
            )
        )
    ]
    return replace(pair, reference=images[0], secondary=images[1])


def _largest_error(found: dict[str, float], pairs: tuple[SwathPair, ...]) -> float:
    """Compare with the constants of the secondary's bursts, the first one's taken off."""
    errors, first = [], None
    for swath, pair in enumerate(pairs):
        constants = _constants(swath, len(pair.secondary.bursts))
        for placement in pair.layout.placements:
            if placement.partner is None:
                continue
            true = constants[placement.partner.index]
            first = true if first is None else first
            name = f"{pair.reference.swath} {placement.burst.index + 1}"
            errors.append(np.angle(np.exp(1j * (found[name] - (true - first)))))
    return float(np.abs(errors).max())
