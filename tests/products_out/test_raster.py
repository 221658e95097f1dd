"""Rasters come back as they went out, at the right place, or not at all."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from osgeo import gdal, ogr
from pyproj import CRS, Transformer

from kernels.errors import InputError, ProcessingError
from kernels.model import LookSide, MapGrid, RadarGrid, Shape
from kernels.products.overviews import Resampling
from kernels.products.raster import (
    TILE,
    PixelType,
    create_raster,
    radar_grid_tags,
    read_radar_grid,
    read_raster,
)
from tests.products_out.limits import no_file_larger_than

BANDS = ("amplitude", "phase", "coherency", "isData")
UNITS = ("", "rad", "", "")
SHAPE = Shape(2 * TILE + 37, TILE + 11)


def interferogram(shape: Shape = SHAPE) -> NDArray[np.float32]:
    """Noise, with NaN and isData = 0 in one corner."""
    array = np.random.default_rng(7).normal(size=(4, *shape)).astype(np.float32)
    array[3] = 1.0
    array[:3, :20, :30] = np.nan
    array[3, :20, :30] = 0.0
    return array


def write(path: Path, array: NDArray[np.float32], *, rows: int = 90, **how: Any) -> None:
    """Write an interferogram by bands of rows."""
    shape = Shape(*array.shape[1:])
    with create_raster(path, shape, BANDS, units=UNITS, **how) as writer:
        for first in range(0, shape.lines, rows):
            writer.write(first, array[:, first : first + rows])


def radar_grid(shape: Shape = SHAPE) -> RadarGrid:
    """A grid whose numbers have no short decimal form."""
    return RadarGrid(
        epoch=datetime(2023, 5, 14, 1, 53, 7, 123456),
        first_line_time=0.1 + 0.2,
        line_interval=2.0555e-3 / 3.0,
        first_slant_range=1e6 / 7.0,
        slant_range_spacing=2.329562 / 3.0,
        shape=shape,
        wavelength=0.05546576,
        look_side=LookSide.LEFT,
        bistatic_range=1e6 / 3.0,
    )


def map_grid(crs: str, *, west: float, north: float, spacing: float) -> MapGrid:
    return MapGrid(
        crs=crs, west=west, north=north, x_spacing=spacing, y_spacing=spacing, shape=SHAPE
    )


@pytest.mark.parametrize("compression", ["ZSTD", "DEFLATE", "NONE"])
@pytest.mark.parametrize("rows", [1, 90, TILE, 1000])
def test_pixels_come_back_exactly_whatever_the_bands_of_rows(
    tmp_path: Path, compression: str, rows: int
) -> None:
    array = interferogram()
    write(tmp_path / "a.tif", array, rows=rows, compression=compression)
    found = read_raster(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, array)
    assert found.band_names == BANDS
    assert found.grid is None
    assert list(tmp_path.iterdir()) == [tmp_path / "a.tif"]


def test_missing_pixels_are_nodata_and_is_data_stays_a_flag(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", interferogram())
    dataset = gdal.Open(str(tmp_path / "a.tif"))
    masks = [dataset.GetRasterBand(n).GetMaskBand().ReadAsArray() for n in (1, 2, 3)]
    for mask in masks:
        assert not mask[:20, :30].any()
        assert np.count_nonzero(mask) == SHAPE.lines * SHAPE.samples - 600
    assert set(np.unique(dataset.GetRasterBand(4).ReadAsArray())) == {0.0, 1.0}


def test_a_tile_is_written_once_even_when_bands_of_rows_cut_it(tmp_path: Path) -> None:
    array = interferogram()
    write(tmp_path / "cut.tif", array, rows=10)
    write(tmp_path / "whole.tif", array, rows=SHAPE.lines)
    assert (tmp_path / "cut.tif").stat().st_size == (tmp_path / "whole.tif").stat().st_size


def test_the_centre_of_a_geographic_pixel_is_where_it_should_be(tmp_path: Path) -> None:
    # The centre of row 40, column 80 is put on 55.7 E, 21.2 S.
    step = 1e-4
    grid = map_grid("EPSG:4326", west=55.7 - 80.5 * step, north=-21.2 + 40.5 * step, spacing=step)
    write(tmp_path / "a.tif", interferogram(), grid=grid)
    assert location(tmp_path / "a.tif", row=40, column=80) == pytest.approx(
        (55.7, -21.2), abs=1e-11
    )
    assert read_raster(tmp_path / "a.tif").grid == grid


def test_the_centre_of_a_utm_pixel_is_where_it_should_be(tmp_path: Path) -> None:
    # False origin of zone 40 south: 500 km, 10000 km is 57 E on the equator.
    grid = map_grid("EPSG:32740", west=500e3 - 12.5 * 10, north=1e7 + 3.5 * 10, spacing=10.0)
    write(tmp_path / "a.tif", interferogram(), grid=grid)
    # 1e-9 degrees is 0.1 mm.
    assert location(tmp_path / "a.tif", row=3, column=12) == pytest.approx((57.0, 0.0), abs=1e-9)
    assert read_raster(tmp_path / "a.tif").grid == grid


def location(path: Path, *, row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude [degrees] of a pixel centre, from GDAL's view of the file."""
    dataset = gdal.Open(str(path))
    x, y = gdal.ApplyGeoTransform(dataset.GetGeoTransform(), column + 0.5, row + 0.5)
    crs = CRS.from_wkt(dataset.GetProjection())
    longitude, latitude = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    return longitude, latitude


