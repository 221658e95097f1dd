"""Map pixels in an image: where the terrain under each pixel of a map is in line and range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry import terrain_numba
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.height_polynomials import (
    NODE_STEP,
    HeightPolynomials,
    Quantities,
    tabulate,
)
from kernels.geometry.map_grids import pixel_positions
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import HEIGHT_MARGIN, dem_coordinates
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.model import Dem, MapGrid

ImageCoordinates = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""``(zero_doppler_times, slant_ranges) -> values`` of shape (..., quantities)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapGeometry:
    """Geometry of a map grid over a DEM in one image, tabulated on coarse nodes.

    Attributes
    ----------
    grid : MapGrid
        The map.
    dem : Dem
        Terrain.
    dem_nodes : ndarray of float64, shape (node rows, node columns, 2)
        DEM row and column of the nodes; a map projection is bilinear between nodes some
        hundred metres apart to millimetres.
    polynomials : HeightPolynomials
        The image's quantities.
    """

    grid: MapGrid
    dem: Dem
    dem_nodes: NDArray[np.float64]
    polynomials: HeightPolynomials

    @classmethod
    def of(
        cls, grid: MapGrid, dem: Dem, orbit: Orbit, coordinates: ImageCoordinates
    ) -> MapGeometry:
        """Tabulate the geometry.

        Parameters
        ----------
        grid : MapGrid
            The map.
        dem : Dem
            Terrain; map pixels outside it get no coordinates.
        orbit : Orbit
            Of the image.
        coordinates : callable
            Turns zero-Doppler times [s] and slant ranges [m] into the quantities wanted.

        Returns
        -------
        MapGeometry
            For any row of the map.
        """

        def quantities(
            rows: NDArray[np.float64], columns: NDArray[np.float64], heights: NDArray[np.float64]
        ) -> NDArray[np.float64]:
            longitudes, latitudes = pixel_positions(grid, rows[..., :1], columns[..., :1])
            points = geodetic_to_ecef(longitudes, latitudes, heights)
            return coordinates(*ground_to_radar(orbit, points))

        return cls.tabulated(grid, dem, quantities)

    @classmethod
    def tabulated(
        cls, grid: MapGrid, dem: Dem, quantities: Quantities, *, step: int = NODE_STEP
    ) -> MapGeometry:
        """Tabulate any quantities of terrain points.

        Parameters
        ----------
        grid : MapGrid
            The map.
        dem : Dem
            Terrain; map pixels outside it get no values.
        quantities : callable
            Evaluates pixel coordinates and heights, exactly; coordinates are equal along the
            last axis.
        step : int
            Pixels between nodes.

        Returns
        -------
        MapGeometry
            For any row of the map.
        """
        rows, columns = (np.arange(n // step + 2) * float(step) for n in grid.shape)
        positions = pixel_positions(grid, *np.meshgrid(rows, columns, indexing="ij"))
        return cls(
            grid=grid,
            dem=dem,
            dem_nodes=np.stack(dem_coordinates(dem, *positions), axis=-1),
            polynomials=tabulate(
                grid.shape,
                quantities,
                lowest=float(dem.heights.min()) - HEIGHT_MARGIN,
                highest=float(dem.heights.max()) + HEIGHT_MARGIN,
                step=step,
            ),
        )

    def block(self, rows: Band, columns: Band) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Evaluate a part of the map.

        Parameters
        ----------
        rows, columns : Band
            Of the map.

        Returns
        -------
        heights : ndarray of float64, shape (rows, columns)
            Above the ellipsoid [m]; NaN outside the DEM.
        values : ndarray of float64, shape (quantities, rows, columns)
            Of the terrain points; NaN outside the DEM.
        """
        polynomials = self.polynomials
        heights = np.empty((rows.rows, columns.rows))
        values = np.empty((polynomials.coefficients.shape[2], *heights.shape))
        terrain_numba.map_block(
            polynomials.coefficients,
            self.dem_nodes,
            (polynomials.row_step, polynomials.column_step),
            polynomials.middle,
            polynomials.half,
            self.dem.heights,
            rows.first,
            columns.first,
            heights,
            values,
        )
        return heights, values

    def row(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Evaluate one row of the map, without the axis of rows; see `block`."""
        heights, values = self.block(Band(row, 1), Band(0, self.grid.shape.samples))
        return heights[0], values[:, 0]
