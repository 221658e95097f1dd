"""The quicklook: one acquisition before and after, side by side in decibels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multitemporal_filter.reading import Layer, block_cache
from kernels.errors import InputError
from kernels.model import Looks, MapGrid
from kernels.products.drawing import MISSING_COLOUR, Sheet, draw_view, save_picture, view_of
from kernels.products.gdal_access import gdal_errors, open_raster

_LONG_SIDE = 640
"""Pixels of a panel, about."""
_WIDTH = 4.4
"""Of a panel [inches]."""
_LEFT, _TOP, _GAP = 1.1, 1.25, 0.35


def _thinned(layer: Layer, step: int) -> NDArray[np.float64]:
    """Every n-th pixel of a file [dB]; NaN where missing. Averaging would hide the speckle."""
    dataset = open_raster(str(layer.path), error=InputError)
    rows, columns = dataset.RasterYSize, dataset.RasterXSize
    with block_cache(0), gdal_errors(InputError, layer.path.name):
        values: NDArray[np.float64] = dataset.GetRasterBand(layer.band).ReadAsArray(
            buf_xsize=max(columns // step, 1), buf_ysize=max(rows // step, 1), buf_type=7
        )
    valid = (values > 0.0) & (values < np.inf) & (values != (layer.holes or 0.0))
    return np.where(valid, 10.0 * np.log10(np.where(valid, values, 1.0)), np.nan)


def before_and_after(
    path: Path, before: Layer, after: Layer, *, grid: MapGrid, title: str, subtitle: str
) -> None:
    """Draw an acquisition and its filtered version with the same stretch.

    Parameters
    ----------
    path : Path
        PNG file.
    before, after : Layer
        Intensities on one grid; every n-th pixel is shown.
    grid : MapGrid
        Of both.
    title, subtitle : str
        Above the panels.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    step = max(1, max(grid.shape) // _LONG_SIDE)
    shown = [_thinned(before, step), _thinned(after, step)]
    finite = shown[1][np.isfinite(shown[1])]
    low, high = np.percentile(finite, (1.0, 99.0)) if finite.size else (-20.0, 0.0)
    view = view_of(grid, Looks(1, 1))
    height = _WIDTH * view.slenderness
    sheet = Sheet(
        width=_LEFT + 2 * _WIDTH + _GAP + 0.4,
        height=_TOP + height + 1.75,
        title=title,
        subtitle=subtitle,
    )
    for number, (values, name) in enumerate(zip(shown, ("before", "filtered"), strict=True)):
        left = _LEFT + number * (_WIDTH + _GAP)
        sheet.text(left, _TOP - 0.1, name, size=12)
        axes = sheet.axes(left, _TOP, _WIDTH, height)
        image = axes.imshow(values, extent=view.extent, origin="upper", aspect="auto")
        image.set_cmap("gray")
        image.set_clim(float(low), max(float(high), float(low) + 1.0))
        draw_view(axes, view, y_axis=number == 0)
        axes.set_facecolor(MISSING_COLOUR)
    bar = sheet.axes(_LEFT + 0.5 * _WIDTH, sheet.height - 0.8, _WIDTH + _GAP, 0.16)
    drawn = sheet.figure.colorbar(image, cax=bar, orientation="horizontal", extend="both")
    drawn.set_label("Intensity [dB]", fontsize=10)
    save_picture(sheet.figure, path)