def test_names_units_and_tags_are_in_the_file(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", interferogram(), tags={"REFERENCE": "S1A_IW_SLC"})
    dataset = gdal.Open(str(tmp_path / "a.tif"))
    bands = [dataset.GetRasterBand(n + 1) for n in range(4)]
    assert [band.GetDescription() for band in bands] == list(BANDS)
    assert [band.GetUnitType() for band in bands] == list(UNITS)
    assert dataset.GetMetadataItem("REFERENCE") == "S1A_IW_SLC"


def test_a_radar_grid_comes_back_exactly_and_without_geotransform(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", interferogram(), grid=radar_grid(), tags={"SWATH": "IW1"})
    assert read_radar_grid(tmp_path / "a.tif") == radar_grid()
    dataset = gdal.Open(str(tmp_path / "a.tif"))
    assert dataset.GetGeoTransform(can_return_null=True) is None
    assert dataset.GetMetadataItem("SWATH") == "IW1"


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_tags_keep_every_digit(value: float) -> None:
    tags = radar_grid_tags(replace(radar_grid(), first_line_time=np.float64(value)))
    assert float(tags["RADAR_FIRST_LINE_TIME"]) == value


def test_a_map_has_no_radar_grid(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", interferogram())
    with pytest.raises(InputError, match=r"a\.tif must be a raster in radar geometry"):
        read_radar_grid(tmp_path / "a.tif")


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with create_raster(tmp_path / "a.tif", SHAPE, BANDS) as writer:
            writer.write(0, interferogram()[:, :300])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"older")
    with (
        pytest.raises(ProcessingError, match="has only 300 of its 549 rows"),
        create_raster(tmp_path / "a.tif", SHAPE, BANDS) as writer,
    ):
        writer.write(0, interferogram()[:, :300])
    assert (tmp_path / "a.tif").read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.tif"]


@pytest.mark.parametrize("first", [1, 300])
def test_rows_out_of_order_are_refused(tmp_path: Path, first: int) -> None:
    with (
        pytest.raises(ValueError, match="is not row 0"),
        create_raster(tmp_path / "a.tif", SHAPE, BANDS) as writer,
    ):
        writer.write(first, interferogram()[:, :300])


@pytest.mark.parametrize("missing", ["everything", "half", "the last byte"])
@pytest.mark.parametrize("compression", ["ZSTD", "NONE"])
@pytest.mark.parametrize("overviews", [None, "mean"])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(
    tmp_path: Path, missing: str, compression: str, overviews: str | None
) -> None:
    array = interferogram()
    how = {"compression": compression, "overviews": overviews}
    write(tmp_path / "a.tif", array, **how)
    size = (tmp_path / "a.tif").stat().st_size
    (tmp_path / "a.tif").unlink()
    room = {"everything": 0, "half": size // 2, "the last byte": size - 1}[missing]
    with no_file_larger_than(room), pytest.raises(ProcessingError) as caught:
        write(tmp_path / "a.tif", array, **how)
    message = str(caught.value)
    assert message.startswith("a.tif could not be written, is the disk full?")
    assert re.fullmatch(r"[A-Za-z0-9 .:!?=,;_/-]+", message)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_the_file_system_refuses_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProcessingError, match=r"could not be written, is the disk full\?"):
        write(tmp_path / f"{'a' * 300}.tif", interferogram(Shape(10, 10)))
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_wherever_exceptions_of_gdal_were_switched(tmp_path: Path) -> None:
    # the last module to switch them on is the first that can switch them off
    ogr.UseExceptions()
    try:
        write(tmp_path / "a.tif", interferogram(Shape(600, 600)), overviews="nearest")
        assert gdal.GetUseExceptions() == 1
    finally:
        ogr.DontUseExceptions()


def test_overviews_hold_phases_of_pixels_never_their_mean(tmp_path: Path) -> None:
    # Every pixel is 3 or -3 rad: a mean would be near 0, far from the true mean of +-pi.
    array = interferogram(Shape(1100, 1200))
    array[1] = np.where(array[0] > 0, np.float32(3.0), np.float32(-3.0))
    grid = radar_grid(Shape(1100, 1200))
    write(tmp_path / "a.tif", array, grid=grid, overviews="nearest")
    dataset = gdal.Open(str(tmp_path / "a.tif"))
    assert dataset.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"
    phase, flag = dataset.GetRasterBand(2), dataset.GetRasterBand(4)
    assert phase.GetOverviewCount() >= 2
    for level in range(phase.GetOverviewCount()):
        cells = phase.GetOverview(level).ReadAsArray()
        np.testing.assert_array_equal(cells, array[1, :: 2 << level, :: 2 << level])
        assert set(np.unique(flag.GetOverview(level).ReadAsArray())) == {0.0, 1.0}
    assert phase.GetDescription() == "phase"
    assert phase.GetUnitType() == "rad"
    found = read_raster(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, array)
    assert found.grid == grid


def test_what_is_no_raster_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("not a raster")
    with pytest.raises(InputError, match=r"^a\.tif cannot be read"):
        read_raster(tmp_path / "a.tif")


def test_a_turned_map_is_refused(tmp_path: Path) -> None:
    dataset = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "a.tif"), 4, 4)
    dataset.SetGeoTransform((0.0, 1.0, 0.5, 0.0, 0.5, -1.0))
    dataset.SetProjection(CRS.from_epsg(32740).to_wkt())
    del dataset
    with pytest.raises(InputError, match="must be a north-up raster"):
        read_raster(tmp_path / "a.tif")


