"""What a stack of coregistered images tells of its pixels: amplitudes, dispersion, coherence.

A pixel is valid in a date where its value is neither 0 nor NaN nor infinite. Nothing here depends
on how a scene is cut into parts, as long as cells and blocks stay whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.insar import stack_statistics_numba
from kernels.model import Looks, Shape

BLOCK = Shape(64, 256)
"""About the lines and samples that a coherence matrix is estimated from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookStatistics:
    """Amplitudes of look cells over all dates.

    Attributes
    ----------
    amplitudes : ndarray of float32, shape (dates, rows, cells)
        Root of the mean intensity of the valid pixels, as in the images; NaN without any.
    mean_amplitude : ndarray of float32, shape (rows, cells)
        Mean over the valid dates of the calibrated amplitudes; NaN without any.
    dispersion : ndarray of float32, shape (rows, cells)
        Median over the cell of the pixels' standard deviation over mean; NaN where no pixel is
        valid in two dates.
    smallest_dispersion : ndarray of float32, shape (rows, cells)
        Minimum of the same: small where one pixel is stable.
    dates : ndarray of int32, shape (rows, cells)
        In which a pixel of the cell is valid.
    """

    amplitudes: NDArray[np.float32]
    mean_amplitude: NDArray[np.float32]
    dispersion: NDArray[np.float32]
    smallest_dispersion: NDArray[np.float32]
    dates: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherenceMatrices:
    """Coherence of every pair of dates, block by block.

    Attributes
    ----------
    coherence : ndarray of complex64, shape (rows, blocks, dates, dates)
        Mean of first times conjugate second over the root of both mean intensities; Hermitian,
        1 on the diagonal, NaN where no pixel is valid in both dates. Where dates lack different
        pixels it need not be positive definite.
    pixels : ndarray of int32, shape (rows, blocks, dates, dates)
        Valid in both dates.
    """

    coherence: NDArray[np.complex64]
    pixels: NDArray[np.int32]


