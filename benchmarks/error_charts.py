"""Charts that pictures of errors are made of: histograms beside their bar, maps of means."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from kernels.model import Looks, RadarGrid
from kernels.products.drawing import MISSING_COLOUR, Sheet, draw_view, view_of
from kernels.products.preview import looked_grid, mean_cells, preview_looks

LEFT, TOP, BOTTOM = 1.0, 1.35, 0.8
"""Margins of charts on a sheet [inches]."""
SMALL = 9.0
_BINS = 60
_MAP_SIDE = 80
"""Most cells of a map on either side: more would only make the file large."""
_LEVELS = 24
"""Of colour."""
_COLOURS = ("#1b6ca8", "#d1772b", "#4b8b3b")
BAR_COLOUR = "#b01030"


def draw_sizes(
    axes: Axes, series: Mapping[str, NDArray[np.floating]], *, label: str, bar: float | None
) -> None:
    """Draw how often errors have which size, on logarithmic axes.

    Parameters
    ----------
    axes : Axes
        Empty.
    series : mapping of str to ndarray of float
        Errors by the name in the legend; their signs do not matter.
    label : str
        Of the sizes, with their unit.
    bar : float or None
        Line that the errors should stay left of.
    """
    sizes = {name: np.abs(errors[np.isfinite(errors)]) for name, errors in series.items()}
    together = np.concatenate([s[s > 0.0] for s in sizes.values()])
    low = float(np.quantile(together, 1e-3)) if together.size else 1e-12
    high = max(float(together.max()) if together.size else 1e-12, bar or 0.0)
    edges = np.geomspace(0.5 * low, 2.0 * high, _BINS + 1)
    for (name, values), colour in zip(sizes.items(), _COLOURS, strict=False):
        counts, _ = np.histogram(np.clip(values, edges[0], None), edges)
        shares = counts / max(values.size, 1)
        axes.stairs(shares, edges, fill=True, alpha=0.35, color=colour)
        axes.stairs(shares, edges, color=colour, label=name)
    if bar is not None:
        axes.axvline(bar, color=BAR_COLOUR, linestyle="--", label=f"bar: {bar:g}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(5e-7 if together.size > 1e5 else 1e-4, 50.0)  # the legend stands above
    dress(axes, label, "Share per bin")
    axes.legend(fontsize=SMALL, loc="upper left", framealpha=0.9)


def dress(axes: Axes, x_label: str, y_label: str) -> None:
    """Name the axes of a chart and draw its grid."""
    axes.set_xlabel(x_label, fontsize=11)
    axes.set_ylabel(y_label, fontsize=11)
    axes.tick_params(labelsize=SMALL)
    axes.grid(color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)


def map_cells(grid: RadarGrid) -> Looks:
    """Choose the cells of a map."""
    return preview_looks(grid.shape, _MAP_SIDE)


def map_height(grid: RadarGrid, width: float) -> float:
    """Height [inches] of a map of a width."""
    return width * view_of(grid, Looks(1, 1)).slenderness


def draw_map(
    sheet: Sheet,
    axes: Axes,
    values: NDArray[np.float32],
    kept: NDArray[np.bool_],
    *,
    grid: RadarGrid,
    looks: Looks,
    norm: Normalize,
    root: bool,
    label: str,
) -> None:
    """Draw means of cells as a map in radar geometry with a colour bar below.

    Parameters
    ----------
    sheet : Sheet
        Of the axes.
    axes : Axes
        Empty.
    values : ndarray of float32, shape (rows, cells)
        What is averaged.
    kept : ndarray of bool, shape (rows, cells)
        Where it counts.
    grid : RadarGrid
        Of the values.
    looks : Looks
        Pixels of the file in a value.
    norm : Normalize
        Of the colours.
    root : bool
        Show the root of the mean.
    label : str
        Of the colour bar, with the unit.
    """
    cells = map_cells(grid)
    means = mean_cells(values, kept, cells)
    both = Looks(looks.azimuth * cells.azimuth, looks.range * cells.range)
    view = view_of(looked_grid(grid, cells), both)
    image = axes.imshow(
        np.sqrt(means) if root else means,
        extent=view.extent,
        origin="upper",
        aspect="auto",
        interpolation="nearest",
        cmap=colormaps["viridis"].resampled(_LEVELS),
        norm=norm,
    )
    draw_view(axes, view)
    axes.set_facecolor(MISSING_COLOUR)
    place = axes.get_position()
    bar = sheet.axes(
        (place.x0 + 0.1 * place.width) * sheet.width,
        (1.0 - place.y0) * sheet.height + 0.65,
        0.8 * place.width * sheet.width,
        0.14,
    )
    drawn = sheet.figure.colorbar(image, cax=bar, orientation="horizontal", extend="both")
    drawn.ax.tick_params(labelsize=SMALL)
    drawn.set_label(label, fontsize=11)
