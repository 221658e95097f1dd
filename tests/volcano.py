"""A volcano whose displacement is known, with a lake and bare patches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from kernels.chains.artefacts import ChainResult
from kernels.geometry.map_grids import map_positions
from kernels.model import Dem, MapGrid
from kernels.products.raster import Raster, read_raster
from kernels.simulation import (
    Acquisition,
    MogiSource,
    Scene,
    TopsMode,
    load_truth,
    save_dem,
    simulate,
)
from tests.series import BASELINE, CENTRE, START, Series, hills

CYCLE = 0.05546576 / 2.0  # of displacement [m]
LAKE = 150.0  # height of what has no coherence [m]
BARE = (CENTRE[0] + 0.02, CENTRE[1])  # in the lake
FAR = (CENTRE[0] - 0.025, CENTRE[1] + 0.02)  # on land, away from the volcano


def with_water(dem: Dem) -> Dem:
    """A lake of 1.5 km and patches of some hundred metres at the level of the lake."""
    rows, columns = dem.heights.shape
    longitudes = dem.west + np.arange(columns) * dem.longitude_step
    latitudes = dem.north + np.arange(rows) * dem.latitude_step
    x, y = np.meshgrid(longitudes - BARE[0], latitudes - BARE[1])
    noise = gaussian_filter(np.random.default_rng(4).normal(size=(rows, columns)), 2.0)
    flat = (np.hypot(x, y) < 0.007) | (noise > 2.0 * noise.std())
    heights = np.where(flat, np.float32(LAKE), dem.heights + np.float32(LAKE))
    return replace(dem, heights=heights.astype(np.float32))


@dataclass(frozen=True)
class Volcano:
    """A pair, and points whose displacement is known and which are coherent."""

    series: Series
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    towards: NDArray[np.float64]  # the satellite [m]
    swath: NDArray[np.float64]  # 0 is the first one


def make_volcano(folder: Path, mode: TopsMode) -> Volcano:
    """Simulate it: land of coherence 0.65, water of none, seven fringes."""
    dem = with_water(hills(*CENTRE))
    source = MogiSource(
        longitude=CENTRE[0], latitude=CENTRE[1], depth=2000.0, volume_change=3_400_000.0
    )
    scene = Scene(
        dem=dem, sources=(source,), land_coherence=0.65, sea_coherence=0.0, sea_height=LAKE + 0.01
    )
    dates = [
        Acquisition(centre=START),
        Acquisition(centre=START + timedelta(days=12), perpendicular_baseline=BASELINE, motion=1.0),
    ]
    made = simulate(scene, dates, folder, mode=mode)
    save_dem(dem, folder / "dem.tif")
    points = []
    for swath, burst in product(range(len(mode.swaths)), range(mode.bursts)):
        truth = load_truth(made.truth, swath=mode.swaths[swath], burst=burst)
        clear = truth.mask[np.ix_(truth.lines, truth.samples)] == 0
        clear &= truth.height > LAKE + 1.0
        values = (truth.longitude, truth.latitude, -truth.range_change)
        points.append([*(v[clear] for v in values), np.full(np.count_nonzero(clear), swath)])
    return Volcano(
        Series(
            reference=made.products[0],
            still=made.products[1],
            moved=None,
            dem=folder / "dem.tif",
            truth=made.truth,
        ),
        *(np.concatenate(values) for values in zip(*points, strict=True)),
    )


def at_points(raster: Raster, volcano: Volcano, band: int = 0) -> NDArray[np.float64]:
    """Values of a raster under the points; NaN off the map."""
    assert isinstance(raster.grid, MapGrid)
    grid = raster.grid
    x, y = map_positions(grid, volcano.longitude, volcano.latitude)
    rows = np.floor((grid.north - y) / grid.y_spacing).astype(int)
    columns = np.floor((x - grid.west) / grid.x_spacing).astype(int)
    inside = (rows >= 0) & (columns >= 0)
    inside &= (rows < grid.shape.lines) & (columns < grid.shape.samples)
    values = np.full(rows.shape, np.nan)
    values[inside] = raster.array[band, rows[inside], columns[inside]]
    return values


def assert_true(result: ChainResult, volcano: Volcano) -> None:
    """Two millimetres and no wrong cycle, almost everywhere on land."""
    interferogram = read_raster(result.artefact("interferogram").path)
    displacement = read_raster(result.artefact("displacement").path)
    error = at_points(displacement, volcano) - volcano.towards
    known = np.isfinite(error)
    assert known.sum() > 0.95 * np.sum(at_points(interferogram, volcano, 3) == 1.0)
    error -= np.median(error[known])
    coherence = at_points(interferogram, volcano, 2)
    rms = np.sqrt(np.mean(error[known & (coherence > 0.4)] ** 2))
    # where coherence is low, noise alone may pass half a cycle
    wrong = np.count_nonzero(np.rint(error[known & (coherence > 0.6)] / CYCLE))
    print(f"displacement: {1e3 * rms:.3f} mm RMS, {wrong} pixels off by cycles")
    assert rms <= 2e-3  # [m]
    assert wrong == 0
