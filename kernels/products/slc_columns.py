"""A complex image without its first samples, so that its cells stand where another's do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kernels.model import Burst, PixelReader, Shape, SlcProduct
from kernels.products.pixels import check_window


class LaterColumns:
    """Reads the columns of an image from some column on.

    Parameters
    ----------
    reader : PixelReader
        Of the whole image.
    first : int
        Column of the whole image that is column 0.
    """

    def __init__(self, reader: PixelReader, first: int) -> None:
        self._reader = reader
        self._first = first

    @property
    def shape(self) -> Shape:
        """Lines and samples that are left."""
        lines, samples = self._reader.shape
        return Shape(lines, samples - self._first)

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.complex64]:
        """Read a window, shape (lines, samples); raises ProductError if that is impossible."""
        samples = self.shape.samples - first_sample if samples is None else samples
        check_window("image", self.shape, Shape(first_line, first_sample), Shape(lines, samples))
        return self._reader.read(first_line, lines, self._first + first_sample, samples)


def without_first_samples(image: SlcProduct, samples: int) -> SlcProduct:
    """Leave out the samples of an image that are nearest to the track.

    Parameters
    ----------
    image : SlcProduct
        Of a swath.
    samples : int
        How many; 0 leaves the image as it is.

    Returns
    -------
    SlcProduct
        Without tables of calibration and noise.
    """
    if samples == 0:
        return image

    def cut(burst: Burst) -> Burst:
        kept = burst.last_valid_sample >= samples
        first = np.maximum(burst.first_valid_sample, samples) - samples
        return replace(
            burst,
            grid=burst.grid.window(
                0, samples, Shape(burst.grid.shape.lines, burst.grid.shape.samples - samples)
            ),
            first_valid_sample=np.where(kept, first, -1).astype(np.int32),
            last_valid_sample=np.where(kept, burst.last_valid_sample - samples, -1).astype(
                np.int32
            ),
        )

    shape = image.grid.shape
    return replace(
        image,
        grid=image.grid.window(0, samples, Shape(shape.lines, shape.samples - samples)),
        bursts=tuple(map(cut, image.bursts)),
        calibration=None,
        noise=None,
        geolocation=replace(image.geolocation, pixels=image.geolocation.pixels - samples),
        pixels=image.pixels and LaterColumns(image.pixels, samples),
    )
