"""Small multiples of a series: wrapped phase of its pairs, amplitude of its dates.

To be imported where pictures are drawn, not by the web tier: matplotlib takes its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.multislc_series.stack import Stack
from kernels.engine.bands import split_rows
from kernels.errors import InputError
from kernels.insar.networks import Pair
from kernels.model import Looks, MapGrid, RadarGrid
from kernels.products.panels import MOST_PANELS, ColourBar, Panel, PhaseWheel, panels_picture
from kernels.products.preview import (
    join_preview,
    looked_grid,
    mean_cells,
    preview_looks,
    preview_piece,
)
from kernels.products.raster import RasterReader

Item = TypeVar("Item")

_LONG_SIDE = 480
"""Most cells of a panel on either side."""
_ROWS = 512
"""Of a raster that are read at once, about."""


def draw_phases(stack: Stack, rasters: Mapping[Pair, Path], path: Path) -> Path:
    """Draw the wrapped phase of up to 24 pairs, evenly chosen where there are more.

    Parameters
    ----------
    stack : Stack
        Of the dates.
    rasters : mapping of Pair to Path
        At least one; interferograms with the bands of `dinsar-pair`, all of one grid, on a map
        or in radar geometry.
    path : Path
        PNG file.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        An interferogram cannot be read.
    ProcessingError
        The file system did not take the file.
    """
    panels = []
    chosen = _chosen(list(rasters.items()))
    for (first, second), raster in chosen:
        ours, theirs = stack.images[first], stack.images[second]
        days = (theirs.date.day - ours.date.day).days
        metres = theirs.perpendicular_baseline - ours.perpendicular_baseline
        found = _phase(raster)
        note = f"{_signed(days)} d, {_signed(round(metres))} m"
        panels.append(Panel(f"{ours.date.text}_{theirs.date.text}", found.values, note))
    looks = stack.swaths[0].looks
    panels_picture(
        path,
        panels=panels,
        grid=found.grid,
        looks=Looks(looks.azimuth * found.cells.azimuth, looks.range * found.cells.range),
        colours=PhaseWheel(wavelength=stack.swaths[0].layout.grid.wavelength),
        title="Wrapped phase of the pairs",
        subtitle=_subtitle(stack.swaths, len(chosen), len(rasters), "pairs"),
    )
    return path


def draw_amplitudes(stack: Stack, amplitude_stack: Path, path: Path, *, swath: int = 0) -> Path:
    """Draw the amplitude of up to 24 dates, evenly chosen where there are more.

    Parameters
    ----------
    stack : Stack
        Of the dates.
    amplitude_stack : Path
        Of one swath, as `write_statistics` makes it.
    path : Path
        PNG file; decibels between the 2nd and 98th percentile of all panels.
    swath : int
        Number of the swath.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        The stack cannot be read.
    ProcessingError
        The file system did not take the file.
    """
    reader = RasterReader(amplitude_stack)
    cells = preview_looks(reader.shape, _LONG_SIDE)
    numbers = _chosen(range(len(stack.images)))
    panels = []
    for number in numbers:
        image = stack.images[number]
        note = "reference" if number == stack.reference else ""
        panels.append(Panel(image.date.text, _decibels(reader, number, cells), note))
    shown = np.concatenate([panel.values[np.isfinite(panel.values)] for panel in panels])
    low, high = np.percentile(shown, (2.0, 98.0)) if shown.size else (0.0, 1.0)
    grid = reader.grid
    assert isinstance(grid, RadarGrid)
    looks = stack.swaths[swath].looks
    panels_picture(
        path,
        panels=panels,
        grid=looked_grid(grid, cells),
        looks=Looks(looks.azimuth * cells.azimuth, looks.range * cells.range),
        colours=ColourBar(
            label="Amplitude [dB]", low=float(low), high=float(high), colour_map="gray"
        ),
        title="Amplitude of the dates",
        subtitle=_subtitle([stack.swaths[swath]], len(numbers), len(stack.images), "dates"),
    )
    return path


class _Small(NamedTuple):
    values: NDArray[np.float32]
    grid: MapGrid | RadarGrid
    cells: Looks
    """Pixels of the file in a value."""


def _phase(path: Path) -> _Small:
    """Make the phase of an interferogram small; on a map by its overviews."""
    reader = RasterReader(path)
    if isinstance(reader.grid, RadarGrid):
        cells = preview_looks(reader.shape, _LONG_SIDE)
        bands = split_rows(reader.shape.lines, band_rows=_ROWS, multiple=cells.azimuth)
        pieces = [preview_piece(reader.read(*band), cells) for band in bands]
        preview = join_preview(pieces, reader.grid, cells)
        return _Small(preview.phase, preview.grid, cells)
    raster = reader.overview(_LONG_SIDE)
    if raster.grid is None:
        raise InputError(f"{path.name} must be on a map or in radar geometry")
    phase = np.where(raster.array[3] == 1.0, raster.array[1], np.float32(np.nan))
    return _Small(phase, raster.grid, Looks(1, 1))


def _decibels(reader: RasterReader, number: int, cells: Looks) -> NDArray[np.float32]:
    """Mean intensity of the cells of a band [dB], read by rows."""
    rows = []
    for band in split_rows(reader.shape.lines, band_rows=_ROWS, multiple=cells.azimuth):
        amplitude = reader.read_band(number, band.first, band.rows)
        rows.append(mean_cells(amplitude**2, np.isfinite(amplitude), cells))
    intensity = np.concatenate(rows)
    valid = intensity > 0.0
    decibels = 10.0 * np.log10(np.where(valid, intensity, 1.0))
    return np.where(valid, decibels, np.nan).astype(np.float32)


def _chosen(items: Sequence[Item]) -> list[Item]:
    """Take what fits a picture, evenly, the first and the last among them."""
    count = min(len(items), MOST_PANELS)
    return [items[round(number)] for number in np.linspace(0, len(items) - 1, count)]


def _signed(value: int) -> str:
    return f"−{-value}" if value < 0 else f"{value}"


def _subtitle(swaths: Sequence[SwathPair], shown: int, count: int, what: str) -> str:
    product = swaths[0].reference
    number = f"{count} {what}" if shown == count else f"{shown} of {count} {what}"
    names = " ".join(swath.reference.swath for swath in swaths)
    return (
        f"{number}, {product.platform} {names} {product.polarisation}, "
        f"relative orbit {product.relative_orbit}"
    )
