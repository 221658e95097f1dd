"""Damaged pixels: what they are is told, nothing is made of them, and the rest is delivered."""

from __future__ import annotations

import re
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.dinsar_pair import pieces, run
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.products.raster import read_raster
from tests.series import Series

BURST = slice(200, 400)
"""Lines of the second burst in a measurement file."""
OPTIONS = {"azimuth_looks": 2, "range_looks": 8, "spacing": 5e-4, "esd": "off"}
"""Without refinement, which would change the other bursts by what a damaged one does not tell."""


def measurement(product: Path, swath: str = "iw1") -> Path:
    return next((product / "measurement").glob(f"*{swath}*"))


def with_unreadable_strips(file: Path, lines: slice) -> None:
    """Let the strips of some lines begin far behind the end of the file."""
    content = bytearray(file.read_bytes())
    assert content[:4] == b"II*\0"
    (directory,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, directory)
    tags = [struct.unpack_from("<HHII", content, directory + 2 + 12 * k) for k in range(entries)]
    ((_, kind, count, where),) = [tag for tag in tags if tag[0] == 273]  # StripOffsets
    ((_, _, _, rows),) = [tag for tag in tags if tag[0] == 278]  # RowsPerStrip
    assert kind == 4
    assert lines.stop <= count * rows
    for strip in range(lines.start // rows, lines.stop // rows):
        struct.pack_into("<I", content, where + 4 * strip, 0xF0000000)
    file.write_bytes(content)


def with_zeros(file: Path, lines: slice) -> None:
    dataset = gdal.Open(str(file), gdal.GA_Update)
    zeros = np.zeros((lines.stop - lines.start, dataset.RasterXSize), np.complex64)
    dataset.GetRasterBand(1).WriteArray(zeros, 0, lines.start)


def with_not_a_number(file: Path, lines: slice) -> None:
    dataset = gdal.Open(str(file))
    pixels = dataset.ReadAsArray().astype(np.complex64)
    dataset = None
    pixels[lines] = np.nan
    driver = gdal.GetDriverByName("GTiff")
    made = driver.Create(str(file), pixels.shape[1], pixels.shape[0], 1, gdal.GDT_CFloat32)
    made.GetRasterBand(1).WriteArray(pixels)


def radar(folder: Path, swath: str) -> np.ndarray:
    name = f"interferogram_{swath}_radar.tif"
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        archive.extract(name, folder / "radar")
    return read_raster(folder / "radar" / name).array


@pytest.fixture(scope="module")
def whole(two_swaths: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of products without damage."""
    folder = tmp_path_factory.mktemp("whole")
    run(two_swaths.request(**OPTIONS), folder, Progress())
    return folder


@pytest.mark.parametrize(
    ("image", "spoil", "reason"),
    [
        ("secondary", with_unreadable_strips, r"s1a-iw1\S+\.tiff cannot be read"),
        ("reference", with_unreadable_strips, r"s1a-iw1\S+\.tiff cannot be read"),
        ("secondary", with_zeros, "the secondary holds zeros alone"),
        ("reference", with_zeros, "the reference holds zeros alone"),
        ("reference", with_not_a_number, "no value is finite"),
    ],
)
def test_the_rest_is_delivered(
    *,
    image: str,
    spoil: Callable[[Path, slice], None],
    reason: str,
    two_swaths: Series,
    whole: Path,
    tmp_path: Path,
) -> None:
    product = two_swaths.reference if image == "reference" else two_swaths.still
    damaged = Path(shutil.copytree(product, tmp_path / product.name))
    spoil(measurement(damaged), BURST)
    request = two_swaths.request(**(OPTIONS | {image: damaged}))
    result = run(request, tmp_path / "results", Progress())
    (warning,) = result.report["warnings"]
    assert warning.startswith("IW1 burst 2 has no data: ")
    assert re.search(reason, warning)
    found, good = radar(tmp_path / "results", "iw1"), radar(whole, "iw1")
    placement = open_pair(two_swaths.request(**OPTIONS))[0].layout.placements[1]
    first, last = placement.start // 2, placement.stop // 2
    assert good[3, first:last].any()
    lost = slice(first, last)
    assert not found[3, lost].any()
    assert np.isnan(found[:3, lost]).all()
    np.testing.assert_array_equal(found[:, :first], good[:, :first])
    np.testing.assert_array_equal(found[:, last:], good[:, last:])
    np.testing.assert_array_equal(radar(tmp_path / "results", "iw2"), radar(whole, "iw2"))
    on_map = read_raster(result.artefact("interferogram").path).array[3].mean()
    before = read_raster(whole / "interferogram.tif").array[3].mean()
    share = result.report["coherence"]["share_of_pixels_with_data"]
    assert share == pytest.approx(on_map, abs=1e-5)
    assert 0.1 * before < on_map < 0.95 * before
    assert not [path for path in (tmp_path / "results").iterdir() if path.name.startswith(".")]


def test_some_bad_values_cost_the_cells_that_they_touch(
    two_swaths: Series, whole: Path, tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(two_swaths.reference, tmp_path / two_swaths.reference.name))
    with_not_a_number(measurement(damaged, "iw2"), slice(300, 302))
    request = two_swaths.request(reference=damaged, **OPTIONS)
    result = run(request, tmp_path / "results", Progress())
    (warning,) = result.report["warnings"]
    found, good = radar(tmp_path / "results", "iw2"), radar(whole, "iw2")
    lost = (found[3] == 0.0) & (good[3] == 1.0)
    assert warning == f"IW2 burst 2 lacks {lost.sum()} look cells with values not finite"
    assert np.flatnonzero(lost.any(axis=1)).size in (1, 2)  # of two lines each
    kept = ~lost
    np.testing.assert_array_equal(found[:, kept], good[:, kept])


def test_refinement_does_without_a_damaged_burst(two_swaths: Series, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(two_swaths.still, tmp_path / two_swaths.still.name))
    with_unreadable_strips(measurement(damaged), BURST)
    request = two_swaths.request(secondary=damaged, **(OPTIONS | {"esd": "auto"}))
    result = run(request, tmp_path / "results", Progress())
    assert any(line.startswith("IW1 burst 2 has no data") for line in result.report["warnings"])
    assert result.report["coherence"]["mean"] > 0.998


def test_a_bad_strip_costs_a_piece_of_a_stripmap_image(
    stripmap_series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_LARGEST_PIECE", 400)
    product = stripmap_series.reference
    damaged = Path(shutil.copytree(product, tmp_path / product.name))
    with_unreadable_strips(measurement(damaged, "s3"), slice(700, 703))
    result = run(
        stripmap_series.request(reference=damaged, esd="off"), tmp_path / "results", Progress()
    )
    (warning,) = result.report["warnings"]
    assert warning.startswith("S3 lines 401 to 800 has no data: s1a-s3")
    found = radar(tmp_path / "results", "s3")[3]
    assert not found[100:200].any()  # cells of four lines
    assert found[:100].mean() > 0.8
    assert found[200:].mean() > 0.8


def test_nothing_to_deliver_is_one_line(two_swaths: Series, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(two_swaths.still, tmp_path / two_swaths.still.name))
    for swath in ("iw1", "iw2"):
        with_zeros(measurement(damaged, swath), slice(0, 600))
    output = tmp_path / "results"
    line = "no burst of the pair can be used: IW1 burst 1 has no data: the secondary holds zeros"
    with pytest.raises(ProductError, match=line):
        run(two_swaths.request(secondary=damaged, **OPTIONS), output, Progress())
    assert not output.exists()
