"""Linked phases of a stack, in a file that all its pairs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.checkpoint import open_sums
from kernels.chains.multislc_series.stack import Stack
from kernels.engine.bands import Band, rows_for_budget, split_rows
from kernels.engine.progress import Progress
from kernels.insar.networks import Pair
from kernels.insar.phase_linking import link_phases, linked_sums

_WINDOW_BYTES = 4 * 9
"""Of a date and pixel of a cell, the window being nine times the cell, with a copy [bytes]."""
_MATRIX_BYTES = 64
"""Of a pair of dates and a cell: coherence, its inverse and factors [bytes]."""


class LinkedPhases:
    """Phases of all dates, linked when the first pair asks for them, if the request wants it.

    Parameters
    ----------
    stack : Stack
        All images.
    scratch : Path
        Folder that receives a file for each swath.
    """

    def __init__(self, stack: Stack, scratch: Path) -> None:
        self._stack = stack
        self._scratch = scratch
        self._swaths: list[NDArray[np.float32]] = []

    def make(self, progress: Progress) -> None:
        """Link the phases, once; raises as `link_swath`."""
        if self._swaths or self._stack.request.linking == "none":
            return
        count = len(self._stack.swaths)
        for number in range(count):
            path = self._scratch / f"swath_{number + 1}.linked"
            part = progress.part(number / count, (number + 1) / count)
            self._swaths.append(link_swath(self._stack, number, path, progress=part))

    def sums(
        self, number: int, pair: Pair, rows: slice, sums: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Give rows of the look sums of a pair the linked phase, where phases were linked."""
        if not self._swaths:
            return sums
        return linked_sums(sums, self._swaths[number][[*pair, -1], rows])


def link_swath(stack: Stack, number: int, path: Path, *, progress: Progress) -> NDArray[np.float32]:
    """Link the phases of a swath.

    Parameters
    ----------
    stack : Stack
        All images.
    number : int
        Of the swath.
    path : Path
        Of the file that receives them.
    progress : Progress
        Told per band of cells; asked for cancellation.

    Returns
    -------
    ndarray of float32, shape (dates + 1, rows, cells)
        As `link_phases` gives them, in a memory-mapped file.

    Raises
    ------
    RequestError
        The extra is not installed.
    InputError
        An image is damaged.
    ProcessingError
        There is no room.
    """
    swath, dates = stack.swaths[number], len(stack.images)
    looks = swath.looks
    cells = swath.layout.grid.looked(looks).shape
    samples = Band(0, cells.samples * looks.range)
    found = open_sums(path, (dates + 1, *cells))
    readers = [image.reader(number) for image in stack.images]
    pixels = looks.azimuth * looks.range
    of_cell = dates * (pixels * (_WINDOW_BYTES * 2 + 24) + dates * _MATRIX_BYTES)
    bands = split_rows(
        cells.lines,
        band_rows=rows_for_budget(
            0.5 * stack.request.memory_mb * 1e6, bytes_per_row=float(of_cell * cells.samples)
        ),
    )
    for band in bands:
        progress.update(band.first / cells.lines, f"linking of {swath.reference.swath}")
        # a window reaches into the rows of cells above and below
        above = min(1, band.first)
        below = min(1, cells.lines - band.first - band.rows)
        rows = Band(band.first - above, band.rows + above + below)
        lines = Band(rows.first * looks.azimuth, rows.rows * looks.azimuth)
        part = link_phases(np.stack([reader(lines, samples) for reader in readers]), looks)
        found[:, band.first : band.first + band.rows] = part[:, above : above + band.rows]
    return found
