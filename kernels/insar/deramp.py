"""The azimuth phase ramp of a burst, in cycles.

ESA, "Definition of the TOPS SLC deramping function", COPE-GSEG-EOPG-TN-14-0025, 2014. A
StripMap image has no steering: only its Doppler centroid remains, by the same formula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.orbit import Orbit
from kernels.insar import deramp_numba
from kernels.model import SPEED_OF_LIGHT, Burst


@dataclass(frozen=True, slots=True, kw_only=True)
class AzimuthRamp:
    """Phase of a burst as a quadratic of azimuth time for every sample.

    ``phi / (2 pi) = (a * eta + b) * eta + c`` with ``eta = (line - mid_line) * line_interval``;
    ``slc * exp(+j phi)`` is baseband.

    Attributes
    ----------
    mid_line : float
        Line where eta is zero.
    line_interval : float
        [s].
    coefficients : ndarray of float64, shape (3, samples)
        c [cycles], b [Hz] and a [Hz/s] at whole samples.
    """

    mid_line: float
    line_interval: float
    coefficients: NDArray[np.float64]

    @classmethod
    def of(cls, burst: Burst, orbit: Orbit) -> AzimuthRamp:
        """Compute the ramp of a burst.

        Parameters
        ----------
        burst : Burst
            With Doppler centroid, FM rate and steering rate.
        orbit : Orbit
            Gives the speed at mid-burst.

        Returns
        -------
        AzimuthRamp
            Equations 1 to 14 of the technical note.
        """
        grid = burst.grid
        middle_time = grid.first_line_time + burst.mid_line * grid.line_interval
        carrier = SPEED_OF_LIGHT / grid.wavelength
        steering = 2.0 * orbit.speed(middle_time) / SPEED_OF_LIGHT * carrier * burst.steering_rate
        samples = np.arange(grid.shape.samples, dtype=np.float64)
        tau = 2.0 * grid.slant_range(samples) / SPEED_OF_LIGHT
        middle_tau = np.array([2.0 * grid.slant_range(samples[-1] / 2.0) / SPEED_OF_LIGHT])
        fm_rate, doppler = burst.fm_rate(tau), burst.doppler(tau)
        rate = fm_rate * steering / (fm_rate - steering)
        crossing = -doppler / fm_rate
        reference = crossing + burst.doppler(middle_tau) / burst.fm_rate(middle_tau)
        coefficients = np.stack(
            [
                -0.5 * rate * reference**2 + doppler * reference,
                rate * reference - doppler,
                -0.5 * rate,
            ]
        )
        return cls(
            mid_line=burst.mid_line, line_interval=grid.line_interval, coefficients=coefficients
        )

    def cycles(
        self, lines: NDArray[np.float64], samples: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Phase [cycles] at fractional lines and samples of one shape."""
        eta = (lines - self.mid_line) * self.line_interval
        index = np.arange(self.coefficients.shape[1], dtype=np.float64)
        c, b, a = (np.interp(samples, index, row) for row in self.coefficients)
        cycles: NDArray[np.float64] = (a * eta + b) * eta + c
        return cycles

    def frequency(
        self, lines: NDArray[np.float64], samples: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Doppler frequency [Hz] at which pixels were seen: that of the ramp they carry."""
        eta = (lines - self.mid_line) * self.line_interval
        index = np.arange(self.coefficients.shape[1], dtype=np.float64)
        b, a = (np.interp(samples, index, row) for row in self.coefficients[1:])
        found: NDArray[np.float64] = -(2.0 * a * eta + b)
        return found


def deramp(
    pixels: NDArray[np.complex64], ramp: AzimuthRamp, *, first_line: int = 0, first_sample: int = 0
) -> NDArray[np.complex64]:
    """Bring pixels of a burst to baseband.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (lines, samples)
        Part of a burst.
    ramp : AzimuthRamp
        Of the burst.
    first_line, first_sample : int
        Place of the part in the burst.

    Returns
    -------
    ndarray of complex64, shape (lines, samples)
        ``pixels * exp(+j phi)``.
    """
    real = np.empty(pixels.shape, np.float32)
    imaginary = np.empty(pixels.shape, np.float32)
    part = slice(first_sample, first_sample + pixels.shape[1])
    deramp_numba.deramp(
        np.ascontiguousarray(pixels),
        np.ascontiguousarray(ramp.coefficients[:, part]),
        first_line,
        ramp.mid_line,
        ramp.line_interval,
        real,
        imaginary,
    )
    return (real + 1j * imaginary).astype(np.complex64)
