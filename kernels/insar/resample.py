"""Interpolation kernels for band-limited complex images."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError

STEPS = 4096
"""Fractions of a pixel in a weight table: a phase error below 1e-4 rad."""

_BETA = {8: 3.0, 12: 3.5}


@lru_cache(maxsize=8)
def kaiser_sinc(taps: int) -> NDArray[np.float32]:
    """Tabulate a Kaiser-windowed sinc.

    Parameters
    ----------
    taps : int
        8 or 12.

    Returns
    -------
    ndarray of float32, shape (STEPS + 1, taps)
        Row f holds the weights of the taps at -taps/2 + 1 ... taps/2 for a position f / STEPS
        after tap 0; each row adds up to 1. Do not write into it.

    Raises
    ------
    RequestError
        Another number of taps.
    """
    if taps not in _BETA:
        raise RequestError("kernel", "8 or 12", taps)
    fractions = np.arange(STEPS + 1)[:, None] / STEPS
    x = np.arange(taps)[None, :] - (taps // 2 - 1) - fractions
    window = np.i0(_BETA[taps] * np.sqrt(np.maximum(1.0 - (2.0 * x / taps) ** 2, 0.0)))
    weights = np.sinc(x) * window
    table: NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
    return table.astype(np.float32)
