"""What `BurstPair` combines of lines that were resampled before, and the ramp at their pixels.

The compiled functions of the whole pass run on the same numbers, so that `BurstPair.resample`
and `combine_lines` one after the other give its bits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.insar import interferogram_numba
from kernels.insar.adjustment import Adjustment
from kernels.insar.burst_pair import BurstPair
from kernels.insar.look_sums import LookSums
from kernels.model import Looks


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
        From ``pair.resample``, of the same lines.
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
    if needed.rows < pair.azimuth_weights.shape[1]:
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
