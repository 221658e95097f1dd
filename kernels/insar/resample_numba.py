"""Compiled resampling in two passes: along range, then along azimuth.

Both work on planes of real and imaginary parts, so that the inner loops vectorise. Catmull and
Smith (SIGGRAPH 1980) is the principle: the range pass puts every secondary line on the
reference's columns, the azimuth pass interpolates along these columns.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    # sums may be reordered, but NaN keeps its meaning
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
}

RUN = 16
"""Pixels of a row that share the azimuth weights: the offset changes by 2e-5 lines over them."""


@numba.njit(**_COMPILE)
def along_range(
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    sample_offsets: NDArray[np.float32],
    reference_rows: NDArray[np.int64],
    weights: NDArray[np.float32],
    out_real: NDArray[np.float32],
    out_imaginary: NDArray[np.float32],
) -> None:
    """Put secondary lines on the reference's columns.

    Parameters
    ----------
    real, imaginary : ndarray of float32, shape (secondary lines, secondary samples)
        Baseband.
    sample_offsets : ndarray of float32, shape (reference lines, samples)
        Secondary sample minus reference sample.
    reference_rows : ndarray of int64, shape (secondary lines,)
        The row of `sample_offsets` that each secondary line lies on.
    weights : ndarray of float32, shape (steps + 1, taps)
        Interpolation weights by fraction.
    out_real, out_imaginary : ndarray of float32, shape (secondary lines, samples)
        Receive the result; 0 where taps are missing.
    """
    taps = weights.shape[1]
    steps = weights.shape[0] - 1
    before = taps // 2 - 1
    last = real.shape[1] - taps
    for row in range(real.shape[0]):
        offsets = sample_offsets[reference_rows[row]]
        for p in range(out_real.shape[1]):
            position = np.float64(p) + offsets[p]
            whole = np.floor(position)
            first = int(whole) - before
            # NaN offsets (outside the DEM) fail this comparison
            if whole >= before and first <= last:
                index = int((position - whole) * steps + 0.5)
                re = np.float32(0.0)
                im = np.float32(0.0)
                for k in range(taps):
                    re += weights[index, k] * real[row, first + k]
                    im += weights[index, k] * imaginary[row, first + k]
                out_real[row, p] = re
                out_imaginary[row, p] = im
            else:
                out_real[row, p] = np.float32(0.0)
                out_imaginary[row, p] = np.float32(0.0)


@numba.njit(**_COMPILE)
def along_azimuth(
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    lines: NDArray[np.float64],
    weights: NDArray[np.float32],
    out_real: NDArray[np.float32],
    out_imaginary: NDArray[np.float32],
) -> None:
    """Interpolate one reference line along the columns.

    Parameters
    ----------
    real, imaginary : ndarray of float32, shape (secondary lines, samples)
        From `along_range`.
    lines : ndarray of float64, shape (ceil(samples / RUN),)
        Fractional row of `real` for each run of samples.
    weights : ndarray of float32, shape (steps + 1, taps)
        Interpolation weights by fraction.
    out_real, out_imaginary : ndarray of float32, shape (samples,)
        Receive the result; 0 where taps are missing.
    """
    taps = weights.shape[1]
    steps = weights.shape[0] - 1
    samples = out_real.shape[0]
    for run in range(lines.shape[0]):
        start = run * RUN
        stop = min(start + RUN, samples)
        whole = np.floor(lines[run])
        first = int(whole) - taps // 2 + 1
        for p in range(start, stop):
            out_real[p] = np.float32(0.0)
            out_imaginary[p] = np.float32(0.0)
        if whole >= taps // 2 - 1 and first <= real.shape[0] - taps:
            index = int((lines[run] - whole) * steps + 0.5)
            for k in range(taps):
                w = weights[index, k]
                for p in range(start, stop):
                    out_real[p] += w * real[first + k, p]
                    out_imaginary[p] += w * imaginary[first + k, p]
