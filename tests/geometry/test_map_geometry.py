"""Map pixels in an image: each must be where an exact solution sees its terrain point."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from kernels.engine.bands import Band
from kernels.geometry.map_geometry import MapGeometry
from kernels.model import Dem, MapGrid, Shape
from tests.geometry.scenes import circular_orbit, circular_state, radar_grid, rough_dem

IMAGE = radar_grid(Shape(400, 3000))
SHAPE = Shape(150, 230)
SAGITTA = 320.0**2 / (8.0 * 848e3)
"""Of a circle of the slant range between nodes 320 m apart [m]: 1.5 cm."""
Array = NDArray[np.float64]


def map_grid(crs: str) -> MapGrid:
    """Some pixels of 10 m, or of their size in degrees, around a point that the image sees."""
    longitude, latitude = 12.82, 20.81
    if crs == "EPSG:4326":
        return MapGrid(
            crs=crs,
            west=longitude,
            north=latitude,
            x_spacing=1e-4,
            y_spacing=9e-5,
            shape=SHAPE,
        )
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        longitude, latitude
    )
    return MapGrid(crs=crs, west=x, north=y, x_spacing=10.0, y_spacing=10.0, shape=SHAPE)


def pixel_degrees(grid: MapGrid) -> tuple[Array, Array]:
    """Longitudes and latitudes of pixel centres."""
    rows, columns = np.indices(grid.shape) + 0.5
    x, y = grid.west + columns * grid.x_spacing, grid.north - rows * grid.y_spacing
    if grid.crs == "EPSG:4326":
        return x, y
    to_degrees = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    longitudes, latitudes = to_degrees.transform(x, y)
    return np.asarray(longitudes), np.asarray(latitudes)


def dem_under(grid: MapGrid) -> Dem:
    longitudes, latitudes = pixel_degrees(grid)
    return rough_dem(
        west=longitudes.min() - 0.02,
        east=longitudes.max() + 0.02,
        south=latitudes.min() - 0.02,
        north=latitudes.max() + 0.02,
    )


def scipy_heights(dem: Dem, longitudes: Array, latitudes: Array) -> Array:
    rows, columns = dem.heights.shape
    surface = RegularGridInterpolator(
        (
            -(dem.north + dem.latitude_step * np.arange(rows)),
            dem.west + dem.longitude_step * np.arange(columns),
        ),
        dem.heights.astype(np.float64),
    )
    return np.asarray(surface(np.stack([-latitudes, longitudes], axis=-1)))


def seen(points: Array) -> tuple[Array, Array]:
    """Zero-Doppler time and range from the analytic orbit, by bisection."""
    low, high = np.full(points.shape[:-1], -60.0), np.full(points.shape[:-1], 60.0)
    for _ in range(50):
        middle = 0.5 * (low + high)
        position, velocity = circular_state(middle)
        ahead = ((points - position) * velocity).sum(axis=-1) > 0.0
        low, high = np.where(ahead, middle, low), np.where(ahead, high, middle)
    position, _ = circular_state(low)
    return low, np.linalg.norm(points - position, axis=-1)


def geometry_of(grid: MapGrid, dem: Dem) -> MapGeometry:
    return MapGeometry.of(
        grid,
        dem,
        circular_orbit(),
        lambda times, ranges: np.stack([IMAGE.line(times, ranges), ranges], axis=-1),
    )


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326"])
def test_pixels_are_where_an_exact_solution_sees_them(crs: str) -> None:
    grid = map_grid(crs)
    dem = dem_under(grid)
    longitudes, latitudes = pixel_degrees(grid)
    heights = scipy_heights(dem, longitudes, latitudes)
    assert np.ptp(heights) > 500.0
    to_earth = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    points = np.stack(to_earth.transform(longitudes, latitudes, heights), axis=-1)
    times, ranges = seen(points)
    expected = IMAGE.line(times, ranges)
    geometry = geometry_of(grid, dem)
    for row in range(grid.shape.lines):
        found, (lines, slant_ranges) = geometry.row(row)
        assert np.abs(found - heights[row]).max() < 0.01  # [m]
        assert np.abs(lines - expected[row]).max() < 1e-3  # [lines]
        assert np.abs(slant_ranges - ranges[row]).max() < SAGITTA
        assert np.sqrt(np.mean((slant_ranges - ranges[row]) ** 2)) < 0.01  # [m]


def test_parts_of_a_map_are_those_of_the_whole() -> None:
    grid = map_grid("EPSG:32633")
    geometry = geometry_of(grid, dem_under(grid))
    whole_heights, whole = geometry.block(Band(0, 150), Band(0, 230))
    for rows, columns in ((Band(0, 1), Band(0, 1)), (Band(31, 40), Band(37, 101))):
        part = (slice(rows[0], sum(rows)), slice(columns[0], sum(columns)))
        heights, values = geometry.block(rows, columns)
        np.testing.assert_array_equal(heights, whole_heights[part])
        np.testing.assert_array_equal(values, whole[(slice(None), *part)])


def test_pixels_outside_the_dem_have_no_coordinates() -> None:
    grid = map_grid("EPSG:32633")
    dem = dem_under(grid)
    longitudes, latitudes = pixel_degrees(grid)
    cut = Dem(
        heights=dem.heights[:, : dem.heights.shape[1] // 2],
        west=dem.west,
        north=dem.north,
        longitude_step=dem.longitude_step,
        latitude_step=dem.latitude_step,
    )
    edge = cut.west + cut.longitude_step * (cut.heights.shape[1] - 1)
    geometry = geometry_of(grid, cut)
    for row in (0, 77, grid.shape.lines - 1):
        found, (lines, slant_ranges) = geometry.row(row)
        inside = longitudes[row] <= edge
        assert 0 < inside.sum() < inside.size
        for values in (found, lines, slant_ranges):
            np.testing.assert_array_equal(np.isfinite(values), inside)
    assert latitudes.max() < dem.north
