"""One swath through the fused pass: pixels in, look sums and a radar raster out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.checkpoint import Checkpoint, KeptSums
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.pieces import Piece, Task, cut_pieces, cut_tasks
from kernels.engine.bands import Band, map_bands, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.insar.adjustment import Flattening
from kernels.insar.burst_pair import BurstPair
from kernels.insar.coherence import unbiased_coherence
from kernels.insar.geocode import RadarSums
from kernels.insar.look_sums import LookSums
from kernels.insar.mosaic import Placement
from kernels.insar.resample import Bands
from kernels.model import Dem, Looks, SlcProduct
from kernels.products.raster import BandWriter, create_raster

RADAR_BANDS = ("amplitude", "phase", "coherency", "isData")
RADAR_UNITS = ("DN", "rad", "1", "1")

_ROWS_AT_ONCE = 256
"""Rows of look cells that are written at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarResult:
    """What became of a swath.

    Attributes
    ----------
    sums : RadarSums
        Look sums in a memory-mapped file.
    warnings : tuple of str
        One line for each piece that is damaged, in part or as a whole.
    is_lost : bool
        Whether no piece could be used.
    """

    sums: RadarSums
    warnings: tuple[str, ...]
    is_lost: bool


class CellCounts(NamedTuple):
    """Look cells of a piece, or of some of its rows.

    Attributes
    ----------
    whole : int
        Cells whose every pixel should carry signal.
    broken : int
        Of these, cells with values that are not finite.
    reference, secondary : int
        Of these, cells that are not empty in the image.
    """

    whole: int = 0
    broken: int = 0
    reference: int = 0
    secondary: int = 0

    def loss(self) -> str:
        """Say why there is no data at all; empty where there is some, or should be none."""
        if self.whole == 0:
            return ""
        if self.broken == self.whole:
            return "no value is finite"
        empty = [name for name in ("reference", "secondary") if getattr(self, name) == 0]
        return f"the {' and the '.join(empty)} holds zeros alone" if empty else ""


class FoundSums(NamedTuple):
    """Sums of shape (rows, cells, 4), zeros where a cell has no data, and what was counted."""

    sums: NDArray[np.float32]
    counts: CellCounts


def process_swath(
    pair: SwathPair,
    dem: Dem,
    raster: Path,
    checkpoint: Checkpoint,
    *,
    taps: int,
    flattening: Flattening,
    threads: int,
    memory_mb: int,
    tags: dict[str, str],
    progress: Progress,
    unbiased_looks: float | None = None,
) -> RadarResult:
    """Read, coregister and combine the pixels of one swath.

    A piece (a burst, or some lines of a StripMap image) that cannot be read, or that holds nothing
    in one of the images, has no data in the result, and the others are not concerned. Pieces
    that an earlier run completed are not read.

    Parameters
    ----------
    pair : SwathPair
        Opened swath.
    dem : Dem
        Terrain under it.
    raster : Path
        Receives the interferogram in radar geometry: amplitude, phase, coherency, isData.
    checkpoint : Checkpoint
        Holds the look sums.
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
        Told per band of lines, by name of the piece.
    unbiased_looks : float or None
        Effective looks of a cell, where coherence is to be freed from its bias.

    Returns
    -------
    RadarResult
        With a warning for each damaged piece.
    """
    looks, grid = pair.looks, pair.layout.grid.looked(pair.looks)
    gathered = _Gathered(pair, checkpoint.swath(pair.reference.swath, grid.shape))
    pieces = cut_pieces(pair)
    missing = [piece for piece in pieces if not gathered.take_up(piece)]
    burst_pairs = prepare_pairs(
        pair,
        dem,
        missing,
        taps=taps,
        flattening=flattening,
        threads=threads,
        progress=progress,
    )
    tasks = [
        task
        for piece in pieces
        for task in cut_tasks(
            piece,
            burst_pairs.get(piece.placement.start) if piece in missing else None,
            azimuth_looks=looks.azimuth,
            budget_bytes=memory_mb * 1e6 / (threads + 1),
        )
    ]
    with create_raster(
        raster, grid.shape, RADAR_BANDS, grid=grid, tags=tags, units=RADAR_UNITS, threads=threads
    ) as writer:

        def write(task: Task, found: FoundSums | None) -> None:
            gathered.put(task, found)
            if task.is_last:
                gathered.finish(task.piece)
                write_rows(writer, task.piece.rows, gathered.sums, looks, unbiased_looks)

        run_bands(
            tasks,
            read=gathered.read,
            compute=lambda task, block: _compute(task, block, looks),
            write=write,
            threads=threads,
            progress=progress,
            step=lambda task: f"interferogram of {task.piece.name}",
        )
    sums = RadarSums(
        grid=grid,
        orbit=pair.reference_orbit,
        looks=looks,
        sums=gathered.sums,
        valid_ranges=pair.layout.valid_ranges(looks),
    )
    return RadarResult(sums=sums, warnings=tuple(gathered.warnings), is_lost=gathered.is_lost)


_Block = tuple[NDArray[np.complex64], NDArray[np.complex64]]


