"""One pass over the rows of some acquisitions: add them to the state, filter them, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multitemporal_filter.reading import Layer, SlidingRows, block_cache
from kernels.chains.multitemporal_filter.series import Acquisition
from kernels.chains.multitemporal_filter.state_pixels import StateRows, StateWriter, create_state
from kernels.engine.bands import Band, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import InputError
from kernels.model import MapGrid
from kernels.products.raster import TILE, BandWriter, Compression, create_raster
from kernels.radiometry.lee import lee_filter
from kernels.radiometry.multitemporal import (
    TemporalSums,
    add_intensities,
    add_ratios,
    no_sums,
    quegan_yu,
    ratio_filter,
)
from kernels.radiometry.windows import is_valid, window_means

_BAND_ROWS = (TILE, TILE // 2, TILE // 4, TILE // 8)
"""Rows of a band: parts of a tile, so that a tile is finished before the next is begun."""
_FEWEST_ROWS = TILE // 4
"""Smaller bands spend their time on halos: rather fewer acquisitions at a time."""
_TEMPORARIES = 12
"""Arrays of one acquisition's band that the filters of single acquisitions make."""
MEGABYTE = 1e6
"""[bytes]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPlan:
    """How to filter.

    Attributes
    ----------
    method : "quegan", "ratio" or "lee"
        Filter.
    window : int
        Side of the window.
    looks, window_pixels : float
        Of the speckle of one acquisition, for the filters that ask for them.
    threads : int
        Computing threads.
    memory_mb : float
        Budget for pixels [MB].
    """

    method: str
    window: int
    looks: float
    window_pixels: float
    threads: int
    memory_mb: float

    def _bytes(self, acquisitions: Sequence[Acquisition], columns: int, band_rows: int) -> float:
        block = max(a.block_rows for a in acquisitions)
        blocks = 2 * (self.threads + 1) * (band_rows + self.window)
        rows = len(acquisitions) * (TILE + (block if block > band_rows else 0) + blocks)
        rows += 2 * blocks + 2 * TILE
        if self.method != "quegan":
            rows += self.threads * _TEMPORARIES * (band_rows + self.window)
        return 4.0 * columns * rows

    def band_rows(self, acquisitions: Sequence[Acquisition], columns: int) -> int:
        """Rows of a band that fit the budget."""
        for rows in _BAND_ROWS:
            if self._bytes(acquisitions, columns, rows) <= MEGABYTE * self.memory_mb:
                return rows
        return _BAND_ROWS[-1]

    def groups(
        self, acquisitions: Sequence[Acquisition], columns: int
    ) -> list[Sequence[Acquisition]]:
        """Split acquisitions into groups that fit the budget."""
        size = len(acquisitions)
        while (
            size > 1
            and self._bytes(acquisitions[:size], columns, _FEWEST_ROWS) > MEGABYTE * self.memory_mb
        ):
            size -= 1
        return [acquisitions[k : k + size] for k in range(0, len(acquisitions), size)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass reads and writes.

    Attributes
    ----------
    acquisitions : sequence of Acquisition
        To read.
    state : Path or None
        Sums so far; None: of nothing.
    new_state : Path or None
        Where the sums with these acquisitions go; None: they are in the state already.
    images : int
        Acquisitions in the sums, these included.
    results : dict of str to (Path, dict of str to str)
        By name of the acquisition, the file to write and its further tags.
    """

    acquisitions: Sequence[Acquisition]
    state: Path | None
    new_state: Path | None
    images: int
    results: dict[str, tuple[Path, dict[str, str]]]


class _Block(NamedTuple):
    """Images of shape (acquisitions, rows, columns) and sums, halo included."""

    images: NDArray[np.float32]
    sums: TemporalSums
    core: Band


class _Done(NamedTuple):
    filtered: list[NDArray[np.float32]]
    sums: TemporalSums


