"""Compiled resampling in two passes: along range, then along azimuth.

Both passes work on planes of real and imaginary parts, so that the inner loops vectorise. Catmull
and Smith (SIGGRAPH 1980) is the principle: the range pass puts every secondary line on the
reference's columns, the azimuth pass interpolates along these columns.
"""

from __future__ import annotations

from collections.abc import Callable

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

TAPS = (8, 12)
"""Numbers of taps that the passes are compiled for."""

AlongRange = Callable[
    [
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.int64],
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.float32],
    ],
    None,
]
AlongAzimuth = Callable[
    [
        NDArray[np.float32],
        NDArray[np.float32],
        int,
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.float32],
    ],
    None,
]

TurnedRun = Callable[
    [
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.float32],
        float,
        float,
        NDArray[np.float32],
        NDArray[np.float32],
    ],
    None,
]

RUN = 16
"""Pixels of a row that share the azimuth weights: the offset changes by 2e-5 lines over them."""

_SLOW = 0.05
"""Turns of phase per line that the margins of the weights' band hold [cycles].

Relief turns the secondary's phase from line to line: by half a turn where it is steep, which
carries its spectrum out of any kernel's band. There the weights turn along with it.
"""


def _make_along_range(taps: int) -> AlongRange:
    """Compile the range pass for a number of taps, so that its inner loop is unrolled."""
    before, count = taps // 2 - 1, np.uint64(taps)

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
        steps = weights.shape[0] - 1
        last = real.shape[1] - taps
        table = weights.ravel()
        for row in range(real.shape[0]):
            offsets = sample_offsets[reference_rows[row]]
            source_real, source_imaginary = real[row], imaginary[row]
            for p in range(out_real.shape[1]):
                position = np.float64(p) + offsets[p]
                whole = np.floor(position)
                first = int(whole) - before
                re = np.float32(0.0)
                im = np.float32(0.0)
                # NaN offsets (outside the DEM) fail this comparison
                if whole >= before and first <= last:
                    weight = np.uint64(int((position - whole) * steps + 0.5) * taps)
                    start = np.uint64(first)
                    for k in range(count):
                        re += table[weight + k] * source_real[start + k]
                        im += table[weight + k] * source_imaginary[start + k]
                out_real[row, p] = re
                out_imaginary[row, p] = im

    return along_range


def _make_along_azimuth(taps: int) -> AlongAzimuth:
    """Compile the azimuth pass for a number of taps."""
    before, turn = taps // 2 - 1, _make_turned_run(taps)
    count = np.uint64(taps)

    @numba.njit(**_COMPILE)
    def along_azimuth(
        real: NDArray[np.float32],
        imaginary: NDArray[np.float32],
        first_line: int,
        lines: NDArray[np.float64],
        rates: NDArray[np.float64],
        weights: NDArray[np.float32],
        out_real: NDArray[np.float32],
        out_imaginary: NDArray[np.float32],
    ) -> None:
        samples = out_real.shape[0]
        steps = weights.shape[0] - 1
        stride = np.uint64(real.shape[1])
        source_real, source_imaginary = real.ravel(), imaginary.ravel()
        for run in range(lines.shape[0]):
            start = np.uint64(run * RUN)
            stop = np.uint64(min((run + 1) * RUN, samples))
            # fractions of the burst's own lines: less another first line they would be rounded
            # another way
            whole = np.floor(lines[run])
            first = int(whole) - before - first_line
            if first < 0 or first > real.shape[0] - taps:
                out_real[start:stop] = np.float32(0.0)
                out_imaginary[start:stop] = np.float32(0.0)
                continue
            weight = weights[int((lines[run] - whole) * steps + 0.5)]
            # NaN rates (beside the DEM) fail this comparison
            if abs(rates[run]) > _SLOW:
                columns = slice(start, stop)
                under = slice(first, first + taps)
                turn(
                    real[under, columns],
                    imaginary[under, columns],
                    weight,
                    lines[run] - whole + before,
                    rates[run],
                    out_real[columns],
                    out_imaginary[columns],
                )
                continue
            base = np.uint64(first) * stride
            for p in range(start, stop):
                re = np.float32(0.0)
                im = np.float32(0.0)
                for k in range(count):
                    re += weight[k] * source_real[base + k * stride + p]
                    im += weight[k] * source_imaginary[base + k * stride + p]
                out_real[p] = re
                out_imaginary[p] = im

    return along_azimuth


def _make_turned_run(taps: int) -> TurnedRun:
    """Compile the sum of a run's taps whose phase turns from line to line."""

    @numba.njit(**_COMPILE)
    def turned_run(
        real: NDArray[np.float32],
        imaginary: NDArray[np.float32],
        weight: NDArray[np.float32],
        position: float,
        rate: float,
        out_real: NDArray[np.float32],
        out_imaginary: NDArray[np.float32],
    ) -> None:
        out_real[:] = np.float32(0.0)
        out_imaginary[:] = np.float32(0.0)
        for k in range(taps):
            angle = 2.0 * np.pi * rate * (position - k)
            c, s = np.float32(weight[k] * np.cos(angle)), np.float32(weight[k] * np.sin(angle))
            for p in range(out_real.shape[0]):
                out_real[p] += c * real[k, p] - s * imaginary[k, p]
                out_imaginary[p] += c * imaginary[k, p] + s * real[k, p]

    return turned_run


_ALONG_RANGE = {taps: _make_along_range(taps) for taps in TAPS}
_ALONG_AZIMUTH = {taps: _make_along_azimuth(taps) for taps in TAPS}


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
    _ALONG_RANGE[weights.shape[1]](
        real, imaginary, sample_offsets, reference_rows, weights, out_real, out_imaginary
    )


def along_azimuth(
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    first_line: int,
    lines: NDArray[np.float64],
    rates: NDArray[np.float64],
    weights: NDArray[np.float32],
    out_real: NDArray[np.float32],
    out_imaginary: NDArray[np.float32],
) -> None:
    """Interpolate one reference line along the columns.

    Parameters
    ----------
    real, imaginary : ndarray of float32, shape (secondary lines, samples)
        From `along_range`.
    first_line : int
        Of the secondary burst, in row 0.
    lines : ndarray of float64, shape (ceil(samples / RUN),)
        Fractional line of the secondary burst for each run of samples.
    rates : ndarray of float64, shape (ceil(samples / RUN),)
        By how much the phase turns from line to line in each run [cycles]; NaN counts as 0.
    weights : ndarray of float32, shape (steps + 1, taps)
        Interpolation weights by fraction.
    out_real, out_imaginary : ndarray of float32, shape (samples,)
        Receive the result; 0 where taps are missing.
    """
    _ALONG_AZIMUTH[weights.shape[1]](
        real, imaginary, first_line, lines, rates, weights, out_real, out_imaginary
    )
