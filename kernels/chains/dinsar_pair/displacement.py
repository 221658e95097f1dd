"""Displacement in metres on the map, its picture and its style."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.insar.unwrapped_map import Reference, UnwrappedMap
from kernels.model import Looks
from kernels.products.preview import mean_cells, preview_looks
from kernels.products.raster import RasterReader, create_raster

DISPLACEMENT_BANDS = (
    "displacement",
    "unwrapped_phase",
    "component",
    "incidence",
    "line_of_sight_east",
    "line_of_sight_north",
    "line_of_sight_up",
)
DISPLACEMENT_UNITS = ("m", "rad", "1", "rad", "1", "1", "1")

_PHASE_BAND = 1
"""Of the interferogram, counted from 0."""
_BYTES_PER_PIXEL = 160
_LARGEST_BAND = 256


def write_displacement(
    unwrapped: UnwrappedMap,
    interferogram: Path,
    path: Path,
    *,
    reference: Reference,
    threads: int,
    memory_mb: int,
    tags: dict[str, str],
    progress: Progress,
) -> tuple[NDArray[np.float32], Looks]:
    """Write the displacement on the map of an interferogram.

    Parameters
    ----------
    unwrapped : UnwrappedMap
        What is sampled.
    interferogram : Path
        Raster on the same map, whose wrapped phase gets the cycles.
    path : Path
        Cloud Optimized GeoTIFF with the bands DISPLACEMENT_BANDS.
    reference : Reference
        Where displacement is 0.
    threads : int
        Computing and compressing threads.
    memory_mb : int
        Budget for blocks [MB].
    tags : dict of str to str
        Metadata of the raster.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    preview : ndarray of float32, shape (rows, columns)
        Mean displacement [m] of the cells of a picture; NaN where missing.
    looks : Looks
        Pixels of these cells.
    """
    shape = unwrapped.geometry.grid.shape
    looks = preview_looks(shape)
    rows = rows_for_budget(
        memory_mb * 1e6 / (threads + 1), bytes_per_row=shape.samples * _BYTES_PER_PIXEL
    )
    wrapped = RasterReader(interferogram)
    pieces: list[NDArray[np.float32]] = []
    with create_raster(
        path,
        shape,
        DISPLACEMENT_BANDS,
        grid=unwrapped.geometry.grid,
        overviews="nearest",  # means would be wrong for components
        tags=tags,
        units=DISPLACEMENT_UNITS,
        threads=threads,
    ) as writer:

        def read(band: Band) -> NDArray[np.float32]:
            return wrapped.read_band(_PHASE_BAND, band.first, band.rows)

        def compute(band: Band, phase: NDArray[np.float32]) -> NDArray[np.float32]:
            return unwrapped.compute(band, phase, reference)

        def write(band: Band, bands: NDArray[np.float32]) -> None:
            writer.write(band.first, bands)
            pieces.append(mean_cells(bands[0], np.isfinite(bands[0]), looks))

        run_bands(
            split_rows(shape.lines, band_rows=min(rows, _LARGEST_BAND), multiple=looks.azimuth),
            read=read,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step="displacement on the map",
        )
    return np.concatenate(pieces), looks
