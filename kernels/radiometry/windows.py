"""Valid pixels, and their means over windows.

A pixel is a measurement where it is positive and finite; 0, NaN, negative and infinite pixels
are no data. Windows are cut at the edges of the arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.radiometry import multitemporal_numba as compiled


def is_valid(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which pixels are measurements: positive and finite."""
    with np.errstate(invalid="ignore"):
        valid: NDArray[np.bool_] = (image > 0.0) & (image < np.inf)
    return valid


def window_means(
    image: NDArray[np.float32], *, window: int, core: Band | None = None
) -> NDArray[np.float32]:
    """Average the valid pixels of the window around each pixel.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Intensities.
    window : int
        Rows and columns of the window, odd.
    core : Band or None
        Rows wanted; None: all.

    Returns
    -------
    ndarray of float32, shape (core rows, columns)
        0 where a window holds no valid pixel.
    """
    core = core or Band(0, image.shape[0])
    means = np.empty((core.rows, image.shape[1]), np.float32)
    compiled.window_means(image, core.first, window // 2, means)
    return means
