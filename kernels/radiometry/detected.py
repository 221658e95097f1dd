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
    """

    grid: GroundRangeGrid | RadarGrid
    geometry: MapGeometry
    tables: RangeTables

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

        return cls(
            grid=grid,
            geometry=MapGeometry.of(map_grid, dem, orbit, coordinates),
            tables=RangeTables.of(grid),
        )

    def places(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return fractional lines and pixels of one row of the map; NaN outside the DEM."""
        _, (lines, ranges) = self.geometry.row(row)
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
        nodes = polynomials.coefficients[
            _nodes(rows, polynomials.row_step), _nodes(columns, polynomials.column_step)
        ]
        low, high = (nodes @ (z ** np.arange(4.0)) for z in (-1.0, 1.0))
        both = np.concatenate([low.reshape(-1, 2), high.reshape(-1, 2)])
        shape = self.grid.shape
        return Window(
            lines=_within(both[:, 0], shape.lines),
            pixels=_within(self.tables.samples(both[:, 0], both[:, 1]), shape.samples),
        )


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
