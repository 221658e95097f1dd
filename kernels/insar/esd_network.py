"""Azimuth shifts of the dates of a stack from those of their pairs.

Each pair tells the difference of the shifts of its two dates (Fattahi et al., IEEE TGRS 55, 2017);
weighted least squares over all pairs gives the shift of each date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.insar.networks import Pair, subsets

_STRAY = 5.0
"""Standard deviations by which a pair that is left out contradicts the others."""
_LEAST_DEVIATION = 1e-5
"""Lines: what pairs disagree by whatever their coherence, interpolation and clocks."""


class ShiftOfPair(NamedTuple):
    """What the overlaps of bursts say about a pair.

    Attributes
    ----------
    pair : (int, int)
        Numbers of the dates.
    shift : float
        Of the second date less that of the first [lines].
    deviation : float
        Standard deviation [lines].
    """

    pair: Pair
    shift: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkShifts:
    """Shifts that explain those of the pairs.

    Attributes
    ----------
    shifts : ndarray of float64, shape (dates,)
        To be added to the lines of each date [lines].
    known : ndarray of bool, shape (dates,)
        Whether pairs connect a date with one whose shift is fixed; 0 where not.
    residuals : ndarray of float64, shape (pairs,)
        Said by a pair less explained [lines].
    used : ndarray of bool, shape (pairs,)
        Those that do not contradict the others.
    """

    shifts: NDArray[np.float64]
    known: NDArray[np.bool_]
    residuals: NDArray[np.float64]
    used: NDArray[np.bool_]


def solve_shifts(
    count: int, links: Sequence[ShiftOfPair], fixed: Mapping[int, float]
) -> NetworkShifts:
    """Find the shifts of dates.

    Parameters
    ----------
    count : int
        Dates.
    links : sequence of ShiftOfPair
        What pairs of them say.
    fixed : mapping of int to float
        Shifts that are known [lines], by the number of the date; at least one.

    Returns
    -------
    NetworkShifts
        Of all dates; those that are fixed are as given.
    """
    used = np.ones(len(links), np.bool_)
    deviations = np.array([max(link.deviation, _LEAST_DEVIATION) for link in links])
    found = _least_squares(count, links, fixed, used)
    for _ in links:
        scaled = np.where(used, np.abs(found.residuals) / deviations, 0.0)
        fewer = used.copy()
        fewer[int(np.argmax(scaled))] = False
        without = _least_squares(count, links, fixed, fewer)
        spare = int(fewer.sum()) - (int(without.known.sum()) - len(fixed))
        if without.known.sum() < found.known.sum() or spare < 1:
            break  # nothing else tells that date, or whether the pair is wrong
        left = float(np.sum((without.residuals / deviations)[fewer] ** 2))
        if float(np.sum(scaled**2)) - left <= _STRAY**2 * max(1.0, left / spare):
            break
        used, found = fewer, without
    return replace(found, used=used)


def _least_squares(
    count: int, links: Sequence[ShiftOfPair], fixed: Mapping[int, float], used: NDArray[np.bool_]
) -> NetworkShifts:
    taken = [link for link, is_used in zip(links, used, strict=True) if is_used]
    # fixed dates are connected with each other
    held = [(min(fixed), one) for one in fixed]
    connected = next(
        group
        for group in subsets(count, [*(link.pair for link in taken), *held])
        if min(fixed) in group
    )
    known = np.isin(np.arange(count), connected)
    shifts = np.zeros(count)
    for number, value in fixed.items():
        shifts[number] = value
    free = [number for number in connected if number not in fixed]
    design, right = np.zeros((len(taken), count)), np.zeros(len(taken))
    for row, link in enumerate(taken):
        weight = 1.0 / max(link.deviation, _LEAST_DEVIATION)
        design[row, link.pair[1]] += weight
        design[row, link.pair[0]] -= weight
        right[row] = weight * link.shift
    if free:
        right -= design @ shifts
        shifts[free] = np.linalg.lstsq(design[:, free], right, rcond=None)[0]
    residuals = np.array(
        [link.shift - (shifts[link.pair[1]] - shifts[link.pair[0]]) for link in links]
    )
    return NetworkShifts(shifts=shifts, known=known, residuals=residuals, used=used)
