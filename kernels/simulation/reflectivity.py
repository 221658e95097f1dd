"""The ground's complex reflectivity: band-limited, random, and defined at every coordinate.

White noise on a lattice of (zero-Doppler time, slant range) in the reference orbit is summed with
a compact kernel, so that the same ground gives the same value in every image, whatever pixels
fall on it. Noise is counter-hashed: any part of the lattice can be made alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

AZIMUTH_TAPS = 16
RANGE_TAPS = 24
OVERSAMPLING = 1.25
"""Range samples of the lattice per sample of the image."""

_SHARP_TAPS = 64
_ENTRIES = 4096
_KAISER_BETA = 5.3
_RANGE_BAND_LIMIT = 0.80
"""Share of the range sampling that the kernel's length can hold with clean images of the band."""


class Kernel(NamedTuple):
    """Tables of shape (entries, taps) over the fraction of a lattice step."""

    azimuth: NDArray[np.float32]
    range: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Where the noise sits, in the coordinates of the reference orbit.

    Attributes
    ----------
    epoch : datetime
        Instant of row 0.
    line_interval : float
        Between rows [s].
    range_step : float
        Between columns [m]; column 0 is at range 0.
    seed : int
        Of the common noise.
    """

    epoch: datetime
    line_interval: float
    range_step: float
    seed: int


def band_kernel(*, azimuth_band: float, range_band: float, sharp: bool = False) -> Kernel:
    """Kernels of unit mean power for bands given as shares of the sampling rates.

    Parameters
    ----------
    azimuth_band : float
        Processed azimuth bandwidth times the line interval [1].
    range_band : float
        Range bandwidth over the range sampling rate [1].
    sharp : bool
        Whether the range band is level with steep flanks, which only scatterers take: their
        coherence then falls linearly with the baseline.

    Returns
    -------
    Kernel
        Hamming tapered (0.75) bands, Kaiser windowed: below -55 dB outside.
    """
    azimuth = _table(azimuth_band, AZIMUTH_TAPS, hamming=0.75)
    if sharp:
        return Kernel(azimuth, _table(range_band / OVERSAMPLING, _SHARP_TAPS, hamming=1.0))
    inner = min(range_band, _RANGE_BAND_LIMIT) / OVERSAMPLING
    return Kernel(azimuth, _table(inner, RANGE_TAPS, hamming=0.75))


def _table(band: float, taps: int, *, hamming: float) -> NDArray[np.float32]:
    fraction = (np.arange(_ENTRIES) + 0.5) / _ENTRIES
    offset = fraction[:, None] + taps // 2 - 1 - np.arange(taps)[None, :]
    u = band * offset
    side = 0.5 * (1.0 - hamming)
    tapered = hamming * np.sinc(u) + side * (np.sinc(u - 1.0) + np.sinc(u + 1.0))
    inside = np.clip(1.0 - (2.0 * offset / taps) ** 2, 0.0, None)
    table = tapered * np.i0(_KAISER_BETA * np.sqrt(inside))
    table /= np.sqrt(np.mean(np.sum(table**2, axis=1)))
    return np.ascontiguousarray(table, dtype=np.float32)
