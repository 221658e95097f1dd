"""The sheet that pictures are drawn on: sizes, map axes, scale bar, saving."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from pyproj import CRS

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.model import Looks, MapGrid, RadarGrid

DPI = 160
MISSING_COLOUR = "#d4d4d4"

_TITLE, _LABEL, _TICK = 15.0, 11.0, 10.0
_LETTER = 0.75
"""Mean width of a bold capital over its size."""
_KM_PER_DEGREE = 111.2
_GROUND_SPEED = 6800.0
"""Of the beam along the ground [m/s], about right for every low orbit: shapes pictures only."""
_INCIDENCE = math.radians(38.0)
"""Middle of the swaths: shapes pictures only."""
_SLIMMEST = 4.0
"""Longest over shortest side of an image."""


class PictureSize(NamedTuple):
    """Size of a picture [pixels]."""

    width: int
    height: int


class View(NamedTuple):
    """How a raster lies on its axes.

    Attributes
    ----------
    extent : tuple of float
        Left, right, bottom, top in units of the axes.
    slenderness : float
        Height of the image over its width as drawn.
    x_label, y_label : str
        Of the axes.
    width_km : float or None
        On the ground, along the middle row; None in radar geometry.
    degrees : bool
        True where the axes are longitude and latitude.
    """

    extent: tuple[float, float, float, float]
    slenderness: float
    x_label: str
    y_label: str
    width_km: float | None
    degrees: bool


def view_of(grid: MapGrid | RadarGrid, looks: Looks) -> View:
    """Lay out a raster on axes.

    Parameters
    ----------
    grid : MapGrid or RadarGrid
        Of the cells that are drawn.
    looks : Looks
        Pixels of the file in a cell; the axes of radar geometry count in pixels.

    Returns
    -------
    View
        In units of the axes.
    """
    if isinstance(grid, RadarGrid):
        lines, samples = grid.shape.lines * looks.azimuth, grid.shape.samples * looks.range
        height = grid.shape.lines * grid.line_interval * _GROUND_SPEED
        width = grid.shape.samples * grid.slant_range_spacing / math.sin(_INCIDENCE)
        extent = (-0.5, samples - 0.5, lines - 0.5, -0.5)
        return View(
            extent, _bounded(height / width), "Sample (range)", "Line (azimuth)", None, False
        )
    east = grid.west + grid.shape.samples * grid.x_spacing
    south = grid.north - grid.shape.lines * grid.y_spacing
    width, height = east - grid.west, grid.north - south
    if CRS.from_user_input(grid.crs).is_geographic:
        shrink = math.cos(math.radians(0.5 * (grid.north + south)))
        extent = (grid.west, east, south, grid.north)
        slenderness = _bounded(height / (width * shrink))
        width_km = width * shrink * _KM_PER_DEGREE
        return View(extent, slenderness, "Longitude", "Latitude", width_km, True)
    extent = (grid.west / 1e3, east / 1e3, south / 1e3, grid.north / 1e3)
    return View(
        extent, _bounded(height / width), "Easting [km]", "Northing [km]", width / 1e3, False
    )


def _bounded(slenderness: float) -> float:
    return min(max(slenderness, 1.0 / _SLIMMEST), _SLIMMEST)


class Sheet:
    """A figure laid out in inches, from its top left corner.

    Parameters
    ----------
    width, height : float
        [inches]; rounded to whole pixels.
    title, subtitle : str
        Above everything else.
    """

    def __init__(self, *, width: float, height: float, title: str, subtitle: str) -> None:
        self.width = round(width * DPI) / DPI
        self.height = round(height * DPI) / DPI
        self.figure = Figure(figsize=(self.width, self.height), dpi=DPI, facecolor="white")
        self.text(0.3, 0.40, title, size=self._fitting(title, _TITLE), weight="bold")
        self.text(0.3, 0.72, subtitle, size=self._fitting(subtitle, _LABEL), colour="#404040")

    def _fitting(self, text: str, size: float) -> float:
        """Size of type at which a line stays on the sheet; product names are 67 letters long."""
        return min(size, 72.0 * (self.width - 0.6) / (_LETTER * max(len(text), 1)))

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes whose upper left corner is at `left`, `top` [inches]."""
        w, h = self.width, self.height
        return self.figure.add_axes((left / w, 1.0 - (top + height) / h, width / w, height / h))

    def text(
        self,
        left: float,
        baseline: float,
        text: str,
        *,
        size: float = _TICK,
        weight: str = "normal",
        colour: str = "black",
        align: str = "left",
    ) -> None:
        """Write text with its first baseline [inches] below the upper edge."""
        self.figure.text(
            left / self.width,
            1.0 - baseline / self.height,
            text,
            fontsize=size,
            fontweight=weight,
            color=colour,
            ha=align,
            va="baseline",
        )


