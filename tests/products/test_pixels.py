"""Windows of a measurement file."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kernels.errors import ProductError
from kernels.model import Shape
from kernels.products.pixels import GdalPixelReader
from tests.products import samples


@pytest.fixture
def reader(tmp_path: Path) -> GdalPixelReader:
    path = tmp_path / "image.tiff"
    samples.write_tiff(path, samples.pixels())
    return GdalPixelReader(str(path), shape=Shape(36, 20))


def test_a_window_holds_the_pixels_of_its_place(reader: GdalPixelReader) -> None:
    window = reader.read(7, 3, 5, 4)
    assert window.dtype == np.complex64
    np.testing.assert_array_equal(window, samples.pixels()[7:10, 5:9])
    np.testing.assert_array_equal(reader.read(30, 2), samples.pixels()[30:32])
    np.testing.assert_array_equal(reader.read(30, 2, 18), samples.pixels()[30:32, 18:])
    assert reader.read(36, 0).shape == (0, 20)


@pytest.mark.parametrize(
    "window", [(-1, 2, 0, 5), (35, 2, 0, 5), (0, 1, -1, 5), (0, 1, 16, 5), (0, -1, 0, 5)]
)
def test_a_window_outside_is_refused(
    reader: GdalPixelReader, window: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ProductError, match=r"image\.tiff: window must be inside 36 lines and 20"):
        reader.read(*window)


def test_extreme_values_of_16_bits_survive(tmp_path: Path) -> None:
    values = np.array([[-32768 + 32767j, 1 - 2j]], dtype=np.complex64)
    samples.write_tiff(tmp_path / "a.tiff", values)
    read = GdalPixelReader(str(tmp_path / "a.tiff"), shape=Shape(1, 2)).read(0, 1)
    np.testing.assert_array_equal(read, values)


def test_many_threads_read_what_one_reads(reader: GdalPixelReader) -> None:
    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(lambda line: reader.read(line % 36, 1)[0], range(360)))
    np.testing.assert_array_equal(np.array(rows[:36]), samples.pixels())
    np.testing.assert_array_equal(np.array(rows[324:]), samples.pixels())


def test_a_reader_can_be_sent_to_another_process(reader: GdalPixelReader) -> None:
    reader.read(0, 1)
    sent = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(sent.read(0, 36), samples.pixels())


def test_the_file_is_opened_at_the_first_need(tmp_path: Path) -> None:
    reader = GdalPixelReader(str(tmp_path / "later.tiff"), shape=Shape(36, 20))
    assert reader.shape == (36, 20)
    with pytest.raises(ProductError, match=r"later\.tiff cannot be read"):
        reader.check()
    samples.write_tiff(tmp_path / "later.tiff", samples.pixels())
    assert reader.read(35, 1)[0, 19] == 35 - 19j


def test_a_file_of_another_product_beside_it_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "summary.txt").write_text('Lbi_Satellite="ALOS"\n')
    samples.write_tiff(tmp_path / "image.tiff", samples.pixels())
    reader = GdalPixelReader(str(tmp_path / "image.tiff"), shape=Shape(36, 20))
    np.testing.assert_array_equal(reader.read(0, 36), samples.pixels())


def test_wherever_a_file_is_cut_off_it_is_named(tmp_path: Path) -> None:
    """600 lines: the list of blocks alone is longer than the first kilobyte."""
    path = tmp_path / "image.tiff"
    samples.write_tiff(path, np.zeros((600, 20), np.complex64))
    whole = path.read_bytes()
    for length in (0, 100, 1000, 4000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ProductError, match=r"image\.tiff (cannot be read|is cut off)"):
            GdalPixelReader(str(path), shape=Shape(600, 20)).check()
