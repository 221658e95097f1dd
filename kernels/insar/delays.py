"""What lengthens the path between satellite and ground beside geometry, image by image.

Solid earth tides are of this kind, and so are ionosphere and troposphere: whatever can tell a
delay at a ground point takes part in coregistration and flattening as a `RangeDelay`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProcessingError
from kernels.geometry.orbit import Orbit


class RangeDelay(Protocol):
    """A lengthening of one-way slant ranges that is smooth over a scene."""

    def __call__(
        self, points: NDArray[np.float64], sights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Delays [m], shape (...), at ground points and in directions to the satellite.

        Both are Earth-fixed and of shape (..., 3): points in metres, directions of length 1.
        Points may lie 10 km beyond the scene, at any height of its terrain.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplacementDelay:
    """Delay of a ground that is displaced as a whole, by a field that is linear in space.

    Attributes
    ----------
    middle : ndarray of float64, shape (3,)
        Earth-fixed place that the field is about [m].
    displacement : ndarray of float64, shape (3,)
        There, Earth-fixed [m].
    gradient : ndarray of float64, shape (3, 3)
        Change of each component along each axis [m/m].
    """

    middle: NDArray[np.float64]
    displacement: NDArray[np.float64]
    gradient: NDArray[np.float64]

    @classmethod
    def fit(
        cls, points: NDArray[np.float64], displacements: NDArray[np.float64]
    ) -> DisplacementDelay:
        """Fit displacements at points of a scene.

        Parameters
        ----------
        points : ndarray of float64, shape (n, 3)
            Earth-fixed [m].
        displacements : ndarray of float64, shape (n, 3)
            Earth-fixed [m].

        Returns
        -------
        DisplacementDelay
            By least squares; constant across directions in which the points do not spread.

        Raises
        ------
        ProcessingError
            Displacements that are not finite.
        """
        if not np.isfinite(displacements).all():
            raise ProcessingError("displacements of the ground must be finite")
        middle = points.mean(axis=0)
        offsets = points - middle
        scale = max(float(np.abs(offsets).max()), 1.0)
        gradient = np.linalg.lstsq(offsets / scale, displacements - displacements.mean(axis=0))[0]
        return cls(
            middle=middle, displacement=displacements.mean(axis=0), gradient=gradient.T / scale
        )

    def __call__(
        self, points: NDArray[np.float64], sights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Delays [m]: the ground that comes nearer shortens the range."""
        moved = self.displacement + (points - self.middle) @ self.gradient.T
        delays: NDArray[np.float64] = -(moved * sights).sum(axis=-1)
        return delays


def total_delay(
    delays: Sequence[RangeDelay],
    orbit: Orbit,
    times: NDArray[np.float64],
    points: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sum the delays of an image at ground points.

    Parameters
    ----------
    delays : sequence of RangeDelay
        Of the image.
    orbit : Orbit
        Of the image.
    times : ndarray of float64, shape (...)
        Zero-Doppler times of the points [s from the orbit's epoch].
    points : ndarray of float64, shape (..., 3)
        Earth-fixed [m].

    Returns
    -------
    ndarray of float64, shape (...)
        [m]; NaN where a point is.
    """
    total = np.zeros(times.shape)
    if delays:
        sights = orbit.position(times) - points
        sights = sights / np.linalg.norm(sights, axis=-1, keepdims=True)
        for delay in delays:
            total = total + delay(points, sights)
    return total
