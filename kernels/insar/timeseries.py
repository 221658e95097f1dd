"""From the unwrapped phases of a network of pairs to the phase of every date.

Increments between dates are solved by weighted least squares, or in the L1 norm, pixel by pixel
(Berardino et al., IEEE TGRS 40, 2002). Where pairs leave the dates in disconnected subsets, a
motion model with a small weight ties them together (NSBAS: Lopez-Quiroz et al., J. Applied
Geophysics 69, 2009; Doin et al., ESA Fringe 2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.insar.timeseries_numba import solve_pixels

Norm = Literal["l2", "l1"]

CONSTRAINT = 1e-3
"""Weight of the motion model against a pair of weight one: it decides only what no pair says."""

_L1_ROUNDS = 20
_L1_FLOOR = 1e-3
"""Residuals [rad] below which the L1 norm is rounded."""
_CYCLE = 2.0 * np.pi


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Dates, and the pairs that were made of them.

    Attributes
    ----------
    times : ndarray of float64, shape (dates,)
        Increasing; the first one is 0 [years].
    pairs : ndarray of int64, shape (pairs, 2)
        Earlier and later date of each pair, by number.
    baselines : ndarray of float64, shape (dates,)
        Perpendicular, from the first date [m].
    """

    times: NDArray[np.float64]
    pairs: NDArray[np.int64]
    baselines: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check what the attributes say of each other."""
        dates = self.times.size
        if dates < 2 or self.times[0] != 0.0 or np.any(np.diff(self.times) <= 0.0):
            raise RequestError("dates", "two or more, each later than the one before", dates)
        if self.baselines.shape != self.times.shape:
            raise RequestError("baselines", f"one per date, {dates}", self.baselines.size)
        if not len(self.pairs) or self.pairs.min() < 0 or self.pairs.max() >= dates:
            raise RequestError("pairs", f"one or more, of dates 0 to {dates - 1}", len(self.pairs))
        if np.any(self.pairs[:, 0] >= self.pairs[:, 1]):
            raise RequestError("pairs", "of an earlier and a later date", "another order")

    @property
    def design(self) -> NDArray[np.float64]:
        """Increments that each pair spans, shape (pairs, dates - 1)."""
        increments = np.arange(self.times.size - 1)
        spanned = (self.pairs[:, :1] <= increments) & (increments < self.pairs[:, 1:])
        return spanned.astype(np.float64)

    @property
    def triplets(self) -> NDArray[np.int64]:
        """Pairs first-second, second-third and first-third of all closed loops, shape (n, 3)."""
        number = {(int(a), int(b)): k for k, (a, b) in enumerate(self.pairs)}
        followers: dict[int, list[int]] = {}
        for a, b in sorted(number):
            followers.setdefault(a, []).append(b)
        found = [
            (number[a, b], number[b, c], number[a, c])
            for a, b in sorted(number)
            for c in followers.get(b, ())
            if (a, c) in number
        ]
        return np.array(found, np.int64).reshape(-1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """Phase of every date.

    Attributes
    ----------
    phases : ndarray of float64, shape (dates, pixels)
        Relative to the first date [rad]; NaN where a pixel has no pair at all.
    residuals : ndarray of float32, shape (pairs, pixels)
        Observed minus modelled [rad]; NaN where a pair does not know a pixel.
    temporal_coherence : ndarray of float64, shape (pixels,)
        0 to 1 (Pepe and Lanari, IEEE TGRS 44, 2006); NaN where there is no pair.
    connected : ndarray of bool, shape (pixels,)
        Whether the known pairs hold all dates together; elsewhere the motion model says what
        they leave open.
    """

    phases: NDArray[np.float64]
    residuals: NDArray[np.float32]
    temporal_coherence: NDArray[np.float64]
    connected: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Model of a series: constant velocity, constant, and error of the elevation.

    Attributes
    ----------
    velocity, velocity_error : ndarray of float64, shape (pixels,)
        And its standard error [unit of the series per year], from the scatter around the model
        as if dates were independent (Fattahi and Amelung, JGR Solid Earth 120, 2015, equation 10,
        with as many unknowns as the model has). What is correlated in time makes it larger.
    constant : ndarray of float64, shape (pixels,)
        At the first date [unit of the series].
    dem_error : ndarray of float64, shape (pixels,)
        Height to be added to the elevation model [m]; 0 where it was not asked for.
    scatter : ndarray of float64, shape (pixels,)
        Standard deviation around the model [unit of the series].
    """

    velocity: NDArray[np.float64]
    velocity_error: NDArray[np.float64]
    constant: NDArray[np.float64]
    dem_error: NDArray[np.float64]
    scatter: NDArray[np.float64]


