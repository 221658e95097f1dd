"""Small multiples: many rasters of one grid as panels of one picture, with one legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from kernels.model import Looks, MapGrid, RadarGrid
from kernels.products.colours import phase_colours
from kernels.products.drawing import (
    DPI,
    MISSING_COLOUR,
    PictureSize,
    Sheet,
    View,
    draw_view,
    save_picture,
    view_of,
)
from kernels.products.pictures import draw_colour_wheel
from kernels.products.preview import (
    looked_grid,
    mean_cells,
    phase_cells,
    preview_looks,
    valid_cells,
)

MOST_PANELS = 24
"""More are too small to be read."""

_LEFT, _TOP, _BOTTOM, _COLUMN = 1.0, 0.95, 0.75, 3.0
"""Margins of the panels, and the column of the legend right of them [inches]."""
_GAP, _HEAD = 0.18, 0.42
"""Between columns of panels, and above each panel for its words [inches]."""
_WIDEST, _HIGHEST = 11.0, 8.5
"""All panels together [inches]."""
_LARGEST = 3.6
"""Longer side of a panel [inches]."""
_NARROWEST = 1.0
"""Of a panel: its words need the room [inches]."""
_SCALED = 2.5
"""Least width of a panel with a scale bar [inches]."""
_LONG_SIDE = 480
"""Most cells of a panel on either side."""
_GREY = "#404040"


class Panel(NamedTuple):
    """One raster of a picture of many.

    Attributes
    ----------
    title : str
        Above it, for example 20160605.
    values : ndarray of float32, shape (rows, columns)
        What is drawn; not finite: grey.
    note : str
        Second line, smaller.
    """

    title: str
    values: NDArray[np.float32]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseWheel:
    """Values are wrapped phase [rad], drawn as hue.

    Attributes
    ----------
    wavelength : float
        [m]; one turn is half of it.
    """

    wavelength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourBar:
    """Values are colours between two limits.

    Attributes
    ----------
    label : str
        Above the bar, with the unit: Displacement [mm].
    low, high : float
        Values at the ends.
    colour_map : str
        Name that matplotlib knows.
    extend : {'neither', 'min', 'max', 'both'}
        Ends beyond which there are values.
    note : str
        Below the label, for example what is positive.
    """

    label: str
    low: float
    high: float
    colour_map: str = "viridis"
    extend: Literal["neither", "min", "max", "both"] = "both"
    note: str = ""


def panels_picture(
    path: Path,
    *,
    panels: Sequence[Panel],
    grid: MapGrid | RadarGrid,
    colours: PhaseWheel | ColourBar,
    title: str,
    subtitle: str = "",
    looks: Looks | None = None,
) -> PictureSize:
    """Draw rasters of one grid side by side, with the same colours.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    panels : sequence of Panel
        1 to MOST_PANELS, from left to right and from top to bottom. Larger rasters than a panel
        shows are averaged, phase as complex numbers.
    grid : MapGrid or RadarGrid
        Of every panel.
    colours : PhaseWheel or ColourBar
        What the values are.
    title, subtitle : str
        Above the panels.
    looks : Looks or None
        Pixels of the file in one value, for the axes of radar geometry; None: one.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    ValueError
        Too many panels or none, or one of another shape than the grid.
    """
    if not 1 <= len(panels) <= MOST_PANELS:
        raise ValueError(f"{len(panels)} panels, 1 to {MOST_PANELS} can be drawn")
    for panel in panels:
        if panel.values.shape != tuple(grid.shape):
            raise ValueError(f"{panel.title}: {panel.values.shape} on a grid of {grid.shape}")
    cells = preview_looks(grid.shape, _LONG_SIDE)
    pixels = looks or Looks(1, 1)
    both = Looks(pixels.azimuth * cells.azimuth, pixels.range * cells.range)
    view = view_of(looked_grid(grid, cells), both)
    columns, width = _arrangement(len(panels), view.slenderness)
    height = width * view.slenderness
    rows = math.ceil(len(panels) / columns)
    across = columns * (width + _GAP) - _GAP
    sheet = Sheet(
        width=_LEFT + across + _COLUMN,
        height=_TOP + max(rows * (height + _HEAD), 3.6) + _BOTTOM,
        title=title,
        subtitle=subtitle,
    )
    has_notes = any(panel.note for panel in panels)
    image = None
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        left, top = _LEFT + column * (width + _GAP), _TOP + row * (height + _HEAD) + _HEAD
        axes = sheet.axes(left, top, width, height)
        image = _draw(axes, panel.values, cells, view, colours)
        _dress(axes, view, labelled=(row, column) == (rows - 1, 0))
        for text, above, size, colour in (
            (panel.title, 0.21 if has_notes else 0.07, 10.0, "black"),
            (panel.note, 0.06, 8.5, _GREY),
        ):
            # as large as the width lets it be
            fitting = min(size, 72.0 * width / (0.62 * max(len(text), 1)))
            sheet.text(left, top - above, text, size=fitting, colour=colour)
    if isinstance(colours, PhaseWheel):
        draw_colour_wheel(sheet, colours.wavelength, shaded=False)
    elif image is not None:
        _draw_bar(sheet, image, colours)
    return save_picture(sheet.figure, path)


def _arrangement(count: int, slenderness: float) -> tuple[int, float]:
    """Choose the columns that make the panels largest, and the width of a panel [inches]."""
    found = (1, 0.0)
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        width = min(
            (_WIDEST + _GAP) / columns - _GAP,
            (_HIGHEST / rows - _HEAD) / slenderness,
            _LARGEST / max(slenderness, 1.0),
        )
        if width >= found[1]:
            found = (columns, width)
    return found[0], max(found[1], _NARROWEST)


def _draw(
    axes: Axes,
    values: NDArray[np.float32],
    cells: Looks,
    view: View,
    colours: PhaseWheel | ColourBar,
) -> AxesImage:
    valid = np.isfinite(values)
    if isinstance(colours, PhaseWheel):
        opaque = valid_cells(valid, cells)
        shown = phase_colours(phase_cells(values, valid, cells))
        picture = np.dstack([np.where(opaque[..., None], shown, 0.0), opaque])
    else:
        picture = mean_cells(values, valid, cells)
    image = axes.imshow(picture, extent=view.extent, origin="upper", aspect="auto")
    if isinstance(colours, ColourBar):
        image.set_cmap(colours.colour_map)
        image.set_clim(colours.low, colours.high)
    return image


def _dress(axes: Axes, view: View, *, labelled: bool) -> None:
    """Give one panel its axes for all of them; the others have their frame alone."""
    if labelled:
        is_wide = axes.bbox.width / DPI >= _SCALED
        draw_view(axes, view if is_wide else view._replace(width_km=None))
        axes.tick_params(labelsize=8)
        axes.locator_params(nbins=3)
        return
    axes.set_facecolor(MISSING_COLOUR)
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_bar(sheet: Sheet, image: AxesImage, colours: ColourBar) -> None:
    left = sheet.width - _COLUMN + 0.35
    sheet.text(left, _TOP + 0.3, colours.label, size=11)
    sheet.text(left, _TOP + 0.5, colours.note, colour=_GREY)
    bar = sheet.axes(left, _TOP + 0.7, 0.25, 2.6)
    drawn = sheet.figure.colorbar(image, cax=bar, extend=colours.extend)
    drawn.ax.tick_params(labelsize=10)
