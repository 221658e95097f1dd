"""Overlaps of the bursts and swaths of a pair, and what the images say there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.engine.bands import Band, map_bands, rows_for_budget, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.insar.look_sums import LookSums
from kernels.insar.mosaic import Placement
from kernels.insar.overlaps import (
    CELL,
    OverlapCells,
    Window,
    WindowPair,
    burst_overlap,
    cell_centres,
    swath_overlap,
)
from kernels.model import Dem, SlcProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two bursts of a seam.

    Attributes
    ----------
    number : int
        Of the burst, over all swaths, as `number_bursts` counts.
    swath : int
        Place of its swath among the pairs.
    placement : Placement
        Of the burst.
    window : Window
        The shared ground.
    """

    number: int
    swath: int
    placement: Placement
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """Two bursts that see the same ground: one after the other, or of neighbouring swaths."""

    first: Side
    second: Side

    @property
    def within_swath(self) -> bool:
        """Whether the bursts follow each other."""
        return self.first.swath == self.second.swath


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the images say at a seam.

    Attributes
    ----------
    cells : OverlapCells
        Those that are coherent enough.
    all_cells : int
        Those with data.
    coherence : float
        Mean over all cells with data; 0 where there are none.
    frequency : float
        Mean difference of the Doppler centroids [Hz].
    problem : str
        Why nothing could be read; mostly empty.
    """

    cells: OverlapCells
    all_cells: int
    coherence: float
    frequency: float
    problem: str = ""

    def less(self, shift: float, constant: float) -> Sight:
        """Return what would be seen without a shift [lines] and a constant phase [rad]."""
        return replace(self, cells=self.cells.less(shift, constant))


def number_bursts(pairs: tuple[SwathPair, ...]) -> list[tuple[int, Placement]]:
    """List the bursts that have a partner, each with the place of its swath."""
    return [
        (swath, placement)
        for swath, pair in enumerate(pairs)
        for placement in pair.layout.placements
        if placement.partner is not None
    ]


def find_seams(pairs: tuple[SwathPair, ...]) -> tuple[Seam, ...]:
    """Find the overlaps of bursts that follow each other, then those of neighbouring swaths.

    Parameters
    ----------
    pairs : tuple of SwathPair
        In order of range.

    Returns
    -------
    tuple of Seam
        Of bursts that have partners.
    """
    along: list[Seam] = []
    across: list[Seam] = []
    bursts = enumerate(number_bursts(pairs))
    for (m, (near, first)), (n, (far, second)) in itertools.combinations(bursts, 2):
        if near == far and n == m + 1:
            windows = burst_overlap(first, second)
        elif far == near + 1:
            windows = swath_overlap(first, second, pairs[near].layout, pairs[far].layout)
        else:
            continue
        if windows is not None:
            seam = Seam(
                first=Side(number=m, swath=near, placement=first, window=windows[0]),
                second=Side(number=n, swath=far, placement=second, window=windows[1]),
            )
            (along if near == far else across).append(seam)
    return (*along, *across)


def look_at_seams(
    seams: tuple[Seam, ...],
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    taps: int,
    threshold: float,
    threads: int,
    memory_mb: int,
    progress: Progress,
) -> tuple[Sight, ...]:
    """Compare the flattened interferograms of both bursts at every seam.

    Only the pixels of the overlaps are read. A product that cannot be read there leaves its
    seam without cells.

    Parameters
    ----------
    seams : tuple of Seam
        Where to look.
    pairs : tuple of SwathPair
        With the adjustments so far.
    dem : Dem
        Terrain under them.
    taps : int
        Of the resampling kernel.
    threshold : float
        Coherence from which a cell counts.
    threads : int
        Over seams.
    memory_mb : int
        Budget for pixel blocks [MB].
    progress : Progress
        Told of every seam.

    Returns
    -------
    tuple of Sight
        Of each seam.
    """
    budget = memory_mb * 1e6 / (threads + 1)

    def look(seam: Seam) -> Sight:
        progress.check()
        try:
            blocks = list(_compare(seam, pairs, dem, taps=taps, budget=budget))
        except ProductError as error:
            blocks, problem = [], str(error)
        else:
            problem = ""
        cells = OverlapCells.join(blocks)
        return Sight(
            cells=cells.where(cells.coherences >= threshold),
            all_cells=cells.coherences.size,
            coherence=float(cells.coherences.mean()) if cells.coherences.size else 0.0,
            frequency=float(cells.frequencies.mean()) if cells.coherences.size else 0.0,
            problem=problem,
        )

    found = []
    for sight in map_bands(seams, look, threads=threads):
        found.append(sight)
        progress.update(len(found) / len(seams), "overlaps of bursts")
    return tuple(found)


def _compare(
    seam: Seam, pairs: tuple[SwathPair, ...], dem: Dem, *, taps: int, budget: float
) -> Iterator[OverlapCells]:
    sides = (seam.first, seam.second)
    prepared = [_prepare(side, pairs[side.swath], dem, taps) for side in sides]
    window = seam.first.window
    rows = rows_for_budget(budget, bytes_per_row=max(p.pair.bytes_per_line for p in prepared))
    interval = seam.first.placement.burst.grid.line_interval
    for band in split_rows(window.lines.rows, band_rows=rows, multiple=CELL.azimuth):
        sums = [
            _combine(side, pairs[side.swath], made, band)
            for side, made in zip(sides, prepared, strict=True)
        ]
        lines = band.first + cell_centres(sums[0].cross.shape[0], CELL.azimuth)
        samples = cell_centres(sums[0].cross.shape[1], CELL.range)
        frequencies = [made.doppler(lines, samples) for made in prepared]
        yield OverlapCells.of(sums[0], sums[1], frequencies[0] - frequencies[1], interval)


def _prepare(side: Side, pair: SwathPair, dem: Dem, taps: int) -> WindowPair:
    burst, partner = side.placement.burst, side.placement.partner
    if partner is None:
        raise ValueError("a seam is between bursts that have partners")
    return WindowPair.of(
        side.window,
        reference=burst,
        reference_orbit=pair.reference_orbit,
        secondary=partner,
        secondary_orbit=pair.secondary_orbit,
        dem=dem,
        taps=taps,
        adjustment=pair.adjustments.get(burst.index),
        effects=pair.effects(side.placement),
    )


def _combine(side: Side, pair: SwathPair, made: WindowPair, band: Band) -> LookSums:
    needed = made.pair.secondary_lines(band)
    first = made.pair.reference.first_line + band.first
    second = made.pair.secondary.first_line + needed.first
    return made.pair.compute(
        band,
        _read(pair.reference, Band(first, band.rows), side.window.samples),
        _read(pair.secondary, Band(second, needed.rows), made.secondary_samples),
        CELL,
    )


def _read(product: SlcProduct, lines: Band, samples: Band) -> np.ndarray:
    if product.pixels is None:
        raise ProductError(f"{product.name} was opened without its pixels")
    return product.pixels.read(lines.first, lines.rows, samples.first, samples.rows)
