"""Quicklooks: backscatter in decibels as a grey picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError


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
    from PIL import Image  # noqa: PLC0415 - only where a picture is drawn

    known = backscatter > 0.0
    decibel = 10.0 * np.log10(np.where(known, backscatter, 1.0))
    low, high = np.percentile(decibel[known], (2.0, 98.0)) if known.any() else (0.0, 1.0)
    grey = np.clip((decibel - low) / max(high - low, 1e-3), 0.0, 1.0)
    pixels = np.dstack([np.rint(255.0 * grey), 255.0 * known]).astype(np.uint8)
    with scratch_folder(path.parent) as scratch:
        try:
            Image.fromarray(pixels, "LA").save(scratch / path.name, format="PNG")
        except OSError as error:
            raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error
        return publish(scratch / path.name, path)
