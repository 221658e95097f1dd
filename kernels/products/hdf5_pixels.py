"""Complex pixels of COSMO-SkyMed: pairs of integers in HDF5 files."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import Shape
from kernels.products.pixels import check_window


class Hdf5PixelReader:
    """Reads complex pixels stored as pairs of integers; safe to share between threads.

    Parameters
    ----------
    path : Path
        Of the HDF5 file.
    dataset : str
        For example S01/SBI.
    shape : Shape
        Lines and samples.
    """

    def __init__(self, path: Path, dataset: str, *, shape: Shape) -> None:
        self._path = path
        self._dataset = dataset
        self._shape = shape
        self._lock = threading.Lock()
        self._file: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (self._path, self._dataset, self._shape))

    @property
    def shape(self) -> Shape:
        """Lines and samples of the image."""
        return self._shape

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.complex64]:
        """Read a window.

        Parameters
        ----------
        first_line, lines : int
            Rows of the image.
        first_sample, samples : int
            Columns of the image; None: to the end of the line.

        Returns
        -------
        ndarray of complex64, shape (lines, samples)
            Digital numbers.

        Raises
        ------
        ProductError
            If the window is not inside the image or the file cannot be read.
        """
        samples = self._shape.samples - first_sample if samples is None else samples
        check_window(
            self._path.name, self._shape, Shape(first_line, first_sample), Shape(lines, samples)
        )
        rows, columns = (
            slice(first_line, first_line + lines),
            slice(first_sample, first_sample + samples),
        )
        try:
            with self._lock:
                if self._file is None:
                    import h5py  # noqa: PLC0415  # of use for this sensor alone

                    self._file = h5py.File(self._path, "r")
                pairs = self._file[self._dataset][rows, columns]
        except (OSError, KeyError) as error:
            raise ProductError(
                f"{self._path.name}: lines {first_line} to {first_line + lines} cannot be read"
            ) from error
        pixels = np.empty((lines, samples), np.complex64)
        pixels.real, pixels.imag = pairs[..., 0], pairs[..., 1]
        return pixels


def _reopen(path: Path, dataset: str, shape: Shape) -> Hdf5PixelReader:
    return Hdf5PixelReader(path, dataset, shape=shape)
