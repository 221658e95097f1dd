"""Products of folders that answer a question: by their names, then by their manifests."""

from __future__ import annotations

import os
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError, RequestError
from kernels.products.archive import Answer, Question, choose_products, list_products

TILE = "31TDJ"
AROUND = ((2.0, 44.0), (3.2, 44.2), (3.0, 45.4), (1.8, 45.2))
"""Footprint that touches the tile [degrees east, north]."""
ELSEWHERE = ((12.0, 44.0), (13.2, 44.2), (13.0, 45.4), (11.8, 45.2))
ORBIT = 27
"""Absolute orbit of S1B whose track is the first."""


def manifest(footprint: tuple[tuple[float, float], ...], direction: str) -> str:
    corners = " ".join(f"{latitude},{longitude}" for longitude, latitude in footprint)
    return f"""<x xmlns:safe="http://www.esa.int/safe/sentinel-1.0"
    xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1"
    xmlns:gml="http://www.opengis.net/gml"><s1:pass>{direction}</s1:pass>
    <safe:footPrint><gml:coordinates>{corners}</gml:coordinates></safe:footPrint></x>"""


def make(
    folder: Path,
    start: str,
    *,
    stop: str | None = None,
    orbit: int = ORBIT,
    kind: str = "IW_GRDH",
    level: str = "1SDV",
    footprint: tuple[tuple[float, float], ...] = AROUND,
    direction: str = "DESCENDING",
    unique: str = "ABCD",
) -> Path:
    """A product of nothing but its name and its manifest."""
    safe = folder / f"S1B_{kind}_{level}_{start}_{stop or start}_{orbit:06d}_012345_{unique}.SAFE"
    safe.mkdir(parents=True)
    (safe / "manifest.safe").write_text(manifest(footprint, direction))
    return safe


def zipped(safe: Path) -> Path:
    path = safe.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(safe / "manifest.safe", f"{safe.name}/manifest.safe")
    (safe / "manifest.safe").unlink()
    return path


def ask(*places: Path, **values: Any) -> Answer:
    window = {"first_day": date(2018, 7, 2), "last_day": date(2018, 7, 14), "tiles": (TILE,)}
    return choose_products(places, Question(**(window | values)), Progress())


