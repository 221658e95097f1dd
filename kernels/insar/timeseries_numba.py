"""Compiled inversion of networks: arrays only, checked and documented in `timeseries`.

Sixty-four pixels at a time share the places of their normal matrices, which are kept as the
envelope of the network: innermost loops run over pixels, and cost follows how far pairs reach.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_COMPILE = {"nogil": True, "cache": True, "fastmath": {"contract"}}
_LANES = 64
_MODEL = 3


@numba.njit(**_COMPILE)
def solve_pixels(
    pairs: NDArray[np.int64],
    model: NDArray[np.float64],
    first: NDArray[np.int64],
    start: NDArray[np.int64],
    phases: NDArray[np.float32],
    weights: NDArray[np.float32],
    tie: float,
    rounds: int,
    floor: float,
    solution: NDArray[np.float64],
    residuals: NDArray[np.float32],
    connected: NDArray[np.bool_],
) -> None:
    """Solve for the phases of the dates of every pixel.

    Parameters
    ----------
    pairs : ndarray of int64, shape (pairs, 2)
        Earlier and later date.
    model : ndarray of float64, shape (dates, 3)
        Terms of the motion model at each date.
    first, start : ndarray of int64, shape (dates + 2,)
        First column of each row of the normal matrix, and where column 0 of it would be kept.
    phases : ndarray of float32, shape (pairs, pixels)
        Later minus earlier [rad]; NaN where unknown.
    weights : ndarray of float32, shape (pairs, pixels) or (pairs, 1)
        Inverse variances.
    tie : float
        Squared weight of the model where the pairs leave dates disconnected.
    rounds : int
        Of reweighting for the L1 norm; 0: least squares.
    floor : float
        Residuals [rad] below which that norm is rounded.
    solution : ndarray of float64, shape (dates, pixels)
        Receives the phases; NaN where a pixel has no pair.
    residuals : ndarray of float32, shape (pairs, pixels)
        Receives observed minus modelled; NaN where the phase is.
    connected : ndarray of bool, shape (pixels,)
        Receives whether the known pairs hold all dates together.
    """
    dates, count = solution.shape
    pair_count = len(pairs)
    unknowns = dates - 1 + _MODEL
    matrix = np.empty((start[-1] + unknowns, _LANES))
    right = np.empty((unknowns, _LANES))
    observed = np.empty((pair_count, _LANES))
    given = np.empty((pair_count, _LANES))
    weight = np.empty((pair_count, _LANES))
    scale = np.empty(_LANES)
    ties = np.empty(_LANES)
    names = np.empty(dates, np.int64)
    squares = np.zeros((_MODEL, _MODEL))
    for date in range(dates):
        for m in range(_MODEL):
            for n in range(_MODEL):
                squares[m, n] += model[date, m] * model[date, n]
    shared = weights.shape[1] == 1
    for begin in range(0, count, _LANES):
        lanes = min(_LANES, count - begin)
        scale[:] = 0.0
        for k in range(pair_count):
            for lane in range(_LANES):
                pixel = begin + min(lane, lanes - 1)
                value = phases[k, pixel]
                own = weights[k, 0 if shared else pixel]
                known = not np.isnan(value) and own > 0.0
                observed[k, lane] = value if known else 0.0
                given[k, lane] = own if known else 0.0
                if known and own > scale[lane]:
                    scale[lane] = own
        for lane in range(_LANES):
            whole = _is_connected(pairs, given, lane, names)
            ties[lane] = 0.0 if whole else tie
            connected[begin + min(lane, lanes - 1)] = whole
            if scale[lane] > 0.0:
                for k in range(pair_count):
                    given[k, lane] /= scale[lane]
        weight[:] = given
        for step in range(rounds + 1):
            _fill(pairs, model, squares, start, observed, weight, ties, matrix, right)
            _solve(first, start, matrix, right)
            if step == rounds:
                break
            for k in range(pair_count):
                a, b = pairs[k, 0], pairs[k, 1]
                for lane in range(_LANES):
                    found = right[b - 1, lane] - (right[a - 1, lane] if a > 0 else 0.0)
                    off = abs(observed[k, lane] - found)
                    weight[k, lane] = given[k, lane] / max(off, floor)
        for lane in range(lanes):
            solution[0, begin + lane] = 0.0 if scale[lane] > 0.0 else np.nan
        for date in range(1, dates):
            for lane in range(lanes):
                there = scale[lane] > 0.0
                solution[date, begin + lane] = right[date - 1, lane] if there else np.nan
        for k in range(pair_count):
            a, b = pairs[k, 0], pairs[k, 1]
            for lane in range(lanes):
                found = right[b - 1, lane] - (right[a - 1, lane] if a > 0 else 0.0)
                residuals[k, begin + lane] = (
                    observed[k, lane] - found if given[k, lane] > 0.0 else np.nan
                )


@numba.njit(inline="always", **_COMPILE)
def _is_connected(
    pairs: NDArray[np.int64], given: NDArray[np.float64], lane: int, names: NDArray[np.int64]
) -> bool:
    """Tell whether the known pairs of a pixel hold all dates together (union and find)."""
    dates = len(names)
    for date in range(dates):
        names[date] = date
    groups = dates
    for k in range(len(pairs)):
        if given[k, lane] > 0.0:
            a, b = pairs[k, 0], pairs[k, 1]
            while names[a] != a:
                names[a] = names[names[a]]
                a = names[a]
            while names[b] != b:
                names[b] = names[names[b]]
                b = names[b]
            if a != b:
                names[b] = a
                groups -= 1
                if groups == 1:
                    return True
    return False


@numba.njit(**_COMPILE)
def _fill(
    pairs: NDArray[np.int64],
    model: NDArray[np.float64],
    squares: NDArray[np.float64],
    start: NDArray[np.int64],
    observed: NDArray[np.float64],
    weight: NDArray[np.float64],
    ties: NDArray[np.float64],
    matrix: NDArray[np.float64],
    right: NDArray[np.float64],
) -> None:
    """Form the normal equations: the network's Laplacian, bordered by the model."""
    matrix[:] = 0.0
    right[:] = 0.0
    last = len(model) - 1
    for k in range(len(pairs)):
        a, b = pairs[k, 0] - 1, pairs[k, 1] - 1
        for lane in range(_LANES):
            own = weight[k, lane]
            matrix[start[b] + b, lane] += own
            right[b, lane] += own * observed[k, lane]
        if a >= 0:
            for lane in range(_LANES):
                own = weight[k, lane]
                matrix[start[a] + a, lane] += own
                matrix[start[b] + a, lane] -= own
                right[a, lane] -= own * observed[k, lane]
    tied = False
    for lane in range(_LANES):
        tied |= ties[lane] > 0.0
    for m in range(_MODEL):
        for lane in range(_LANES):
            # what nothing tells is held at 0
            matrix[start[last + m] + last + m, lane] = 1e-6 * ties[lane] if tied else 1.0
    if not tied:
        return
    for m in range(_MODEL):
        row = start[last + m]
        for date in range(1, last + 1):
            for lane in range(_LANES):
                matrix[row + date - 1, lane] -= ties[lane] * model[date, m]
        for n in range(m + 1):
            for lane in range(_LANES):
                matrix[row + last + n, lane] += ties[lane] * squares[m, n]
        for lane in range(_LANES):
            if ties[lane] == 0.0:
                matrix[row + last + m, lane] = 1.0
    for date in range(last):
        for lane in range(_LANES):
            matrix[start[date] + date, lane] += ties[lane]


