"""Tiles that a scene is unwrapped in, and the cycles between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from kernels.insar.unwrap_regions import Regions

OVERLAP = 64
"""Rows and columns that neighbouring tiles share."""


class Tile(NamedTuple):
    """Rows and columns of a tile, and the part of them that it fills of the scene."""

    rows: slice
    columns: slice
    own_rows: slice
    own_columns: slice


class Solved(NamedTuple):
    """Cycles of a tile, which are relative within each of its regions alone."""

    cycles: NDArray[np.int32]
    regions: Regions


def cut_tiles(shape: tuple[int, ...], pixels: float) -> Iterator[Tile]:
    """Cut a scene into tiles that overlap.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the scene.
    pixels : float
        Of a tile at most, as far as the overlap allows.

    Yields
    ------
    Tile
        What they fill covers the scene once.
    """
    rows, columns = shape
    side = max(int(math.sqrt(pixels)), 4 * OVERLAP)
    if rows * columns <= pixels:
        side = max(rows, columns)
    for (own_rows, whole_rows), (own_columns, whole_columns) in product(
        _pieces(rows, side), _pieces(columns, side)
    ):
        yield Tile(whole_rows, whole_columns, own_rows, own_columns)


def _pieces(size: int, side: int) -> list[tuple[slice, slice]]:
    """Parts of an axis: what each one fills, and what it is made from."""
    count = 1 if size <= side else math.ceil((size - OVERLAP) / (side - OVERLAP))
    edges = [round(k * size / count) for k in range(count + 1)]
    half = OVERLAP // 2
    return [
        (slice(first, stop), slice(max(first - half, 0), min(stop + half, size)))
        for first, stop in pairwise(edges)
    ]


def join_tiles(
    shape: tuple[int, ...], tiles: tuple[Tile, ...], solved: list[Solved]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Put tiles together.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the scene.
    tiles : tuple of Tile
        That cover it.
    solved : list of Solved
        One for each tile.

    Returns
    -------
    cycles : ndarray of int32, shape (rows, columns)
        To be added to the phase; 0 where there is no region.
    components : ndarray of int32, shape (rows, columns)
        Regions that share pixels which hold both together have one number, from 1; the cycles
        between them are what most of these pixels say. 0 where there is no region.
    """
    if len(tiles) == 1:
        cycles, (numbers, _) = solved[0]
        return np.where(numbers > 0, cycles, 0), numbers
    counts = [int(regions.numbers.max(initial=0)) + 1 for _, regions in solved]
    firsts = np.cumsum([0, *counts])
    links = [
        link
        for one, other in _neighbours(tiles)
        for link in _votes(tiles, solved, (one, other), firsts)
    ]
    offsets, groups = _agree(int(firsts[-1]), links)
    cycles, components = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for tile, (own, (numbers, _)), first in zip(tiles, solved, firsts[:-1], strict=True):
        inside = _within(tile, tile.own_rows, tile.own_columns)
        known = numbers[inside] > 0
        node = numbers[inside] + first
        part = tile.own_rows, tile.own_columns
        cycles[part] = np.where(known, own[inside] + offsets[node], 0)
        components[part] = np.where(known, groups[node] + 1, 0)
    return cycles, components


def _within(tile: Tile, rows: slice, columns: slice) -> tuple[slice, slice]:
    """Rows and columns of the scene as those of a tile."""
    return (
        slice(rows.start - tile.rows.start, rows.stop - tile.rows.start),
        slice(columns.start - tile.columns.start, columns.stop - tile.columns.start),
    )


def _neighbours(tiles: tuple[Tile, ...]) -> Iterator[tuple[int, int]]:
    for one in range(len(tiles)):
        for other in range(one + 1, len(tiles)):
            if all(
                max(a.start, b.start) < min(a.stop, b.stop)
                for a, b in zip(tiles[one][:2], tiles[other][:2], strict=True)
            ):
                yield one, other


def _votes(
    tiles: tuple[Tile, ...],
    solved: list[Solved],
    pair: tuple[int, int],
    firsts: NDArray[np.int64],
) -> Iterator[tuple[int, int, int, int]]:
    """Regions of two tiles that share pixels: numbers, cycles between them, pixels that agree."""
    a, b = (tiles[k] for k in pair)
    rows = slice(max(a.rows.start, b.rows.start), min(a.rows.stop, b.rows.stop))
    columns = slice(max(a.columns.start, b.columns.start), min(a.columns.stop, b.columns.stop))
    cycles, numbers, held = [], [], []
    for k in pair:
        part = _within(tiles[k], rows, columns)
        cycles.append(solved[k].cycles[part])
        numbers.append(solved[k].regions.numbers[part] + firsts[k])
        held.append(solved[k].regions.held[part])
    # what only lies beside a region may lie beside another one in the other tile
    shared = held[0] & held[1]
    rows_of = np.stack(
        [numbers[0][shared], numbers[1][shared], cycles[0][shared] - cycles[1][shared]], axis=-1
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
