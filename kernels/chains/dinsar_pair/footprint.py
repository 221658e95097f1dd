"""What ground a pair of images covers, and the elevation model under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.regions import common_box
from kernels.engine.bands import Band
from kernels.errors import InputError, ProcessingError, RequestError
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.map_grids import geographic_grid, ground_box, utm_grid
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import meet_terrain, tabulate_radar
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, GeographicBox, MapGrid, RadarGrid, Shape
from kernels.products.dem import load_dem
from kernels.products.raster import RasterReader

DEFAULT_SPACING = {"geographic": 1e-4, "utm": 10.0}

_MARGIN = 0.01
"""Around the footprint [degrees]."""
MAP_MARGIN = 0.001
"""Around the ground of some lines of each burst [degrees]: relief between them reaches out."""
_EDGE_POINTS = 17
_SAMPLE_STEP = 16
"""Samples between points of a line whose ground is looked up: tens of metres."""


class WithDem(Protocol):
    """A request that names elevation files and their policy."""

    @property
    def dem(self) -> tuple[Path, ...]:
        """Elevation files."""
        ...

    @property
    def dem_heights(self) -> str:
        """What the heights count from."""
        ...

    @property
    def dem_missing(self) -> str:
        """What is done where there is no value."""
        ...


def load_pair_dem(request: WithDem, pairs: tuple[SwathPair, ...]) -> Dem:
    """Load the elevation under the reference's chosen bursts.

    Parameters
    ----------
    request : WithDem
        Names the elevation files and their policy.
    pairs : tuple of SwathPair
        Opened swaths.

    Returns
    -------
    Dem
        Around the footprint.

    Raises
    ------
    DemError
        Files that cannot be used or that do not cover the footprint.
    """
    return load_dem_under(request, lambda lowest, highest: pair_box(pairs, lowest, highest))


def load_dem_under(request: WithDem, box: Callable[[float, float], GeographicBox]) -> Dem:
    """Load the elevation under what is seen.

    The footprint depends on the heights: it is found at sea level first, and again with the
    heights found there.

    Parameters
    ----------
    request : WithDem
        Names the elevation files and their policy.
    box : callable
        ``box(lowest, highest)`` around the footprint on ground of two heights [m].

    Returns
    -------
    Dem
        Around the footprint.

    Raises
    ------
    DemError
        Files that cannot be used or that do not cover the footprint.
    """
    lowest, highest = 0.0, 0.0
    while True:
        dem = load_dem(
            request.dem,
            box(lowest, highest),
            heights=request.dem_heights,  # type: ignore[arg-type]  # checked by the request
            missing=request.dem_missing,  # type: ignore[arg-type]
        )
        found = float(dem.heights.min()), float(dem.heights.max())
        # 500 m move the footprint by less than the margin
        if found[0] >= lowest - 500.0 and found[1] <= highest + 500.0:
            return dem
        lowest, highest = min(lowest, found[0]), max(highest, found[1])


def pair_box(pairs: tuple[SwathPair, ...], lowest: float, highest: float) -> GeographicBox:
    """Box [degrees] around the chosen bursts on ground of two heights [m]."""
    points = [
        edge_points(pair.layout.grid, pair.reference_orbit, lowest, highest) for pair in pairs
    ]
    longitudes, latitudes = np.concatenate(points, axis=1)
    return box_around(longitudes, latitudes, margin=_MARGIN)


def edge_points(
    grid: RadarGrid, orbit: Orbit, lowest: float, highest: float
) -> NDArray[np.float64]:
    """Longitudes and latitudes [rad], shape (2, n), of edges and middle at two heights [m]."""
    lines = np.linspace(0.0, grid.shape.lines - 1.0, _EDGE_POINTS)
    samples = np.array([0.0, 0.5, 1.0]) * (grid.shape.samples - 1.0)
    rows, columns, heights = np.meshgrid(lines, samples, [lowest, highest], indexing="ij")
    ranges = grid.slant_range(columns)
    times = grid.zero_doppler_time(rows, ranges)
    points = radar_to_ground(orbit, times, ranges, heights, side=grid.look_side)
    longitudes, latitudes, _ = ecef_to_geodetic(points.reshape(-1, 3))
    return np.stack([longitudes, latitudes])


def box_around(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64], *, margin: float
) -> GeographicBox:
    """Box [degrees] around points [rad]; continuous over the antimeridian."""
    degrees = np.degrees(longitudes)
    degrees = degrees[0] + (degrees - degrees[0] + 180.0) % 360.0 - 180.0
    west = float(degrees.min()) - margin
    turn = 360.0 if west < -180.0 else 0.0
    return GeographicBox(
        west=west + turn,
        south=max(float(np.degrees(latitudes.min())) - margin, -90.0),
        east=float(degrees.max()) + margin + turn,
        north=min(float(np.degrees(latitudes.max())) + margin, 90.0),
    )


def map_grid(request: DinsarPairRequest, pairs: tuple[SwathPair, ...], dem: Dem) -> MapGrid:
    """Choose the map grid of the result.

    Parameters
    ----------
    request : DinsarPairRequest
        Projection and spacing.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.

    Returns
    -------
    MapGrid
        Around the valid pixels on the terrain, or around what the region holds of them; corners
        are multiples of the spacing. Or the one of the raster that the request gives.

    Raises
    ------
    InputError
        The raster that should give the grid is none, or is on no map.
    ProcessingError
        There is no valid pixel.
    RequestError
        None of them is near the region or on the given grid.
    """
    longitudes, latitudes = [], []
    for pair in pairs:
        for placement in pair.layout.placements:
            burst = placement.burst
            valid = placement.origin + np.flatnonzero(burst.first_valid_sample >= 0)
            valid = valid[(valid >= placement.start) & (valid < placement.stop)]
            if valid.size == 0:
                continue
            for line in np.unique(np.linspace(valid[0], valid[-1], _EDGE_POINTS).astype(int)):
                first = int(burst.first_valid_sample[line - placement.origin])
                last = int(burst.last_valid_sample[line - placement.origin])
                found = on_terrain(pair, int(line), Band(first, last - first + 1), dem)
                known = np.isfinite(found[0])
                longitudes.append(found[0, known])
                latitudes.append(found[1, known])
    if not any(part.size for part in longitudes):
        raise ProcessingError("the chosen bursts hold no valid pixel on the elevation model")
    box = box_around(np.concatenate(longitudes), np.concatenate(latitudes), margin=MAP_MARGIN)
    return grid_over(request, box)


def grid_over(request: DinsarPairRequest, box: GeographicBox) -> MapGrid:
    """Choose the map grid over a box, or over what the region holds of it; raises RequestError."""
    if request.box is not None:
        cut = common_box(box, request.box)
        if cut is None:
            raise RequestError("region", "on the ground of the chosen bursts", request.region)
        box = cut
    if request.like is not None:
        return _given_grid(request.like, box)
    spacing = request.spacing or DEFAULT_SPACING[request.ortho]
    if request.ortho == "utm":
        return utm_grid(box, spacing=spacing)
    return geographic_grid(box, spacing=spacing)


def _given_grid(path: Path, box: GeographicBox) -> MapGrid:
    """Read the grid of a raster, which has to touch a box."""
    grid = RasterReader(path).grid
    if not isinstance(grid, MapGrid):
        raise InputError(f"{path.name} must be a raster on a map")
    if common_box(ground_box(grid), box) is None:
        raise RequestError("like", "a raster on the ground of the chosen bursts", path.name)
    return grid


def on_terrain(pair: SwathPair, line: int, samples: Band, dem: Dem) -> NDArray[np.float64]:
    """Find the ground under some samples of a line: their ends, and points between.

    Parameters
    ----------
    pair : SwathPair
        Whose reference is meant.
    line : int
        Of the swath.
    samples : Band
        Of the line.
    dem : Dem
        Terrain under them.

    Returns
    -------
    ndarray of float64, shape (2, n)
        Longitudes and latitudes [rad], NaN where the elevation model has none.
    """

    def position(
        points: NDArray[np.float64], _: NDArray[np.float64], __: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return np.stack(ecef_to_geodetic(points)[:2], axis=-1)

    count = samples.rows // _SAMPLE_STEP + 2
    whole = pair.layout.grid.window(line, samples.first, Shape(1, count))
    step = max(samples.rows - 1, 1) / (count - 1)
    row = replace(whole, slant_range_spacing=whole.slant_range_spacing * step)
    polynomials = tabulate_radar(row, pair.reference_orbit, dem, position)
    heights, found = meet_terrain(polynomials, dem, lines=Band(0, 1), samples=count)
    found[:, np.isnan(heights)] = np.nan
    return found[:, 0]
