"""Quicklooks: what a picture shows of backscatter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.errors import ProcessingError
from kernels.products.quicklook import quicklook_pixels, write_quicklook
from tests.products_out.limits import no_file_larger_than


def test_decibels_are_grey_and_no_data_is_transparent(tmp_path: Path) -> None:
    decibel = np.linspace(-20.0, 0.0, 1001)
    backscatter = np.tile(10.0 ** (0.1 * decibel), (5, 1)).astype(np.float32)
    backscatter[0] = 0.0
    path = write_quicklook(tmp_path / "quicklook.png", backscatter)
    assert list(tmp_path.iterdir()) == [path]
    grey, alpha = gdal.Open(str(path)).ReadAsArray()
    np.testing.assert_array_equal(alpha, np.where(backscatter > 0.0, 255, 0))
    expected = 1.0 + 254.0 * np.clip((decibel + 19.6) / 19.2, 0.0, 1.0)
    assert np.abs(grey[1] - expected).max() <= 1.0


def test_speckle_is_no_picture() -> None:
    """Backscatter that spreads by less than 6 dB is stretched as if it did."""
    backscatter = 10.0 ** (0.1 * np.linspace(-10.0, -9.0, 101))[None]
    grey, _, _, alpha = quicklook_pixels(backscatter.astype(np.float32))
    assert (alpha == 255).all()
    assert np.ptp(grey) == pytest.approx(254.0 / 6.0, abs=1.0)
    assert grey.mean() == pytest.approx(128.0, abs=1.0)


def test_a_composite_is_red_where_one_green_where_both_and_blue_by_their_ratio(
    tmp_path: Path,
) -> None:
    decibel = np.linspace(0.0, 20.0, 11)
    co, cross = np.meshgrid(decibel, decibel)
    backscatter, second = (10.0 ** (0.1 * x).astype(np.float32) for x in (co, cross))
    backscatter[0, 0], second[1, 1] = 0.0, 0.0
    path = write_quicklook(tmp_path / "quicklook.png", backscatter, second)
    red, green, blue, alpha = gdal.Open(str(path)).ReadAsArray().astype(int)
    unknown = (backscatter == 0.0) | (second == 0.0)
    np.testing.assert_array_equal(alpha, np.where(unknown, 0, 255))
    for colour in (red, green, blue):
        np.testing.assert_array_equal(colour == 0, unknown)
    # across, the co-polarised image grows, and with it the ratio; down, the other one
    known_row, known_column = red[5], green[:, 5]
    assert (np.diff(known_row) >= 0).all()
    assert np.ptp(known_row) == 254
    assert np.ptp(green[5]) == 0
    assert np.ptp(known_column) == 254
    assert (np.diff(blue[5]) >= 0).all()
    assert (np.diff(blue[:, 5]) <= 0).all()
    assert len({blue[k, k] for k in range(2, 11)}) == 1


def test_a_picture_of_nothing_is_transparent(tmp_path: Path) -> None:
    path = write_quicklook(tmp_path / "quicklook.png", np.zeros((4, 6), np.float32))
    _, alpha = gdal.Open(str(path)).ReadAsArray()
    assert not alpha.any()


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    with (
        no_file_larger_than(5000),
        pytest.raises(ProcessingError, match=r"quicklook\.png could not be written"),
    ):
        write_quicklook(
            tmp_path / "quicklook.png",
            np.random.default_rng(1).random((500, 500)).astype(np.float32),
        )
    assert not list(tmp_path.iterdir())
