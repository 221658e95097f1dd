"""Local incidence: the angle under which the slopes of a map are seen.

NaN outside the DEM. Slopes are central differences of the bilinear DEM between the neighbours
of a pixel, also at the edges of the map, so that maps that touch agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry import local_incidence_numba
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.map_geometry import MapGeometry
from kernels.geometry.map_grids import pixel_positions
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.model import Dem, MapGrid, Shape

NODE_STEP = 64
"""Pixels between nodes: over 640 m a direction is linear to 1e-7 rad, a range to 4 cm."""


class Sight(NamedTuple):
    """How a satellite sees points above the pixels of a map; shapes (...) and (..., 3).

    Attributes
    ----------
    points, up : ndarray of float64, shape (..., 3)
        Earth-fixed position [m] and unit vector away from the ellipsoid.
    heights : ndarray of float64, shape (...)
        [m].
    times, ranges : ndarray of float64, shape (...)
        Zero-Doppler time [s from the orbit's epoch] and slant range [m].
    direction : ndarray of float64, shape (..., 3)
        Unit vector to the satellite: along the map's x, along its y, and up.
    sizes : ndarray of float64, shape (..., 2)
        Of a pixel on the ground along x and y, at the height [m].
    """

    points: NDArray[np.float64]
    up: NDArray[np.float64]
    heights: NDArray[np.float64]
    times: NDArray[np.float64]
    ranges: NDArray[np.float64]
    direction: NDArray[np.float64]
    sizes: NDArray[np.float64]


def see_pixels(
    grid: MapGrid,
    orbit: Orbit,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    heights: NDArray[np.float64],
) -> Sight:
    """See points above map pixels, exactly.

    Parameters
    ----------
    grid : MapGrid
        Whose axes are perpendicular on the ground, as geographic and conformal maps' are.
    orbit : Orbit
        Of the image.
    rows, columns, heights : ndarray of float64, shape (..., heights)
        Pixel coordinates, equal along the last axis, and heights above the ellipsoid [m].

    Returns
    -------
    Sight
        Of all points.
    """

    def above(down: float, right: float) -> NDArray[np.float64]:
        longitudes, latitudes = pixel_positions(
            grid, rows[..., :1] + down, columns[..., :1] + right
        )
        return geodetic_to_ecef(longitudes, latitudes, heights)

    points = above(0.0, 0.0)
    across = above(0.0, 0.5) - above(0.0, -0.5)
    along = above(-0.5, 0.0) - above(0.5, 0.0)
    sizes = np.stack([np.linalg.norm(across, axis=-1), np.linalg.norm(along, axis=-1)], axis=-1)
    x, y = across / sizes[..., :1], along / sizes[..., 1:]
    up = np.cross(x, y)
    times, ranges = ground_to_radar(orbit, points)
    sight = (orbit.position(times) - points) / ranges[..., None]
    direction = np.stack([(axis * sight).sum(axis=-1) for axis in (x, y, up)], axis=-1)
    return Sight(points, up, heights, times, ranges, direction, sizes)


def tabulate_sight(
    grid: MapGrid, dem: Dem, orbit: Orbit, quantities: Callable[[Sight], NDArray[np.float64]]
) -> MapGeometry:
    """Tabulate what depends on how the satellite sees a map.

    Parameters
    ----------
    grid : MapGrid
        The map.
    dem : Dem
        Terrain.
    orbit : Orbit
        Of the image.
    quantities : callable
        ``(sight) -> values`` of shape (..., quantities).

    Returns
    -------
    MapGeometry
        Of these quantities.
    """
    return MapGeometry.tabulated(
        grid, dem, lambda *places: quantities(see_pixels(grid, orbit, *places)), step=NODE_STEP
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalIncidence:
    """Local incidence on a map.

    Attributes
    ----------
    geometry : MapGeometry
        Direction to the satellite and size of the pixels, on the map and one pixel around it.
    """

    geometry: MapGeometry

    @classmethod
    def of(cls, grid: MapGrid, dem: Dem, orbit: Orbit) -> LocalIncidence:
        """Tabulate the directions to the satellite.

        Parameters
        ----------
        grid : MapGrid
            The map.
        dem : Dem
            Terrain.
        orbit : Orbit
            Of the image.

        Returns
        -------
        LocalIncidence
            For any rows of the map.
        """
        around = replace(
            grid,
            west=grid.west - grid.x_spacing,
            north=grid.north + grid.y_spacing,
            shape=Shape(grid.shape.lines + 2, grid.shape.samples + 2),
        )
        return cls(
            geometry=tabulate_sight(
                around,
                dem,
                orbit,
                lambda sight: np.concatenate([sight.direction, sight.sizes], axis=-1),
            )
        )

    def rows(self, rows: Band) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compute the angles on some rows of the map.

        Parameters
        ----------
        rows : Band
            Of the map.

        Returns
        -------
        local : ndarray of float32, shape (rows, columns)
            Between the terrain's normal and the direction to the satellite [rad], 0 to pi;
            above pi / 2 the slope faces away. NaN outside the DEM.
        projected : ndarray of float32, shape (rows, columns)
            The same with the normal projected on the range plane, which holds the vertical
            and the satellite [rad]; negative where the slope is steeper than the incidence,
            so that layover starts.
        """
        columns = self.geometry.grid.shape.samples - 2
        local = np.empty((rows.rows, columns), np.float32)
        projected = np.empty_like(local)
        above, _ = self.geometry.row(rows.first)
        here, values = self.geometry.row(rows.first + 1)
        for k in range(rows.rows):
            below, following = self.geometry.row(rows.first + k + 2)
            local_incidence_numba.incidence_row(above, here, below, values, local[k], projected[k])
            above, here, values = here, below, following
        return local, projected


def incidence_normalisation(local: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor that turns beta nought into sigma nought normalised by the local incidence.

    ``sigma0 = beta0 * sin(local incidence)``: the area normalisation of a plane facet in the
    plane of incidence (D. Small, IEEE Trans. Geosci. Remote Sens. 49(8), 2011, section II), as
    S1Tiling's NORMLIM.

    Parameters
    ----------
    local : ndarray of float32
        Local incidence [rad].

    Returns
    -------
    ndarray of float32
        From 0 to 1; NaN stays NaN.
    """
    return np.abs(np.sin(local))
