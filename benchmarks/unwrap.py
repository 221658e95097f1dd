"""Phase unwrapping of a swath's multilooked interferogram, and snaphu beside it.

Each unwrapper works in a process of its own that is given phase and coherence alone, so that its
memory is its own. Errors are those of the largest component, up to a common constant, where the
true coherence is above a limit and no true step to a neighbour is more than half a cycle, which no
unwrapper can tell. snaphu is measured twice: as the process calls it, in the same tiles as the
default, and by itself with its own tiles, as its users run it on large scenes.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import say
from benchmarks.measuring import OutOfTimeError, measure
from benchmarks.unwrap_scene import KINDS, Kind, Scene, simulate_scene
from kernels.engine.progress import Progress
from kernels.insar.unwrapping import Unwrapped, Unwrapper, reliable, unwrap

CELLS, QUICK_CELLS = 5_040_000, 200_000
ROWS_PER_COLUMN = 14 / 9
COHERENT, CLEARLY_COHERENT = 0.4, 0.6
WAVELENGTH = 0.05546576
MEMORY_MB = 1000
"""The default of dinsar-pair."""
SNAPHU_TILE, SNAPHU_OVERLAP = 500_000, 100
"""Cells of snaphu's own tiles, and rows and columns that they share."""


class Found(NamedTuple):
    """What an unwrapper did."""

    displacement_rms_mm: float
    wrong_cells: int
    judged_cells: int
    wrong_cycles_share: float
    unwrapped_share: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Receives them.
    """
    parser.add_argument(
        "--cells", type=int, default=CELLS, help="of the scene (default: %(default)s)"
    )
    parser.add_argument("--scene", choices=KINDS, default="land", help="default: %(default)s")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[7], help="a scene each (default: 7)"
    )
    parser.add_argument(
        "--snaphu",
        nargs="*",
        choices=_SNAPHU,
        default=list(_SNAPHU),
        help="how snaphu runs beside, where it is installed (default: both ways)",
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=900.0,
        metavar="SECONDS",
        help="of each run of snaphu, which is ended then (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Unwrap with the default, and with snaphu where it is installed; the worst of all seeds."""
    kind = KINDS[arguments.scene]
    shape = _shape(QUICK_CELLS if arguments.quick else arguments.cells)
    has_snaphu = find_spec("snaphu") is not None
    figures: dict[str, Any] = {
        "scene": arguments.scene,
        "seeds": arguments.seeds,
        "pixels": shape[0] * shape[1],
        "looks": kind.looks,
        "memory_budget_mb": MEMORY_MB,
        "snaphu_installed": has_snaphu,
    }
    ways = ["mcf", *(arguments.snaphu if has_snaphu else ())]
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    steps = []
    for seed in arguments.seeds:
        say(f"simulating {shape[0]} x {shape[1]} cells, {arguments.scene}, seed {seed}")
        scene = simulate_scene(shape, kind=kind, seed=seed)
        steps.append(float(_steepest(scene.truth).max()))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            np.save(folder / "phase.npy", scene.phase)
            np.save(folder / "estimate.npy", scene.estimate)
            for way in ways:
                found[way].append(_figures(way, folder, scene, kind, arguments.limit))
    figures["largest_true_step_rad"] = round(max(steps), 2)
    figures |= _worst(found.pop("mcf"))
    if has_snaphu:
        figures["snaphu"] = {way: _done(way, shape) | _worst(each) for way, each in found.items()}
    return figures


def _shape(cells: int) -> tuple[int, int]:
    columns = max(round(math.sqrt(cells / ROWS_PER_COLUMN)), 2)
    return round(columns * ROWS_PER_COLUMN), columns


def _done(way: str, shape: tuple[int, int]) -> dict[str, Any]:
    """Say how snaphu was run."""
    if way == "as_called":
        return {"tiles": "those of the default, joined like them"}
    return {"tiles": "its own", **_own_tiles(shape)}


def _figures(way: str, folder: Path, scene: Scene, kind: Kind, limit_s: float) -> dict[str, Any]:
    """Measure one way of unwrapping; snaphu within its time."""
    say(f"unwrapping: {way}")
    try:
        if way == "mcf":
            taken = measure(_by_default, folder, kind.looks, warm_up=(_corner(folder), kind.looks))
        else:
            taken = measure(_SNAPHU[way], folder, kind.looks, limit_s=limit_s)
    except OutOfTimeError:
        say(f"{way}: ended after {limit_s:.0f} s")
        return {"ended_at_limit_s": limit_s}
    unwrapped = Unwrapped(
        phase=np.load(folder / "unwrapped.npy"), components=np.load(folder / "components.npy")
    )
    figures = {
        **judge(unwrapped, scene)._asdict(),
        "wall_s": round(taken.value, 2),
        "cpu_s": round(taken.cpu_s, 2),
        "peak_memory_mb": round(taken.peak_memory_mb),
    }
    say(f"{way}: {figures}")
    return figures


