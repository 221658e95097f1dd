"""Enhanced spectral diversity: azimuth shift and constants from the overlaps of bursts.

The phase of an overlap's cells is ``lever * shift + c_first - c_second``, wrapped, with lever =
2 pi df line_interval (Prats-Iraola et al., IEEE TGRS 50, 2012; Yague-Martinez et al., IEEE JSTARS
10, 2017). All overlaps are solved jointly by least squares: cells weigh by their coherence, stray
cells and stray overlaps are left out, and the scatter of the overlaps goes into the weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.insar.overlaps import OverlapCells

FEWEST_CELLS = 16
"""Coherent cells that make an overlap worth hearing."""
LARGEST_DEVIATION = 0.003
"""Standard deviation of a shift [lines] from which on orbits know better."""

_ROUNDS = 4
_NORMAL = 1.4826
"""Standard deviation over median deviation, of a normal distribution."""
_STRAY_CELL = 3.0
_STRAY_OVERLAP = 5.0
_LEAST_SCATTER = 0.02
"""Of overlaps among each other [rad]: less is never called stray."""
_BINS = 32
_STEPS = 100
_CLEARLY = 50.0
"""Gain in chi-square that makes another multiple of the ambiguity the better explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What the cells of an overlap say.

    Attributes
    ----------
    first, second : int
        Numbers of the bursts.
    cells : OverlapCells
        Those that count.
    """

    first: int
    second: int
    cells: OverlapCells


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapFit:
    """How one overlap takes part.

    Attributes
    ----------
    used : bool
        Whether it went into the solution.
    shift : float
        What it alone says [lines]; NaN where its phase also holds the difference of two constants
        or there are too few cells.
    deviation : float
        Standard deviation of that [lines], from the scatter of its cells.
    weight : float
        Its share of the information [1].
    """

    used: bool
    shift: float = math.nan
    deviation: float = math.nan
    weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Shift and constants that explain the phases.

    Attributes
    ----------
    shift : float
        To be added to the secondary's lines [lines].
    deviation : float
        Standard deviation [lines]; infinite where nothing tells the shift.
    constants : ndarray of float64, shape (groups,)
        Phases of the groups of bursts [rad]; 0 for the first of each connected set.
    limit : float
        Half an ambiguity [lines]; infinite without overlap.
    ambiguous : bool
        Whether a shift beyond the limit explains the phases better, or the shift is close to it.
    known : bool
        Whether the overlaps agree on a shift, and tell it from the constants; where not, it is 0.
    connected : bool
        Whether overlaps connect all groups, so that their constants can be compared.
    fits : tuple of OverlapFit
        Of the overlaps, in their order.
    """

    shift: float
    deviation: float
    constants: NDArray[np.float64]
    limit: float
    ambiguous: bool
    known: bool
    connected: bool
    fits: tuple[OverlapFit, ...]


@dataclass(slots=True, kw_only=True)
class _Edge:
    """Weighted sums of a usable overlap about a state; weights are 1/rad2."""

    number: int
    cells: OverlapCells
    first: int
    second: int
    kept: bool = True
    weight: float = 0.0
    lever: float = 0.0
    lever_square: float = 0.0
    residual: float = 0.0
    lever_residual: float = 0.0

    @property
    def direct(self) -> bool:
        """Whether no constants come in."""
        return self.first == self.second

    def residuals(self, shift: float, constants: NDArray[np.float64]) -> NDArray[np.float64]:
        expected = self.cells.levers * shift + constants[self.first] - constants[self.second]
        return _wrap(self.cells.phases - expected)

    def update(self, shift: float, constants: NDArray[np.float64]) -> None:
        """Sum up the cells that are not stray."""
        found = self.residuals(shift, constants)
        middle = float(np.angle(np.sum(np.exp(1j * found) / self.cells.variances)))
        about = _wrap(found - middle)
        scaled = np.abs(about) / np.sqrt(self.cells.variances)
        scale = max(_NORMAL * float(np.median(scaled)), 1e-3)
        weights = (scaled <= _STRAY_CELL * scale) / (self.cells.variances * scale**2)
        residuals, levers = about + middle, self.cells.levers
        self.weight, self.residual = float(weights.sum()), float(weights @ residuals)
        self.lever, self.lever_square = float(weights @ levers), float(weights @ levers**2)
        self.lever_residual = float((weights * levers) @ residuals)

    def soften(self, variance: float) -> None:
        """Add a variance [rad2] that all cells have in common."""
        share = 1.0 / (1.0 + variance * self.weight)
        self.weight *= share
        self.residual *= share
        self.lever *= share
        self.lever_square *= share
        self.lever_residual *= share