def days(answer: Answer) -> list[str]:
    return [f"{item.name.start:%m%dT%H}" for item in answer.candidates]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Five days a week apart at six in the morning, of which three are asked for."""
    lake = tmp_path / "lake"
    for number, day in enumerate(("0701", "0702", "0708", "0714", "0715")):
        make(lake / TILE / "2018" / day[:2] / day[2:], f"2018{day}T060000", orbit=ORBIT + number)
    return lake


def test_both_ends_of_the_window_are_in_it(lake: Path) -> None:
    answer = ask(lake)
    assert days(answer) == ["0702T06", "0708T06", "0714T06"]
    assert [item.relative_orbit for item in answer.candidates] == [2, 3, 4]
    assert answer.left_out == ()


def test_a_candidate_tells_where_it_lies_and_how_it_was_flown(tmp_path: Path) -> None:
    safe = make(tmp_path, "20180705T235950", direction="ASCENDING")
    (found,) = ask(safe, tiles=("31TDK", TILE, "32TQM")).candidates
    assert (found.path, found.ascending, found.tiles) == (safe, True, ("31TDK", TILE))
    assert found.footprint.tolist() == [list(corner) for corner in AROUND]
    assert found.name.polarisations == ("VV", "VH")


def test_only_what_answers_is_read(lake: Path) -> None:
    """A manifest that is not asked for may be anything."""
    for other in (
        make(lake, "20170101T060000"),
        make(lake, "20180703T060000", kind="IW_SLC_"),
        make(lake, "20180703T060000", kind="EW_GRDM"),
        make(lake, "20180703T060000", level="1SDH"),
        make(lake, "20180703T060000", orbit=ORBIT + 50),
    ):
        (other / "manifest.safe").write_text("no manifest")
    answer = ask(lake, polarisations=("VH",), relative_orbit=3)
    assert answer.left_out == ()
    assert "0708T06" in days(answer)


def test_slices_of_a_pass_over_midnight_or_over_the_node_are_kept(tmp_path: Path) -> None:
    make(tmp_path, "20180701T235940", orbit=ORBIT + 9)
    make(tmp_path, "20180702T000005", orbit=ORBIT + 10)
    make(tmp_path, "20180714T235945", orbit=ORBIT + 174)
    make(tmp_path, "20180715T000010", orbit=ORBIT + 175)
    assert days(ask(tmp_path)) == ["0701T23", "0702T00", "0714T23", "0715T00"]
    assert days(ask(tmp_path, relative_orbit=175)) == ["0714T23", "0715T00"]
    assert days(ask(tmp_path, relative_orbit=10)) == ["0701T23", "0702T00"]


def test_direction_and_footprint_choose(lake: Path) -> None:
    make(lake, "20180703T180000", direction="ASCENDING")
    make(lake, "20180704T060000", footprint=ELSEWHERE)
    assert days(ask(lake, direction="ascending")) == ["0703T18"]
    assert days(ask(lake, direction="descending")) == ["0702T06", "0708T06", "0714T06"]


def test_zips_and_folders_are_products_and_partial_files_are_not(tmp_path: Path) -> None:
    whole = zipped(make(tmp_path / "a", "20180703T060000"))
    make(tmp_path / ".hidden", "20180704T060000")
    make(tmp_path / ".trash" / "b", "20180705T060000")
    partial = zipped(make(tmp_path / "c", "20180706T060000"))
    partial.rename(partial.with_name(f"{partial.name}.part"))
    (make(tmp_path / "d", "20180707T060000") / "manifest.safe").unlink()
    assert [item.path for item in ask(tmp_path).candidates] == [whole]


def test_a_product_that_cannot_be_read_is_told(lake: Path) -> None:
    broken = make(lake, "20180705T060000")
    (broken / "manifest.safe").write_text("<x/>")
    cut = zipped(make(lake, "20180706T060000"))
    cut.write_bytes(cut.read_bytes()[:50])
    answer = ask(lake)
    assert len(answer.candidates) == 3
    assert [item.name for item in answer.left_out] == [broken.stem, cut.stem]
    assert "has no element" in answer.left_out[0].reason
    assert "neither a SAFE folder nor a complete zip" in answer.left_out[1].reason


def test_links_stay_inside_and_come_once(lake: Path, tmp_path: Path) -> None:
    make(tmp_path / "secret", "20180703T060000")
    (lake / "out").symlink_to(tmp_path / "secret")
    (lake / "loop").symlink_to(lake)
    (lake / "self").symlink_to(lake / "self")
    (lake / "again").symlink_to(lake / TILE / "2018")
    (tmp_path / "entry").symlink_to(lake)
    assert days(ask(tmp_path / "entry", lake)) == ["0702T06", "0708T06", "0714T06"]


def test_folders_deeper_than_the_bound_are_not_entered(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"abcdefgh")
    make(deep, "20180703T060000")
    make(deep / "i", "20180704T060000")
    assert days(ask(tmp_path)) == ["0703T06"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists every folder")
def test_a_folder_that_cannot_be_listed_is_told(lake: Path) -> None:
    closed = lake / "closed"
    closed.mkdir(mode=0)
    assert ask(lake).left_out[0].name == "closed"


def test_listing_can_be_cancelled(lake: Path) -> None:
    progress = Progress.to(lambda _share, _step: None)
    progress.cancelled.set()
    with pytest.raises(Cancelled):
        list_products([lake], progress)


@pytest.mark.parametrize(
    ("values", "argument", "message"),
    [
        (
            {"first_day": date(2019, 1, 1), "last_day": date(2019, 1, 31)},
            "first_day",
            "those found start from 2018-07-01 to 2018-07-15, got 2019-01-01 to 2019-01-31",
        ),
        ({"mode": "EW"}, "mode", "mode must be that of a product found: IW, got EW"),
        (
            {"polarisations": ("HH", "HV")},
            "polarisations",
            "polarisations must be that of a product found: VH, VV, got HH, HV",
        ),
        (
            {"relative_orbit": 8},
            "relative_orbit",
            "relative_orbit must be that of a product found: 2, 3, 4, got 8",
        ),
        (
            {"direction": "ascending"},
            "direction",
            "direction must be that of a product found: descending, got ascending",
        ),
        (
            {"tiles": ("40KCB",)},
            "tiles",
            "tiles must be touched by a product that answers the request, got 40KCB",
        ),
    ],
)
def test_the_rule_that_nothing_answers_is_named(
    lake: Path, values: dict[str, Any], argument: str, message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        ask(lake, **values)
    assert caught.value.argument == argument
    assert message in str(caught.value)


def test_places_without_products_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be Sentinel-1 products or folders, got file"):
        ask(tmp_path / "file")
    with pytest.raises(InputError, match="must hold Sentinel-1 GRD products, got none in"):
        ask(tmp_path)


@pytest.mark.shared_data
def test_real_products_lie_on_the_tiles_of_their_tie_points(shared_data: Path) -> None:
    """Rome and the Alps: a corner of the manifest is one of the tie points."""
    answer = ask(
        shared_data / "rome_s1",
        first_day=date(2021, 12, 23),
        last_day=date(2021, 12, 23),
        tiles=("33TUG", "31TDJ"),
    )
    (found,) = answer.candidates
    assert (found.relative_orbit, found.ascending, found.tiles) == (22, False, ("33TUG",))
