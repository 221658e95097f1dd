"""Inversion of a network of interferograms, and MintPy and dolphin on the same files beside it.

Thirty dates, each in pairs with its three followers; coherence that falls with time and varies
from cell to cell, phase noise by it, and one pair in fifty that does not know a cell. All read the
same ifgramStack.h5 and write displacement of every date, on one core; MintPy and ours also the
temporal coherence. The reference's cells carry no noise, so that one cell (the peers') and their
mean (ours) are the same. As soon as there are weights or gaps the peers solve cell by cell, and
are timed on some of the rows alone; their start, and dolphin's compilation, are not counted.
MintPy's weights are those of a table of the phase's variance, ours the Cramer-Rao bound: results
with weights are not quite the same. dolphin is given ours. In the L1 norm it is alone beside us.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import ROOT, cached_input, say
from benchmarks.measuring import Measurement, compiled_kernels, measure
from benchmarks.peers import PeerError, peer_python, run_peer
from benchmarks.timeseries_motion import compare_motion
from benchmarks.timeseries_peer import (
    DOLPHIN,
    MINTPY,
    invert_with_dolphin,
    invert_with_mintpy,
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
SHAPE, QUICK_SHAPE = Shape(500, 1500), Shape(60, 100)
PEER_ROWS, QUICK_PEER_ROWS = 20, 20
"""Rows on which MintPy is timed where it solves cell by cell."""
LOOKS = 20.0
WAVELENGTH = 0.05546576
REFERENCE = (8, 50)
"""Row and column of its middle."""
UNKNOWN = 0.02
"""Share of the cells that a pair does not know."""
MEMORY_MB = 1000


class Case(NamedTuple):
    """What is inverted, and how.

    Attributes
    ----------
    name : str
        Before the names of its figures.
    weighting, method : str
        As our own options.
    has_gaps : bool
        Whether pairs lack cells.
    solver : str
        What dolphin's driver calls it.
    """

    name: str
    weighting: str
    method: str
    has_gaps: bool
    solver: str


CASES = (
    Case("plain", "none", "l2", False, "l2"),
    Case("gaps", "none", "l2", True, "gaps"),
    Case("weighted", "variance", "l2", True, "variance"),
    Case("l1", "none", "l1", False, "l1"),
)
LINKING, OTHERS = "linking", "others"
"""Of the option --cases: phase linking, and what is compared with MintPy and not timed."""


class Peers(NamedTuple):
    """Interpreters of the peers, None where one could not be installed; CPU of MintPy's start."""

    mintpy: Path | None
    mintpy_start: Measurement[None] | None
    dolphin: Path | None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark takes."""
    names = [*(case.name for case in CASES), LINKING, OTHERS]
    parser.add_argument("--cases", nargs="+", choices=names, default=names, help="default: all")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Invert with ours, with MintPy and with dolphin, and compare."""
    shape = QUICK_SHAPE if arguments.quick else SHAPE
    some = Shape(QUICK_PEER_ROWS if arguments.quick else PEER_ROWS, shape.samples)
    figures: dict[str, Any] = {
        "cells": shape.lines * shape.samples,
        "cells_by_cell": some.lines * some.samples,
        "dates": DATES,
        "pairs": len(network()),
        "memory_budget_mb": MEMORY_MB,
    }
    peers, told = _peers()
    figures |= told
    with compiled_kernels():
        for case in CASES:
            if case.name not in arguments.cases:
                continue
            with TemporaryDirectory(prefix="timeseries-") as folder:
                figures |= _case(case, shape, some, peers, Path(folder))
        if LINKING in arguments.cases and peers.dolphin is not None:
            figures |= _linking(peers.dolphin)
        if OTHERS in arguments.cases:
            figures |= _without_times(arguments.shared, peers.mintpy, some)
    return figures


def _linking(python: Path) -> dict[str, Any]:
    """Link phases with our own kernel in dolphin's environment."""
    say(f"linking: ours with {DOLPHIN}")
    try:
        said = run_peer([str(python), "-m", "benchmarks.timeseries_linking"], folder=ROOT)
    except PeerError as error:
        say(f"phases were not linked: {error}")
        return {"linking_error": str(error)}
    found: dict[str, Any] = json.loads(said)
    return found


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


def _peers() -> tuple[Peers, dict[str, Any]]:
    """Install the peers; what the result tells of them."""
    found: dict[str, Path | None] = {}
    told: dict[str, Any] = {"peers": []}
    for name in (MINTPY, DOLPHIN):
        try:
            found[name] = peer_python(name, gdal=name == DOLPHIN)
            told["peers"].append(name)
        except PeerError as error:
            say(f"{name} could not be installed, none of its figures: {error}")
            found[name] = None
            told["peers"].append(f"{name}, not installed")
    mintpy, start = found[MINTPY], None
    if mintpy is not None:
        start_mintpy(mintpy)
        start = measure(start_mintpy, mintpy)
        told["mintpy_start_cpu_s"] = round(start.cpu_s, 2)
    return Peers(mintpy, start, found[DOLPHIN]), told


