"""Phase unwrapping of one tile as a minimum cost flow.

Costantini (IEEE TGRS 36, 1998): the cycles to be added to the wrapped gradients are a flow
between the residues. What a cycle costs comes from how probable it is, as Carballo and Fieguth
(IEEE TGRS 38, 2000) proposed: the gradient is taken for normal around its local mean, with the
variance that coherence and looks give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kernels.errors import ProcessingError
from kernels.insar.unwrap_numba import integrate

_CYCLE = 2.0 * math.pi
_REACH = 3.0
"""Standard deviation of the window that the local mean gradient is taken over [pixels]."""
_UNIFORM = math.pi**2 / 3.0
"""Variance of a phase that is pure noise [rad2]."""
_MODEL = 0.01
"""Variance of what is not noise but relief of the phase between pixels [rad2]."""
_SCALE = 10.0
"""Of the costs, which the solver takes as integers."""
_DEAREST = 20_000
_CAPACITY = 8
"""Cycles on one edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Values between neighbours along the rows, or down the columns, of a tile.

    Attributes
    ----------
    gradient : ndarray of float32
        Wrapped difference of phase [rad].
    slope : ndarray of float32
        Mean gradient around [rad].
    variance : ndarray of float32
        Of the gradient [rad2].
    known : ndarray of bool
        Whether both pixels are valid.
    """

    gradient: NDArray[np.float32]
    slope: NDArray[np.float32]
    variance: NDArray[np.float32]
    known: NDArray[np.bool_]


class Flow(NamedTuple):
    """What the solver found of a tile.

    Attributes
    ----------
    cycles : ndarray of int32, shape (rows, columns)
        To be added to the phase; they are relative within regions of connected valid pixels
        alone. 0 where not valid.
    along : ndarray of float32, shape (rows, columns - 1)
        How far the unwrapped step from a pixel to the next one of its row is from the mean
        gradient around [rad]; infinite where one of both pixels is not valid.
    down : ndarray of float32, shape (rows - 1, columns)
        The same of steps down the columns.
    """

    cycles: NDArray[np.int32]
    along: NDArray[np.float32]
    down: NDArray[np.float32]


def phase_variance(coherence: NDArray[np.float32], looks: float) -> NDArray[np.float32]:
    """Variance of a multilooked phase.

    Parameters
    ----------
    coherence : ndarray of float32, shape (...)
        0 to 1.
    looks : float
        Effective number of independent looks.

    Returns
    -------
    ndarray of float32, shape (...)
        Cramer-Rao bound (Rodriguez and Martin 1992), at most that of pure noise [rad2].
    """
    square = np.square(np.clip(coherence, 1e-3, 1.0))
    variance: NDArray[np.float32] = np.minimum((1.0 - square) / (2.0 * looks * square), _UNIFORM)
    return variance


def unwrap_tile(
    phase: NDArray[np.float32], variance: NDArray[np.float32], valid: NDArray[np.bool_]
) -> Flow:
    """Unwrap a phase.

    Parameters
    ----------
    phase : ndarray of float32, shape (rows, columns)
        Wrapped [rad]; any value where not valid.
    variance : ndarray of float32, shape (rows, columns)
        Of the phase [rad2].
    valid : ndarray of bool, shape (rows, columns)
        Pixels that count; paths through others cost nothing.

    Returns
    -------
    Flow
        Cycles, and how well the steps fit in with those around.

    Raises
    ------
    ProcessingError
        The tile has less than two rows or columns, or the solver found no flow.
    """
    if min(phase.shape) < 2:
        raise ProcessingError("phase unwrapping needs two rows and two columns at least")
    wrapped = np.where(valid, phase, np.float32(0.0))
    steps = np.diff(wrapped, axis=1), np.diff(wrapped, axis=0)
    along, down = (
        _edges(step, variance, valid, axis) for step, axis in zip(steps, (1, 0), strict=True)
    )
    flows = _solve(along, down)
    jumps, misfits = [], []
    for flow, edges, step in zip(flows, (along, down), steps, strict=True):
        jumps.append(flow + np.rint((edges.gradient - step) / _CYCLE).astype(np.int32))
        step_from_slope = edges.gradient + np.float32(_CYCLE) * flow - edges.slope
        misfits.append(np.where(edges.known, np.abs(step_from_slope), np.float32(np.inf)))
    cycles = np.zeros(phase.shape, np.int32)
    integrate(valid, jumps[0], jumps[1], cycles)
    return Flow(cycles, misfits[0], misfits[1])


def _edges(
    step: NDArray[np.float32],
    variance: NDArray[np.float32],
    valid: NDArray[np.bool_],
    axis: int,
) -> Edges:
    """Gather what is known of the differences along an axis."""
    after, before = ((slice(None),) * axis + (part,) for part in (slice(1, None), slice(None, -1)))
    gradient = _wrap(step)
    both = variance[after] + variance[before] + np.float32(_MODEL)
    known = valid[after] & valid[before]
    weight = np.where(known, 1.0 / both, np.float32(0.0))
    slope = np.arctan2(
        gaussian_filter(np.sin(gradient) * weight, _REACH),
        gaussian_filter(np.cos(gradient) * weight, _REACH),
    )
    return Edges(gradient=gradient, slope=slope, variance=both, known=known)


def _wrap(phase: NDArray[np.float32]) -> NDArray[np.float32]:
    wrapped: NDArray[np.float32] = phase - np.float32(_CYCLE) * np.rint(phase / _CYCLE)
    return wrapped


def _costs(edges: Edges) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Price one cycle more, and one cycle less, on every known edge."""
    deviation = _wrap(edges.gradient - edges.slope)[edges.known]
    variance = edges.variance[edges.known]
    more, less = (
        (_CYCLE**2 + sign * 2.0 * _CYCLE * deviation) / (2.0 * variance) for sign in (1.0, -1.0)
    )
    return _whole(more), _whole(less)