def block_shape(shape: Shape, looks: Looks, *, near: Shape = BLOCK) -> Shape:
    """Choose blocks of whole look cells.

    Parameters
    ----------
    shape : Shape
        Lines and samples of the scene.
    looks : Looks
        Pixels of a cell.
    near : Shape
        About the lines and samples of a block.

    Returns
    -------
    Shape
        Not larger than the whole cells of the scene.
    """
    lines, samples = (
        max(min(round(wanted / cell), size // cell), 1) * cell
        for wanted, cell, size in zip(near, looks, shape, strict=True)
    )
    return Shape(lines, samples)


def pixel_dispersion(
    pixels: NDArray[np.complex64], factors: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """Dispersion of the amplitude of single pixels over time.

    Standard deviation (of the dates that there are) over mean: Ferretti, Prati and Rocca (IEEE
    TGRS 39, 2001), equation 17. Below 0.25 it is about the standard deviation of the phase [rad].

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines, samples)
        Coregistered.
    factors : ndarray of float64, shape (dates,), or None
        That calibrate the amplitudes; None: 1.

    Returns
    -------
    ndarray of float32, shape (lines, samples)
        0 or more; NaN where fewer than two dates are valid.
    """
    dates, lines, samples = pixels.shape
    found = np.empty((lines, samples), np.float32)
    nothing = np.empty((dates, 0)), np.empty((dates, 0), np.int32)
    for line in range(lines):
        stack_statistics_numba.add_line(
            pixels[:, line], _factors(factors, dates), 1, *nothing, found[line]
        )
    return found


def look_statistics(
    pixels: NDArray[np.complex64], looks: Looks, factors: NDArray[np.float64] | None = None
) -> LookStatistics:
    """Amplitudes and dispersions of look cells.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines, samples)
        Coregistered. Incomplete cells at the end are left out.
    looks : Looks
        Pixels of a cell.
    factors : ndarray of float64, shape (dates,), or None
        That calibrate the amplitudes of mean and dispersion; None: 1.

    Returns
    -------
    LookStatistics
        Of the cells.
    """
    dates = pixels.shape[0]
    rows, cells = pixels.shape[1] // looks.azimuth, pixels.shape[2] // looks.range
    scale = _factors(factors, dates)
    powers = np.zeros((rows, dates, cells))
    counts = np.zeros((rows, dates, cells), np.int32)
    dispersions = np.empty((looks.azimuth, pixels.shape[2]), np.float32)
    median, minimum = np.empty((2, rows, cells), np.float32)
    for row in range(rows):
        for line in range(looks.azimuth):
            stack_statistics_numba.add_line(
                pixels[:, row * looks.azimuth + line],
                scale,
                looks.range,
                powers[row],
                counts[row],
                dispersions[line],
            )
        stack_statistics_numba.cell_dispersions(dispersions, looks.range, median[row], minimum[row])
    valid = counts > 0
    amplitudes = np.sqrt(powers / np.where(valid, counts, 1))
    number = valid.sum(axis=1, dtype=np.int32)
    mean = (amplitudes * scale[:, None]).sum(axis=1) / np.maximum(number, 1)
    amplitudes[~valid] = np.nan
    return LookStatistics(
        amplitudes=amplitudes.transpose(1, 0, 2).astype(np.float32),
        mean_amplitude=np.where(number > 0, mean, np.nan).astype(np.float32),
        dispersion=median,
        smallest_dispersion=minimum,
        dates=number,
    )


def coherence_matrices(pixels: NDArray[np.complex64], block: Shape) -> CoherenceMatrices:
    """Estimate the coherence of every pair of dates.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines, samples)
        Coregistered, phase freed from topography. Incomplete blocks at the end are left out.
    block : Shape
        Lines and samples of a block; the phase is taken as constant in it.

    Returns
    -------
    CoherenceMatrices
        Of the blocks.
    """
    dates = pixels.shape[0]
    rows, blocks = pixels.shape[1] // block.lines, pixels.shape[2] // block.samples
    shape = (rows, blocks, dates, dates)
    coherence, pixels_of = np.full(shape, np.nan, np.complex64), np.empty(shape, np.int32)
    for row in range(rows):
        cross = np.zeros(shape[1:], np.complex128)
        powers = np.zeros(shape[1:])
        counts = np.zeros(shape[1:], np.int32)
        lines = slice(row * block.lines, (row + 1) * block.lines)
        stack_statistics_numba.add_blocks(
            pixels[:, lines, : blocks * block.samples], cross, powers, counts
        )
        below = np.tril_indices(dates, -1)
        cross[:, *below] = cross.conj().transpose(0, 2, 1)[:, *below]
        valid = counts > 0
        found = cross[valid] / np.sqrt(powers * powers.transpose(0, 2, 1))[valid]
        # rounding may lift it above 1
        coherence[row][valid] = found / np.maximum(np.abs(found), 1.0)
        pixels_of[row] = counts
    return CoherenceMatrices(coherence=coherence, pixels=pixels_of)


def ratio_sums(pixels: NDArray[np.complex64], reference: int) -> NDArray[np.float64]:
    """Sum amplitudes for `relative_factors`.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines, samples)
        A part of the scene.
    reference : int
        Number of the date that the others are compared with.

    Returns
    -------
    ndarray of float64, shape (dates, 2)
        Of the date and of the reference, where both are valid; parts add up.
    """
    sums = np.zeros((pixels.shape[0], 2))
    stack_statistics_numba.add_ratio_sums(pixels, reference, sums)
    return sums


def relative_factors(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find what makes the mean amplitude of every date that of the reference.

    Parameters
    ----------
    sums : ndarray of float64, shape (dates, 2)
        From `ratio_sums`.

    Returns
    -------
    ndarray of float64, shape (dates,)
        1 for dates without common pixels.
    """
    own, reference = sums.T
    return np.where(own > 0.0, reference / np.where(own > 0.0, own, 1.0), 1.0)


def _factors(factors: NDArray[np.float64] | None, dates: int) -> NDArray[np.float64]:
    return np.ones(dates) if factors is None else factors
