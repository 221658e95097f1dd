"""The quicklook: a part of one acquisition before and after, pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multitemporal_filter.reading import Layer, LayerReader, block_cache
from kernels.errors import ProcessingError
from kernels.model import Shape
from kernels.products.gdal_access import gdal_module
from kernels.radiometry.windows import is_valid

_SIDE = 400
"""Most rows and columns of a panel: pixels are shown as they are, or speckle would not show."""
_COARSE = 64
"""Rows and columns that are looked at to find where the data is."""
_GAP = 10
_DARKEST = 20
"""Grey of the weakest echo; 0 is no data."""


def before_and_after(path: Path, before: Layer, after: Layer) -> None:
    """Draw the middle of an acquisition's data, before and after, with the same stretch.

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
    window, own = _middle(before)
    shown = [own, _decibels(after, window)]
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


class _Window(NamedTuple):
    first_row: int
    first_column: int
    shape: Shape


def _middle(layer: Layer) -> tuple[_Window, NDArray[np.float32]]:
    """Find the window around the centre of the pixels that have data, and read it [dB].

    The middle of the file will do where it is full of them: finding the others takes a look at
    most of the file's blocks.
    """
    reader = LayerReader(layer)
    lines, samples = reader.shape
    shape = Shape(min(lines, _SIDE), min(samples, _SIDE))
    window = _Window((lines - shape.lines) // 2, (samples - shape.samples) // 2, shape)
    decibels = _decibels(layer, window)
    if np.isfinite(decibels).all():
        return window, decibels
    coarse = np.empty((min(lines, _COARSE), min(samples, _COARSE)), np.float32)
    with block_cache(0):
        reader.read_coarse(coarse)
    places = np.argwhere(is_valid(coarse))
    middle = places.mean(axis=0) + 0.5 if len(places) else np.array(coarse.shape) / 2
    row, column = middle * reader.shape / coarse.shape
    window = _Window(
        first_row=int(np.clip(row - shape.lines / 2, 0, lines - shape.lines)),
        first_column=int(np.clip(column - shape.samples / 2, 0, samples - shape.samples)),
        shape=shape,
    )
    return window, _decibels(layer, window)


def _decibels(layer: Layer, window: _Window) -> NDArray[np.float32]:
    """Read a part of a file [dB]; NaN where there is no data."""
    values = np.empty(window.shape, np.float32)
    with block_cache(0):
        LayerReader(layer).read(window.first_row, values, first_column=window.first_column)
    valid = is_valid(values)
    decibels = np.float32(10.0) * np.log10(np.where(valid, values, np.float32(1.0)))
    return np.where(valid, decibels, np.float32(np.nan))


def _grey(decibels: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    share = np.clip((np.nan_to_num(decibels, nan=low) - low) / (high - low), 0.0, 1.0)
    grey = np.rint(_DARKEST + (255 - _DARKEST) * share)
    return np.where(np.isfinite(decibels), grey, 0).astype(np.uint8)