def solve(
    overlaps: tuple[Overlap, ...], groups: NDArray[np.int64], *, estimate_shift: bool = True
) -> Solution:
    """Find the shift and the constants of groups of bursts that explain the overlaps.

    Parameters
    ----------
    overlaps : tuple of Overlap
        Some may have few cells or none.
    groups : ndarray of int64, shape (bursts,)
        Group, from 0, whose constant each burst has; one group for all: no constants.
    estimate_shift : bool
        Whether the shift is not known to be 0.

    Returns
    -------
    Solution
        All zero where no overlap has enough cells.
    """
    edges = [
        _Edge(
            number=number,
            cells=overlap.cells,
            first=int(groups[overlap.first]),
            second=int(groups[overlap.second]),
        )
        for number, overlap in enumerate(overlaps)
        if overlap.cells.phases.size >= FEWEST_CELLS
    ]
    count = int(groups.max(initial=0)) + 1
    if not edges:
        return Solution(
            shift=0.0,
            deviation=math.inf,
            constants=np.zeros(count),
            limit=math.inf,
            ambiguous=False,
            known=not estimate_shift,
            connected=count == 1,
            fits=tuple(OverlapFit(used=False) for _ in overlaps),
        )
    limit = math.pi / max(abs(float(np.mean(edge.cells.levers))) for edge in edges)
    found = _settle(edges, count, limit, estimate_shift=estimate_shift)
    if estimate_shift and not found.deviation <= LARGEST_DEVIATION:
        found = replace(
            _settle(edges, count, limit, estimate_shift=False),
            deviation=found.deviation,
            ambiguous=found.ambiguous,
            known=False,
        )
    return replace(found, fits=_fits(overlaps, edges, found))


def _settle(edges: list[_Edge], count: int, limit: float, *, estimate_shift: bool) -> Solution:
    """Search the shift coarsely, then solve, leaving out stray overlaps."""
    shift, better_beyond = _search(edges, count, limit) if estimate_shift else (0.0, False)
    constants = _walk(_phasors(edges, np.array([shift])), edges, count)[:, 0]
    deviation = math.inf
    for edge in edges:
        edge.kept = True
    for turn in range(_ROUNDS):
        for edge in edges:
            edge.update(shift, constants)
        if turn > 0:
            _leave_out(edges)
        step, steps, deviation = _least_squares(edges, count, estimate_shift=estimate_shift)
        shift, constants = shift + step, constants + steps
    for edge in edges:
        edge.update(shift, constants)
    return Solution(
        shift=shift,
        deviation=deviation,
        constants=_wrap(constants),
        limit=limit,
        ambiguous=better_beyond or abs(shift) > 0.8 * limit,
        known=True,
        connected=_unknown([edge for edge in edges if edge.kept], count).size == count - 1,
        fits=(),
    )


