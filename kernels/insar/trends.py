"""What in a series is linear in place or height: long waves and the stratified part of the air.

Stratified delay grows about linearly with height (Doin et al., J. Applied Geophysics 69, 2009);
what turbulence and orbits leave over a scene is much like a plane.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 20
_FLOOR = 1e-4
"""Residuals [m] below which the L1 norm is rounded."""
_LEVEL = 1e-6
"""Spread of a term, of its largest value, below which it is taken as constant."""


def linear_trends(terms: NDArray[np.float64], series: NDArray[np.floating]) -> NDArray[np.float64]:
    """Fit a constant and multiples of some terms to each date, by least absolute residuals.

    Motion of a minor part of the cells does not tilt the fit; motion that follows a term
    everywhere, as that of a whole volcano follows the height, cannot be told from it.

    Parameters
    ----------
    terms : ndarray of float64, shape (terms, pixels)
        For example heights [m]; finite.
    series : ndarray of float, shape (dates, pixels)
        Displacement [m]; finite.

    Returns
    -------
    ndarray of float64, shape (dates, terms)
        Displacement per unit of each term; 0 of terms that are the same everywhere.
    """
    spread = np.std(terms, axis=1)
    varies = spread > _LEVEL * np.abs(terms).max(axis=1, initial=1.0)
    slopes = np.zeros((len(series), len(terms)))
    if not varies.any():
        return slopes
    scaled = (terms[varies] - np.median(terms[varies], axis=1)[:, None]) / spread[varies, None]
    design = np.vstack([np.ones(terms.shape[1]), scaled])
    for date, values in enumerate(series):
        weights = np.ones(values.size)
        solution = np.zeros(len(design))
        for _ in range(_ROUNDS):
            weighted = design * weights
            solution = np.linalg.lstsq(weighted @ design.T, weighted @ values, rcond=None)[0]
            weights = 1.0 / np.maximum(np.abs(values - solution @ design), _FLOOR)
        slopes[date, varies] = solution[1:] / spread[varies]
    return slopes
