"""The quicklook: the middle of one acquisition before and after, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multitemporal_filter.reading import Layer, LayerReader, block_cache
from kernels.errors import ProcessingError
from kernels.products.gdal_access import gdal_module
from kernels.radiometry.windows import is_valid

_SIDE = 400
"""Most rows and columns of a panel: pixels are shown as they are, or speckle would not show."""
_GAP = 10
_DARKEST = 20
"""Grey of the weakest echo; 0 is no data."""


def before_and_after(path: Path, before: Layer, after: Layer) -> None:
    """Draw the middle of an acquisition and of its filtered version with the same stretch.

    Parameters
    ----------
    path : Path
        PNG file: before at the left, filtered at the right; decibels from the 1st to the 99th
        percentile of the filtered intensities.
    before, after : Layer
        Intensities on one grid.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    shown = [_middle(before), _middle(after)]
    finite = shown[1][np.isfinite(shown[1])]
    low, high = np.percentile(finite, (1.0, 99.0)) if finite.size else (-20.0, 0.0)
    panels = [_grey(values, float(low), max(float(high), float(low) + 1.0)) for values in shown]
    gap = np.full((panels[0].shape[0], _GAP), 255, np.uint8)
    image = np.hstack([panels[0], gap, panels[1]])
    gdal = gdal_module()
    try:
        memory = gdal.GetDriverByName("MEM").Create("", image.shape[1], image.shape[0], 1)
        memory.WriteArray(image)
        gdal.GetDriverByName("PNG").CreateCopy(str(path), memory, options=["ZLEVEL=1"]).FlushCache()
    except RuntimeError as error:
        raise ProcessingError(f"{path.name} could not be written: {error}") from error


def _middle(layer: Layer) -> NDArray[np.float32]:
    """Read the middle of a file [dB]; NaN where there is no data."""
    reader = LayerReader(layer)
    rows, columns = min(reader.shape.lines, _SIDE), min(reader.shape.samples, _SIDE)
    values = np.empty((rows, columns), np.float32)
    with block_cache(0):
        reader.read(
            (reader.shape.lines - rows) // 2,
            values,
            first_column=(reader.shape.samples - columns) // 2,
        )
    valid = is_valid(values)
    decibels = np.float32(10.0) * np.log10(np.where(valid, values, np.float32(1.0)))
    return np.where(valid, decibels, np.float32(np.nan))


def _grey(decibels: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    share = np.clip((np.nan_to_num(decibels, nan=low) - low) / (high - low), 0.0, 1.0)
    grey = np.rint(_DARKEST + (255 - _DARKEST) * share)
    return np.where(np.isfinite(decibels), grey, 0).astype(np.uint8)
