"""Doppler centroid of an image from the correlation of neighbouring lines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def line_correlation(pixels: NDArray[np.complex64]) -> NDArray[np.complex128]:
    """Sum the products of each pixel's conjugate with the pixel of the next line.

    S. N. Madsen, "Estimating the Doppler Centroid of SAR Data", IEEE Trans. Aerosp. Electron.
    Syst. 25(2), 134-140, 1989, equation 12.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (lines, samples)
        Lines of one burst; sums of several blocks that share a line add up.

    Returns
    -------
    ndarray of complex128, shape (samples,)
        Correlation at a lag of one line; values that are not finite have no share.
    """
    products = pixels[1:] * pixels[:-1].conj()
    products[~np.isfinite(products)] = 0.0
    found: NDArray[np.complex128] = products.sum(axis=0, dtype=np.complex128)
    return found


def doppler_centroid(correlation: complex, line_interval: float) -> float:
    """Doppler centroid [Hz] of a correlation, within half the line rate; NaN where it is 0."""
    if correlation == 0.0:
        return math.nan
    return float(np.angle(correlation) / (2.0 * math.pi * line_interval))
