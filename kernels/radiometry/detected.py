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
from kernels.model import Dem, DetectedReader, GroundRangeGrid, MapGrid, RadarGrid, Shape
from kernels.radiometry import detected_numba
from kernels.radiometry.calibration import LATTICE_STEP
from kernels.radiometry.noise import NoiseTables
from kernels.radiometry.range_tables import RangeTables

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
    grid : GroundRangeGrid or RadarGrid
        Of the image.
    geometry : MapGeometry
        Line and slant range of map pixels.
    tables : RangeTables
        Pixels of slant ranges.
    reach : ndarray of float64, shape (4, node rows, node columns)
        Lowest and highest line, lowest and highest pixel at any height of the DEM.
    """

    grid: GroundRangeGrid | RadarGrid
    geometry: MapGeometry
    tables: RangeTables
    reach: NDArray[np.float64]

    @classmethod
    def of(
        cls, grid: GroundRangeGrid | RadarGrid, orbit: Orbit, map_grid: MapGrid, dem: Dem
    ) -> DetectedGeometry:
        """Tabulate the geometry of an image on a map.

        Parameters
        ----------
        grid : GroundRangeGrid or RadarGrid
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

        geometry = MapGeometry.of(map_grid, dem, orbit, coordinates)
        tables = RangeTables.of(grid)
        # both are monotonic in height
        low, high = (geometry.polynomials.coefficients @ (z ** np.arange(4.0)) for z in (-1.0, 1.0))
        lines = np.stack([low[..., 0], high[..., 0]])
        pixels = np.stack([tables.samples(end[..., 0], end[..., 1]) for end in (low, high)])
        reach = [ends(axis=0) for ends in (lines.min, lines.max, pixels.min, pixels.max)]
        return cls(grid=grid, geometry=geometry, tables=tables, reach=np.stack(reach))

    def places(
        self, rows: Band, columns: Band | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find a part of the map in the image.

        Parameters
        ----------
        rows, columns : Band
            Of the map; None: all columns.

        Returns
        -------
        lines, pixels : ndarray of float64, shape (rows, columns)
            Fractional; NaN outside the DEM.
        """
        whole = Band(0, self.geometry.grid.shape.samples)
        _, (lines, ranges) = self.geometry.block(rows, columns or whole)
        return lines, self.tables.samples(lines, ranges)

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
        first_line, last_line, first_pixel, last_pixel = self.reach[
            :, _nodes(rows, polynomials.row_step), _nodes(columns, polynomials.column_step)
        ]
        return Window(
            lines=_within(first_line, last_line, self.grid.shape.lines),
            pixels=_within(first_pixel, last_pixel, self.grid.shape.samples),
        )


def _nodes(pixels: Band, step: float) -> slice:
    """Nodes around some pixels."""
    return slice(int(pixels.first // step), int((pixels.first + pixels.rows - 1) // step) + 2)


def _within(lowest: NDArray[np.float64], highest: NDArray[np.float64], size: int) -> Band:
    """Whole pixels that places between nodes and their halo reach, inside an image."""
    first = max(math.floor(float(np.fmin.reduce(lowest, axis=None))) - _HALO, 0)
    last = min(math.ceil(float(np.fmax.reduce(highest, axis=None))) + _HALO, size - 1)
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
        Of backscatter, which is linear in intensity.
    """

    lattice: NDArray[np.float32]
    noise: NoiseTables | None
    interpolation: Interpolation

    def calibrate(self, intensities: NDArray[np.float32], window: Window) -> None:
        """Turn intensities into backscatter, in place; NaN stays NaN.

        Parameters
        ----------
        intensities : ndarray of float32, shape (lines, pixels)
            The window's pixels.
        window : Window
            Part of the image.
        """
        noise = self.noise or _NO_NOISE
        detected_numba.calibrate(
            intensities,
            window.lines.first,
            window.pixels.first,
            self.lattice,
            LATTICE_STEP,
            self.noise is not None,
            noise.vector_lines,
            noise.vectors,
            noise.last_samples,
            noise.factors,
        )

    def sample(
        self,
        places: tuple[NDArray[np.float64], NDArray[np.float64]],
        backscatter: NDArray[np.float32],
        window: Window,
        out: NDArray[np.float32],
        *,
        first_column: int = 0,
    ) -> None:
        """Sample a part of a map.

        Parameters
        ----------
        places : tuple of ndarray of float64, shape (rows, n)
            Lines and pixels.
        backscatter : ndarray of float32, shape (lines, pixels)
            The window's pixels, calibrated; NaN where there is no data.
        window : Window
            Part of the image.
        out : ndarray of float32, shape (rows, columns)
            Receives backscatter [1] where it is 0 and there is data; a value that is not
            positive becomes 1e-7, because 0 means no data.
        first_column : int
            Column of `out` that the places begin at.
        """
        detected_numba.sample(
            *places,
            backscatter,
            window.lines.first,
            window.pixels.first,
            int(self.interpolation),
            first_column,
            out,
        )


_NO_NOISE = NoiseTables(
    vector_lines=np.zeros(1),
    vectors=np.zeros(Shape(1, 1), np.float32),
    last_samples=np.zeros(Shape(1, 1), np.int32),
    factors=np.zeros(Shape(1, 1), np.float32),
)