def invert(
    network: Network,
    phases: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
    *,
    norm: Norm = "l2",
    constraint: float = CONSTRAINT,
) -> Inversion:
    """Solve for the phase of every date.

    Parameters
    ----------
    network : Network
        Dates and pairs.
    phases : ndarray of float, shape (pairs, pixels)
        Unwrapped, later minus earlier date [rad]; NaN where unknown.
    weights : ndarray of float, shape (pairs, pixels), or None
        Inverse variances [1/rad2]; None: all one.
    norm : {'l2', 'l1'}
        Least squares, or least absolute residuals: single wrong cycles do not spread.
    constraint : float
        Weight of the motion model that ties disconnected subsets, above 0.

    Returns
    -------
    Inversion
        Of all pixels.

    Raises
    ------
    RequestError
        Arrays that do not fit the network, or a constraint of 0.
    """
    if phases.shape[0] != len(network.pairs) or phases.ndim != 2:
        raise RequestError("phases", f"{len(network.pairs)} rows of pixels", phases.shape)
    if not constraint > 0.0:
        raise RequestError("constraint", "above 0", constraint)
    if weights is None:
        weights = np.ones((len(phases), 1), np.float32)
    elif weights.shape != phases.shape:
        raise RequestError("weights", f"of the shape of phases, {phases.shape}", weights.shape)
    first, start = _envelope(network)
    found = np.empty((network.times.size, phases.shape[1]))
    residuals = np.empty(phases.shape, np.float32)
    connected = np.empty(phases.shape[1], np.bool_)
    solve_pixels(
        network.pairs,
        _model(network),
        first,
        start,
        np.ascontiguousarray(phases, np.float32),
        np.ascontiguousarray(weights, np.float32),
        constraint**2,
        _L1_ROUNDS if norm == "l1" else 0,
        _L1_FLOOR,
        found,
        residuals,
        connected,
    )
    return Inversion(
        phases=found,
        residuals=residuals,
        temporal_coherence=temporal_coherence(residuals),
        connected=connected,
    )


def _model(network: Network) -> NDArray[np.float64]:
    """Terms of the motion model at each date: constant, time and baseline, scaled to 1."""
    baselines = network.baselines / max(float(np.abs(network.baselines).max()), 1.0)
    return np.stack(
        [np.ones(network.times.size), network.times / network.times[-1], baselines], axis=-1
    )


