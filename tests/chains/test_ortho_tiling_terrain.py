"""Terrain-corrected tiles and masks: relief of known slopes becomes flat, masks tell the truth."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.ortho_tiling import OrthoTilingRequest, run, tile, windows
from kernels.engine.progress import Progress
from kernels.geometry.mgrs import tile_grid
from kernels.geometry.shadow import LAYOVER, SHADOW
from kernels.model import Dem, GeographicBox
from kernels.products.raster import read_raster
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Acquisition,
    Background,
    Scene,
    StripMapMode,
    TopsMode,
    plane,
    simulate,
)
from kernels.simulation.detected_view import ground_view
from kernels.simulation.locate_numba import (
    find_zero_doppler,
    orbit_position,
    orbit_velocity,
)
from tests.detected_series import (
    LEVEL,
    TILE,
    DetectedSeries,
    decibel,
    simulated_pass,
    tile_files,
)
from tests.geometry.ground import behind_terrain, ecef, in_layover, positions, surface
from tests.geometry.scenes import rough_dem
from tests.series import CENTRE, START, write_dem

Array = NDArray[np.float64]

MASKS = ("incidence", "layover_shadow", "border")
RESOLUTION = 30.0
GRID = tile_grid(TILE, RESOLUTION)
ROUNDING = 0.5 / 150.0
"""Of amplitudes, which are above 150 digital numbers."""
ALONE = "DES_151_20260101t015959"
"""In the names of tiles of one product so small."""
SIDE = 500
"""Lines and samples of small products: 5 km x 5 km, 0.2 percent of the tile."""
LITTLE = {"minimum_coverage": 0.01}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A tile by itself: backscatter by polarisation, and masks by what they hold."""

    backscatter: NDArray[np.float32]
    masks: dict[str, NDArray[np.float32]]
    paths: dict[str, Path]


def made(series: DetectedSeries, folder: Path, **options: object) -> Made:
    values = {"resolution": RESOLUTION, "minimum_coverage": 0.05}
    return made_by(series.request(**(values | options)), folder)


def made_by(request: OrthoTilingRequest, folder: Path) -> Made:
    result = run(request, folder, Progress())
    files = tile_files(result, folder / "unpacked")
    (entry,) = result.report["tiles"]
    paths = dict(zip(request.masks, (folder / "unpacked" / n for n in entry["masks"]), strict=True))
    return Made(
        backscatter=np.concatenate([read_raster(path).array for path in files.values()]),
        masks={mask: read_raster(path).array[0] for mask, path in paths.items()},
        paths=paths,
    )


def ridge_heights(x: Array, y: Array) -> Array:
    """Ridges of 27 degrees across the range direction, with saddles; metres from the centre."""
    return 500.0 + 95.0 * np.sin((x + 0.2 * y) / 190.0) + 20.0 * np.sin(y / 250.0)


def metres(longitudes: Array, latitudes: Array) -> tuple[Array, Array]:
    """East and north of the centre on a sphere [m]."""
    east = (longitudes - CENTRE[0]) * 111_320.0 * np.cos(np.radians(CENTRE[1]))
    return east, (latitudes - CENTRE[1]) * 111_320.0


def ridges() -> Dem:
    step, posts = 1.0 / 3600.0, np.arange(-250.0, 251.0)
    x, y = np.meshgrid(*metres(CENTRE[0] + posts * step, CENTRE[1] - posts * step))
    return Dem(
        heights=ridge_heights(x, y).astype(np.float32),
        west=CENTRE[0] - 250 * step,
        north=CENTRE[1] + 250 * step,
        longitude_step=step,
        latitude_step=-step,
    )


def around(degrees: float) -> GeographicBox:
    longitude, latitude = CENTRE
    return GeographicBox(
        longitude - degrees, latitude - degrees, longitude + degrees, latitude + degrees
    )


def alps() -> Dem:
    box = around(0.15)
    return rough_dem(
        west=box.west, east=box.east, south=box.south, north=box.north, amplitude=1100.0
    )


