"""What measurements on the images add to the geometric coregistration of a burst."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.height_polynomials import HeightPolynomials

Flattening = Literal["none", "ellipsoid", "topography"]
"""What is removed from the phase: nothing, the ellipsoid's share, or that of the terrain."""

FLATTENINGS: tuple[Flattening, ...] = get_args(Flattening)


class Plane(NamedTuple):
    """``constant + per_line * line + per_sample * sample`` in a burst's own coordinates."""

    constant: float = 0.0
    per_line: float = 0.0
    per_sample: float = 0.0

    def __call__(
        self, lines: NDArray[np.float64], samples: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Value at lines and samples of one shape."""
        value: NDArray[np.float64] = (
            self.constant + self.per_line * lines + self.per_sample * samples
        )
        return value

    def moved(self, line: float, sample: float) -> Plane:
        """Return the same plane in coordinates that count from a line and a sample."""
        first = self.per_line * line + self.per_sample * sample
        return self._replace(constant=self.constant + first)

    def plus(self, other: Plane) -> Plane:
        """Return the sum of both."""
        return Plane(*(a + b for a, b in zip(self, other, strict=True)))


LEVEL = Plane()
"""Zero everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """Corrections of one pair of bursts.

    Attributes
    ----------
    lines, samples : Plane
        Added to the secondary's coordinate of a reference pixel [pixels].
    phase : float
        Removed from the interferogram's phase [rad].
    """

    lines: Plane = LEVEL
    samples: Plane = LEVEL
    phase: float = 0.0

    def plus(self, other: Adjustment) -> Adjustment:
        """Both, one after the other."""
        return Adjustment(
            lines=self.lines.plus(other.lines),
            samples=self.samples.plus(other.samples),
            phase=self.phase + other.phase,
        )


def adjust(
    polynomials: HeightPolynomials,
    adjustment: Adjustment,
    *,
    flattening: Flattening,
    wavelength: float,
) -> HeightPolynomials:
    """Work corrections and the kind of flattening into the tabulated geometry.

    Lines, samples and ranges are linear between the nodes, and so are planes: the loops over
    pixels need not know of them.

    Parameters
    ----------
    polynomials : HeightPolynomials
        Whose quantities 2, 3 and 4 are line offset, sample offset [pixels] and range
        difference [m].
    adjustment : Adjustment
        Added to the offsets.
    flattening : {'none', 'ellipsoid', 'topography'}
        Which range difference the phase is freed from.
    wavelength : float
        [m].

    Returns
    -------
    HeightPolynomials
        With changed quantities; the argument is left as it was.
    """
    coefficients = polynomials.coefficients.copy()
    lines, samples = np.meshgrid(
        np.arange(coefficients.shape[0]) * polynomials.row_step,
        np.arange(coefficients.shape[1]) * polynomials.column_step,
        indexing="ij",
    )
    ranges = coefficients[:, :, 4]
    if flattening != "topography":
        sea_level = ranges @ (-polynomials.middle / polynomials.half) ** np.arange(ranges.shape[2])
        ranges[:] = 0.0
        if flattening == "ellipsoid":
            ranges[:, :, 0] = sea_level
    coefficients[:, :, 2, 0] += adjustment.lines(lines, samples)
    coefficients[:, :, 3, 0] += adjustment.samples(lines, samples)
    ranges[:, :, 0] += adjustment.phase * wavelength / (4.0 * math.pi)
    return HeightPolynomials(
        row_step=polynomials.row_step,
        column_step=polynomials.column_step,
        middle=polynomials.middle,
        half=polynomials.half,
        coefficients=coefficients,
    )