def _whole(cost: NDArray[np.float32]) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.clip(np.rint(_SCALE * cost), 1, _DEAREST).astype(np.int64)
    return whole


def _solve(along: Edges, down: Edges) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Find the cycles of every edge.

    A node is a loop of four pixels; the outside is one node, and so are loops that meet at an
    edge that is not known, because flow between them costs nothing.
    """
    # heavy, and of use here alone
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow  # noqa: PLC0415

    rows, columns = down.gradient.shape[0], along.gradient.shape[1]
    loops = np.full((rows + 2, columns + 2), rows * columns, np.int32)
    loops[1:-1, 1:-1] = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    # one cycle more on an edge takes one from the loop on one side, adds one on the other
    sides = (
        (loops[:-1, 1:-1], loops[1:, 1:-1]),
        (loops[1:-1, 1:], loops[1:-1, :-1]),
    )
    count, node = _merge(rows * columns + 1, sides, (along.known, down.known))
    flow = SimpleMinCostFlow()
    arcs = []
    for (giving, taking), edges in zip(sides, (along, down), strict=True):
        tails, heads = node[giving[edges.known]], node[taking[edges.known]]
        more, less = _costs(edges)
        capacity = np.full(tails.size, _CAPACITY, np.int64)
        arcs.append(
            (
                flow.add_arcs_with_capacity_and_unit_cost(tails, heads, capacity, more),
                flow.add_arcs_with_capacity_and_unit_cost(heads, tails, capacity, less),
            )
        )
    residues = np.rint(
        (along.gradient[:-1] + down.gradient[:, 1:] - along.gradient[1:] - down.gradient[:, :-1])
        / _CYCLE
    )
    supplies = np.bincount(node, np.append(residues.ravel(), -residues.sum()), minlength=count)
    flow.set_nodes_supplies(np.arange(count, dtype=np.int32), supplies.astype(np.int64))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise ProcessingError(f"phase unwrapping found no flow: {status.name}")
    found = []
    for (more_arcs, less_arcs), edges in zip(arcs, (along, down), strict=True):
        cycles = np.zeros(edges.known.shape, np.int32)
        cycles[edges.known] = flow.flows(more_arcs) - flow.flows(less_arcs)
        found.append(cycles)
    return found[0], found[1]


def _merge(
    count: int,
    sides: tuple[tuple[NDArray[np.int32], NDArray[np.int32]], ...],
    known: tuple[NDArray[np.bool_], ...],
) -> tuple[int, NDArray[np.int32]]:
    """Give loops that meet at unknown edges one number."""
    one, other = (
        np.concatenate([pair[k][~mask] for pair, mask in zip(sides, known, strict=True)])
        for k in (0, 1)
    )
    links = coo_array((np.ones(one.size, np.bool_), (one, other)), shape=(count, count))
    nodes, node = connected_components(links, directed=False)
    return int(nodes), node.astype(np.int32)
