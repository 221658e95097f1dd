"""What a stack and its time series got wrong, against the truth of the simulation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from benchmarks.interferogram_errors import root_mean_square
from benchmarks.stack_input import StackInput, height_error, velocity
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.insar.mosaic import Placement
from kernels.model import Looks
from kernels.products.raster import RasterReader
from kernels.simulation import BurstTruth, load_truth

COHERENT = 0.7
"""Temporal coherence above which velocities count."""
_CLOSURE_LINES = 64


class Layers(NamedTuple):
    """What a time series gives, on the cells of the interferograms.

    Attributes
    ----------
    velocity : ndarray of float64, shape (rows, columns)
        Towards the satellite [m/year]; NaN where unknown.
    dem_error : ndarray of float64, shape (rows, columns)
        Height to be added [m].
    temporal_coherence : ndarray of float64, shape (rows, columns)
        0 to 1.
    looks : Looks
        Pixels of a cell.
    """

    velocity: NDArray[np.float64]
    dem_error: NDArray[np.float64]
    temporal_coherence: NDArray[np.float64]
    looks: Looks

    @classmethod
    def of(cls, folder: Path) -> Layers:
        """Read the files of MintPy's layout that `insar-timeseries` makes."""
        with h5py.File(folder / "velocity.h5") as file:
            looks = Looks(azimuth=int(file.attrs["ALOOKS"]), range=int(file.attrs["RLOOKS"]))
        return cls(
            _layer(folder / "velocity.h5", "velocity"),
            _layer(folder / "demErr.h5", "dem"),
            _layer(folder / "temporalCoherence.h5", "temporalCoherence"),
            looks,
        )


def _layer(path: Path, name: str) -> NDArray[np.float64]:
    with h5py.File(path) as file:
        return np.asarray(file[name][:], np.float64)


def motion_figures(stack: StackInput, pair: SwathPair, layers: Layers) -> dict[str, Any]:
    """Compare velocity and elevation error with the truth.

    Both are relative to a reference point, so that a common constant is taken out. Cells that
    layover or shadow touches are left out of the elevation error and counted.

    Parameters
    ----------
    stack : StackInput
        With its truth.
    pair : SwathPair
        The reference's layout.
    layers : Layers
        Found.

    Returns
    -------
    dict
        Root mean squares over the nodes of the truth.
    """
    truth, looks = stack.folder / "truth", layers.looks
    found: list[NDArray[np.float64]] = []
    for placement in pair.layout.placements:
        known = load_truth(truth, swath="IW1", burst=placement.burst.index)
        rows, columns = _cells(known, placement, layers.velocity.shape, looks)
        cells = np.clip(rows, 0, None)[:, None], np.clip(columns, 0, None)[None, :]
        there = (rows >= 0)[:, None] & (columns >= 0)[None, :]
        values = (
            layers.velocity[cells],
            velocity(stack, truth, placement.burst.index),
            layers.dem_error[cells],
            height_error(stack, truth, placement.burst.index),
            layers.temporal_coherence[cells],
            _distorted(known, looks),
        )
        found.append(np.stack([value[there] for value in values]))
    speed, true_speed, height, true_height, coherence, distorted = np.concatenate(found, axis=1)
    good = np.isfinite(speed) & (coherence > COHERENT)
    clear = good & (distorted == 0.0)
    of_speed, of_clear_speed = (_error(speed, true_speed, kept) for kept in (good, clear))
    of_height = _error(height, true_height, clear)
    return {
        "velocity_rms_mm_per_year": 1e3 * root_mean_square(of_speed),
        "velocity_max_mm_per_year": 1e3 * float(np.abs(of_speed).max()),
        "velocity_clear_rms_mm_per_year": 1e3 * root_mean_square(of_clear_speed),
        "velocity_peak_mm_per_year": 1e3 * float(true_speed[good].max()),
        "dem_error_rms_m": root_mean_square(of_height),
        "dem_error_true_rms_m": root_mean_square(_error(true_height, 0.0 * true_height, clear)),
        "dem_error_all_rms_m": root_mean_square(_error(height, true_height, good)),
        "temporal_coherence_median": float(np.median(coherence[np.isfinite(coherence)])),
        "coherent_share": float(good.sum() / np.isfinite(speed).sum()),
        "layover_and_shadow_share": float((good & ~clear).sum() / good.sum()),
        "nodes": int(good.sum()),
    }


def _error(
    found: NDArray[np.float64], truth: NDArray[np.float64], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    error = (found - truth)[kept]
    return np.asarray(error - np.median(error))


def _cells(
    known: BurstTruth, placement: Placement, shape: tuple[int, ...], looks: Looks
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the cells that hold the nodes; -1 where another burst has them."""
    lines = known.lines + placement.origin
    rows, columns = lines // looks.azimuth, known.samples // looks.range
    own = (lines >= placement.start) & (lines < placement.stop) & (rows < shape[0])
    return np.where(own, rows, -1), np.where(columns < shape[1], columns, -1)


def _distorted(known: BurstTruth, looks: Looks) -> NDArray[np.float64]:
    """Whether layover or shadow is within a cell of a node, shape of the nodes."""
    lines = known.lines - known.mask_first_line
    marked = np.zeros((lines.size, known.samples.size), np.bool_)
    for line in range(-looks.azimuth, looks.azimuth + 1):
        row = known.mask[np.clip(lines + line, 0, known.mask.shape[0] - 1)]
        for sample in range(-looks.range, looks.range + 1):
            marked |= row[:, np.clip(known.samples + sample, 0, row.shape[1] - 1)] != 0
    return marked.astype(np.float64)


def shift_figures(stack: StackInput, shifts: dict[str, float]) -> dict[str, float]:
    """Compare azimuth shifts with those of the files.

    Parameters
    ----------
    stack : StackInput
        With its truth.
    shifts : dict of str to float
        Found, of each day against the reference [lines].

    Returns
    -------
    dict
        Largest and root mean square error [lines].
    """
    # the file's line l truly is l + shift: what geometry expects there lies earlier
    errors = np.array(
        [shifts[day] + date.shift for day, date in zip(stack.days, stack.dates, strict=True)]
    )
    errors -= errors[stack.reference]
    return {
        "esd_residual_lines": float(np.abs(errors).max()),
        "esd_rms_lines": root_mean_square(np.delete(errors, stack.reference)),
        "largest_injected_shift_lines": max(abs(date.shift) for date in stack.dates),
    }


def closure_figures(rasters: Sequence[Path]) -> dict[str, Any]:
    """Close the phases of three coregistered images at one look.

    Parameters
    ----------
    rasters : sequence of Path
        Complex images on one grid.

    Returns
    -------
    dict
        Largest closure over some lines in the middle [rad].
    """
    readers = [RasterReader(path) for path in rasters]
    lines = readers[0].shape.lines
    rows = min(_CLOSURE_LINES, lines)
    one, two, three = (
        np.asarray(reader.pixels((lines - rows) // 2, rows), np.complex64) for reader in readers
    )
    known = (one != 0.0) & (two != 0.0) & (three != 0.0)
    pairs = one * np.conj(two), two * np.conj(three), one * np.conj(three)
    closure = np.angle(pairs[0] * pairs[1] * np.conj(pairs[2]))[known]
    return {
        "closure_pixels": int(known.sum()),
        "closure_one_look_max_rad": float(np.abs(closure).max()),
    }
