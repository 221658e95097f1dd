"""Pixels of joined slices, read by window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels.model import Shape
from kernels.products.pixels import check_window

Pixel = TypeVar("Pixel", bound=np.generic)
Read_co = TypeVar("Read_co", bound=np.generic, covariant=True)


class _Reader(Protocol[Read_co]):
    """A `DetectedReader` or a `PixelReader`."""

    @property
    def shape(self) -> Shape: ...

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[Read_co]: ...


class JoinedReader(Generic[Pixel]):
    """Reads the pixels of joined slices; samples past the end of a shorter slice are 0.

    Parameters
    ----------
    name : str
        Of the first slice, for errors.
    readers : sequence of DetectedReader or of PixelReader
        Of the slices.
    dtype : type
        Of their pixels: uint16 or complex64.
    offsets : sequence of int
        Joined line of each slice's line 0.
    starts : sequence of int
        First joined line that each slice fills, up to the next one's.
    shape : Shape
        Of the joined image.
    """

    def __init__(
        self,
        name: str,
        readers: Sequence[_Reader[Pixel]],
        *,
        dtype: type[Pixel],
        offsets: Sequence[int],
        starts: Sequence[int],
        shape: Shape,
    ) -> None:
        self._name = name
        self._readers = tuple(readers)
        self._dtype = dtype
        self._offsets = tuple(offsets)
        self._edges = (*starts, shape.lines)
        self._shape = shape

    @property
    def shape(self) -> Shape:
        """Lines and samples of the joined image."""
        return self._shape

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[Pixel]:
        """Read a window.

        Parameters
        ----------
        first_line, lines : int
            Rows of the joined image.
        first_sample, samples : int
            Columns; None: to the end of the line.

        Returns
        -------
        ndarray, shape (lines, samples)
            Digital numbers.

        Raises
        ------
        ProductError
            If the window is not inside the image or a file cannot be read.
        """
        samples = self._shape.samples - first_sample if samples is None else samples
        check_window(
            self._name, self._shape, Shape(first_line, first_sample), Shape(lines, samples)
        )
        stop_line, stop_sample = first_line + lines, first_sample + samples
        pixels = np.zeros((lines, samples), dtype=self._dtype)
        parts = zip(self._readers, self._offsets, pairwise(self._edges), strict=True)
        for reader, offset, (start, stop) in parts:
            top, bottom = max(first_line, start), min(stop_line, stop)
            width = min(stop_sample, reader.shape.samples) - first_sample
            if top < bottom and width > 0:
                pixels[top - first_line : bottom - first_line, :width] = reader.read(
                    top - offset, bottom - top, first_sample, width
                )
        return pixels
