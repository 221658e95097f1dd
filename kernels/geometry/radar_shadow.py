"""Layover and shadow of the cells of a radar raster, from the profiles of `shadow`.

A cell is in layover where the circle of its slant range meets the terrain more than once, and in
shadow where nothing that the circle meets is seen. What the DEM does not cover has no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry import shadow_numba, terrain_numba
from kernels.geometry.height_polynomials import HeightPolynomials
from kernels.geometry.orbit import Orbit
from kernels.geometry.radar_shadow_numba import crossings
from kernels.geometry.shadow import tabulate_profiles
from kernels.model import Dem, RadarGrid, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarShadow:
    """Profiles of the terrain in the planes of zero Doppler of a raster's rows.

    Attributes
    ----------
    grid : RadarGrid
        Of the raster.
    dem : Dem
        Terrain.
    stations : int
        Of a profile.
    polynomials : HeightPolynomials
        DEM row and column, slant range and look angle of stations.
    """

    grid: RadarGrid
    dem: Dem
    stations: int
    polynomials: HeightPolynomials

    @classmethod
    def of(cls, grid: RadarGrid, orbit: Orbit, dem: Dem, *, spacing: float) -> RadarShadow:
        """Tabulate the profiles.

        Parameters
        ----------
        grid : RadarGrid
            Of the raster.
        orbit : Orbit
            Of the image.
        dem : Dem
            Terrain; it should reach past the raster by its range of heights.
        spacing : float
            Largest distance between stations in slant range at the middle height [m].

        Returns
        -------
        RadarShadow
            For any rows.
        """
        lowest, highest = float(dem.heights.min()), float(dem.heights.max())
        # what shares a circle with the raster, or hides it, is not farther off than the relief
        margin = math.ceil(2.0 * (highest - lowest) / spacing) + 2
        width = (grid.shape.samples - 1) * grid.slant_range_spacing
        stations = math.ceil(width / spacing) + 2 * margin + 1
        profiles = replace(
            grid,
            shape=Shape(grid.shape.lines, stations),
            first_slant_range=grid.first_slant_range - margin * spacing,
            slant_range_spacing=spacing,
        )
        height = 0.5 * (lowest + highest)
        return cls(
            grid=grid,
            dem=dem,
            stations=stations,
            polynomials=tabulate_profiles(profiles, dem, orbit, height),
        )

    def rows(self, rows: Band) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell what lies in layover and in shadow.

        Parameters
        ----------
        rows : Band
            Of the raster.

        Returns
        -------
        layover, shadow : ndarray of bool, shape (rows, samples)
            Of the centres of the cells; False where the DEM tells nothing.
        """
        table = self.polynomials
        blended = np.empty((table.coefficients.shape[1], table.coefficients.shape[2] * 4))
        ranges, looks = np.empty(self.stations), np.empty(self.stations)
        bits = np.empty(self.stations, np.uint8)
        counts, seen = (np.zeros((rows.rows, self.grid.shape.samples), np.int32) for _ in "ab")
        for k in range(rows.rows):
            terrain_numba.blend_node_rows(
                table.coefficients, float(rows.first + k), table.row_step, blended
            )
            shadow_numba.profile(
                blended,
                table.column_step,
                table.middle,
                table.half,
                self.dem.heights,
                ranges,
                looks,
            )
            shadow_numba.mark(ranges, looks, bits)
            crossings(
                ranges,
                bits,
                self.grid.first_slant_range,
                self.grid.slant_range_spacing,
                counts[k],
                seen[k],
            )
        return counts > 1, (counts > 0) & (seen == 0)
