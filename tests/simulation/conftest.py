"""Small simulated series that the tests share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import pytest

from kernels.model import Dem, SlcProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Acquisition,
    MogiSource,
    Scene,
    SimulatedSeries,
    TopsMode,
    simulate,
)

CENTRE = (55.7, -21.0)
START = datetime(2024, 6, 1, 1, 45)
MISREGISTRATION = 0.02
SOURCE = MogiSource(longitude=55.7, latitude=-21.0, depth=1500.0, volume_change=1e6)


class Small(NamedTuple):
    """A series and its IW1 images."""

    series: SimulatedSeries
    images: tuple[SlcProduct, ...]
    scene: Scene


def hills(posts: int = 160, step: float = 1.0 / 1200.0, height: float = 500.0) -> Dem:
    """Smooth hills around the centre."""
    k = np.arange(posts) - posts // 2
    heights = height * (1.0 + 0.3 * np.sin(k / 7.0)[None, :] * np.cos(k / 9.0)[:, None])
    return Dem(
        heights=heights.astype(np.float32),
        west=CENTRE[0] - step * (posts // 2),
        north=CENTRE[1] + step * (posts // 2),
        longitude_step=step,
        latitude_step=-step,
    )


def open_images(series: SimulatedSeries, swath: str = "IW1") -> tuple[SlcProduct, ...]:
    """Open one swath of every date with the project's reader."""
    return tuple(open_sentinel1(path).slc(swath, "VV") for path in series.products)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The reference, a baseline, the same orbit, a misregistration, and a displacement."""
    scene = Scene(dem=hills(), sources=(SOURCE,))
    later = [START + timedelta(days=12 * k) for k in range(5)]
    dates = [
        Acquisition(centre=later[0]),
        Acquisition(centre=later[1], perpendicular_baseline=80.0, timing_offset=7e-4),
        Acquisition(centre=later[2]),
        Acquisition(centre=later[3], misregistration=MISREGISTRATION),
        Acquisition(centre=later[4], perpendicular_baseline=-40.0, motion=1.0),
    ]
    mode = TopsMode(bursts=2, samples=500, burst_lines=300)
    series = simulate(scene, dates, tmp_path_factory.mktemp("small"), mode=mode)
    return Small(series, open_images(series), scene)
