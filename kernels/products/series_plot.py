"""Plot of displacement over time at a few points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import dates as calendar
from numpy.typing import NDArray

from kernels.products.drawing import PictureSize, Sheet, save_picture

_COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"),
    *("#000000", "#999933", "#882255", "#44aa99", "#332288", "#aa4499"),
)
"""Told apart by colour-blind people too (Okabe and Ito, Tol)."""
_LEFT, _TOP, _WIDTH, _HEIGHT, _LEGEND, _BOTTOM = 0.9, 0.95, 7.6, 4.2, 3.4, 0.7
_ROW = 0.34
_EPOCH = date(1970, 1, 1)
"""Of matplotlib's dates."""


class PointSeries(NamedTuple):
    """Displacement of one point.

    Attributes
    ----------
    name : str
        For the legend.
    displacement : ndarray of float64, shape (dates,)
        Towards the satellite [m].
    fitted : ndarray of float64, shape (dates,)
        Straight line through it [m].
    note : str
        Second line of the legend.
    """

    name: str
    displacement: NDArray[np.float64]
    fitted: NDArray[np.float64]
    note: str = ""


def points_picture(
    path: Path,
    *,
    days: Sequence[date],
    points: Sequence[PointSeries],
    title: str,
    subtitle: str,
) -> PictureSize:
    """Plot displacement over time.

    Parameters
    ----------
    path : Path
        PNG file; written beside and renamed.
    days : sequence of date
        In order of time.
    points : sequence of PointSeries
        Drawn in millimetres: dots, and the fitted line.
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
        width=_LEFT + _WIDTH + _LEGEND,
        height=_TOP + max(_HEIGHT, _ROW * len(points)) + _BOTTOM,
        title=title,
        subtitle=subtitle,
    )
    axes = sheet.axes(_LEFT, _TOP, _WIDTH, _HEIGHT)
    times = np.array([(day - _EPOCH).days for day in days], np.float64)
    for number, point in enumerate(points):
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot(times, 1e3 * point.displacement, "o", color=colour, markersize=4.5)
        axes.plot(times, 1e3 * point.fitted, "-", color=colour, linewidth=1.2)
        left, top = _LEFT + _WIDTH + 0.25, _TOP + 0.15 + _ROW * number
        sheet.text(left, top, f"● {point.name}", size=10, colour=colour)
        sheet.text(left + 0.16, top + 0.16, point.note, size=8.5, colour="#404040")
    axes.axhline(0.0, color="#808080", linewidth=0.8, zorder=0)
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    locator: Any = calendar.AutoDateLocator  # without annotations
    formatter: Any = calendar.ConciseDateFormatter
    ticks = locator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(ticks)
    axes.xaxis.set_major_formatter(formatter(ticks))
    axes.set_ylabel("Displacement towards the satellite [mm]", fontsize=11)
    axes.tick_params(labelsize=10)
    return save_picture(sheet.figure, path)
