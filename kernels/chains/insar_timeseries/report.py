"""The JSON report of a time series."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.chains.insar_timeseries.inversion import InvertedCells
from kernels.chains.insar_timeseries.motion import Corrections, Motions
from kernels.chains.insar_timeseries.plan import described_network, subset_warnings
from kernels.chains.insar_timeseries.points import Point
from kernels.chains.insar_timeseries.reference import StackReference
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.chains.reports import named_values, rounded, versions
from kernels.model import MapGrid

SIGN = "displacement is positive towards the satellite"
_PERCENTILES = (1, 50, 99)
_TRENDS = {
    "height": "height_mm_per_km",
    "row": "plane_mm_per_1000_rows",
    "column": "plane_mm_per_1000_columns",
}
"""Names of slopes in the report."""


def make_report(
    request: InsarTimeseriesRequest,
    reference: StackReference,
    cells: InvertedCells,
    corrections: Corrections,
    motions: Motions,
    *,
    grid: MapGrid | None,
    points: tuple[Point, ...],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Describe a run.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        As run.
    reference, cells, corrections, motions : object
        What its steps found.
    grid : MapGrid or None
        Of the maps.
    points : tuple of Point
        With displacement.
    seconds : dict of str to float
        Wall clock by step.

    Returns
    -------
    dict
        Ready for JSON.
    """
    inputs = reference.inputs
    reliable = int(np.count_nonzero(cells.reliable))
    metres = inputs.stack.wavelength / (4.0 * np.pi)
    return {
        "process": "insar-timeseries",
        "request": named_values(request),
        "sign": SIGN,
        "warnings": [
            *inputs.warnings,
            *subset_warnings(inputs),
            *_warnings(request, inputs, corrections),
        ],
        **described_network(inputs),
        "map": None if grid is None else _described_map(grid),
        "reference": reference.description
        | {
            "date": inputs.days[corrections.date].isoformat(),
            "places": [[round(float(v), 6) for v in place] for place in reference.outline],
        },
        "cells": {
            "all": int(cells.reliable.size),
            "inverted": int(np.isfinite(cells.temporal_coherence).sum()),
            "reliable": reliable,
            "disconnected": cells.disconnected,
        },
        "loops": {
            "triplets_of_cells": cells.loops,
            "wrong_before": cells.wrong_before,
            "wrong_after": cells.wrong_after,
            "cycles_taken_out": int(cells.pair_cycles.sum()),
        },
        "pairs": _described_pairs(inputs, cells, metres),
        "corrections": {
            "tropospheric_delays": corrections.delays is not None,
            **{
                _TRENDS[name]: [round(1e6 * float(slope), 2) for slope in slopes]
                for name, slopes in zip(corrections.trends, corrections.slopes.T, strict=True)
            },
            "dem_error": corrections.dem_error,
        },
        "velocity_mm_per_year": _percentiles(1e3 * motions.velocity),
        "velocity_error_mm_per_year": _percentiles(1e3 * motions.velocity_error),
        "dem_error_m": _percentiles(motions.dem_error),
        "points": [
            {
                "name": point.name,
                "row": point.row,
                "column": point.column,
                "velocity_mm_per_year": _figure(1e3 * point.velocity),
                "velocity_error_mm_per_year": _figure(1e3 * point.velocity_error),
            }
            for point in points
        ],
        "seconds": rounded(seconds),
        "versions": versions(),
    }


def _warnings(
    request: InsarTimeseriesRequest, inputs: Inputs, corrections: Corrections
) -> list[str]:
    found = []
    if request.dem_error and not corrections.dem_error:
        lacking = "no geometry" if inputs.geometry is None else "too little of dates and baselines"
        found.append(f"the error of the elevation was not estimated: there is {lacking}")
    if corrections.trends and not corrections.slopes.any():
        found.append("atmosphere was not taken out: too few cells, or level ground")
    if request.weighting == "variance" and "coherence" not in inputs.stack.layers:
        found.append("pairs are not weighted: the stack holds no coherence")
    return found


def _described_pairs(
    inputs: Inputs, cells: InvertedCells, metres: float
) -> list[dict[str, object]]:
    deviations = np.sqrt(cells.squares / np.maximum(cells.counts, 1))
    return [
        {
            "pair": name,
            "cells": int(cells.counts[number]),
            "residual_rms_mm": _figure(1e3 * metres * float(deviations[number])),
            "cycles_taken_out": int(cells.pair_cycles[number]),
        }
        for number, name in enumerate(inputs.pair_names)
    ]


def _described_map(grid: MapGrid) -> dict[str, object]:
    return {
        "crs": grid.crs,
        "spacing": grid.x_spacing,
        "rows": grid.shape.lines,
        "columns": grid.shape.samples,
    }


def _percentiles(values: NDArray[np.float32]) -> dict[str, float | None]:
    known = values[np.isfinite(values)]
    found = np.percentile(known, _PERCENTILES) if known.size else [np.nan] * len(_PERCENTILES)
    return {
        f"percentile_{name}": _figure(float(value))
        for name, value in zip(_PERCENTILES, found, strict=True)
    }


def _figure(value: float) -> float | None:
    """Round to micrometres and the like; JSON knows no NaN."""
    return round(value, 3) if np.isfinite(value) else None
