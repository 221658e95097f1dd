"""Where the filter finds its files: folders of tiles and days, and what does not belong there."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.multitemporal_filter import MultitemporalFilterRequest
from kernels.chains.ortho_tiling import run as run_ortho
from kernels.engine.progress import Progress
from kernels.errors import InputError, RequestError
from kernels.products.raster import create_raster, read_raster
from kernels.products.raster_writing import LERC_ERROR
from tests.chains.test_multitemporal_filter import (
    SHAPE,
    STATE,
    go,
    grid,
    image,
    name,
    pixels,
    result,
    write,
    written,
)
from tests.detected_series import LEVEL, TILE, simulated_pass

OTHER = "31TGM"


def day(date: int, tile: str = "31TGL") -> Path:
    return Path(f"S1-L1-ORTHO/{tile}/2018/07/{date + 1:02d}")


def other_name(date: int) -> str:
    return name(date).replace("31TGL", OTHER)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three dates of a tile, each in a folder of its day."""
    for date in range(3):
        write(tmp_path / "lake" / day(date) / name(date), image(date))
    return tmp_path / "lake"


def test_results_lie_in_the_folders_of_their_days(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = go(out, archive, archive="all")
    listed = go(tmp_path / "flat", *sorted(archive.rglob("*.tif")))
    for date in range(3):
        found = pixels(out / day(date) / result(date))
        np.testing.assert_array_equal(found, pixels(tmp_path / "flat" / result(date)))
    assert listed.report["looks"] == done.report["looks"]
    assert [entry["result"] for entry in done.report["acquisitions"]] == [
        (day(date) / result(date)).as_posix() for date in range(3)
    ]
    assert (out / STATE).is_file()
    with zipfile.ZipFile(done.artefact("filtered_series").path) as packed:
        assert packed.namelist() == sorted(
            ["report.json", *((day(date) / result(date)).as_posix() for date in range(3))]
        )
    assert written(go(out, archive)) == [False] * 3


def test_the_results_may_lie_beside_their_sources(archive: Path) -> None:
    go(archive, archive)
    assert [path.name for path in (archive / day(1)).iterdir() if path.suffix == ".tif"] != []
    assert (archive / day(1) / result(1)).is_file()
    assert written(go(archive, archive)) == [False] * 3


def test_one_tile_is_chosen_among_several(archive: Path, tmp_path: Path) -> None:
    moved = grid(north=5_000_040.0)
    for date in (0, 1):
        write(archive / day(date, OTHER) / other_name(date), image(date), grid=moved)
    with pytest.raises(RequestError, match="tile must be chosen among 31TGL, 31TGM"):
        go(tmp_path / "out", archive)
    done = go(tmp_path / "out", archive, tile=OTHER)
    assert [entry["source"] for entry in done.report["acquisitions"]] == [
        other_name(0),
        other_name(1),
    ]
    assert len(go(tmp_path / "first", archive, tile="31TGL").report["acquisitions"]) == 3
    with pytest.raises(RequestError, match=f"tile must be that of {name(0)}, got {OTHER}"):
        go(tmp_path / "listed", archive / day(0) / name(0), tile=OTHER)


def test_a_tag_tells_the_tile_where_the_name_does_not(tmp_path: Path) -> None:
    tags = {
        "RELATIVE_ORBIT_NUMBER": "139",
        "POLARIZATION": "vv",
        "ACQUISITION_DATETIME": "2018:07:01T06:00:00Z",
        "S2_TILE_CORRESPONDING_CODE": OTHER,
    }
    write(tmp_path / "series/one.tif", image(0), tags=tags)
    write(tmp_path / "series" / name(1), image(1))
    done = go(tmp_path / "out", tmp_path / "series", tile=OTHER)
    assert [entry["source"] for entry in done.report["acquisitions"]] == ["one.tif"]


def test_a_tile_must_be_one_of_sentinel_2(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="tile must be the name of a Sentinel-2 tile, got 99"):
        MultitemporalFilterRequest(series=(tmp_path,), tile="99XYZ")


def test_hidden_folders_products_and_links_that_lead_out_are_skipped(
    archive: Path, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside" / name(7), image(7))
    write(archive / ".scratch-1" / name(8), image(8))
    write(archive / "S1A_X.SAFE/measurement" / name(9), image(9))
    write(archive / "1/2/3/4/5/6/7" / name(10), image(10))
    (archive / name(11)).symlink_to(outside)
    (archive / "there").symlink_to(outside.parent)
    (archive / "again").symlink_to(archive)
    (archive / name(12)).symlink_to(archive / name(12))
    (archive / name(13)).symlink_to(archive / "nothing")
    done = go(tmp_path / "out", archive)
    assert [entry["source"] for entry in done.report["acquisitions"]] == [name(d) for d in range(3)]


def test_masks_of_a_folder_are_no_acquisitions(archive: Path, tmp_path: Path) -> None:
    own = archive / day(0)
    stem = name(0).replace("_vv_", "_").removesuffix(".tif")
    write(own / f"LIA_{stem}.tif", image(0))
    for mask in (f"{stem}_BorderMask.tif", f"{stem}_LayoverShadow.tif", "unknown.tif"):
        with create_raster(
            own / mask, SHAPE, ("mask",), grid=grid(), nodata=0.0, dtype="uint8"
        ) as writer:
            writer.write(0, np.ones((1, *SHAPE), np.uint8))
    assert len(go(tmp_path / "out", archive).report["acquisitions"]) == 3
    with pytest.raises(InputError, match=r"unknown\.tif must hold linear intensities, got bytes"):
        go(tmp_path / "listed", own / "unknown.tif")


@pytest.mark.parametrize("marked", [{"tags": {"SCALE": "decibels"}}, {"units": ("dB",)}])
def test_decibels_are_refused_by_what_marks_them(
    marked: dict[str, object], archive: Path, tmp_path: Path
) -> None:
    write(archive / day(4) / name(4), image(4), **marked)
    with pytest.raises(
        InputError, match=f"{name(4)} must hold linear intensities, got decibels"
    ) as caught:
        go(tmp_path / "out", archive)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_optimized_files_of_few_digits_give_such_results(tmp_path: Path) -> None:
    """LERC and overviews are kept; sums are not rounded."""
    for date in range(3):
        path = tmp_path / "series" / name(date)
        write(path, np.tile(image(date), (3, 3)), compression="LERC", overviews="mean",
              grid=grid(shape=(900, 810)))  # fmt: skip
    go(tmp_path / "out", tmp_path / "series")
    go(tmp_path / "exact", tmp_path / "series", compression="ZSTD")
    dataset = gdal.Open(str(tmp_path / "out" / result(1)))
    structure = dataset.GetMetadata("IMAGE_STRUCTURE")
    assert (structure["LAYOUT"], structure["COMPRESSION"]) == ("COG", "LERC_ZSTD")
    assert dataset.GetRasterBand(1).GetOverviewCount() == 1
    rounded, exact = (pixels(tmp_path / run / result(1))[0] for run in ("out", "exact"))
    np.testing.assert_array_equal(rounded > 0.0, exact > 0.0)
    # half a digit of float32 near 1 is added to the error that was allowed
    assert np.abs(rounded - exact).max() < LERC_ERROR + 1e-6
    np.testing.assert_array_equal(
        pixels(tmp_path / "out" / STATE), pixels(tmp_path / "exact" / STATE)
    )


def test_ortho_tiles_are_filtered_as_they_are(tmp_path: Path) -> None:
    """Two dates of level ground without speckle stay at its level; masks lie beside them."""
    series = simulated_pass(tmp_path / "products", lines=300, dates=2)
    tiling = series.request(
        minimum_coverage=0.1, layout="folders", masks=("border", "incidence"), archive="report"
    )
    run_ortho(tiling, tmp_path / "tiles", Progress())
    done = go(tmp_path / "out", tmp_path / "tiles", tile=TILE)
    entries = done.report["acquisitions"]
    assert [entry["images"] for entry in entries] == [2, 2]
    for entry, month_and_day in zip(entries, ("01/01", "01/13"), strict=True):
        assert entry["result"].startswith(f"S1-L1-ORTHO/{TILE}/2026/{month_and_day}/s1a_{TILE}_vv_")
        before = gdal.Open(str(next((tmp_path / "tiles").rglob(entry["source"]))))
        after = gdal.Open(str(tmp_path / "out" / entry["result"]))
        assert after.GetRasterBand(1).GetNoDataValue() == 0.0
        assert before.GetMetadata().items() <= after.GetMetadata().items()
        assert after.GetMetadata("IMAGE_STRUCTURE") == before.GetMetadata("IMAGE_STRUCTURE")
        own, filtered = before.ReadAsArray(), after.ReadAsArray()
        np.testing.assert_array_equal(filtered > 0.0, own > 0.0)
        known = own > 0.0
        assert known.sum() > 1000
        assert np.abs(filtered[known] / LEVEL - 1.0).max() < 0.02
    assert (
        read_raster(done.artefact("state").path).grid
        == read_raster(tmp_path / "out" / entries[0]["result"]).grid
    )
