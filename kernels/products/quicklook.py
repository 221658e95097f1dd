"""Quicklooks: backscatter in decibels as a grey picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.products.gdal_access import gdal_module


def write_quicklook(path: Path, backscatter: NDArray[np.float32]) -> Path:
    """Draw backscatter in decibels, stretched between its 2nd and 98th percentile.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    backscatter : ndarray of float32, shape (rows, columns)
        Linear; 0 where there is no data (transparent).

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
    known = backscatter > 0.0
    decibel = 10.0 * np.log10(np.where(known, backscatter, 1.0))
    low, high = np.percentile(decibel[known], (2.0, 98.0)) if known.any() else (0.0, 1.0)
    grey = np.clip((decibel - low) / max(high - low, 1e-3), 0.0, 1.0)
    pixels = np.stack([np.rint(255.0 * grey), 255.0 * known]).astype(np.uint8)
    rows, columns = backscatter.shape
    picture = gdal.GetDriverByName("MEM").Create("", columns, rows, len(pixels), gdal.GDT_Byte)
    picture.WriteArray(pixels)
    with scratch_folder(path.parent) as scratch:
        try:
            gdal.GetDriverByName("PNG").CreateCopy(str(scratch / path.name), picture).FlushCache()
        except RuntimeError as error:
            raise ProcessingError(f"{path.name} could not be written") from error
        return publish(scratch / path.name, path)
