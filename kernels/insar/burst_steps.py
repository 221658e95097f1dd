"""The pass of `BurstPair` in two: resampling alone, and combining what was resampled before.

Both halves run the compiled functions of the whole on the same numbers, so that one after the
other they give its bits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.insar import interferogram_numba, resample_numba
from kernels.insar.adjustment import Adjustment
from kernels.insar.burst_pair import BurstPair, LookSums
from kernels.model import Looks


def resample_lines(
    pair: BurstPair, lines: Band, secondary: NDArray[np.complex64]
) -> NDArray[np.complex64]:
    """Resample the secondary onto some reference lines.

    Parameters
    ----------
    pair : BurstPair
        Of the two bursts.
    lines : Band
        Reference lines.
    secondary : ndarray of complex64, shape (secondary lines, samples)
        Pixels of ``pair.secondary_lines(lines)``.

    Returns
    -------
    ndarray of complex64, shape (lines, samples)
        Baseband, without the secondary's azimuth ramp; 0 where taps are missing.
    """
    samples = pair.reference.grid.shape.samples
    found = np.zeros((lines.rows, samples), np.complex64)
    needed = pair.secondary_lines(lines)
    if needed.rows < pair.weights.shape[1]:
        return found
    geometry = pair._geometry(lines, needed)
    planes = pair._on_reference_columns(geometry, needed, secondary)
    real, imaginary = np.empty(samples, np.float32), np.empty(samples, np.float32)
    for row in range(lines.rows):
        at = lines.first - geometry.first + row
        resample_numba.along_azimuth(
            planes[0], planes[1], geometry.lines[at] - needed.first, pair.weights, real, imaginary
        )
        found[row].real, found[row].imag = real, imaginary
    return found


def ramp_cycles(pair: BurstPair, lines: Band) -> NDArray[np.float64]:
    """Deramping phase of the secondary at the pixels of some reference lines.

    Parameters
    ----------
    pair : BurstPair
        Of the two bursts.
    lines : Band
        Reference lines.

    Returns
    -------
    ndarray of float64, shape (lines, samples)
        [cycles], evaluated at the fractional lines and samples of the secondary; NaN where the
        geometry is unknown.
    """
    level = replace(
        pair, coregistration=pair.coregistration.adjusted(Adjustment(), flattening="none")
    )
    geometry = level._geometry(lines, level.secondary_lines(lines))
    first = lines.first - geometry.first
    return np.asarray(geometry.cycles[first : first + lines.rows], np.float64)


def combine_lines(
    pair: BurstPair,
    lines: Band,
    reference: NDArray[np.complex64],
    resampled: NDArray[np.complex64],
    looks: Looks,
) -> LookSums:
    """Combine reference lines with the resampled secondary.

    Parameters
    ----------
    pair : BurstPair
        Of the two bursts.
    lines : Band
        Reference lines; a multiple of ``looks.azimuth``.
    reference : ndarray of complex64, shape (lines, samples)
        Their pixels.
    resampled : ndarray of complex64, shape (lines, samples)
        From `resample_lines`, of the same lines.
    looks : Looks
        Of the result.

    Returns
    -------
    LookSums
        As ``pair.compute`` gives them.
    """
    samples = pair.reference.grid.shape.samples
    sums = LookSums.zeros(lines.rows // looks.azimuth, samples // looks.range)
    needed = pair.secondary_lines(lines)
    if needed.rows < pair.weights.shape[1]:
        return sums
    geometry = pair._geometry(lines, needed)
    valid = np.empty(samples, np.bool_)
    for row in range(sums.cross.shape[0] * looks.azimuth):
        at = lines.first - geometry.first + row
        pair._valid(lines.first + row, geometry, at, valid)
        cell = row // looks.azimuth
        interferogram_numba.accumulate_row(
            reference[row],
            np.ascontiguousarray(resampled[row].real),
            np.ascontiguousarray(resampled[row].imag),
            geometry.cycles[at],
            valid,
            looks.range,
            sums.cross[cell],
            sums.reference_power[cell],
            sums.secondary_power[cell],
            sums.counts[cell],
        )
    return sums
