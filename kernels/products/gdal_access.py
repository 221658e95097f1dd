"""GDAL with exceptions, turned into errors that name the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.errors import InputError, ProcessingError

_CACHE_BYTES = 64_000_000
"""Block cache of the process, unless the environment variable GDAL_CACHEMAX says otherwise."""


def gdal_module() -> ModuleType:
    """Load osgeo.gdal with exceptions on and a bounded block cache.

    Returns
    -------
    module
        osgeo.gdal.

    Raises
    ------
    ProcessingError
        If GDAL's Python binding is missing or was built without arrays.
    """
    try:
        from osgeo import gdal, gdal_array  # noqa: F401, PLC0415
    except ImportError as error:
        raise ProcessingError(
            "GDAL needs its Python binding with array support: install gdal with numpy present"
        ) from error
    gdal.UseExceptions()
    # GDAL would keep a twentieth of the machine's memory as blocks that no band reads again
    if gdal.GetConfigOption("GDAL_CACHEMAX") is None and gdal.GetCacheMax() > _CACHE_BYTES:
        gdal.SetCacheMax(_CACHE_BYTES)
    module: ModuleType = gdal
    return module


@contextmanager
def gdal_errors(kind: type[InputError], name: str) -> Iterator[None]:
    """Turn errors of GDAL into one of ours that names the file."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        # GDAL names files with their folders, which are the server's own business
        reason = re.sub(rf"/.*/(?={re.escape(name)})", "", reason)
        raise kind(f"{name} cannot be read: {reason}") from error


def open_raster(
    gdal_path: str,
    *,
    error: type[InputError],
    drivers: Sequence[str] | None = None,
    alone: bool = False,
) -> Any:
    """Open a raster to read it.

    Parameters
    ----------
    gdal_path : str
        Name that GDAL opens the file by.
    error : type
        Of the error to raise.
    drivers : sequence of str or None
        Formats to try, by GDAL's short names; None: all.
    alone : bool
        Whether the files beside it are left out of sight; those of another product (summary.txt
        for one) would change what GDAL finds, while elevation may have its georeference there.

    Returns
    -------
    osgeo.gdal.Dataset
        Open to read.

    Raises
    ------
    InputError
        Of the given type, if the file cannot be opened.
    """
    gdal = gdal_module()
    name = PurePosixPath(gdal_path).name
    beside = {"sibling_files": [name]} if alone else {}
    with gdal_errors(error, name):
        dataset = gdal.OpenEx(
            gdal_path,
            gdal.OF_RASTER | gdal.OF_READONLY,
            allowed_drivers=list(drivers or []),
            **beside,
        )
    if dataset is None:  # another module may have switched exceptions off meanwhile
        raise error(f"{name} cannot be read")
    return dataset


def read_window(
    dataset: Any,
    window: NDArray[np.generic],
    *,
    row: int,
    column: int,
    name: str,
    error: type[InputError],
) -> None:
    """Read a part of the first band into an array.

    Parameters
    ----------
    dataset : osgeo.gdal.Dataset
        From open_raster.
    window : ndarray, shape (rows, columns)
        Filled with pixels, converted to its type.
    row, column : int
        Of the dataset where the window starts.
    name : str
        Of the file, for errors.
    error : type
        Of the error to raise.

    Raises
    ------
    InputError
        Of the given type, if the file cannot be read there.
    """
    rows, columns = window.shape
    with gdal_errors(error, name):
        band = dataset.GetRasterBand(1)
        if band.ReadAsArray(column, row, columns, rows, buf_obj=window) is None:
            raise error(f"{name} cannot be read")
