"""Zero-Doppler geometry: ground to radar and radar to ground.

Times are pure zero-Doppler times; `RadarGrid.line` and `RadarGrid.zero_doppler_time` add the
residual bistatic term of the image lines.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, map_bands, split_rows
from kernels.geometry import zero_doppler_numba
from kernels.geometry.orbit import Orbit
from kernels.model import LookSide

_POINTS_PER_BLOCK = 65_536


def _in_blocks(count: int, compute: Callable[[Band], None], threads: int) -> None:
    for _ in map_bands(split_rows(count, band_rows=_POINTS_PER_BLOCK), compute, threads=threads):
        pass


def ground_to_radar(
    orbit: Orbit, points: NDArray[np.float64], *, threads: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find when a platform passes points on the ground, and how far away.

    Newton's method on ``(P - S(t)) . V(t) = 0`` (Curlander and McDonough 1991, appendix B),
    started at mid-orbit.

    Parameters
    ----------
    orbit : Orbit
        Of the platform; points must pass within its interval.
    points : ndarray of float64, shape (..., 3)
        Earth-fixed [m]; NaN gives NaN.
    threads : int
        Over blocks of points.

    Returns
    -------
    times : ndarray of float64, shape (...)
        Zero-Doppler [s from the orbit's epoch], exact to 1e-10 s.
    slant_ranges : ndarray of float64, shape (...)
        [m].
    """
    flat = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
    times = np.empty(flat.shape[0])
    ranges = np.empty(flat.shape[0])

    def compute(band: Band) -> None:
        part = slice(band.first, band.first + band.rows)
        zero_doppler_numba.ground_to_radar(
            orbit.position_coefficients,
            orbit.velocity_coefficients,
            orbit.centre,
            orbit.scale,
            flat[part],
            times[part],
            ranges[part],
        )

    _in_blocks(flat.shape[0], compute, threads)
    shape = points.shape[:-1]
    return times.reshape(shape), ranges.reshape(shape)


def radar_to_ground(
    orbit: Orbit,
    times: NDArray[np.float64],
    slant_ranges: NDArray[np.float64],
    heights: NDArray[np.float64],
    *,
    side: LookSide = LookSide.RIGHT,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Find the points of given height that are seen at zero Doppler and slant range.

    Parameters
    ----------
    orbit : Orbit
        Of the platform.
    times : ndarray of float64
        Zero-Doppler [s from the orbit's epoch].
    slant_ranges : ndarray of float64
        [m].
    heights : ndarray of float64
        Above the ellipsoid [m]; the three arrays broadcast.
    side : LookSide
        Side of the track.
    threads : int
        Over blocks of points.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        Earth-fixed [m], to 1e-6 m of height; NaN where the range does not reach the height.
    """
    arrays = np.broadcast_arrays(times, slant_ranges, heights)
    flat = [np.ascontiguousarray(a, dtype=np.float64).reshape(-1) for a in arrays]
    points = np.empty((flat[0].size, 3))
    sign = 1.0 if side is LookSide.RIGHT else -1.0

    def compute(band: Band) -> None:
        part = slice(band.first, band.first + band.rows)
        zero_doppler_numba.radar_to_ground(
            orbit.position_coefficients,
            orbit.velocity_coefficients,
            orbit.centre,
            orbit.scale,
            sign,
            flat[0][part],
            flat[1][part],
            flat[2][part],
            points[part],
        )

    _in_blocks(flat[0].size, compute, threads)
    return points.reshape(*arrays[0].shape, 3)
