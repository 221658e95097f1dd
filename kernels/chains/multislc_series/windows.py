"""Overlaps of the bursts of each date on the reference's grid, and the shifts of pairs of dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.seams import Seam, Side
from kernels.engine.bands import Band, map_bands
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError, ProductError
from kernels.insar.esd import Overlap, solve
from kernels.insar.esd_network import ShiftOfPair
from kernels.insar.mosaic import Placement
from kernels.insar.networks import Pair
from kernels.insar.overlaps import CELL, OverlapCells, WindowPair, cell_centres
from kernels.insar.stack import stack_sums, with_signal
from kernels.model import Dem, SlcProduct


@dataclass(frozen=True, slots=True)
class Windows:
    """Files of the overlaps of one date.

    Attributes
    ----------
    folder : Path
        Holds two arrays for each seam at which the date has both bursts.
    """

    folder: Path

    def pixels(self, seam: int) -> NDArray[np.complex64] | None:
        """Both views of a seam, shape (2, lines, samples); a memory map; None without them."""
        path = self._path(seam, "pixels")
        return np.load(path, mmap_mode="r") if path.exists() else None

    def frequencies(self, seam: int) -> NDArray[np.float64]:
        """Doppler centroid of the first view less that of the second, of each cell [Hz]."""
        found: NDArray[np.float64] = np.load(self._path(seam, "frequencies"))
        return found

    def put(
        self, seam: int, pixels: NDArray[np.complex64], frequencies: NDArray[np.float64]
    ) -> None:
        """Write what a date sees at a seam; raises ProcessingError where the disk is full."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            np.save(self._path(seam, "pixels"), pixels)
            np.save(self._path(seam, "frequencies"), frequencies)
        except OSError as error:
            raise ProcessingError(f"overlaps could not be written: {error.strerror}") from error

    def _path(self, seam: int, what: str) -> Path:
        return self.folder / f"seam_{seam + 1}_{what}.npy"


def write_windows(
    windows: Windows,
    seams: Sequence[Seam],
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    taps: int,
    threads: int,
    progress: Progress,
) -> None:
    """Resample the overlaps of a date onto the reference, those that can be read.

    Parameters
    ----------
    windows : Windows
        Receives them.
    seams : sequence of Seam
        Of the reference with itself, within swaths.
    pairs : tuple of SwathPair
        Reference and date, or the reference with itself.
    dem : Dem
        Terrain under them.
    taps : int
        Of the resampling kernel.
    threads : int
        Over seams.
    progress : Progress
        Told of each seam.

    Raises
    ------
    ProcessingError
        The disk is full.
    """

    def make(number: int) -> None:
        progress.check()
        seam = seams[number]
        try:
            sides = [
                _see(side, pairs[side.swath], dem, taps=taps) for side in (seam.first, seam.second)
            ]
        except ProductError:  # other seams may tell the shift, and the image tells what is lost
            return
        if sides[0] is not None and sides[1] is not None:
            (first, doppler), (second, other) = sides[0], sides[1]
            windows.put(number, np.stack([first, second]), doppler - other)

    for done, _ in enumerate(map_bands(range(len(seams)), make, threads=threads)):
        progress.update((done + 1) / len(seams), "overlaps of bursts")


def _see(
    side: Side, pair: SwathPair, dem: Dem, *, taps: int
) -> tuple[NDArray[np.complex64], NDArray[np.float64]] | None:
    """Pixels of a window and the Doppler centroid of its cells; None without a partner."""
    placement = _own_placement(side, pair)
    burst, partner = placement.burst, placement.partner
    if partner is None:
        return None
    made = WindowPair.of(
        side.window,
        reference=burst,
        reference_orbit=pair.reference_orbit,
        secondary=partner,
        secondary_orbit=pair.secondary_orbit,
        dem=dem,
        taps=taps,
        adjustment=pair.adjustments.get(burst.index),
        effects=pair.effects(placement),
    )
    lines = Band(0, side.window.lines.rows)
    if pair.secondary is pair.reference:
        first = made.pair.reference.first_line
        read = _read(pair.reference, Band(first, lines.rows), side.window.samples)
        pixels = with_signal(made.pair.reference, lines, read)
    else:
        needed = made.pair.secondary_lines(lines)
        first = made.pair.secondary.first_line + needed.first
        read = _read(pair.secondary, Band(first, needed.rows), made.secondary_samples)
        pixels = made.pair.flattened(lines, read)
    centres = (
        cell_centres(lines.rows // CELL.azimuth, CELL.azimuth),
        cell_centres(side.window.samples.rows // CELL.range, CELL.range),
    )
    return pixels, made.doppler(*centres)


def _own_placement(side: Side, pair: SwathPair) -> Placement:
    """Placement of the same burst in another pair of the same layout."""
    index = side.placement.burst.index
    return next(one for one in pair.layout.placements if one.burst.index == index)


def _read(product: SlcProduct, lines: Band, samples: Band) -> NDArray[np.complex64]:
    if product.pixels is None:
        raise ProductError(f"{product.name} was opened without its pixels")
    return product.pixels.read(lines.first, lines.rows, samples.first, samples.rows)


def shift_of_pair(
    pair: Pair,
    seams: Sequence[Seam],
    dates: tuple[Windows, Windows],
    reference: Windows,
    *,
    threshold: float,
) -> ShiftOfPair | None:
    """Estimate the azimuth shift between two dates from their overlaps.

    Parameters
    ----------
    pair : (int, int)
        Numbers of the dates, for the result.
    seams : sequence of Seam
        Of the stack.
    dates : tuple of Windows
        Of both dates.
    reference : Windows
        Of the reference, whose Doppler centroid is in the means of both.
    threshold : float
        Coherence from which a cell counts.

    Returns
    -------
    ShiftOfPair or None
        None where the overlaps do not tell.
    """
    overlaps = []
    for number, seam in enumerate(seams):
        views = [windows.pixels(number) for windows in dates]
        if views[0] is None or views[1] is None or reference.pixels(number) is None:
            continue
        sums = [stack_sums(views[0][side], views[1][side], CELL) for side in (0, 1)]
        # each is the mean of a date and the reference
        frequencies = sum(one.frequencies(number) for one in dates) - reference.frequencies(number)
        interval = seam.first.placement.burst.grid.line_interval
        cells = OverlapCells.of(sums[0], sums[1], np.asarray(frequencies), interval)
        cells = cells.where(cells.coherences >= threshold)
        overlaps.append(Overlap(first=0, second=0, cells=cells))
    found = solve(tuple(overlaps), np.zeros(1, np.int64))
    if not found.known or found.ambiguous:
        return None
    return ShiftOfPair(pair, found.shift, found.deviation)
