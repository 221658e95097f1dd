"""How one burst of one acquisition looks at the ground, as tables for the numba kernels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.model import SPEED_OF_LIGHT, Burst, RangePolynomial
from kernels.simulation.locate_numba import Motion
from kernels.simulation.orbit import OrbitTable


class Ramp(NamedTuple):
    """Azimuth phase ramp of a burst (ESA COPE-GSEG-EOPG-TN-14-0025); polynomials lowest first."""

    steering: float
    doppler_origin: float
    doppler: NDArray[np.float64]
    rate_origin: float
    rate: NDArray[np.float64]
    middle_line: float
    middle_reference: float


class View(NamedTuple):
    """A burst's pixels, orbit, ramp and what lengthens its ranges; times on its own clock."""

    orbit: OrbitTable
    motion: Motion
    ramp: Ramp
    first_line_time: float
    line_interval: float
    first_range: float
    range_spacing: float
    bistatic_range: float
    bistatic_rate: float
    wavelength: float
    misregistration: float


def view_of(
    burst: Burst, *, orbit: OrbitTable, motion: Motion, misregistration: float = 0.0
) -> View:
    """Gather what the kernels need of a burst.

    Parameters
    ----------
    burst : Burst
        With its grid's epoch as the clock.
    orbit : OrbitTable
        On the same clock.
    motion : Motion
        Of this acquisition.
    misregistration : float
        Line l of the file truly is line l + misregistration.

    Returns
    -------
    View
        For map_lines.
    """
    grid = burst.grid
    middle = grid.first_line_time + burst.mid_line * grid.line_interval
    u = (middle - orbit.middle) / orbit.span
    speed = math.hypot(*(float(np.polyval(orbit.velocity[:, k], u)) for k in range(3)))
    far_middle = 2.0 / SPEED_OF_LIGHT * grid.slant_range(0.5 * (grid.shape.samples - 1))
    ramp = Ramp(
        steering=2.0 * speed / grid.wavelength * burst.steering_rate,
        doppler_origin=burst.doppler.origin,
        doppler=_array(burst.doppler),
        rate_origin=burst.fm_rate.origin,
        rate=_array(burst.fm_rate),
        middle_line=burst.mid_line,
        middle_reference=-burst.doppler(far_middle) / burst.fm_rate(far_middle),
    )
    return View(
        orbit=orbit,
        motion=motion,
        ramp=ramp,
        first_line_time=grid.first_line_time,
        line_interval=grid.line_interval,
        first_range=grid.first_slant_range,
        range_spacing=grid.slant_range_spacing,
        bistatic_range=grid.bistatic_range or 0.0,
        bistatic_rate=0.0 if grid.bistatic_range is None else 1.0 / SPEED_OF_LIGHT,
        wavelength=grid.wavelength,
        misregistration=misregistration,
    )


def _array(polynomial: RangePolynomial) -> NDArray[np.float64]:
    return np.array(polynomial.coefficients, dtype=np.float64)
