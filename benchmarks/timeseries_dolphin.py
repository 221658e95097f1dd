"""dolphin's solvers over the rows of a stack; runs in the environment of dolphin, by path.

Its own loop over GeoTIFF files takes no weights that are inverse variances and drops cells that one
pair lacks, so its solvers are called: `invert_stack` and `invert_stack_l1`. A pair that does not
know a cell has weight 0, which its documentation names as the way to leave it out. Start and
compilation (a first block, thrown away) are not measured; one core of the process's own is.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np

LEAST_VARIANCE = 1e-3
"""Of a phase [rad2], as in our own weights."""
CELLS_AT_ONCE, CELLS_AT_ONCE_BY_CELL = 150_000, 6_000
"""With one decomposition for all cells, and with one for each."""


def main(stack: Path, solver: str, output: Path) -> dict[str, float]:
    """Invert all rows.

    Parameters
    ----------
    stack : Path
        The file ifgramStack.h5.
    solver : str
        l2; l1; gaps: l2 with unknown cells; variance: the same, weighted by coherence.
    output : Path
        Receives displacement of every date [m].

    Returns
    -------
    dict
        What the rows took.
    """
    with h5py.File(stack) as source, h5py.File(output, "w") as target:
        rows, columns = source["unwrapPhase"].shape[1:]
        design = _design(source)
        series = target.create_dataset("timeseries", (design.shape[1] + 1, rows, columns), "f4")
        at_once = CELLS_AT_ONCE if solver in ("l2", "l1") else CELLS_AT_ONCE_BY_CELL
        step = max(at_once // columns, 1)
        start = time.perf_counter()
        _invert(source, design, solver, slice(0, step))
        wall, cpu = time.perf_counter(), time.process_time()
        compiling = wall - start
        for first in range(0, rows, step):
            part = slice(first, min(first + step, rows))
            series[:, part] = _invert(source, design, solver, part)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    figures = {"wall_s": wall, "cpu_s": cpu, "peak_memory_mb": peak / 1e6}
    return figures | {"compile_s": compiling}


def _design(source: Any) -> Any:
    from dolphin.timeseries import get_incidence_matrix  # noqa: PLC0415

    return get_incidence_matrix([(a, b) for a, b in source["date"][:]])


def _invert(source: Any, design: Any, solver: str, rows: slice) -> Any:
    """Displacement of some rows, shape (dates, rows, columns)."""
    from dolphin.timeseries import invert_stack, invert_stack_l1  # noqa: PLC0415

    row, column = int(source.attrs["REF_Y"]), int(source.attrs["REF_X"])
    phase = source["unwrapPhase"][:, rows]
    known = phase != 0.0
    phase -= source["unwrapPhase"][:, row, column][:, None, None]
    if solver == "l1":
        found, _ = invert_stack_l1(design, phase)
    elif solver == "l2":
        found, _ = invert_stack(design, phase)
    else:
        weights = known.astype(np.float32)
        if solver == "variance":
            squared = np.square(source["coherence"][:, rows])
            variance = (1.0 - squared) / (2.0 * float(source.attrs["NCORRLOOKS"]) * squared)
            weights /= np.maximum(variance, np.float32(LEAST_VARIANCE))
        found, _ = invert_stack(design, phase, weights)
    metres = -float(source.attrs["WAVELENGTH"]) / (4.0 * math.pi)
    displacement = metres * np.asarray(found)
    return np.concatenate([np.zeros_like(displacement[:1]), displacement])


if __name__ == "__main__":
    # before jax looks for cores
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
