"""The cells of a stack that motion is relative to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

SIDE = 5
"""Rows and columns of the area around a reference point."""


class PairReference(NamedTuple):
    """What the phase of each pair is relative to.

    Attributes
    ----------
    phases : ndarray of float64, shape (pairs,)
        Mean over the reference [rad]; NaN where a pair is not known there.
    components : ndarray of int64, shape (pairs,)
        Connected region that holds most of the reference; 0 where none is told.
    """

    phases: NDArray[np.float64]
    components: NDArray[np.int64]


def most_coherent_cell(
    coherence: NDArray[np.float32], known: NDArray[np.integer]
) -> tuple[int, int] | None:
    """Find the middle of the area of SIDE x SIDE cells that is the best reference.

    Parameters
    ----------
    coherence : ndarray of float32, shape (rows, columns)
        Mean of all pairs, 0 where there is none.
    known : ndarray of int, shape (rows, columns)
        How many pairs know a cell.

    Returns
    -------
    tuple of int or None
        Row and column where, of the areas that most pairs know completely, the mean coherence is
        largest; None where no area is known to any pair.
    """
    least = -uniform_filter(-known.astype(np.float64), SIDE, mode="constant")
    least = np.where(least > 0.0, least, 0.0)
    if known.max() == 0:
        return None
    mean = uniform_filter(coherence.astype(np.float64), SIDE, mode="constant")
    best = np.argmax(np.round(least, 6) * 1e3 + mean)
    row, column = np.unravel_index(best, known.shape)
    return int(row), int(column)


def pair_references(
    phases: NDArray[np.floating], components: NDArray[np.integer] | None
) -> PairReference:
    """Average the phase of every pair over the cells of the reference.

    Cells that all pairs know are taken alone where there are any, so that loops of pairs close
    as they did.

    Parameters
    ----------
    phases : ndarray of float, shape (pairs, cells)
        Of the reference's cells [rad]; NaN where unknown.
    components : ndarray of int, shape (pairs, cells), or None
        Their connected regions, None where they are not told.

    Returns
    -------
    PairReference
        Of every pair.
    """
    known = np.isfinite(phases)
    found = np.zeros(len(phases), np.int64)
    if components is not None:
        for number, own in enumerate(components):
            inside = own[known[number] & (own > 0)]
            found[number] = np.bincount(inside).argmax() if inside.size else 0
        known &= (components == found[:, None]) & (found[:, None] > 0)
    everywhere = known[known.any(axis=1)].all(axis=0)
    if everywhere.any():
        known &= everywhere
    count = known.sum(axis=1)
    sums = np.where(known, phases, 0.0).sum(axis=1, dtype=np.float64)
    means = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return PairReference(means, found)
