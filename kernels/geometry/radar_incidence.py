"""Local incidence at the cells of a radar raster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import east_north_up, ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.height_polynomials import HeightPolynomials
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import heights_on_dem, meet_terrain, tabulate_radar
from kernels.model import Dem, RadarGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarIncidence:
    """Where the cells of a raster lie, and how the satellite sees them.

    Attributes
    ----------
    grid : RadarGrid
        Of the raster.
    dem : Dem
        Terrain.
    polynomials : HeightPolynomials
        DEM row and column, east and north of the DEM's middle [rad], and the direction to the
        satellite along east, north and up.
    """

    grid: RadarGrid
    dem: Dem
    polynomials: HeightPolynomials

    @classmethod
    def of(cls, grid: RadarGrid, orbit: Orbit, dem: Dem) -> RadarIncidence:
        """Tabulate a raster; cells outside the DEM have no incidence.

        Parameters
        ----------
        grid : RadarGrid
            Of the raster.
        orbit : Orbit
            Of the image.
        dem : Dem
            Terrain.

        Returns
        -------
        RadarIncidence
            For any rows.
        """
        middle = _middle(dem)

        def quantities(
            points: NDArray[np.float64], times: NDArray[np.float64], ranges: NDArray[np.float64]
        ) -> NDArray[np.float64]:
            longitudes, latitudes, _ = ecef_to_geodetic(points)
            sight = (orbit.position(times) - points) / ranges[..., None]
            local = np.einsum("...ij,...j->...i", east_north_up(longitudes, latitudes), sight)
            turned = np.angle(np.exp(1j * (longitudes - middle)))
            return np.concatenate([turned[..., None], latitudes[..., None], local], axis=-1)

        return cls(grid=grid, dem=dem, polynomials=tabulate_radar(grid, orbit, dem, quantities))

    def rows(self, rows: Band) -> NDArray[np.float64]:
        """Compute the angles of some rows.

        Parameters
        ----------
        rows : Band
            Of the raster.

        Returns
        -------
        ndarray of float64, shape (rows, samples)
            Between the terrain's normal and the direction to the satellite [rad], of one of the
            points where several share a cell; slopes are central differences over one post of
            the DEM. NaN outside the DEM.
        """
        heights, values = meet_terrain(
            self.polynomials, self.dem, lines=rows, samples=self.grid.shape.samples
        )
        east, latitudes = values[:2]
        longitudes = east + _middle(self.dem)
        half = np.radians(0.5 * np.array([self.dem.longitude_step, -self.dem.latitude_step]))
        level = np.zeros(heights.shape)
        sizes = [
            np.linalg.norm(
                geodetic_to_ecef(longitudes + x, latitudes + y, level)
                - geodetic_to_ecef(longitudes - x, latitudes - y, level),
                axis=-1,
            )
            for x, y in ((half[0], 0.0), (0.0, half[1]))
        ]
        rises = [
            heights_on_dem(self.dem, longitudes + x, latitudes + y)
            - heights_on_dem(self.dem, longitudes - x, latitudes - y)
            for x, y in ((half[0], 0.0), (0.0, half[1]))
        ]
        slopes = [rise / size for rise, size in zip(rises, sizes, strict=True)]
        normal = np.stack([-slopes[0], -slopes[1], np.ones(heights.shape)])
        cosine = (normal * values[2:]).sum(axis=0) / np.linalg.norm(normal, axis=0)
        found: NDArray[np.float64] = np.arccos(np.clip(cosine, -1.0, 1.0))
        found[np.isnan(heights)] = np.nan
        return found


def _middle(dem: Dem) -> float:
    """Longitude of the DEM's middle [rad]."""
    return float(np.radians(dem.west + 0.5 * dem.longitude_step * (dem.heights.shape[1] - 1)))
