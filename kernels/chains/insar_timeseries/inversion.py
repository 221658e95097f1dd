"""From the phases of the pairs to displacement on every date, cell by cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.reference import StackReference, usable
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.insar.timeseries import correct_cycles, invert, wrong_loops
from kernels.insar.unwrap_network import phase_variance
from kernels.products.mintpy import StackRows
from kernels.products.mintpy_results import create_series

RAW = "inverted.h5"
_LARGEST_BAND = 512
_LEAST_VARIANCE = 1e-3
"""Of a phase [rad2]: cells of coherence 1 do not outweigh all others."""
_DEFAULT_LOOKS = 20.0
"""Independent looks of a cell where the stack does not tell."""


@dataclass(slots=True)
class InvertedCells:
    """What is known of every cell after the inversion.

    Attributes
    ----------
    temporal_coherence : ndarray of float32, shape (rows, columns)
        NaN where there is no result.
    reliable : ndarray of bool, shape (rows, columns)
        Where enough pairs are known and agree.
    squares, counts : ndarray, shape (pairs,)
        Sums over reliable cells: of squared residuals [rad2], and of cells.
    pair_cycles : ndarray of int64, shape (pairs,)
        Whole cycles that were taken out.
    loops, wrong_before, wrong_after : int
        Triplets of pairs times cells, and those that do not close.
    disconnected : int
        Cells whose pairs do not connect all dates.
    """

    temporal_coherence: NDArray[np.float32]
    reliable: NDArray[np.bool_]
    squares: NDArray[np.float64]
    counts: NDArray[np.int64]
    pair_cycles: NDArray[np.int64]
    loops: int = 0
    wrong_before: int = 0
    wrong_after: int = 0
    disconnected: int = 0


class _Part(NamedTuple):
    """Results of some rows."""

    displacement: NDArray[np.float32]
    temporal_coherence: NDArray[np.float32]
    reliable: NDArray[np.bool_]
    squares: NDArray[np.float64]
    counts: NDArray[np.int64]
    loops: tuple[int, int, int]
    cycles: NDArray[np.int64]
    disconnected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inverter:
    request: InsarTimeseriesRequest
    reference: StackReference

    def __call__(self, _band: Band, rows: StackRows) -> _Part:
        """Invert the cells of some rows."""
        request, network = self.request, self.reference.inputs.network
        shape = rows.phase.shape[1:]
        references = self.reference.pairs
        phase = usable(rows, request, references.components)
        phase = (phase - references.phases[:, None, None].astype(np.float32)).reshape(
            len(phase), -1
        )
        known = np.isfinite(phase)
        loops = _count_loops(network.triplets, known)
        wrong_before = wrong_after = int(wrong_loops(network, phase).sum())
        weights = self._weights(rows)
        cycles = np.zeros(len(phase), np.int64)
        if request.unwrapping_correction == "closure" and wrong_before:
            corrected, turns = correct_cycles(network, phase, weights)
            phase = corrected.astype(np.float32)
            wrong_after = int(wrong_loops(network, phase).sum())
            cycles = np.abs(turns).sum(axis=1)
        found = invert(network, phase, weights, norm=request.method)  # type: ignore[arg-type]
        enough = known.sum(axis=0) >= max(0.01 * request.minimum_pairs * len(phase), 1.0)
        disconnected = ~found.connected & known.any(axis=0)
        if request.disconnected == "mask":
            enough &= found.connected
        with np.errstate(invalid="ignore"):
            reliable = enough & (found.temporal_coherence >= request.minimum_temporal_coherence)
        metres = -self.reference.inputs.stack.wavelength / (4.0 * math.pi)
        displacement = metres * found.phases
        displacement[:, ~enough] = np.nan
        squares = np.square(found.residuals[:, reliable], dtype=np.float64)
        return _Part(
            displacement=displacement.astype(np.float32).reshape(-1, *shape),
            temporal_coherence=np.where(enough, found.temporal_coherence, np.nan)
            .astype(np.float32)
            .reshape(shape),
            reliable=reliable.reshape(shape),
            squares=np.nansum(squares, axis=1),
            counts=np.isfinite(squares).sum(axis=1),
            loops=(loops, wrong_before, wrong_after),
            cycles=cycles,
            disconnected=int(np.count_nonzero(disconnected)),
        )

    def _weights(self, rows: StackRows) -> NDArray[np.float32] | None:
        if self.request.weighting == "none" or rows.coherence is None:
            return None
        coherence = np.nan_to_num(rows.coherence, nan=0.0)
        variance = phase_variance(coherence, looks_of(self.reference))
        weights = 1.0 / np.maximum(variance, np.float32(_LEAST_VARIANCE))
        return np.asarray(weights.reshape(len(weights), -1), np.float32)


def looks_of(reference: StackReference) -> float:
    """Independent looks of a cell, as the stack tells them."""
    values = reference.inputs.stack.attributes
    try:
        return max(float(values["NCORRLOOKS"]), 1.0)
    except (KeyError, ValueError):
        return _DEFAULT_LOOKS


def _count_loops(triplets: NDArray[np.int64], known: NDArray[np.bool_]) -> int:
    return sum(int((known[a] & known[b] & known[c]).sum()) for a, b, c in triplets)


def bytes_per_cell(pairs: int, dates: int) -> float:
    """Memory that a cell takes while it is inverted [bytes]."""
    return 90.0 * pairs + 40.0 * dates + 100.0


def invert_stack(
    request: InsarTimeseriesRequest,
    reference: StackReference,
    folder: Path,
    *,
    threads: int,
    progress: Progress,
) -> InvertedCells:
    """Invert every cell; memory follows the budget, not the scene.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        How.
    reference : StackReference
        Of the pairs.
    folder : Path
        Receives RAW: displacement towards the satellite from the first date on [m].
    threads : int
        Computing threads.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    InvertedCells
        What pictures, maps and the report need of every cell.

    Raises
    ------
    InputError
        The stack is damaged.
    Cancelled
        If asked to stop.
    """
    inputs = reference.inputs
    shape, pairs = inputs.stack.shape, len(inputs.numbers)
    found = InvertedCells(
        temporal_coherence=np.full(shape, np.nan, np.float32),
        reliable=np.zeros(shape, np.bool_),
        squares=np.zeros(pairs),
        counts=np.zeros(pairs, np.int64),
        pair_cycles=np.zeros(pairs, np.int64),
    )
    rows = rows_for_budget(
        request.memory_mb * 1e6 / (threads + 1),
        bytes_per_row=shape.samples * bytes_per_cell(pairs, len(inputs.days)),
    )
    with create_series(
        folder / RAW,
        days=inputs.days,
        baselines=inputs.network.baselines,
        shape=shape,
        attributes={},
    ) as writer:

        def write(band: Band, part: _Part) -> None:
            own = slice(band.first, band.first + band.rows)
            writer.write(band.first, part.displacement)
            found.temporal_coherence[own] = part.temporal_coherence
            found.reliable[own] = part.reliable
            found.squares += part.squares
            found.counts += part.counts
            found.loops += part.loops[0]
            found.wrong_before += part.loops[1]
            found.wrong_after += part.loops[2]
            found.pair_cycles += part.cycles
            found.disconnected += part.disconnected

        run_bands(
            split_rows(shape.lines, band_rows=min(rows, _LARGEST_BAND)),
            read=lambda band: inputs.stack.rows(band, inputs.numbers),
            compute=_Inverter(request=request, reference=reference),
            write=write,
            threads=threads,
            progress=progress,
            step="inversion",
        )
    return found
