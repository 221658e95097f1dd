"""A small series of TOPS images whose motion, azimuth shifts and elevation error are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains.multislc_series import MultislcSeriesRequest
from kernels.model import Dem
from kernels.simulation import Acquisition, BurstTruth, MogiSource, Scene, TopsMode, simulate
from tests.series import CENTRE, START, hills, write_dem

OFFSETS = (0, 48, 108, 156, 204)
"""Days from the first date."""
BASELINES = (0.0, 90.0, -70.0, 60.0, -40.0)
SHIFTS = (0.0, 0.02, -0.03, 0.01, -0.015)
"""Line l of a date's files truly is line l + shift."""
REFERENCE = 0
PEAK_RISE = 0.05
"""Of the ground in a year [m]."""
COHERENCE = 0.95
DEM_ERROR = 4.0
DEPTH = 1200.0
YEAR = 365.25


@dataclass(frozen=True, kw_only=True)
class SlcSeries:
    """Products in order of time, with an elevation model that is wrong, and the truth."""

    products: tuple[Path, ...]
    dem: Path
    truth: Path

    @property
    def days(self) -> tuple[str, ...]:
        """As 20260101."""
        return tuple(product.name.split("_")[5][:8] for product in self.products)

    def request(self, **options: object) -> MultislcSeriesRequest:
        """Request all dates on the first one, with looks of 4 x 16 unless told otherwise."""
        values = {
            "products": self.products,
            "first_day": self.days[0],
            "last_day": self.days[-1],
            "reference": self.days[REFERENCE],
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "azimuth_looks": 4,
            "range_looks": 16,
            "network": "small_baseline",
            "largest_days": 120,
            "memory_mb": 200,
            "spacing": 3e-4,
        }
        return MultislcSeriesRequest(**(values | options))  # type: ignore[arg-type]


def velocity(known: BurstTruth, date: int) -> NDArray[np.float64]:
    """Velocity towards the satellite on the nodes of the truth [m/year]."""
    return -known.range_change / (OFFSETS[date] / YEAR)


def dem_error(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Height to be added to the elevation model [m]: waves of about 5 km."""
    east, north = longitudes - CENTRE[0], latitudes - CENTRE[1]
    return np.asarray(DEM_ERROR * np.sin(east * 130.0) * np.cos(north * 130.0))


@pytest.fixture(scope="session")
def slc_series(tmp_path_factory: pytest.TempPathFactory) -> SlcSeries:
    """Five dates of two short bursts."""
    folder = tmp_path_factory.mktemp("slc_series")
    dem = hills(*CENTRE)
    source = MogiSource(
        longitude=CENTRE[0],
        latitude=CENTRE[1],
        depth=DEPTH,
        volume_change=PEAK_RISE * np.pi * DEPTH**2 / 0.75,
    )
    series = simulate(
        Scene(dem=dem, sources=(source,), land_coherence=COHERENCE, sea_coherence=COHERENCE),
        [
            Acquisition(
                centre=START + timedelta(days=days),
                perpendicular_baseline=baseline,
                motion=days / YEAR,
                misregistration=shift,
                timing_offset=1e-3 * (number % 2),
            )
            for number, (days, baseline, shift) in enumerate(
                zip(OFFSETS, BASELINES, SHIFTS, strict=True)
            )
        ],
        folder,
        mode=TopsMode(bursts=2, samples=1600, burst_lines=360),
    )
    return SlcSeries(
        products=series.products,
        dem=write_dem(folder / "dem.tif", _erroneous(dem)),
        truth=series.truth,
    )


def _erroneous(dem: Dem) -> Dem:
    rows, columns = dem.heights.shape
    longitudes = dem.west + dem.longitude_step * np.arange(columns)
    latitudes = dem.north + dem.latitude_step * np.arange(rows)
    error = dem_error(longitudes[None, :], latitudes[:, None])
    return replace(dem, heights=(dem.heights - error).astype(np.float32))
