"""Input of the benchmark of whole frames: noise that is what the annotation says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.frame_floor import measure_floor
from benchmarks.frame_input import AMPLITUDE, Frames, make_pair, noise_tile
from kernels.engine.progress import Progress
from kernels.model import GeographicBox, SlcProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import AnnotatedDate, plane

pytestmark = pytest.mark.shared_data


@pytest.fixture
def image(shared_data: Path) -> SlcProduct:
    safe = next(shared_data.glob("alps_iw_pair/*20190101T*.SAFE"))
    return open_sentinel1(safe).slc("IW2", "VV", need_pixels=False)


def test_the_tile_fills_the_annotated_bands_and_nothing_else(image: SlcProduct) -> None:
    tile = noise_tile(image, seed=1)
    power = np.abs(np.fft.fft2(tile[3, 5])) ** 2
    assert np.mean(np.abs(tile[3, 5]) ** 2) == pytest.approx(1.0, abs=1e-3)
    rows, columns = (np.abs(np.fft.fftfreq(n)) for n in power.shape)
    # 313 Hz of 486.5 lines per second, 48.3 of 64.3 MHz
    outside = (rows[:, None] > 0.5 * 313.0 / 486.486) | (columns[None, :] > 0.5 * 48.3 / 64.345)
    assert power[outside].sum() < 1e-9 * power.sum()


def test_two_half_pixels_are_one(image: SlcProduct) -> None:
    tile = noise_tile(image, seed=1)
    half = np.exp(1j * np.pi * np.fft.fftfreq(tile.shape[3]))[None, :]
    again = np.fft.ifft(np.fft.fft(tile[0, tile.shape[1] // 2], axis=1) * half, axis=1)
    np.testing.assert_allclose(again, np.roll(tile[0, 0], -1, axis=1), atol=1e-4)


def test_every_valid_sample_of_both_dates_holds_signal(shared_data: Path, tmp_path: Path) -> None:
    products = sorted(shared_data.glob("alps_iw_pair/*.SAFE"))
    dem = plane(GeographicBox(6.5, 45.2, 11.5, 48.2), height=300.0, step=0.01)
    what = Frames(swaths=("IW2",), polarisation="VV", dem=dem, lines=4)
    make_pair([AnnotatedDate(product=p) for p in products], tmp_path, what, Progress())
    for safe in sorted(tmp_path.glob("*.SAFE")):
        made = open_sentinel1(safe).slc("IW2", "VV")
        assert made.pixels is not None
        burst = made.bursts[-1]
        line = burst.grid.shape.lines // 2
        pixels = made.pixels.read(burst.first_line + line, 1)[0]
        first, last = burst.first_valid_sample[line], burst.last_valid_sample[line]
        assert not pixels[:first].any()
        assert not pixels[last + 1 :].any()
        inside = np.abs(pixels[first : last + 1])
        assert np.mean(inside > 0.0) > 0.99
        # level ground has one brightness
        assert np.sqrt(np.mean(inside**2)) == pytest.approx(AMPLITUDE, rel=0.1)


def test_the_floor_is_measured(tmp_path: Path) -> None:
    found = measure_floor(tmp_path, disk_bytes=1 << 24)
    assert len(found) == 5
    assert all(value > 0.0 for value in found.values())
    assert not list(tmp_path.iterdir())
