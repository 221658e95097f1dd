"""Compiled sums over the dates of a stack: arrays only, checked in `stack_statistics`.

Every sum is made in an order that depends on nothing but its own cell or block, so that bands of
any size and threads of any number give the same bits.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True, "error_model": "numpy"}
_DOTS = {**_COMPILE, "fastmath": {"reassoc", "contract", "nsz"}}
"""Dot products may run in lanes: always the same ones for as many pixels, and none is NaN."""


@numba.njit(**_COMPILE)
def add_line(
    pixels: NDArray[np.complex64],
    factors: NDArray[np.float64],
    range_looks: int,
    powers: NDArray[np.float64],
    counts: NDArray[np.int32],
    dispersion: NDArray[np.float32],
) -> None:
    """Add a line of all dates to a row of look cells, and tell the dispersion of its pixels.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, samples)
        0, NaN and infinity are no data.
    factors : ndarray of float64, shape (dates,)
        That amplitudes are multiplied by for the dispersion.
    range_looks : int
        Samples of a cell.
    powers, counts : ndarray of float64 and int32, shape (dates, cells)
        Squared amplitudes and valid pixels; added to.
    dispersion : ndarray of float32, shape (samples,)
        Receives standard deviation over mean; NaN where fewer than two dates are valid.
    """
    samples = pixels.shape[1]
    cells = powers.shape[1]
    total = np.zeros(samples)
    squares = np.zeros(samples)
    numbers = np.zeros(samples)
    power = np.empty(samples)
    for k in range(pixels.shape[0]):
        factor = factors[k]
        for p in range(samples):
            re, im = np.float64(pixels[k, p].real), np.float64(pixels[k, p].imag)
            square = re * re + im * im
            good = (square > 0.0) & (square < np.inf)
            power[p] = square if good else 0.0
            scaled = factor * np.sqrt(power[p])
            total[p] += scaled
            squares[p] += scaled * scaled
            numbers[p] += 1.0 if good else 0.0
        for cell in range(cells):
            found, count = 0.0, 0
            for p in range(cell * range_looks, (cell + 1) * range_looks):
                found += power[p]
                count += power[p] > 0.0
            powers[k, cell] += found
            counts[k, cell] += count
    for p in range(samples):
        if numbers[p] > 1.0:
            # mean square over squared mean, less one; rounding may leave it below 0
            excess = numbers[p] * squares[p] / (total[p] * total[p]) - 1.0
            dispersion[p] = np.float32(np.sqrt(max(excess, 0.0)))
        else:
            dispersion[p] = np.float32(np.nan)


@numba.njit(**_COMPILE)
def cell_dispersions(
    dispersion: NDArray[np.float32],
    range_looks: int,
    median: NDArray[np.float32],
    minimum: NDArray[np.float32],
) -> None:
    """Find median and minimum of the finite pixels of a row of cells; NaN where there are none.

    Parameters
    ----------
    dispersion : ndarray of float32, shape (azimuth looks, samples)
        Of pixels.
    range_looks : int
        Samples of a cell.
    median, minimum : ndarray of float32, shape (cells,)
        Receive the result; of an even number of pixels the median is the mean of the middle two.
    """
    values = np.empty(dispersion.shape[0] * range_looks, np.float32)
    for cell in range(median.shape[0]):
        count = 0
        for line in range(dispersion.shape[0]):
            for p in range(cell * range_looks, (cell + 1) * range_looks):
                if not np.isnan(dispersion[line, p]):
                    values[count] = dispersion[line, p]
                    count += 1
        if count == 0:
            median[cell] = minimum[cell] = np.float32(np.nan)
            continue
        ordered = np.sort(values[:count])
        minimum[cell] = ordered[0]
        median[cell] = np.float32(0.5) * (ordered[(count - 1) // 2] + ordered[count // 2])


@numba.njit(**_DOTS)
def _cross(
    a: NDArray[np.float32], b: NDArray[np.float32], c: NDArray[np.float32], d: NDArray[np.float32]
) -> tuple[np.float32, np.float32]:
    """Sum (a + jb) conj(c + jd)."""
    re, im = np.float32(0.0), np.float32(0.0)
    for p in range(a.size):
        re += a[p] * c[p] + b[p] * d[p]
        im += b[p] * c[p] - a[p] * d[p]
    return re, im


@numba.njit(**_DOTS)
def _common(power: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[np.float32, int]:
    """Sum the power where another date is valid too, and count the pixels."""
    total, count = np.float32(0.0), 0
    for p in range(power.size):
        both = (other[p] > 0.0) & (power[p] > 0.0)
        total += power[p] if both else np.float32(0.0)
        count += both
    return total, count


@numba.njit(**_COMPILE)
def _split(
    pixels: NDArray[np.complex64],
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    power: NDArray[np.float32],
) -> int:
    """Part a line of pixels; 0 where there is no data; count the others."""
    count = 0
    for p in range(pixels.size):
        re, im = pixels[p].real, pixels[p].imag
        square = re * re + im * im
        good = (square > 0.0) & (square < np.inf)
        real[p] = re if good else np.float32(0.0)
        imaginary[p] = im if good else np.float32(0.0)
        power[p] = square if good else np.float32(0.0)
        count += good
    return count


@numba.njit(**_COMPILE)
def add_block_line(
    pixels: NDArray[np.complex64],
    cross: NDArray[np.complex128],
    powers: NDArray[np.float64],
    counts: NDArray[np.int32],
) -> None:
    """Add a line of a block to the sums of every pair of dates.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, samples)
        0, NaN and infinity are no data.
    cross : ndarray of complex128, shape (dates, dates)
        First times conjugate second, of pairs with first <= second; added to.
    powers : ndarray of float64, shape (dates, dates)
        Squared amplitudes of the first date where the second is valid too; added to.
    counts : ndarray of int32, shape (dates, dates)
        Pixels that are valid in both; added to.
    """
    dates, samples = pixels.shape
    real = np.empty((dates, samples), np.float32)
    imaginary = np.empty((dates, samples), np.float32)
    power = np.empty((dates, samples), np.float32)
    valid = np.empty(dates, np.int64)
    own = np.empty(dates, np.float32)
    for i in range(dates):
        valid[i] = _split(pixels[i], real[i], imaginary[i], power[i])
        own[i], _ = _common(power[i], power[i])
        cross[i, i] += own[i]
        powers[i, i] += own[i]
        counts[i, i] += valid[i]
    for i in range(dates):
        if valid[i] == 0:
            continue
        for j in range(i + 1, dates):
            if valid[j] == 0:
                continue
            re, im = _cross(real[i], imaginary[i], real[j], imaginary[j])
            cross[i, j] += complex(re, im)
            if valid[i] == samples and valid[j] == samples:
                first, second, count = own[i], own[j], samples
            else:
                first, count = _common(power[i], power[j])
                second, _ = _common(power[j], power[i])
            powers[i, j] += first
            powers[j, i] += second
            counts[i, j] += count
            counts[j, i] += count


@numba.njit(**_COMPILE)
def add_blocks(
    pixels: NDArray[np.complex64],
    cross: NDArray[np.complex128],
    powers: NDArray[np.float64],
    counts: NDArray[np.int32],
) -> None:
    """Add a row of blocks.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines of a block, samples)
        Whole blocks.
    cross, powers, counts : ndarray, shape (blocks, dates, dates)
        As of `add_block_line`.
    """
    width = pixels.shape[2] // cross.shape[0]
    for block in range(cross.shape[0]):
        for line in range(pixels.shape[1]):
            add_block_line(
                pixels[:, line, block * width : (block + 1) * width],
                cross[block],
                powers[block],
                counts[block],
            )


@numba.njit(**_COMPILE)
def add_ratio_sums(
    pixels: NDArray[np.complex64], reference: int, sums: NDArray[np.float64]
) -> None:
    """Add the amplitudes of each date, and of the reference, where both are valid.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines, samples)
        0, NaN and infinity are no data.
    reference : int
        Number of the date.
    sums : ndarray of float64, shape (dates, 2)
        Sum of the date and of the reference; added to.
    """
    for k in range(pixels.shape[0]):
        for line in range(pixels.shape[1]):
            for p in range(pixels.shape[2]):
                own = abs(pixels[k, line, p])
                other = abs(pixels[reference, line, p])
                if own > 0.0 and own < np.inf and other > 0.0 and other < np.inf:
                    sums[k, 0] += own
                    sums[k, 1] += other
