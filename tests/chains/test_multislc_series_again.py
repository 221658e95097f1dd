"""Series that are asked for again with other options, or after the archive has changed."""

from __future__ import annotations

import gc
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kernels.engine.locking import lock_folder
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError, ProcessingError, ProductError
from kernels.products.pixels import GdalPixelReader
from kernels.products.raster import RasterReader
from tests.chains.test_multislc_series import DAYS, Lake, images, lake, run
from tests.series import CENTRE

__all__ = ["lake"]

PAIR = f"{DAYS[0]}_m_{DAYS[1]}_s"


def stop_at(step: str) -> Progress:
    """Cancel a run where it tells of a step."""

    def watch(_: float, told: str) -> None:
        if step in told:
            raise Cancelled

    return Progress.to(watch)


def broken(day: str, *, from_line: int) -> Callable[..., object]:
    """Read as ever, but not the image of a day from a line on."""
    read: Callable[..., object] = GdalPixelReader.read

    def fail(self: GdalPixelReader, first: int, lines: int, *samples: int) -> object:
        if day in self._name and first >= from_line:
            raise ProductError("these lines cannot be read")
        return read(self, first, lines, *samples)

    return fail


def test_files_of_other_options_do_not_stay_in_the_folder_of_a_pair(
    lake: Lake, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    options = {"store": tmp_path / "store", "esd": "off", "archive": "all"}
    run(lake.request(*DAYS[:3], **options, unwrapping="mcf", phase_filter="goldstein"), folder)
    (folder / PAIR / "note.txt").write_text("of the user")
    run(lake.request(*DAYS[:2], **options, ortho="none"), folder)
    assert sorted(path.name for path in (folder / PAIR).iterdir()) == [
        "interferogram_radar.tif",
        "note.txt",
        "pair.json",
    ]
    with zipfile.ZipFile(folder / "series.zip") as archive:
        names = archive.namelist()
    assert not [name for name in names if DAYS[2] in name], "the date is not of this run"
    assert not [name for name in names if "ortho" in name or "displacement" in name]


def test_the_zip_holds_the_images_of_this_run_alone(lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    options = {"store": tmp_path / "store", "esd": "off", "archive": "all", "ortho": "none"}
    run(lake.request(*DAYS[:3], **options, light=False), folder)
    run(lake.request(*DAYS[:2], **options, light=False), folder)
    with zipfile.ZipFile(folder / "series.zip") as archive:
        found = [name for name in archive.namelist() if name.startswith("coregistered/")]
    assert found == [f"coregistered/{day}/slc_iw1.tif" for day in DAYS[:2]]
    run(lake.request(*DAYS[:2], **options), folder)
    with zipfile.ZipFile(folder / "series.zip") as archive:
        assert not [name for name in archive.namelist() if "slc_" in name]


def moved(product: Path, folder: Path, metres: float) -> Path:
    """Copy a product, its annotated orbit moved along an axis."""
    copy = Path(shutil.copytree(product, folder / product.name))
    for path in copy.glob("annotation/*.xml"):
        text = path.read_text()
        orbit = re.sub(
            r"(<position>\s*<x>)([^<]+)",
            lambda found: f"{found[1]}{float(found[2]) + metres!r}",
            text,
        )
        assert orbit != text
        path.write_text(orbit)
    return copy


def test_a_better_orbit_makes_the_image_and_its_pairs_again(lake: Lake, tmp_path: Path) -> None:
    other = moved(lake.product(DAYS[1]), tmp_path, 3.0)
    options = {"store": tmp_path / "store", "esd": "off", "ortho": "none"}
    folder = tmp_path / "out"
    run(lake.request(*DAYS[:3], **options), folder)
    products = (lake.product(DAYS[0]), other, lake.product(DAYS[2]))
    again = run(lake.request(**options, products=products), folder)
    assert [date["from_store"] for date in again["dates"]] == [True, False, True]
    assert [pair["made"] for pair in again["network"]["pairs"]] == [True, False]
    alone = run(lake.request(esd="off", ortho="none", products=products), tmp_path / "alone")
    lengths = [
        [pair["perpendicular_baseline_m"] for pair in one["network"]["pairs"]]
        for one in (again, alone)
    ]
    assert lengths[0] == lengths[1]
    rasters = [
        RasterReader(one / PAIR / "interferogram_radar.tif") for one in (folder, tmp_path / "alone")
    ]
    np.testing.assert_array_equal(*(raster.read() for raster in rasters))


def test_a_date_that_could_not_be_read_in_part_is_made_again(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = lake.request(*DAYS[:2], store=tmp_path / "store", esd="off", ortho="none")
    with monkeypatch.context() as patch:
        patch.setattr(GdalPixelReader, "read", broken(DAYS[1], from_line=220))
        report = run(request, tmp_path / "out")
    assert any("these lines cannot be read" in line for line in report["warnings"])
    repaired = run(request, tmp_path / "out")
    assert [date["from_store"] for date in repaired["dates"]] == [True, False]
    assert [pair["made"] for pair in repaired["network"]["pairs"]] == [True]
    assert repaired["warnings"] == []
    run(lake.request(*DAYS[:2], store=tmp_path / "new", esd="off"), tmp_path / "other")
    assert images(tmp_path / "store") == images(tmp_path / "new")


def test_what_an_interrupted_run_of_other_options_hid_is_removed_unless_it_is_at_work(
    lake: Lake, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    for looks in (2, 3):
        with pytest.raises(Cancelled):
            run(lake.request(*DAYS[:2], azimuth_looks=looks), folder, stop_at("statistics"))
    # the second of them took the first one away
    (left,) = folder.glob(".stack-*")
    lock = lock_folder(left)
    assert lock is not None
    request = lake.request(*DAYS[:2], esd="off", ortho="none")
    run(request, folder)
    assert left.exists(), "somebody works there"
    os.close(lock)
    run(request, folder)
    assert not list(folder.glob(".*"))


def test_a_store_that_cannot_be_locked_is_told_and_not_waited_for(
    lake: Lake, tmp_path: Path
) -> None:
    request = lake.request(*DAYS[:2], store=tmp_path / "store", esd="off", ortho="none")
    run(request, tmp_path / "out")
    (lock,) = (tmp_path / "store").glob("*/lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(ProcessingError, match="the store cannot be used: Is a directory"):
        run(request, tmp_path / "out", stop_at("waiting for it"))


@pytest.mark.parametrize("esd", ["auto", "off"])
def test_a_damaged_reference_is_told_before_other_dates_are_made(
    esd: str, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GdalPixelReader, "read", broken(DAYS[2], from_line=0))
    request = lake.request(*DAYS[:3], reference=DAYS[2], esd=esd, light=False)
    with pytest.raises(InputError, match="these lines cannot be read"):
        run(request, tmp_path)
    assert not list(tmp_path.rglob("slc_*.tif"))


def test_pairs_of_a_list_that_lack_an_image_are_told(lake: Lake, tmp_path: Path) -> None:
    bad = Path(shutil.copytree(lake.product(DAYS[1]), tmp_path / lake.product(DAYS[1]).name))
    (measurement,) = bad.glob("measurement/*.tiff")
    measurement.write_bytes(measurement.read_bytes()[:-5000])
    products = (lake.product(DAYS[0]), bad, lake.product(DAYS[2]))
    options = {"products": products, "network": "list", "store": tmp_path / "store"}
    lacking, other = f"{DAYS[0]}_{DAYS[1]}", f"{DAYS[0]}_{DAYS[2]}"
    with pytest.raises(InputError, match="no pair of the list can be made"):
        run(lake.request(pairs=(lacking,), **options), tmp_path, stop_at("statistics"))
    report = run(lake.request(pairs=(lacking, other), **options), tmp_path / "out")
    assert report["left_out"][-1] == f"{lacking} was left out: it lacks an image"
    assert [pair["second"] for pair in report["network"]["pairs"]] == [DAYS[2]]


def test_a_region_on_the_same_bursts_takes_the_images_that_are_there(
    lake: Lake, tmp_path: Path
) -> None:
    first = {"store": tmp_path / "store", "esd": "off", "ortho": "none"}
    run(lake.request(*DAYS[:2], **first), tmp_path / "out")
    longitude, latitude = CENTRE
    box = f"{longitude - 0.005},{latitude - 0.03},{longitude + 0.005},{latitude + 0.03}"
    there = lake.request(*DAYS[:2], **first, region=box, swaths=("iw1",))
    report = run(there, tmp_path / "out")
    assert report["swaths"][0]["bursts"] == [1, 2]
    assert [date["from_store"] for date in report["dates"]] == [True, True]
    # a map of the region is another one
    assert [pair["made"] for pair in report["network"]["pairs"]] == [True]
    cut = run(lake.request(*DAYS[:2], **first, last_burst=1), tmp_path / "cut")
    assert [date["from_store"] for date in cut["dates"]] == [False, False]


def test_few_files_are_open_however_many_dates_there_are(lake: Lake, tmp_path: Path) -> None:
    most = [0]

    def watch(_: float, __: str) -> None:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        opened = {link.readlink() for link in links}
        measured = [
            one for one in opened if one.is_relative_to(lake.folder) and one.suffix == ".tiff"
        ]
        most[0] = max(most[0], len(measured))

    gc.collect()  # what other tests left
    run(lake.request(ortho="none"), tmp_path / "out", Progress.to(watch))
    # the reference and the date that is at work
    assert 1 <= most[0] <= 2
