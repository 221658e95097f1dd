"""The images of a stack: each date resampled once onto the grid of the reference."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.pieces import Task, cut_pieces, cut_tasks
from kernels.chains.dinsar_pair.radar import prepare_pairs
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError, ProductError
from kernels.geometry.terrain import meet_terrain, tabulate_radar
from kernels.insar.burst_pair import BurstPair
from kernels.insar.mosaic import MISSING
from kernels.insar.stack import with_signal
from kernels.model import Dem
from kernels.products.raster import BandWriter, create_raster

_HEIGHT_BYTES = 64
"""Of a pixel while its height is found."""
_LARGEST_BAND = 256
ZEROS = "it holds zeros alone"
"""What is said of a burst of a whole file without data."""


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights of the pixels of the reference's bursts, found once for all dates.

    Attributes
    ----------
    folder : Path
        Holds one array of each burst.
    """

    folder: Path

    def of(self, swath: str, burst: int) -> NDArray[np.float32]:
        """Heights above the ellipsoid [m], shape (lines, samples); a memory map."""
        found: NDArray[np.float32] = np.load(self._path(swath, burst), mmap_mode="r")
        return found

    def make(
        self,
        swaths: tuple[SwathPair, ...],
        dem: Dem,
        *,
        threads: int,
        memory_mb: int,
        progress: Progress,
    ) -> None:
        """Find the heights that are not there yet.

        Parameters
        ----------
        swaths : tuple of SwathPair
            The reference with itself.
        dem : Dem
            Terrain under it.
        threads : int
            Over lines.
        memory_mb : int
            Budget [MB].
        progress : Progress
            Told per burst.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        """
        wanted = [
            (pair, placement)
            for pair in swaths
            for placement in pair.layout.placements
            if placement.burst.index != MISSING
        ]
        for number, (pair, placement) in enumerate(wanted):
            swath, burst = pair.reference.swath, placement.burst
            progress.update(number / len(wanted), f"heights of {swath} burst {burst.index + 1}")
            path = self._path(swath, burst.index)
            if path.exists():
                continue
            timing = pair.effects(placement).reference.timing
            polynomials = tabulate_radar(
                burst.grid,
                pair.reference_orbit,
                dem,
                errors=None if timing is None else timing.errors,
            )
            shape = burst.grid.shape
            rows = rows_for_budget(memory_mb * 1e6, bytes_per_row=shape.samples * _HEIGHT_BYTES)
            staged = path.with_name(f".{path.name}")
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with staged.open("wb") as file:
                    header = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
                    np.lib.format.write_array_header_1_0(file, header)
                    for lines in split_rows(shape.lines, band_rows=min(rows, _LARGEST_BAND)):
                        progress.check()
                        heights, _ = meet_terrain(
                            polynomials, dem, lines=lines, samples=shape.samples, threads=threads
                        )
                        heights.astype("<f4").tofile(file)
                    file.flush()
                    os.fsync(file.fileno())  # the name must not be there before the heights
                staged.replace(path)
            except OSError as error:
                raise ProcessingError(
                    f"heights could not be written, is the disk full?: {error.strerror}"
                ) from error

    def _path(self, swath: str, burst: int) -> Path:
        return self.folder / f"{swath.lower()}_burst_{burst + 1}.npy"


def raster_name(swath: str) -> str:
    """Name of the raster of a swath in the folder of its date."""
    return f"slc_{swath.lower()}.tif"


def write_image(
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    heights: Heights,
    folder: Path,
    *,
    taps: int,
    threads: int,
    memory_mb: int,
    progress: Progress,
) -> dict[str, str]:
    """Write a date on the grid of the reference.

    Parameters
    ----------
    pairs : tuple of SwathPair
        Reference and date, with adjustments; or the reference with itself.
    dem : Dem
        Terrain under them.
    heights : Heights
        Of the reference.
    folder : Path
        Receives a raster for each swath.
    taps : int
        Of the resampling kernel.
    threads : int
        Computing threads.
    memory_mb : int
        Budget for pixel blocks [MB].
    progress : Progress
        Told per band of lines.

    Returns
    -------
    dict of str to str
        Of each burst, or part of a StripMap image, that has no data: why, `ZEROS` or what is
        wrong with its file.

    Raises
    ------
    ProductError
        No burst can be read.
    """
    problems: dict[str, str] = {}
    read_pieces = 0
    for number, pair in enumerate(pairs):
        part = progress.part(number / len(pairs), (number + 1) / len(pairs))
        read_pieces += sum(piece.placement.partner is not None for piece in cut_pieces(pair))
        writer = _Swath(pair, dem, heights, taps=taps, threads=threads, problems=problems)
        writer.write(folder / raster_name(pair.reference.swath), memory_mb=memory_mb, progress=part)
    if problems and len(problems) == read_pieces:
        name, why = next(iter(problems.items()))
        raise ProductError(f"{name} has no data: {why}")
    return problems


