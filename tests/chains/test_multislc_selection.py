"""The dates of a series: which products, grouped how, and clear refusals."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kernels.chains.multislc_series.reference import choose_reference
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.selection import Selection, products_of, select_dates
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, FournaiseError, InputError, RequestError
from kernels.model import Shape
from tests.products import cosmo_samples
from tests.slc_lake import ELSEWHERE, make_slc, zipped

DAYS = ("20160605", "20160617", "20160629", "20160711", "20160723")
REGION = "55.5,-21.5,55.7,-21.25"


def request(*places: Path, **options: Any) -> MultislcSeriesRequest:
    values = {"first_day": "2016-06-01", "last_day": "2016-09-30", "dem": places[:1]}
    return MultislcSeriesRequest(**({"products": places} | values | options))


def select(*places: Path, **options: Any) -> Selection:
    return select_dates(request(*places, **options), Progress())


def days(found: Selection) -> list[str]:
    return [one.text for one in found.dates]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Five passes, in folders by date, folders and zips."""
    lake = tmp_path / "lake"
    for number, day in enumerate(DAYS):
        safe = make_slc(lake / day[:4] / day[4:6] / day[6:], f"{day}T013621")
        if number % 2:
            zipped(safe)
    return lake


def test_both_ends_of_the_window_are_in_it(lake: Path) -> None:
    found = select(lake, first_day="20160605", last_day="2016-07-11")
    assert days(found) == list(DAYS[:4])
    assert [one.paths[0].suffix for one in found.dates] == [".SAFE", ".zip", ".SAFE", ".zip"]
    assert found.dates[0].names == (found.dates[0].paths[0].stem,)
    assert found.dates[0].day == date(2016, 6, 5)
    assert (found.reference, found.middle, found.left_out) == (None, 1, ())
    assert products_of(request(lake), Progress())[1] == select(lake).dates[1].paths[0]


def test_excluded_days_are_left_out_and_told(lake: Path) -> None:
    found = select(lake, excluded_days=("2016-06-17", "20160618"))
    assert days(found) == ["20160605", "20160629", "20160711", "20160723"]
    assert [line.split(" ", 1)[1] for line in found.left_out] == ["was excluded"]


@pytest.mark.parametrize(
    "name",
    [
        "20160629",
        "2016-06-29",
        "S1A_S4_SLC__1SSV_20160629T013621_20160629T013646_010723_012345_ABCD",
        "s1a_s4_slc__1ssv_20160629T013621_20160629t013646_010723_012345_abcd.zip",
        "some/folder/S1A_S4_SLC__1SSV_20160629T013621_20160629T013646_010723_012345_EF01.SAFE/",
        "s1a-s4-slc-vv-20160629t013621-20160629t013646-010723-012345-001.tiff",
        "S1A-S4-SLC-VV-20160629T013622-20160629T013645-010723-012345-001",
        r"C:\images\s1a-s4-slc-vv-20160629t013621-20160629t013646-010723-012345-001.TIFF",
    ],
)
def test_a_reference_is_a_day_a_product_or_a_measurement(lake: Path, name: str) -> None:
    assert select(lake, reference=name).reference == 2


