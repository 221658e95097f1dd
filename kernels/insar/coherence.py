"""The bias of estimated coherence.

Touzi, Lopes, Bruniquel and Vachon (IEEE TGRS 37, 1999), equations 8 and 9.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, hyp2f1

from kernels.errors import RequestError

_TRUE = 200
"""True coherences that the mean of the estimate is tabulated for."""
_POINTS = 2000
"""Of the integral over the estimate's density."""


@lru_cache(maxsize=16)
def expected_coherence(looks: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tabulate what is estimated on average where the coherence is known.

    Parameters
    ----------
    looks : float
        Effective number of independent looks, more than 2.

    Returns
    -------
    true, expected : ndarray of float64, shape (n,)
        Both rise; do not write into them.

    Raises
    ------
    RequestError
        Too few looks.
    """
    if not looks > 2.0:
        raise RequestError("looks", "more than 2 for unbiased coherence", looks)
    true = 1.0 - np.geomspace(1.0, 1e-3, _TRUE)
    # points close to 1, where the density of high coherences stands
    estimate = np.sin(0.5 * np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)
    width = 0.5 * np.pi / _POINTS * np.sqrt(1.0 - estimate**2)
    expected = np.empty(_TRUE)
    for k, value in enumerate(true):
        # Euler's transformation keeps the hypergeometric function small
        square = (value * estimate) ** 2
        log_density = (
            np.log(estimate)
            + (looks - 2.0) * np.log1p(-(estimate**2))
            + looks * np.log1p(-(value**2))
            + (1.0 - 2.0 * looks) * np.log1p(-square)
            + np.log(hyp2f1(1.0 - looks, 1.0 - looks, 1.0, square))
        )
        density = np.exp(log_density - log_density.max()) * width
        expected[k] = np.sum(density * estimate) / np.sum(density)
    return np.append(true, 1.0), np.append(expected, 1.0)


def zero_coherence_bias(looks: float) -> float:
    """Return what is estimated on average where there is no coherence at all."""
    return float(0.5 * np.sqrt(np.pi) * np.exp(gammaln(looks) - gammaln(looks + 0.5)))


def unbiased_coherence(estimate: NDArray[np.float32], looks: float) -> NDArray[np.float32]:
    """Take the bias out of estimated coherence.

    Parameters
    ----------
    estimate : ndarray of float32, shape (...)
        0 to 1, or NaN.
    looks : float
        Effective number of independent looks, more than 2.

    Returns
    -------
    ndarray of float32, shape (...)
        The true coherence whose mean estimate is the given one; 0 below the bias of pure noise.

    Raises
    ------
    RequestError
        Too few looks.
    """
    true, expected = expected_coherence(float(looks))
    found: NDArray[np.float32] = np.interp(estimate, expected, true).astype(np.float32)
    return found
