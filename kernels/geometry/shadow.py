"""Layover and shadow, from profiles of the terrain in planes of zero Doppler.

In such a plane a point is in layover where another point of the terrain has the same slant
range, and in shadow where a nearer point is seen under the same or a larger look angle
(W. G. Kropatsch and D. Strobl, IEEE Trans. Geosci. Remote Sens. 28(1), 1990). Along a profile
from near to far that is: a range below the largest before it or above the smallest after it,
and a look angle below the largest before it. The bits are geometry alone: a point in shadow
may lie in layover as well. What the DEM does not cover neither hides nor overlays anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, map_bands, split_rows
from kernels.engine.progress import Progress
from kernels.geometry import shadow_numba, terrain_numba
from kernels.geometry.ellipsoid import east_north_up, ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.height_polynomials import HeightPolynomials, tabulate
from kernels.geometry.local_incidence import NODE_STEP, Sight, tabulate_sight
from kernels.geometry.map_geometry import MapGeometry
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import HEIGHT_MARGIN, dem_coordinates
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import Dem, LookSide, MapGrid, RadarGrid, Shape

LAYOVER = shadow_numba.LAYOVER
SHADOW = shadow_numba.SHADOW

_EDGE_POINTS = 33
_ROWS_PER_BLOCK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainProfiles:
    """Layover and shadow along profiles over a whole DEM.

    Attributes
    ----------
    orbit : Orbit
        Of the image.
    dem : Dem
        Terrain.
    grid : RadarGrid
        Profiles are its lines; stations are its samples at the reference height, points at
        other heights belong to the station that is under or above them in the plane.
    height : float
        Reference height [m].
    bits : ndarray of uint8, shape (profiles, stations)
        Sums of LAYOVER and SHADOW; 0 outside the DEM.
    """

    orbit: Orbit
    dem: Dem
    grid: RadarGrid
    height: float
    bits: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        dem: Dem,
        orbit: Orbit,
        *,
        spacing: float,
        side: LookSide = LookSide.RIGHT,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> TerrainProfiles:
        """March along all profiles.

        Parameters
        ----------
        dem : Dem
            Terrain; it should reach past the place of interest by its range of heights.
        orbit : Orbit
            Of the image; ground outside its interval gets no profiles.
        spacing : float
            Between profiles, and largest between stations [m].
        side : LookSide
            Side of the track.
        threads : int
            Over blocks of profiles; results do not depend on it.
        progress : Progress or None
            Told of shares; asked for cancellation.

        Returns
        -------
        TerrainProfiles
            One byte per station.
        """
        height = 0.5 * float(dem.heights.min() + dem.heights.max())
        grid = _profile_grid(dem, orbit, height=height, spacing=spacing, side=side)
        polynomials = tabulate_profiles(grid, dem, orbit, height)
        bits = np.empty(grid.shape, np.uint8)

        def compute(band: Band) -> None:
            quantities = polynomials.coefficients.shape[2]
            blended = np.empty((polynomials.coefficients.shape[1], quantities * 4))
            ranges, looks = np.empty(grid.shape.samples), np.empty(grid.shape.samples)
            for row in range(band.first, band.first + band.rows):
                terrain_numba.blend_node_rows(
                    polynomials.coefficients, float(row), polynomials.row_step, blended
                )
                shadow_numba.profile(
                    blended,
                    polynomials.column_step,
                    polynomials.middle,
                    polynomials.half,
                    dem.heights,
                    ranges,
                    looks,
                )
                shadow_numba.mark(ranges, looks, bits[row])

        blocks = split_rows(grid.shape.lines, band_rows=_ROWS_PER_BLOCK)
        progress = progress or Progress()
        for number, _ in enumerate(map_bands(blocks, compute, threads=threads)):
            progress.update((number + 1) / len(blocks), "terrain")
        return cls(orbit=orbit, dem=dem, grid=grid, height=height, bits=bits)

    def places(self, sight: Sight) -> NDArray[np.float64]:
        """Fractional profiles and stations of points, shape (..., 2)."""
        rise = _rise_in_plane(self.orbit, sight.times, sight.up)
        feet = sight.points - (sight.heights - self.height)[..., None] * rise
        ranges = np.linalg.norm(feet - self.orbit.position(sight.times), axis=-1)
        lines = self.grid.line(sight.times, ranges)
        return np.stack([lines, self.grid.sample(ranges)], axis=-1)

    def on_map(self, grid: MapGrid) -> ShadowMap:
        """Tabulate where the pixels of a map are on the profiles.

        Parameters
        ----------
        grid : MapGrid
            The map.

        Returns
        -------
        ShadowMap
            For any rows of the map.
        """
        geometry = tabulate_sight(grid, self.dem, self.orbit, self.places)
        return ShadowMap(geometry=geometry, bits=self.bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowMap:
    """Layover and shadow on a map.

    Attributes
    ----------
    geometry : MapGeometry
        Profiles and stations of map pixels.
    bits : ndarray of uint8, shape (profiles, stations)
        Of the profiles.
    """

    geometry: MapGeometry
    bits: NDArray[np.uint8]

    def rows(self, rows: Band) -> NDArray[np.uint8]:
        """Return the bits of some rows of the map.

        Parameters
        ----------
        rows : Band
            Of the map.

        Returns
        -------
        ndarray of uint8, shape (rows, columns)
            Sums of LAYOVER (1) and SHADOW (2), of the nearest station; 0 outside the DEM.
        """
        out = np.empty((rows.rows, self.geometry.grid.shape.samples), np.uint8)
        for k in range(rows.rows):
            _, (profiles, stations) = self.geometry.row(rows.first + k)
            shadow_numba.nearest_bits(self.bits, profiles, stations, out[k])
        return out


def _rise_in_plane(
    orbit: Orbit, times: NDArray[np.float64], up: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Vectors in the planes of zero Doppler that gain 1 m of height; up is of shape (..., 3)."""
    velocity = orbit.velocity(times)
    forward = velocity / np.linalg.norm(velocity, axis=-1, keepdims=True)
    along = (up * forward).sum(axis=-1, keepdims=True)
    rise: NDArray[np.float64] = (up - along * forward) / (1.0 - along * along)
    return rise


