"""Where the cells of a radar raster lie on the terrain, and how the radar sees them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.illumination import line_of_sight
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import radar_to_terrain
from kernels.model import Dem, RadarGrid


class CellGeometry(NamedTuple):
    """Geometry of some rows of cells; all of shape (rows, columns), NaN outside the terrain.

    Attributes
    ----------
    longitude, latitude : ndarray of float64
        [rad].
    height : ndarray of float64
        Above the ellipsoid [m].
    incidence : ndarray of float64
        Between the line of sight and the ellipsoid's normal [rad].
    azimuth : ndarray of float64
        Direction to the satellite, anticlockwise from north [rad].
    slant_range : ndarray of float64
        [m].
    """

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    height: NDArray[np.float64]
    incidence: NDArray[np.float64]
    azimuth: NDArray[np.float64]
    slant_range: NDArray[np.float64]


def cell_geometry(
    grid: RadarGrid, orbit: Orbit, dem: Dem, *, rows: Band, threads: int = 1
) -> CellGeometry:
    """Locate the middles of the cells of some rows.

    Parameters
    ----------
    grid : RadarGrid
        Of the cells.
    orbit : Orbit
        Of the image.
    dem : Dem
        Terrain.
    rows : Band
        Of the grid.
    threads : int
        Over blocks of lines.

    Returns
    -------
    CellGeometry
        In layover one of the points that share a cell.
    """
    points = radar_to_terrain(grid, orbit, dem, lines=rows, threads=threads)
    known = np.isfinite(points[..., 0])
    found = np.full((6, *known.shape), np.nan)
    longitude, latitude, height = ecef_to_geodetic(points[known])
    sight = line_of_sight(orbit, points[known])
    found[:3, known] = longitude, latitude, height
    found[3, known] = np.arccos(np.clip(sight[:, 2], -1.0, 1.0))
    found[4, known] = np.arctan2(-sight[:, 0], sight[:, 1])
    ranges = grid.slant_range(np.arange(grid.shape.samples, dtype=np.float64))
    found[5] = np.where(known, ranges, np.nan)
    return CellGeometry(*found)
