"""The layout of Cloud Optimized GeoTIFFs, byte for byte, and what their overviews hold."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.errors import RequestError
from kernels.model import MapGrid, Shape
from kernels.products import raster_writing
from kernels.products.overviews import overview_levels
from kernels.products.raster import TILE, Compression, RasterReader, create_raster, read_raster
from kernels.products.raster_writing import LERC_ERROR, LERC_ERROR_DB

SHAPE = Shape(1301, 1100)
GRID = MapGrid(
    crs="EPSG:32740", west=300_000.0, north=7_700_020.0, x_spacing=10.0, y_spacing=10.0, shape=SHAPE
)
_SIZES = {1: "B", 2: "s", 3: "H", 4: "I", 12: "d", 16: "Q"}


class Directory(NamedTuple):
    """One image of a TIFF file: where it is described, and its tags by number."""

    offset: int
    tags: dict[int, tuple[Any, ...]]

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """Offset and size of every tile."""
        return list(zip(self.tags[324], self.tags[325], strict=True))


def directories(data: bytes) -> list[Directory]:
    """Read a little-endian TIFF file, classic, by its specification."""
    assert data[:4] == b"II*\0"
    (offset,) = struct.unpack_from("<I", data, 4)
    found = []
    while offset:
        (count,) = struct.unpack_from("<H", data, offset)
        tags = {}
        for entry in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from("<HHI", data, entry)
            form = f"<{number}{_SIZES[kind]}"
            inline = struct.calcsize(form) <= 4
            place = entry + 8 if inline else struct.unpack_from("<I", data, entry + 8)[0]
            tags[tag] = struct.unpack_from(form, data, place)
        found.append(Directory(offset, tags))
        (offset,) = struct.unpack_from("<I", data, offset + 2 + 12 * count)
    return found


def speckle(bands: int = 1, shape: Shape = SHAPE) -> NDArray[np.float32]:
    """Intensities without data in a corner, along a jagged edge and in single pixels."""
    rng = np.random.default_rng(11)
    array = rng.gamma(4.4, 0.1 / 4.4, (bands, *shape)).astype(np.float32)
    row, column = np.indices(shape)
    array[:, row + column % 7 < 200] = 0.0
    array[:, rng.random(shape) < 0.01] = 0.0
    return array


def write(path: Path, array: NDArray[np.float32], **how: Any) -> None:
    names = tuple(f"band{number}" for number in range(len(array)))
    with create_raster(
        path, Shape(*array.shape[1:]), names, nodata=0.0, overviews="mean", **how
    ) as writer:
        for first in range(0, array.shape[1], 100):
            writer.write(first, array[:, first : first + 100])


def slow_means(band: NDArray[np.float32], cell: int) -> NDArray[np.float64]:
    """Mean of what is not 0 in each cell, one cell after the other; 0 without any."""
    rows, columns = (-(-size // cell) for size in band.shape)
    means = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            under = band[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
            known = under[under != 0.0]
            means[row, column] = known.mean(dtype=np.float64) if known.size else 0.0
    return means


@pytest.mark.parametrize("bands", [1, 2])
@pytest.mark.parametrize("compression", ["ZSTD", "DEFLATE", "LERC", "NONE"])
def test_descriptions_come_first_then_overviews_then_the_image(
    bands: int, compression: Compression, tmp_path: Path
) -> None:
    """The rules by which GDAL checks such files, and its header that promises them."""
    path = tmp_path / "a.tif"
    write(path, speckle(bands), compression=compression, grid=GRID, threads=2)
    data = path.read_bytes()
    images = directories(data)
    sizes = [(image.tags[256][0], image.tags[257][0]) for image in images]
    assert sizes == [(1100, 1301), (550, 651), (275, 326)]
    assert [image.tags[254][0] & 1 if 254 in image.tags else 0 for image in images] == [0, 1, 1]
    assert all(image.tags[322] == image.tags[323] == (TILE,) for image in images)
    assert all(set(image.tags[339]) == {3} for image in images)  # floating point
    assert all(set(image.tags[258]) == {32} for image in images)
    offsets = [image.offset for image in images]
    assert offsets == sorted(offsets)
    tiles = [tile for image in reversed(images) for tile in image.tiles]
    assert max(offsets) < tiles[0][0]
    ends = [0, *(offset + size for offset, size in tiles)]
    # one after the other, smallest image first, with size and last bytes of each around it
    assert all(offset >= end for (offset, _), end in zip(tiles, ends, strict=False))
    for offset, size in tiles:
        assert struct.unpack_from("<I", data, offset - 4) == (size,)
        assert data[offset + size : offset + size + 4] == data[offset + size - 4 : offset + size]
    promise = data[8:400].split(b"\0")[0].decode("ascii", "replace")
    assert promise.startswith("GDAL_STRUCTURAL_METADATA_SIZE=")
    for line in (
        "LAYOUT=IFDS_BEFORE_DATA",
        "BLOCK_ORDER=ROW_MAJOR",
        "BLOCK_LEADER=SIZE_AS_UINT4",
        "BLOCK_TRAILER=LAST_4_BYTES_REPEATED",
        "KNOWN_INCOMPATIBLE_EDITION=NO",
    ):
        assert f"\n{line}\n" in promise


def test_overviews_are_means_of_the_valid_pixels_under_them(tmp_path: Path) -> None:
    array = speckle(2)
    write(tmp_path / "a.tif", array, grid=GRID)
    np.testing.assert_array_equal(read_raster(tmp_path / "a.tif").array, array)
    dataset = gdal.Open(str(tmp_path / "a.tif"))
    for number, values in enumerate(array):
        band = dataset.GetRasterBand(number + 1)
        assert band.GetNoDataValue() == 0.0
        assert band.GetOverviewCount() == 2
        for level in range(2):
            found = band.GetOverview(level).ReadAsArray()
            means = slow_means(values, 2 << level)
            np.testing.assert_array_equal(found == 0.0, means == 0.0)
            np.testing.assert_allclose(found, means, rtol=1e-6)


def test_decibels_are_those_of_pixels_and_of_mean_intensities(tmp_path: Path) -> None:
    array = speckle()
    array[0, 700, 700] = 1.0  # 0 dB is a value
    write(tmp_path / "a.tif", array, decibels=True, units=("dB",))
    dataset = gdal.Open(str(tmp_path / "a.tif"))
    band = dataset.GetRasterBand(1)
    assert np.isnan(band.GetNoDataValue())
    assert band.GetUnitType() == "dB"
    images = [(band, array[0].astype(np.float64))]
    images += [(band.GetOverview(k), slow_means(array[0], 2 << k)) for k in range(2)]
    for image, intensities in images:
        found = image.ReadAsArray()
        known = intensities > 0.0
        np.testing.assert_array_equal(np.isnan(found), ~known)
        # a last digit of 30 dB is 2e-6 dB
        np.testing.assert_allclose(found[known], 10.0 * np.log10(intensities[known]), atol=5e-6)
    assert band.ReadAsArray()[700, 700] == 0.0


@pytest.mark.parametrize("decibels", [False, True])
def test_lerc_errs_by_what_it_states_and_keeps_what_is_no_data(
    decibels: bool, tmp_path: Path
) -> None:
    array = speckle()
    array[0, ::5, ::3] = np.where(array[0, ::5, ::3] > 0.0, np.float32(1e-7), 0.0)
    write(tmp_path / "a.tif", array, compression="LERC", decibels=decibels)
    found = read_raster(tmp_path / "a.tif").array
    is_data = np.isfinite(found) if decibels else found > 0.0
    np.testing.assert_array_equal(is_data, array > 0.0)
    known = array[is_data].astype(np.float64)
    if decibels:
        np.testing.assert_allclose(
            found[is_data], 10.0 * np.log10(known), atol=1.01 * LERC_ERROR_DB
        )
    else:
        # twice as much for the smallest, which must not become no data
        limit = np.where(known < 2.0 * LERC_ERROR, 3.0, 1.01) * LERC_ERROR
        assert (np.abs(found[is_data] - known) <= limit).all()


def test_a_gdal_without_lerc_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster_writing.gdal, "DMD_CREATIONOPTIONLIST", "DMD_LONGNAME")
    with pytest.raises(RequestError, match="compression must be ZSTD, DEFLATE or NONE with this"):
        write(tmp_path / "a.tif", speckle(), compression="LERC")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "levels"),
    [((512, 3), 0), ((513, 3), 1), ((10_980, 10_980), 5), ((10, 200_000), 8)],
)
def test_levels_go_on_until_an_overview_is_small(shape: tuple[int, int], levels: int) -> None:
    assert overview_levels(Shape(*shape)) == levels


def test_a_picture_takes_the_largest_overview_that_fits(tmp_path: Path) -> None:
    array = speckle()
    write(tmp_path / "a.tif", array, grid=GRID)
    reader = RasterReader(tmp_path / "a.tif")
    for long_side, cell in ((2000, 1), (1301, 1), (1300, 2), (400, 4), (100, 4)):
        found = reader.overview(long_side)
        np.testing.assert_allclose(found.array[0], slow_means(array[0], cell), rtol=1e-6)
        assert isinstance(found.grid, MapGrid)
        assert found.grid.geotransform == (300_000.0, 10.0 * cell, 0, 7_700_020.0, 0, -10.0 * cell)