def _envelope(network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the normal matrix that are not always 0, row by row up to the diagonal.

    Unknowns are the dates but for the first one, then the model's three terms, whose rows are
    full. A row reaches back to the earliest date that its own date has a pair with.
    """
    dates = network.times.size
    first = np.concatenate([np.arange(dates - 1), np.zeros(3, np.int64)])
    for earlier, later in network.pairs:
        if earlier > 0:
            first[later - 1] = min(first[later - 1], earlier - 1)
    lengths = np.arange(dates + 2) - first + 1
    return first, np.cumsum(lengths) - lengths - first


def temporal_coherence(residuals: NDArray[np.floating]) -> NDArray[np.float64]:
    """Agreement of the pairs with the dates, shape (pixels,); NaN where there is no pair."""
    known = np.isfinite(residuals)
    angles = np.where(known, residuals, 0.0)
    real = np.cos(angles).sum(axis=0, where=known, dtype=np.float64)
    imaginary = np.sin(angles).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        agreement: NDArray[np.float64] = np.hypot(real, imaginary) / known.sum(axis=0)
    return agreement


def wrong_loops(network: Network, phases: NDArray[np.floating]) -> NDArray[np.int64]:
    """Count the triplets whose closure holds whole cycles.

    Parameters
    ----------
    network : Network
        Dates and pairs.
    phases : ndarray of float, shape (pairs, pixels)
        Unwrapped [rad]; NaN where unknown.

    Returns
    -------
    ndarray of int64, shape (pixels,)
        Triplets of known pairs that do not close within half a cycle.
    """
    count = np.zeros(phases.shape[1], np.int64)
    for first, second, whole in network.triplets:
        closure = phases[first] + phases[second] - phases[whole]
        count += np.isfinite(closure) & (np.abs(closure) > 0.5 * _CYCLE)
    return count


def correct_cycles(
    network: Network, phases: NDArray[np.floating], weights: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Take out whole cycles that contradict the rest of the network.

    The residuals of the solution in the L1 norm stand where the wrong pairs are (Yunjun et al.,
    Computers and Geosciences 133, 2019, use the closures of triplets for the same end).

    Parameters
    ----------
    network : Network
        Dates and pairs.
    phases : ndarray of float, shape (pairs, pixels)
        Unwrapped [rad]; NaN where unknown.
    weights : ndarray of float, shape (pairs, pixels), or None
        Inverse variances [1/rad2].

    Returns
    -------
    corrected : ndarray of float64, shape (pairs, pixels)
        Phases without those cycles [rad]; pixels whose loops would not close better are as they
        were.
    cycles : ndarray of int64, shape (pairs, pixels)
        What was taken out.
    """
    before = wrong_loops(network, phases)
    cycles = np.zeros(phases.shape, np.int64)
    wrong = np.flatnonzero(before)
    if wrong.size:
        own = None if weights is None else weights[:, wrong]
        residuals = invert(network, phases[:, wrong], own, norm="l1").residuals
        turns = np.rint(np.nan_to_num(residuals, nan=0.0) / _CYCLE).astype(np.int64)
        after = wrong_loops(network, phases[:, wrong] - _CYCLE * turns)
        turns[:, after >= before[wrong]] = 0
        cycles[:, wrong] = turns
    return phases - _CYCLE * cycles, cycles


def fit_motion(
    network: Network,
    series: NDArray[np.floating],
    *,
    sensitivity: NDArray[np.floating] | None = None,
) -> Motion:
    """Fit a constant velocity, and an error of the elevation, to the series of each pixel.

    Parameters
    ----------
    network : Network
        Its times.
    series : ndarray of float, shape (dates, pixels)
        Displacement [m] or phase [rad]; NaN pixels stay NaN.
    sensitivity : ndarray of float, shape (dates,) or (dates, pixels), or None
        What a metre of height adds to the series, for displacements towards the satellite
        ``baseline / (slant range * sin(incidence))``; None: elevation is taken as right. Of shape
        (dates,) the fit is much faster: baselines alone give metres to be multiplied by each
        pixel's own ``slant range * sin(incidence)``.

    Returns
    -------
    Motion
        Ordinary least squares per pixel.

    Raises
    ------
    RequestError
        Too few dates for the unknowns and their errors.
    """
    dates, count = series.shape
    terms: list[NDArray[np.floating]] = [np.ones((dates, 1)), network.times[:, None]]
    if sensitivity is not None:
        terms.append(sensitivity.reshape(dates, -1))
    if dates <= len(terms):
        raise RequestError("dates", f"more than {len(terms)} for a velocity and its error", dates)
    # one design for all pixels unless the sensitivity has a pixel's own
    columns = max(term.shape[1] for term in terms)
    design = np.stack([np.broadcast_to(term, (dates, columns)) for term in terms], axis=-1)
    inverse = np.linalg.inv(np.einsum("kpi,kpj->pij", design, design))
    if columns == 1:
        solution = inverse[0] @ design[:, 0].T @ series
        residuals = series - design[:, 0] @ solution
    else:
        solution = np.einsum("pij,kpj,kp->ip", inverse, design, series, optimize=True)
        residuals = series - np.einsum("kpi,ip->kp", design, solution)
    variance = np.einsum("kp,kp->p", residuals, residuals) / (dates - len(terms))
    return Motion(
        velocity=solution[1],
        velocity_error=np.sqrt(variance * inverse[:, 1, 1]),
        constant=solution[0],
        dem_error=solution[2] if sensitivity is not None else np.zeros(count),
        scatter=np.sqrt(variance),
    )
