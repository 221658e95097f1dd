"""Ground under an analytic orbit, by pyproj and scipy: its truth needs no project geometry."""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial.transform import Rotation

from kernels.geometry.map_grids import utm_crs
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, GeographicBox, MapGrid, Shape
from kernels.simulation import plane
from tests.geometry.scenes import circular_orbit, circular_state

Array = NDArray[np.float64]

TO_GEODETIC = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)


def centre() -> tuple[float, float]:
    """Ground in the middle of the swath at time 0 [degrees]."""
    point = radar_to_ground(circular_orbit(), np.zeros(1), np.full(1, 850e3), np.zeros(1))[0]
    longitude, latitude, _ = TO_GEODETIC.transform(*point)
    return float(longitude), float(latitude)


def map_around(shape: Shape, spacing: float = 10.0) -> MapGrid:
    longitude, latitude = centre()
    crs = utm_crs(longitude, latitude)
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        longitude, latitude
    )
    return MapGrid(
        crs=crs,
        west=x - 0.5 * spacing * shape.samples,
        north=y + 0.5 * spacing * shape.lines,
        x_spacing=spacing,
        y_spacing=spacing,
        shape=shape,
    )


def positions(grid: MapGrid, rows: Array, columns: Array) -> tuple[Array, Array]:
    """Longitudes and latitudes [degrees] of pixel centres."""
    back = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    x = grid.west + (columns + 0.5) * grid.x_spacing
    y = grid.north - (rows + 0.5) * grid.y_spacing
    longitudes, latitudes = back.transform(x, y)
    return longitudes, latitudes


def ecef(longitudes: Array, latitudes: Array, heights: Array) -> Array:
    return np.stack(TO_GEODETIC.transform(longitudes, latitudes, heights, direction="INVERSE"), -1)


def zero_doppler_state(points: Array) -> tuple[Array, Array]:
    """Satellite's position and velocity by secant steps on the analytic orbit."""
    times = np.zeros(points.shape[:-1])

    def doppler(t: Array) -> Array:
        position, velocity = circular_state(t)
        return ((points - position) * velocity).sum(-1)

    for _ in range(6):
        slope = (doppler(times + 0.01) - doppler(times - 0.01)) / 0.02
        times = times - doppler(times) / slope
    return circular_state(times)


def surface(dem: Dem) -> RegularGridInterpolator:
    rows, columns = dem.heights.shape
    return RegularGridInterpolator(
        (
            -(dem.north + dem.latitude_step * np.arange(rows)),
            dem.west + dem.longitude_step * np.arange(columns),
        ),
        dem.heights.astype(np.float64),
        bounds_error=False,
    )


def clearance(dem: Dem, points: Array) -> Array:
    """Height of points above the terrain [m]; NaN outside the DEM."""
    longitudes, latitudes, heights = TO_GEODETIC.transform(*np.moveaxis(points, -1, 0))
    return heights - surface(dem)(np.stack([-latitudes, longitudes], axis=-1))


STEPS = np.arange(5.0, 4000.0, 8.0)
"""Along rays and range circles [m]."""


def behind_terrain(dem: Dem, points: Array, positions: Array) -> NDArray[np.bool_]:
    """Tell points whose ray to the satellite dives below the terrain."""
    sight = positions - points
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    rays = points[:, None] + sight[:, None] * STEPS[:, None]
    found: NDArray[np.bool_] = np.nanmin(clearance(dem, rays), axis=1) < 0.0
    return found


def in_layover(dem: Dem, points: Array, positions: Array, velocities: Array) -> NDArray[np.bool_]:
    """Tell points whose circle of equal range meets the terrain again."""
    # else it is below the terrain before the point and above it behind it
    sight = points - positions
    ranges = np.linalg.norm(sight, axis=-1, keepdims=True)
    axis = velocities / np.linalg.norm(velocities, axis=-1, keepdims=True)
    found = np.zeros(points.shape[0], bool)
    for sign in (-1.0, 1.0):
        angles = sign * STEPS / ranges
        turns = Rotation.from_rotvec((axis[:, None] * angles[..., None]).reshape(-1, 3))
        turned = turns.apply(np.repeat(sight, STEPS.size, axis=0)).reshape(-1, STEPS.size, 3)
        circle = positions[:, None] + turned
        gap = clearance(dem, circle)
        outwards = np.linalg.norm(circle[0, -1]) > np.linalg.norm(points[0])
        found |= np.nanmax(-gap if outwards else gap, axis=1) > 0.0
    return found


def tilted(east: float, north: float) -> Dem:
    longitude, latitude = centre()
    box = GeographicBox(longitude - 0.03, latitude - 0.03, longitude + 0.03, latitude + 0.03)
    return plane(box, height=300.0, east_slope=east, north_slope=north)
