"""The elevation under an image."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from kernels.chains.dinsar_pair.footprint import box_around
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, GeographicBox, RadarGrid
from kernels.products.dem import load_dem

_MARGIN = 0.03
"""Around the footprint [degrees]: terrain beside an image hides and overlays some of it."""
_EDGE_POINTS = 17


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


def load_image_dem(request: WithDem, grid: RadarGrid, orbit: Orbit) -> Dem:
    """Load the elevation under an image, whatever the heights there.

    Parameters
    ----------
    request : WithDem
        Names the elevation files and their policy.
    grid : RadarGrid
        Of the image.
    orbit : Orbit
        Of the image.

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
            _box(grid, orbit, lowest, highest),
            heights=request.dem_heights,  # type: ignore[arg-type]  # checked by the request
            missing=request.dem_missing,  # type: ignore[arg-type]
        )
        found = float(dem.heights.min()), float(dem.heights.max())
        # 500 m move the footprint by less than the margin
        if found[0] >= lowest - 500.0 and found[1] <= highest + 500.0:
            return dem
        lowest, highest = min(lowest, found[0]), max(highest, found[1])


def _box(grid: RadarGrid, orbit: Orbit, lowest: float, highest: float) -> GeographicBox:
    lines = np.linspace(0.0, grid.shape.lines - 1.0, _EDGE_POINTS)
    samples = np.array([0.0, 0.5, 1.0]) * (grid.shape.samples - 1.0)
    rows, columns, heights = np.meshgrid(lines, samples, [lowest, highest], indexing="ij")
    ranges = grid.slant_range(columns)
    times = grid.zero_doppler_time(rows, ranges)
    points = radar_to_ground(orbit, times, ranges, heights, side=grid.look_side)
    longitudes, latitudes, _ = ecef_to_geodetic(points.reshape(-1, 3))
    return box_around(longitudes, latitudes, margin=_MARGIN)
