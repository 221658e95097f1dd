"""Where a map shows bright points, beside where they stand.

The peak is the summit of the paraboloid through the logarithm of 3 x 3 pixels of intensity. What
that finder errs by itself is measured on targets drawn exactly: the simulation's own geometry and
response evaluated at every pixel of the map, without an image between. What interpolation adds is
measured on targets drawn through an image's whole pixels, at the same exact places.
"""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import numpy as np
import pyproj
from numpy.typing import NDArray

from kernels.geometry.map_grids import pixel_positions
from kernels.model import MapGrid
from kernels.simulation.detected_numba import GroundView, image_point, point_response
from kernels.simulation.detected_view import SeenTargets
from kernels.simulation.locate_numba import Terrain, cartesian, terrain_height

REACH = 4
"""Pixels around the true place that are searched for the summit."""

_OFFSETS = np.arange(-REACH, REACH + 1)
_NEAR = np.stack(np.meshgrid((-1, 0, 1), (-1, 0, 1), indexing="ij")).reshape(2, 9)


class TargetErrors(NamedTuple):
    """Distances of found from true places of the targets on a map [m], shape (n,) each."""

    east: NDArray[np.float64]
    north: NDArray[np.float64]

    @property
    def distance(self) -> NDArray[np.float64]:
        """Length of the error."""
        return np.hypot(self.east, self.north)


class Places(NamedTuple):
    """True places of targets on a map: fractional row and column (0 = centre of the first)."""

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]


def places_on_map(targets: SeenTargets, grid: MapGrid) -> tuple[Places, SeenTargets]:
    """Place targets on a map.

    Parameters
    ----------
    targets : SeenTargets
        With their longitudes and latitudes.
    grid : MapGrid
        The map.

    Returns
    -------
    places : Places
        Of the targets that lie inside, with room for the search.
    inside : SeenTargets
        Those targets.
    """
    transformer = pyproj.Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    x, y = transformer.transform(targets.longitude, targets.latitude)
    rows = (grid.north - y) / grid.y_spacing - 0.5
    columns = (x - grid.west) / grid.x_spacing - 0.5
    room = REACH + 1.0
    inside = (rows > room) & (rows < grid.shape.lines - 1 - room)
    inside &= (columns > room) & (columns < grid.shape.samples - 1 - room)
    chosen = {field.name: getattr(targets, field.name)[inside] for field in fields(targets)}
    return Places(rows[inside], columns[inside]), SeenTargets(**chosen)


