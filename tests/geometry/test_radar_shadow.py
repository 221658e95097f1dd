"""Layover and shadow of radar cells against rays that are followed step by step."""

from __future__ import annotations

import numpy as np
import pyproj
from scipy.ndimage import map_coordinates

from kernels.engine.bands import Band
from kernels.geometry.orbit import Orbit
from kernels.geometry.radar_shadow import RadarShadow
from kernels.model import Dem, RadarGrid, Shape
from tests.geometry.scenes import circular_orbit, radar_grid
from tests.insar.scenes import around, level_dem

SHAPE = Shape(60, 260)
ROWS = (0, 17, 30, 59)
WAY = np.concatenate([np.arange(1.0, 60.0, 1.0), np.arange(60.0, 3000.0, 5.0)])
"""Distances from the ground at which rays are looked at [m]."""


def ridges(orbit: Orbit, grid: RadarGrid) -> Dem:
    """Hills of 500 m, a kilometre apart, with slopes up to 60 degrees."""
    longitude, latitude = around(orbit, grid)
    dem = level_dem(0.0, west=longitude - 0.06, north=latitude + 0.06, size=0.12)
    step = 1.0 / 3600.0
    x, y = np.meshgrid(np.arange(432) * 31.0, np.arange(432) * 31.0)
    heights = 250.0 + 250.0 * np.sin(x / 160.0) * np.cos(y / 420.0 + x / 3000.0)
    return Dem(
        heights=heights.astype(np.float32),
        west=dem.west,
        north=dem.north,
        longitude_step=step,
        latitude_step=-step,
    )


def above_ground(dem: Dem, points: np.ndarray) -> np.ndarray:
    """Height of points over the terrain [m], shape (...)."""
    to_geodetic = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    longitudes, latitudes, heights = to_geodetic.transform(*np.moveaxis(points, -1, 0))
    places = [
        (latitudes - dem.north) / dem.latitude_step,
        (longitudes - dem.west) / dem.longitude_step,
    ]
    found: np.ndarray = heights - map_coordinates(dem.heights, places, order=1, mode="nearest")
    return found


def followed(orbit: Orbit, dem: Dem, time: float, slant_range: float) -> tuple[bool, bool]:
    """Layover and shadow where a circle of range meets the ground."""
    position, velocity = orbit.position(time), orbit.velocity(time)
    forward = velocity / np.linalg.norm(velocity)
    down = -position / np.linalg.norm(position)
    down -= (down @ forward) * forward
    down /= np.linalg.norm(down)
    right = np.cross(down, forward) * -1.0
    right *= np.sign(right @ np.cross(forward, -down))
    angles = np.radians(np.linspace(26.0, 42.0, 12001))

    def at(angle: np.ndarray, distance: np.ndarray) -> np.ndarray:
        direction = np.cos(angle)[:, None] * down + np.sin(angle)[:, None] * right
        return position + distance[:, None] * direction

    heights = above_ground(dem, at(angles, np.full(angles.shape, slant_range)))
    met = np.flatnonzero(np.diff(np.sign(heights)))
    seen = 0
    for k in met:
        low, high = angles[k : k + 2]
        for _ in range(20):
            middle = 0.5 * (low + high)
            height = above_ground(dem, at(np.array([middle]), np.array([slant_range])))[0]
            low, high = (middle, high) if height * heights[k] > 0.0 else (low, middle)
        here = 0.5 * (low + high)
        way = slant_range - WAY
        seen += bool((above_ground(dem, at(np.full(WAY.shape, here), way)) > 0.0).all())
    return met.size > 1, seen == 0


def test_masks_are_those_of_rays() -> None:
    orbit = circular_orbit()
    grid = radar_grid(SHAPE)
    dem = ridges(orbit, grid)
    masks = RadarShadow.of(grid, orbit, dem, spacing=1.0)
    found = np.stack(masks.rows(Band(0, SHAPE.lines)))[:, ROWS]
    expected = np.zeros((2, len(ROWS), SHAPE.samples), np.bool_)
    for k, row in enumerate(ROWS):
        for sample in range(SHAPE.samples):
            slant_range = grid.slant_range(float(sample))
            time = grid.zero_doppler_time(float(row), slant_range)
            expected[:, k, sample] = followed(orbit, dem, time, slant_range)
    assert 0.1 < expected[0].mean() < 0.9
    assert 0.02 < expected[1].mean() < 0.9
    agreement = (found == expected).mean(axis=(1, 2))
    assert (agreement >= 0.99).all(), agreement
