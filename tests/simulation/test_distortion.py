"""Layover and shadow against rays cast one by one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.model import Dem, SlcProduct
from kernels.simulation import Acquisition, Scene, TopsMode, load_truth, simulate
from tests.simulation.conftest import CENTRE, START, open_images
from tests.simulation.tools import ecef, geodetic, orbit, surface

STEP = 1.0 / 3600.0
LINE = 60
SAMPLES = 700
DATES = (Acquisition(centre=START), Acquisition(centre=START + timedelta(days=12)))


@pytest.fixture(scope="module")
def mountain() -> Dem:
    """A Gaussian mountain of 500 m whose flanks reach 45 and 64 degrees."""
    posts = np.arange(-700, 701)
    x = posts * STEP * 111_320.0 * np.cos(np.radians(CENTRE[1]))
    y = posts * STEP * 110_717.0
    width = np.where(x < 0.0, 145.0, 305.0)[None, :]
    heights = 500.0 * np.exp(-0.5 * (x[None, :] / width) ** 2 - 0.5 * (y[:, None] / 400.0) ** 2)
    return Dem(
        heights=heights.astype(np.float32),
        west=CENTRE[0] + posts[0] * STEP,
        north=CENTRE[1] - posts[0] * STEP,
        longitude_step=STEP,
        latitude_step=-STEP,
    )


def rays(image: SlcProduct, dem: Dem) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Layover and shadow of a line, from points of each range circle above or below ground."""
    grid = image.bursts[0].grid
    heights = surface(dem)
    ranges = grid.slant_range(np.arange(SAMPLES, dtype=np.float64))
    times = np.array([grid.zero_doppler_time(float(LINE), ranges[SAMPLES // 2])])
    platform, velocity = (v[0] for v in orbit(image, times))
    forward = velocity / np.linalg.norm(velocity)
    down = -platform + (platform @ forward) * forward
    down /= np.linalg.norm(down)
    right = np.cross(down, forward) * -1.0
    right *= np.sign(np.cross(velocity, platform) @ right)
    layover, shadow = np.zeros(SAMPLES, bool), np.zeros(SAMPLES, bool)
    middle = ecef(np.array(CENTRE[0]), np.array(CENTRE[1]), np.array(0.0)) - platform
    about = np.arctan2(middle @ right, middle @ down)
    # steps of about 2.5 m on the circle
    looks = about + np.arange(-1500, 1500) * 3e-6
    directions = np.cos(looks)[:, None] * down + np.sin(looks)[:, None] * right
    for k, slant_range in enumerate(ranges):
        points = platform + slant_range * directions
        longitude, latitude, height = geodetic(points)
        above = height > heights((latitude, longitude))
        crossings = np.flatnonzero(above[1:] != above[:-1])
        layover[k] = crossings.size > 1
        for crossing in crossings:
            # back towards the platform, from 10 m before the ground
            back = np.arange(10.0, 2000.0, 4.0)
            ray = points[crossing] - back[:, None] * directions[crossing]
            longitude, latitude, height = geodetic(ray)
            shadow[k] |= bool((height < heights((latitude, longitude)) - 0.5).any())
    return layover, shadow


def test_mask_agrees_with_rays(mountain: Dem, tmp_path: Path) -> None:
    mode = TopsMode(bursts=1, samples=SAMPLES, burst_lines=120)
    series = simulate(
        Scene(dem=mountain),
        DATES,
        tmp_path,
        mode=mode,
    )
    (image, _) = open_images(series)
    truth = load_truth(series.truth, swath="IW1", burst=0)
    layover, shadow = rays(image, mountain)
    assert 20 < layover.sum() < 400
    assert 20 < shadow.sum() < 400
    for bit, expected in ((1, layover), (2, shadow)):
        found = (truth.mask[LINE] & bit) > 0
        # rays and steps of the march both sample the ground: edges may differ by a pixel or two
        wide = np.convolve(expected, np.ones(7), "same") > 0
        narrow = np.convolve(expected, np.ones(7), "same") > 6
        assert not found[~wide].any()
        assert found[narrow].all()
        assert np.mean(found != expected) < 0.01


def test_gentle_ground_has_neither(tmp_path: Path) -> None:
    posts = np.arange(200)
    dem = Dem(
        heights=(300.0 * np.sin(posts / 12.0)[None, :] * np.ones((200, 1))).astype(np.float32),
        west=CENTRE[0] - 0.15,
        north=CENTRE[1] + 0.15,
        longitude_step=0.0015,
        latitude_step=-0.0015,
    )
    series = simulate(
        Scene(dem=dem),
        DATES,
        tmp_path,
        mode=TopsMode(bursts=1, samples=300, burst_lines=120),
    )
    assert (load_truth(series.truth, swath="IW1", burst=0).mask == 0).all()
