"""Multi-temporal speckle filters on arrays of linear intensities.

Pixels without data (see `kernels.radiometry.windows`) count in no mean, and stay missing in the
result. An array needs half a window of rows beyond its core, except at the edges of the raster.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.radiometry import multitemporal_numba as compiled
from kernels.radiometry.lee import lee_filter
from kernels.radiometry.windows import is_valid, window_means

CHANGE_SIGMAS = 3.0
"""A local mean so many standard deviations of its speckle away from the temporal one changed."""


class TemporalSums(NamedTuple):
    """What a series leaves behind at each pixel, enough to filter one more date.

    Attributes
    ----------
    total : ndarray of float32, shape (rows, columns)
        Sum over the valid dates of pixel over window mean (Quegan and Yu), or of pixels.
    counts : ndarray of uint16, shape (rows, columns)
        Number of valid dates.
    """

    total: NDArray[np.float32]
    counts: NDArray[np.uint16]


def no_sums(shape: tuple[int, int]) -> TemporalSums:
    """Return the sums of no dates."""
    return TemporalSums(np.zeros(shape, np.float32), np.zeros(shape, np.uint16))


def add_ratios(
    image: NDArray[np.float32], sums: TemporalSums, *, window: int, core: Band
) -> NDArray[np.float32]:
    """Add one date to the sums of Quegan and Yu's filter.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Intensities of the date.
    sums : TemporalSums
        Of the core rows; changed.
    window : int
        Rows and columns of the window, odd.
    core : Band
        Rows of the image that the sums are of.

    Returns
    -------
    ndarray of float32, shape (core rows, columns)
        Window means of the date, for `quegan_yu`.
    """
    means = window_means(image, window=window, core=core)
    compiled.add_ratios(image, core.first, means, sums.total, sums.counts)
    return means


def quegan_yu(
    image: NDArray[np.float32],
    means: NDArray[np.float32],
    sums: TemporalSums,
    *,
    core: Band,
    missing: float = 0.0,
) -> NDArray[np.float32]:
    """Filter one date: ``J_k = <I_k> / N * sum_i I_i / <I_i>`` over the N dates valid at a pixel.

    Unbiased where speckle is independent between dates: the ratios of other dates have the mean
    1, and the date's own one turns its window mean into its pixel.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Intensities of the date.
    means : ndarray of float32, shape (core rows, columns)
        Its window means; overwritten.
    sums : TemporalSums
        Of the core rows and all dates, this one included.
    core : Band
        Rows of the image wanted.
    missing : float
        Value where the date is not valid.

    Returns
    -------
    ndarray of float32, shape (core rows, columns)
        Filtered intensities, in the memory of `means`.

    References
    ----------
    Quegan and Yu, "Filtering of multichannel SAR images", IEEE TGRS 39 (2001), equation 15
    with equal weights.
    """
    compiled.apply_ratios(image, core.first, sums.total, sums.counts, missing, means)
    return means


def add_intensities(image: NDArray[np.float32], sums: TemporalSums) -> None:
    """Add one date to the sums of intensities.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Intensities of the date.
    sums : TemporalSums
        Of the same rows; changed.
    """
    compiled.add_intensities(image, 0, sums.total, sums.counts)


def ratio_filter(
    image: NDArray[np.float32],
    sums: TemporalSums,
    *,
    window: int,
    looks: float,
    window_pixels: float,
    core: Band,
    missing: float = 0.0,
) -> NDArray[np.float32]:
    """Filter one date by its ratio to the temporal mean.

    The temporal mean (super-image) holds the structure of the scene at full resolution; the
    ratio holds speckle and change. The ratio is filtered (Lee) and multiplied back. What its
    window is smoothed to is the ratio of the two local means, not the mean of the ratios: a
    point target makes up most of both means, and keeps its peak; among the ratios it is one of
    many, and would take the speckle of the ground around it. Where the local mean of a date
    differs from that of the super-image by more than speckle explains, or where there is only
    one date, the date changed: it is filtered by itself, so that nothing of the other dates
    shows through.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Intensities of the date.
    sums : TemporalSums
        Sums of the intensities of all dates, of all rows of the image.
    window : int
        Rows and columns of the window, odd.
    looks : float
        Equivalent number of looks of one date.
    window_pixels : float
        Independent pixels of a window (see `kernels.radiometry.speckle`).
    core : Band
        Rows of the image wanted.
    missing : float
        Value where the date is not valid.

    Returns
    -------
    ndarray of float32, shape (core rows, columns)
        Filtered intensities.

    References
    ----------
    Zhao, Deledalle, Denis, Maitre, Nicolas and Tupin, "Ratio-based multitemporal SAR images
    denoising: RABASAR", IEEE TGRS 57 (2019), section III; the change mask and Lee's filter
    for the ratio are this project's choice.
    """
    rows = slice(core.first, core.first + core.rows)
    valid = is_valid(image)
    count = np.maximum(sums.counts, 1).astype(np.float32)
    mean = np.where(valid, sums.total / count, np.float32(0.0))
    ratio = np.divide(image, mean, out=np.zeros_like(image), where=valid)
    # the date is part of the mean: var(ratio) = (1 - 1/N) / L
    ratio_looks = np.float32(looks) * (count / np.maximum(count - 1, 1)).astype(np.float32)[rows]
    local = window_means(image, window=window, core=core)
    usual = window_means(mean, window=window, core=core)
    level = np.divide(local, usual, out=np.ones_like(local), where=usual > 0.0)
    smooth = lee_filter(ratio, window=window, looks=ratio_looks, core=core, level=level)
    smooth *= mean[rows]
    alone = lee_filter(image, window=window, looks=np.float32(looks), core=core)
    step = np.abs(np.log(level))
    changed = (step > CHANGE_SIGMAS / np.sqrt(looks * window_pixels)) | (sums.counts[rows] < 2)
    filtered = np.where(changed, alone, smooth)
    return np.where(valid[rows], filtered, np.float32(missing)).astype(np.float32)


def expected_looks(*, looks: float, images: float, window_pixels: float) -> float:
    """Return the equivalent number of looks after filtering: ``L N M / (N + M - 1)``.

    Parameters
    ----------
    looks : float
        Of one date, L.
    images : float
        Number of dates, N.
    window_pixels : float
        Independent pixels of the window, M: all of them for white speckle. To first order in
        the speckle the formula holds for correlated speckle too, with
        ``M = var(I) / var(<I>)``.

    Returns
    -------
    float
        Of a filtered date, by `quegan_yu` or `ratio_filter`.
    """
    return looks * images * window_pixels / (images + window_pixels - 1.0)
