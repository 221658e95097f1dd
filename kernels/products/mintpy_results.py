"""Results of a time series as MintPy keeps them, written and read by rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.errors import InputError
from kernels.model import Shape
from kernels.products.hdf5_writing import Hdf5Writer
from kernels.products.mintpy import create_mintpy, opened, read_stack_day, reading

SERIES = "timeseries"


class LayerWriter:
    """Takes rows of the layers of one file."""

    def __init__(self, file: Hdf5Writer, names: Sequence[str]) -> None:
        self._file = file
        self._names = tuple(names)

    def write(self, first_row: int, *layers: NDArray[np.floating]) -> None:
        """Write rows of every layer, shape (..., rows, columns); raises ProcessingError."""
        for name, values in zip(self._names, layers, strict=True):
            rows = slice(first_row, first_row + values.shape[-2])
            where = rows if values.ndim == 2 else (slice(None), rows)
            self._file.put(name, where, values.astype(np.float32, copy=False))


@contextmanager
def create_series(
    path: Path,
    *,
    days: Sequence[date],
    baselines: NDArray[np.float64],
    shape: Shape,
    attributes: Mapping[str, str],
) -> Iterator[LayerWriter]:
    """Write timeseries.h5 by rows; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    days : sequence of date
        In order of time.
    baselines : ndarray of float64, shape (dates,)
        Perpendicular [m].
    shape : Shape
        Rows and columns.
    attributes : mapping of str to str
        Of the scene, with REF_DATE, REF_Y and REF_X.

    Yields
    ------
    LayerWriter
        Takes displacement towards the satellite [m], shape (dates, rows, columns).

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    with create_mintpy(path, SERIES, shape, {**attributes, "UNIT": "m"}) as file:
        file.small("date", np.array([f"{day:%Y%m%d}".encode() for day in days], "S8"))
        file.small("bperp", baselines.astype(np.float32))
        file.layer(SERIES, (len(days), *shape), np.float32)
        yield LayerWriter(file, (SERIES,))


@contextmanager
def create_layers(
    path: Path,
    names: Sequence[str],
    *,
    unit: str,
    shape: Shape,
    attributes: Mapping[str, str],
) -> Iterator[LayerWriter]:
    """Write velocity.h5, temporalCoherence.h5 or demErr.h5 by rows; whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    names : sequence of str
        Of the layers, as MintPy calls them; the first one is the type of the file.
    unit : str
        Of the first one.
    shape : Shape
        Rows and columns.
    attributes : mapping of str to str
        Of the scene.

    Yields
    ------
    LayerWriter
        Takes the layers, each of shape (rows, columns).

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    with create_mintpy(path, names[0], shape, {**attributes, "UNIT": unit}) as file:
        for name in names:
            file.layer(name, tuple(shape), np.float32)
        yield LayerWriter(file, names)


class LayerFile:
    """Reads rows of a layer of a file of results.

    Parameters
    ----------
    path : Path
        HDF5 file.
    name : str
        Of the layer, of two axes or of three.

    Raises
    ------
    InputError
        No such file or layer.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        with opened(path) as file, reading(path):
            if name not in file or file[name].ndim not in (2, 3):
                raise InputError(f"{path.name} must have a data set {name}")
            self.shape = Shape(*file[name].shape[-2:])
            self.days: tuple[date, ...] = ()
            if "date" in file and file[name].ndim == 3:
                self.days = tuple(read_stack_day(path, day) for day in file["date"][:])

    def rows(self, rows: Band, dates: slice = slice(None)) -> NDArray[np.float32]:
        """Read rows, of some dates, shape (dates, rows, columns); raises InputError.

        Of a layer of two axes they are of shape (rows, columns).
        """
        part = slice(rows.first, rows.first + rows.rows)
        with opened(self._path) as file, reading(self._path):
            layer = file[self._name]
            where = (dates, part) if layer.ndim == 3 else part
            return np.asarray(layer[where], np.float32)

    def cell(self, row: int, column: int) -> NDArray[np.float32]:
        """Read one cell of all dates, shape (dates,); raises InputError."""
        with opened(self._path) as file, reading(self._path):
            return np.asarray(file[self._name][..., row, column], np.float32)
