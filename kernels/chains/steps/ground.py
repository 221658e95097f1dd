"""The elevation under an image."""

from __future__ import annotations

from kernels.chains.dinsar_pair.footprint import WithDem, box_around, edge_points, load_dem_under
from kernels.geometry.orbit import Orbit
from kernels.model import Dem, GeographicBox, RadarGrid

_MARGIN = 0.03
"""Around the footprint [degrees]: terrain beside an image hides and overlays some of it."""


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

    def box(lowest: float, highest: float) -> GeographicBox:
        longitudes, latitudes = edge_points(grid, orbit, lowest, highest)
        return box_around(longitudes, latitudes, margin=_MARGIN)

    return load_dem_under(request, box)
