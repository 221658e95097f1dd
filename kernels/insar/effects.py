"""What the times and ranges of a pair hold beside the geometry of orbits and terrain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.insar.delays import RangeDelay
from kernels.insar.timing import PixelTiming
from kernels.model import RadarGrid

_ROUNDS = 2
"""Errors of times change by 1e-3 of what they move: two rounds leave 1e-6 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEffects:
    """Effects in one burst.

    Attributes
    ----------
    timing : PixelTiming or None
        What measured times and ranges lack; None: nothing.
    delays : tuple of RangeDelay
        What lengthens its ranges.
    """

    timing: PixelTiming | None = None
    delays: tuple[RangeDelay, ...] = ()

    def measured(
        self,
        grid: RadarGrid,
        times: NDArray[np.float64],
        ranges: NDArray[np.float64],
        points: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find where an image shows points, delays left aside.

        Parameters
        ----------
        grid : RadarGrid
            Of the image, or of a window.
        times, ranges : ndarray of float64, shape (...)
            True zero-Doppler times [s from the grid's epoch] and slant ranges [m].
        points : ndarray of float64, shape (..., 3)
            Earth-fixed [m].

        Returns
        -------
        lines, samples : ndarray of float64, shape (...)
            In the grid.
        """
        late, far = np.zeros(times.shape), np.zeros(times.shape)
        if self.timing is not None:
            for _ in range(_ROUNDS):
                late, far = self.timing.errors(times - late, ranges - far, points)
        return grid.line(times - late, ranges - far), grid.sample(ranges - far)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEffects:
    """Effects in a pair of bursts.

    Attributes
    ----------
    reference, secondary : ImageEffects
        Of the two.
    """

    reference: ImageEffects
    secondary: ImageEffects


NO_EFFECTS = PairEffects(reference=ImageEffects(), secondary=ImageEffects())
"""Geometry alone."""
