"""Pixels of a measurement file, complex or detected, read by window through GDAL."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import Shape
from kernels.products.gdal_access import gdal_errors, gdal_module, open_raster, read_window

Pixel = TypeVar("Pixel", np.complex64, np.uint16)


def check_window(name: str, shape: Shape, first: Shape, size: Shape) -> None:
    """Refuse a window that is not inside an image.

    Parameters
    ----------
    name : str
        Of the file, for errors.
    shape : Shape
        Of the image.
    first : Shape
        Line and sample where the window starts.
    size : Shape
        Of the window.

    Raises
    ------
    ProductError
        If a part of the window is outside, or its size is negative.
    """
    stop = Shape(first.lines + size.lines, first.samples + size.samples)
    if not (
        0 <= first.lines <= stop.lines <= shape.lines
        and 0 <= first.samples <= stop.samples <= shape.samples
    ):
        raise ProductError(
            f"{name}: window must be inside {shape.lines} lines and {shape.samples} samples,"
            f" got lines {first.lines} to {stop.lines} and samples {first.samples} to"
            f" {stop.samples}"
        )


class _RasterReader(ABC, Generic[Pixel]):
    """Reads a raster of one band; opened at the first need, safe to share between threads.

    Parameters
    ----------
    gdal_path : str
        Name that GDAL opens the file by.
    shape : Shape
        Size that the annotation states; a file of another size is refused.
    """

    _dtype: type[Pixel]
    _wanted: str
    _drivers: tuple[str, ...] = ("GTiff",)
    _direct = False
    """Whether uncompressed pixels go past GDAL's cache of blocks: lines that are read once, or
    nearly so, cost less than a cache of them."""

    def __init__(self, gdal_path: str, *, shape: Shape) -> None:
        self._path = gdal_path
        self._name = PurePosixPath(gdal_path).name
        self._shape = shape
        self._lock = threading.Lock()
        self._dataset: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (type(self), self._path, self._shape))

    @abstractmethod
    def _fits(self, gdal: Any, kind: int) -> bool:
        """Tell whether pixels of a type of GDAL are what this reader returns."""

    @property
    def shape(self) -> Shape:
        """Lines and samples of the file."""
        return self._shape

    def check(self) -> None:
        """Open the file and compare it with the annotation.

        Raises
        ------
        ProductError
            If it is missing, no TIFF of the right type and size, or cut off.
        """
        with self._lock:
            self._open()

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[Pixel]:
        """Read a window.

        Parameters
        ----------
        first_line, lines : int
            Rows of the file.
        first_sample, samples : int
            Columns of the file; None: to the end of the line.

        Returns
        -------
        ndarray, shape (lines, samples)
            Digital numbers, complex64 or uint16.

        Raises
        ------
        ProductError
            If the window is not inside the file or the file cannot be read.
        """
        samples = self._shape.samples - first_sample if samples is None else samples
        check_window(
            self._name, self._shape, Shape(first_line, first_sample), Shape(lines, samples)
        )
        pixels = np.empty((lines, samples), dtype=self._dtype)
        if pixels.size:
            with self._lock:
                read_window(
                    self._open(),
                    pixels,
                    row=first_line,
                    column=first_sample,
                    name=self._name,
                    error=ProductError,
                )
        return pixels

    def _open(self) -> Any:
        if self._dataset is None:
            gdal = gdal_module()
            with _direct_io(gdal, self._direct):
                dataset = open_raster(
                    self._path, error=ProductError, drivers=self._drivers, alone=True
                )
            self._check_size(dataset)
            self._check_band(gdal, dataset)
            self._check_end(gdal, dataset)
            self._dataset = dataset
        return self._dataset

    def _check_size(self, dataset: Any) -> None:
        found = Shape(dataset.RasterYSize, dataset.RasterXSize)
        if found != self._shape:
            raise ProductError(
                f"{self._name} must have {self._shape.lines} lines and {self._shape.samples}"
                f" samples as annotated, got {found.lines} and {found.samples}"
            )

    def _check_band(self, gdal: Any, dataset: Any) -> None:
        kind = dataset.GetRasterBand(1).DataType
        if dataset.RasterCount != 1 or not self._fits(gdal, kind):
            raise ProductError(
                f"{self._name} must have {self._wanted}, got {dataset.RasterCount} of type"
                f" {gdal.GetDataTypeName(kind)}"
            )

    def _check_end(self, gdal: Any, dataset: Any) -> None:
        """Refuse a file that ends before its last block, before hours are spent on its start."""
        band = dataset.GetRasterBand(1)
        columns, rows = band.GetBlockSize()
        last = f"{(self._shape.samples - 1) // columns}_{(self._shape.lines - 1) // rows}"
        with gdal_errors(ProductError, self._name):  # the list of blocks may be cut off itself
            offset = band.GetMetadataItem(f"BLOCK_OFFSET_{last}", "TIFF")
            size = band.GetMetadataItem(f"BLOCK_SIZE_{last}", "TIFF")
        file = gdal.VSIStatL(self._path)
        if None not in (offset, size, file) and int(offset) + int(size) > file.size:
            raise ProductError(
                f"{self._name} is cut off: {int(offset) + int(size)} bytes expected,"
                f" got {file.size}"
            )


class GdalPixelReader(_RasterReader[np.complex64]):
    """Reads the complex pixels of an SLC."""

    _dtype = np.complex64
    _wanted = "one complex band"
    _direct = True

    def _fits(self, gdal: Any, kind: int) -> bool:
        return bool(gdal.DataTypeIsComplex(kind))


class GdalDetectedReader(_RasterReader[np.uint16]):
    """Reads the detected amplitudes of a GRD."""

    _dtype = np.uint16
    _wanted = "one UInt16 band"
    _direct = True

    def _fits(self, gdal: Any, kind: int) -> bool:
        return bool(kind == gdal.GDT_UInt16)


@contextmanager
def _direct_io(gdal: Any, wanted: bool) -> Iterator[None]:
    """Let GDAL read the files that are opened meanwhile past its cache of blocks."""
    if wanted:
        gdal.SetThreadLocalConfigOption("GTIFF_DIRECT_IO", "YES")
    try:
        yield
    finally:
        if wanted:
            gdal.SetThreadLocalConfigOption("GTIFF_DIRECT_IO", None)


def _reopen(reader: Callable[..., Any], gdal_path: str, shape: Shape) -> Any:
    return reader(gdal_path, shape=shape)
