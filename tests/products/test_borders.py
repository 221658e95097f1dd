"""The border cut of old processors, on images whose zeros are counted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import GrdProduct, Shape
from kernels.products.borders import has_noisy_borders, valid_window
from kernels.products.sentinel1 import open_sentinel1
from tests.products import grd_samples

LINES, SAMPLES = 5000, 6000


class ZerosOnLines:
    """Amplitudes of 1 with some zeros at the end of some lines."""

    shape = Shape(LINES, SAMPLES)

    def __init__(self, zeros: dict[int, int]) -> None:
        self._zeros = zeros

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.uint16]:
        pixels = np.ones((lines, SAMPLES), dtype=np.uint16)
        for row in range(lines):
            pixels[row, SAMPLES - self._zeros.get(first_line + row, 0) :] = 0
        stop = None if samples is None else first_sample + samples
        return pixels[:, first_sample:stop]


@pytest.fixture
def old(tmp_path: Path) -> GrdProduct:
    text = grd_samples.manifest(version="002.36")
    product = open_sentinel1(grd_samples.write_slice(tmp_path, manifest_text=text)).grd("VV")
    return replace(product, grid=replace(product.grid, shape=Shape(LINES, SAMPLES)))


@pytest.mark.parametrize(
    ("zeros", "first_line", "lines"),
    [
        ({}, 0, 5000),
        ({100: 2000, 4899: 2000}, 0, 5000),
        ({100: 2001}, 1600, 3400),
        ({4899: 2001}, 0, 3400),
        ({100: 2001, 4899: 6000}, 1600, 1800),
        ({0: 6000, 4999: 6000}, 0, 5000),
    ],
)
def test_lines_are_cut_where_line_100_has_more_than_2000_zeros(
    old: GrdProduct, zeros: dict[int, int], first_line: int, lines: int
) -> None:
    window = valid_window(replace(old, pixels=ZerosOnLines(zeros)))
    assert window == (first_line, lines, 1000, 4000)


def test_on_pixels_of_40_m_the_same_ground_is_cut(old: GrdProduct) -> None:
    grid = replace(old.grid, ground_range_spacing=40.0)
    image = replace(old, grid=grid, pixels=ZerosOnLines({25: 501, 4974: 500}))
    assert valid_window(image) == (400, 4600, 250, 5500)


def test_an_image_smaller_than_its_borders_has_nothing_left(old: GrdProduct) -> None:
    small = replace(old.grid, shape=Shape(LINES, 1500))
    assert valid_window(replace(old, grid=small, pixels=ZerosOnLines({})))[3] == 0


def test_images_of_newer_processors_are_whole_and_not_read(old: GrdProduct) -> None:
    newer = replace(old, processor="Sentinel-1 IPF 002.90", pixels=None)
    assert valid_window(newer) == (0, LINES, 0, SAMPLES)


def test_without_pixels_the_borders_of_an_old_image_are_unknown(old: GrdProduct) -> None:
    with pytest.raises(ProductError, match=f"{old.name}: the borders can be found in its pixels"):
        valid_window(replace(old, pixels=None))


@pytest.mark.parametrize(
    ("processor", "noisy"),
    [
        ("Sentinel-1 IPF 002.36", True),
        ("Sentinel-1 IPF 002.84", True),
        ("Sentinel-1 IPF 002.90", False),
        ("Sentinel-1 IPF 003.10", False),
        ("unknown", False),
    ],
)
def test_which_processors_left_noise(processor: str, noisy: bool) -> None:
    assert has_noisy_borders(processor) is noisy
