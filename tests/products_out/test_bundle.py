"""Zip archives: the same bytes for the same files, whole or not at all."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from kernels.errors import ProcessingError
from kernels.products.bundle import zip_files
from tests.products_out.limits import no_file_larger_than


def two_files(folder: Path, *, when: float) -> list[Path]:
    """A text and an image, last changed at an instant."""
    folder.mkdir()
    files = [folder / "report.json", folder / "iw1.tif"]
    for file in files:
        file.write_bytes(file.name.encode() * 1000)
        os.utime(file, (when, when))
    return files


def test_date_folder_and_order_do_not_change_the_archive(tmp_path: Path) -> None:
    first = two_files(tmp_path / "a", when=1e9)
    second = two_files(tmp_path / "b", when=1.5e9)
    zip_files(tmp_path / "a.zip", first)
    zip_files(tmp_path / "b.zip", second[::-1])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_what_comes_out_is_what_went_in(tmp_path: Path) -> None:
    files = two_files(tmp_path / "a", when=1e9)
    zip_files(tmp_path / "a.zip", files, names=["z/report.json", "y.tif"])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["y.tif", "z/report.json"]
        assert archive.read("y.tif") == files[1].read_bytes()
        kinds = [member.compress_type for member in archive.infolist()]
    assert kinds == [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    files = two_files(tmp_path / "a", when=1e9)
    with pytest.raises(ValueError, match="two members of the same name"):
        zip_files(tmp_path / "a.zip", files, names=["x.tif", "x.tif"])


def test_a_missing_file_leaves_nothing(tmp_path: Path) -> None:
    files = two_files(tmp_path / "a", when=1e9)
    files[0].unlink()
    with pytest.raises(ProcessingError, match=r"b\.zip could not be written: No such file"):
        zip_files(tmp_path / "b.zip", files)
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    files = two_files(tmp_path / "a", when=1e9)
    with no_file_larger_than(1000), pytest.raises(ProcessingError, match="File too large"):
        zip_files(tmp_path / "b.zip", files)
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
