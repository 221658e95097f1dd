"""Phase unwrapping of scenes of any size: which pixels count, tiles, and their common cycles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, minimum_filter, uniform_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from kernels.engine.progress import Progress
from kernels.errors import RequestError, UnwrappingError
from kernels.insar.unwrap_network import phase_variance, unwrap_tile
from kernels.insar.unwrap_numba import grow

Unwrapper = Literal["mcf", "snaphu"]
"""Minimum cost flow (OR-tools, free for any use), or snaphu (free for non-commercial use)."""

UNWRAPPERS: tuple[Unwrapper, ...] = get_args(Unwrapper)

OVERLAP = 64
"""Rows and columns that neighbouring tiles share."""

_WINDOWS = (5, 3)
"""Sides of the windows that coherence is averaged over: noise, and shores, are told apart."""
_FIRM = 1.5
"""Mean coherence over that of pure noise from which pixels hold a region together."""
_HIGHEST_FIRM = 0.6
"""Largest mean coherence that is asked for, however few looks there are."""
_SMALLEST = 100
_BYTES_PER_PIXEL = 450
"""Of a tile while the solver works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrapped:
    """A phase without jumps.

    Attributes
    ----------
    phase : ndarray of float32, shape (rows, columns)
        Wrapped phase plus whole cycles [rad]; NaN where it is not reliable. The median of the
        largest component is within half a cycle of 0.
    components : ndarray of int32, shape (rows, columns)
        Connected regions by size, the largest one is 1; 0 where the phase is not reliable.
        Cycles between regions are unknown.
    """

    phase: NDArray[np.float32]
    components: NDArray[np.int32]


class _Tile(NamedTuple):
    """Rows and columns of a tile, and the part of them that it fills of the scene."""

    rows: slice
    columns: slice
    own_rows: slice
    own_columns: slice


def reliable(
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32],
    *,
    looks: float,
    threshold: float = 0.2,
) -> NDArray[np.bool_]:
    """Tell which pixels carry a phase that can be unwrapped.

    Parameters
    ----------
    phase, coherence : ndarray of float32, shape (rows, columns)
        NaN where there is no data.
    looks : float
        Effective number of looks.
    threshold : float
        Smallest coherence. It is raised to 1.3 times what pure noise shows with so few looks,
        sqrt(pi / (4 looks)) (Touzi et al., IEEE TGRS 37, 1999): three standard deviations of
        that mean.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        Where the mean coherence of 5 x 5 pixels, and that of 3 x 3, reach the threshold.
    """
    known = np.isfinite(phase) & np.isfinite(coherence)
    least = max(threshold, 1.3 * _of_noise(looks))
    chosen = known.copy()
    for window in _WINDOWS:
        chosen &= _reaches(coherence, known, least, window)
    return chosen


def _of_noise(looks: float) -> float:
    """Coherence that pure noise shows on average."""
    return math.sqrt(math.pi / (4.0 * looks))


def _reaches(
    coherence: NDArray[np.float32], known: NDArray[np.bool_], least: float, window: int
) -> NDArray[np.bool_]:
    """Tell where the mean coherence of the known pixels of a window is at least so much."""
    share = uniform_filter(known.astype(np.float32), window)
    mean = uniform_filter(np.where(known, coherence, np.float32(0.0)), window)
    enough: NDArray[np.bool_] = mean >= np.float32(least) * share
    return enough


def unwrap(
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32],
    *,
    looks: float,
    valid: NDArray[np.bool_],
    method: Unwrapper = "mcf",
    memory_mb: int = 1000,
    progress: Progress | None = None,
) -> Unwrapped:
    """Unwrap a phase.

    Parameters
    ----------
    phase : ndarray of float32, shape (rows, columns)
        Wrapped [rad].
    coherence : ndarray of float32, shape (rows, columns)
        0 to 1.
    looks : float
        Effective number of looks.
    valid : ndarray of bool, shape (rows, columns)
        Pixels that count, see `reliable`.
    method : {'mcf', 'snaphu'}
        Which solver; the second one is an extra.
    memory_mb : int
        Budget of the solver [MB]: larger scenes are solved in tiles.
    progress : Progress or None
        Told after each tile.

    Returns
    -------
    Unwrapped
        Congruent with the wrapped phase.

    Raises
    ------
    RequestError
        A method whose package is not installed.
    ProcessingError
        No pixel is valid, or the solver found no solution.
    """
    if not valid.any():
        raise UnwrappingError("phase unwrapping found no reliable pixel: coherence is too low")
    solve = _solver(method, looks)
    progress = progress or Progress()
    tiles = tuple(_tiles(phase.shape, memory_mb * 1e6 / _BYTES_PER_PIXEL))
    solved = []
    for number, tile in enumerate(tiles):
        part = tile.rows, tile.columns
        progress.update(number / len(tiles), "phase unwrapping")
        solved.append(solve(phase[part], coherence[part], valid[part]))
    cycles, components = _join(phase.shape, tiles, solved)
    if method == "mcf":  # snaphu parts regions itself
        components = _parted(components, coherence, looks)
    return _arranged(phase, cycles, components)


