"""Figures from a few windows of a file: they are found wherever its data is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.chains.multitemporal_filter.reading import Layer
from kernels.chains.multitemporal_filter.sampling import sample_counts, sample_looks, sample_speckle
from kernels.model import Shape
from kernels.products.raster import create_raster

LOOKS = 4.4
SHAPE = Shape(2000, 1900)
CORNER = (slice(500, 900), slice(1400, 1800))
"""One tile of the files lies in it; none of those that are looked at first has data."""


@pytest.fixture
def corner(tmp_path: Path) -> Path:
    """Speckle in a twentieth of a file, no data elsewhere."""
    values = np.zeros((1, *SHAPE), np.float32)
    size = values[0][CORNER].shape
    values[0][CORNER] = np.random.default_rng(1).gamma(LOOKS, 1.0 / LOOKS, size)
    path = tmp_path / "corner.tif"
    with create_raster(path, SHAPE, ("vv",), nodata=0.0) as writer:
        writer.write(0, values)
    return path


def test_the_looks_of_a_tile_that_is_mostly_empty_are_measured(corner: Path) -> None:
    speckle = sample_speckle(Layer(corner))
    assert speckle is not None
    # 1024 pixels of white speckle tell the looks of a block to 7 percent, and there are dozens
    assert speckle.looks == pytest.approx(LOOKS, rel=0.05)
    assert sample_looks(Layer(corner)) == speckle.looks


def test_so_are_its_numbers_of_acquisitions(tmp_path: Path) -> None:
    counts = np.zeros((1, *SHAPE), np.uint8)
    counts[0][CORNER] = 3
    path = tmp_path / "counts.tif"
    with create_raster(path, SHAPE, ("count",), nodata=0.0, dtype="uint8") as writer:
        writer.write(0, counts)
    assert sample_counts(Layer(path)) == (3, 3, 3)


def test_a_file_without_data_has_no_figures(tmp_path: Path) -> None:
    path = tmp_path / "empty.tif"
    with create_raster(path, SHAPE, ("vv",), nodata=0.0) as writer:
        writer.write(0, np.zeros((1, *SHAPE), np.float32))
    assert sample_speckle(Layer(path)) is None
    assert sample_counts(Layer(path)) is None
