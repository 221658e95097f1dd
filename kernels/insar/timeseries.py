"""From the unwrapped phases of a network of pairs to the phase of every date.

Increments between dates are solved by weighted least squares, or in the L1 norm, pixel by pixel
(Berardino et al., IEEE TGRS 40, 2002). Where pairs leave the dates in disconnected subsets, a
motion model with a small weight ties them together (NSBAS: Lopez-Quiroz et al., J. Applied
Geophysics 69, 2009; Doin et al., ESA Fringe 2011).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError

Norm = Literal["l2", "l1"]

CONSTRAINT = 1e-3
"""Weight of the motion model against a pair of weight one: it decides only what no pair says."""

_CHUNK_BYTES = 64e6
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
        found = [
            (number[a, b], number[b, c], number[a, c])
            for a, b, c in combinations(range(self.times.size), 3)
            if (a, b) in number and (b, c) in number and (a, c) in number
        ]
        return np.array(found, np.int64).reshape(-1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """Phase of every date.

    Attributes
    ----------
    phases : ndarray of float64, shape (dates, pixels)
        Relative to the first date [rad]; NaN where a pixel has no pair at all.
    residuals : ndarray of float64, shape (pairs, pixels)
        Observed minus modelled [rad]; NaN where a pair does not know a pixel.
    temporal_coherence : ndarray of float64, shape (pixels,)
        0 to 1 (Pepe and Lanari, IEEE TGRS 44, 2006); NaN where there is no pair.
    """

    phases: NDArray[np.float64]
    residuals: NDArray[np.float64]
    temporal_coherence: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Model of a series: constant velocity, constant, and error of the elevation.

    Attributes
    ----------
    velocity, velocity_error : ndarray of float64, shape (pixels,)
        And its standard error, from the scatter around the model [unit of the series per year].
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
    dates, count = network.times.size, phases.shape[1]
    found = np.full((dates, count), np.nan)
    residuals = np.full(phases.shape, np.nan)
    for part in _chunks(count, dates + 3):
        known = np.isfinite(phases[:, part])
        observed = np.where(known, phases[:, part], 0.0)
        weight = known.astype(np.float64)
        if weights is not None:
            weight *= np.where(known, weights[:, part], 0.0)
        solution = _solve(network, observed, weight, constraint)
        for _ in range(_L1_ROUNDS if norm == "l1" else 0):
            off = np.abs(observed - network.design @ solution)
            solution = _solve(network, observed, weight / np.maximum(off, _L1_FLOOR), constraint)
        there = known.any(axis=0)
        found[0, part] = np.where(there, 0.0, np.nan)
        found[1:, part] = np.where(there, np.cumsum(solution, axis=0), np.nan)
        residuals[:, part] = np.where(known, observed - network.design @ solution, np.nan)
    return Inversion(
        phases=found, residuals=residuals, temporal_coherence=temporal_coherence(residuals)
    )


def _chunks(count: int, unknowns: int) -> Iterator[slice]:
    """Parts of the pixels whose normal matrices fit a budget."""
    size = max(int(_CHUNK_BYTES / (8.0 * unknowns**2)), 1)
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def _solve(
    network: Network,
    observed: NDArray[np.float64],
    weights: NDArray[np.float64],
    constraint: float,
) -> NDArray[np.float64]:
    """Increments of each pixel by weighted least squares with the motion model."""
    design, ties = _equations(network)
    unknowns = ties.shape[1]
    squares = np.einsum("mi,mj->mij", design, design).reshape(len(design), -1)
    # relative to the pixel's own weights, so that the constraint means the same everywhere
    scale = np.maximum(weights.max(axis=0), 1e-12)
    normal = ((weights / scale).T @ squares).reshape(-1, unknowns, unknowns)
    normal += constraint**2 * (ties.T @ ties)
    right = (weights / scale * observed).T @ design
    solution: NDArray[np.float64] = np.linalg.solve(normal, right[..., None])[..., 0]
    return solution[:, : network.times.size - 1].T


def _equations(network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows of pairs and rows of the motion model; unknowns are increments and the model's own.

    The model of date k is ``constant + velocity * time + height * baseline``; its three unknowns
    are scaled to the size of increments, and held by a yet smaller weight where nothing tells
    them.
    """
    dates = network.times.size
    design = np.zeros((len(network.pairs), dates + 2))
    design[:, : dates - 1] = network.design
    ties = np.zeros((dates + 3, dates + 2))
    ties[:dates, : dates - 1] = np.tri(dates, dates - 1, -1)
    ties[:dates, dates - 1] = -1.0
    ties[:dates, dates] = -network.times / network.times[-1]
    ties[:dates, dates + 1] = -network.baselines / max(float(np.abs(network.baselines).max()), 1.0)
    ties[dates:, dates - 1 :] = 1e-3 * np.eye(3)
    return design, ties


def temporal_coherence(residuals: NDArray[np.floating]) -> NDArray[np.float64]:
    """Agreement of the pairs with the dates, shape (pixels,); NaN where there is no pair."""
    known = np.isfinite(residuals)
    phasors = np.where(known, np.exp(1j * np.where(known, residuals, 0.0)), 0.0)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        agreement: NDArray[np.float64] = np.abs(phasors.sum(axis=0)) / count
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
    residuals = invert(network, phases, weights, norm="l1").residuals
    cycles = np.rint(np.where(np.isfinite(residuals), residuals, 0.0) / _CYCLE).astype(np.int64)
    corrected = phases - _CYCLE * cycles
    better = wrong_loops(network, corrected) < wrong_loops(network, phases)
    cycles[:, ~better] = 0
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
        ``baseline / (slant range * sin(incidence))``; None: elevation is taken as right.

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
    design = np.stack([np.broadcast_to(term, (dates, count)) for term in terms], axis=-1)
    normal = np.einsum("kpi,kpj->pij", design, design)
    inverse = np.linalg.inv(normal)
    solution = np.einsum("pij,kpj,kp->pi", inverse, design, series)
    residuals = series - np.einsum("kpi,pi->kp", design, solution)
    variance = np.square(residuals).sum(axis=0) / (dates - len(terms))
    return Motion(
        velocity=solution[:, 1],
        velocity_error=np.sqrt(variance * inverse[:, 1, 1]),
        constant=solution[:, 0],
        dem_error=solution[:, 2] if sensitivity is not None else np.zeros(count),
        scatter=np.sqrt(variance),
    )
