"""Calibration of detected amplitudes, on a lattice that compiled loops interpolate."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kernels.model import CalibrationLut, Shape

LATTICE_STEP = 40
"""Pixels between the lattice's nodes: the vectors' own spacing along range, so that the jumps of
real vectors at the borders of swaths (0.35 percent within 40 pixels) stay as they are."""


class Quantity(StrEnum):
    """What a backscatter coefficient is normalised by."""

    SIGMA = "sigma"
    BETA = "beta"
    GAMMA = "gamma"


def calibration_lattice(
    lut: CalibrationLut, quantity: Quantity, shape: Shape
) -> NDArray[np.float32]:
    """Tabulate ``1 / A**2`` on a regular lattice.

    Calibrated backscatter is the intensity times this value (Sentinel-1 Product Specification,
    S1-RS-MDA-52-7441, section on the calibration annotation); the vectors are linear in A
    between their entries.

    Parameters
    ----------
    lut : CalibrationLut
        Vectors of the image.
    quantity : Quantity
        Which of the vectors.
    shape : Shape
        Of the image.

    Returns
    -------
    ndarray of float32, shape (nodes along lines, nodes along samples)
        Node (i, j) stands at line ``i * LATTICE_STEP`` and sample ``j * LATTICE_STEP``; the
        lattice reaches past the last line and sample.
    """
    vectors = {
        Quantity.SIGMA: lut.sigma_nought,
        Quantity.BETA: lut.beta_nought,
        Quantity.GAMMA: lut.gamma,
    }[quantity].astype(np.float64)
    lines = np.arange(shape.lines // LATTICE_STEP + 2) * float(LATTICE_STEP)
    samples = np.arange(shape.samples // LATTICE_STEP + 2) * float(LATTICE_STEP)
    along = np.stack([np.interp(samples, lut.pixels, row) for row in vectors])
    if lut.pixels.size > 1:
        # the last entry lies between two nodes: go on beyond it as up to it
        step = float(lut.pixels[-1] - lut.pixels[-2])
        beyond = np.maximum(samples - lut.pixels[-1], 0.0) / step
        along += (vectors[:, -1] - vectors[:, -2])[:, None] * beyond
    place = np.interp(lines, lut.lines, np.arange(lut.lines.size))
    above = np.minimum(place.astype(np.int64), lut.lines.size - 1)
    below = np.minimum(above + 1, lut.lines.size - 1)
    share = (place - above)[:, None]
    amplitude = (1.0 - share) * along[above] + share * along[below]
    factors: NDArray[np.float64] = 1.0 / amplitude**2
    return factors.astype(np.float32)