def _profile_grid(
    dem: Dem, orbit: Orbit, *, height: float, spacing: float, side: LookSide
) -> RadarGrid:
    """Cover the outline of a DEM with profiles and stations at the reference height."""
    lines, samples = dem.heights.shape
    along = np.linspace(0.0, 1.0, _EDGE_POINTS)
    rows, columns = (g.reshape(-1) for g in np.meshgrid(along, along, indexing="ij"))
    latitudes = np.radians(dem.north + rows * (lines - 1) * dem.latitude_step)
    longitudes = np.radians(dem.west + columns * (samples - 1) * dem.longitude_step)
    points = geodetic_to_ecef(longitudes, latitudes, np.full(rows.shape, height))
    times, ranges = ground_to_radar(orbit, points)
    start, stop = (float(np.clip(t, orbit.start, orbit.stop)) for t in (times.min(), times.max()))
    near = int(ranges.argmin())
    up = east_north_up(longitudes[near], latitudes[near])[2]
    sight = (orbit.position(float(times[near])) - points[near]) / ranges[near]
    sine = math.sqrt(1.0 - float(sight @ up) ** 2)
    # distance along the track at the middle of the DEM, per second
    ends = radar_to_ground(
        orbit,
        np.median(times) + np.array([-0.5, 0.5]),
        np.full(2, np.median(ranges)),
        np.full(2, height),
        side=side,
    )
    interval = spacing / float(np.linalg.norm(ends[1] - ends[0]))
    step = spacing * sine
    return RadarGrid(
        epoch=orbit.epoch,
        first_line_time=start - interval,
        line_interval=interval,
        shape=Shape(
            math.ceil((stop - start) / interval) + 3,
            math.ceil(float(ranges.max() - ranges.min()) / step) + 3,
        ),
        wavelength=1.0,  # of no matter here
        look_side=side,
        first_slant_range=float(ranges.min()) - step,
        slant_range_spacing=step,
    )


def tabulate_profiles(grid: RadarGrid, dem: Dem, orbit: Orbit, height: float) -> HeightPolynomials:
    """Tabulate DEM row and column, slant range and look angle of stations at any height."""

    def evaluate(
        rows: NDArray[np.float64], columns: NDArray[np.float64], heights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        ranges = grid.slant_range(columns[..., :1])
        times = grid.zero_doppler_time(rows[..., :1], ranges)
        reference = np.full(times.shape, height)
        feet = radar_to_ground(orbit, times, ranges, reference, side=grid.look_side)
        longitudes, latitudes, _ = ecef_to_geodetic(feet)
        up = east_north_up(longitudes, latitudes)[..., 2, :]
        points = feet + (heights - height)[..., None] * _rise_in_plane(orbit, times, up)
        longitudes, latitudes, _ = ecef_to_geodetic(points)
        position = orbit.position(times)
        sight = points - position
        distances = np.linalg.norm(sight, axis=-1)
        down = -(sight * position).sum(axis=-1) / np.linalg.norm(position, axis=-1)
        looks = np.arccos(down / distances)
        return np.stack([*dem_coordinates(dem, longitudes, latitudes), distances, looks], axis=-1)

    lowest = float(dem.heights.min()) - HEIGHT_MARGIN
    highest = float(dem.heights.max()) + HEIGHT_MARGIN
    return tabulate(grid.shape, evaluate, lowest=lowest, highest=highest, step=NODE_STEP)
