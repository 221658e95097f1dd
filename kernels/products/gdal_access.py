"""GDAL with exceptions, turned into errors that name the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from kernels.errors import InputError, ProcessingError


def gdal_module() -> ModuleType:
    """Return osgeo.gdal with exceptions on.

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
    module: ModuleType = gdal
    return module


@contextmanager
def gdal_errors(kind: type[InputError], name: str) -> Iterator[None]:
    """Turn errors of GDAL into one of ours that names the file."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise kind(f"{name} cannot be read: {reason}") from error
