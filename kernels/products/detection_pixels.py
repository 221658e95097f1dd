"""Intensities of complex images, detected while they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.burst_lines import BurstLines
from kernels.model import Looks, PixelReader, Shape
from kernels.products.detection_numba import detect_cells
from kernels.products.pixels import check_window

_BLOCK_PIXELS = 2_000_000
"""Complex pixels in memory at once."""


class BurstPixels(NamedTuple):
    """A burst on the lines of its swath, and what reads the file that holds it."""

    lines: BurstLines
    reader: PixelReader


class SlcIntensities:
    """Reads mean intensities of look cells; an `IntensityReader`.

    Parameters
    ----------
    name : str
        Of the product, for errors.
    bursts : sequence of BurstPixels
        In azimuth order, without gap, cut on the borders of cells.
    looks : Looks
        Lines and samples of a cell.
    shape : Shape
        In cells.
    zero_is_data : bool
        Whether the tables of valid samples tell where data ends. If not, zeros do: cells of zeros
        have no data, nor do those beside them, which may hold some.
    """

    def __init__(
        self,
        name: str,
        bursts: Sequence[BurstPixels],
        *,
        looks: Looks,
        shape: Shape,
        zero_is_data: bool,
    ) -> None:
        self._name = name
        self._bursts = tuple(bursts)
        self._looks = looks
        self._shape = shape
        self._zero_is_data = zero_is_data

    @property
    def shape(self) -> Shape:
        """Lines and samples in cells."""
        return self._shape

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.float32]:
        """Read a window: only the bursts and columns under it.

        Parameters
        ----------
        first_line, lines : int
            Rows of cells.
        first_sample, samples : int
            Columns of cells; None: to the end of the line.

        Returns
        -------
        ndarray of float32, shape (lines, samples)
            Mean intensities [digital numbers squared]; NaN is no data.

        Raises
        ------
        ProductError
            If the window is not inside the image or a file cannot be read.
        """
        samples = self._shape.samples - first_sample if samples is None else samples
        check_window(
            self._name, self._shape, Shape(first_line, first_sample), Shape(lines, samples)
        )
        if self._zero_is_data:
            return self._detect(first_line, lines, first_sample, samples)
        top, left = max(first_line - 1, 0), max(first_sample - 1, 0)
        bottom = min(first_line + lines + 1, self._shape.lines)
        right = min(first_sample + samples + 1, self._shape.samples)
        around = _without_borders(self._detect(top, bottom - top, left, right - left))
        inside = around[first_line - top :, first_sample - left :][:lines, :samples]
        return np.ascontiguousarray(inside)

    def _detect(
        self, first_line: int, lines: int, first_sample: int, samples: int
    ) -> NDArray[np.float32]:
        out = np.full((lines, samples), np.nan, np.float32)
        for burst in self._bursts:
            top = max(first_line, burst.lines.start // self._looks.azimuth)
            bottom = min(first_line + lines, burst.lines.stop // self._looks.azimuth)
            if top < bottom and samples > 0:
                self._fill(burst, top, first_sample, out[top - first_line : bottom - first_line])
        return out

    def _fill(
        self, burst: BurstPixels, first_line: int, first_sample: int, out: NDArray[np.float32]
    ) -> None:
        """Detect cells of one burst, some lines at a time."""
        lines, reader = burst
        left = first_sample * self._looks.range
        # a slice may have fewer samples than the first one
        width = min(out.shape[1] * self._looks.range, reader.shape.samples - left)
        if width <= 0:
            return
        step = max(_BLOCK_PIXELS // (width * self._looks.azimuth), 1)
        for row in range(0, out.shape[0], step):
            part = out[row : row + step]
            first = (first_line + row) * self._looks.azimuth - lines.origin
            rows = slice(first, first + part.shape[0] * self._looks.azimuth)
            detect_cells(
                reader.read(lines.burst.first_line + first, rows.stop - first, left, width),
                lines.burst.first_valid_sample[rows],
                lines.burst.last_valid_sample[rows],
                left,
                self._looks.azimuth,
                self._looks.range,
                self._zero_is_data,
                part,
            )


def _without_borders(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leave out cells next to one without data, along lines and along samples."""
    unknown = np.isnan(cells)
    beside = unknown.copy()
    beside[1:] |= unknown[:-1]
    beside[:-1] |= unknown[1:]
    beside[:, 1:] |= unknown[:, :-1]
    beside[:, :-1] |= unknown[:, 1:]
    return np.where(beside, np.float32(np.nan), cells)
