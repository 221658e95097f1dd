"""The products of a stack: amplitude of every date, mean, dispersion, and coherence matrices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.multislc_series.stack import Stack
from kernels.chains.multislc_series.statistics_pass import MEAN_BANDS, MEAN_UNITS, SwathPass
from kernels.engine.bands import split_rows
from kernels.engine.progress import Progress
from kernels.insar.geocode import RadarSums
from kernels.insar.merged import MergedSwaths
from kernels.products.raster import TILE, create_raster, read_raster


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatistics:
    """Files and figures of a stack.

    Attributes
    ----------
    amplitude_stacks, mean_amplitudes, coherence_matrices : tuple of Path
        One of each for every swath.
    mean_amplitude : Path
        Of all swaths side by side; of the only one, or, where they are not on one grid, of the
        first one.
    factors : ndarray of float64, shape (swaths, dates)
        That the amplitudes of dates are calibrated with for mean and dispersion.
    coherence : ndarray of float64, shape (dates, dates)
        Mean magnitude over all blocks of which at least half is valid in both dates; NaN
        without any.
    """

    amplitude_stacks: tuple[Path, ...]
    mean_amplitudes: tuple[Path, ...]
    coherence_matrices: tuple[Path, ...]
    mean_amplitude: Path
    factors: NDArray[np.float64]
    coherence: NDArray[np.float64]


def write_statistics(
    stack: Stack,
    folder: Path,
    *,
    threads: int,
    memory_mb: int,
    progress: Progress,
    calibrate: bool = True,
) -> StackStatistics:
    """Write amplitude stack, mean amplitude and coherence matrices of every swath.

    Parameters
    ----------
    stack : Stack
        Coregistered images.
    folder : Path
        Receives ``amplitude_stack_SWATH.tif``, ``mean_amplitude_SWATH.tif`` and
        ``coherence_matrix_SWATH.h5``, and of several swaths ``mean_amplitude.tif``.
    threads : int
        Computing threads.
    memory_mb : int
        Budget [MB]; neither it nor the threads change the results.
    progress : Progress
        Told of shares; asked for cancellation.
    calibrate : bool
        Whether mean and dispersion are of amplitudes that are scaled, date by date, to those of
        the reference.

    Returns
    -------
    StackStatistics
        Files and figures.

    Raises
    ------
    InputError
        A raster of the stack that cannot be read.
    ProcessingError
        The file system did not take a file.
    """
    count, dates = len(stack.swaths), len(stack.images)
    sums, blocks = np.zeros((2, dates, dates))
    factors = np.ones((count, dates))
    files = []
    for number in range(count):
        swath = SwathPass(stack, number)
        if calibrate:
            factors[number] = swath.factors(progress)
        found = swath.write(
            folder,
            factors[number],
            threads=threads,
            memory_mb=memory_mb,
            progress=progress.part(number / count, (number + 1) / count),
        )
        files.append(found)
        sums += found.coherence_sums
        blocks += found.blocks
    means = tuple(found.mean_amplitude for found in files)
    coherence = np.full((dates, dates), np.nan)
    np.divide(sums, blocks, out=coherence, where=blocks > 0)
    return StackStatistics(
        amplitude_stacks=tuple(found.amplitude_stack for found in files),
        mean_amplitudes=means,
        coherence_matrices=tuple(found.coherence_matrix for found in files),
        mean_amplitude=_side_by_side(stack, means, folder / "mean_amplitude.tif"),
        factors=factors,
        coherence=coherence,
    )


def _side_by_side(stack: Stack, means: tuple[Path, ...], path: Path) -> Path:
    """Put mean amplitudes on one grid, as interferograms are; the number of dates marks data."""
    if len(means) == 1:
        return means[0]
    swaths = []
    for swath, mean in zip(stack.swaths, means, strict=True):
        values = read_raster(mean).array
        values[-1, np.isnan(values[-1])] = 0.0
        swaths.append(
            RadarSums(
                grid=swath.layout.grid.looked(swath.looks),
                orbit=swath.reference_orbit,
                looks=swath.looks,
                # of look sums the third marks data
                sums=values[[0, 1, 3, 2]].transpose(1, 2, 0),
                valid_ranges=swath.layout.valid_ranges(swath.looks),
            )
        )
    merged = MergedSwaths.of(tuple(swaths))
    if merged is None:
        return means[0]
    with create_raster(path, merged.grid.shape, MEAN_BANDS, grid=merged.grid, units=MEAN_UNITS) as (
        writer
    ):
        for rows in split_rows(merged.grid.shape.lines, band_rows=TILE):
            values = merged.sums(rows)[:, :, [0, 1, 3, 2]]
            values[values[:, :, 3] == 0.0] = np.nan
            writer.write(rows.first, values.transpose(2, 0, 1))
    return path
