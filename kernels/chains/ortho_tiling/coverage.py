"""Which tiles the passes cover, how much of them, and what a further slice would add."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.inputs import Pass, PassImage, footprint
from kernels.chains.ortho_tiling.request import OrthoTilingRequest
from kernels.errors import RequestError
from kernels.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.mgrs import tiles_touched

_REACH = 160_000.0 / 6_371_000.0
"""Of a track beyond a slice that any tile is looked for in [rad]: more than its diagonal."""

_LEAST_SHARE = 0.001
"""Of a tile; outlines of images are not better than that."""


class Missing(NamedTuple):
    """Part of a tile that the track goes over before the first or after the last slice given.

    Attributes
    ----------
    side : str
        North or south, of the slices.
    share : float
        Of the tile's area, 0 to 1.
    slice : str
        Which slice holds it, if there is one.
    """

    side: str
    share: float
    slice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TileJob:
    """One tile of one pass.

    Attributes
    ----------
    one : Pass
        The pass.
    tile : str
        Name of the tile.
    expected : float
        Share of the tile in the footprints of the images, 0 to 1.
    missing : tuple of Missing
        What neighbouring slices would add.
    """

    one: Pass
    tile: str
    expected: float
    missing: tuple[Missing, ...]

    def note(self, covered: float) -> dict[str, Any]:
        """Entry of the report for a tile that is left out."""
        return {
            "tile": self.tile,
            "products": list(self.one.names),
            "covered": round(covered, 4),
            "missing": [item._asdict() for item in self.missing],
        }

    def warnings(self) -> list[str]:
        """Say in plain words what is missing, one line for each side."""
        return [
            f"{self.tile} of {self.one.start:%Y-%m-%d}: {100.0 * item.share:.1f} percent "
            f"of the tile lie {item.side} of the slices given; if the acquisition goes on there, "
            f"the slice {item.slice} fills them"
            for item in self.missing
        ]


def plan_tiles(
    request: OrthoTilingRequest, passes: tuple[Pass, ...]
) -> tuple[list[TileJob], list[dict[str, Any]]]:
    """Choose the tiles of every pass by their footprints.

    Parameters
    ----------
    request : OrthoTilingRequest
        Names tiles, or none for all.
    passes : tuple of Pass
        With their images.

    Returns
    -------
    jobs : list of TileJob
        To be made.
    left_out : list of dict
        An entry of the report for each that is covered too little.

    Raises
    ------
    RequestError
        No tile is covered enough.
    """
    jobs, left_out = [], []
    for one in passes:
        covered: defaultdict[str, float] = defaultdict(float)
        for image in one.images:
            for touched in tiles_touched(footprint(image.products[0].geolocation)):
                covered[touched.name] += touched.covered_fraction
        missing = _missing(one)
        for tile in dict.fromkeys(request.tiles or sorted(covered)):
            share = min(covered.get(tile, 0.0), 1.0)
            job = TileJob(
                one=one.over(tile), tile=tile, expected=share, missing=tuple(missing[tile])
            )
            if share * 100.0 >= request.minimum_coverage and share > 0.0:
                jobs.append(job)
            elif tile in request.tiles or share > 0.0:
                left_out.append(job.note(share))
    if not jobs:
        names = ", ".join(request.tiles) or "no tile"
        raise RequestError(
            "tiles",
            f"covered by the products to at least {request.minimum_coverage:g} percent",
            names,
        )
    return jobs, left_out


def _missing(one: Pass) -> defaultdict[str, list[Missing]]:
    """Find by tile what the track goes over beyond the ends of a pass."""
    first = {image.swath: image for image in reversed(one.images)}
    last = {image.swath: image for image in one.images}
    found: defaultdict[str, list[Missing]] = defaultdict(list)
    for images, row, neighbour in ((first, 0, "before"), (last, -1, "after")):
        shares: defaultdict[tuple[str, str], float] = defaultdict(float)
        for image in images.values():
            ring, side = _beyond(image, row)
            for touched in tiles_touched(ring):
                shares[touched.name, side] += touched.covered_fraction
        for (tile, side), share in shares.items():
            if share >= _LEAST_SHARE:
                found[tile].append(Missing(side, round(min(share, 1.0), 4), neighbour))
    return found


def _beyond(image: PassImage, row: int) -> tuple[NDArray[np.float64], str]:
    """Ring of longitudes and latitudes [degrees] beyond a row of tie points, and on which side.

    The edge of the image turns about the Earth's centre with the satellite, whose path and the
    ground's are great circles over so short a way.
    """
    grid = image.products[0].geolocation
    at = np.flatnonzero(grid.lines == np.unique(grid.lines)[row])
    ends = at[[np.argmin(grid.pixels[at]), np.argmax(grid.pixels[at])]]
    edge = np.radians(np.stack([grid.longitudes[ends], grid.latitudes[ends]]))
    time = float(grid.zero_doppler_times[ends[0]])
    axis = np.cross(image.orbit.position(time), image.orbit.velocity(time))
    axis /= np.linalg.norm(axis)
    points = geodetic_to_ecef(edge[0], edge[1], np.zeros(2))
    turn = _REACH if row else -_REACH
    moved = (
        points * np.cos(turn)
        + np.cross(axis, points) * np.sin(turn)
        + np.outer(points @ axis, axis) * (1.0 - np.cos(turn))
    )
    longitudes, latitudes, _ = ecef_to_geodetic(moved)
    side = "north" if latitudes.mean() > edge[1].mean() else "south"
    end = np.stack([longitudes, latitudes])
    return np.degrees(np.concatenate([edge.T, end.T[::-1]])), side