@pytest.mark.parametrize(
    "name",
    [
        "20160630",
        "20160617",  # excluded
        "20160801",
        "S1B_S4_SLC__1SSV_20160629T013621_20160629T013646_010723_012345_ABCD",
        "s1a-s4-slc-vv-20160629t023621-20160629t023646-010723-012345-001.tiff",
        "master.tiff",
    ],
)
def test_a_reference_that_is_no_date_is_refused_with_the_days(lake: Path, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        select(lake, reference=name, excluded_days=("20160617",))
    assert caught.value.argument == "reference"
    assert "one of the days 20160605, 20160629, 20160711, 20160723, got" in str(caught.value)


def test_a_measurement_of_another_polarisation_is_refused(lake: Path) -> None:
    name = "s1a-s4-slc-vh-20160629t013621-20160629t013646-010723-012345-002.tiff"
    with pytest.raises(RequestError, match="reference must be of polarisation VV"):
        select(lake, reference=name)


def test_slices_of_a_pass_are_one_date_of_the_day_on_which_it_begins(tmp_path: Path) -> None:
    """Three slices over midnight, and what begins before the window on the day before."""
    for start in ("20160604T235935", "20160605T000000", "20160605T000025"):
        make_slc(tmp_path, start, beam="IW")
    for start in ("20160616T235935", "20160617T000000"):
        make_slc(tmp_path, start, beam="IW")
    make_slc(tmp_path, "20160628T235935", beam="IW")
    found = select(tmp_path, first_day="20160604", last_day="20160616")
    assert [(one.text, len(one.names)) for one in found.dates] == [("20160604", 3), ("20160616", 2)]
    found = select(tmp_path, first_day="20160605", last_day="20160628")
    assert days(found) == ["20160616", "20160628"]


def test_the_newest_version_of_a_slice_counts(lake: Path) -> None:
    newer = make_slc(lake, "20160629T013621", unique="EF01", processed="2019-01-01T00:00:00")
    found = select(lake)
    assert found.dates[2].names == (newer.stem,)
    (line,) = found.left_out
    assert line.endswith(f"ABCD was left out: {newer.stem} is the newest of the same slice")


def test_other_sensors_modes_types_and_unfinished_products_are_not_opened(lake: Path) -> None:
    (make_slc(lake, "20160606T013621") / "manifest.safe").unlink()
    make_slc(lake / ".trash", "20160607T013621")
    partial = zipped(make_slc(lake, "20160608T013621"))
    partial.rename(partial.with_name(f"{partial.name}.part"))
    grd = make_slc(lake, "20160609T013621")
    grd.rename(grd.with_name(grd.name.replace("SLC_", "GRDH")))
    make_slc(lake, "20160610T013621", beam="IW", track=20)
    assert days(select(lake, track=151)) == list(DAYS)


def test_a_product_that_cannot_be_read_is_told_and_not_fatal(lake: Path) -> None:
    broken = make_slc(lake, "20160610T013621")
    (broken / "manifest.safe").write_text("no manifest")
    cut = zipped(make_slc(lake, "20160611T013621"))
    cut.write_bytes(cut.read_bytes()[:60])
    found = select(lake)
    assert days(found) == list(DAYS)
    assert [line.split(" ")[0] for line in found.left_out] == [broken.stem, cut.stem]
    assert "neither a SAFE folder nor a complete zip" in found.left_out[1]


def test_passes_beside_the_region_are_left_out(lake: Path) -> None:
    """Of a pass whose other slice touches, nothing is told."""
    make_slc(lake, "20160804T013621", footprint=ELSEWHERE)
    make_slc(lake, "20160605T013646", footprint=ELSEWHERE)
    make_slc(lake, "20160805T013621", footprint=ELSEWHERE, track=20)
    found = select(lake, region=REGION)
    assert days(found) == list(DAYS)
    assert [len(one.names) for one in found.dates] == [1] * 5
    (line,) = found.left_out
    assert line.startswith("S1A_S4_SLC__1SSV_20160804T013621")
    assert line.endswith("was left out: it does not touch the region")


def test_a_region_over_the_antimeridian(tmp_path: Path) -> None:
    corners = ((179.5, -17.5), (-179.5, -17.3), (-179.7, -16.5), (179.3, -16.7))
    for day in DAYS[:2]:
        make_slc(tmp_path, f"{day}T013621", footprint=corners)
    assert len(select(tmp_path, region="179.9,-17.2,-179.9,-16.9").dates) == 2
    with pytest.raises(RequestError, match="region must be on the ground of a product"):
        select(tmp_path, region="170,-17.2,170.2,-16.9")


def test_of_two_passes_of_a_day_the_longer_one_is_taken_or_the_reference(lake: Path) -> None:
    other = make_slc(lake, "20160629T143600", platform="S1B", seconds=10)
    found = select(lake)
    assert found.dates[2].names[0].startswith("S1A")
    assert found.left_out == (
        f"{other.stem} was left out: {found.dates[2].names[0]} is another pass of 2016-06-29",
    )
    assert select(lake, reference=other.name).dates[2].names == (other.stem,)


def test_tracks_are_not_mixed(lake: Path) -> None:
    make_slc(lake, "20160606T143600", track=77)
    with pytest.raises(RequestError) as caught:
        select(lake)
    rule = "track must be given where products are of several: 77, 151, got none"
    assert str(caught.value) == rule
    assert days(select(lake, track=151)) == list(DAYS)
    with pytest.raises(RequestError, match="track must be that of a product found: 77, 151, got 8"):
        select(lake, track=8)


def test_a_pass_over_the_node_is_of_both_tracks(lake: Path) -> None:
    make_slc(lake, "20160629T013556", track=150)
    found = select(lake, track=151)
    assert days(found) == list(DAYS)
    assert len(found.dates[2].names) == 2
    assert days(select(lake)) == list(DAYS)


def test_beams_modes_and_sensors_are_not_mixed(lake: Path, tmp_path: Path) -> None:
    make_slc(lake, "20160606T013621", beam="S6")
    make_slc(lake, "20160607T013621", beam="IW")
    with pytest.raises(RequestError, match="of several: IW, S4, S6, got none"):
        select(lake)
    assert days(select(lake, swaths=("s4",))) == list(DAYS)
    make_slc(tmp_path / "other", "20160619T013621", beam="IW")
    found = select(lake, tmp_path / "other", swaths=("IW2", "IW3"))
    assert days(found) == ["20160607", "20160619"]
    with pytest.raises(RequestError, match="swaths must be that of a product found"):
        select(lake, swaths=("S1",))
    cosmo(lake, "20160620")
    make_slc(lake, "20160621T013621", polarisations=("HH",))
    with pytest.raises(RequestError, match="must be of one sensor, got COSMO-SkyMed and S"):
        select(lake, polarisation="HH")


def cosmo(folder: Path, day: str) -> Path:
    """A product of COSMO-SkyMed with the header of another day."""
    stamp = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    times = {
        "Reference UTC": f"{stamp} 12:00:00.000000000".encode(),
        "Scene Sensing Start UTC": f"{stamp} 11:59:59.5".encode(),
        "Scene Sensing Stop UTC": f"{stamp} 12:00:01.5".encode(),
    }
    name = f"CSKS1_SCS_B_HI_05_HH_RA_SF_{day}115959_{day}120001"
    return cosmo_samples.write(folder, Shape(64, 64), root=times, name=name)


def test_cosmo_skymed_has_no_tracks(tmp_path: Path) -> None:
    for day in DAYS[:3]:
        cosmo(tmp_path, day)
    found = select(
        tmp_path,
        polarisation="HH",
        reference=f"CSKS1_SCS_B_HI_05_HH_RA_SF_{DAYS[1]}115959_{DAYS[1]}120001.h5",
    )
    assert (days(found), found.reference) == (list(DAYS[:3]), 1)
    with pytest.raises(RequestError, match="track must be left out for sensors that count no"):
        select(tmp_path, polarisation="HH", track=8)
    with pytest.raises(InputError, match="it has no image in VV"):
        select(tmp_path)


@pytest.mark.shared_data
def test_terrasar_x_lies_where_its_annotation_says(shared_data: Path, tmp_path: Path) -> None:
    """One real annotation, and the same as of another day by its name."""
    name = "TSX1_SAR__SSC______SM_S_SRA_20080310T133220_20080310T133228"
    for day in ("20080310", "20080321"):
        other = name.replace("20080310", day)
        (tmp_path / other).mkdir()
        text = (shared_data / "tsx" / f"{name}.xml").read_text(encoding="utf-8")
        changed = text.replace("2008-03-10", f"{day[:4]}-{day[4:6]}-{day[6:]}")
        (tmp_path / other / f"{other}.xml").write_text(changed, encoding="utf-8")
    window = {"first_day": "20080301", "last_day": "20080331", "polarisation": "HH"}
    found = select(tmp_path, **window, track=83)
    assert days(found) == ["20080310", "20080321"]
    with pytest.raises(RequestError, match="track must be that of a product found: 83, got 84"):
        select(tmp_path, **window, track=84)
    corners = text.split("<sceneCornerCoord")[1]
    west, south = (float(corners.split(f"<{tag}>")[1].split("<")[0]) for tag in ("lon", "lat"))
    around = f"{west - 0.01},{south - 0.01},{west + 0.01},{south + 0.01}"
    assert len(select(tmp_path, **window, region=around).dates) == 2
    with pytest.raises(RequestError, match="region must be on the ground"):
        select(tmp_path, **window, region=REGION)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"first_day": "20170101", "last_day": "20170131"},
            "those found start from 2016-06-05 to 2016-07-23, got 2017-01-01 to 2017-01-31",
        ),
        (
            {"last_day": "20160616"},
            "products must be of two days or more from 2016-06-01 to 20160616, got 20160605 alone",
        ),
        (
            {"excluded_days": DAYS},
            "excluded_days must be fewer than all days found, got 20160605, 20160617",
        ),
        (
            {"excluded_days": DAYS[1:]},
            "got 20160605 alone, with 20160617, 20160629, 20160711, 20160723 excluded",
        ),
        ({"polarisation": "HH"}, "polarisation must be that of a product found: VV, got HH"),
    ],
)
def test_the_rule_that_leaves_no_series_is_named(
    lake: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(FournaiseError) as caught:
        select(lake, **options)
    assert message in str(caught.value)


def test_places_without_products_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be SLC products or folders, got file"):
        select(tmp_path / "file")
    with pytest.raises(InputError, match="must hold SLC products, got none in"):
        select(tmp_path)
    for day in DAYS[:2]:
        (make_slc(tmp_path, f"{day}T013621") / "manifest.safe").write_text("<x")
    with pytest.raises(InputError, match="products of those days must be usable"):
        select(tmp_path)


def test_products_may_be_named_by_themselves(lake: Path) -> None:
    """A folder, a zip, a manifest, and one of them twice."""
    found = select(lake)
    safe, packed, other = (one.paths[0] for one in found.dates[:3])
    named = select(safe, packed, other / "manifest.safe", other)
    assert named.dates == found.dates[:3]
    assert named.left_out == ()


def test_choosing_can_be_cancelled(lake: Path) -> None:
    progress = Progress.to(lambda _share, _step: None)
    progress.cancelled.set()
    with pytest.raises(Cancelled):
        select_dates(request(lake), progress)


def test_the_reference_is_chosen_where_the_baselines_are_smallest() -> None:
    """By hand: three dates a year apart; the middle one is 900 m off, or not."""
    dates = [date(2017, 1, 1), date(2018, 1, 1), date(2019, 1, 1)]
    # pairs of neighbours keep 0.8, that of the ends 0.6
    assert choose_reference(dates, [0.0, 0.0, 0.0]) == 1
    # of 0.8 a quarter: the ends have 0.2 + 0.6, the middle has 0.2 + 0.2
    assert choose_reference(dates, [0.0, 900.0, 0.0]) == 0
    # 0 + 0.25 * 0.6, 0 + 0.75 * 0.8, and the sum of both for the last one
    assert choose_reference(dates, [900.0, -300.0, 0.0]) == 2


def test_many_products_are_chosen_by_their_names(tmp_path: Path) -> None:
    """What is of other days or tracks is not opened: it may be anything."""
    for number in range(40):
        safe = make_slc(tmp_path, f"2015{number // 28 + 1:02d}{number % 28 + 1:02d}T013621")
        (safe / "manifest.safe").write_text("no manifest")
    for day in DAYS:
        make_slc(tmp_path, f"{day}T013621")
        safe = make_slc(tmp_path, f"{day}T143621", track=77)
        shutil.copy(tmp_path / next(tmp_path.glob("*2015*")) / "manifest.safe", safe)
    found = select(tmp_path, track=151)
    assert (days(found), found.left_out) == (list(DAYS), ())
