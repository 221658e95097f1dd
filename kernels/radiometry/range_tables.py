"""Samples of slant ranges, for images in ground range and in slant range alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev, polynomial
from numpy.typing import NDArray

from kernels.model import GroundRangeGrid, RadarGrid
from kernels.radiometry import range_tables_numba

_FIT_NODES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTables:
    """What turns lines and slant ranges into samples.

    Attributes
    ----------
    record_lines : ndarray of float64, shape (records,)
        Fractional lines of the conversion records; slant range is a conversion with one record.
    middle, half : float
        The polynomials' argument is ``(range - middle) / half`` [m].
    slope : float
        Samples per unit of the argument where the polynomials are not made for it.
    polynomials : ndarray of float64, shape (records, COEFFICIENTS)
        Samples, lowest order first.
    """

    record_lines: NDArray[np.float64]
    middle: float
    half: float
    slope: float
    polynomials: NDArray[np.float64]

    @classmethod
    def of(cls, grid: GroundRangeGrid | RadarGrid) -> RangeTables:
        """Tabulate the samples of an image.

        Parameters
        ----------
        grid : GroundRangeGrid or RadarGrid
            Of the image.

        Returns
        -------
        RangeTables
            For any line and range.
        """
        last = grid.shape.samples - 1.0
        if isinstance(grid, RadarGrid):
            ranges = grid.slant_range(np.array([[0.0, last]]))
            record_lines, samples = np.zeros(1), np.array([0.0, last])
        else:
            nodes = 0.5 * (1.0 - np.cos(np.pi * (np.arange(_FIT_NODES) + 0.5) / _FIT_NODES))
            samples = nodes * last
            ranges = _slant_ranges(grid, samples)
            times = np.array([record.azimuth_time for record in grid.records])
            record_lines = (times - grid.first_line_time) / grid.line_interval
        middle, half = 0.5 * (ranges.min() + ranges.max()), 0.5 * (ranges.max() - ranges.min())
        scaled = (ranges - middle) / half
        return cls(
            record_lines=record_lines,
            middle=float(middle),
            half=float(half),
            slope=0.5 * last,
            polynomials=np.stack([_fit(row, samples) for row in scaled]),
        )

    def samples(
        self, lines: NDArray[np.float64], ranges: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Find fractional samples.

        Before the first record and after the last one theirs is taken; far outside the swath,
        where the polynomials are not made for, samples are continued linearly.

        Parameters
        ----------
        lines, ranges : ndarray of float64
            Fractional lines and slant ranges [m], of one shape; NaN where unknown.

        Returns
        -------
        ndarray of float64
            Of the same shape, linear in time between the records around each line; NaN where
            unknown.
        """
        found = np.empty(lines.shape)
        range_tables_numba.samples_of_ranges(
            np.ascontiguousarray(lines).reshape(-1),
            np.ascontiguousarray(ranges).reshape(-1),
            self.record_lines,
            self.middle,
            self.half,
            self.slope,
            self.polynomials,
            found.reshape(-1),
        )
        return found


def _slant_ranges(grid: GroundRangeGrid, samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slant ranges of samples by every record [m], shape (records, samples).

    The annotated slant-to-ground polynomials are the inverses of the ground-to-slant ones to
    0.008 pixels in recent products, and to 4 pixels only in those of IPF 2.36.
    """
    ground = samples * grid.ground_range_spacing
    return np.stack(
        [
            polynomial.polyval(ground - record.ground_range_origin, record.ground_to_slant)
            for record in grid.records
        ]
    )


def _fit(scaled: NDArray[np.float64], samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit samples as a polynomial of scaled ranges."""
    count = range_tables_numba.COEFFICIENTS
    series = chebyshev.chebfit(scaled, samples, min(count, samples.size) - 1)
    powers = chebyshev.cheb2poly(series)
    padded: NDArray[np.float64] = np.pad(powers, (0, count - powers.size))
    return padded
