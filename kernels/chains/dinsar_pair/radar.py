"""One swath through the fused pass: pixels in, look sums and a radar raster out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.engine.bands import Band, map_bands, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.insar.adjustment import Flattening
from kernels.insar.burst_pair import BurstPair, LookSums
from kernels.insar.geocode import RadarSums
from kernels.insar.mosaic import Placement
from kernels.model import Dem, SlcProduct
from kernels.products.raster import create_raster

RADAR_BANDS = ("amplitude", "phase", "coherency", "isData")
RADAR_UNITS = ("DN", "rad", "1", "1")

_LARGEST_BAND = 256
"""Lines of a band: more would not shorten the halo's share of the work noticeably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Some lines of one burst; `rows` are rows of look cells in the swath."""

    placement: Placement
    pair: BurstPair | None
    lines: Band
    rows: Band


def process_swath(
    pair: SwathPair,
    dem: Dem,
    raster: Path,
    scratch: Path,
    *,
    taps: int,
    flattening: Flattening,
    threads: int,
    memory_mb: int,
    tags: dict[str, str],
    progress: Progress,
) -> RadarSums:
    """Read, coregister and combine the pixels of one swath.

    Parameters
    ----------
    pair : SwathPair
        Opened swath.
    dem : Dem
        Terrain under it.
    raster : Path
        Receives the interferogram in radar geometry: amplitude, phase, coherency, isData.
    scratch : Path
        Folder for the look sums.
    taps : int
        Of the resampling kernel.
    flattening : {'none', 'ellipsoid', 'topography'}
        What the phase is freed from.
    threads : int
        Computing threads.
    memory_mb : int
        Budget for pixel blocks [MB].
    tags : dict of str to str
        Metadata of the raster.
    progress : Progress
        Told per band of lines.

    Returns
    -------
    RadarSums
        Look sums in a memory-mapped file of the scratch folder.
    """
    layout, looks = pair.layout, pair.looks
    burst_pairs = _prepare(pair, dem, taps=taps, flattening=flattening, threads=threads)
    tasks = tuple(_tasks(pair, burst_pairs, threads=threads, memory_mb=memory_mb))
    grid = layout.grid.looked(looks)
    sums: NDArray[np.float32] = np.lib.format.open_memmap(
        scratch / f"{pair.reference.swath}.npy", "w+", np.float32, (*grid.shape, 4)
    )

    def read(task: _Task) -> tuple[NDArray[np.complex64], NDArray[np.complex64]] | None:
        if task.pair is None:
            return None
        first = task.placement.burst.first_line + task.lines.first
        needed = task.pair.secondary_lines(task.lines)
        return (
            _read(pair.reference, first, task.lines.rows),
            _read(pair.secondary, task.pair.secondary.first_line + needed.first, needed.rows),
        )

    def compute(
        task: _Task, block: tuple[NDArray[np.complex64], NDArray[np.complex64]] | None
    ) -> LookSums:
        if task.pair is None or block is None:
            return LookSums.zeros(task.rows.rows, grid.shape.samples)
        return task.pair.compute(task.lines, block[0], block[1], looks)

    with create_raster(
        raster, grid.shape, RADAR_BANDS, grid=grid, tags=tags, units=RADAR_UNITS, threads=threads
    ) as writer:

        def write(task: _Task, found: LookSums) -> None:
            bands = found.bands(looks)
            writer.write(task.rows.first, bands)
            whole = bands[3] == 1.0
            rows = slice(task.rows.first, task.rows.first + task.rows.rows)
            sums[rows, :, 0] = np.where(whole, found.cross.real, 0.0)
            sums[rows, :, 1] = np.where(whole, found.cross.imag, 0.0)
            sums[rows, :, 2] = np.where(whole, found.reference_power, 0.0)
            sums[rows, :, 3] = np.where(whole, found.secondary_power, 0.0)

        run_bands(
            tasks,
            read=read,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step=f"interferogram of {pair.reference.swath}",
        )
    return RadarSums(grid=grid, orbit=pair.reference_orbit, looks=looks, sums=sums)


def _read(product: SlcProduct, first_line: int, lines: int) -> NDArray[np.complex64]:
    pixels = product.pixels
    if pixels is None:
        raise ProductError(f"{product.name} was opened without its pixels")
    return pixels.read(first_line, lines)


def _prepare(
    pair: SwathPair, dem: Dem, *, taps: int, flattening: Flattening, threads: int
) -> Iterator[BurstPair | None]:
    """Tabulate the geometry of every burst that has a partner."""

    def prepare(placement: Placement) -> BurstPair | None:
        if placement.partner is None:
            return None
        return BurstPair.of(
            reference=placement.burst,
            reference_orbit=pair.reference_orbit,
            secondary=placement.partner,
            secondary_orbit=pair.secondary_orbit,
            dem=dem,
            taps=taps,
            adjustment=pair.adjustments.get(placement.burst.index),
            flattening=flattening,
        )

    return map_bands(pair.layout.placements, prepare, threads=threads)


def _tasks(
    pair: SwathPair,
    burst_pairs: Iterable[BurstPair | None],
    *,
    threads: int,
    memory_mb: int,
) -> Iterator[_Task]:
    """Cut every burst into bands of whole look cells that fit the memory budget."""
    looks = pair.looks
    for placement, burst_pair in zip(pair.layout.placements, burst_pairs, strict=True):
        per_line = 1 if burst_pair is None else burst_pair.bytes_per_line
        rows = min(
            rows_for_budget(memory_mb * 1e6 / (threads + 1), bytes_per_row=per_line),
            _LARGEST_BAND,
        )
        for band in split_rows(
            placement.stop - placement.start,
            band_rows=rows,
            multiple=looks.azimuth,
            first=placement.start,
        ):
            yield _Task(
                placement=placement,
                pair=burst_pair,
                lines=Band(band.first - placement.origin, band.rows),
                rows=Band(band.first // looks.azimuth, band.rows // looks.azimuth),
            )