def _parted(
    components: NDArray[np.int32], coherence: NDArray[np.float32], looks: float
) -> NDArray[np.int32]:
    """Part regions that hang together by pixels alone whose coherence might be that of noise."""
    valid = components > 0
    firm = valid & _reaches(
        coherence, valid, min(_FIRM * _of_noise(looks), _HIGHEST_FIRM), max(_WINDOWS)
    )
    # passages of less than five pixels hold nothing together
    regions: NDArray[np.int32]
    regions, count = label(minimum_filter(firm, 5), output=np.int32)
    grow(valid, regions)
    # regions without any firm pixel stay what they are
    loose = valid & (regions == 0)
    regions[loose] = components[loose] + count
    return regions


_Solution = tuple[NDArray[np.int32], NDArray[np.int32]]
_Solve = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]], _Solution]


def _solver(method: Unwrapper, looks: float) -> _Solve:
    def flow(
        phase: NDArray[np.float32], coherence: NDArray[np.float32], valid: NDArray[np.bool_]
    ) -> _Solution:
        return unwrap_tile(phase, phase_variance(coherence, looks), valid)

    def snaphu(
        phase: NDArray[np.float32], coherence: NDArray[np.float32], valid: NDArray[np.bool_]
    ) -> _Solution:
        return _snaphu(phase, coherence, valid, looks)

    return {"mcf": flow, "snaphu": snaphu}[method]


def _snaphu(
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32],
    valid: NDArray[np.bool_],
    looks: float,
) -> _Solution:
    try:
        import snaphu  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise RequestError(
            "unwrapping",
            "mcf where the package snaphu is not installed (free for non-commercial use)",
            "snaphu",
        ) from error
    wrapped = np.where(valid, phase, np.float32(0.0))
    found, components = snaphu.unwrap(
        np.exp(1j * wrapped).astype(np.complex64),
        np.where(valid, np.clip(coherence, 0.0, 1.0), 0.0).astype(np.float32),
        nlooks=looks,
        cost="smooth",
        mask=valid,
    )
    components = np.where(valid, components, 0).astype(np.int32)
    cycles = np.where(components > 0, np.rint((found - wrapped) / (2.0 * math.pi)), 0)
    return cycles.astype(np.int32), components


def _tiles(shape: tuple[int, ...], pixels: float) -> Iterator[_Tile]:
    """Cut a scene into tiles of at most so many pixels that overlap by OVERLAP."""
    rows, columns = shape
    side = max(int(math.sqrt(pixels)), 4 * OVERLAP)
    if rows * columns <= pixels:
        side = max(rows, columns)
    for (own_rows, whole_rows), (own_columns, whole_columns) in product(
        _pieces(rows, side), _pieces(columns, side)
    ):
        yield _Tile(whole_rows, whole_columns, own_rows, own_columns)


def _pieces(size: int, side: int) -> list[tuple[slice, slice]]:
    """Parts of an axis: what each one fills, and what it is made from."""
    count = 1 if size <= side else math.ceil((size - OVERLAP) / (side - OVERLAP))
    edges = [round(k * size / count) for k in range(count + 1)]
    half = OVERLAP // 2
    return [
        (slice(first, stop), slice(max(first - half, 0), min(stop + half, size)))
        for first, stop in pairwise(edges)
    ]


