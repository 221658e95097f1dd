"""How much speckle an image has: equivalent number of looks and correlation, from blocks.

The image is cut into blocks of `BLOCK` x `BLOCK` pixels. A block's looks are squared mean over
variance; texture only lowers them. The blocks in the narrowest range of log-looks that holds a
quarter of all are taken for homogeneous.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.radiometry.windows import is_valid

BLOCK = 32
"""Rows and columns of a block."""

LAGS = 3
"""Speckle is taken for independent beyond so many pixels."""

_HOMOGENEOUS = 0.25
_LEAST_BLOCKS = 4
_CORRELATED_BLOCKS = 256
"""Most blocks that the correlation is found of: it is known to 0.003 from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speckle:
    """Speckle of homogeneous ground.

    Attributes
    ----------
    looks : float
        Equivalent number of looks.
    correlation : ndarray of float64, shape (2 * LAGS + 1, 2 * LAGS + 1)
        Of intensities at lags of rows and columns; 1 in the middle.
    blocks : int
        How many blocks it was measured on.
    """

    looks: float
    correlation: NDArray[np.float64]
    blocks: int

    def window_pixels(self, window: int) -> float:
        """Independent pixels in a window: ``var(I) / var(<I>)``; window squared if white."""
        lags = np.arange(-LAGS, LAGS + 1)
        pairs = np.maximum(window - np.abs(lags), 0)
        weights = np.outer(pairs, pairs) / window**4
        return float(1.0 / (weights * self.correlation).sum())


def cut_blocks(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the blocks that are valid everywhere out of some rows of an image.

    Parameters
    ----------
    rows : ndarray of float32, shape (rows, columns)
        Linear intensities; incomplete blocks at the ends are left out.

    Returns
    -------
    ndarray of float32, shape (blocks, BLOCK, BLOCK)
        Positive and finite.
    """
    down, across = rows.shape[0] // BLOCK, rows.shape[1] // BLOCK
    whole = rows[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK)
    blocks = whole.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    return blocks[is_valid(blocks).all(axis=(1, 2))]


def measure_speckle(blocks: Iterable[NDArray[np.float32]]) -> Speckle | None:
    """Measure looks and correlation on the homogeneous ones of many blocks.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (any number, BLOCK, BLOCK)
        From `cut_blocks`.

    Returns
    -------
    Speckle or None
        None where there are fewer than a few blocks, or none that varies.
    """
    whole = _together(blocks)
    looks, chosen = _homogeneous(whole)
    if not chosen.size:
        return None
    some = whole[chosen[:: -(-chosen.size // _CORRELATED_BLOCKS)]]
    contrast = some / some.mean(axis=(1, 2), keepdims=True, dtype=np.float64) - 1.0
    return Speckle(
        looks=float(np.median(looks)),
        correlation=_correlation(contrast.astype(np.float32)),
        blocks=int(chosen.size),
    )


def measure_looks(blocks: Iterable[NDArray[np.float32]]) -> float | None:
    """Measure the looks alone, as `measure_speckle` does."""
    looks, chosen = _homogeneous(_together(blocks))
    return float(np.median(looks)) if chosen.size else None


def _together(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate([np.empty((0, BLOCK, BLOCK), np.float32), *blocks])


def _homogeneous(whole: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find looks and numbers of the homogeneous blocks; none where there are too few in all."""
    mean = whole.mean(axis=(1, 2))
    apart = whole - mean[:, None, None]
    variance = np.einsum("kij,kij->k", apart, apart) / np.float32(BLOCK**2 - 1)
    varies = np.flatnonzero(variance > 1e-10 * mean**2)
    if varies.size < _LEAST_BLOCKS:
        return np.empty(0), np.empty(0, np.int64)
    looks = mean[varies].astype(np.float64) ** 2 / variance[varies]
    chosen = _densest(np.log(looks))
    return looks[chosen], varies[chosen]


def _densest(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the values in the narrowest interval that holds a share of all."""
    order = np.argsort(values)
    size = max(round(_HOMOGENEOUS * values.size), _LEAST_BLOCKS)
    widths = values[order[size - 1 :]] - values[order[: values.size - size + 1]]
    first = int(np.argmin(widths))
    return order[first : first + size]


def _correlation(contrast: NDArray[np.float32]) -> NDArray[np.float64]:
    """Correlation at small lags of blocks whose mean was taken out.

    Taking out the mean of n pixels lowers every covariance by var * T / n, with T the sum of
    all correlations; T is solved for, so that small blocks give unbiased sums.
    """
    size = 2 * LAGS + 1
    covariance = np.empty((size, size))
    for row in range(LAGS + 1):
        for column in range(-LAGS, LAGS + 1):
            one = contrast[:, row:, max(column, 0) : BLOCK + min(column, 0)]
            other = contrast[:, : BLOCK - row, max(-column, 0) : BLOCK - max(column, 0)]
            value = float(np.mean(one * other, dtype=np.float64))
            covariance[LAGS + row, LAGS + column] = value
            covariance[LAGS - row, LAGS - column] = value
    measured = covariance / covariance[LAGS, LAGS]
    pixels = contrast[0].size
    total = measured.sum() / (1.0 + (measured.sum() - measured.size) / pixels)
    unbiased: NDArray[np.float64] = measured * (1.0 - total / pixels) + total / pixels
    return unbiased
