import numpy as np
import pyproj
import pytest

from kernels.geometry.baseline import baseline
from kernels.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.illumination import incidence_angle, line_of_sight
from kernels.geometry.map_grids import (
    geographic_grid,
    ground_box,
    map_positions,
    pixel_positions,
    utm_crs,
    utm_grid,
)
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import GeographicBox
from tests.geometry.scenes import circular_orbit

WAVELENGTH = 0.05546576


def test_height_of_ambiguity_is_the_height_that_turns_the_phase_once() -> None:
    """The definition itself, by moving a point up along its zero-Doppler range circle."""
    reference, secondary = circular_orbit(), circular_orbit(node=0.2 + 1.1e-5)
    at = np.array([0.0]), np.array([850e3])
    low = radar_to_ground(reference, *at, np.array([-1.0]))
    high = radar_to_ground(reference, *at, np.array([1.0]))
    found = baseline(
        reference, secondary, radar_to_ground(reference, *at, np.zeros(1)), wavelength=WAVELENGTH
    )
    difference = ground_to_radar(secondary, high)[1] - ground_to_radar(secondary, low)[1]
    by_definition = -2.0 / (2.0 / WAVELENGTH * difference)
    assert 50.0 < abs(found.perpendicular[0]) < 90.0
    np.testing.assert_allclose(found.height_of_ambiguity, by_definition, rtol=5e-3)


def test_parallel_baseline_is_the_range_difference() -> None:
    reference, secondary = circular_orbit(), circular_orbit(node=0.2 + 1.1e-5)
    point = radar_to_ground(reference, np.zeros(1), np.array([850e3]), np.zeros(1))
    found = baseline(reference, secondary, point, wavelength=WAVELENGTH)
    np.testing.assert_allclose(
        found.parallel, ground_to_radar(secondary, point)[1] - 850e3, atol=1e-6
    )


def test_no_baseline_has_no_height_of_ambiguity() -> None:
    orbit = circular_orbit()
    point = radar_to_ground(orbit, np.zeros(1), np.array([850e3]), np.zeros(1))
    found = baseline(orbit, orbit, point, wavelength=WAVELENGTH)
    assert abs(found.perpendicular[0]) < 1e-6
    assert abs(found.height_of_ambiguity[0]) > 1e9


def test_line_of_sight_shortens_the_range() -> None:
    """Moving a point towards the satellite by d shortens its range by d."""
    orbit = circular_orbit()
    point = radar_to_ground(orbit, np.zeros(1), np.array([850e3]), np.zeros(1))
    sight = line_of_sight(orbit, point)
    np.testing.assert_allclose(np.linalg.norm(sight, axis=-1), 1.0)
    longitude, latitude, _ = ecef_to_geodetic(point)
    east, north, up = (np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]))
    for axis, share in zip((east, north, up), sight[0], strict=True):
        moved = geodetic_to_ecef(
            longitude + 100.0 * axis[0] / (6.378e6 * np.cos(latitude)),
            latitude + 100.0 * axis[1] / 6.36e6,
            100.0 * np.array([axis[2]]),
        )
        # 100 m on a curved Earth: second-order terms of some centimetres
        assert abs((850e3 - ground_to_radar(orbit, moved)[1][0]) - 100.0 * share) < 0.5
    assert np.arccos(sight[0, 2]) == pytest.approx(incidence_angle(orbit, point)[0])


@pytest.mark.parametrize(
    ("place", "crs"),
    [
        ((1.44, 43.6), "EPSG:32631"),
        ((55.7, -21.0), "EPSG:32740"),
        ((179.9, 1.0), "EPSG:32660"),
        ((-180.0, -1.0), "EPSG:32701"),
        ((180.0, 1.0), "EPSG:32601"),
    ],
)
def test_utm_zones(place: tuple[float, float], crs: str) -> None:
    assert utm_crs(*place) == crs


def test_geographic_grid_covers_its_box_on_multiples() -> None:
    box = GeographicBox(55.20004, -21.40006, 55.30001, -21.10002)
    grid = geographic_grid(box, spacing=1e-4)
    assert grid.west == pytest.approx(55.2000, abs=1e-12)
    assert grid.north == pytest.approx(-21.1000, abs=1e-12)
    east = grid.west + grid.shape.samples * grid.x_spacing
    south = grid.north - grid.shape.lines * grid.y_spacing
    assert box.east <= east <= box.east + 1e-4
    assert box.south - 1e-4 <= south <= box.south
    longitudes, latitudes = pixel_positions(grid, np.array([0.0]), np.array([0.0]))
    assert np.degrees(longitudes[0]) == pytest.approx(55.20005, abs=1e-10)
    assert np.degrees(latitudes[0]) == pytest.approx(-21.10005, abs=1e-10)


def test_utm_grid_covers_its_box() -> None:
    box = GeographicBox(55.2, -21.4, 55.9, -20.9)
    grid = utm_grid(box, spacing=10.0)
    assert grid.crs == "EPSG:32740"
    assert grid.west % 10.0 == 0.0
    assert grid.north % 10.0 == 0.0
    proj = pyproj.Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    for longitude in np.linspace(box.west, box.east, 9):
        for latitude in (box.south, box.north):
            x, y = proj.transform(longitude, latitude)
            assert grid.west <= x <= grid.west + grid.shape.samples * 10.0
            assert grid.north - grid.shape.lines * 10.0 <= y <= grid.north
    longitudes, latitudes = pixel_positions(grid, np.array([10.0]), np.array([20.0]))
    x, y = proj.transform(np.degrees(longitudes), np.degrees(latitudes))
    np.testing.assert_allclose(x, grid.west + 205.0, atol=1e-5)
    np.testing.assert_allclose(y, grid.north - 105.0, atol=1e-5)


@pytest.mark.parametrize("longitude", [9.0, 179.9])
def test_the_box_of_a_map_holds_it_and_no_more(longitude: float) -> None:
    box = GeographicBox(longitude - 0.3, 46.0, longitude + 0.3, 46.4)
    plate = ground_box(geographic_grid(box, spacing=0.01))
    np.testing.assert_allclose(plate, box, atol=1e-9)
    zone = ground_box(utm_grid(box, spacing=10.0, crs="EPSG:32632" if longitude < 90 else None))
    assert zone.west <= box.west
    assert zone.south <= box.south
    assert zone.east >= box.east
    assert zone.north >= box.north
    np.testing.assert_allclose(zone, box, atol=0.03)  # meridians converge


def test_places_on_a_map_are_where_its_pixels_are() -> None:
    box = GeographicBox(8.7, 46.0, 9.3, 46.4)
    for grid in (geographic_grid(box, spacing=0.01), utm_grid(box, spacing=100.0)):
        longitudes, latitudes = pixel_positions(grid, np.array([5.0]), np.array([7.0]))
        x, y = map_positions(grid, np.degrees(longitudes), np.degrees(latitudes))
        np.testing.assert_allclose((x - grid.west) / grid.x_spacing, 7.5, atol=1e-6)
        np.testing.assert_allclose((grid.north - y) / grid.y_spacing, 5.5, atol=1e-6)
