"""Phases of pairs, linked and by themselves, against the truth of a stack that decorrelates.

Speckle whose coherence falls exponentially with the dates between, over a floor, or to nothing.
Runs where dolphin is: ``python -m benchmarks timeseries --cases linking`` calls it in the
environment that it made for dolphin.
"""

from __future__ import annotations

import json
import time

import numpy as np
from numpy.typing import NDArray

from kernels.insar.phase_linking import link_phases
from kernels.insar.stack import stack_sums
from kernels.model import Looks

DATES, LINES, SAMPLES = 20, 128, 512
LOOKS = Looks(azimuth=4, range=16)
STACKS = {"to_nothing": (3.0, 0.0), "to_a_tenth": (5.0, 0.1)}
"""Dates in which the coherence falls by e, and its floor."""
DISTANCES = (1, 3, 8, 19)
WIDE = Looks(azimuth=8, range=32)
"""About as many pixels as the window in which phases are linked."""


def compare_linking() -> dict[str, float]:
    """Compare the phases.

    Returns
    -------
    dict of str to float
        RMS error of the phase of pairs so many dates apart [rad]: summed over a cell, over as many
        pixels as the window of the linking has, and linked; CPU [s] per million cells.
    """
    figures: dict[str, float] = {}
    for name, (memory, floor) in STACKS.items():
        truth = np.random.default_rng(1).uniform(-3.0, 3.0, DATES)
        pixels = _speckle(truth, memory, floor)
        link_phases(pixels, LOOKS)  # compiles
        start = time.process_time()
        linked = link_phases(pixels, LOOKS)
        spent = time.process_time() - start
        cells = linked[0].size
        figures[f"linking_{name}_cpu_s_per_mcell"] = round(spent / cells * 1e6, 1)
        for distance in DISTANCES:
            ways: dict[str, list[NDArray[np.floating]]] = {"alone": [], "wide": [], "linked": []}
            for a in range(DATES - distance):
                b = a + distance
                ways["alone"].append(np.angle(stack_sums(pixels[a], pixels[b], LOOKS).cross))
                ways["wide"].append(np.angle(stack_sums(pixels[a], pixels[b], WIDE).cross))
                ways["linked"].append(linked[a] - linked[b])
            expected = (truth[:-distance] - truth[distance:])[:, None, None]
            for way, phases in ways.items():
                error = _rms(np.array(phases) - expected)
                figures[f"linking_{name}_{distance}_dates_{way}_rad"] = error
    return figures


def _speckle(truth: NDArray[np.float64], memory: float, floor: float) -> NDArray[np.complex64]:
    generator = np.random.default_rng(2)
    apart = np.abs(np.subtract.outer(np.arange(DATES), np.arange(DATES)))
    coherence = floor + (1.0 - floor) * np.exp(-apart / memory)
    covariance = coherence * np.exp(1j * np.subtract.outer(truth, truth))
    size = (DATES, LINES * SAMPLES)
    white = (generator.normal(size=size) + 1j * generator.normal(size=size)) / np.sqrt(2.0)
    pixels = np.linalg.cholesky(covariance) @ white
    return np.asarray(pixels.reshape(DATES, LINES, SAMPLES), np.complex64)


def _rms(difference: NDArray[np.floating]) -> float:
    wrapped = np.angle(np.exp(1j * difference))
    return round(float(np.sqrt(np.mean(np.square(wrapped)))), 3)


if __name__ == "__main__":
    print(json.dumps(compare_linking()))
