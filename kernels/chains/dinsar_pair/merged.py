"""The swaths in one raster in radar geometry, for what needs them together, like unwrapping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.radar import RADAR_BANDS, RADAR_UNITS
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.insar.coherence import unbiased_coherence
from kernels.insar.merged import MergedSwaths
from kernels.products.raster import create_raster

_BYTES_PER_CELL = 120
_LARGEST_BAND = 256


def write_merged(
    merged: MergedSwaths,
    path: Path,
    *,
    threads: int,
    memory_mb: int,
    tags: dict[str, str],
    progress: Progress,
    unbiased_looks: float | None = None,
) -> None:
    """Write the raster of all swaths.

    Parameters
    ----------
    merged : MergedSwaths
        The swaths on one grid.
    path : Path
        GeoTIFF with the bands of the rasters of single swaths; its tags
        `LATER_BY_LINES` and `LATER_BY_SAMPLES` tell for each swath how far it really lies from
        the grid, in single-look pixels.
    threads : int
        Computing and compressing threads.
    memory_mb : int
        Budget for blocks [MB].
    tags : dict of str to str
        Further metadata.
    progress : Progress
        Told per band of rows.
    unbiased_looks : float or None
        As in `write_map`.
    """
    shape = merged.grid.shape
    rows = rows_for_budget(
        memory_mb * 1e6 / (threads + 1), bytes_per_row=shape.samples * _BYTES_PER_CELL
    )
    later = {
        f"LATER_BY_{name}": " ".join(f"{remainder[axis]:.4f}" for remainder in merged.remainders)
        for axis, name in enumerate(("LINES", "SAMPLES"))
    }
    with create_raster(
        path,
        shape,
        RADAR_BANDS,
        grid=merged.grid,
        tags=tags | later,
        units=RADAR_UNITS,
        threads=threads,
    ) as writer:

        def compute(band: Band, _: None) -> NDArray[np.float32]:
            bands = merged.bands(band)
            if unbiased_looks is not None:
                bands[2] = unbiased_coherence(bands[2], unbiased_looks)
            return bands

        def write(band: Band, bands: NDArray[np.float32]) -> None:
            writer.write(band.first, bands)

        run_bands(
            split_rows(shape.lines, band_rows=min(rows, _LARGEST_BAND)),
            read=lambda _: None,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step="swaths side by side",
        )
