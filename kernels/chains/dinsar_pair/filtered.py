"""The filtered interferogram: look sums whose phase is filtered, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.insar.further_looks import looked_cells
from kernels.insar.geocode import RadarSums
from kernels.insar.merged import MergedSwaths
from kernels.insar.phase_filter import HALO, goldstein

_BYTES_PER_CELL = 120
_LARGEST_BAND = 512


class _Block(NamedTuple):
    """Sums of a band and the rows around it; the first row's number."""

    sums: NDArray[np.float32]
    first: int


def filter_sums(
    request: DinsarPairRequest,
    merged: MergedSwaths,
    path: Path,
    *,
    threads: int,
    progress: Progress,
) -> RadarSums:
    """Filter the phase of the look sums.

    Parameters
    ----------
    request : DinsarPairRequest
        Names filter and strength.
    merged : MergedSwaths
        The swaths on one grid.
    path : Path
        Receives the sums.
    threads : int
        Computing threads.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    RadarSums
        Magnitudes are those of the interferogram; in a memory-mapped file.
    """
    shape = merged.grid.shape
    out = np.memmap(path, np.float32, "w+", shape=(*shape, 4))
    alpha = None if request.phase_filter == "adaptive" else request.filter_strength
    rows = rows_for_budget(
        request.memory_mb * 1e6 / (threads + 1),
        bytes_per_row=shape.samples * _BYTES_PER_CELL,
        at_least=2 * HALO,
    )

    def read(band: Band) -> _Block:
        first = max(band.first - HALO, 0)
        stop = min(band.first + band.rows + HALO, shape.lines)
        return _Block(merged.sums(Band(first, stop - first)), first)

    def compute(band: Band, block: _Block) -> NDArray[np.float32]:
        cross = block.sums[:, :, 0] + np.complex64(1j) * block.sums[:, :, 1]
        filtered = goldstein(
            cross,
            alpha=alpha,
            coherence=None if alpha is not None else _zero_unknown(block.sums),
            first_row=block.first,
        )
        own = slice(band.first - block.first, band.first - block.first + band.rows)
        sums = block.sums[own].copy()
        turned = np.abs(cross[own]) * np.exp(1j * np.angle(filtered[own]))
        sums[:, :, 0], sums[:, :, 1] = turned.real, turned.imag
        return sums

    def write(band: Band, sums: NDArray[np.float32]) -> None:
        out[band.first : band.first + band.rows] = sums

    run_bands(
        split_rows(shape.lines, band_rows=min(rows, _LARGEST_BAND)),
        read=read,
        compute=compute,
        write=write,
        threads=threads,
        progress=progress,
        step="phase filter",
    )
    return RadarSums(
        grid=merged.grid,
        orbit=merged.swaths[0].orbit,
        looks=merged.looks,
        sums=out,
        valid_ranges=np.full((shape.lines, 2), np.nan),
    )


def _zero_unknown(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    coherence: NDArray[np.float32] = np.nan_to_num(looked_cells(sums).coherence, copy=False)
    return coherence