class _Swath:
    """One swath of a date on its way to its raster."""

    def __init__(
        self,
        pair: SwathPair,
        dem: Dem,
        heights: Heights,
        *,
        taps: int,
        threads: int,
        problems: dict[str, str],
    ) -> None:
        self._pair = pair
        self._dem = dem
        self._heights = heights
        self._taps = taps
        self._threads = threads
        self._problems = problems
        self._empty: dict[str, bool] = {}
        self._is_reference = pair.secondary is pair.reference

    def write(self, path: Path, *, memory_mb: int, progress: Progress) -> None:
        grid = self._pair.layout.grid
        with create_raster(
            path,
            grid.shape,
            ("slc",),
            grid=grid,
            compression="NONE",
            dtype="complex64",
            tags={
                "REFERENCE": " ".join(self._pair.reference_names),
                "IMAGE": " ".join(self._pair.secondary_names),
                "SWATH": self._pair.reference.swath,
                "POLARISATION": self._pair.reference.polarisation,
                "PHASE": "freed from topography, range of the reference",
            },
        ) as writer:
            run_bands(
                list(self._tasks(memory_mb * 1e6 / (self._threads + 1), progress)),
                read=self._read,
                compute=self._compute,
                write=lambda task, pixels: self._put(writer, task, pixels),
                threads=self._threads,
                progress=progress,
                step=lambda task: task.piece.name,
            )
        for name in (name for name, is_empty in self._empty.items() if is_empty):
            self._problems.setdefault(name, ZEROS)

    def _put(self, writer: BandWriter, task: Task, pixels: NDArray[np.complex64]) -> None:
        writer.write(task.piece.placement.origin + task.lines.first, pixels[None])
        if task.piece.placement.partner is not None:
            is_empty = self._empty.get(task.piece.name, True)
            self._empty[task.piece.name] = is_empty and not pixels.any()

    def _tasks(self, budget_bytes: float, progress: Progress) -> Iterator[Task]:
        pieces = cut_pieces(self._pair)
        prepared: dict[int, BurstPair] = {}
        if not self._is_reference:
            prepared = prepare_pairs(
                self._pair,
                self._dem,
                pieces,
                taps=self._taps,
                flattening="topography",
                threads=self._threads,
                progress=progress,
            )
        for piece in pieces:
            pair = prepared.get(piece.placement.start)
            if pair is not None:
                heights = self._heights.of(self._pair.reference.swath, piece.placement.burst.index)
                pair = replace(pair, heights=heights)
                looks = self._pair.looks.azimuth
                yield from cut_tasks(piece, pair, azimuth_looks=looks, budget_bytes=budget_bytes)
                continue
            # pixels of the reference as they are, or zeros
            origin = piece.placement.origin
            for band in split_rows(
                piece.lines.rows, band_rows=_LARGEST_BAND, first=piece.lines.first
            ):
                lines = Band(band.first - origin, band.rows)
                yield Task(piece=piece, pair=None, lines=lines, rows=piece.rows)

    def _read(self, task: Task) -> NDArray[np.complex64] | None:
        piece, pair = task.piece, task.pair
        if piece.placement.partner is None or piece.name in self._problems:
            return None
        try:
            if self._is_reference:
                first = piece.placement.burst.first_line + task.lines.first
                return self._pixels(first, task.lines.rows)
            if pair is None:
                return None
            needed = pair.secondary_lines(task.lines)
            return self._pixels(pair.secondary.first_line + needed.first, needed.rows)
        except ProductError as error:
            self._problems[piece.name] = str(error)
            return None

    def _pixels(self, first: int, lines: int) -> NDArray[np.complex64]:
        pixels = self._pair.secondary.pixels
        if pixels is None:
            raise ProductError(f"{self._pair.secondary.name} was opened without its pixels")
        return pixels.read(first, lines)

    def _compute(self, task: Task, block: NDArray[np.complex64] | None) -> NDArray[np.complex64]:
        samples = self._pair.layout.grid.shape.samples
        if block is None:
            return np.zeros((task.lines.rows, samples), np.complex64)
        if self._is_reference:
            found = with_signal(task.piece.placement.burst, task.lines, block)
        elif task.pair is None:
            found = np.zeros((task.lines.rows, samples), np.complex64)
        else:
            found = task.pair.flattened(task.lines, block)
        found[~np.isfinite(found)] = 0.0
        return found