@numba.njit(**_COMPILE)
def _solve(
    first: NDArray[np.int64],
    start: NDArray[np.int64],
    matrix: NDArray[np.float64],
    right: NDArray[np.float64],
) -> None:
    """Solve by Cholesky factors inside the envelope; the solution replaces the right side."""
    unknowns = len(right)
    value = np.empty(_LANES)
    for i in range(unknowns):
        row = start[i]
        for j in range(first[i], i + 1):
            other = start[j]
            value[:] = matrix[row + j]
            for k in range(max(first[i], first[j]), j):
                for lane in range(_LANES):
                    value[lane] -= matrix[row + k, lane] * matrix[other + k, lane]
            if j < i:
                for lane in range(_LANES):
                    matrix[row + j, lane] = value[lane] * matrix[other + j, lane]
            else:  # the inverse of the diagonal is kept
                for lane in range(_LANES):
                    matrix[row + i, lane] = 1.0 / np.sqrt(max(value[lane], 1e-30))
        value[:] = right[i]
        for k in range(first[i], i):
            for lane in range(_LANES):
                value[lane] -= matrix[row + k, lane] * right[k, lane]
        for lane in range(_LANES):
            right[i, lane] = value[lane] * matrix[row + i, lane]
    for i in range(unknowns - 1, -1, -1):
        row = start[i]
        for lane in range(_LANES):
            right[i, lane] *= matrix[row + i, lane]
        for k in range(first[i], i):
            for lane in range(_LANES):
                right[k, lane] -= matrix[row + k, lane] * right[i, lane]
