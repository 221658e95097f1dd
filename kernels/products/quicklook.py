"""Quicklooks: backscatter in decibels as a grey picture, two polarisations as a coloured one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.products.gdal_access import gdal_module

_PERCENTILES = (2.0, 98.0)
_LEAST_STRETCH = 6.0
"""Between black and white [dB]; less would turn speckle into a picture."""


def quicklook_pixels(
    backscatter: NDArray[np.float32], cross: NDArray[np.float32] | None = None
) -> NDArray[np.uint8]:
    """Draw backscatter in decibels, each colour stretched between its 2nd and 98th percentile.

    Parameters
    ----------
    backscatter : ndarray of float32, shape (rows, columns)
        Linear; 0 where there is no data.
    cross : ndarray of float32, shape (rows, columns), or None
        Cross-polarised, for a composite: red is backscatter, green this, blue the ratio of the
        first to the second.

    Returns
    -------
    ndarray of uint8, shape (4, rows, columns)
        Red, green, blue from 1 to 255, and opacity; all 0 where there is no data.
    """
    known = backscatter > 0.0
    if cross is not None:
        known &= cross > 0.0
    co = _decibels(backscatter, known)
    if cross is None:
        colours = [_stretched(co, known)] * 3
    else:
        second = _decibels(cross, known)
        colours = [_stretched(values, known) for values in (co, second, co - second)]
    return np.stack([*colours, np.where(known, 255, 0)]).astype(np.uint8)


def _decibels(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    return 10.0 * np.log10(np.where(known, values, 1.0).astype(np.float64))


def _stretched(decibels: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not known.any():
        return np.zeros(known.shape)
    low, high = np.percentile(decibels[known], _PERCENTILES)
    share = 0.5 + (decibels - 0.5 * (low + high)) / max(high - low, _LEAST_STRETCH)
    return np.where(known, np.rint(1.0 + 254.0 * np.clip(share, 0.0, 1.0)), 0.0)


def write_quicklook(
    path: Path, backscatter: NDArray[np.float32], cross: NDArray[np.float32] | None = None
) -> Path:
    """Write a quicklook for the eye.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    backscatter, cross : ndarray
        As in `quicklook_pixels`.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    gdal = gdal_module()
    pixels = quicklook_pixels(backscatter, cross)
    if cross is None:
        pixels = pixels[2:]
    rows, columns = backscatter.shape
    picture = gdal.GetDriverByName("MEM").Create("", columns, rows, len(pixels), gdal.GDT_Byte)
    picture.WriteArray(np.ascontiguousarray(pixels))
    with scratch_folder(path.parent) as scratch:
        try:
            gdal.GetDriverByName("PNG").CreateCopy(str(scratch / path.name), picture).FlushCache()
        except RuntimeError as error:
            raise ProcessingError(f"{path.name} could not be written") from error
        return publish(scratch / path.name, path)
