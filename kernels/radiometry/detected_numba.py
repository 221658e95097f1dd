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


@numba.njit(**_COMPILE)
def _smaller(window: NDArray[np.float32], method: int, y: float, x: float) -> np.float32:
    """Mean of the four intensities around a place or else the nearest one; NaN where that is."""
    rows, columns = window.shape
    value = np.float32(np.nan)
    if not (y >= -0.5 and x >= -0.5 and y < rows - 0.5 and x < columns - 0.5):
        return value
    if method >= BILINEAR and y >= 0.0 and x >= 0.0 and y < rows - 1 and x < columns - 1:
        i, j = int(y), int(x)
        fy, fx = np.float32(y - i), np.float32(x - j)
        a, b = window[i, j], window[i, j + 1]
        c, d = window[i + 1, j], window[i + 1, j + 1]
        top, low = a + fx * (b - a), c + fx * (d - c)
        value = np.float32(top + fy * (low - top))
    return window[int(y + 0.5), int(x + 0.5)] if math.isnan(value) else value


@numba.njit(inline="always", **_COMPILE)
def _bicubic(window: NDArray[np.float32], y: float, x: float) -> np.float32:
    """Cubic convolution of sixteen intensities; NaN where one of them is."""
    i, j = int(y), int(x)
    w, v = _cubic_weights(np.float32(x - j)), _cubic_weights(np.float32(y - i))
    # unsigned: an index that may be negative costs a test for each access
    r, one = np.uint64(i - 1), np.uint64(1)
    total = np.float32(0.0)
    for k in range(4):
        c = np.uint64(j - 1 + k)
        total += w[k] * (
            v[0] * window[r, c]
            + v[1] * window[r + one, c]
            + v[2] * window[r + one + one, c]
            + v[3] * window[r + one + one + one, c]
        )
    return total


@numba.njit(**_COMPILE)
def _remove_noise(
    line: int,
    first_pixel: int,
    vector_lines: NDArray[np.float64],
    vectors: NDArray[np.float32],
    last_samples: NDArray[np.int32],
    factors: NDArray[np.float32],
    row: NDArray[np.float32],
) -> None:
    """Subtract the noise from a part of a line."""
    count = vector_lines.shape[0]
    k = 0
    while k < count - 2 and vector_lines[k + 1] <= line:
        k += 1
    above = vectors[k, first_pixel : first_pixel + row.shape[0]]
    below, share = above, np.float32(0.0)
    if count > 1:
        below = vectors[k + 1, first_pixel : first_pixel + row.shape[0]]
        place = (line - vector_lines[k]) / (vector_lines[k + 1] - vector_lines[k])
        share = np.float32(min(max(place, 0.0), 1.0))
    block, last_block = 0, last_samples.shape[1] - 1
    p = 0
    while p < row.shape[0]:
        while block < last_block and first_pixel + p > last_samples[line, block]:
            block += 1
        stop = row.shape[0]
        if block < last_block:
            stop = min(stop, last_samples[line, block] + 1 - first_pixel)
        factor = factors[line, block]
        while p < stop:
            row[p] -= factor * (above[p] + share * (below[p] - above[p]))
            p += 1


@numba.njit(**_COMPILE)
def calibrate(
    intensities: NDArray[np.float32],
    first_line: int,
    first_pixel: int,
    lattice: NDArray[np.float32],
    lattice_step: int,
    remove_noise: bool,
    vector_lines: NDArray[np.float64],
    vectors: NDArray[np.float32],
    last_samples: NDArray[np.int32],
    factors: NDArray[np.float32],
) -> None:
    """Turn intensities into backscatter, in place.

    Parameters
    ----------
    intensities : ndarray of float32, shape (lines, pixels)
        Of a part of the image; NaN stays NaN.
    first_line, first_pixel : int
        Place of the part.
    lattice, lattice_step : ndarray of float32, int
        From `calibration_lattice`.
    remove_noise : bool
        Whether to subtract the noise.
    vector_lines, vectors, last_samples, factors : ndarray
        Of `NoiseTables`; unused without noise removal.
    """
    columns = intensities.shape[1]
    j0 = first_pixel // lattice_step
    j1 = (first_pixel + columns - 1) // lattice_step + 1
    nodes = np.empty(j1 - j0 + 1, np.float32)
    for r in range(intensities.shape[0]):
        row = intensities[r]
        if remove_noise:
            _remove_noise(
                first_line + r, first_pixel, vector_lines, vectors, last_samples, factors, row
            )
        i = (first_line + r) // lattice_step
        share = np.float32((first_line + r - i * lattice_step) / lattice_step)
        for j in range(nodes.shape[0]):
            above, below = lattice[i, j0 + j], lattice[i + 1, j0 + j]
            nodes[j] = above + share * (below - above)
        for j in range(j1 - j0):
            start = max((j0 + j) * lattice_step - first_pixel, 0)
            stop = min((j0 + j + 1) * lattice_step - first_pixel, columns)
            offset = first_pixel + start - (j0 + j) * lattice_step
            slope = (nodes[j + 1] - nodes[j]) / np.float32(lattice_step)
            part = row[start:stop]
            for p in range(part.shape[0]):
                part[p] *= nodes[j] + np.float32(offset + p) * slope


@numba.njit(**_COMPILE)
def sample(
    lines: NDArray[np.float64],
    pixels: NDArray[np.float64],
    window: NDArray[np.float32],
    first_line: int,
    first_pixel: int,
    method: int,
    first_column: int,
    out: NDArray[np.float32],
) -> None:
    """Interpolate in a part of a map.

    A pixel is data where the image pixel nearest to it is. Where a pixel without data lies under
    the kernel, the next smaller kernel is used: a border does not bleed inwards.

    Parameters
    ----------
    lines, pixels : ndarray of float64, shape (rows, n)
        Fractional coordinates in the image; NaN where unknown.
    window : ndarray of float32, shape (lines, pixels)
        Backscatter in a part of the image; NaN where there is no data.
    first_line, first_pixel : int
        Place of the window.
    method : int
        NEAREST, BILINEAR or BICUBIC.
    first_column : int
        Column of `out` that the coordinates begin at.
    out : ndarray of float32, shape (rows, columns)
        Receives the backscatter [1]; pixels that are not 0 already are kept.
    """
    rows, columns = window.shape
    for r in range(lines.shape[0]):
        for p in range(lines.shape[1]):
            if out[r, first_column + p] != 0.0:
                continue
            y, x = lines[r, p] - first_line, pixels[r, p] - first_pixel
            value = np.float32(np.nan)
            # an unknown place (NaN) fails these comparisons
            if method == BICUBIC and y >= 1.0 and x >= 1.0 and y < rows - 2 and x < columns - 2:
                value = _bicubic(window, y, x)
            if math.isnan(value):
                value = _smaller(window, method, y, x)
            if not math.isnan(value):
                out[r, first_column + p] = max(value, SMALLEST)