class _Gathered:
    """The look sums of a swath while its tasks go by in order, and what is wrong with them."""

    def __init__(self, pair: SwathPair, kept: KeptSums) -> None:
        self._pair = pair
        self._kept = kept
        self.sums = kept.sums
        self.warnings: list[str] = []
        self._notes: dict[Band, str] = {}
        self._unreadable: dict[Band, str] = {}
        self._counts = CellCounts()
        self._judged = 0
        self._lost = 0

    @property
    def is_lost(self) -> bool:
        """Whether there were pieces to read, and none of them could be used."""
        return 0 < self._judged == self._lost

    def take_up(self, piece: Piece) -> bool:
        """Tell whether an earlier run completed a piece."""
        note = self._kept.note(piece.rows, self._label(piece))
        if note is not None:
            self._notes[piece.rows] = note
        return note is not None

    def read(self, task: Task) -> _Block | None:
        """Read the pixels of a task; None where there is nothing to read, or no way to."""
        pair, piece = task.pair, task.piece
        if pair is None or piece.rows in self._unreadable:
            return None
        first = piece.placement.burst.first_line + task.lines.first
        needed = pair.secondary_lines(task.lines)
        try:
            return (
                _read(self._pair.reference, first, task.lines.rows),
                _read(self._pair.secondary, pair.secondary.first_line + needed.first, needed.rows),
            )
        except ProductError as error:
            self._unreadable[piece.rows] = str(error)
            return None

    def put(self, task: Task, found: FoundSums | None) -> None:
        """Take in what a task gave."""
        if found is not None:
            self.sums[_slice(task.rows)] = found.sums
            self._counts = CellCounts(*map(sum, zip(self._counts, found.counts, strict=True)))

    def finish(self, piece: Piece) -> None:
        """Judge a piece that is complete, and keep it or take it away."""
        counts, self._counts = self._counts, CellCounts()
        if piece.placement.partner is None:
            return
        self._judged += 1
        note = self._notes.get(piece.rows)
        if note is None:
            reason = self._unreadable.get(piece.rows) or counts.loss()
            if reason:
                self.sums[_slice(piece.rows)] = 0.0
                self._lost += 1
                self.warnings.append(f"{piece.name} has no data: {reason}")
                return
            note = ""
            if counts.broken:
                note = f"{piece.name} lacks {counts.broken} look cells with values not finite"
            self._kept.complete(piece.rows, self._label(piece), note)
        if note:
            self.warnings.append(note)

    def _label(self, piece: Piece) -> str:
        """Tell what the sums depend on beside request and input."""
        return repr(self._pair.adjustments.get(piece.placement.burst.index))


def _slice(rows: Band) -> slice:
    return slice(rows.first, rows.first + rows.rows)


def _compute(task: Task, block: _Block | None, looks: Looks) -> FoundSums | None:
    if task.pair is None or block is None:
        return None
    return found_sums(task.pair.compute(task.lines, block[0], block[1], looks), looks)


def found_sums(made: LookSums, looks: Looks) -> FoundSums:
    """Keep the cells that are whole, finite and not empty, and count the others."""
    whole = made.counts == looks.azimuth * looks.range
    with np.errstate(invalid="ignore", over="ignore"):
        power = made.reference_power * made.secondary_power
    finite = np.isfinite(power)
    kept = whole & finite & (power > 0.0)
    sums = np.zeros((*whole.shape, 4), np.float32)
    for number, plane in enumerate(
        (made.cross.real, made.cross.imag, made.reference_power, made.secondary_power)
    ):
        np.copyto(sums[:, :, number], plane, where=kept)
    counts = CellCounts(
        whole=int(whole.sum()),
        broken=int((whole & ~finite).sum()),
        reference=int((whole & (made.reference_power != 0.0)).sum()),
        secondary=int((whole & (made.secondary_power != 0.0)).sum()),
    )
    return FoundSums(sums, counts)


def write_rows(
    writer: BandWriter,
    rows: Band,
    sums: NDArray[np.float32],
    looks: Looks,
    unbiased_looks: float | None,
) -> None:
    """Write the interferogram of rows of look cells that are complete.

    Parameters
    ----------
    writer : BandWriter
        Of a raster of the bands RADAR_BANDS.
    rows : Band
        Which ones.
    sums : ndarray of float32, shape (all rows, cells, 4)
        As in `RadarSums`.
    looks : Looks
        Pixels of a cell.
    unbiased_looks : float or None
        As in `process_swath`.
    """
    for band in split_rows(rows.rows, band_rows=_ROWS_AT_ONCE, first=rows.first):
        part = sums[_slice(band)]
        cells = LookSums(
            cross=part[:, :, :2].view(np.complex64)[:, :, 0],
            reference_power=part[:, :, 2],
            secondary_power=part[:, :, 3],
            counts=np.full(part.shape[:2], looks.azimuth * looks.range, np.int32),
        )
        bands = cells.bands(looks)
        if unbiased_looks is not None:
            bands[2] = unbiased_coherence(bands[2], unbiased_looks)
        writer.write(band.first, bands)


def _read(product: SlcProduct, first_line: int, lines: int) -> NDArray[np.complex64]:
    pixels = product.pixels
    if pixels is None:
        raise ProductError(f"{product.name} was opened without its pixels")
    return pixels.read(first_line, lines)


def prepare_pairs(
    pair: SwathPair,
    dem: Dem,
    pieces: Sequence[Piece],
    *,
    taps: int,
    flattening: Flattening,
    threads: int,
    progress: Progress,
) -> dict[int, BurstPair]:
    """Tabulate the geometry of the bursts of some pieces, by the start of their placement."""
    placements = {piece.placement.start: piece.placement for piece in pieces}

    def prepare(placement: Placement) -> BurstPair | None:
        progress.check()
        if placement.partner is None:
            return None
        return BurstPair.of(
            reference=placement.burst,
            reference_orbit=pair.reference_orbit,
            secondary=placement.partner,
            secondary_orbit=pair.secondary_orbit,
            dem=dem,
            taps=taps,
            bands=Bands.of(pair.secondary),
            adjustment=pair.adjustments.get(placement.burst.index),
            effects=pair.effects(placement),
            flattening=flattening,
        )

    made = map_bands(list(placements.values()), prepare, threads=threads)
    return {start: found for start, found in zip(placements, made, strict=True) if found}
