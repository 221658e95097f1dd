"""Compiled sampling of detected images: arrays only, checked in `detected`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
}

SMALLEST = np.float32(1e-7)
"""Backscatter of a pixel whose signal falls to 0 or below: 0 itself means no data."""

NEAREST, BILINEAR, BICUBIC = 0, 1, 2


@numba.njit(**_COMPILE)
def square_amplitudes(amplitudes: NDArray[np.uint16], intensities: NDArray[np.float32]) -> None:
    """Intensities of detected amplitudes of the same shape; NaN for 0, which is no data."""
    for i in range(amplitudes.shape[0]):
        for j in range(amplitudes.shape[1]):
            value = np.float32(amplitudes[i, j])
            intensities[i, j] = value * value if value > 0.0 else np.float32(np.nan)


@numba.njit(inline="always", **_COMPILE)
def _cubic_weights(f: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Weights of the cubic convolution with a = -1/2 (Keys 1981) at -1, 0, 1, 2."""
    half, one = np.float32(0.5), np.float32(1.0)
    a = half * f * (f * (np.float32(2.0) - f) - one)
    c = half * f * (f * (np.float32(4.0) - np.float32(3.0) * f) + one)
    d = half * f * f * (f - one)
    return a, one - a - c - d, c, d


@numba.njit(inline="always", **_COMPILE)
def _bilinear(
    window: NDArray[np.float32], i: int, j: int, fy: np.float32, fx: np.float32
) -> np.float32:
    """Mean of four intensities; NaN where one of them is."""
    a, b = window[i, j], window[i, j + 1]
    c, d = window[i + 1, j], window[i + 1, j + 1]
    top, low = a + fx * (b - a), c + fx * (d - c)
    return np.float32(top + fy * (low - top))


@numba.njit(inline="always", **_COMPILE)
def _bicubic(
    window: NDArray[np.float32], i: int, j: int, fy: np.float32, fx: np.float32
) -> np.float32:
    """Cubic convolution of sixteen intensities; NaN where one of them is."""
    w, v = _cubic_weights(fx), _cubic_weights(fy)
    total = np.float32(0.0)
    for k in range(4):
        r = i - 1 + k
        total += v[k] * (
            w[0] * window[r, j - 1]
            + w[1] * window[r, j]
            + w[2] * window[r, j + 1]
            + w[3] * window[r, j + 2]
        )
    return total


@numba.njit(**_COMPILE)
def _noise(
    line: int,
    sample: int,
    vector_lines: NDArray[np.float64],
    vectors: NDArray[np.float32],
    last_samples: NDArray[np.int32],
    factors: NDArray[np.float32],
) -> np.float32:
    """Noise power at a pixel."""
    n = vector_lines.shape[0]
    k = 0
    while k < n - 2 and vector_lines[k + 1] <= line:
        k += 1
    value = vectors[k, sample]
    if n > 1:
        share = (line - vector_lines[k]) / (vector_lines[k + 1] - vector_lines[k])
        share = min(max(share, 0.0), 1.0)
        value += np.float32(share) * (vectors[k + 1, sample] - vectors[k, sample])
    block = 0
    while block < last_samples.shape[1] - 1 and sample > last_samples[line, block]:
        block += 1
    return np.float32(value * factors[line, block])


@numba.njit(**_COMPILE)
def sample_row(
    lines: NDArray[np.float64],
    pixels: NDArray[np.float64],
    window: NDArray[np.float32],
    first_line: int,
    first_pixel: int,
    method: int,
    lattice: NDArray[np.float32],
    lattice_step: int,
    remove_noise: bool,
    vector_lines: NDArray[np.float64],
    vectors: NDArray[np.float32],
    last_samples: NDArray[np.int32],
    factors: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Sample, denoise and calibrate along one row of a map.

    A pixel is data where the image pixel nearest to it is. Where a pixel without data lies under
    the kernel, the next smaller kernel is used: a border does not bleed inwards.

    Parameters
    ----------
    lines, pixels : ndarray of float64, shape (n,)
        Fractional coordinates in the image; NaN where unknown.
    window : ndarray of float32, shape (rows, columns)
        Intensities of a part of the image; NaN where there is no data.
    first_line, first_pixel : int
        Place of the window.
    method : int
        NEAREST, BILINEAR or BICUBIC.
    lattice, lattice_step : ndarray of float32, int
        From `calibration_lattice`.
    remove_noise : bool
        Whether to subtract the noise.
    vector_lines, vectors, last_samples, factors : ndarray
        Of `NoiseTables`; unused without noise removal.
    out : ndarray of float32, shape (n,)
        Receives the backscatter [1]; pixels that are not 0 already are kept.
    """
    rows, columns = window.shape
    for p in range(lines.shape[0]):
        if out[p] != 0.0:
            continue
        y, x = lines[p] - first_line, pixels[p] - first_pixel
        # an unknown place (NaN) fails these comparisons
        if not (y >= -0.5 and x >= -0.5 and y < rows - 0.5 and x < columns - 0.5):
            continue
        near_row, near_column = int(y + 0.5), int(x + 0.5)
        nearest = window[near_row, near_column]
        if math.isnan(nearest):
            continue
        value = np.float32(np.nan)
        i, j = int(np.floor(y)), int(np.floor(x))
        fy, fx = np.float32(y - i), np.float32(x - j)
        if method == BICUBIC and i >= 1 and j >= 1 and i < rows - 2 and j < columns - 2:
            value = _bicubic(window, i, j, fy, fx)
        inside = i >= 0 and j >= 0 and i < rows - 1 and j < columns - 1
        if method >= BILINEAR and inside and math.isnan(value):
            value = _bilinear(window, i, j, fy, fx)
        if math.isnan(value):
            value = nearest
        line, pixel = first_line + near_row, first_pixel + near_column
        if remove_noise:
            value -= _noise(line, pixel, vector_lines, vectors, last_samples, factors)
        ly, lx = max(lines[p], 0.0) / lattice_step, max(pixels[p], 0.0) / lattice_step
        li, lj = min(int(ly), lattice.shape[0] - 2), min(int(lx), lattice.shape[1] - 2)
        gy, gx = np.float32(ly - li), np.float32(lx - lj)
        top = lattice[li, lj] + gx * (lattice[li, lj + 1] - lattice[li, lj])
        low = lattice[li + 1, lj] + gx * (lattice[li + 1, lj + 1] - lattice[li + 1, lj])
        out[p] = max(value * (top + gy * (low - top)), SMALLEST)
