"""Lee's local statistics filter for one image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.radiometry.windows import is_valid, window_means


def lee_filter(
    image: NDArray[np.float32],
    *,
    window: int,
    looks: NDArray[np.float32] | np.float32,
    core: Band | None = None,
    missing: float = 0.0,
    level: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Filter one image: ``m + k (I - m)`` with ``k = 1 - (1 / L) / (var / m^2)``, at least 0.

    Mean m and variance are those of the valid pixels in the window. Where they vary no more
    than speckle does, the mean stands; edges and targets stay.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Linear intensities; pixels that are not positive and finite are no data.
    window : int
        Rows and columns of the window, odd.
    looks : float32, or ndarray of float32 of shape (core rows, columns)
        Equivalent number of looks L.
    core : Band or None
        Rows wanted; None: all.
    missing : float
        Value where the image is not valid.
    level : ndarray of float32, shape (core rows, columns), or None
        Better estimate of what the mean stands for, in the place of m outside k.

    Returns
    -------
    ndarray of float32, shape (core rows, columns)
        Filtered intensities.

    References
    ----------
    Lee, "Digital image enhancement and noise filtering by use of local statistics", IEEE PAMI 2
    (1980); the weight as in Lopes, Touzi and Nezry, IEEE TGRS 28 (1990), equation 7.
    """
    core = core or Band(0, image.shape[0])
    rows = slice(core.first, core.first + core.rows)
    valid = is_valid(image)
    values = np.where(valid, image, np.float32(0.0))
    mean = window_means(values, window=window, core=core)
    square = window_means(values * values, window=window, core=core)
    variance = np.maximum(square - mean * mean, np.float32(0.0))
    speckle = mean * mean / looks
    weight = np.maximum(variance - speckle, np.float32(0.0))
    weight /= np.maximum(variance, np.finfo(np.float32).tiny)
    level = mean if level is None else level
    filtered = level + weight * (values[rows] - level)
    return np.where(valid[rows], filtered, np.float32(missing)).astype(np.float32)