def cut_windows(intensity: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
    """Cut the pixels around places out of a map, shape (n, side, side)."""
    rows, columns = _windows(places)
    return intensity[rows[:, :, None], columns[:, None, :]]


class Seen(NamedTuple):
    """Lines and pixels of the image under the windows of a map, shape (n, side, side) each."""

    lines: NDArray[np.float64]
    pixels: NDArray[np.float64]


def see_windows(
    targets: SeenTargets, places: Places, grid: MapGrid, view: GroundView, terrain: Terrain
) -> Seen:
    """Find where the image sees the map pixels around targets, by the simulation's geometry.

    Parameters
    ----------
    targets : SeenTargets
        Those of the places.
    places : Places
        On the map.
    grid : MapGrid
        The map.
    view : GroundView
        Of the simulated image.
    terrain : Terrain
        Of the scene.

    Returns
    -------
    Seen
        From the targets' own centres [pixels].
    """
    rows, columns = _windows(places)
    side = _OFFSETS.size
    longitudes, latitudes = pixel_positions(
        grid,
        np.repeat(rows[:, :, None], side, axis=2).astype(np.float64),
        np.repeat(columns[:, None, :], side, axis=1).astype(np.float64),
    )
    lines, pixels = np.empty(longitudes.shape), np.empty(longitudes.shape)
    for at in np.ndindex(longitudes.shape):
        longitude, latitude = float(np.degrees(longitudes[at])), float(np.degrees(latitudes[at]))
        height = terrain_height(terrain, longitude, latitude)
        point = cartesian(longitude, latitude, height)
        seen = image_point(view, point, float(targets.zero_doppler_time[at[0]]))
        lines[at], pixels[at] = seen.line, seen.pixel
    return Seen(lines, pixels)


def draw_exactly(seen: Seen, targets: SeenTargets) -> NDArray[np.float64]:
    """Intensity of each target's response at the pixels of its window, 1 at its own place."""
    along = _response(seen.lines - targets.line[:, None, None])
    across = _response(seen.pixels - targets.pixel[:, None, None])
    return along**2 * across**2


def draw_interpolated(seen: Seen, targets: SeenTargets) -> NDArray[np.float64]:
    """Do the same through whole pixels of the image and cubic convolution (a = -0.5)."""
    along = _interpolated(seen.lines, targets.line[:, None, None])
    return along * _interpolated(seen.pixels, targets.pixel[:, None, None])


def _interpolated(places: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate one factor of the intensity; Keys 1981, equation 15."""
    before = np.floor(places)
    x = places - before
    total = np.zeros(places.shape)
    weights = (
        ((-0.5 * x + 1.0) * x - 0.5) * x,
        (1.5 * x - 2.5) * x * x + 1.0,
        ((-1.5 * x + 2.0) * x + 0.5) * x,
        (0.5 * x - 0.5) * x * x,
    )
    for step, weight in enumerate(weights, start=-1):
        total += weight * _response(before + step - centres) ** 2
    return total


def _response(offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.empty(offsets.shape)
    for at, offset in np.ndenumerate(offsets):
        found[at] = point_response(float(offset))
    return found


def target_errors(
    windows: NDArray[np.floating], places: Places, grid: MapGrid
) -> tuple[TargetErrors, int]:
    """Find the targets in their windows.

    Parameters
    ----------
    windows : ndarray of float, shape (n, side, side)
        Intensity around the true places.
    places : Places
        The true places.
    grid : MapGrid
        The map.

    Returns
    -------
    errors : TargetErrors
        Of the targets that were found.
    lost : int
        Targets whose window has no summit inside.
    """
    peaks = find_peaks(windows)
    rows, columns = _windows(places)
    down = rows[:, REACH] + peaks[:, 0] - places.rows
    right = columns[:, REACH] + peaks[:, 1] - places.columns
    found = np.isfinite(down)
    errors = TargetErrors(right[found] * grid.x_spacing, -down[found] * grid.y_spacing)
    return errors, int(np.count_nonzero(~found))


def find_peaks(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Find the summit in each window.

    Parameters
    ----------
    windows : ndarray of float, shape (n, side, side)
        Intensity.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Row and column from the middle of the window [pixels]; NaN where the brightest pixel
        lies on the edge, where a pixel beside it has no data or where there is no summit.
    """
    down, right = _NEAR.astype(np.float64)
    design = np.stack([np.ones(9), down, right, down**2, down * right, right**2], axis=1)
    solve = np.linalg.pinv(design)
    side = windows.shape[1]
    peaks = np.full((windows.shape[0], 2), np.nan)
    for number, window in enumerate(windows):
        row, column = np.unravel_index(int(np.argmax(window)), window.shape)
        if not (0 < row < side - 1 and 0 < column < side - 1):
            continue
        near = window[row + _NEAR[0], column + _NEAR[1]].astype(np.float64)
        if near.min() <= 0.0:
            continue
        _, b, c, d, e, f = solve @ np.log(near)
        determinant = 4.0 * d * f - e * e
        if d < 0.0 < determinant:
            shift = np.array([e * c - 2.0 * f * b, e * b - 2.0 * d * c]) / determinant
            peaks[number] = np.array([row, column]) - side // 2 + shift
    return peaks


def _windows(places: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pixels around places, shape (n, side) each."""
    rows = np.rint(places.rows).astype(np.int64)[:, None] + _OFFSETS
    columns = np.rint(places.columns).astype(np.int64)[:, None] + _OFFSETS
    return rows, columns
