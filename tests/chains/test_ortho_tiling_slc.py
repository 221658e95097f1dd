"""Tiles of complex products: targets in place, level ground level, bursts and swaths whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.ortho_tiling import OrthoTilingRequest, run
from kernels.chains.ortho_tiling.inputs import PassImage, open_passes
from kernels.chains.ortho_tiling.tile import TileFiles, process_tile
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.geometry.burst_lines import place_bursts
from kernels.geometry.mgrs import tile_grid
from kernels.model import Dem, GeographicBox, Looks, MapGrid, Shape
from kernels.products.dem import load_dem
from kernels.products.detection import DetectedSlc
from kernels.products.raster import read_raster
from kernels.products.sentinel1 import open_sentinel1
from kernels.radiometry.detected import DetectedGeometry
from kernels.simulation import (
    Acquisition,
    Background,
    DetectedMode,
    PointTarget,
    Scene,
    StripMapMode,
    TopsMode,
    Track,
    plane,
    simulate,
    simulate_detected,
)
from tests.detected_series import TILE, decibel, only_tile, tile_files, tiles_of
from tests.series import CENTRE, START, hills, write_dem
from tests.slc_parts import cut

AMPLITUDE, BETA = 1000.0, 237.0
LEVEL = (AMPLITUDE / BETA) ** 2
"""Beta nought of level ground [1]: of the digital numbers, by the annotated vectors."""
IW = TopsMode(swaths=("IW1", "IW2", "IW3"), bursts=3, samples=1600, burst_lines=260)
STRIPMAP = StripMapMode(lines=2400, samples=1800)
BOX = GeographicBox(CENTRE[0] - 0.3, CENTRE[1] - 0.25, CENTRE[0] + 0.3, CENTRE[1] + 0.25)

Array = NDArray[np.float64]


def request_of(products: tuple[Path, ...], dem: Path, **options: object) -> OrthoTilingRequest:
    values = {
        "products": products,
        "tiles": (TILE,),
        "dem": (dem,),
        "dem_heights": "ellipsoid",
        "resolution": 30.0,
        "minimum_coverage": 0.01,
        "calibration": "beta",
    }
    return OrthoTilingRequest(**(values | options))  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A tile and what it was made of."""

    request: OrthoTilingRequest
    image: NDArray[np.float32]
    grid: MapGrid
    dem: Dem

    def known(self, image: PassImage) -> tuple[Array, Array, Array]:
        """Lines and samples of an image of the pass at rows of the tile with data, and values."""
        geometry = DetectedGeometry.of(image.products[0].grid, image.orbit, self.grid, self.dem)
        rows = np.flatnonzero(self.image.any(axis=1))
        first, stop = int(rows[0]), int(rows[-1]) + 1
        lines, samples = geometry.places(Band(first, stop - first))
        return lines, samples, self.image[first:stop].astype(np.float64)


def made_in(folder: Path, mode: TopsMode | StripMapMode) -> Made:
    """Ground of one beta nought on hills."""
    dem = hills(*CENTRE)
    scene = Scene(dem=dem, amplitude=AMPLITUDE)
    made = simulate(scene, [Acquisition(centre=START)], folder, mode=mode)
    wanted = request_of(made.products, write_dem(folder / "dem.tif", dem))
    grid = tile_grid(TILE, wanted.resolution)
    return Made(
        request=wanted,
        image=only_tile(wanted, folder / "out"),
        grid=grid,
        dem=load_dem(wanted.dem, BOX, heights="ellipsoid", missing="sea"),
    )


