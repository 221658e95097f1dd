"""One swath of a stack read once, part by part, for all products of its pixels.

A part is some lines and samples of all dates: lines for whole rows of tiles and blocks, samples as
the memory budget allows. Results of a row of parts are put together and written from one thread,
so that nothing depends on how the row was cut.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multislc_series.coherence_file import CoherenceWriter, create_coherence_file
from kernels.chains.multislc_series.stack import Stack
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.insar.stack_statistics import (
    CoherenceMatrices,
    LookStatistics,
    block_shape,
    coherence_matrices,
    look_statistics,
    ratio_sums,
    relative_factors,
)
from kernels.products.raster import TILE, BandWriter, create_raster

MEAN_BANDS = ("mean_amplitude", "amplitude_dispersion", "smallest_dispersion", "dates")
MEAN_UNITS = ("DN", "1", "1", "1")

_STEP = "statistics of the stack"
_COMPARED = 8
"""Tiles along lines, and along samples, in which the amplitudes of dates are compared."""
_BYTES = 10
"""Of a pixel of one date: itself, and its share of the cells and blocks that are made of it."""
_SHARE = 0.5
"""Of the budget for pixels; the rest is for rows of results that wait to be written."""


class SwathFiles(NamedTuple):
    """What a pass left behind.

    Attributes
    ----------
    amplitude_stack, mean_amplitude, coherence_matrix : Path
        Finished files.
    coherence_sums : ndarray of float64, shape (dates, dates)
        Magnitudes of coherence, over blocks of which at least half is valid in both dates.
    blocks : ndarray of int64, shape (dates, dates)
        How many there are.
    """

    amplitude_stack: Path
    mean_amplitude: Path
    coherence_matrix: Path
    coherence_sums: NDArray[np.float64]
    blocks: NDArray[np.int64]


class _Part(NamedTuple):
    lines: Band
    samples: Band
    is_last: bool
    """Of its row of parts."""


class _Found(NamedTuple):
    looks: LookStatistics
    matrices: CoherenceMatrices


class SwathPass:
    """Reads a swath of every image.

    Parameters
    ----------
    stack : Stack
        Coregistered images.
    number : int
        Of the swath.
    """

    def __init__(self, stack: Stack, number: int) -> None:
        self._stack = stack
        self._swath = stack.swaths[number]
        self._grid = self._swath.layout.grid
        self._block = block_shape(self._grid.shape, self._swath.looks)
        self._readers = [image.reader(number) for image in stack.images]

    def factors(self, progress: Progress) -> NDArray[np.float64]:
        """Compare amplitudes with those of the reference in some tiles all over the swath.

        Parameters
        ----------
        progress : Progress
            Asked for cancellation.

        Returns
        -------
        ndarray of float64, shape (dates,)
            That make the amplitudes of dates alike.

        Raises
        ------
        InputError
            A raster that cannot be read.
        """
        lines, samples = (split_rows(size, band_rows=TILE) for size in self._grid.shape)
        sums = np.zeros((len(self._readers), 2))
        for part in product(_spread(lines), _spread(samples)):
            progress.check()
            reference = self._readers[self._stack.reference](*part)
            for number, reader in enumerate(self._readers):
                both = np.stack([reader(*part), reference])
                sums[number] += ratio_sums(both, 1)[0]
        return relative_factors(sums)

    def write(
        self,
        folder: Path,
        factors: NDArray[np.float64],
        *,
        threads: int,
        memory_mb: int,
        progress: Progress,
    ) -> SwathFiles:
        """Write all files of the swath.

        Parameters
        ----------
        folder : Path
            Receives them.
        factors : ndarray of float64, shape (dates,)
            For mean amplitude and dispersion.
        threads : int
            Computing threads.
        memory_mb : int
            Budget [MB].
        progress : Progress
            Told of shares; asked for cancellation.

        Returns
        -------
        SwathFiles
            The files, and sums for the mean coherence.

        Raises
        ------
        InputError
            A raster that cannot be read.
        ProcessingError
            The file system did not take a file.
        """
        looks, name = self._swath.looks, self._swath.reference.swath.lower()
        days = [image.date.text for image in self._stack.images]
        cells = self._grid.looked(looks)
        stacked, mean, matrix = (
            folder / f"{stem}_{name}.{ending}"
            for stem, ending in (
                ("amplitude_stack", "tif"),
                ("mean_amplitude", "tif"),
                ("coherence_matrix", "h5"),
            )
        )
        tags = {"CALIBRATION": " ".join(f"{factor:.6g}" for factor in factors)}
        with (
            create_raster(
                stacked, cells.shape, days, grid=cells, units=["DN"] * len(days), tags=tags
            ) as amplitudes,
            create_raster(
                mean, cells.shape, MEAN_BANDS, grid=cells, units=MEAN_UNITS, tags=tags
            ) as means,
            create_coherence_file(
                matrix, self._swath, days=days, block=self._block, dem=self._stack.dem
            ) as matrices,
        ):
            rows = _Rows(amplitudes, means, matrices)
            run_bands(
                self._parts(threads=threads, memory_mb=memory_mb),
                read=lambda part: self._read(part.lines, part.samples),
                compute=lambda _, pixels: _Found(
                    look_statistics(pixels, looks, factors),
                    coherence_matrices(pixels, self._block),
                ),
                write=rows.take,
                threads=threads,
                progress=progress,
                step=_STEP,
            )
        return SwathFiles(stacked, mean, matrix, matrices.sums, matrices.blocks)

    def _parts(self, *, threads: int, memory_mb: int) -> list[_Part]:
        budget = _SHARE * memory_mb * 1e6 / (threads + 1)
        sample = len(self._readers) * _BYTES
        # of many dates fewer lines than a tile, so that a block's samples fit in
        most = rows_for_budget(budget, bytes_per_row=self._block.samples * sample)
        lines = split_rows(
            self._grid.shape.lines,
            band_rows=max(min(TILE, most), self._block.lines),
            multiple=self._block.lines,
        )
        width = rows_for_budget(budget, bytes_per_row=lines[0].rows * sample)
        columns = split_rows(
            self._grid.shape.samples, band_rows=width, multiple=self._block.samples
        )
        return [_Part(band, some, some == columns[-1]) for band in lines for some in columns]

    def _read(self, lines: Band, samples: Band) -> NDArray[np.complex64]:
        pixels = np.empty((len(self._readers), lines.rows, samples.rows), np.complex64)
        for number, reader in enumerate(self._readers):
            pixels[number] = reader(lines, samples)
        return pixels


class _Rows:
    """Puts the parts of a row together and writes them; used by one thread."""

    def __init__(
        self, amplitudes: BandWriter, means: BandWriter, matrices: CoherenceWriter
    ) -> None:
        self._amplitudes, self._means, self._matrices = amplitudes, means, matrices
        self._waiting: list[_Found] = []
        self._first = 0

    def take(self, part: _Part, found: _Found) -> None:
        """Keep a part, or write the row that it completes."""
        self._waiting.append(found)
        if not part.is_last:
            return
        looks = [one.looks for one in self._waiting]
        amplitudes = np.concatenate([one.amplitudes for one in looks], axis=-1)
        self._amplitudes.write(self._first, amplitudes)
        means = [
            np.stack([one.mean_amplitude, one.dispersion, one.smallest_dispersion, one.dates])
            for one in looks
        ]
        self._means.write(self._first, np.concatenate(means, axis=-1))
        self._first += amplitudes.shape[1]
        self._matrices.write(
            np.concatenate([one.matrices.coherence for one in self._waiting], axis=1),
            np.concatenate([one.matrices.pixels for one in self._waiting], axis=1),
        )
        self._waiting.clear()


def _spread(bands: tuple[Band, ...]) -> list[Band]:
    """Take a few bands, evenly."""
    chosen = np.linspace(0, len(bands) - 1, min(len(bands), _COMPARED))
    return [bands[round(number)] for number in chosen]
