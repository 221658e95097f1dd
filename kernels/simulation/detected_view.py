"""How a detected image looks at the ground, and where it sees targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.model import SPEED_OF_LIGHT, GroundRangeGrid, Shape, StateVectors
from kernels.simulation.detected_numba import (
    GroundView,
    image_point,
    pixel_slant_range,
    pixel_time,
)
from kernels.simulation.ground_annotation import still
from kernels.simulation.locate_numba import (
    Sight,
    Terrain,
    cartesian,
    find_ground,
    first_sight,
    terrain_height,
)
from kernels.simulation.orbit import tabulate
from kernels.simulation.scene import PointTarget

_TOLERANCE = 1e-6


def ground_view(grid: GroundRangeGrid, vectors: StateVectors) -> GroundView:
    """Gather what the kernels need of a detected image.

    Parameters
    ----------
    grid : GroundRangeGrid
        Of the image; its epoch is the clock.
    vectors : StateVectors
        Of the annotation.

    Returns
    -------
    GroundView
        Tables.

    Raises
    ------
    OrbitError
        Too few state vectors, or none around the image.
    """
    middle = grid.first_line_time + 0.5 * grid.shape.lines * grid.line_interval
    records = grid.records
    return GroundView(
        orbit=tabulate(vectors, epoch=grid.epoch, about=middle),
        first_line_time=grid.first_line_time,
        line_interval=grid.line_interval,
        bistatic_range=grid.bistatic_range or 0.0,
        bistatic_rate=0.0 if grid.bistatic_range is None else 1.0 / SPEED_OF_LIGHT,
        spacing=grid.ground_range_spacing,
        record_times=np.array([record.azimuth_time for record in records]),
        slant_origins=np.array([record.slant_range_origin for record in records]),
        to_ground=_table([record.slant_to_ground for record in records]),
        ground_origins=np.array([record.ground_range_origin for record in records]),
        to_slant=_table([record.ground_to_slant for record in records]),
    )


def _table(polynomials: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
    table = np.zeros((len(polynomials), max(map(len, polynomials))))
    for row, coefficients in zip(table, polynomials, strict=True):
        row[: len(coefficients)] = coefficients
    return table


def ground_point(view: GroundView, terrain: Terrain, line: float, pixel: float) -> Sight:
    """Ground point under a fractional line and pixel, to 1e-6 m of height."""
    return range_point(view, terrain, line, pixel_slant_range(view, line, pixel))


def range_point(view: GroundView, terrain: Terrain, line: float, slant_range: float) -> Sight:
    """Ground point at a slant range [m] of a fractional line, to 1e-6 m of height."""
    time = pixel_time(view, line, slant_range)
    sight = first_sight(view.orbit, terrain, time, slant_range)
    return find_ground(view.orbit, terrain, still(), time, slant_range, sight, _TOLERANCE)


def level_terrain(height: float) -> Terrain:
    """Make a terrain of one height [m] everywhere."""
    return Terrain(np.full((2, 2), height, np.float32), 0.0, 0.0, 1.0, -1.0, height, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGrid:
    """Bright points on a jittered grid over the image of the first date.

    Attributes
    ----------
    count : int
        About how many.
    amplitude : float
        Of the peaks [digital numbers].
    jitter : float
        Largest distance from the regular place, in steps of the grid, below 0.5.
    margin : int
        Lines and pixels along the edges without targets.
    """

    count: int = 300
    amplitude: float = 20_000.0
    jitter: float = 0.35
    margin: int = 40


def spread_targets(
    how: TargetGrid,
    shape: Shape,
    view: GroundView,
    terrain: Terrain,
    *,
    seed: int,
    share: int = 1,
) -> list[PointTarget]:
    """Place targets on the terrain under an image.

    Parameters
    ----------
    how : TargetGrid
        How many and how bright.
    shape : Shape
        Lines and samples of the image, or of the part of it that gets pixels.
    view : GroundView
        Of the image, or of the part.
    terrain : Terrain
        That they stand on.
    seed : int
        Of the jitter.
    share : int
        Images that the targets are divided among.

    Returns
    -------
    list of PointTarget
        Row by row.
    """
    lines, samples = (max(n - 2 * how.margin, 1) for n in shape)
    count = how.count / share
    rows = max(round(math.sqrt(count * lines / samples)), 1)
    columns = max(round(count / rows), 1)
    random = np.random.default_rng(seed)
    shift = random.uniform(-how.jitter, how.jitter, (rows, columns, 2))
    targets = []
    for i, j in np.ndindex(rows, columns):
        line = how.margin + (i + 0.5 + shift[i, j, 0]) * lines / rows
        pixel = how.margin + (j + 0.5 + shift[i, j, 1]) * samples / columns
        sight = ground_point(view, terrain, line, pixel)
        targets.append(
            PointTarget(longitude=sight.longitude, latitude=sight.latitude, amplitude=how.amplitude)
        )
    return targets


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTargets:
    """Where an image sees the targets of a scene that lie inside it; arrays of shape (n,).

    Attributes
    ----------
    index : ndarray of int64
        Among all targets.
    longitude, latitude : ndarray of float64
        [degrees].
    height : ndarray of float64
        Of the terrain above the ellipsoid [m].
    line, pixel : ndarray of float64
        Centre of the response.
    zero_doppler_time : ndarray of float64
        [s from the epoch of the image's grid].
    slant_range : ndarray of float64
        [m].
    peak : ndarray of float64
        Amplitude [digital numbers], before the background's power is added.
    """

    index: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    height: NDArray[np.float64]
    line: NDArray[np.float64]
    pixel: NDArray[np.float64]
    zero_doppler_time: NDArray[np.float64]
    slant_range: NDArray[np.float64]
    peak: NDArray[np.float64]


def see_targets(
    targets: Sequence[PointTarget], shape: Shape, view: GroundView, terrain: Terrain
) -> SeenTargets:
    """Find the targets that an image sees.

    Parameters
    ----------
    targets : sequence of PointTarget
        Anywhere.
    shape : Shape
        Of the image.
    view : GroundView
        Of the image.
    terrain : Terrain
        That the targets stand on.

    Returns
    -------
    SeenTargets
        Those whose centre lies inside.
    """
    rows = []
    for index, target in enumerate(targets):
        height = terrain_height(terrain, target.longitude, target.latitude)
        point = cartesian(target.longitude, target.latitude, height)
        seen = image_point(view, point, view.orbit.middle)
        if 0.0 <= seen.line <= shape.lines - 1 and 0.0 <= seen.pixel <= shape.samples - 1:
            rows.append((index, target.longitude, target.latitude, height, *seen, target.amplitude))
    table = np.array(rows, dtype=np.float64).reshape(-1, 9).T
    return SeenTargets(
        index=table[0].astype(np.int64),
        longitude=table[1],
        latitude=table[2],
        height=table[3],
        line=table[4],
        pixel=table[5],
        zero_doppler_time=table[6],
        slant_range=table[7],
        peak=table[8],
    )