def _worst(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the figures of all seeds: cells are added up, of the rest the worst is taken."""
    ended = [figures for figures in each if "ended_at_limit_s" in figures]
    done = [figures for figures in each if "ended_at_limit_s" not in figures]
    whole: dict[str, Any] = {}
    if ended:
        whole |= {**ended[0], "ended": len(ended)}
    for name in done[0] if done else ():
        values = [figures[name] for figures in done]
        worst = sum if name.endswith("_cells") else min if name == "unwrapped_share" else max
        whole[name] = worst(values)
    if done:
        whole["wrong_cycles_share"] = whole["wrong_cells"] / whole["judged_cells"]
    return whole


def _corner(folder: Path) -> Path:
    """Give a piece of the scene, to compile for."""
    corner = folder / "corner"
    corner.mkdir(exist_ok=True)
    for name in ("phase.npy", "estimate.npy"):
        np.save(corner / name, np.load(folder / name, mmap_mode="r")[:100, :100])
    return corner


def _by_default(folder: Path, looks: float) -> float:
    return _unwrap("mcf", folder, looks)


def _snaphu_as_called(folder: Path, looks: float) -> float:
    return _unwrap("snaphu", folder, looks)


def _unwrap(method: Unwrapper, folder: Path, looks: float) -> float:
    """Unwrap what a folder holds, and tell how long it took [s]."""
    phase, estimate = np.load(folder / "phase.npy"), np.load(folder / "estimate.npy")
    start = time.perf_counter()
    found = unwrap(
        phase,
        estimate,
        looks=looks,
        valid=reliable(phase, estimate, looks=looks),
        method=method,
        memory_mb=MEMORY_MB,
        progress=Progress.to(lambda share, _step: say(f"  {share:.0%}")),
    )
    wall_s = time.perf_counter() - start
    np.save(folder / "unwrapped.npy", found.phase)
    np.save(folder / "components.npy", found.components)
    return wall_s


def _snaphu_own_tiles(folder: Path, looks: float) -> float:
    """Call snaphu itself on what a folder holds, and tell how long it took [s]."""
    import snaphu  # noqa: PLC0415  # an extra

    phase, estimate = np.load(folder / "phase.npy"), np.load(folder / "estimate.npy")
    start = time.perf_counter()
    valid = reliable(phase, estimate, looks=looks)
    unwrapped, components = snaphu.unwrap(
        np.exp(np.complex64(1j) * phase),
        estimate,
        nlooks=looks,
        cost="smooth",
        mask=valid,
        **_own_tiles(phase.shape),
    )
    wall_s = time.perf_counter() - start
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    np.save(folder / "unwrapped.npy", unwrapped)
    np.save(folder / "components.npy", components == sizes.argmax())
    return wall_s


_SNAPHU: dict[str, Callable[[Path, float], float]] = {
    "as_called": _snaphu_as_called,
    "own_tiles": _snaphu_own_tiles,
}
"""Ways that snaphu is run."""


def _own_tiles(shape: tuple[int, int]) -> dict[str, Any]:
    """Choose snaphu's tiling: the second pass over the whole, which needs its memory, left out."""
    side = math.sqrt(SNAPHU_TILE)
    return {
        "ntiles": tuple(max(round(size / side), 1) for size in shape),
        "tile_overlap": SNAPHU_OVERLAP,
        "nproc": len(os.sched_getaffinity(0)),
        "single_tile_reoptimize": False,
    }


def judge(found: Unwrapped, scene: Scene) -> Found:
    """Compare with the truth.

    Parameters
    ----------
    found : Unwrapped
        Of the scene.
    scene : Scene
        With its truth.

    Returns
    -------
    Found
        Error of the displacement [mm] where the true coherence is above COHERENT; cells above
        CLEARLY_COHERENT that are off by cycles, how many were unwrapped and judged, the share of
        the first in the second, and the share of the second in all that could have been.
    """
    inside = found.components == 1
    error = found.phase - scene.truth
    error -= np.median(error[inside])
    can_be_told = _steepest(scene.truth) < math.pi
    coherent = inside & can_be_told & (scene.coherence > COHERENT)
    clearly = can_be_told & (scene.coherence > CLEARLY_COHERENT)
    wrong = int(np.count_nonzero(np.rint(error[inside & clearly] / (2.0 * math.pi))))
    judged = int(np.count_nonzero(inside & clearly))
    millimetres = 1e3 * WAVELENGTH / (4.0 * math.pi)
    rms = math.sqrt(float(np.mean(np.square(error[coherent], dtype=np.float64))))
    return Found(
        displacement_rms_mm=round(millimetres * rms, 4),
        wrong_cells=wrong,
        judged_cells=judged,
        wrong_cycles_share=wrong / judged,
        unwrapped_share=round(judged / int(np.count_nonzero(clearly)), 5),
    )


def _steepest(truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest true step from each cell to a neighbour [rad]."""
    steepest = np.zeros(truth.shape, np.float32)
    for axis in (0, 1):
        step = np.abs(np.diff(truth, axis=axis))
        for part in (slice(1, None), slice(None, -1)):
            side = steepest[(slice(None),) * axis + (part,)]
            np.maximum(side, step, out=side)
    return steepest
