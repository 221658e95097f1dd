"""Baselines of a pair and what they mean for heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.ellipsoid import east_north_up, ecef_to_geodetic
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Baseline of a secondary orbit against a reference orbit, seen from ground points.

    Attributes
    ----------
    perpendicular : ndarray of float64, shape (n,)
        Normal to the reference's line of sight in its zero-Doppler plane [m]; positive where
        the secondary looks more steeply (is displaced away from the look side's horizon).
    parallel : ndarray of float64, shape (n,)
        Secondary minus reference slant range [m].
    incidence : ndarray of float64, shape (n,)
        Reference incidence angle on the ellipsoid [rad].
    height_of_ambiguity : ndarray of float64, shape (n,)
        Height that turns the phase by one cycle [m]; infinite for a zero baseline. With the
        sign of the perpendicular baseline: a positive one brings the secondary nearer to a
        higher point by half a wavelength.
    """

    perpendicular: NDArray[np.float64]
    parallel: NDArray[np.float64]
    incidence: NDArray[np.float64]
    height_of_ambiguity: NDArray[np.float64]


def baseline(
    reference: Orbit, secondary: Orbit, points: NDArray[np.float64], *, wavelength: float
) -> Baseline:
    """Compute the baseline of two orbits at ground points.

    Parameters
    ----------
    reference, secondary : Orbit
        Of the two images.
    points : ndarray of float64, shape (n, 3)
        Earth-fixed [m].
    wavelength : float
        [m].

    Returns
    -------
    Baseline
        Height of ambiguity is ``wavelength R sin(incidence) / (2 perpendicular)`` (Rosen et
        al., Proc. IEEE 88 (2000) 333-382, equation 25).
    """
    times, ranges = ground_to_radar(reference, points)
    other_times, other_ranges = ground_to_radar(secondary, points)
    position = reference.position(times)
    velocity = reference.velocity(times)
    sight = (points - position) / ranges[:, None]
    along = velocity / np.linalg.norm(velocity, axis=-1, keepdims=True)
    longitudes, latitudes, _ = ecef_to_geodetic(points)
    up = east_north_up(longitudes, latitudes)[..., 2, :]
    # normal to sight and track, on the side of the zenith
    normal = np.cross(along, sight)
    normal *= np.sign(np.einsum("ni,ni->n", normal, up))[:, None]
    difference = secondary.position(other_times) - position
    perpendicular = np.einsum("ni,ni->n", difference, normal)
    incidence = np.arccos(np.clip(-np.einsum("ni,ni->n", sight, up), -1.0, 1.0))
    with np.errstate(divide="ignore"):
        ambiguity = wavelength * ranges * np.sin(incidence) / (2.0 * perpendicular)
    return Baseline(
        perpendicular=perpendicular,
        parallel=other_ranges - ranges,
        incidence=incidence,
        height_of_ambiguity=ambiguity,
    )
