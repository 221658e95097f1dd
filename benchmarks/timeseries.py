"""Inversion of a network of interferograms, and MintPy on the same files beside it.

Thirty dates, each in pairs with its three followers; coherence that falls with time and varies
from cell to cell, phase noise by it, and one pair in fifty that does not know a cell. Both read the
same ifgramStack.h5 and write displacement of every date and temporal coherence, on one core. The
reference's cells carry no noise, so that one cell (MintPy's) and their mean (ours) are the same.
MintPy solves cell by cell as soon as there are weights or gaps, and is timed on some of the rows
alone, without its start. Its weights are those of a table of the phase's variance, ours the
Cramer-Rao bound: results with weights are not quite the same.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import cached_input, say
from benchmarks.measuring import Measurement, measure
from benchmarks.timeseries_motion import compare_motion
from benchmarks.timeseries_peer import (
    MINTPY,
    PeerError,
    invert_with_mintpy,
    mintpy_python,
    start_mintpy,
)
from benchmarks.timeseries_pyrate import FOLDER, compare_pyrate
from kernels.chains.insar_timeseries import InsarTimeseriesRequest
from kernels.chains.insar_timeseries.inputs import open_inputs
from kernels.chains.insar_timeseries.inversion import RAW, invert_stack
from kernels.chains.insar_timeseries.reference import find_reference
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.model import Shape
from kernels.products.mintpy import create_stack
from kernels.products.mintpy_results import SERIES, LayerFile

DATES, REACH = 30, 3
SHAPE, QUICK_SHAPE = Shape(1000, 1500), Shape(60, 100)
PEER_ROWS, QUICK_PEER_ROWS = 20, 20
"""Rows on which MintPy is timed where it solves cell by cell."""
LOOKS = 20.0
WAVELENGTH = 0.05546576
REFERENCE = (8, 50)
"""Row and column of its middle."""
UNKNOWN = 0.02
"""Share of the cells that a pair does not know."""
CASES = (("plain", "none", False), ("gaps", "none", True), ("weighted", "variance", True))
"""Name, weighting, whether pairs lack cells."""
MEMORY_MB = 1000


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Invert with ours and with MintPy, and compare."""
    shape = QUICK_SHAPE if arguments.quick else SHAPE
    peer_rows = QUICK_PEER_ROWS if arguments.quick else PEER_ROWS
    figures: dict[str, Any] = {
        "cells": shape.lines * shape.samples,
        "dates": DATES,
        "pairs": len(network()),
        "memory_budget_mb": MEMORY_MB,
    }
    try:
        peer = mintpy_python()
        start_mintpy(peer)
        start = measure(start_mintpy, peer)
        figures |= {"peer": MINTPY, "mintpy_start_cpu_s": round(start.cpu_s, 2)}
    except PeerError as error:
        say(f"{MINTPY} could not be installed, no peer's figures: {error}")
        peer, start, figures["peer"] = None, None, f"{MINTPY}, not installed"
    for name, weighting, has_gaps in CASES:
        whole = _input(shape, has_gaps)
        # without gaps and weights one decomposition serves all cells: MintPy takes them all
        part = whole if name == "plain" else _input(Shape(peer_rows, shape.samples), has_gaps)
        with TemporaryDirectory(prefix="timeseries-") as text:
            folder = Path(text)
            say(f"{name}: ours")
            ours = measure(_invert, whole, weighting, folder / "ours", warm_up=_warm(weighting))
            figures |= _told(f"{name}_", ours, shape.lines * shape.samples)
            if peer is None or start is None:
                continue
            if part != whole:
                _invert(part, weighting, folder / "part")
            say(f"{name}: {MINTPY}")
            theirs = measure(invert_with_mintpy, peer, part, weighting, folder / "mintpy")
            rows = shape.lines if part == whole else peer_rows
            # on some of the rows its start would weigh more than on all of them
            without = replace(
                theirs, wall_s=theirs.wall_s - start.wall_s, cpu_s=theirs.cpu_s - start.cpu_s
            )
            figures |= _told(f"{name}_mintpy_", without, rows * shape.samples)
            figures[f"{name}_cpu_ratio_mintpy"] = round(
                figures[f"{name}_mintpy_cpu_s_per_mcell"] / figures[f"{name}_cpu_s_per_mcell"], 1
            )
            own = folder / ("ours" if part == whole else "part") / RAW
            figures |= _compare(f"{name}_", own, theirs.value)
    return figures | _without_times(arguments.shared, peer, Shape(peer_rows, shape.samples))


def _without_times(shared: Path, peer: Path | None, shape: Shape) -> dict[str, float]:
    """Compare PyRate's network, and what is fitted to a series."""
    figures: dict[str, float] = {}
    with TemporaryDirectory(prefix="timeseries-") as text:
        folder = Path(text)
        if (shared / FOLDER).is_dir():
            say("the network of PyRate's test data")
            figures |= compare_pyrate(shared, peer, folder)
        else:
            say(f"no {FOLDER} in the folder of --shared, no figures of PyRate's network")
        if peer is not None:
            say(f"motion: ours and {MINTPY}")
            figures |= compare_motion(peer, _input(shape, True), shape, folder)
    return figures