@pytest.fixture(scope="module")
def iw(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Three swaths of three bursts."""
    return made_in(tmp_path_factory.mktemp("iw"), IW)


@pytest.fixture(scope="module")
def stripmap(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One image."""
    return made_in(tmp_path_factory.mktemp("stripmap"), STRIPMAP)


def strips(made: Made, image: PassImage, *, along: str, at: float) -> Array:
    """Mean backscatter in 8 strips of one cell on either side of a line or sample of an image."""
    lines, samples, values = made.known(image)
    place, other = (lines, samples) if along == "lines" else (samples, lines)
    end = image.products[0].grid.shape[1 if along == "lines" else 0]
    inside = (other > 0.2 * end) & (other < 0.8 * end)
    numbers = np.floor(np.nan_to_num(place, nan=-1e9) - at)
    return np.array([values[inside & (numbers == n)].mean() for n in range(-8, 8)])


def assert_nothing_is_seen(means: list[Array]) -> None:
    """Speckle makes 0.05 dB of difference between the sides of a seam, and 4 percent a strip."""
    steps = [decibel(strip[:8].mean() / strip[8:].mean()) for strip in means]
    assert abs(np.mean(steps)) < 0.05
    assert np.abs(steps).max() < 0.2
    # a line of zeros, or of half the samples, would stand out
    assert np.abs(np.array(means) / LEVEL - 1.0).max() < 0.15


def _looks(image: PassImage) -> Looks:
    product = image.products[0]
    assert isinstance(product, DetectedSlc)
    return product.looks


@pytest.mark.parametrize("name", ["iw", "stripmap"])
def test_level_ground_is_level(name: str, request: pytest.FixtureRequest) -> None:
    speckle: Made = request.getfixturevalue(name)
    known = speckle.image[speckle.image > 0.0]
    assert known.size > 40_000
    assert abs(decibel(known.mean(dtype=np.float64) / LEVEL)) < 0.02
    # the least possible: speckle of the looks of a cell, more where pixels take several cells
    ((one,), _) = open_passes(speckle.request)
    looks = min(np.prod(_looks(image)) for image in one.images)
    assert known.mean() ** 2 / known.var() > 0.6 * looks


def test_nothing_is_seen_of_the_seams_between_bursts(iw: Made) -> None:
    ((one,), _) = open_passes(iw.request)
    safe = open_sentinel1(iw.request.products[0])
    means = []
    for image in one.images:
        looks = _looks(image)
        bursts = safe.slc(image.swath, "VV", need_pixels=False).bursts
        for piece in place_bursts(bursts, azimuth_looks=looks.azimuth)[1:]:
            at = piece.start / looks.azimuth - 0.5
            means.append(strips(iw, image, along="lines", at=at))
    assert_nothing_is_seen(means)


def test_nothing_is_seen_of_the_borders_of_swaths(iw: Made) -> None:
    ((one,), _) = open_passes(iw.request)
    means = []
    for image in one.images[:-1]:
        # 32 samples at the side are not valid
        border = (IW.samples - 32) // _looks(image).range
        means.append(strips(iw, image, along="samples", at=border - 0.5))
    assert_nothing_is_seen(means)


@pytest.mark.parametrize(
    ("mode", "width", "height"),
    [
        (StripMapMode(lines=460, samples=500), 0.0065, 0.0055),
        (TopsMode(swaths=("IW1", "IW2"), bursts=2, samples=550, burst_lines=130), 0.012, 0.007),
    ],
    ids=["StripMap", "IW"],
)
def test_targets_are_at_their_place(
    mode: TopsMode | StripMapMode, width: float, height: float, tmp_path: Path
) -> None:
    dem = plane(BOX, height=300.0, step=1.0 / 240.0)
    east, north = np.meshgrid(np.linspace(-width, width, 8), np.linspace(-height, height, 8))
    # askew to the image, so that targets fall on all parts of cells
    longitudes = (CENTRE[0] + east + 0.037 * north).ravel()
    latitudes = (CENTRE[1] + north - 0.053 * east).ravel()
    targets = tuple(
        PointTarget(longitude=x, latitude=y, amplitude=20_000.0)
        for x, y in zip(longitudes, latitudes, strict=True)
    )
    # StripMap without any signal is no data
    scene = Scene(dem=dem, amplitude=5.0, targets=targets)
    made = simulate(scene, [Acquisition(centre=START)], tmp_path, mode=mode)
    wanted = request_of(made.products, write_dem(tmp_path / "dem.tif", dem), resolution=5.0)
    crs = tile_grid(TILE, 5.0).crs
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        longitudes, latitudes
    )
    image, west, north_ = _map_of(wanted, crs, x, y, tmp_path)
    places = np.stack([(north_ - y) / 5.0 - 0.5, (x - west) / 5.0 - 0.5], axis=-1)
    errors = np.array([5.0 * (_centre(image, place) - place) for place in places])
    errors = errors[np.isfinite(errors[:, 0])]
    assert len(errors) > 45
    # half of a cell is 7 m by 3.5 m (IW), 3.5 m by 4.8 m (StripMap)
    assert np.abs(errors).max() < 2.5  # [m]
    assert np.abs(errors.mean(axis=0)).max() < 0.1  # [m]


def _map_of(
    request: OrthoTilingRequest, crs: str, x: Array, y: Array, folder: Path
) -> tuple[NDArray[np.float32], float, float]:
    """Part of a tile around some places, its west and its north [m]."""
    ((one,), _) = open_passes(request)
    west, north = 5.0 * np.floor(x.min() / 5.0) - 300.0, 5.0 * np.ceil(y.max() / 5.0) + 300.0
    shape = Shape(int((north - y.min() + 300.0) / 5.0), int((x.max() - west + 300.0) / 5.0))
    path = folder / "part.tif"
    process_tile(
        one.images,
        MapGrid(crs=crs, west=west, north=north, x_spacing=5.0, y_spacing=5.0, shape=shape),
        load_dem(request.dem, BOX, heights="ellipsoid", missing="sea"),
        TileFiles(
            backscatter=((path, ("vv",)),),
            masks=(),
            tags={},
            mask_tags={},
            compression="NONE",
            decibels=False,
        ),
        calibration=request.calibration,
        threads=1,
        memory_mb=200,
        step="part of a tile",
        progress=Progress(),
    )
    return read_raster(path).array[0], float(west), float(north)


def _centre(image: NDArray[np.float32], place: Array) -> Array:
    """Centroid of the brightness within 35 m of a place; NaN where some is no data."""
    i, j = np.rint(place).astype(int)
    patch = image[i - 7 : i + 8, j - 7 : j + 8].astype(np.float64)
    if (patch == 0.0).any():
        return np.full(2, np.nan)
    patch = np.clip(patch - np.median(patch), 0.0, None)
    return (np.mgrid[i - 7 : i + 8, j - 7 : j + 8] * patch).sum(axis=(1, 2)) / patch.sum()


