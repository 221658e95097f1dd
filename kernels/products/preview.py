"""Small versions of large rasters for pictures; wrapped phase is averaged as a complex number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.model import Looks, MapGrid, RadarGrid, Shape

LONG_SIDE = 1600
"""Most pixels of a preview on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An interferogram made small.

    Attributes
    ----------
    amplitude : ndarray of float32, shape (rows, columns)
        Root of the mean intensity of each cell; NaN where missing.
    phase : ndarray of float32, shape (rows, columns)
        Angle of the cell's mean phasor [rad]; NaN where missing.
    coherence : ndarray of float32, shape (rows, columns)
        Mean of each cell; NaN where missing.
    is_data : ndarray of bool, shape (rows, columns)
        True where at least half of the cell's pixels are valid.
    grid : MapGrid or RadarGrid
        Of the cells.
    looks : Looks
        Pixels of the raster in a cell.
    """

    amplitude: NDArray[np.float32]
    phase: NDArray[np.float32]
    coherence: NDArray[np.float32]
    is_data: NDArray[np.bool_]
    grid: MapGrid | RadarGrid
    looks: Looks


def preview_looks(shape: Shape, long_side: int = LONG_SIDE) -> Looks:
    """Choose the cells of a preview.

    Parameters
    ----------
    shape : Shape
        Of the raster.
    long_side : int
        Most cells on either side.

    Returns
    -------
    Looks
        Pixels per cell.
    """
    return Looks(math.ceil(shape.lines / long_side), math.ceil(shape.samples / long_side))


def looked_grid(grid: MapGrid | RadarGrid, looks: Looks) -> MapGrid | RadarGrid:
    """Return the grid of the cells; incomplete cells at the end are left out.

    Parameters
    ----------
    grid : MapGrid or RadarGrid
        Of the pixels.
    looks : Looks
        Pixels per cell.

    Returns
    -------
    MapGrid or RadarGrid
        Of the cells.
    """
    if isinstance(grid, RadarGrid):
        return grid.looked(looks)
    return replace(
        grid,
        x_spacing=grid.x_spacing * looks.range,
        y_spacing=grid.y_spacing * looks.azimuth,
        shape=Shape(grid.shape.lines // looks.azimuth, grid.shape.samples // looks.range),
    )


def _cells(array: NDArray[np.generic], looks: Looks) -> NDArray[np.generic]:
    rows, columns = array.shape[0] // looks.azimuth, array.shape[1] // looks.range
    whole = array[: rows * looks.azimuth, : columns * looks.range]
    return whole.reshape(rows, looks.azimuth, columns, looks.range)


def valid_cells(is_data: NDArray[np.bool_], looks: Looks) -> NDArray[np.bool_]:
    """Tell the cells of which at least half of the pixels are valid.

    Parameters
    ----------
    is_data : ndarray of bool, shape (rows, columns)
        Valid pixels.
    looks : Looks
        Pixels per cell.

    Returns
    -------
    ndarray of bool
        One per cell.
    """
    share: NDArray[np.float64] = _cells(is_data, looks).mean(axis=(1, 3), dtype=np.float64)
    return share >= 0.5


def mean_cells(
    values: NDArray[np.float32], is_data: NDArray[np.bool_], looks: Looks
) -> NDArray[np.float32]:
    """Average cells over their valid pixels; NaN in cells that `valid_cells` refuses.

    Parameters
    ----------
    values : ndarray of float32 or complex64, shape (rows, columns)
        Not wrapped phase, see `phase_cells`.
    is_data : ndarray of bool, shape (rows, columns)
        Valid pixels.
    looks : Looks
        Pixels per cell.

    Returns
    -------
    ndarray, shape (rows // looks.azimuth, columns // looks.range)
        Means, of the kind of `values`.
    """
    total = _cells(np.where(is_data, values, 0), looks).sum(axis=(1, 3))
    count = _cells(is_data, looks).sum(axis=(1, 3))
    mean: NDArray[np.float32] = total / np.maximum(count, 1).astype(np.float32)
    return np.where(valid_cells(is_data, looks), mean, np.float32(np.nan))


def phase_cells(
    phase: NDArray[np.float32], is_data: NDArray[np.bool_], looks: Looks
) -> NDArray[np.float32]:
    """Return the angle of each cell's mean phasor.

    Parameters
    ----------
    phase : ndarray of float32, shape (rows, columns)
        [rad].
    is_data : ndarray of bool, shape (rows, columns)
        Valid pixels.
    looks : Looks
        Pixels per cell.

    Returns
    -------
    ndarray of float32
        One per cell [rad]; NaN where `valid_cells` refuses.
    """
    cosine = mean_cells(np.cos(phase), is_data, looks)
    sine = mean_cells(np.sin(phase), is_data, looks)
    return np.arctan2(sine, cosine)


def amplitude_cells(
    amplitude: NDArray[np.float32], is_data: NDArray[np.bool_], looks: Looks
) -> NDArray[np.float32]:
    """Return the root of each cell's mean intensity.

    Parameters
    ----------
    amplitude : ndarray of float32, shape (rows, columns)
        Any unit.
    is_data : ndarray of bool, shape (rows, columns)
        Valid pixels.
    looks : Looks
        Pixels per cell.

    Returns
    -------
    ndarray of float32
        One per cell, in the same unit; NaN where `valid_cells` refuses.
    """
    return np.sqrt(mean_cells(amplitude**2, is_data, looks))


def _thinned(pixels: int, size: int) -> NDArray[np.int64]:
    """Pixels that stand for cells of `size`: all of a small cell, two of a large one."""
    first = np.arange(pixels // size)[:, None] * size
    within = np.arange(size) if size < 3 else np.array([size // 4, size - 1 - size // 4])
    return (first + within).ravel()


def preview_piece(bands: NDArray[np.float32], looks: Looks) -> NDArray[np.float32]:
    """Make some rows of an interferogram small.

    Parameters
    ----------
    bands : ndarray of float32, shape (4 or more, rows, columns)
        Amplitude, phase [rad], coherency and isData; more are ignored.
    looks : Looks
        Pixels per cell; of cells of three pixels and more a side, two in each direction are used.

    Returns
    -------
    ndarray of float32, shape (4, rows // looks.azimuth, columns // looks.range)
        Root of the mean intensity, angle of the mean phasor [rad], mean coherency (NaN where
        missing), and 1 where at least half of the pixels are valid.
    """
    rows = _thinned(bands.shape[1], looks.azimuth)
    columns = _thinned(bands.shape[2], looks.range)
    amplitude, phase, coherence, flag = bands[:4, rows[:, None], columns]
    cells = Looks(
        rows.size // max(bands.shape[1] // looks.azimuth, 1),
        columns.size // max(bands.shape[2] // looks.range, 1),
    )
    is_data = (flag > 0.5) & np.isfinite(phase) & np.isfinite(amplitude)
    count = _cells(is_data, cells).sum(axis=(1, 3)).astype(np.float32)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        values[~is_data] = 0.0
        average: NDArray[np.float32] = _cells(values, cells).sum(axis=(1, 3)) / np.maximum(
            count, 1.0
        )
        return average

    with np.errstate(invalid="ignore"):  # NaN where there is no data
        found = np.stack(
            [
                np.sqrt(mean(amplitude * amplitude)),
                np.arctan2(mean(np.sin(phase)), mean(np.cos(phase))),
                mean(coherence),
                count >= 0.5 * cells.azimuth * cells.range,
            ],
            dtype=np.float32,
        )
    found[:3, found[3] == 0.0] = np.nan
    return found


def join_preview(
    pieces: Sequence[NDArray[np.float32]], grid: MapGrid | RadarGrid, looks: Looks
) -> Preview:
    """Put pieces together.

    Parameters
    ----------
    pieces : sequence of ndarray
        From `preview_piece`, from top to bottom; whole cells each, but for the last.
    grid : MapGrid or RadarGrid
        Of the raster.
    looks : Looks
        Pixels per cell.

    Returns
    -------
    Preview
        Of the whole raster.
    """
    amplitude, phase, coherence, flag = np.concatenate(pieces, axis=1)
    return Preview(
        amplitude=amplitude,
        phase=phase,
        coherence=coherence,
        is_data=flag == 1.0,
        grid=looked_grid(grid, looks),
        looks=looks,
    )
