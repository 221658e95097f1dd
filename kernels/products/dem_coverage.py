"""How much of a box elevation files cover, told by where they lie; no height is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kernels.errors import DemError
from kernels.model import GeographicBox, Shape
from kernels.products.dem_mosaic import Frame
from kernels.products.dem_tiles import PostGrid, find_tiles

_POINTS = 500
"""Along each side of the box."""
SEA_LATTICE = PostGrid(0.0, 0.0, 1.0 / 1200.0, -1.0 / 1200.0)
"""Where there is no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemCoverage:
    """Elevation files in a box.

    Attributes
    ----------
    files : tuple of str
        Names of those that touch the box.
    share : float
        Of the box that they cover, 0 to 1, to a thousandth; voids inside them are not seen.
    missing : tuple of str
        Square degrees that hold something that is not covered, as in N45E006.
    posts : Shape
        Of the elevation model that is put together.
    """

    files: tuple[str, ...]
    share: float
    missing: tuple[str, ...]
    posts: Shape


def dem_coverage(sources: Sequence[Path], box: GeographicBox) -> DemCoverage:
    """Look how much of a box elevation files cover.

    Parameters
    ----------
    sources : sequence of Path
        Files, or folders of them, the preferred one first.
    box : GeographicBox
        To cover [degrees].

    Returns
    -------
    DemCoverage
        Of all sources together.

    Raises
    ------
    DemError
        If a source does not exist or a file cannot be used.
    """
    for source in sources:
        if not source.exists():
            raise DemError(f"elevation model {source} does not exist")
    groups = [find_tiles(source, box) for source in sources]
    tiles = [tile for group in groups for tile in group]
    first = next((group for group in groups if group), [])
    lattice = min(
        (tile.grid for tile in first),
        key=lambda grid: abs(grid.longitude_step * grid.latitude_step),
        default=SEA_LATTICE,
    )
    longitudes = np.linspace(box.west, box.east, _POINTS)
    latitudes = np.linspace(box.north, box.south, _POINTS)
    covered = np.zeros((_POINTS, _POINTS), np.bool_)
    for tile in tiles:
        # neighbouring tiles may leave one step between their posts
        wide, high = abs(tile.grid.longitude_step), abs(tile.grid.latitude_step)
        columns = (longitudes >= tile.box.west - wide) & (longitudes <= tile.box.east + wide)
        rows = (latitudes >= tile.box.south - high) & (latitudes <= tile.box.north + high)
        covered |= rows[:, None] & columns
    degrees = {
        (math.floor(latitudes[row]), math.floor(longitudes[column]))
        for row, column in np.argwhere(~covered)
    }
    return DemCoverage(
        files=tuple(dict.fromkeys(tile.name for tile in tiles)),
        share=float(covered.mean()),
        missing=tuple(degree_name(south, west) for south, west in sorted(degrees)),
        posts=Frame.over(box, lattice).shape,
    )


def degree_name(south: int, west: int) -> str:
    """Name a square degree by its south-west corner, as in N45E006."""
    west = (west + 180) % 360 - 180
    return f"{'N' if south >= 0 else 'S'}{abs(south):02d}{'E' if west >= 0 else 'W'}{abs(west):03d}"
