"""Quicklooks: what a picture shows of backscatter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.errors import ProcessingError
from kernels.products.quicklook import write_quicklook
from tests.products_out.limits import no_file_larger_than


def test_decibels_are_grey_and_no_data_is_transparent(tmp_path: Path) -> None:
    decibel = np.linspace(-20.0, 0.0, 1001)
    backscatter = np.tile(10.0 ** (0.1 * decibel), (5, 1)).astype(np.float32)
    backscatter[0] = 0.0
    path = write_quicklook(tmp_path / "quicklook.png", backscatter)
    assert list(tmp_path.iterdir()) == [path]
    grey, alpha = gdal.Open(str(path)).ReadAsArray()
    np.testing.assert_array_equal(alpha, np.where(backscatter > 0.0, 255, 0))
    expected = np.clip((decibel + 19.6) / 19.2, 0.0, 1.0) * 255.0
    assert np.abs(grey[1] - expected).max() <= 1.0


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