def run_pass(
    work: Pass,
    plan: FilterPlan,
    *,
    grid: MapGrid,
    state_tags: dict[str, str],
    compression: Compression | None,
    progress: Progress,
    step: str,
) -> None:
    """Read each acquisition once and write what the pass is for.

    Parameters
    ----------
    work : Pass
        What to read and write; files appear whole or not at all.
    plan : FilterPlan
        How to filter.
    grid : MapGrid
        Of all files.
    state_tags : dict of str to str
        For the new state.
    compression : "ZSTD", "DEFLATE", "LERC", "NONE" or None
        Of the results; None: that of each acquisition.
    progress : Progress
        Told after each band.
    step : str
        Name of the step.

    Raises
    ------
    InputError
        A file cannot be read, or holds no measurement.
    ProcessingError
        The file system does not take the results.
    """
    computing = _Computing(work, plan)
    half = plan.window // 2
    layers = [Layer(a.path, a.band, a.holes) for a in work.acquisitions]
    images = SlidingRows(layers, grid.shape, half)
    before = None if work.state is None else StateRows(work.state, grid.shape, half)

    def read(band: Band) -> _Block:
        block = images.read(band)
        known = before.read(band) if before else no_sums((block.shape[1], block.shape[2]))
        return _Block(block, known, Band(min(band.first, half), band.rows))

    rows = plan.band_rows(work.acquisitions, grid.shape.samples)
    cached = sum(a.block_rows for a in work.acquisitions if a.block_rows > rows)
    with (
        block_cache(4.0 * cached * grid.shape.samples),
        _writers(work, grid, state_tags, compression, plan.threads) as (writers, state_writer),
    ):

        def write(band: Band, done: _Done) -> None:
            for writer, filtered in zip(writers, done.filtered, strict=True):
                writer.write(band.first, filtered[None])
            if state_writer is not None:
                state_writer.write(band.first, done.sums)

        run_bands(
            _bands(grid.shape.lines, rows, half),
            read=read,
            compute=lambda _, block: computing.compute(block),
            write=write,
            threads=plan.threads,
            progress=progress,
            step=step,
        )
        computing.check_measurements()


def _bands(lines: int, rows: int, half: int) -> tuple[Band, ...]:
    """Bands whose halo, not whose core, ends where tiles end."""
    first = min(rows - half, lines)
    return Band(0, first), *split_rows(lines - first, band_rows=rows, first=first)


class _Computing:
    """What the threads do with a block; knows which acquisitions showed a measurement."""

    def __init__(self, work: Pass, plan: FilterPlan) -> None:
        self._work = work
        self._plan = plan
        self._measured = [False] * len(work.acquisitions)

    def compute(self, block: _Block) -> _Done:
        """Add the images to the sums, then filter those that are wanted."""
        rows = slice(block.core.first, block.core.first + block.core.rows)
        core_sums = TemporalSums(block.sums.total[rows], block.sums.counts[rows])
        means: list[NDArray[np.float32] | None] = [None] * len(block.images)
        for k, image in enumerate(block.images):
            if is_valid(image).any():  # threads only ever set it: none takes back another's
                self._measured[k] = True
            if self._work.new_state is None:
                continue
            if self._plan.method == "quegan":
                means[k] = add_ratios(image, core_sums, window=self._plan.window, core=block.core)
            else:
                add_intensities(image, block.sums)
        filtered = [
            self._filter(image, means[k], block, core_sums, acquisition.missing)
            for k, (image, acquisition) in enumerate(
                zip(block.images, self._work.acquisitions, strict=True)
            )
            if acquisition.name in self._work.results
        ]
        return _Done(filtered, core_sums)

    def _filter(
        self,
        image: NDArray[np.float32],
        means: NDArray[np.float32] | None,
        block: _Block,
        core_sums: TemporalSums,
        missing: float,
    ) -> NDArray[np.float32]:
        window, core = self._plan.window, block.core
        if self._plan.method == "quegan":
            if means is None:
                means = window_means(image, window=window, core=core)
            return quegan_yu(image, means, core_sums, core=core, missing=missing)
        if self._plan.method == "lee":
            looks = np.float32(self._plan.looks)
            return lee_filter(image, window=window, looks=looks, core=core, missing=missing)
        return ratio_filter(
            image,
            block.sums,
            window=window,
            looks=self._plan.looks,
            window_pixels=self._plan.window_pixels,
            core=core,
            missing=missing,
        )

    def check_measurements(self) -> None:
        """Refuse acquisitions without any measurement."""
        for acquisition, measured in zip(self._work.acquisitions, self._measured, strict=True):
            if not measured:
                raise InputError(
                    f"{acquisition.name} holds no measurement: intensities must be positive and "
                    "linear, not decibels"
                )


@contextmanager
def _writers(
    work: Pass,
    grid: MapGrid,
    state_tags: dict[str, str],
    compression: Compression | None,
    threads: int,
) -> Iterator[tuple[list[BandWriter], StateWriter | None]]:
    """Open all files of a pass."""
    with ExitStack() as stack:
        writers = []
        for acquisition in work.acquisitions:
            if acquisition.name not in work.results:
                continue
            path, tags = work.results[acquisition.name]
            writers.append(
                stack.enter_context(
                    create_raster(
                        path,
                        grid.shape,
                        (acquisition.tags["POLARIZATION"].lower(),),
                        grid=grid,
                        nodata=acquisition.missing,
                        compression=compression or acquisition.compression,
                        tags=acquisition.tags | tags,
                        threads=threads,
                        overviews="mean" if acquisition.optimized else None,
                    )
                )
            )
        state_writer = None
        if work.new_state is not None:
            state_writer = stack.enter_context(
                create_state(
                    work.new_state,
                    grid=grid,
                    images=work.images,
                    compression=compression or work.acquisitions[0].compression,
                    tags=state_tags,
                    threads=threads,
                )
            )
        yield writers, state_writer
