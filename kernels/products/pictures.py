"""Pictures of interferograms for people: phase, coherence, displacement against a truth.

Figures are drawn on canvases of their own, without pyplot and its global state, so that any
thread can make them. Only chains import this module, when they run.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from kernels.model import Looks, MapGrid, RadarGrid, Shape
from kernels.products.colours import phase_colours
from kernels.products.drawing import PictureSize, Sheet, View, draw_view, save_picture, view_of
from kernels.products.preview import (
    amplitude_cells,
    looked_grid,
    mean_cells,
    phase_cells,
    preview_looks,
    valid_cells,
)

_PIXELS = Looks(1, 1)
_DARK, _LIGHT = 0.40, 0.86
"""Lightness of the weakest and the strongest echoes."""
_LEAST_STRETCH = 6.0
"""Least range of amplitudes between dark and light [dB]: an even scene stays even."""
_LONG_SIDE = 8.5
"""Longer side of an image [inches]."""
_LEFT, _TOP, _BOTTOM, _COLUMN = 1.1, 0.95, 0.75, 3.0
"""Margins of an image, and the column of the legend right of it [inches]."""
_GAP = 0.35
"""Between panels [inches]."""
_WHEEL = 1.25
"""Side of the colour wheel [inches]."""


def phase_picture(
    path: Path,
    *,
    amplitude: NDArray[np.float32],
    phase: NDArray[np.float32],
    is_data: NDArray[np.bool_],
    grid: MapGrid | RadarGrid,
    title: str,
    subtitle: str,
    wavelength: float,
    looks: Looks = _PIXELS,
) -> PictureSize:
    """Draw wrapped phase as hue over amplitude as lightness, with its colour wheel.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    amplitude : ndarray of float32, shape (rows, columns)
        Shown in decibels, stretched between its 2nd and 98th percentile.
    phase : ndarray of float32, shape (rows, columns)
        [rad], positive where the ground moved away from the radar.
    is_data : ndarray of bool, shape (rows, columns)
        False: grey.
    grid : MapGrid or RadarGrid
        Of the arrays. Rasters larger than a preview are made small, phase as complex numbers.
    title, subtitle : str
        Above the image.
    wavelength : float
        [m]; one turn is half of it.
    looks : Looks
        Pixels of the file in one of the arrays, for the axes of radar geometry.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    ValueError
        Arrays and grid of different shapes.
    """
    _check_shapes(grid.shape, amplitude, phase, is_data)
    valid = is_data & np.isfinite(phase) & np.isfinite(amplitude)
    cells = preview_looks(grid.shape)
    view = _view(grid, looks=looks, cells=cells)
    lightness = _stretch(amplitude_cells(amplitude, valid, cells))
    colours = phase_colours(phase_cells(phase, valid, cells), lightness)
    sheet, axes = _image_sheet(view, title=title, subtitle=subtitle)
    opaque = valid_cells(valid, cells)
    _show(axes, np.dstack([np.where(opaque[..., None], colours, 0.0), opaque]), view)
    draw_view(axes, view)
    draw_colour_wheel(sheet, wavelength)
    return save_picture(sheet.figure, path)


def coherence_picture(
    path: Path,
    *,
    coherence: NDArray[np.float32],
    is_data: NDArray[np.bool_],
    grid: MapGrid | RadarGrid,
    title: str,
    subtitle: str,
    looks: Looks = _PIXELS,
) -> PictureSize:
    """Draw coherence with a colour bar from 0 to 1.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    coherence : ndarray of float32, shape (rows, columns)
        0 to 1.
    is_data : ndarray of bool, shape (rows, columns)
        False: grey.
    grid : MapGrid or RadarGrid
        Of the arrays. Rasters larger than a preview are averaged.
    title, subtitle : str
        Above the image.
    looks : Looks
        Pixels of the file in one of the arrays, for the axes of radar geometry.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    ValueError
        Arrays and grid of different shapes.
    """
    _check_shapes(grid.shape, coherence, is_data)
    valid = is_data & np.isfinite(coherence)
    cells = preview_looks(grid.shape)
    view = _view(grid, looks=looks, cells=cells)
    sheet, axes = _image_sheet(view, title=title, subtitle=subtitle)
    image = _show(axes, mean_cells(coherence, valid, cells), view)
    image.set_cmap("viridis")
    image.set_clim(0.0, 1.0)
    draw_view(axes, view)
    left = sheet.width - _COLUMN
    bar = sheet.axes(left + 0.35, _TOP + 0.3, 0.25, 2.6)
    sheet.figure.colorbar(image, cax=bar).ax.tick_params(labelsize=10)
    sheet.text(left + 0.35, _TOP + 0.12, "Coherence", size=11)
    return save_picture(sheet.figure, path)


def displacement_picture(
    path: Path,
    *,
    displacement: NDArray[np.float32],
    grid: MapGrid | RadarGrid,
    reference: NDArray[np.float64],
    limit: float,
    title: str,
    subtitle: str,
    label: str = "Displacement [mm]",
) -> PictureSize:
    """Draw unwrapped displacement with a colour bar, and what it is relative to.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    displacement : ndarray of float32, shape (rows, columns)
        Towards the satellite [m]; NaN: grey. Drawn in millimetres.
    grid : MapGrid or RadarGrid
        Of the array.
    reference : ndarray of float64, shape (n, 2)
        Coordinates in units of the map: of a point, of the corners of an area, or none.
    limit : float
        Displacement at the ends of the colour bar [m].
    title, subtitle : str
        Above the image.
    label : str
        Above the colour bar; of a velocity: Velocity [mm/year].

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    ValueError
        Array and grid of different shapes.
    """
    _check_shapes(grid.shape, displacement)
    view = view_of(grid, _PIXELS)
    sheet, axes = _image_sheet(view, title=title, subtitle=subtitle)
    image = _show(axes, 1e3 * displacement, view)
    image.set_cmap("RdBu_r")
    image.set_clim(-1e3 * limit, 1e3 * limit)
    draw_view(axes, view)
    left = sheet.width - _COLUMN
    bar = sheet.axes(left + 0.35, _TOP + 0.55, 0.25, 2.6)
    sheet.figure.colorbar(image, cax=bar, extend="both").ax.tick_params(labelsize=10)
    sheet.text(left + 0.35, _TOP + 0.12, label, size=11)
    sheet.text(left + 0.35, _TOP + 0.31, "+ towards the satellite", colour="#404040")
    if reference.size:
        x, y = reference.T if view.degrees else reference.T / 1e3
        marks = "s" if x.size == 1 else ""
        axes.plot(
            *(np.append(values, values[0]) for values in (x, y)),
            color="black",
            linewidth=1.5,
            marker=marks,
            markersize=7.0,
            markerfacecolor="none",
            scalex=False,
            scaley=False,
        )
        sheet.text(left + 0.35, _TOP + 3.45, "□ reference", size=10)
    return save_picture(sheet.figure, path)


def displacement_comparison_picture(
    path: Path,
    *,
    recovered: NDArray[np.float32],
    truth: NDArray[np.float32],
    grid: MapGrid | RadarGrid,
    title: str,
    subtitle: str = "",
) -> PictureSize:
    """Draw recovered displacement, the truth and their difference side by side.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    recovered, truth : ndarray of float32, shape (rows, columns)
        Towards the satellite [m]; NaN where missing. Drawn in millimetres, large rasters by
        every n-th pixel, so that wrapped displacement may be shown too.
    grid : MapGrid or RadarGrid
        Of the arrays.
    title, subtitle : str
        Above the panels.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    ValueError
        Arrays and grid of different shapes.
    """
    _check_shapes(grid.shape, recovered, truth)
    step = max(preview_looks(grid.shape))
    difference = 1e3 * (recovered.astype(np.float64) - truth)
    error = math.sqrt(float(np.nanmean(difference**2))) if np.isfinite(difference).any() else 0.0
    shown = [1e3 * recovered[::step, ::step], 1e3 * truth[::step, ::step]]
    shown.append(difference[::step, ::step])
    names = ("Recovered", "Truth", f"Recovered − truth, rms {error:.2g} mm")
    limit = _limit(shown[1], percentile=100.0)
    limits = (limit, limit, _limit(shown[2], percentile=99.5))
    view = view_of(grid, _PIXELS)
    width = min(max(5.5 / view.slenderness, 2.8), 4.6)
    sheet = Sheet(
        width=_LEFT + 3 * width + 2 * _GAP + 0.4,
        height=_TOP + width * view.slenderness + 1.95,
        title=title,
        subtitle=subtitle,
    )
    for number, values in enumerate(shown):
        left = _LEFT + number * (width + _GAP)
        sheet.text(left, _TOP + 0.22, names[number], size=12)
        axes = sheet.axes(left, _TOP + 0.35, width, width * view.slenderness)
        image = _show(axes, values, view)
        image.set_cmap("RdBu_r")
        image.set_clim(-limits[number], limits[number])
        draw_view(axes, view, y_axis=number == 0)
        bar = sheet.axes(left + 0.1 * width, sheet.height - 0.85, 0.8 * width, 0.16)
        drawn = sheet.figure.colorbar(image, cax=bar, orientation="horizontal", extend="both")
        drawn.ax.tick_params(labelsize=10)
        drawn.set_label("Towards the satellite [mm]", fontsize=10)
    return save_picture(sheet.figure, path)


def _check_shapes(shape: Shape, *arrays: NDArray[np.generic]) -> None:
    for array in arrays:
        if array.shape != tuple(shape):
            raise ValueError(f"an array of shape {array.shape} on a grid of shape {tuple(shape)}")


def _view(grid: MapGrid | RadarGrid, *, looks: Looks, cells: Looks) -> View:
    both = Looks(looks.azimuth * cells.azimuth, looks.range * cells.range)
    return view_of(looked_grid(grid, cells), both)


def _stretch(amplitude: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn amplitude into lightness: decibels between two percentiles; NaN stays NaN."""
    decibels: NDArray[np.float64] = 20.0 * np.log10(np.maximum(amplitude.astype(np.float64), 1e-6))
    if not np.isfinite(decibels).any():
        return decibels
    low, high = np.nanpercentile(decibels, (2.0, 98.0))
    share = 0.5 + (decibels - 0.5 * (low + high)) / max(high - low, _LEAST_STRETCH)
    lightness: NDArray[np.float64] = _DARK + (_LIGHT - _DARK) * np.clip(share, 0.0, 1.0)
    return lightness


