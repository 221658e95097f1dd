"""Interpolation kernels for images of known bandwidth."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.model import SPEED_OF_LIGHT, SlcProduct

STEPS = 4096
"""Fractions of a pixel in a weight table: a phase error below 1e-4 rad."""

TAPS = (8, 12)

_HAMMING = 0.75
"""Of the spectrum's weighting in Sentinel-1 products, in both directions."""
_DOPPLER_MARGIN = 1.05
_FLOOR = 1e-3
"""Share of the power that is taken to lie anywhere, in the band or not: flanks of a real spectrum,
Doppler errors, steep relief. It also makes the weights reproduce whole pixels exactly."""


class Bands(NamedTuple):
    """Processed bandwidths as shares of the sampling rates, in azimuth after deramping."""

    azimuth: float
    range: float

    @classmethod
    def of(cls, image: SlcProduct) -> Bands:
        """Read the bands of an image, the azimuth band with a margin for the Doppler centroid."""
        grid = image.grid
        azimuth = image.azimuth_bandwidth * grid.line_interval * _DOPPLER_MARGIN
        across = image.range_bandwidth * 2.0 * grid.slant_range_spacing / SPEED_OF_LIGHT
        return cls(azimuth=min(azimuth, 1.0), range=min(across, 1.0))


WIDEST = Bands(azimuth=0.71, range=0.88)
"""That Sentinel-1 has in IW: the kernels for it serve every narrower band nearly as well."""


@lru_cache(maxsize=32)
def band_weights(taps: int, band: float) -> NDArray[np.float32]:
    """Tabulate the interpolation weights of least mean square error for a band.

    A stationary signal of covariance r(x) is estimated at a fraction of a pixel from its
    neighbours by the weights that solve ``R w = r`` (Wiener; Papoulis, "Probability, Random
    Variables and Stochastic Processes", section 13-1). The power spectrum is that of focused
    noise, the square of the annotated Hamming weighting, over a floor.

    Parameters
    ----------
    taps : int
        8 or 12.
    band : float
        Share of the sampling rate that the signal fills, around zero [1].

    Returns
    -------
    ndarray of float32, shape (STEPS + 1, taps)
        Row f holds the weights of the taps at -taps/2 + 1 ... taps/2 for a position f / STEPS
        after tap 0. Do not write into it.

    Raises
    ------
    RequestError
        Another number of taps.
    ValueError
        A band that is not between 0 and 1.
    """
    if taps not in TAPS:
        raise RequestError("kernel", "8 or 12", taps)
    if not 0.0 < band <= 1.0:
        raise ValueError(f"band must be above 0 and at most 1, got {band}")
    places = np.arange(taps) - (taps // 2 - 1)
    fractions = np.arange(STEPS + 1) / STEPS
    covariance = _covariance(np.subtract.outer(places, places), band)
    wanted = _covariance(np.subtract.outer(places, fractions), band)
    weights = np.linalg.solve(covariance, wanted).T
    return np.ascontiguousarray(weights, np.float32)


def _covariance(lags: NDArray[np.floating], band: float) -> NDArray[np.float64]:
    """Covariance at lags [pixels]: the transform of the weighted band and of the floor."""
    # (h + (1 - h) cos(2 pi f / band))^2 = sum of amplitude * cos(2 pi order f / band)
    side = 1.0 - _HAMMING
    amplitudes = (_HAMMING**2 + 0.5 * side**2, 2.0 * _HAMMING * side, 0.5 * side**2)
    x = band * lags
    value = amplitudes[0] * np.sinc(x)
    for order, amplitude in enumerate(amplitudes[1:], start=1):
        value = value + 0.5 * amplitude * (np.sinc(x - order) + np.sinc(x + order))
    covariance: NDArray[np.float64] = value / amplitudes[0] + _FLOOR * np.sinc(lags)
    return covariance
