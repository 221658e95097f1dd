"""Sums of an interferogram over look cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.model import Looks


@dataclass(frozen=True, slots=True, kw_only=True)
class LookSums:
    """Sums over the pixels of look cells.

    Attributes
    ----------
    cross : ndarray of complex64, shape (cell rows, cells)
        Flattened reference times conjugate secondary.
    reference_power, secondary_power : ndarray of float32, shape (cell rows, cells)
        Squared amplitudes.
    counts : ndarray of int32, shape (cell rows, cells)
        Valid pixels.
    """

    cross: NDArray[np.complex64]
    reference_power: NDArray[np.float32]
    secondary_power: NDArray[np.float32]
    counts: NDArray[np.int32]

    @classmethod
    def zeros(cls, rows: int, cells: int) -> LookSums:
        """Empty sums."""
        return cls(
            cross=np.zeros((rows, cells), np.complex64),
            reference_power=np.zeros((rows, cells), np.float32),
            secondary_power=np.zeros((rows, cells), np.float32),
            counts=np.zeros((rows, cells), np.int32),
        )

    def bands(self, looks: Looks) -> NDArray[np.float32]:
        """Amplitude, phase, coherency and isData of the interferogram.

        Parameters
        ----------
        looks : Looks
            Of a whole cell.

        Returns
        -------
        ndarray of float32, shape (4, cell rows, cells)
            Amplitude [digital numbers] is the geometric mean of both; phase [rad]; coherency
            0 to 1; isData 1 where every pixel of the cell was valid and not all were zero. The
            first three are NaN elsewhere.
        """
        power = np.sqrt(self.reference_power * self.secondary_power)
        complete = (self.counts == looks.azimuth * looks.range) & (power > 0.0)
        found = np.full((4, *self.counts.shape), np.nan, np.float32)
        found[3] = complete
        found[0][complete] = np.sqrt(power[complete] / (looks.azimuth * looks.range))
        found[1][complete] = np.angle(self.cross[complete])
        found[2][complete] = np.minimum(np.abs(self.cross[complete]) / power[complete], 1.0)
        return found