def draw_view(axes: Axes, view: View, *, y_axis: bool = True) -> None:
    """Dress axes that hold an image: ticks, labels, scale bar.

    Parameters
    ----------
    axes : Axes
        Holding the image.
    view : View
        Of the image.
    y_axis : bool
        False leaves out the labels of the vertical axis.
    """
    axes.set_facecolor(MISSING_COLOUR)
    axes.tick_params(labelsize=_TICK, direction="out", labelleft=y_axis)
    axes.set_xlabel(view.x_label, fontsize=_LABEL)
    if y_axis:
        axes.set_ylabel(view.y_label, fontsize=_LABEL)
    width, height = axes.bbox.width / DPI, axes.bbox.height / DPI
    axes.xaxis.set_major_locator(MaxNLocator(max(2, round(width / 1.5)), steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(max(2, round(height / 1.2)), steps=[1, 2, 5, 10]))
    if view.degrees:
        left, right, bottom, top = view.extent
        axes.xaxis.set_major_formatter(FuncFormatter(_degrees("E", "W", right - left)))
        axes.yaxis.set_major_formatter(FuncFormatter(_degrees("N", "S", top - bottom)))
    if view.width_km is not None:
        _scale_bar(axes, view.width_km)


def _degrees(positive: str, negative: str, span: float) -> Callable[[float, int], str]:
    """Return a tick formatter: degrees with the letter of the hemisphere."""
    decimals = max(0, -math.floor(math.log10(span / 5.0)))

    def label(value: float, _position: int) -> str:
        value = (value + 180.0) % 360.0 - 180.0
        return f"{abs(value):.{decimals}f}°{positive if value >= 0 else negative}"

    return label


def _scale_bar(axes: Axes, width_km: float) -> None:
    """Draw a bar of a round length, at most a quarter of the width, in the lower left corner."""
    power = 10.0 ** math.floor(math.log10(width_km / 4.0))
    length = max(f * power for f in (1, 2, 5) if f * power <= width_km / 4.0)
    share = length / width_km
    text = f"{length:g} km" if length >= 1.0 else f"{length * 1e3:g} m"
    place = axes.transAxes
    axes.add_patch(
        Rectangle((0.04, 0.04), share, 0.012, transform=place, fc="black", ec="white", lw=1.0)
    )
    axes.text(
        0.04 + share / 2,
        0.062,
        text,
        transform=place,
        ha="center",
        va="bottom",
        fontsize=_TICK,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )


def save_picture(figure: Figure, path: Path) -> PictureSize:
    """Write a PNG beside and rename it.

    Parameters
    ----------
    figure : Figure
        Complete.
    path : Path
        PNG file.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    canvas: Any = FigureCanvasAgg(figure)
    with scratch_folder(path.parent) as scratch:
        partial = scratch / path.name
        try:
            canvas.print_png(partial)
        except OSError as error:
            raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error
        publish(partial, path)
    return PictureSize(*canvas.get_width_height())
