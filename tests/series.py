"""Small simulated series that the tests of chains and processes share (fixtures)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.model import Dem
from kernels.simulation import (
    Acquisition,
    MogiSource,
    Scene,
    StripMapMode,
    TopsMode,
    save_dem,
    simulate,
)

START = datetime(2026, 1, 1, 2, 0, 0)
CENTRE = (55.7, -21.0)
BASELINE = 80.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """Products and their truth: the first date, the same ground again, and the ground moved."""

    reference: Path
    still: Path
    moved: Path | None
    dem: Path
    truth: Path

    def request(self, secondary: Path | None = None, **options: object) -> DinsarPairRequest:
        """Request with looks of 4 x 16 unless told otherwise."""
        values = {
            "reference": (self.reference,),
            "secondary": (secondary or self.still,),
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "azimuth_looks": 4,
            "range_looks": 16,
            "memory_mb": 200,
        }
        for name in ("reference", "secondary"):
            if isinstance(options.get(name), Path):
                options[name] = (options[name],)
        return DinsarPairRequest(**(values | options))  # type: ignore[arg-type]


def hills(longitude: float, latitude: float) -> Dem:
    """Slopes up to 20 degrees on posts of 3 arc seconds."""
    posts, step = 700, 1.0 / 1200.0
    x, y = np.meshgrid(np.arange(posts) - 0.5 * posts, np.arange(posts) - 0.5 * posts)
    heights = 400.0 + 200.0 * np.sin(x / 9.0) * np.cos(y / 12.0) + 30.0 * np.sin(y / 3.0)
    return Dem(
        heights=heights.astype(np.float32),
        west=longitude - 0.5 * posts * step,
        north=latitude + 0.5 * posts * step,
        longitude_step=step,
        latitude_step=-step,
    )


def write_dem(path: Path, dem: Dem) -> Path:
    """Write a DEM as GeoTIFF of ellipsoidal heights."""
    save_dem(dem, path)
    return path


@pytest.fixture(scope="session")
def tops_series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Three dates of two short TOPS bursts: a volcano swells before the third."""
    folder = tmp_path_factory.mktemp("tops")
    dem = hills(*CENTRE)
    source = MogiSource(
        longitude=CENTRE[0], latitude=CENTRE[1], depth=1500.0, volume_change=80_000.0
    )
    series = simulate(
        Scene(dem=dem, sources=(source,)),
        [
            Acquisition(centre=START),
            Acquisition(centre=START + timedelta(days=12), perpendicular_baseline=BASELINE),
            Acquisition(
                centre=START + timedelta(days=24),
                perpendicular_baseline=-0.6 * BASELINE,
                motion=1.0,
                timing_offset=1e-3,
            ),
        ],
        folder,
        mode=TopsMode(bursts=2, samples=2000, burst_lines=500),
    )
    return Series(
        reference=series.products[0],
        still=series.products[1],
        moved=series.products[2],
        dem=write_dem(folder / "dem.tif", dem),
        truth=series.truth,
    )


@pytest.fixture(scope="session")
def stripmap_series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Two dates of a small StripMap image."""
    folder = tmp_path_factory.mktemp("stripmap")
    dem = hills(*CENTRE)
    series = simulate(
        Scene(dem=dem),
        [
            Acquisition(centre=START),
            Acquisition(centre=START + timedelta(days=12), perpendicular_baseline=BASELINE),
        ],
        folder,
        mode=StripMapMode(lines=1200, samples=1500),
    )
    return Series(
        reference=series.products[0],
        still=series.products[1],
        moved=None,
        dem=write_dem(folder / "dem.tif", dem),
        truth=series.truth,
    )


@pytest.fixture(scope="session")
def two_swaths(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Two dates of three very short bursts of two swaths."""
    folder = tmp_path_factory.mktemp("swaths")
    dem = hills(*CENTRE)
    series = simulate(
        Scene(dem=dem),
        [
            Acquisition(centre=START),
            Acquisition(centre=START + timedelta(days=12), perpendicular_baseline=BASELINE),
        ],
        folder,
        mode=TopsMode(swaths=("IW1", "IW2"), bursts=3, samples=800, burst_lines=200),
    )
    return Series(
        reference=series.products[0],
        still=series.products[1],
        moved=None,
        dem=write_dem(folder / "dem.tif", dem),
        truth=series.truth,
    )
