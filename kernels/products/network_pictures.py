"""Pictures of a network of dates: who makes pairs with whom, and how coherent all are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from kernels.products.drawing import MISSING_COLOUR, PictureSize, Sheet, save_picture

_LEFT, _TOP, _BOTTOM, _COLUMN = 1.1, 1.0, 1.25, 2.0
"""Margins of an image, and the column of the legend right of it [inches]."""
_WIDTH, _HEIGHT = 9.5, 5.0
"""Of the plot of a network [inches]."""
_SIDE = 7.5
"""Of a matrix [inches]."""
_ROW = 0.16
"""Least height of a name along a matrix [inches]."""
_STEP = 0.2
"""Least step between slanting names along a network [inches]."""
_WRITTEN = 0.42
"""Least side of a cell that its value is written in [inches]."""
_EPOCH = date(1970, 1, 1).toordinal()
"""From which matplotlib counts days."""
_GRID = "#e2e2e2"
_GREY = "#404040"
_MARK = "#d62728"
_UNKNOWN = "#b0b0b0"


def network_picture(
    path: Path,
    *,
    days: Sequence[date],
    baselines: Sequence[float],
    pairs: Sequence[tuple[int, int]],
    reference: int,
    coherence: Sequence[float] | None = None,
    title: str,
    subtitle: str = "",
) -> PictureSize:
    """Draw dates by perpendicular baseline, pairs as lines between them.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    days : sequence of date
        In order of time.
    baselines : sequence of float
        Perpendicular, of each date against the reference [m].
    pairs : sequence of (int, int)
        Numbers of their dates.
    reference : int
        Number of the reference.
    coherence : sequence of float or None
        Mean of each pair, 0 to 1, the colour of its line; NaN: grey. None: the days between the
        dates are the colour.
    title, subtitle : str
        Above the plot.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    sheet = Sheet(
        width=_LEFT + _WIDTH + _COLUMN,
        height=_TOP + _HEIGHT + _BOTTOM,
        title=title,
        subtitle=subtitle,
    )
    axes = sheet.axes(_LEFT, _TOP, _WIDTH, _HEIGHT)
    places = np.column_stack([[day.toordinal() - _EPOCH for day in days], baselines])
    axes.set_axisbelow(True)
    axes.grid(visible=True, color=_GRID, linewidth=0.8)
    if pairs:
        _draw_pairs(sheet, axes, places, pairs=pairs, coherence=coherence)
    others = np.arange(len(days)) != reference
    axes.plot(*places[others].T, "o", color="black", markersize=7.0, zorder=3)
    axes.plot(*places[reference], "D", color=_MARK, markersize=9.0, zorder=4)
    axes.margins(0.05, 0.1)
    axes.axhline(0.0, color="#909090", linewidth=0.8, zorder=0.9)
    axes.set_ylabel("Perpendicular baseline [m]", fontsize=11)
    axes.tick_params(labelsize=10)
    _name_days(axes, places[:, 0])
    sheet.text(_LEFT + _WIDTH + 0.35, _TOP + _HEIGHT - 0.3, "◆", size=11, colour=_MARK)
    sheet.text(_LEFT + _WIDTH + 0.6, _TOP + _HEIGHT - 0.3, "reference")
    sheet.text(_LEFT + _WIDTH + 0.35, _TOP + _HEIGHT - 0.05, "●", size=11)
    sheet.text(_LEFT + _WIDTH + 0.6, _TOP + _HEIGHT - 0.05, "other dates")
    return save_picture(sheet.figure, path)


def coherence_matrix_picture(
    path: Path,
    *,
    days: Sequence[date],
    coherence: NDArray[np.float64],
    title: str,
    subtitle: str = "",
) -> PictureSize:
    """Draw the mean coherence of every pair of dates as a matrix.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    days : sequence of date
        In order of time.
    coherence : ndarray of float64, shape (dates, dates)
        0 to 1; NaN: grey.
    title, subtitle : str
        Above the matrix.

    Returns
    -------
    PictureSize
        Of the PNG.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    sheet = Sheet(
        width=_LEFT + _SIDE + _COLUMN, height=_TOP + _SIDE + _BOTTOM, title=title, subtitle=subtitle
    )
    axes = sheet.axes(_LEFT, _TOP, _SIDE, _SIDE)
    axes.set_facecolor(MISSING_COLOUR)
    image = axes.imshow(coherence, cmap="viridis", vmin=0.0, vmax=1.0, aspect="auto")
    count = len(days)
    step = math.ceil(count * _ROW / _SIDE)
    shown = range(0, count, step)
    names = [days[number].isoformat() for number in shown]
    size = min(10.0, 0.75 * 72.0 * _SIDE / count * step)
    axes.set_xticks(shown, names, rotation=90.0)
    axes.set_yticks(shown, names)
    axes.tick_params(labelsize=size)
    if count * _WRITTEN <= _SIDE:
        for (row, column), value in np.ndenumerate(coherence):
            if math.isfinite(value) and row != column:
                ink = "white" if value < 0.6 else "black"
                text = f"{value:.2f}"
                axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)
    left = _LEFT + _SIDE + 0.4
    bar = sheet.axes(left, _TOP + 0.3, 0.25, 3.0)
    sheet.figure.colorbar(image, cax=bar).ax.tick_params(labelsize=10)
    sheet.text(left, _TOP + 0.12, "Mean coherence", size=11)
    return save_picture(sheet.figure, path)


def _draw_pairs(
    sheet: Sheet,
    axes: Axes,
    places: NDArray[np.float64],
    *,
    pairs: Sequence[tuple[int, int]],
    coherence: Sequence[float] | None,
) -> None:
    if coherence is None:
        values = np.array([abs(places[b, 0] - places[a, 0]) for a, b in pairs])
        label, colours = "Days", "plasma_r"
        limits = Normalize(0.0, float(values.max()))
    else:
        values = np.array(coherence, np.float64)
        label, colours = "Mean coherence", "viridis"
        limits = Normalize(0.0, 1.0)
    lines = LineCollection(
        [places[[a, b]] for a, b in pairs],
        cmap=colormaps[colours].with_extremes(bad=_UNKNOWN),
        norm=limits,
        linewidths=1.8,
        zorder=2,
    )
    lines.set_array(np.ma.masked_invalid(values))
    axes.add_collection(lines)
    left = _LEFT + _WIDTH + 0.35
    sheet.text(left, _TOP + 0.12, label, size=11)
    sheet.text(left, _TOP + 0.31, "of the pairs", colour=_GREY)
    bar = sheet.axes(left, _TOP + 0.5, 0.25, 2.6)
    sheet.figure.colorbar(lines, cax=bar).ax.tick_params(labelsize=10)


def _name_days(axes: Axes, places: NDArray[np.float64]) -> None:
    """Write every date under the plot where there is room, or else some round ones."""
    closest = np.diff(places).min(initial=np.inf) / max(float(np.ptp(places)), 1.0)
    has_room = closest * 0.9 * _WIDTH >= _STEP
    if has_room:
        axes.xaxis.set_major_locator(FixedLocator(places.tolist()))
    else:
        axes.xaxis.set_major_locator(AutoDateLocator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))  # type: ignore[no-untyped-call]
    for name in axes.get_xticklabels():
        name.update({"rotation": 45.0, "ha": "right", "rotation_mode": "anchor"})