@pytest.mark.parametrize("name", ["iw", "stripmap"])
def test_complex_and_detected_products_give_the_same_tile(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    speckle: Made = request.getfixturevalue(name)
    made = simulate_detected(
        Scene(dem=hills(*CENTRE)),
        [Acquisition(centre=START + timedelta(days=12))],
        tmp_path,
        track=Track(longitude=CENTRE[0], latitude=CENTRE[1]),
        mode=DetectedMode(lines=1400, samples=1400),
        background=Background(level=LEVEL, quantity="beta_nought", looks=None),
    )
    detected = only_tile(replace(speckle.request, products=made.products), tmp_path / "out")
    both = (detected > 0.0) & (speckle.image > 0.0)
    assert both.sum() > 30_000
    ratio = speckle.image[both].astype(np.float64) / detected[both]
    assert abs(decibel(ratio.mean())) < 0.02
    columns = np.nonzero(both)[1]
    thirds = np.array_split(np.argsort(columns), 3)
    assert max(abs(decibel(ratio[third].mean())) for third in thirds) < 0.05


@pytest.fixture(scope="module")
def four_bursts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Product of two swaths of four bursts, and the terrain."""
    folder = tmp_path_factory.mktemp("four_bursts")
    dem = hills(*CENTRE)
    mode = TopsMode(swaths=("IW1", "IW2"), bursts=4, samples=300, burst_lines=700)
    made = simulate(Scene(dem=dem), [Acquisition(centre=START)], folder, mode=mode)
    return made.products[0], write_dem(folder / "dem.tif", dem)


def test_slices_fill_a_tile_like_one_product(
    four_bursts: tuple[Path, Path], tmp_path: Path
) -> None:
    safe, dem = four_bursts
    parts = tuple(cut(safe, tmp_path, part) for part in ((0, 1), (2, 3)))
    whole = only_tile(request_of((safe,), dem), tmp_path / "whole")
    ((name, joined),) = tiles_of(request_of(parts, dem), tmp_path / "joined").items()
    assert name.endswith("DES_151_20260101txxxxxx.tif")
    np.testing.assert_array_equal(joined[0] > 0.0, whole > 0.0)
    known = whole > 0.0
    np.testing.assert_allclose(joined[0][known], whole[known], rtol=2e-3)


def test_names_tags_and_polarisations(four_bursts: tuple[Path, Path], tmp_path: Path) -> None:
    safe, dem = four_bursts
    request = request_of((safe,), dem, names="peps", resolution=60.0, remove_noise=True)
    result = run(request, tmp_path, Progress())
    ((name, path),) = tile_files(result, tmp_path / "tiles").items()
    assert name == f"s1a_bet_{TILE}_vv_DES_151_20260101t{safe.name[26:32]}.tif"
    tags = gdal.Open(str(path)).GetMetadata()
    expected = {"IMAGE_TYPE": "SLC", "INPUT_S1_IMAGES": safe.stem, "NOISE_REMOVED": "True"}
    assert expected.items() <= tags.items()
    (one,) = result.report["passes"]
    # 60 m on lines of 14 m, and on samples of 2.3 m slant range that are 4 m or less on the ground
    assert one["type"] == "SLC"
    assert one["looks"] == {"IW1": [5, 16], "IW2": [5, 16]}


def test_polarisations_share_one_geometry(four_bursts: tuple[Path, Path], tmp_path: Path) -> None:
    safe, dem = four_bursts
    both = cut(safe, tmp_path, (0, 1), crossed=True)
    images = tiles_of(request_of((both,), dem), tmp_path / "out")
    assert [name.split("_")[2] for name in images] == ["vv", "vh"]
    parallel, crossed = (image[0] for image in images.values())
    np.testing.assert_array_equal(parallel > 0.0, crossed > 0.0)
    known = parallel > 0.0
    # halves are cut off to whole numbers: 0.25 digital numbers of some 500 on average
    assert np.median(crossed[known] / parallel[known]) == pytest.approx(0.25, rel=3e-3)


def test_terrain_is_corrected_for_as_with_detected_products(tmp_path: Path) -> None:
    dem = hills(*CENTRE)
    made = simulate(
        Scene(dem=dem, relief=True),
        [Acquisition(centre=START)],
        tmp_path,
        mode=StripMapMode(lines=1500, samples=1300),
    )
    path = write_dem(tmp_path / "dem.tif", dem)
    spread = {}
    for calibration in ("gamma", "gamma_naught_rtc"):
        request = request_of(made.products, path, resolution=60.0, calibration=calibration)
        known = only_tile(request, tmp_path / calibration)
        known = known[known > 0.0]
        spread[calibration] = known.std() / known.mean()
    # slopes of 20 degrees, and speckle of some 200 looks
    assert spread["gamma"] > 0.3
    assert spread["gamma_naught_rtc"] < 0.5 * spread["gamma"]
