"""What in a series follows the height of the ground: the stratified part of the troposphere.

Stratified delay grows about linearly with height (Doin et al., J. Applied Geophysics 69, 2009).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 20
_FLOOR = 1e-4
"""Residuals [m] below which the L1 norm is rounded."""


def height_slopes(
    heights: NDArray[np.float64], series: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fit a straight line of height to each date, by least absolute residuals.

    Motion of a minor part of the cells does not tilt the line; motion that follows the height
    everywhere, as on a volcano, cannot be told from it.

    Parameters
    ----------
    heights : ndarray of float64, shape (pixels,)
        [m].
    series : ndarray of float, shape (dates, pixels)
        Displacement [m]; finite.

    Returns
    -------
    ndarray of float64, shape (dates,)
        Displacement per metre of height; 0 where the heights are all the same.
    """
    middle = float(np.median(heights))
    spread = float(np.std(heights))
    if spread < 1.0:
        return np.zeros(len(series))
    x = (heights - middle) / spread
    slopes, offsets = np.zeros(len(series)), np.zeros(len(series))
    weights = np.ones(series.shape)
    for _ in range(_ROUNDS):
        total = weights.sum(axis=1)
        sums_x, sums_xx = weights @ x, weights @ np.square(x)
        sums_y, sums_xy = (weights * series).sum(axis=1), (weights * series) @ x
        determinant = np.maximum(total * sums_xx - np.square(sums_x), 1e-30)
        slopes = (total * sums_xy - sums_x * sums_y) / determinant
        offsets = (sums_y - slopes * sums_x) / total
        off = np.abs(series - offsets[:, None] - slopes[:, None] * x)
        weights = 1.0 / np.maximum(off, _FLOOR)
    return np.asarray(slopes / spread)
