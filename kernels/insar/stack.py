"""Two images of a stack, and one image as it stands in the stack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.insar.interferogram_numba import look_row
from kernels.insar.look_sums import LookSums
from kernels.model import Burst, Looks


def stack_sums(
    first: NDArray[np.complex64], second: NDArray[np.complex64], looks: Looks
) -> LookSums:
    """Combine lines of two images on one grid, both freed from topography.

    Parameters
    ----------
    first, second : ndarray of complex64, shape (lines, samples)
        As `BurstPair.flattened` gives them; pixels that are 0 in one of them do not count.
    looks : Looks
        Of the result; what is left over at the ends is not taken.

    Returns
    -------
    LookSums
        Of ``first * conj(second)``; the second image is the secondary.
    """
    lines, samples = first.shape
    sums = LookSums.zeros(lines // looks.azimuth, samples // looks.range)
    for line in range(sums.cross.shape[0] * looks.azimuth):
        cell = line // looks.azimuth
        look_row(
            first[line],
            second[line],
            looks.range,
            sums.cross[cell],
            sums.reference_power[cell],
            sums.secondary_power[cell],
            sums.counts[cell],
        )
    return sums


def with_signal(burst: Burst, lines: Band, pixels: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Keep the pixels of some lines of a burst that carry signal, and make the others 0."""
    part = slice(lines.first, lines.first + lines.rows)
    samples = np.arange(pixels.shape[1])
    first, last = burst.first_valid_sample[part, None], burst.last_valid_sample[part, None]
    valid = (first >= 0) & (samples >= first) & (samples <= last)
    return np.where(valid, pixels, np.complex64(0.0))