def test_import_starts_no_thread_and_no_matplotlib() -> None:
    # numpy's linear algebra may start threads of its own; ours must add none.
    script = (
        "import os, sys, numpy\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "import kernels.products.raster, kernels.products.preview\n"
        "import kernels.products.qgis, kernels.products.bundle\n"
        "print(len(os.listdir('/proc/self/task')) - before, 'matplotlib' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.split() == [b"0", b"False"]


@pytest.mark.parametrize(
    ("dtype", "largest"), [("float32", 2.0**-100), ("uint16", 65_535), ("uint8", 255)]
)
@pytest.mark.parametrize("overviews", [None, "nearest"])
def test_every_pixel_type_comes_back(
    dtype: PixelType, largest: float, overviews: Resampling | None, tmp_path: Path
) -> None:
    path = tmp_path / "pixels.tif"
    values = np.array([[[0, 1, largest], [254, 3, 2]]]).astype(dtype)
    with create_raster(
        path, Shape(2, 3), ("mask",), nodata=0.0, dtype=dtype, overviews=overviews
    ) as writer:
        writer.write(0, values)
    stored = gdal.Open(str(path)).ReadAsArray()
    assert stored.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stored, values[0])
    np.testing.assert_array_equal(read_raster(path).array, values.astype(np.float32))