def _join(
    shape: tuple[int, ...], tiles: tuple[_Tile, ...], solved: list[_Solution]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Put tiles together; the cycles between them are what most shared pixels say."""
    if len(tiles) == 1:
        return solved[0]
    firsts = np.cumsum([0] + [int(components.max(initial=0)) + 1 for _, components in solved])
    links = [
        link
        for one, other in _neighbours(tiles)
        for link in _votes(tiles, solved, (one, other), firsts)
    ]
    offsets, regions = _agree(int(firsts[-1]), links)
    cycles, joined = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for tile, (own, components), first in zip(tiles, solved, firsts[:-1], strict=True):
        inside = (
            slice(tile.own_rows.start - tile.rows.start, tile.own_rows.stop - tile.rows.start),
            slice(
                tile.own_columns.start - tile.columns.start,
                tile.own_columns.stop - tile.columns.start,
            ),
        )
        numbers = components[inside] + first
        known = components[inside] > 0
        part = tile.own_rows, tile.own_columns
        cycles[part] = np.where(known, own[inside] + offsets[numbers], 0)
        joined[part] = np.where(known, regions[numbers] + 1, 0)
    return cycles, joined


def _neighbours(tiles: tuple[_Tile, ...]) -> Iterator[tuple[int, int]]:
    for one in range(len(tiles)):
        for other in range(one + 1, len(tiles)):
            if all(
                max(a.start, b.start) < min(a.stop, b.stop)
                for a, b in zip(tiles[one][:2], tiles[other][:2], strict=True)
            ):
                yield one, other


def _votes(
    tiles: tuple[_Tile, ...],
    solved: list[_Solution],
    pair: tuple[int, int],
    firsts: NDArray[np.int64],
) -> Iterator[tuple[int, int, int, int]]:
    """Regions of two tiles that share pixels: numbers, cycles between them, pixels that agree."""
    a, b = (tiles[k] for k in pair)
    rows = slice(max(a.rows.start, b.rows.start), min(a.rows.stop, b.rows.stop))
    columns = slice(max(a.columns.start, b.columns.start), min(a.columns.stop, b.columns.stop))
    parts = [
        (
            slice(rows.start - tile.rows.start, rows.stop - tile.rows.start),
            slice(columns.start - tile.columns.start, columns.stop - tile.columns.start),
        )
        for tile in (a, b)
    ]
    cycles, components = zip(
        *(tuple(array[part] for array in solved[k]) for k, part in zip(pair, parts, strict=True)),
        strict=True,
    )
    shared = (components[0] > 0) & (components[1] > 0)
    rows_of = np.stack(
        [
            components[0][shared] + firsts[pair[0]],
            components[1][shared] + firsts[pair[1]],
            cycles[0][shared] - cycles[1][shared],
        ],
        axis=-1,
    )
    found, counts = np.unique(rows_of, axis=0, return_counts=True)
    best: dict[tuple[int, int], tuple[int, int]] = {}
    for (one, other, step), count in zip(found.tolist(), counts.tolist(), strict=True):
        if count > best.get((one, other), (0, 0))[1]:
            best[one, other] = step, count
    for (one, other), (step, count) in best.items():
        yield one, other, step, count


def _agree(
    count: int, links: list[tuple[int, int, int, int]]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Cycles to add to each region, and its connected group, along the best supported links."""
    offsets = np.zeros(count, np.int32)
    if not links:
        return offsets, np.arange(count, dtype=np.int32)
    one, other, step, support = np.array(links).T
    graph = coo_array((-support.astype(np.float64), (one, other)), shape=(count, count)).tocsr()
    tree = minimum_spanning_tree(graph)
    _, groups = connected_components(tree, directed=False)
    steps = {(a, b): s for a, b, s in zip(one.tolist(), other.tolist(), step.tolist(), strict=True)}
    _, first_members = np.unique(groups, return_index=True)
    for start in first_members.tolist():
        order, before = breadth_first_order(tree, start, directed=False)
        for node in order[1:].tolist():
            parent = int(before[node])
            # cycles of one minus cycles of the other, so the other is raised by the step
            change = steps[parent, node] if (parent, node) in steps else -steps[node, parent]
            offsets[node] = offsets[parent] + change
    return offsets, groups.astype(np.int32)


def _arranged(
    phase: NDArray[np.float32], cycles: NDArray[np.int32], components: NDArray[np.int32]
) -> Unwrapped:
    """Order regions by size, leave small ones out, bring the largest one near zero."""
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    kept = order[sizes[order] >= min(_SMALLEST, int(sizes.max()))]
    number = np.zeros(sizes.size, np.int32)
    number[kept] = np.arange(1, kept.size + 1)
    arranged = number[components]
    unwrapped = phase + np.float32(2.0 * math.pi) * cycles.astype(np.float32)
    middle = np.rint(np.median(unwrapped[arranged == 1]) / (2.0 * math.pi))
    unwrapped -= np.float32(2.0 * math.pi * middle)
    unwrapped[arranged == 0] = np.nan
    return Unwrapped(phase=unwrapped, components=arranged)
