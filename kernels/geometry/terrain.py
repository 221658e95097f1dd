"""Pixels on a terrain: where the circle of zero Doppler and slant range meets a DEM."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, map_bands, split_rows
from kernels.geometry import terrain_numba
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.height_polynomials import HeightPolynomials, Quantities, tabulate
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain_rows_numba import LANES, terrain_rows
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, RadarGrid

HEIGHT_MARGIN = 100.0
"""Polynomials reach so far beyond the lowest and highest point of a DEM [m]."""


def dem_coordinates(
    dem: Dem, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fractional rows and columns of a DEM.

    Parameters
    ----------
    dem : Dem
        Pixel coordinates count from the centre of its first pixel.
    longitudes, latitudes : ndarray of float64
        [rad]; longitudes are taken on the DEM's side of the antimeridian.

    Returns
    -------
    rows, columns : ndarray of float64
        May lie outside the raster.
    """
    middle = dem.west + 0.5 * dem.longitude_step * (dem.heights.shape[1] - 1)
    degrees = np.degrees(longitudes)
    degrees = degrees - 360.0 * np.round((degrees - middle) / 360.0)
    return (
        (np.degrees(latitudes) - dem.north) / dem.latitude_step,
        (degrees - dem.west) / dem.longitude_step,
    )


def heights_on_dem(
    dem: Dem, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bilinear heights [m] at longitudes and latitudes [rad] of one shape; NaN outside."""
    rows, columns = dem_coordinates(dem, longitudes, latitudes)
    out = np.empty(rows.size)
    terrain_numba.heights_at(dem.heights, rows.reshape(-1), columns.reshape(-1), out)
    return out.reshape(rows.shape)


PixelErrors = Callable[
    [NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    tuple[NDArray[np.float64], NDArray[np.float64]],
]
"""``(measured_times, measured_ranges, points) -> (times, ranges)`` to be added to the measured."""


def tabulate_radar(
    grid: RadarGrid,
    orbit: Orbit,
    dem: Dem,
    quantities: Quantities | None = None,
    *,
    errors: PixelErrors | None = None,
) -> HeightPolynomials:
    """Tabulate DEM coordinates, and more quantities, over a radar grid.

    Parameters
    ----------
    grid : RadarGrid
        Of the pixels.
    orbit : Orbit
        Of the same image.
    dem : Dem
        Gives the interval of heights.
    quantities : callable or None
        ``(points, zero_doppler_times, slant_ranges) -> (..., n)`` for Earth-fixed points.
    errors : callable or None
        What times and ranges of the grid lack [s] and [m]; None: nothing.

    Returns
    -------
    HeightPolynomials
        Quantities 0 and 1 are DEM row and column, then those asked for.
    """

    def evaluate(
        rows: NDArray[np.float64], columns: NDArray[np.float64], heights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        ranges = grid.slant_range(columns)
        times = grid.zero_doppler_time(rows, ranges)
        points = radar_to_ground(orbit, times, ranges, heights, side=grid.look_side)
        if errors is not None:
            late, far = errors(times, ranges, points)
            times, ranges = times + late, ranges + far
            points = radar_to_ground(orbit, times, ranges, heights, side=grid.look_side)
        longitudes, latitudes, _ = ecef_to_geodetic(points)
        found = np.stack(dem_coordinates(dem, longitudes, latitudes), axis=-1)
        if quantities is None:
            return found
        return np.concatenate([found, quantities(points, times, ranges)], axis=-1)

    lowest = float(dem.heights.min()) - HEIGHT_MARGIN
    highest = float(dem.heights.max()) + HEIGHT_MARGIN
    return tabulate(grid.shape, evaluate, lowest=lowest, highest=highest)


def meet_terrain(
    polynomials: HeightPolynomials, dem: Dem, *, lines: Band, samples: int, threads: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the ground point of every pixel of some lines.

    In layover, where several points share a pixel, one of them is taken.

    Parameters
    ----------
    polynomials : HeightPolynomials
        From `tabulate_radar`.
    dem : Dem
        The same DEM.
    lines : Band
        Lines of the radar grid.
    samples : int
        Samples from 0.
    threads : int
        Over blocks of lines; results do not depend on it.

    Returns
    -------
    heights : ndarray of float64, shape (lines, samples)
        Above the ellipsoid [m], on the bilinear surface to 0.01 m; NaN outside the DEM.
    values : ndarray of float64, shape (quantities - 2, lines, samples)
        Further quantities of the polynomials.
    """
    quantities = polynomials.coefficients.shape[2]
    heights = np.empty((lines.rows, samples))
    values = np.empty((quantities - 2, lines.rows, samples))

    def compute(band: Band) -> None:
        part = slice(band.first, band.first + band.rows)
        found = np.empty((quantities - 2, band.rows, samples))
        terrain_rows(
            polynomials.coefficients,
            lines.first + band.first,
            (polynomials.row_step, polynomials.column_step),
            polynomials.middle,
            polynomials.half,
            dem.heights,
            heights[part],
            found,
        )
        values[:, part] = found

    for _ in map_bands(split_rows(lines.rows, band_rows=LANES), compute, threads=threads):
        pass
    return heights * polynomials.half + polynomials.middle, values


def radar_to_terrain(
    grid: RadarGrid, orbit: Orbit, dem: Dem, *, lines: Band, threads: int = 1
) -> NDArray[np.float64]:
    """Locate every pixel of some lines on the terrain.

    Parameters
    ----------
    grid : RadarGrid
        Of the pixels.
    orbit : Orbit
        Of the same image.
    dem : Dem
        Terrain, bilinear between its posts.
    lines : Band
        Lines of the grid.
    threads : int
        Over blocks of lines.

    Returns
    -------
    ndarray of float64, shape (lines, samples, 3)
        Earth-fixed [m]; NaN outside the DEM.
    """
    polynomials = tabulate_radar(grid, orbit, dem)
    heights, _ = meet_terrain(
        polynomials, dem, lines=lines, samples=grid.shape.samples, threads=threads
    )
    rows = np.arange(lines.first, lines.first + lines.rows, dtype=np.float64)[:, None]
    ranges = grid.slant_range(np.arange(grid.shape.samples, dtype=np.float64))[None, :]
    known = np.isfinite(heights)
    points = radar_to_ground(
        orbit,
        np.broadcast_to(grid.zero_doppler_time(rows, ranges), heights.shape)[known],
        np.broadcast_to(ranges, heights.shape)[known],
        heights[known],
        side=grid.look_side,
        threads=threads,
    )
    located = np.full((*heights.shape, 3), np.nan)
    located[known] = points
    return located
