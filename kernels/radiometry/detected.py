"""Detected images on a map: geometry of their pixels, and calibrated samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.map_geometry import MapGeometry
from kernels.geometry.orbit import Orbit
from kernels.model import Dem, DetectedReader, GroundRangeGrid, MapGrid, Shape
from kernels.radiometry import detected_numba
from kernels.radiometry.calibration import LATTICE_STEP
from kernels.radiometry.noise import NoiseTables

_FIT_DEGREE = 10
_FIT_NODES = 64
_HALO = 3
"""Pixels around the sampled places that the largest kernel needs, and one for rounding."""


class Interpolation(IntEnum):
    """How intensity is interpolated."""

    NEAREST = detected_numba.NEAREST
    BILINEAR = detected_numba.BILINEAR
    BICUBIC = detected_numba.BICUBIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of an image; empty where lines or pixels have no rows."""

    lines: Band
    pixels: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedGeometry:
    """Where the pixels of a map are in a detected image.

    Attributes
    ----------
    grid : GroundRangeGrid
        Of the image.
    geometry : MapGeometry
        Line and slant range of map pixels.
    record_places : ndarray of float64, shape (lines,)
        Where each line lies among the conversion records; whole numbers are records.
    middle, half : float
        Scale of slant ranges in the polynomials [m].
    polynomials : ndarray of float64, shape (records, order + 1)
        Sample of a scaled slant range.
    """

    grid: GroundRangeGrid
    geometry: MapGeometry
    record_places: NDArray[np.float64]
    middle: float
    half: float
    polynomials: NDArray[np.float64]

    @classmethod
    def of(
        cls, grid: GroundRangeGrid, orbit: Orbit, map_grid: MapGrid, dem: Dem
    ) -> DetectedGeometry:
        """Tabulate the geometry of an image on a map.

        Parameters
        ----------
        grid : GroundRangeGrid
            Of the image.
        orbit : Orbit
            Of the image.
        map_grid : MapGrid
            The map.
        dem : Dem
            Terrain.

        Returns
        -------
        DetectedGeometry
            For any rows of the map.
        """

        def coordinates(
            times: NDArray[np.float64], ranges: NDArray[np.float64]
        ) -> NDArray[np.float64]:
            return np.stack([grid.line(times, ranges), ranges], axis=-1)

        times = grid.first_line_time + np.arange(grid.shape.lines) * grid.line_interval
        record_times = np.array([record.azimuth_time for record in grid.records])
        middle, half, polynomials = _samples_of_ranges(grid)
        return cls(
            grid=grid,
            geometry=MapGeometry.of(map_grid, dem, orbit, coordinates),
            record_places=np.interp(times, record_times, np.arange(float(record_times.size))),
            middle=middle,
            half=half,
            polynomials=polynomials,
        )

    def places(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return fractional lines and pixels of one row of the map; NaN where unknown."""
        _, (lines, ranges) = self.geometry.row(row)
        return lines, self._pixels(lines, ranges)

    def _pixels(
        self, lines: NDArray[np.float64], ranges: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        pixels = np.empty(lines.shape)
        detected_numba.ground_range_pixels(
            lines,
            ranges,
            self.record_places,
            self.middle,
            self.half,
            self.polynomials,
            pixels,
        )
        return pixels

    def window(self, rows: Band, columns: Band) -> Window:
        """Find the part of the image under a part of the map, whatever its heights are.

        Parameters
        ----------
        rows, columns : Band
            Of the map.

        Returns
        -------
        Window
            With room for the largest kernel.
        """
        polynomials = self.geometry.polynomials
        nodes = polynomials.coefficients[
            _nodes(rows, polynomials.row_step), _nodes(columns, polynomials.column_step)
        ]
        low, high = (nodes @ (z ** np.arange(4.0)) for z in (-1.0, 1.0))
        both = np.concatenate([low.reshape(-1, 2), high.reshape(-1, 2)])
        shape = self.grid.shape
        lines = _within(both[:, 0], shape.lines)
        # a range belongs to some line: take those inside the image, clipped to its ends
        clipped = np.clip(both[:, 0], 0.0, shape.lines - 1.0)
        pixels = _within(self._pixels(clipped, both[:, 1].copy()), shape.samples)
        return Window(lines=lines, pixels=pixels)


def _samples_of_ranges(grid: GroundRangeGrid) -> tuple[float, float, NDArray[np.float64]]:
    """Invert the ground-to-slant polynomial of every record, as polynomials of one scaled range.

    The annotated slant-to-ground polynomials are their inverses to 0.008 pixels in recent
    products, and to 4 pixels only in those of IPF 2.36.
    """
    nodes = 0.5 * (1.0 - np.cos(np.pi * (np.arange(_FIT_NODES) + 0.5) / _FIT_NODES))
    samples = nodes * (grid.shape.samples - 1)
    ground = samples * grid.ground_range_spacing
    ranges = np.stack(
        [
            np.polynomial.polynomial.polyval(
                ground - record.ground_range_origin, np.array(record.ground_to_slant)
            )
            for record in grid.records
        ]
    )
    middle, half = 0.5 * (ranges.min() + ranges.max()), 0.5 * (ranges.max() - ranges.min())
    polynomials = np.zeros((len(grid.records), _FIT_DEGREE + 1))
    for number, row in enumerate(ranges):
        scaled = (row - middle) / half
        series = np.polynomial.chebyshev.chebfit(scaled, samples, _FIT_DEGREE)
        powers = np.polynomial.chebyshev.cheb2poly(series)
        polynomials[number, : powers.size] = powers
    return float(middle), float(half), polynomials


def _nodes(pixels: Band, step: float) -> slice:
    """Nodes around some pixels."""
    return slice(int(pixels.first // step), int((pixels.first + pixels.rows - 1) // step) + 2)


def _within(values: NDArray[np.float64], size: int) -> Band:
    """Whole pixels that values and their halo reach, inside an image."""
    first = max(math.floor(float(np.nanmin(values))) - _HALO, 0)
    last = min(math.ceil(float(np.nanmax(values))) + _HALO, size - 1)
    return Band(first, max(last - first + 1, 0))


@dataclass(frozen=True, slots=True)
class SquaredAmplitudes:
    """Reads the intensities of a detected image; an `IntensityReader`.

    Attributes
    ----------
    amplitudes : DetectedReader
        Of the image; 0 is no data.
    """

    amplitudes: DetectedReader

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.float32]:
        """Read a window, shape (lines, samples); raises ProductError if that is impossible."""
        amplitudes = self.amplitudes.read(first_line, lines, first_sample, samples)
        intensities = np.empty(amplitudes.shape, np.float32)
        detected_numba.square_amplitudes(amplitudes, intensities)
        return intensities


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What turns the intensities of one polarisation into backscatter.

    Attributes
    ----------
    lattice : ndarray of float32, shape (nodes, nodes)
        From `calibration_lattice`.
    noise : NoiseTables or None
        None: noise is kept.
    interpolation : Interpolation
        Of intensity.
    """

    lattice: NDArray[np.float32]
    noise: NoiseTables | None
    interpolation: Interpolation

    def sample(
        self,
        places: tuple[NDArray[np.float64], NDArray[np.float64]],
        intensities: NDArray[np.float32],
        window: Window,
        out: NDArray[np.float32],
    ) -> None:
        """Sample one row of a map.

        Parameters
        ----------
        places : tuple of ndarray of float64, shape (columns,)
            Lines and pixels.
        intensities : ndarray of float32, shape (lines, pixels)
            The window's pixels; NaN where there is no data.
        window : Window
            Part of the image.
        out : ndarray of float32, shape (columns,)
            Receives backscatter [1] where it is 0 and there is data; a value that is not
            positive becomes 1e-7, because 0 means no data.
        """
        noise = self.noise or _NO_NOISE
        detected_numba.sample_row(
            places[0],
            places[1],
            intensities,
            window.lines.first,
            window.pixels.first,
            int(self.interpolation),
            self.lattice,
            LATTICE_STEP,
            self.noise is not None,
            noise.vector_lines,
            noise.vectors,
            noise.last_samples,
            noise.factors,
            out,
        )


_NO_NOISE = NoiseTables(
    vector_lines=np.zeros(1),
    vectors=np.zeros(Shape(1, 1), np.float32),
    last_samples=np.zeros(Shape(1, 1), np.int32),
    factors=np.zeros(Shape(1, 1), np.float32),
)
