"""One phase for every date of a stack, from the coherence of all its pairs (an extra).

Where coherence is lost within months, pairs of far dates are noise by themselves; linked through
all pairs between, their phase is known. The estimate is dolphin's: eigenvectors of the inverse
coherence (EMI: Ansari, De Zan and Bamler, IEEE TGRS 56, 2018), of the largest eigenvalue where
that has none. It brings numpy arrays to jax, which uses the cores that the process may use.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.model import Looks


def require_linking() -> None:
    """Raise RequestError where the extra is not installed, without the seconds of loading it."""
    if find_spec("dolphin") is None:
        rule = "none where the extra is not installed: pip install dolphin"
        raise RequestError("linking", rule, "dolphin")


def link_phases(pixels: NDArray[np.complex64], looks: Looks) -> NDArray[np.float32]:
    """Find the phase of every date in every look cell.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (dates, lines, samples)
        Coregistered, freed from topography; 0 or NaN where a date has no data: the pixel then
        counts in none. Lines and samples are multiples of the looks.
    looks : Looks
        Cells, and half the window: it reaches that far to all sides of the middle of a cell.

    Returns
    -------
    ndarray of float32, shape (dates + 1, lines / azimuth looks, samples / range looks)
        Phase against the first date [rad], so that ``first - second`` of two dates is that of
        ``first * conj(second)``; at the end the temporal coherence, 0 to 1. NaN in cells without
        a pixel that all dates have.

    Raises
    ------
    RequestError
        The extra is not installed.
    """
    require_linking()
    from dolphin import HalfWindow, Strides  # noqa: PLC0415  # an extra
    from dolphin.phase_link import run_phase_linking  # noqa: PLC0415

    dates, lines, samples = pixels.shape
    found = np.full((dates + 1, lines // looks.azimuth, samples // looks.range), np.nan, np.float32)
    known = np.isfinite(pixels).all(axis=0) & (pixels != 0.0).all(axis=0)
    if not known.any():
        return found
    linked = run_phase_linking(
        np.where(known, pixels, np.complex64(np.nan)),
        HalfWindow(looks.azimuth, looks.range),
        Strides(looks.azimuth, looks.range),
        nodata_mask=~known,
        compute_crlb=False,
    )
    found[:-1] = np.angle(linked.cpx_phase)
    found[-1] = linked.temp_coh
    return found


def linked_sums(sums: NDArray[np.float32], linked: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the look sums of a pair the linked phase.

    Parameters
    ----------
    sums : ndarray of float32, shape (rows, cells, 4)
        Real and imaginary part of the interferogram, power of both images.
    linked : ndarray of float32, shape (3, rows, cells)
        Phase of the first and the second image [rad], and temporal coherence.

    Returns
    -------
    ndarray of float32, shape (rows, cells, 4)
        The same powers; the coherence is the temporal one. Zeros where no phase was linked.
    """
    first, second, quality = linked
    magnitude = quality * np.sqrt(sums[..., 2] * sums[..., 3])
    found = sums.copy()
    found[..., 0] = magnitude * np.cos(first - second)
    found[..., 1] = magnitude * np.sin(first - second)
    found[~np.isfinite(magnitude)] = 0.0
    return found
