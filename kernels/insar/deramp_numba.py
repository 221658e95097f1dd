"""Compiled phase rotation: arrays only, checked in `deramp`."""

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


@numba.njit(inline="always", **_COMPILE)
def cosine_sine(cycles: float) -> tuple[np.float32, np.float32]:
    """Cosine and sine of an angle in cycles, to 4e-6 in float32; vectorises.

    The angle is reduced to a quarter of a turn around 0 or 1/2; Taylor polynomials.
    """
    return cosine_sine_of_turn(np.float32(cycles - np.rint(cycles)))


@numba.njit(inline="always", **_COMPILE)
def cosine_sine_of_turn(cycles: np.float32) -> tuple[np.float32, np.float32]:
    """Cosine and sine as `cosine_sine`, of an angle without whole turns: -1/2 to 1/2."""
    half = np.float32(0.5)
    # 0 in the right half of the circle, 1 or -1 in the left one
    side = np.rint(np.float32(2.0) * cycles)
    x = (cycles - half * side) * np.float32(6.2831853071795864)
    sign = np.float32(1.0) - np.float32(2.0) * abs(side)
    x2 = x * x
    s = x * (
        np.float32(1.0)
        + x2
        * (
            np.float32(-1.6666667e-1)
            + x2
            * (
                np.float32(8.3333333e-3)
                + x2 * (np.float32(-1.9841270e-4) + x2 * np.float32(2.7557319e-6))
            )
        )
    )
    c = np.float32(1.0) + x2 * (
        np.float32(-0.5)
        + x2
        * (
            np.float32(4.1666667e-2)
            + x2
            * (
                np.float32(-1.3888889e-3)
                + x2 * (np.float32(2.4801587e-5) + x2 * np.float32(-2.7557319e-7))
            )
        )
    )
    return sign * c, sign * s


@numba.njit(**_COMPILE)
def deramp(
    pixels: NDArray[np.complex64],
    ramp: NDArray[np.float64],
    first_line: int,
    mid_line: float,
    interval: float,
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
) -> None:
    """Pixels times exp(+j phi) as two planes; row 0 is line `first_line` of the burst."""
    for row in range(pixels.shape[0]):
        # exact but for the product, so that a line has the same bits wherever reading began
        eta = (np.float64(first_line + row) - mid_line) * interval
        for p in range(pixels.shape[1]):
            c, s = cosine_sine((ramp[2, p] * eta + ramp[1, p]) * eta + ramp[0, p])
            re, im = pixels[row, p].real, pixels[row, p].imag
            real[row, p] = re * c - im * s
            imaginary[row, p] = re * s + im * c
