"""Quantities that are smooth in position and height, tabulated on coarse nodes.

On a node every few tens of pixels a quantity (a coordinate, a range) is a cubic polynomial of
height; between nodes the coefficients are interpolated bilinearly. With nodes every 32 pixels
of a Sentinel-1 image the ground position is exact to 6 mm and a range difference to 1 um
(tests/geometry), so that a pixel costs a few multiplications where an exact solution costs an
orbit evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.model import Shape

HEIGHTS = 4
"""Heights on which a node is tabulated: the coefficients of a cubic."""

NODE_STEP = 32
"""Pixels between nodes."""

_NODE_ROWS = 32
"""Rows of nodes that are evaluated at once: bounds the memory of large rasters."""

Quantities = Callable[
    [NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]
]
"""``(rows, columns, heights) -> values`` of shape (..., quantities)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightPolynomials:
    """Cubic polynomials of height on the nodes of a raster.

    Attributes
    ----------
    row_step, column_step : float
        Pixels between nodes; node (0, 0) is pixel (0, 0).
    middle, half : float
        The polynomials' argument is ``z = (height - middle) / half`` [m].
    coefficients : ndarray of float64, shape (node rows, node columns, quantities, 4)
        Lowest order first.
    """

    row_step: float
    column_step: float
    middle: float
    half: float
    coefficients: NDArray[np.float64]

    def evaluate(
        self,
        rows: NDArray[np.float64],
        columns: NDArray[np.float64],
        heights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Evaluate at pixels and heights, slowly; the compiled loops do the same.

        Parameters
        ----------
        rows, columns, heights : ndarray of float64, shape (...)
            Pixel coordinates and heights above the ellipsoid [m].

        Returns
        -------
        ndarray of float64, shape (..., quantities)
            Interpolated values.
        """
        y, x = rows / self.row_step, columns / self.column_step
        i = np.clip(y.astype(np.int64), 0, self.coefficients.shape[0] - 2)
        j = np.clip(x.astype(np.int64), 0, self.coefficients.shape[1] - 2)
        fy, fx = (y - i)[..., None, None], (x - j)[..., None, None]
        c = self.coefficients
        between = (1 - fy) * ((1 - fx) * c[i, j] + fx * c[i, j + 1]) + fy * (
            (1 - fx) * c[i + 1, j] + fx * c[i + 1, j + 1]
        )
        z = ((heights - self.middle) / self.half)[..., None]
        value: NDArray[np.float64] = between[..., HEIGHTS - 1]
        for k in range(HEIGHTS - 2, -1, -1):
            value = value * z + between[..., k]
        return value


def tabulate(
    shape: Shape,
    quantities: Quantities,
    *,
    lowest: float,
    highest: float,
    step: int = NODE_STEP,
) -> HeightPolynomials:
    """Tabulate quantities over a raster and an interval of heights.

    Parameters
    ----------
    shape : Shape
        Of the raster.
    quantities : callable
        Evaluates pixel coordinates and heights, exactly.
    lowest, highest : float
        Heights above the ellipsoid [m].
    step : int
        Pixels between nodes.

    Returns
    -------
    HeightPolynomials
        Whose nodes reach past the last row and column.
    """
    middle, half = 0.5 * (lowest + highest), max(0.5 * (highest - lowest), 1.0)
    rows = np.arange(shape.lines // step + 2, dtype=np.float64) * step
    columns = np.arange(shape.samples // step + 2, dtype=np.float64) * step
    # Chebyshev points: the error of the cubic is spread evenly over the heights
    z = np.cos(np.pi * (np.arange(HEIGHTS) + 0.5) / HEIGHTS)
    inverse = np.linalg.inv(np.vander(z, increasing=True))
    parts = []
    for first in range(0, rows.size, _NODE_ROWS):
        grid = np.meshgrid(
            rows[first : first + _NODE_ROWS], columns, middle + half * z, indexing="ij"
        )
        values = quantities(grid[0], grid[1], grid[2])
        parts.append(np.ascontiguousarray(np.einsum("kz,ijzq->ijqk", inverse, values)))
    return HeightPolynomials(
        row_step=float(step),
        column_step=float(step),
        middle=middle,
        half=half,
        coefficients=np.concatenate(parts),
    )