def _case(case: Case, shape: Shape, some: Shape, peers: Peers, folder: Path) -> dict[str, Any]:
    """Invert one case with all that can."""
    if case.method == "l1":
        shape = some
    whole = _input(shape, case.has_gaps)
    # without gaps and weights one decomposition serves all cells: the peers take them all
    part_shape = shape if case.solver == "l2" else some
    part = _input(part_shape, case.has_gaps)
    say(f"{case.name}: ours")
    warm_up = (_input(QUICK_SHAPE, True), case, None)
    ours = measure(_invert, whole, case, folder / "ours", warm_up=warm_up)
    own = _told(f"{case.name}_", ours, shape)
    figures: dict[str, Any] = dict(own)
    compared = folder / "ours" / RAW
    if part != whole:
        _invert(part, case, folder / "part")
        compared = folder / "part" / RAW
    for peer, invert in (("mintpy", _mintpy), ("dolphin", _dolphin)):
        prefix = f"{case.name}_{peer}_"
        say(f"{case.name}: {peer}")
        try:
            taken = invert(peers, part, case, folder / peer)
        except PeerError as error:
            say(f"{peer} did not run: {error}")
            figures[f"{prefix}error"] = str(error)
            continue
        if taken is not None:
            theirs = _told(prefix, taken, part_shape)
            cpu = "cpu_s_per_mcell"
            ratio = theirs[f"{prefix}{cpu}"] / own[f"{case.name}_{cpu}"]
            figures |= theirs | {f"{prefix}cpu_ratio": round(ratio, 2)}
            figures |= compare(prefix, compared, taken.value)
    return figures


def _mintpy(peers: Peers, stack: Path, case: Case, folder: Path) -> Measurement[Path] | None:
    """Run MintPy, which knows no L1 norm of a network."""
    if peers.mintpy is None or peers.mintpy_start is None or case.method == "l1":
        return None
    taken = measure(invert_with_mintpy, peers.mintpy, stack, case.weighting, folder)
    # on some of the rows its start would weigh more than on all of them
    start = peers.mintpy_start
    return replace(taken, wall_s=taken.wall_s - start.wall_s, cpu_s=taken.cpu_s - start.cpu_s)


def _dolphin(peers: Peers, stack: Path, case: Case, folder: Path) -> Measurement[Path] | None:
    if peers.dolphin is None:
        return None
    return invert_with_dolphin(peers.dolphin, stack, case.solver, folder)


def _told(name: str, taken: Measurement[Any], shape: Shape) -> dict[str, float]:
    cells = shape.lines * shape.samples
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


def _invert(stack: Path, case: Case, folder: Path | None) -> None:
    """Run the chain's own steps up to displacement and temporal coherence, on one core."""
    if folder is None:
        with TemporaryDirectory() as text:
            _invert(stack, case, Path(text))
        return
    folder.mkdir(parents=True, exist_ok=True)
    request = InsarTimeseriesRequest(
        interferograms=stack,
        weighting=case.weighting,
        method=case.method,
        minimum_coherence=0.0,
        unwrapping_correction="none",
        minimum_pairs=0.0,
        dem_error=False,
        threads=1,
        memory_mb=MEMORY_MB,
    )
    reference = find_reference(request, open_inputs(request), Progress())
    invert_stack(request, reference, folder, threads=1, progress=Progress())


def compare(name: str, ours: Path, theirs: Path) -> dict[str, float]:
    """Compare the displacement on every date.

    Parameters
    ----------
    name : str
        Before the names of the figures.
    ours, theirs : Path
        HDF5 files with the layer `timeseries` [m].

    Returns
    -------
    dict
        RMS and largest difference [mm] over the cells that both know, and their number.
    """
    both = [LayerFile(path, SERIES) for path in (ours, theirs)]
    squares, count, largest, dates = 0.0, 0, 0.0, 1
    for first in range(0, both[0].shape.lines, 100):
        band = Band(first, min(100, both[0].shape.lines - first))
        one, other = (file.rows(band).astype(np.float64) for file in both)
        difference, dates = 1e3 * (one - other), len(one)
        # MintPy leaves cells without a solution at 0
        known = np.isfinite(difference) & (other[-1] != 0.0)
        squares += float(np.square(difference[known]).sum())
        count += int(known.sum())
        largest = max(largest, float(np.abs(difference[known]).max(initial=0.0)))
    return {
        f"{name}difference_rms_mm": float(f"{np.sqrt(squares / max(count, 1)):.3g}"),
        f"{name}difference_max_mm": float(f"{largest:.3g}"),
        f"{name}compared_cells": count // dates,
    }
