"""Elevation files and boxes that cannot be used: each is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.errors import DemError
from kernels.model import Dem, GeographicBox
from kernels.products.dem import load_dem
from tests.products import samples

BOX = GeographicBox(6.25, 45.25, 6.75, 45.75)


def load(source: Path, *, box: GeographicBox = BOX, missing: str = "fail") -> Dem:
    return load_dem((source,), box, heights="ellipsoid", missing=missing)  # type: ignore[arg-type]


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemError, match=r"elevation model .*none does not exist"):
        load(tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b"xx", bytes(2 * 12)])
def test_an_hgt_of_no_square_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "N45E006.hgt").write_bytes(content)
    with pytest.raises(DemError, match=r"N45E006\.hgt must be a square of posts"):
        load(tmp_path)


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "N45E006.hgt.zip").write_bytes(b"PK")
    with pytest.raises(DemError, match=r"N45E006\.hgt\.zip cannot be read"):
        load(tmp_path)


def test_a_file_that_is_no_raster_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("<html>")
    with pytest.raises(DemError, match=r"a\.tif cannot be read"):
        load(tmp_path)


def test_heights_in_feet_are_refused(tmp_path: Path) -> None:
    samples.write_dem_tiff(
        tmp_path / "a.tif", np.ones((60, 60)), west_edge=6.0, north_edge=46.0, step=0.02, unit="ft"
    )
    with pytest.raises(DemError, match=r"a\.tif must hold heights in metres, got ft"):
        load(tmp_path)


def test_other_files_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("tiles")
    (tmp_path / "Copernicus_DSM_COG_10_N45_00_E006_00_WBM.tif").write_text("a mask, no heights")
    (tmp_path / "N10E010.hgt").write_text("damaged, but elsewhere")
    assert load(samples.write_hgts(tmp_path)).sources == ("N45E006.hgt",)


@pytest.mark.parametrize(
    "box",
    [
        GeographicBox(7.0, 45.0, 6.0, 46.0),
        GeographicBox(6.0, 46.0, 7.0, 45.0),
        GeographicBox(6.0, 45.0, 7.0, 91.0),
        GeographicBox(6.0, np.nan, 7.0, 46.0),
    ],
)
def test_an_impossible_box_is_refused(tmp_path: Path, box: GeographicBox) -> None:
    with pytest.raises(DemError, match="box must"):
        load(samples.write_hgts(tmp_path), box=box)


def test_a_model_too_fine_for_the_box_is_refused(tmp_path: Path) -> None:
    samples.write_dem_tiff(
        tmp_path / "a.tif", np.ones((60, 60)), west_edge=6.0, north_edge=46.0, step=1e-5
    )
    with pytest.raises(DemError, match="too fine for the box"):
        load(tmp_path, box=GeographicBox(5.0, 45.0, 7.0, 47.0), missing="sea")
