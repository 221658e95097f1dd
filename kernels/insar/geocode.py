"""Radar rasters on a map: the complex sums are interpolated, never the phase."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.map_geometry import MapGeometry
from kernels.geometry.orbit import Orbit
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
    swaths : tuple of RadarSums
        What is sampled.
    geometries : tuple of MapGeometry
        Row and cell of map pixels in each swath.
    """

    grid: MapGrid
    swaths: tuple[RadarSums, ...]
    geometries: tuple[MapGeometry, ...]

    @classmethod
    def of(cls, grid: MapGrid, dem: Dem, swaths: tuple[RadarSums, ...]) -> Geocoder:
        """Tabulate the geometry of a map grid in each swath."""

        def geometry(swath: RadarSums) -> MapGeometry:
            def coordinates(
                times: NDArray[np.float64], ranges: NDArray[np.float64]
            ) -> NDArray[np.float64]:
                return np.stack(
                    [swath.grid.line(times, ranges), swath.grid.sample(ranges)], axis=-1
                )

            return MapGeometry.of(grid, dem, swath.orbit, coordinates)

        return cls(grid=grid, swaths=swaths, geometries=tuple(geometry(swath) for swath in swaths))

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
        out = np.full((5, rows.rows, self.grid.shape.samples), np.nan, np.float32)
        out[3] = 0.0
        for row in range(rows.rows):
            for swath, geometry in zip(self.swaths, self.geometries, strict=True):
                _, places = geometry.row(rows.first + row)
                sample_row(
                    places[0],
                    places[1],
                    swath.sums,
                    float(swath.looks.azimuth * swath.looks.range),
                    -swath.grid.wavelength / (4.0 * math.pi),
                    out[:, row],
                )
        return out
