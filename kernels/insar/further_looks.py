"""Look sums averaged further, and how many independent looks there are in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.model import SPEED_OF_LIGHT, Looks, RadarGrid


class LookedCells(NamedTuple):
    """An interferogram of look cells, arrays of shape (rows, columns).

    Attributes
    ----------
    phase : ndarray of float32
        [rad]; NaN where there is no data.
    coherence : ndarray of float32
        0 to 1; NaN where there is no data.
    """

    phase: NDArray[np.float32]
    coherence: NDArray[np.float32]


def effective_looks(
    looks: Looks, grid: RadarGrid, *, azimuth_bandwidth: float, range_bandwidth: float
) -> float:
    """Count the independent looks of a cell, whose pixels are oversampled.

    Parameters
    ----------
    looks : Looks
        Pixels of a cell.
    grid : RadarGrid
        Of the pixels.
    azimuth_bandwidth, range_bandwidth : float
        Processed [Hz]; their weighting, which widens the resolution further, is not counted.

    Returns
    -------
    float
        Of speckle with a flat spectrum: as many as give its mean intensity the same variance.
    """
    return _independent(looks.azimuth, azimuth_bandwidth * grid.line_interval) * _independent(
        looks.range, range_bandwidth * 2.0 * grid.slant_range_spacing / SPEED_OF_LIGHT
    )


def _independent(pixels: int, share: float) -> float:
    """Count the looks in a row of pixels that fill a share of their sampling frequency.

    Intensities k pixels apart correlate by sinc^2 (k share): the autocorrelation of the spectrum.
    """
    apart = np.arange(1 - pixels, pixels)
    weights = 1.0 - np.abs(apart) / pixels
    return float(pixels / np.sum(weights * np.sinc(min(share, 1.0) * apart) ** 2))


def further_factors(looks: Looks, wanted: Looks) -> Looks:
    """Find how many cells to sum up to come near the looks that are wanted, at least one."""
    return Looks(
        max(round(wanted.azimuth / looks.azimuth), 1), max(round(wanted.range / looks.range), 1)
    )


def sum_further(sums: NDArray[np.float32], factors: Looks) -> NDArray[np.float32]:
    """Sum neighbouring cells up.

    Parameters
    ----------
    sums : ndarray of float32, shape (rows, columns, 4)
        As in `RadarSums`: zeros where there is no data.
    factors : Looks
        Cells of a larger one; incomplete ones at the end are left out.

    Returns
    -------
    ndarray of float32, shape (rows // azimuth, columns // range, 4)
        Zeros where less than half of the cells have data.
    """
    rows, columns = sums.shape[0] // factors.azimuth, sums.shape[1] // factors.range
    parts = sums[: rows * factors.azimuth, : columns * factors.range].reshape(
        rows, factors.azimuth, columns, factors.range, 4
    )
    total: NDArray[np.float32] = parts.sum(axis=(1, 3))
    known = np.count_nonzero(parts[..., 2] > 0.0, axis=(1, 3))
    total[2 * known < factors.azimuth * factors.range] = 0.0
    return total


def looked_cells(sums: NDArray[np.float32]) -> LookedCells:
    """Form phase and coherence of look sums, shape (rows, columns, 4)."""
    known = sums[..., 2] * sums[..., 3] > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        coherence = np.hypot(sums[..., 0], sums[..., 1]) / np.sqrt(sums[..., 2] * sums[..., 3])
    nothing = np.float32(np.nan)
    return LookedCells(
        phase=np.where(known, np.arctan2(sums[..., 1], sums[..., 0]), nothing),
        coherence=np.where(known, np.minimum(coherence, np.float32(1.0)), nothing),
    )
