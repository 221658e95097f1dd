"""Compiled interferogram rows: arrays only, checked in `burst_pair`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.insar.deramp_numba import cosine_sine_of_turn

_COMPILE = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    # sums may be reordered, but NaN keeps its meaning
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
}


@numba.njit(**_COMPILE)
def accumulate_row(
    reference: NDArray[np.complex64],
    secondary_real: NDArray[np.float32],
    secondary_imaginary: NDArray[np.float32],
    cycles: NDArray[np.float32],
    valid: NDArray[np.bool_],
    range_looks: int,
    cross: NDArray[np.complex64],
    reference_power: NDArray[np.float32],
    secondary_power: NDArray[np.float32],
    counts: NDArray[np.int32],
) -> None:
    """Add one line to a row of look cells.

    Parameters
    ----------
    reference : ndarray of complex64, shape (samples,)
        Reference line.
    secondary_real, secondary_imaginary : ndarray of float32, shape (samples,)
        Resampled baseband secondary line.
    cycles : ndarray of float32, shape (samples,)
        Ramp of the secondary plus flattening, -1/2 to 1/2 [cycles].
    valid : ndarray of bool, shape (samples,)
        Pixels that count.
    range_looks : int
        Samples of a cell.
    cross, reference_power, secondary_power, counts : ndarray, shape (cells,)
        Sums of m conj(s) exp(j 2 pi cycles), powers and valid pixels; added to.
    """
    for cell in range(cross.shape[0]):
        re = np.float32(0.0)
        im = np.float32(0.0)
        first_power = np.float32(0.0)
        second_power = np.float32(0.0)
        count = 0
        for p in range(cell * range_looks, (cell + 1) * range_looks):
            if valid[p]:
                c, s = cosine_sine_of_turn(cycles[p])
                mr, mi = reference[p].real, reference[p].imag
                sr, si = secondary_real[p], secondary_imaginary[p]
                # m conj(s), turned
                xr = mr * sr + mi * si
                xi = mi * sr - mr * si
                re += xr * c - xi * s
                im += xr * s + xi * c
                first_power += mr * mr + mi * mi
                second_power += sr * sr + si * si
                count += 1
        cross[cell] += np.complex64(complex(re, im))
        reference_power[cell] += first_power
        secondary_power[cell] += second_power
        counts[cell] += count


@numba.njit(**_COMPILE)
def flattened_row(
    secondary_real: NDArray[np.float32],
    secondary_imaginary: NDArray[np.float32],
    cycles: NDArray[np.float32],
    valid: NDArray[np.bool_],
    out: NDArray[np.complex64],
) -> None:
    """Turn a resampled line so that the reference times its conjugate is flattened.

    Parameters
    ----------
    secondary_real, secondary_imaginary : ndarray of float32, shape (samples,)
        Resampled baseband secondary line.
    cycles : ndarray of float32, shape (samples,)
        Ramp of the secondary plus flattening, -1/2 to 1/2 [cycles].
    valid : ndarray of bool, shape (samples,)
        Pixels that count.
    out : ndarray of complex64, shape (samples,)
        Receives s exp(-j 2 pi cycles); 0 where a pixel does not count.
    """
    for p in range(out.shape[0]):
        if valid[p]:
            c, s = cosine_sine_of_turn(cycles[p])
            sr, si = secondary_real[p], secondary_imaginary[p]
            out[p] = np.complex64(complex(sr * c + si * s, si * c - sr * s))
        else:
            out[p] = np.complex64(0.0)


@numba.njit(**_COMPILE)
def look_row(
    first: NDArray[np.complex64],
    second: NDArray[np.complex64],
    range_looks: int,
    cross: NDArray[np.complex64],
    first_power: NDArray[np.float32],
    second_power: NDArray[np.float32],
    counts: NDArray[np.int32],
) -> None:
    """Add one line of two images of a stack to a row of look cells.

    Parameters
    ----------
    first, second : ndarray of complex64, shape (samples,)
        Lines on one grid; pixels that are 0 in one of them do not count.
    range_looks : int
        Samples of a cell.
    cross, first_power, second_power, counts : ndarray, shape (cells,)
        Sums of first conj(second), powers and pixels; added to.
    """
    for cell in range(cross.shape[0]):
        re = np.float32(0.0)
        im = np.float32(0.0)
        ours = np.float32(0.0)
        theirs = np.float32(0.0)
        count = 0
        for p in range(cell * range_looks, (cell + 1) * range_looks):
            ar, ai = first[p].real, first[p].imag
            br, bi = second[p].real, second[p].imag
            one, other = ar * ar + ai * ai, br * br + bi * bi
            known = (one != 0.0) and (other != 0.0)
            weight = np.float32(1.0) if known else np.float32(0.0)
            re += weight * (ar * br + ai * bi)
            im += weight * (ai * br - ar * bi)
            ours += weight * one
            theirs += weight * other
            count += 1 if known else 0
        cross[cell] += np.complex64(complex(re, im))
        first_power[cell] += ours
        second_power[cell] += theirs
        counts[cell] += count


@numba.njit(**_COMPILE)
def ramp_and_flattening(
    ramp: NDArray[np.float64],
    lines: NDArray[np.float64],
    mid_line: float,
    line_interval: float,
    sample_offsets: NDArray[np.float32],
    range_differences: NDArray[np.float64],
    cycles_per_metre: float,
    run: int,
    cycles: NDArray[np.float32],
) -> None:
    """Phase that turns m conj(baseband s) into the flattened interferogram, of one line.

    Parameters
    ----------
    ramp : ndarray of float64, shape (3, secondary samples)
        Of the secondary burst.
    lines : ndarray of float64, shape (ceil(samples / run),)
        Fractional secondary line at the middle of each run of samples.
    mid_line, line_interval : float
        Of the ramp.
    sample_offsets : ndarray of float32, shape (samples,)
        Secondary minus reference sample.
    range_differences : ndarray of float64, shape (samples,)
        Secondary minus reference slant range [m].
    cycles_per_metre : float
        2 / wavelength.
    run : int
        Samples of a run.
    cycles : ndarray of float32, shape (samples,)
        Receives the phase [cycles] without whole turns; NaN where the geometry is unknown.
    """
    span = min(run, ramp.shape[1] - 1)
    last = ramp.shape[1] - 1 - span
    runs = lines.shape[0]
    turns = np.empty(cycles.shape[0])
    for r in range(runs):
        middle = r * run + 0.5 * (run - 1)
        # the line changes linearly over the runs
        if r + 1 < runs:
            slope = (lines[r + 1] - lines[r]) / run
        elif r > 0:
            slope = (lines[r] - lines[r - 1]) / run
        else:
            slope = 0.0
        start, stop = r * run, min((r + 1) * run, cycles.shape[0])
        # and so does the ramp over as many samples: its curvature makes 1e-7 cycles there
        known = start
        while known < stop - 1 and np.isnan(sample_offsets[known]):
            known += 1
        position = start + sample_offsets[known]
        j = min(int(position), last) if position > 0.0 else 0
        c, b, a = ramp[0, j], ramp[1, j], ramp[2, j]
        by_c = (ramp[0, j + span] - c) / span
        by_b = (ramp[1, j + span] - b) / span
        by_a = (ramp[2, j + span] - a) / span
        for p in range(start, stop):
            eta = (lines[r] + slope * (p - middle) - mid_line) * line_interval
            f = p + np.float64(sample_offsets[p]) - j
            phase = ((a + f * by_a) * eta + (b + f * by_b)) * eta + (c + f * by_c)
            turns[p] = phase - cycles_per_metre * range_differences[p]
    for p in range(cycles.shape[0]):
        cycles[p] = np.float32(turns[p] - np.rint(turns[p]))


@numba.njit(**_COMPILE)
def valid_row(
    first: int,
    last: int,
    lines: NDArray[np.float64],
    sample_offsets: NDArray[np.float32],
    first_valid: NDArray[np.int32],
    last_valid: NDArray[np.int32],
    taps: int,
    run: int,
    valid: NDArray[np.bool_],
) -> None:
    """Mark the samples of a reference line that are valid in both images.

    In the secondary all lines and samples under the interpolation kernel must carry signal.

    Parameters
    ----------
    first, last : int
        Valid samples of the reference line; -1 where it has none.
    lines : ndarray of float64, shape (ceil(samples / run),)
        Fractional secondary line of each run.
    sample_offsets : ndarray of float32, shape (samples,)
        Secondary minus reference sample; NaN where the geometry is unknown.
    first_valid, last_valid : ndarray of int32, shape (secondary lines,)
        Valid samples of the secondary's lines; -1 where a line has none.
    taps, run : int
        Of the kernel, and samples of a run.
    valid : ndarray of bool, shape (samples,)
        Receives the mark.
    """
    before, after = taps // 2 - 1, taps // 2
    for r in range(lines.shape[0]):
        whole = int(np.floor(lines[r]))
        low, high = 0, -1
        if whole >= before and whole + after < first_valid.shape[0]:
            top, bottom = first_valid[whole - before], first_valid[whole + after]
            if top >= 0 and bottom >= 0:
                low = max(top, bottom) + before
                high = min(last_valid[whole - before], last_valid[whole + after]) - after
        for p in range(r * run, min((r + 1) * run, valid.shape[0])):
            position = p + sample_offsets[p]
            valid[p] = first >= 0 and first <= p <= last and low <= position <= high