def _phasors(edges: list[_Edge], shifts: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Sum the cells' phasors with the share of a shift removed, shape (edges, shifts)."""
    found = np.empty((len(edges), shifts.size), np.complex128)
    for row, edge in enumerate(edges):
        levers = edge.cells.levers
        low, high = float(levers.min()), float(levers.max())
        bins = ((levers - low) / max(high - low, 1e-9) * (_BINS - 1) + 0.5).astype(np.int64)
        values = np.exp(1j * edge.cells.phases) / edge.cells.variances
        sums = np.bincount(bins, values.real, _BINS) + 1j * np.bincount(bins, values.imag, _BINS)
        middles = low + np.arange(_BINS) * (high - low) / (_BINS - 1)
        found[row] = sums @ np.exp(-1j * np.outer(middles, shifts))
    return found


def _search(edges: list[_Edge], count: int, limit: float) -> tuple[float, bool]:
    """Find the most likely shift within the limit, and whether one beyond is clearly better."""
    shifts = np.linspace(-3.0 * limit, 3.0 * limit, 6 * _STEPS + 1)
    phasors = _phasors(edges, shifts)
    constants = _walk(phasors, edges, count)
    ends = [[edge.first for edge in edges], [edge.second for edge in edges]]
    agreement = (phasors * np.exp(-1j * (constants[ends[0]] - constants[ends[1]]))).real.sum(axis=0)
    within = np.abs(shifts) <= limit
    best = int(np.argmax(np.where(within, agreement, -np.inf)))
    return float(shifts[best]), bool(2.0 * (agreement.max() - agreement[best]) > _CLEARLY)


def _walk(phasors: NDArray[np.complex128], edges: list[_Edge], count: int) -> NDArray[np.float64]:
    """Sum phases along the strongest tree of overlaps, shape (groups, shifts)."""
    constants = np.zeros((count, phasors.shape[1]))
    sets = list(range(count))
    for row in np.argsort(-np.abs(phasors).max(axis=1), kind="stable"):
        first, second = edges[row].first, edges[row].second
        if sets[first] == sets[second]:
            continue
        gap = np.angle(phasors[row]) - (constants[first] - constants[second])
        joined = sets[first]
        for group in range(count):
            if sets[group] == joined:
                constants[group] += gap
                sets[group] = sets[second]
    for name in set(sets):
        members = [group for group in range(count) if sets[group] == name]
        constants[members] -= constants[members[0]].copy()
    return constants


def _unknown(edges: list[_Edge], count: int) -> NDArray[np.int64]:
    """Find the groups whose constants are unknown: all but the first of each connected set."""
    sets = list(range(count))
    for edge in edges:
        old, new = sets[edge.first], sets[edge.second]
        sets = [new if name == old else name for name in sets]
    return np.array([group for group in range(count) if sets[group] in sets[:group]], np.int64)


def _leave_out(edges: list[_Edge]) -> None:
    """Leave out overlaps that contradict the others, and soften all by their scatter."""
    direct = [edge for edge in edges if edge.direct]
    if not direct:
        return
    means = np.array([edge.residual / edge.weight for edge in direct])
    middle = float(np.median(means))
    scatter = _NORMAL * float(np.median(np.abs(means - middle)))
    expected = float(np.median([1.0 / edge.weight for edge in direct]))
    for edge, mean in zip(direct, means, strict=True):
        edge.kept = bool(abs(mean - middle) <= _STRAY_OVERLAP * max(scatter, _LEAST_SCATTER))
        edge.soften(max(scatter**2 - expected, 0.0))


def _least_squares(
    edges: list[_Edge], count: int, *, estimate_shift: bool
) -> tuple[float, NDArray[np.float64], float]:
    """Step of the shift, steps of the constants, and the shift's standard deviation."""
    kept = [edge for edge in edges if edge.kept]
    unknown = _unknown(kept, count)
    design = np.zeros((len(kept), count))
    for row, edge in enumerate(kept):
        design[row, edge.first] += 1.0
        design[row, edge.second] -= 1.0
    design = design[:, unknown]
    weight = np.array([edge.weight for edge in kept])
    lever = np.array([edge.lever for edge in kept])
    residual = np.array([edge.residual for edge in kept])
    normal = design.T @ (weight[:, None] * design)
    mixed = np.linalg.solve(normal, design.T @ np.stack([lever, residual], axis=1))
    information = sum(edge.lever_square for edge in kept) - float((design.T @ lever) @ mixed[:, 0])
    step, deviation = 0.0, math.inf
    if estimate_shift and information > 0.0:
        right = sum(edge.lever_residual for edge in kept) - float((design.T @ lever) @ mixed[:, 1])
        step, deviation = right / information, 1.0 / math.sqrt(information)
    steps = np.zeros(count)
    steps[unknown] = mixed[:, 1] - step * mixed[:, 0]
    return step, steps, deviation


def _fits(
    overlaps: tuple[Overlap, ...], edges: list[_Edge], found: Solution
) -> tuple[OverlapFit, ...]:
    fits = [OverlapFit(used=False) for _ in overlaps]
    total = sum(edge.lever_square for edge in edges if edge.kept and edge.direct)
    for edge in edges:
        own = edge.lever_square if edge.direct else math.nan
        fits[edge.number] = OverlapFit(
            used=edge.kept,
            shift=found.shift + edge.lever_residual / own,
            deviation=1.0 / math.sqrt(own),
            weight=own / total if edge.direct and edge.kept else 0.0,
        )
    return tuple(fits)


def _wrap(phases: NDArray[np.float64]) -> NDArray[np.float64]:
    wrapped: NDArray[np.float64] = phases - 2.0 * math.pi * np.round(phases / (2.0 * math.pi))
    return wrapped