def _told(name: str, taken: Measurement[Any], cells: int) -> dict[str, float]:
    return {
        f"{name}wall_s_per_mcell": round(taken.wall_s / cells * 1e6, 2),
        f"{name}cpu_s_per_mcell": round(taken.cpu_s / cells * 1e6, 2),
        f"{name}peak_memory_mb": round(taken.peak_memory_mb),
    }


def network() -> list[tuple[int, int]]:
    """Each date with its three followers."""
    return [(a, b) for a in range(DATES) for b in range(a + 1, min(a + 1 + REACH, DATES))]


def days() -> list[date]:
    """Every twelve days."""
    return [date(2016, 1, 1) + timedelta(12 * number) for number in range(DATES)]


def _input(shape: Shape, has_gaps: bool) -> Path:
    parameters = {"shape": shape, "gaps": has_gaps, "dates": DATES, "reach": REACH, "version": 1}
    name = f"timeseries-{shape.lines}-{'gaps' if has_gaps else 'whole'}"
    return cached_input(name, parameters, partial(_simulate, shape, has_gaps)) / "ifgramStack.h5"


def _simulate(shape: Shape, has_gaps: bool, folder: Path) -> None:
    """Write a network; motion is steady, atmosphere smooth and new on every date."""
    generator = np.random.default_rng(11)
    rows, columns = np.indices(shape, np.float32)
    bowl = np.exp(-np.square(np.hypot(rows - shape[0] / 2, columns - shape[1] / 2) / 200.0))
    metres = -WAVELENGTH / (4.0 * np.pi)
    stable = generator.uniform(0.5, 0.95, shape).astype(np.float32)

    def phase_of(number: int) -> NDArray[np.float32]:
        own = np.random.default_rng(100 + number)
        air = own.normal(0.0, 0.5, 3) * np.array([1.0, 3e-3, 3e-3])
        motion = -0.02 * number * 12.0 / 365.25 * bowl / metres
        phase = motion + air[0] + air[1] * rows + air[2] * columns
        return np.asarray(phase, np.float32)

    with create_stack(
        folder / "ifgramStack.h5",
        days=days(),
        pairs=network(),
        baselines=np.random.default_rng(5).uniform(-80.0, 80.0, DATES).tolist(),
        shape=shape,
        attributes={
            "WAVELENGTH": repr(WAVELENGTH),
            "NCORRLOOKS": repr(LOOKS),
            "ALOOKS": "4",
            "RLOOKS": "16",
            "PLATFORM": "S1A",
            "REF_Y": str(REFERENCE[0]),
            "REF_X": str(REFERENCE[1]),
        },
    ) as writer:
        around = np.s_[REFERENCE[0] - 2 : REFERENCE[0] + 3, REFERENCE[1] - 2 : REFERENCE[1] + 3]
        for number, (a, b) in enumerate(network()):
            coherence = stable * np.float32(np.exp(-0.1 * (b - a)))
            deviation = np.sqrt((1.0 - coherence**2) / (2.0 * LOOKS * coherence**2))
            noise = deviation * generator.normal(size=shape).astype(np.float32)
            phase = phase_of(b) - phase_of(a)
            level = phase[REFERENCE]
            phase += noise
            if has_gaps:
                phase[generator.uniform(size=shape) < UNKNOWN] = np.nan
            phase[around] = level
            known = np.isfinite(phase)
            writer.write(number, phase, coherence, known.astype(np.int16))


def _warm(weighting: str) -> tuple[object, ...]:
    folder = _input(QUICK_SHAPE, True)
    return folder, weighting, None


def _invert(stack: Path, weighting: str, folder: Path | None) -> None:
    """Run the chain's own steps up to displacement and temporal coherence, on one core."""
    if folder is None:
        with TemporaryDirectory() as text:
            _invert(stack, weighting, Path(text))
        return
    folder.mkdir(parents=True, exist_ok=True)
    request = InsarTimeseriesRequest(
        interferograms=stack,
        weighting=weighting,
        minimum_coherence=0.0,
        unwrapping_correction="none",
        minimum_pairs=0.0,
        dem_error=False,
        threads=1,
        memory_mb=MEMORY_MB,
    )
    reference = find_reference(request, open_inputs(request), Progress())
    invert_stack(request, reference, folder, threads=1, progress=Progress())


def _compare(name: str, ours: Path, theirs: Path) -> dict[str, float]:
    """Difference of the displacement on every date [mm]."""
    both = [LayerFile(path, SERIES) for path in (ours, theirs)]
    squares, count, largest = 0.0, 0, 0.0
    for first in range(0, both[0].shape.lines, 100):
        band = Band(first, min(100, both[0].shape.lines - first))
        one, other = (file.rows(band).astype(np.float64) for file in both)
        difference = 1e3 * (one - other)
        # MintPy leaves cells without a solution at 0
        known = np.isfinite(difference) & (other[-1] != 0.0)
        squares += float(np.square(difference[known]).sum())
        count += int(known.sum())
        largest = max(largest, float(np.abs(difference[known]).max(initial=0.0)))
    return {
        f"{name}difference_rms_mm": float(f"{np.sqrt(squares / max(count, 1)):.3g}"),
        f"{name}difference_max_mm": float(f"{largest:.3g}"),
        f"{name}compared_cells": count // DATES,
    }
