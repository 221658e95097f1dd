"""Radar rasters on a map: the complex sums are interpolated, never the phase."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.height_polynomials import HeightPolynomials, tabulate
from kernels.geometry.map_grids import pixel_positions
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import HEIGHT_MARGIN, heights_on_dem
from kernels.geometry.terrain_numba import blend_node_rows
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.geocode_numba import sample_row
from kernels.model import Dem, Looks, MapGrid, RadarGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarSums:
    """Look sums of a swath with their geometry.

    Attributes
    ----------
    grid : RadarGrid
        Of the look cells.
    orbit : Orbit
        Of the reference image.
    looks : Looks
        Pixels of a cell.
    sums : ndarray of float32, shape (rows, cells, 4)
        Cross product (real, imaginary), reference and secondary power; a reference power of 0
        marks no data. May be a memory map.
    """

    grid: RadarGrid
    orbit: Orbit
    looks: Looks
    sums: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geocoder:
    """Samples the sums of several swaths on a map; the first swath that has data wins.

    Attributes
    ----------
    grid : MapGrid
        Of the result.
    dem : Dem
        Terrain.
    swaths : tuple of RadarSums
        What is sampled.
    polynomials : tuple of HeightPolynomials
        Row and column in each swath.
    """

    grid: MapGrid
    dem: Dem
    swaths: tuple[RadarSums, ...]
    polynomials: tuple[HeightPolynomials, ...]

    @classmethod
    def of(cls, grid: MapGrid, dem: Dem, swaths: tuple[RadarSums, ...]) -> Geocoder:
        """Tabulate the geometry of a map grid in each swath."""
        return cls(
            grid=grid,
            dem=dem,
            swaths=swaths,
            polynomials=tuple(_tabulate_map(grid, dem, swath) for swath in swaths),
        )

    def compute(self, rows: Band) -> NDArray[np.float32]:
        """Sample some rows.

        Parameters
        ----------
        rows : Band
            Of the map.

        Returns
        -------
        ndarray of float32, shape (5, rows, columns)
            Amplitude, phase [rad], coherency, isData (0 or 1) and displacement towards the
            satellite [m]; all but isData are NaN where isData is 0.
        """
        columns = self.grid.shape.samples
        out = np.full((5, rows.rows, columns), np.nan, np.float32)
        out[3] = 0.0
        at = np.arange(columns, dtype=np.float64)
        for row in range(rows.rows):
            line = np.full(columns, float(rows.first + row))
            heights = heights_on_dem(self.dem, *pixel_positions(self.grid, line, at))
            for swath, polynomials in zip(self.swaths, self.polynomials, strict=True):
                blended = np.empty((polynomials.coefficients.shape[1], 8))
                blend_node_rows(
                    polynomials.coefficients,
                    float(rows.first + row),
                    polynomials.row_step,
                    blended,
                )
                sample_row(
                    blended,
                    polynomials.column_step,
                    (heights - polynomials.middle) / polynomials.half,
                    swath.sums,
                    float(swath.looks.azimuth * swath.looks.range),
                    -swath.grid.wavelength / (4.0 * math.pi),
                    out[:, row],
                )
        return out


def _tabulate_map(grid: MapGrid, dem: Dem, swath: RadarSums) -> HeightPolynomials:
    def evaluate(
        rows: NDArray[np.float64], columns: NDArray[np.float64], heights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        longitudes, latitudes = pixel_positions(grid, rows, columns)
        times, ranges = ground_to_radar(
            swath.orbit, geodetic_to_ecef(longitudes, latitudes, heights)
        )
        return np.stack([swath.grid.line(times, ranges), swath.grid.sample(ranges)], axis=-1)

    lowest = float(dem.heights.min()) - HEIGHT_MARGIN
    highest = float(dem.heights.max()) + HEIGHT_MARGIN
    return tabulate(grid.shape, evaluate, lowest=lowest, highest=highest)
