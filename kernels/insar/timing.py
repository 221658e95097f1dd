"""What the annotated times of pixels lack: corrections of the processor's approximations.

C. Gisinger et al., "In-Depth Verification of Sentinel-1 and TerraSAR-X Geolocation Accuracy
Using the Australian Corner Reflector Array", IEEE Trans. Geosci. Remote Sens. 59(2), 2021,
section III. Both are proportional to the Doppler frequency at which a pixel was seen, which
changes its sign within every TOPS burst.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.geometry.orbit import Orbit
from kernels.insar.deramp import AzimuthRamp
from kernels.model import SPEED_OF_LIGHT, Burst

Correction = Literal["bistatic", "doppler_range", "fm_rate"]
"""Residual bistatic term (of the grid), range shift by the Doppler, mismatch of the FM rate."""

CORRECTIONS: tuple[Correction, ...] = get_args(Correction)

_STEP = 0.05
"""Of the difference that gives the acceleration [s]; its error is 1e-8 of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelTiming:
    """True less measured time and range of a burst's pixels.

    Attributes
    ----------
    burst : Burst
        The whole burst.
    orbit : Orbit
        Of its image.
    ramp : AzimuthRamp
        Of the burst.
    doppler_range, fm_rate : bool
        Which corrections to make.
    """

    burst: Burst
    orbit: Orbit
    ramp: AzimuthRamp
    doppler_range: bool
    fm_rate: bool

    @classmethod
    def of(cls, burst: Burst, orbit: Orbit, corrections: Collection[str]) -> PixelTiming | None:
        """Prepare the corrections of a burst; those of the grid itself are not made here.

        Parameters
        ----------
        burst : Burst
            The whole burst.
        orbit : Orbit
            Of its image.
        corrections : collection of str
            Among CORRECTIONS.

        Returns
        -------
        PixelTiming or None
            None where there is nothing to correct.

        Raises
        ------
        ProductError
            The range correction is asked for and the chirp rate is not known.
        """
        doppler_range, fm_rate = "doppler_range" in corrections, "fm_rate" in corrections
        if not (doppler_range or fm_rate):
            return None
        if doppler_range and burst.range_chirp_rate is None:
            raise ProductError("the annotation has no chirp rate, which doppler_range needs")
        return cls(
            burst=burst,
            orbit=orbit,
            ramp=AzimuthRamp.of(burst, orbit),
            doppler_range=doppler_range,
            fm_rate=fm_rate,
        )

    def errors(
        self,
        times: NDArray[np.float64],
        ranges: NDArray[np.float64],
        points: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Tell what measured times and ranges lack.

        Parameters
        ----------
        times, ranges : ndarray of float64, shape (...)
            Measured zero-Doppler times [s from the grid's epoch] and slant ranges [m].
        points : ndarray of float64, shape (..., 3)
            The ground there, Earth-fixed [m], to some hundred metres.

        Returns
        -------
        time_errors, range_errors : ndarray of float64, shape (...)
            To be added to the measured times [s] and ranges [m].
        """
        grid = self.burst.grid
        doppler = self.ramp.frequency(grid.line(times, ranges), grid.sample(ranges))
        late, far = np.zeros(doppler.shape), np.zeros(doppler.shape)
        if self.doppler_range and self.burst.range_chirp_rate is not None:
            # an echo of higher frequency looks like that part of the chirp which comes later
            far = 0.5 * SPEED_OF_LIGHT * doppler / self.burst.range_chirp_rate
        if self.fm_rate:
            annotated = self.burst.fm_rate(2.0 * ranges / SPEED_OF_LIGHT)
            true = geometric_fm_rate(self.orbit, times, points, wavelength=grid.wavelength)
            late = doppler * (1.0 / annotated - 1.0 / true)
        return late, far


def geometric_fm_rate(
    orbit: Orbit, times: NDArray[np.float64], points: NDArray[np.float64], *, wavelength: float
) -> NDArray[np.float64]:
    """FM rate of the echoes of points on the ground.

    Parameters
    ----------
    orbit : Orbit
        Of the platform.
    times : ndarray of float64, shape (...)
        Zero-Doppler [s from the orbit's epoch].
    points : ndarray of float64, shape (..., 3)
        Earth-fixed [m].
    wavelength : float
        [m].

    Returns
    -------
    ndarray of float64, shape (...)
        ``-2 / wavelength`` times the second derivative of the range [Hz/s]; negative.
    """
    sight = orbit.position(times) - points
    velocity = orbit.velocity(times)
    acceleration = (orbit.velocity(times + _STEP) - orbit.velocity(times - _STEP)) / (2.0 * _STEP)
    ranges = np.linalg.norm(sight, axis=-1)
    along = (sight * velocity).sum(axis=-1) / ranges
    curvature = (velocity**2).sum(axis=-1) + (sight * acceleration).sum(axis=-1) - along**2
    rate: NDArray[np.float64] = -2.0 / wavelength * curvature / ranges
    return rate
