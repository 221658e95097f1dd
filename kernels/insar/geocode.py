"""Radar rasters on a map: the complex sums are interpolated, never the phase."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    valid_ranges : ndarray of float64, shape (rows, 2)
        Slant ranges where the signal begins and ends [m]; NaN in rows without.
    """

    grid: RadarGrid
    orbit: Orbit
    looks: Looks
    sums: NDArray[np.float32]
    valid_ranges: NDArray[np.float64]


def swath_limits(swaths: Sequence[RadarSums]) -> tuple[NDArray[np.float64], ...]:
    """Part neighbouring swaths at the middle of their overlap.

    Parameters
    ----------
    swaths : sequence of RadarSums
        From near to far range, in one epoch.

    Returns
    -------
    tuple of ndarray of float64, shape (rows, 2)
        Of each swath, the cells between which it is nearer to its own middle than the
        neighbour is to its; infinite where there is no overlap.
    """
    limits = []
    for number, swath in enumerate(swaths):
        found = np.full((swath.grid.shape.lines, 2), (-np.inf, np.inf))
        for side, neighbour in ((0, number - 1), (1, number + 1)):
            if 0 <= neighbour < len(swaths):
                seam = swath.grid.sample(_seam(swath, swaths[neighbour], side))
                found[:, side] = np.where(np.isnan(seam), found[:, side], seam)
        limits.append(found)
    return tuple(limits)


def _seam(swath: RadarSums, neighbour: RadarSums, side: int) -> NDArray[np.float64]:
    """Slant range [m] per row midway between an edge of a swath and its neighbour's other edge."""
    rows = swath.grid.shape.lines
    times = swath.grid.first_line_time + np.arange(rows) * swath.grid.line_interval
    other = np.rint((times - neighbour.grid.first_line_time) / neighbour.grid.line_interval).astype(
        np.int64
    )
    inside = (other >= 0) & (other < neighbour.grid.shape.lines)
    edges = np.full((2, rows), np.nan)
    edges[0] = swath.valid_ranges[:, side]
    edges[1, inside] = neighbour.valid_ranges[other[inside], 1 - side]
    overlaps = edges[1] < edges[0] if side else edges[0] < edges[1]
    return np.where(overlaps, edges.mean(axis=0), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Geocoder:
    """Samples the sums of several swaths on a map.

    Neighbours are parted at the middle of their overlap; where the swath that a pixel belongs to
    has no data, another one that has gives it.

    Attributes
    ----------
    grid : MapGrid
        Of the result.
    swaths : tuple of RadarSums
        What is sampled, from near to far range.
    limits : tuple of ndarray of float64, shape (rows, 2)
        Cells that belong to each swath, as `swath_limits` finds them.
    geometries : tuple of MapGeometry
        Row and cell of map pixels in each swath.
    """

    grid: MapGrid
    swaths: tuple[RadarSums, ...]
    limits: tuple[NDArray[np.float64], ...]
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

        return cls(
            grid=grid,
            swaths=swaths,
            limits=swath_limits(swaths),
            geometries=tuple(geometry(swath) for swath in swaths),
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
        out = np.full((5, rows.rows, self.grid.shape.samples), np.nan, np.float32)
        out[3] = 0.0
        everywhere = tuple(np.full_like(limits, (-np.inf, np.inf)) for limits in self.limits)
        choices = (self.limits, everywhere) if len(self.swaths) > 1 else (everywhere,)
        for row in range(rows.rows):
            places = [geometry.row(rows.first + row)[1] for geometry in self.geometries]
            for limits in choices:
                for swath, place, limit in zip(self.swaths, places, limits, strict=True):
                    sample_row(
                        place[0],
                        place[1],
                        swath.sums,
                        limit,
                        float(swath.looks.azimuth * swath.looks.range),
                        -swath.grid.wavelength / (4.0 * math.pi),
                        out[:, row],
                    )
        return out
