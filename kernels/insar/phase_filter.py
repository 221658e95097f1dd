"""Filter of interferometric phase by its local spectrum.

Goldstein and Werner (Geophysical Research Letters 25, 1998); the adaptive strength is that of
Baran et al. (IEEE TGRS 41, 2003).
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from kernels.errors import RequestError

WINDOW = 64
"""Rows and columns of a window."""

STEP = 16
"""Between windows: neighbours share three quarters."""

HALO = WINDOW - 1
"""Rows before and after a block without which its result would change."""

_SMOOTHING = 3
"""Values of the spectrum that its magnitude is averaged over."""


def goldstein(
    interferogram: NDArray[np.complex64],
    *,
    alpha: float | None,
    coherence: NDArray[np.float32] | None = None,
    first_row: int = 0,
) -> NDArray[np.complex64]:
    """Filter an interferogram.

    Parameters
    ----------
    interferogram : ndarray of complex64, shape (rows, columns)
        Multilooked; 0 where there is no data. Magnitudes do not matter: phases alone count.
    alpha : float or None
        Strength, 0 (nothing) to 1; None: one minus the mean coherence of each window.
    coherence : ndarray of float32, shape (rows, columns)
        Needed where alpha is None.
    first_row : int
        Row of the whole interferogram that the block begins with. Windows stand at multiples of
        STEP of the whole, so that blocks with HALO rows around them give the same bits.

    Returns
    -------
    ndarray of complex64, shape (rows, columns)
        Whose argument is the filtered phase; 0 where there was no data.

    Raises
    ------
    RequestError
        A strength outside 0 to 1, or no coherence for the adaptive filter.
    """
    if alpha is not None and not 0.0 <= alpha <= 1.0:
        raise RequestError("alpha", "0 to 1", alpha)
    if alpha is None and coherence is None:
        raise RequestError("alpha", "given where there is no coherence", alpha)
    rows, columns = interferogram.shape
    margin = WINDOW - STEP  # with less, pixels at the edges would be in fewer windows
    top = first_row % STEP + margin
    below, right = WINDOW + (-rows - top) % STEP, WINDOW + (-columns) % STEP
    padding = ((top, below), (margin, right))
    known = interferogram != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        phasor = np.where(known, interferogram / np.abs(interferogram), np.complex64(0.0))
    padded = np.pad(phasor.astype(np.complex64), padding)
    strengths = None
    if alpha is None and coherence is not None:
        strengths = np.pad(np.where(known, coherence, np.float32(0.0)), padding)
    triangle = 1.0 - np.abs(np.arange(WINDOW) - (WINDOW - 1) / 2.0) / (WINDOW / 2.0)
    taper = np.outer(triangle, triangle).astype(np.float32)
    total = np.zeros_like(padded)
    for row in range(0, padded.shape[0] - WINDOW + 1, STEP):
        strip = _windows(padded[row : row + WINDOW])
        strength = alpha if strengths is None else _strength(strengths[row : row + WINDOW], strip)
        filtered = _filter(strip, strength) * taper
        for number, window in enumerate(filtered):
            first = number * STEP
            total[row : row + WINDOW, first : first + WINDOW] += window
    result = total[top : top + rows, margin : margin + columns]
    found: NDArray[np.complex64] = np.where(known, result, np.complex64(0.0))
    return found


def _windows(strip: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """All windows of a strip, shape (windows, WINDOW, WINDOW)."""
    views = np.lib.stride_tricks.sliding_window_view(strip, WINDOW, axis=1)[:, ::STEP]
    return np.ascontiguousarray(np.moveaxis(views, 1, 0))


def _strength(
    coherence: NDArray[np.float32], windows: NDArray[np.complex64]
) -> NDArray[np.float32]:
    """One minus the mean coherence of each window's data."""
    views = np.lib.stride_tricks.sliding_window_view(coherence, WINDOW, axis=1)[:, ::STEP]
    count = np.maximum(np.count_nonzero(windows, axis=(1, 2)), 1)
    mean = views.sum(axis=(0, 2), dtype=np.float64) / count
    strength: NDArray[np.float32] = np.clip(1.0 - mean, 0.0, 1.0).astype(np.float32)
    return strength[:, None, None]


def _filter(
    windows: NDArray[np.complex64], strength: float | NDArray[np.float32] | None
) -> NDArray[np.complex64]:
    """Weight the spectrum of each window by its own smoothed magnitude."""
    spectra = scipy.fft.fft2(windows)
    magnitude = uniform_filter(np.abs(spectra), (0, _SMOOTHING, _SMOOTHING), mode="wrap")
    highest = np.maximum(magnitude.max(axis=(1, 2), keepdims=True), np.float32(1e-20))
    spectra *= (magnitude / highest) ** strength
    filtered: NDArray[np.complex64] = scipy.fft.ifft2(spectra)
    return filtered