@pytest.fixture(scope="module")
def relief(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """Ridges of constant gamma nought, in two polarisations."""
    background = Background(level=LEVEL, looks=None, relief=True)
    folder = tmp_path_factory.mktemp("relief")
    polarisations = ("VV", "VH")
    return simulated_pass(
        folder,
        lines=SIDE,
        samples=SIDE,
        background=background,
        dem=ridges(),
        polarisations=polarisations,
    )


@pytest.fixture(scope="module")
def mountains(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """Steep mountains, yet as bright as level ground: also what is in shadow has pixels."""
    return simulated_pass(
        tmp_path_factory.mktemp("mountains"), lines=SIDE, samples=SIDE, dem=alps()
    )


@pytest.fixture(scope="module")
def mountain_tile(mountains: DetectedSeries, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("mountain_tile")
    return made(mountains, folder, calibration="gamma_naught_rtc", masks=MASKS)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Ground points of tile pixels, and the satellite that sees them (simulation's geometry)."""

    points: Array
    positions: Array
    velocities: Array


def seen(series: DetectedSeries, rows: Array, columns: Array, heights: Array) -> Seen:
    image = open_sentinel1(series.products[0]).grd("VV", need_pixels=False)
    orbit = ground_view(image.grid, image.state_vectors).orbit
    points = ecef(*positions(GRID, rows, columns), heights)
    times = [find_zero_doppler(orbit, tuple(point), orbit.middle, 1e-9)[0] for point in points]
    return Seen(
        points=points,
        positions=np.array([orbit_position(orbit, time) for time in times]),
        velocities=np.array([orbit_velocity(orbit, time) for time in times]),
    )


def test_relief_becomes_flat(relief: DetectedSeries, tmp_path: Path) -> None:
    found = {
        name: made(relief, tmp_path / name, calibration=name, polarisations=("VV",)).backscatter[0]
        for name in ("gamma", "gamma_naught_rtc")
    }
    rows, columns = (index.astype(float) for index in np.nonzero(found["gamma"]))
    x, y = metres(*positions(GRID, rows, columns))
    step = 5.0
    by_east = (ridge_heights(x + step, y) - ridge_heights(x - step, y)) / (2.0 * step)
    by_north = (ridge_heights(x, y + step) - ridge_heights(x, y - step)) / (2.0 * step)
    here = seen(relief, rows[:1], columns[:1], np.array([500.0]))
    longitude, latitude = np.radians(CENTRE)
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    up = np.array(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ]
    )
    sight = (here.positions - here.points)[0]
    towards = np.array([sight @ east, sight @ np.cross(up, east)])
    towards /= np.linalg.norm(towards)
    # away from the radar is positive
    slopes = -np.degrees(np.arctan(by_east * towards[0] + by_north * towards[1]))

    def by_slope(values: Array) -> Array:
        bins = [(slopes >= a) & (slopes < a + 5.0) for a in range(-25, 25, 5)]
        assert all(inside.sum() > 300 for inside in bins)
        return np.array([decibel(values[inside].mean() / LEVEL) for inside in bins])

    at = rows.astype(int), columns.astype(int)
    before, after = (by_slope(image[at]) for image in found.values())
    assert np.ptp(before) > 6.0
    assert np.abs(after).max() < 0.2
    flat = found["gamma_naught_rtc"][at]
    assert np.mean(np.abs(10.0 * np.log10(flat / LEVEL)) < 0.5) > 0.97


def test_level_ground_keeps_its_gamma(tmp_path: Path) -> None:
    series = simulated_pass(
        tmp_path / "products", lines=SIDE, samples=SIDE, dem=plane(around(0.2), height=400.0)
    )
    corrected = made(series, tmp_path / "rtc", calibration="gamma_naught_rtc").backscatter[0]
    plain = made(series, tmp_path / "gamma").backscatter[0]
    np.testing.assert_array_equal(corrected > 0.0, plain > 0.0)
    known = plain > 0.0
    ratio = np.zeros(plain.shape)
    ratio[known] = 10.0 * np.log10(corrected[known] / plain[known])
    assert abs(ratio[known].mean()) < 0.05
    blocks = [slice(k, k + 10) for k in range(0, GRID.shape.lines, 10)]
    rows, columns = np.nonzero(known[::10, ::10])
    means = [
        ratio[blocks[i], blocks[j]].mean()
        for i, j in zip(rows, columns, strict=True)
        if known[blocks[i], blocks[j]].all()
    ]
    assert len(means) > 150
    assert np.abs(means).max() < 0.05


def test_normlim_is_beta_times_the_sine_of_the_local_incidence(
    relief: DetectedSeries, tmp_path: Path
) -> None:
    normal = made(relief, tmp_path / "n", calibration="normlim", masks=("incidence",))
    beta = made(relief, tmp_path / "b", calibration="beta").backscatter
    known = beta > 0.0
    np.testing.assert_array_equal(normal.backscatter > 0.0, known)
    sine = np.sin(np.radians(normal.masks["incidence"] / 100.0))[None]
    expected = (beta * sine)[known]
    # angles are stored to 0.005 degrees
    np.testing.assert_allclose(normal.backscatter[known], expected, rtol=1e-3)


@pytest.mark.parametrize(("east", "north"), [(0.0, 0.0), (0.25, 0.1), (-0.3, 0.2)])
def test_incidence_of_planes(east: float, north: float, tmp_path: Path) -> None:
    dem = plane(around(0.1), height=400.0, east_slope=east, north_slope=north)
    series = simulated_pass(tmp_path / "products", lines=200, samples=200, dem=dem)
    tiled = made(series, tmp_path / "out", masks=("incidence",), minimum_coverage=0.01)
    known = tiled.backscatter[0] > 0.0
    rows, columns = (index[::97].astype(float) for index in np.nonzero(known))
    assert rows.size > 30
    surfaces = surface(dem)
    longitudes, latitudes = positions(GRID, rows, columns)

    def ground(by_longitude: float, by_latitude: float) -> Array:
        x, y = longitudes + by_longitude, latitudes + by_latitude
        return ecef(x, y, surfaces(np.stack([-y, x], axis=-1)))

    step = 1e-4
    east_wards = ground(step, 0.0) - ground(-step, 0.0)
    normals = np.cross(east_wards, ground(0.0, step) - ground(0.0, -step))
    here = seen(series, rows, columns, surfaces(np.stack([-latitudes, longitudes], axis=-1)))
    sight = here.positions - here.points
    cosines = (normals * sight).sum(axis=-1)
    cosines /= np.linalg.norm(normals, axis=-1) * np.linalg.norm(sight, axis=-1)
    stored = tiled.masks["incidence"][rows.astype(int), columns.astype(int)]
    assert np.abs(stored / 100.0 - np.degrees(np.arccos(cosines))).max() < 0.1


def test_layover_and_shadow_are_those_of_rays_and_range_circles(
    mountains: DetectedSeries, mountain_tile: Made
) -> None:
    bits = mountain_tile.masks["layover_shadow"]
    random = np.random.default_rng(5)
    rows, columns = random.permutation(np.argwhere(bits < 255.0))[:1500].T
    dem = alps()
    longitudes, latitudes = positions(GRID, rows.astype(float), columns.astype(float))
    heights = surface(dem)(np.stack([-latitudes, longitudes], axis=-1))
    here = seen(mountains, rows.astype(float), columns.astype(float), heights)
    found = bits[rows, columns].astype(int)
    shadow = behind_terrain(dem, here.points, here.positions)
    layover = in_layover(dem, here.points, here.positions, here.velocities)
    assert 0.02 < shadow.mean() < 0.5
    assert 0.05 < layover.mean() < 0.9
    assert ((found & SHADOW > 0) == shadow).mean() >= 0.99
    assert ((found & LAYOVER > 0) == layover).mean() >= 0.99


def test_shadow_has_no_corrected_backscatter_but_stays_in_the_masks(mountain_tile: Made) -> None:
    border, bits = (mountain_tile.masks[name] for name in ("border", "layover_shadow"))
    image = mountain_tile.backscatter[0]
    assert set(np.unique(border)) == {0.0, 1.0}
    np.testing.assert_array_equal(bits == 255.0, border == 0.0)
    np.testing.assert_array_equal(mountain_tile.masks["incidence"] == 0.0, border == 0.0)
    assert not image[border == 0.0].any()
    only_shadow = bits == SHADOW
    assert only_shadow.sum() > 500
    # cells at the edges of shadow hold some of what is seen
    assert np.mean(image[only_shadow] == 0.0) > 0.7
    lit = (bits == 0.0) & (mountain_tile.masks["incidence"] < 8000.0)
    assert np.mean(image[lit] > 0.0) > 0.995


def test_border_mask_is_where_plain_tiles_have_data(
    mountains: DetectedSeries, mountain_tile: Made, tmp_path: Path
) -> None:
    plain = made(mountains, tmp_path)
    np.testing.assert_array_equal(mountain_tile.masks["border"] > 0.0, plain.backscatter[0] > 0.0)


def test_masks_change_no_backscatter(relief: DetectedSeries, tmp_path: Path) -> None:
    plain = made(relief, tmp_path / "plain").backscatter
    masked = made(relief, tmp_path / "masked", masks=MASKS).backscatter
    # terrain is loaded wider for masks, which moves the geometry's nodes in height
    np.testing.assert_allclose(masked, plain, rtol=1e-4)


def test_polarisations_share_the_factor(relief: DetectedSeries, tmp_path: Path) -> None:
    co, cross = made(relief, tmp_path, calibration="gamma_naught_rtc").backscatter
    known = co > 0.0
    np.testing.assert_array_equal(cross > 0.0, known)
    assert np.median(cross[known] / co[known]) == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize("calibration", ["gamma_naught_rtc", "normlim"])
def test_slices_fill_a_tile_as_one_product_does(
    calibration: str, slices: DetectedSeries, tmp_path: Path
) -> None:
    background = Background(level=LEVEL, looks=None, relief=True)
    whole = simulated_pass(tmp_path / "products", background=background)
    one, joined = (
        made(series, tmp_path / name, calibration=calibration, masks=MASKS, resolution=100.0)
        for series, name in ((whole, "one"), (slices, "joined"))
    )
    known = one.backscatter > 0.0
    np.testing.assert_array_equal(joined.backscatter > 0.0, known)
    ratio = joined.backscatter[known] / one.backscatter[known]
    # times to the microsecond move lines by a thousandth, which turns some last digits
    assert np.abs(ratio - 1.0).max() < 4.0 * ROUNDING
    assert np.median(np.abs(ratio - 1.0)) < 1e-4
    for mask in ("layover_shadow", "border"):
        np.testing.assert_array_equal(joined.masks[mask], one.masks[mask])
    assert np.abs(joined.masks["incidence"] - one.masks["incidence"]).max() <= 1.0


def test_images_that_do_not_share_a_raster_are_corrected_each(
    slices: DetectedSeries, tmp_path: Path
) -> None:
    """A newer processor made the second one: the pass has two images."""
    first, second = slices.products
    newer = Path(shutil.copytree(second, tmp_path / second.name))
    for file in newer.rglob("manifest.safe"):
        file.write_text(file.read_text().replace("003.71", "003.80"))
    options = {"calibration": "gamma_naught_rtc", "masks": MASKS, "resolution": 100.0}
    two = made(slices, tmp_path / "two", products=(first, newer), **options)
    joined = made(slices, tmp_path / "joined", **options)
    known = joined.backscatter > 0.0
    np.testing.assert_array_equal(two.backscatter > 0.0, known)
    # the kernel shrinks where one image ends, and the times of the two are rounded
    differs = np.abs(two.backscatter[known] / joined.backscatter[known] - 1.0) > 1e-3
    assert differs.mean() < 0.02
    np.testing.assert_array_equal(two.masks["border"], joined.masks["border"])
    assert np.mean(two.masks["layover_shadow"] != joined.masks["layover_shadow"]) < 1e-4


@pytest.mark.parametrize("cut", [(300, 256, 1), (2048, 37, 3)])
def test_bits_depend_neither_on_cuts_nor_on_threads(
    cut: tuple[int, int, int],
    mountains: DetectedSeries,
    mountain_tile: Made,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "_BLOCK_COLUMNS", cut[0])
    monkeypatch.setattr(tile, "_BAND_ROWS", cut[1])
    options = {"calibration": "gamma_naught_rtc", "masks": MASKS, "threads": cut[2]}
    again = made(mountains, tmp_path, **options)
    np.testing.assert_array_equal(again.backscatter, mountain_tile.backscatter)
    for mask, array in mountain_tile.masks.items():
        np.testing.assert_array_equal(again.masks[mask], array)


@pytest.mark.parametrize(
    "mode",
    [
        TopsMode(swaths=("IW1", "IW2"), bursts=2, samples=800, burst_lines=200),
        StripMapMode(lines=1200, samples=900),
    ],
)
def test_complex_products_on_level_ground_get_the_tangent_of_incidence(
    mode: TopsMode | StripMapMode, tmp_path: Path
) -> None:
    """Gamma nought is beta nought times tan(incidence) there; pixel by pixel speckle cancels."""
    dem = plane(around(0.25), height=400.0)
    products = simulate(Scene(dem=dem), [Acquisition(centre=START)], tmp_path, mode=mode).products
    path = write_dem(tmp_path / "dem.tif", dem)
    series = DetectedSeries(products=products, dem=path, truth=tmp_path)
    corrected, beta = (
        made(series, tmp_path / name, calibration=name, masks=("incidence",), **LITTLE)
        for name in ("gamma_naught_rtc", "beta")
    )
    known = beta.backscatter[0] > 0.0
    assert known.sum() > 5_000
    factors = corrected.backscatter[0][known] / beta.backscatter[0][known]
    expected = np.tan(np.radians(beta.masks["incidence"][known] / 100.0))
    decibels = 10.0 * np.log10(factors / expected)
    assert abs(decibels.mean()) < 0.02
    # facets leave a ripple in cells of 20 m
    assert np.percentile(np.abs(decibels), 95.0) < 0.3


def test_noise_that_takes_all_stays_the_smallest_value(tmp_path: Path) -> None:
    background = Background(level=1e-5, looks=None, noise=True)
    dem = plane(around(0.1), height=400.0)
    series = simulated_pass(
        tmp_path / "products", lines=SIDE, samples=SIDE, background=background, dem=dem
    )
    found = {
        name: made(series, tmp_path / name, calibration=name, remove_noise=True).backscatter
        for name in ("gamma", "gamma_naught_rtc", "normlim")
    }
    smallest = found["gamma"] == np.float32(1e-7)
    assert smallest.sum() > 100
    for name in ("gamma_naught_rtc", "normlim"):
        differs = (found[name] == np.float32(1e-7)) != smallest
        # signals between 1e-7 of one coefficient and of the other
        assert differs.sum() < 0.01 * smallest.sum()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"calibration": "gamma_naught_rtc"},
            [f"s1a_{TILE}_vv_{ALONE}_GammaNaughtRTC.tif"],
        ),
        ({"calibration": "normlim"}, [f"s1a_{TILE}_vv_{ALONE}_NormLim.tif"]),
        ({"calibration": "gamma_naught_rtc", "names": "peps"}, [f"s1a_rtc_{TILE}_vv_{ALONE}.tif"]),
        ({"calibration": "normlim", "names": "peps"}, [f"s1a_nor_{TILE}_vv_{ALONE}.tif"]),
    ],
)
def test_names_of_corrected_tiles(
    options: dict[str, str], expected: list[str], relief: DetectedSeries, tmp_path: Path
) -> None:
    request = relief.request(polarisations=("VV",), minimum_coverage=0.05, **options)
    result = run(request, tmp_path, Progress())
    (path,) = tile_files(result, tmp_path / "tiles").values()
    assert [path.name] == expected
    assert gdal.Open(str(path)).GetMetadataItem("CALIBRATION") == options["calibration"]


