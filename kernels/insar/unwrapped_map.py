"""Unwrapped phase and displacement on a map, and how the radar sees its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.illumination import line_of_sight
from kernels.geometry.map_geometry import MapGeometry
from kernels.geometry.map_grids import pixel_positions
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.unwrapped_map_numba import unwrap_pixels
from kernels.insar.unwrapping import Unwrapped
from kernels.model import Dem, MapGrid, RadarGrid


class Reference(NamedTuple):
    """What displacement is relative to.

    Attributes
    ----------
    phase : float
        Unwrapped [rad].
    component : int
        Where that phase is known.
    """

    phase: float
    component: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwrappedMap:
    """Takes an unwrapped phase from radar geometry to the pixels of a map.

    Attributes
    ----------
    grid : RadarGrid
        Of the unwrapped phase.
    unwrapped : Unwrapped
        In radar geometry.
    geometry : MapGeometry
        Row, column, and the line of sight (east, north, up) of the map's pixels.
    """

    grid: RadarGrid
    unwrapped: Unwrapped
    geometry: MapGeometry

    @classmethod
    def of(
        cls, map_grid: MapGrid, dem: Dem, orbit: Orbit, grid: RadarGrid, unwrapped: Unwrapped
    ) -> UnwrappedMap:
        """Tabulate the geometry of a map.

        Parameters
        ----------
        map_grid : MapGrid
            The map.
        dem : Dem
            Terrain under it.
        orbit : Orbit
            Of the reference image.
        grid : RadarGrid
            Of the unwrapped phase; at least two rows and columns.
        unwrapped : Unwrapped
            What is sampled.

        Returns
        -------
        UnwrappedMap
            For any rows of the map.
        """

        def quantities(
            rows: NDArray[np.float64], columns: NDArray[np.float64], heights: NDArray[np.float64]
        ) -> NDArray[np.float64]:
            longitudes, latitudes = pixel_positions(map_grid, rows[..., :1], columns[..., :1])
            points = geodetic_to_ecef(longitudes, latitudes, heights)
            times, ranges = ground_to_radar(orbit, points)
            places = np.stack([grid.line(times, ranges), grid.sample(ranges)], axis=-1)
            return np.concatenate([places, line_of_sight(orbit, points)], axis=-1)

        return cls(
            grid=grid,
            unwrapped=unwrapped,
            geometry=MapGeometry.tabulated(map_grid, dem, quantities),
        )

    def compute(
        self, rows: Band, wrapped: NDArray[np.float32], reference: Reference
    ) -> NDArray[np.float32]:
        """Unwrap some rows of the map.

        Parameters
        ----------
        rows : Band
            Of the map.
        wrapped : ndarray of float32, shape (rows, columns)
            Phase on the map [rad]; NaN where there is no data.
        reference : Reference
            Where displacement is 0.

        Returns
        -------
        ndarray of float32, shape (7, rows, columns)
            Displacement towards the satellite [m], NaN outside the reference's component;
            unwrapped phase [rad], equal to the wrapped one but for whole cycles, NaN where it is
            not known; component, 0 where there is none; incidence [rad]; east, north and up of
            the unit vector to the satellite, NaN outside the elevation model.
        """
        columns = Band(0, self.geometry.grid.shape.samples)
        places = self.geometry.block(rows, columns)[1]
        phase, component = wrapped.copy(), np.empty(wrapped.shape, np.int32)
        unwrap_pixels(
            places[0],
            places[1],
            self.unwrapped.phase,
            self.unwrapped.components,
            phase,
            component,
        )
        metres_per_radian = np.float32(-self.grid.wavelength / (4.0 * math.pi))
        displacement = metres_per_radian * (phase - np.float32(reference.phase))
        displacement[component != reference.component] = np.nan
        out = np.empty((7, *wrapped.shape), np.float32)
        out[0], out[1], out[2] = displacement, phase, component
        out[3] = np.arccos(np.clip(places[4], -1.0, 1.0))
        out[4:] = places[2:]
        return out
