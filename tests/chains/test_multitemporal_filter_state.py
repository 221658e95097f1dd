"""The pixels of a state come back as they were written, with bytes or more for the counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.multitemporal_filter.state_pixels import StateRows, create_state
from kernels.engine.bands import Band
from kernels.errors import ProcessingError
from kernels.model import MapGrid, Shape
from kernels.radiometry.multitemporal import TemporalSums
from tests.products_out.limits import no_file_larger_than

SHAPE = Shape(300, 280)
GRID = MapGrid(
    crs="EPSG:32631", west=6e5, north=4_900_020.0, x_spacing=10.0, y_spacing=10.0, shape=SHAPE
)


def write(path: Path, images: int, sums: TemporalSums) -> None:
    with create_state(
        path, grid=GRID, images=images, compression="NONE", tags={}, threads=1
    ) as writer:
        for first in (0, 130):
            rows = slice(first, first + 170 if first else 130)
            writer.write(first, TemporalSums(sums.total[rows], sums.counts[rows]))


@pytest.mark.parametrize(("images", "kind"), [(255, gdal.GDT_Byte), (256, gdal.GDT_UInt16)])
def test_counts_take_two_bytes_where_one_is_too_small(
    images: int, kind: int, tmp_path: Path
) -> None:
    generator = np.random.default_rng(1)
    counts = generator.integers(0, images + 1, SHAPE).astype(np.uint16)
    counts[0, 0] = images
    sums = TemporalSums(generator.random(SHAPE, np.float32), counts)
    path = tmp_path / "state.tif"
    write(path, images, sums)
    assert gdal.Open(f"GTIFF_DIR:2:{path}").GetRasterBand(1).DataType == kind
    found = StateRows(path, SHAPE, 3).read(Band(0, SHAPE.lines))
    np.testing.assert_array_equal(found.total, sums.total)
    np.testing.assert_array_equal(found.counts, counts)
    assert [file.name for file in tmp_path.iterdir()] == ["state.tif"]


def test_counts_that_find_no_room_leave_no_state(tmp_path: Path) -> None:
    """The sums alone take 4 x 512 x 512 bytes of tiles and fit; counts do not."""
    sums = TemporalSums(np.ones(SHAPE, np.float32), np.ones(SHAPE, np.uint16))
    with no_file_larger_than(4 * 512**2 + 20_000), pytest.raises(ProcessingError, match="disk"):
        write(tmp_path / "out" / "state.tif", 1, sums)
    assert not (tmp_path / "out").exists()
