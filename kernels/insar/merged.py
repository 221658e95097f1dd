"""Swaths side by side on one grid of look cells, in radar geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.insar.geocode import RadarSums, swath_limits
from kernels.insar.look_sums import LookSums
from kernels.model import Looks, RadarGrid, Shape

_LARGEST_DRIFT = 1e-6
"""Relative difference of spacings: a thirtieth of a sample over three swaths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedSwaths:
    """Several swaths on one grid; neighbours are parted at the middle of their overlap.

    Attributes
    ----------
    grid : RadarGrid
        Of the cells; in line with those of the first swath.
    swaths : tuple of RadarSums
        From near to far range.
    limits : tuple of ndarray of float64, shape (rows, 2)
        Cells that belong to each, as `swath_limits` finds them.
    corners : tuple of Shape
        Row and column of each swath's first cell.
    remainders : tuple of (float, float)
        By how many single-look lines and samples each swath's cells lie later than the grid's.
    """

    grid: RadarGrid
    swaths: tuple[RadarSums, ...]
    limits: tuple[NDArray[np.float64], ...]
    corners: tuple[Shape, ...]
    remainders: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, swaths: tuple[RadarSums, ...]) -> MergedSwaths | None:
        """Place swaths; None where their spacings differ."""
        first = swaths[0].grid
        for swath in swaths[1:]:
            drift = max(
                abs(swath.grid.line_interval / first.line_interval - 1.0),
                abs(swath.grid.slant_range_spacing / first.slant_range_spacing - 1.0),
            )
            if drift > _LARGEST_DRIFT:
                return None
        places = [
            (
                (swath.grid.first_line_time - first.first_line_time) / first.line_interval,
                float(first.sample(swath.grid.first_slant_range)),
            )
            for swath in swaths
        ]
        whole = [Shape(round(row), round(column)) for row, column in places]
        top, left = (min(corner[axis] for corner in whole) for axis in (0, 1))
        corners = tuple(Shape(row - top, column - left) for row, column in whole)
        shape = Shape(
            *(
                max(
                    corner[axis] + swath.grid.shape[axis]
                    for corner, swath in zip(corners, swaths, strict=True)
                )
                for axis in (0, 1)
            )
        )
        looks = swaths[0].looks
        return cls(
            grid=first.window(top, left, shape),
            swaths=swaths,
            limits=swath_limits(swaths),
            corners=corners,
            remainders=tuple(
                ((row - near.lines) * looks.azimuth, (column - near.samples) * looks.range)
                for (row, column), near in zip(places, whole, strict=True)
            ),
        )

    @property
    def looks(self) -> Looks:
        """Pixels of a cell."""
        return self.swaths[0].looks

    def sums(self, rows: Band) -> NDArray[np.float32]:
        """Put the look sums of some rows together.

        Parameters
        ----------
        rows : Band
            Of the grid.

        Returns
        -------
        ndarray of float32, shape (rows, columns, 4)
            As in `RadarSums`; zeros where there is no data.
        """
        sums = np.zeros((rows.rows, self.grid.shape.samples, 4), np.float32)
        for within_limits in (True, False):
            for swath, limits, corner in zip(self.swaths, self.limits, self.corners, strict=True):
                first = max(rows.first, corner.lines)
                last = min(rows.first + rows.rows, corner.lines + swath.grid.shape.lines)
                if first >= last:
                    continue
                own = slice(first - corner.lines, last - corner.lines)
                block = swath.sums[own]
                target = sums[
                    first - rows.first : last - rows.first,
                    corner.samples : corner.samples + block.shape[1],
                ]
                taken = (block[:, :, 2] > 0.0) & (target[:, :, 2] <= 0.0)
                if within_limits:
                    cells = np.arange(block.shape[1])
                    taken &= (cells >= limits[own, :1]) & (cells < limits[own, 1:])
                target[taken] = block[taken]
        return sums

    def bands(self, rows: Band) -> NDArray[np.float32]:
        """Make the interferogram of some rows.

        Parameters
        ----------
        rows : Band
            Of the grid.

        Returns
        -------
        ndarray of float32, shape (4, rows, columns)
            As `LookSums.bands` of one swath.
        """
        sums = self.sums(rows)
        counts = np.where(sums[:, :, 2] > 0.0, self.looks.azimuth * self.looks.range, 0)
        return LookSums(
            cross=sums[:, :, 0] + np.complex64(1j) * sums[:, :, 1],
            reference_power=sums[:, :, 2],
            secondary_power=sums[:, :, 3],
            counts=counts.astype(np.int32),
        ).bands(self.looks)