def test_masks_are_named_once_and_tell_what_they_hold(mountain_tile: Made) -> None:
    assert {mask: path.name for mask, path in mountain_tile.paths.items()} == {
        "incidence": f"LIA_s1a_{TILE}_{ALONE}.tif",
        "layover_shadow": f"s1a_{TILE}_{ALONE}_LayoverShadow.tif",
        "border": f"s1a_{TILE}_{ALONE}_BorderMask.tif",
    }
    kinds = {"incidence": gdal.GDT_UInt16, "layover_shadow": gdal.GDT_Byte, "border": gdal.GDT_Byte}
    nodata = {"incidence": 0.0, "layover_shadow": 255.0, "border": 255.0}
    for mask, path in mountain_tile.paths.items():
        dataset = gdal.Open(str(path))
        assert dataset.GetRasterBand(1).DataType == kinds[mask]
        assert dataset.GetRasterBand(1).GetNoDataValue() == nodata[mask]
        assert dataset.GetRasterBand(1).GetDescription() == mask
        assert dataset.GetMetadataItem("MASK")
        assert read_raster(path).grid == GRID


def test_a_mask_asked_for_twice_comes_once(relief: DetectedSeries, tmp_path: Path) -> None:
    request = relief.request(minimum_coverage=0.05, masks=("border", "border"))
    result = run(request, tmp_path, Progress())
    assert result.report["tiles"][0]["masks"] == [f"s1a_{TILE}_{ALONE}_BorderMask.tif"]