def _limit(values: NDArray[np.floating], *, percentile: float) -> float:
    """Limit of a symmetric colour bar [mm]."""
    finite = np.abs(values[np.isfinite(values)])
    return max(float(np.percentile(finite, percentile)), 1e-3) if finite.size else 1.0


def _image_sheet(view: View, *, title: str, subtitle: str) -> tuple[Sheet, Axes]:
    width = min(_LONG_SIDE, _LONG_SIDE / view.slenderness)
    height = width * view.slenderness
    sheet = Sheet(
        width=_LEFT + width + _COLUMN,
        height=_TOP + max(height, 3.6) + _BOTTOM,
        title=title,
        subtitle=subtitle,
    )
    return sheet, sheet.axes(_LEFT, _TOP, width, height)


def _show(axes: Axes, image: NDArray[np.floating], view: View) -> AxesImage:
    return axes.imshow(image, extent=view.extent, origin="upper", aspect="auto")


def draw_colour_wheel(sheet: Sheet, wavelength: float, *, shaded: bool = True) -> None:
    """Draw the wheel in the 3 inches at the right of a sheet.

    Parameters
    ----------
    sheet : Sheet
        With that column free.
    wavelength : float
        [m]; one turn is half of it.
    shaded : bool
        Whether the lightness of the image is the amplitude.
    """
    left = sheet.width - _COLUMN
    x, y = left + 1.25, _TOP + 0.75
    middle, centre = x + _WHEEL / 2, y + _WHEEL / 2
    axes = sheet.axes(x, y, _WHEEL, _WHEEL)
    across, up = np.meshgrid(np.linspace(-1, 1, 401), np.linspace(1, -1, 401))
    radius = np.hypot(across, up)
    ring = np.clip((np.minimum(1.0 - radius, radius - 0.55)) * 200.0, 0.0, 1.0)
    axes.imshow(np.dstack([phase_colours(np.arctan2(up, across)), ring]))
    axes.set_axis_off()
    turn = 0.5 * wavelength * 1e3
    sheet.text(middle, centre - 0.03, "1 turn", size=9, align="center")
    sheet.text(middle, centre + 0.14, f"{turn:.1f} mm", size=9, align="center")
    sheet.text(middle, y - 0.25, "+π/2 rad", align="center")
    sheet.text(middle, y - 0.08, f"−{turn / 4:.1f} mm", align="center")
    sheet.text(middle, y + _WHEEL + 0.18, "−π/2 rad", align="center")
    sheet.text(middle, y + _WHEEL + 0.35, f"{turn / 4:+.1f} mm", align="center")
    sheet.text(x + _WHEEL + 0.07, centre + 0.04, "0")
    sheet.text(x - 0.07, centre - 0.04, "±π rad", align="right")
    sheet.text(x - 0.07, centre + 0.13, f"±{turn / 2:.1f} mm", align="right")
    sheet.text(middle, _TOP + 0.1, "Wrapped phase", size=11, align="center")
    below = y + _WHEEL + 0.75
    lines = ("mm: line of sight,", "+ towards the satellite", "brightness: amplitude")
    for line in lines if shaded else lines[:2]:
        sheet.text(middle, below, line, colour="#404040", align="center")
        below += 0.19
