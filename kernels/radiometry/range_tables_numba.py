"""Compiled ground range: arrays only, checked in `range_tables`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}

COEFFICIENTS = 11
"""Of a polynomial; a constant, so that the compiler computes several pixels at once."""

_REACH = 1.1
"""Of polynomials, in half widths of the swath."""


@numba.njit(**_COMPILE)
def _between_records(
    lines: NDArray[np.float64],
    ranges: NDArray[np.float64],
    first_line: float,
    step: float,
    middle: float,
    half: float,
    slope: float,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    samples: NDArray[np.float64],
) -> None:
    """Find samples of pixels between two records, whose lines are `step` apart."""
    for p in range(samples.shape[0]):
        share = min(max((lines[p] - first_line) / step, 0.0), 1.0)
        x = (ranges[p] - middle) / half
        inside = min(max(x, -_REACH), _REACH)
        a, b = first[COEFFICIENTS - 1], second[COEFFICIENTS - 1]
        for k in range(COEFFICIENTS - 1):
            a = a * inside + first[COEFFICIENTS - 2 - k]
            b = b * inside + second[COEFFICIENTS - 2 - k]
        samples[p] = a + share * (b - a) + (x - inside) * slope


@numba.njit(**_COMPILE)
def samples_of_ranges(
    lines: NDArray[np.float64],
    ranges: NDArray[np.float64],
    record_lines: NDArray[np.float64],
    middle: float,
    half: float,
    slope: float,
    polynomials: NDArray[np.float64],
    samples: NDArray[np.float64],
) -> None:
    """Find samples of slant ranges, linear in time between the records around each line.

    Parameters
    ----------
    lines, ranges : ndarray of float64, shape (n,)
        Fractional lines and slant ranges [m]; NaN where unknown.
    record_lines, middle, half, slope, polynomials : ndarray and float
        Of `RangeTables`.
    samples : ndarray of float64, shape (n,)
        Receives fractional samples; NaN where unknown.
    """
    last = max(record_lines.shape[0] - 2, 0)
    next_record = min(1, record_lines.shape[0] - 1)
    below, start = 0, 0
    while start < lines.shape[0]:
        line = lines[start]
        while below < last and line > record_lines[below + 1]:
            below += 1
        while below > 0 and line < record_lines[below]:
            below -= 1
        above = below + next_record
        low = record_lines[below] if below > 0 else -np.inf
        high = record_lines[above] if below < last else np.inf
        stop = start + 1
        while stop < lines.shape[0] and not (lines[stop] < low or lines[stop] > high):
            stop += 1
        _between_records(
            lines[start:stop],
            ranges[start:stop],
            record_lines[below],
            record_lines[above] - record_lines[below] if next_record > 0 else 1.0,
            middle,
            half,
            slope,
            polynomials[below],
            polynomials[above],
            samples[start:stop],
        )
        start = stop
