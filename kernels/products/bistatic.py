"""The residual bistatic term of annotated line times, measured on the geolocation grid.

The processor moves whole lines by the bistatic delay of one reference range; the rest of the
delay stays in the image: ``t_zero_doppler = t_line + 0.5 * (tau - tau_ref)``. The grid's
azimuthTime is pure zero-Doppler, so the difference from the lines' own times gives tau_ref.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.model import SPEED_OF_LIGHT

IW_REFERENCE_TIME = 5.85e-3
"""Two-way slant range time at mid IW2, where IW line times are zero-Doppler [s]."""

_OUTLIER = 3e-6
"""Grid times are rounded to 1 us; a last row may be off by 12 us or belong to no line [s]."""

_SLOPE = 0.5
_SLOPE_TOLERANCE = 0.01


def fit_bistatic_range(
    *,
    annotated_times: NDArray[np.float64],
    zero_doppler_times: NDArray[np.float64],
    slant_range_times: NDArray[np.float64],
    fallback_time: float,
) -> float:
    """Slant range at which annotated line times are zero-Doppler.

    Parameters
    ----------
    annotated_times : ndarray of float64, shape (n,)
        Annotated time of the line of each grid point [s from any epoch].
    zero_doppler_times : ndarray of float64, shape (n,)
        Of the grid points [s from the same epoch].
    slant_range_times : ndarray of float64, shape (n,)
        Two-way, of the grid points [s].
    fallback_time : float
        Two-way time [s] to use where the grid does not show the term: fewer than half of the
        points within 3 us of one value, or not half a second per second of range time.

    Returns
    -------
    float
        One-way slant range [m].
    """
    delays = zero_doppler_times - annotated_times
    references = slant_range_times - delays / _SLOPE
    reference = float(np.median(references)) if references.size else fallback_time
    inliers = np.abs(references - reference) * _SLOPE <= _OUTLIER
    if not _shows_the_term(slant_range_times, delays, inliers):
        return 0.5 * SPEED_OF_LIGHT * fallback_time
    return 0.5 * SPEED_OF_LIGHT * float(references[inliers].mean())


def _shows_the_term(
    slant_range_times: NDArray[np.float64],
    delays: NDArray[np.float64],
    inliers: NDArray[np.bool_],
) -> bool:
    if inliers.size < 4 or 2 * np.count_nonzero(inliers) < inliers.size:
        return False
    tau = slant_range_times[inliers] - slant_range_times[inliers].mean()
    spread = float(tau @ tau)
    if spread == 0.0:
        return False
    return abs(float(tau @ delays[inliers]) / spread - _SLOPE) <= _SLOPE_TOLERANCE
