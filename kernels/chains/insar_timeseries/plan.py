"""What a time series would be made of and take, told before a phase is read."""

from __future__ import annotations

from typing import Any

from kernels.chains.insar_timeseries.inputs import Inputs, open_inputs
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.chains.planning import BASE_BYTES, SMALL_FILES, Plan, threads_of

_CPU_PER_PAIR = 0.12e-6
"""Of a cell of a pair: reading, weights, least squares, residuals [s]; see docs/timeseries.md."""
_CPU_L1 = 0.5e-6
_CPU_PER_DATE = 0.15e-6
"""Of a cell of a date: corrections, fit, maps [s]."""
_CPU_OF_RUN = 5.0
_CELL_LAYERS = 40.0
"""Layers of the whole scene that are held at once [bytes per cell]."""
_TILES = 2048.0
"""Rows of tiles wait until they are whole, and get overviews [bytes per column and date]."""


def plan_run(request: InsarTimeseriesRequest) -> Plan:
    """Plan a time series from the headers of its files.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Checked request.

    Returns
    -------
    Plan
        With dates, pairs and subsets.

    Raises
    ------
    FournaiseError
        Files that the run would refuse as well.
    """
    inputs = open_inputs(request)
    cells = float(inputs.stack.shape.lines) * inputs.stack.shape.samples
    dates, pairs = len(inputs.days), len(inputs.numbers)
    series = 4.0 * cells * dates
    per_pair = _CPU_PER_PAIR + (_CPU_L1 if request.method == "l1" else 0.0)
    return Plan(
        memory_bytes=BASE_BYTES
        + request.memory_mb * 1e6
        + _CELL_LAYERS * cells
        + _TILES * inputs.stack.shape.samples * dates,
        # displacement as inverted, and rasters before they are compressed
        scratch_bytes=2.4 * series,
        results_bytes=3.4 * series + 40.0 * cells + SMALL_FILES,
        cpu_seconds=_CPU_OF_RUN + cells * (per_pair * pairs + _CPU_PER_DATE * dates),
        threads=threads_of(request.threads),
        warnings=(*inputs.warnings, *subset_warnings(inputs)),
        details=described_network(inputs),
    )


def described_network(inputs: Inputs) -> dict[str, Any]:
    """Describe dates and pairs, ready for JSON."""
    return {
        "rows": inputs.stack.shape.lines,
        "columns": inputs.stack.shape.samples,
        "network": {
            "dates": [day.isoformat() for day in inputs.days],
            "pairs": inputs.pair_names,
            "triplets": len(inputs.network.triplets),
            "perpendicular_baselines_m": [round(float(b), 1) for b in inputs.network.baselines],
            "subsets": [
                [inputs.days[number].isoformat() for number in group] for group in inputs.subsets
            ],
        },
    }


def subset_warnings(inputs: Inputs) -> tuple[str, ...]:
    """Tell of a network that does not connect all dates."""
    count = len(inputs.subsets)
    if count == 1:
        return ()
    return (f"the pairs leave the dates in {count} subsets, which only a model of motion ties",)
