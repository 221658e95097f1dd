"""Which orbit a product gets, from folders and from a store over real sockets."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import kernels.model
from catalog.download import Downloader
from catalog.errors import CancelledError, StorageError
from catalog.model import Product
from catalog.names import product_of_name
from catalog.orbit_choice import ChosenOrbit, OrbitProvider, orbit_files_for
from catalog.orbit_files import OrbitSource, orbit_file_of_name
from catalog.progress import Progress
from kernels.model import StateVectors
from kernels.products.orbit_files import choose_state_vectors, list_orbit_files
from tests.catalog.fetching import QUICK, names_in
from tests.catalog.orbit_texts import instant, orbit_text
from tests.catalog.scripted import Fault, ScriptedProduct, Server, serving
from tests.catalog.scripted.bucket import LISTING, ScriptedBucket

PRECISE, RESTITUTED, ANNOTATION = OrbitSource

SLC = "S1A_IW_SLC__1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B"
AROUND = "2019-01-01T17:15:28"
POEORB = "S1A_OPER_AUX_POEORB_OPOD_20190121T120715_V20181231T225942_20190102T005942.EOF"
REMADE = "S1A_OPER_AUX_POEORB_OPOD_20210316T091220_V20181231T225942_20190102T005942.EOF"
EARLIER = "S1A_OPER_AUX_POEORB_OPOD_20190120T120715_V20181230T225942_20190101T005942.EOF"
RESORB = "S1A_OPER_AUX_RESORB_OPOD_20190101T182541_V20190101T143000_20190101T174730.EOF"
LATER_RESORB = "S1A_OPER_AUX_RESORB_OPOD_20190101T203041_V20190101T161000_20190101T192730.EOF"
SHORT_RESORB = "S1A_OPER_AUX_RESORB_OPOD_20190101T180541_V20190101T135830_20190101T171600.EOF"
YEARS_LATER = instant("2022-06-01T00:00:00")


def _put(folder: Path, *names: str, around: str = AROUND) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(orbit_text(around))
    return folder


def _choose(
    *folders: Path, product: Product | None = None, now: datetime = YEARS_LATER
) -> ChosenOrbit:
    (chosen,) = orbit_files_for([product or product_of_name(SLC)], folders, now=now)
    return chosen


def _exact(start: str, stop: str, platform: str = "S1A") -> Product:
    return Product(name="EXACT", platform=platform, start=instant(start), stop=instant(stop))


@pytest.mark.parametrize(
    ("there", "best"),
    [
        ([POEORB, RESORB], POEORB),
        ([RESORB, SHORT_RESORB], RESORB),
        ([POEORB, REMADE, EARLIER], REMADE),
        # the later one was created last, but begins half an orbit less before the product
        ([RESORB, LATER_RESORB], RESORB),
        ([LATER_RESORB], LATER_RESORB),
    ],
)
def test_best_orbit_of_a_folder(tmp_path: Path, there: list[str], best: str) -> None:
    _put(tmp_path, *there)
    chosen = _choose(tmp_path)
    assert chosen.path == tmp_path / best
    assert chosen.source == ("POEORB" if "POEORB" in best else "RESORB")
    assert not chosen.fetched


def test_precise_orbit_needs_no_note(tmp_path: Path) -> None:
    assert _choose(_put(tmp_path, POEORB)).notes == ()


def test_folders_and_those_below_are_searched(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    _put(first / "AUX_RESORB", RESORB)
    _put(second / "S1A" / "2019", POEORB)
    _put(second / ".hidden", REMADE)
    assert _choose(first, second, tmp_path / "nowhere").path == second / "S1A/2019" / POEORB


@pytest.mark.parametrize(
    ("start", "stop", "source"),
    [
        # valid from 14:30:00 to 17:47:30
        ("2019-01-01T14:31:00.000001", "2019-01-01T14:31:20.5", RESTITUTED),
        ("2019-01-01T14:30:59.999999", "2019-01-01T14:31:20.5", ANNOTATION),
        ("2019-01-01T17:46:10.5", "2019-01-01T17:46:29.999999", RESTITUTED),
        ("2019-01-01T17:46:10.5", "2019-01-01T17:46:30.000001", ANNOTATION),
        # a stop without a fraction may have had one
        ("2019-01-01T17:46:10", "2019-01-01T17:46:29", RESTITUTED),
        ("2019-01-01T17:46:10", "2019-01-01T17:46:30", ANNOTATION),
    ],
)
def test_validity_must_reach_a_minute_beyond(
    tmp_path: Path, start: str, stop: str, source: OrbitSource
) -> None:
    _put(tmp_path, RESORB, around=start)
    chosen = _choose(tmp_path, product=_exact(start, stop))
    assert chosen.source is source
    assert (chosen.path is None) == (source is ANNOTATION)


def test_product_across_midnight_takes_the_day_that_began_an_orbit_before(tmp_path: Path) -> None:
    next_day = "S1A_OPER_AUX_POEORB_OPOD_20190122T120715_V20190101T225942_20190103T005942.EOF"
    across = _exact("2019-01-01T23:59:50.1", "2019-01-02T00:00:15.2")
    _put(tmp_path, POEORB, next_day, around="2019-01-02T00:00:00")
    assert _choose(tmp_path, product=across).path == tmp_path / POEORB
    (tmp_path / POEORB).unlink()
    assert _choose(tmp_path, product=across).path == tmp_path / next_day


def test_orbits_of_another_satellite_do_not_serve(tmp_path: Path) -> None:
    _put(tmp_path, POEORB.replace("S1A", "S1B"), RESORB.replace("S1A", "S1C"))
    assert _choose(tmp_path).source is ANNOTATION


def test_names_of_other_files_are_passed_over(tmp_path: Path) -> None:
    _put(tmp_path, POEORB)
    for name in (
        POEORB.replace("S1A", "S1E"),
        POEORB.replace("POEORB", "PREORB"),
        POEORB.replace("20190121T", "20190199T"),
        POEORB + ".part",
        "README.html",
        "Ümläut.EOF",
    ):
        (tmp_path / name).write_text("no orbit")
    assert _choose(tmp_path).path == tmp_path / POEORB


def test_satellites_to_come_and_other_sensors_keep_their_own_orbit(tmp_path: Path) -> None:
    _put(tmp_path, POEORB, POEORB.replace("S1A", "S1E"))
    for product in (
        product_of_name(SLC.replace("S1A", "S1E")),
        Product(name="TSX", platform="TSX1", start=instant(AROUND), stop=instant(AROUND)),
    ):
        chosen = _choose(tmp_path, product=product)
        assert chosen.source is ANNOTATION
        assert len(chosen.notes) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        orbit_text(AROUND)[:3000],
        b"<html>Maintenance</html>",
        orbit_text(AROUND, missing=20),
        orbit_text("2019-01-01T03:00:00"),
        orbit_text(AROUND).replace(b"UTC=2019", b"UTC=MMXIX"),
    ],
    ids=["empty", "cut off", "a page", "a vector is missing", "of another hour", "no time"],
)
def test_damaged_file_gives_way_to_the_next_with_a_note(tmp_path: Path, content: bytes) -> None:
    _put(tmp_path, POEORB)
    (tmp_path / REMADE).write_bytes(content)
    chosen = _choose(tmp_path)
    assert chosen.path == tmp_path / POEORB
    assert [note.split(":")[0] for note in chosen.notes] == [f"{REMADE} is passed over"]


def test_zipped_orbit_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / f"{POEORB}.zip", "w") as archive:
        archive.writestr(POEORB, orbit_text(AROUND))
    (tmp_path / f"{REMADE}.zip").write_bytes(b"no zip")
    chosen = _choose(tmp_path)
    assert chosen.path == tmp_path / f"{POEORB}.zip"
    assert len(chosen.notes) == 1


def test_reader_reads_what_is_chosen(tmp_path: Path) -> None:
    _put(tmp_path, POEORB, REMADE, RESORB)
    chosen = _choose(tmp_path)
    product = product_of_name(SLC)
    assert product.start is not None
    assert product.stop is not None
    assert chosen.path is not None
    start, stop = product.start.replace(tzinfo=None), product.stop.replace(tzinfo=None)
    annotated = StateVectors(
        epoch=start,
        times=np.zeros(0),
        positions=np.zeros((0, 3)),
        velocities=np.zeros((0, 3)),
        source=kernels.model.OrbitSource.ANNOTATION,
        origin="annotation",
    )
    for orbits in (tmp_path, chosen.path):
        read = choose_state_vectors(
            orbits, platform="S1A", start=start, stop=stop, annotated=annotated
        )
        assert read.origin == chosen.path.name
        assert read.source == chosen.source


@pytest.mark.parametrize("name", [POEORB, RESORB, POEORB.replace("S1A", "S1E"), "S1A.EOF", "EOF"])
def test_reader_knows_the_same_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    read = list_orbit_files(tmp_path)
    known = orbit_file_of_name(name)
    assert [file.name for file in read] == ([] if known is None else [known.name])
    if known is not None:
        assert read[0].stop == known.stop.replace(tzinfo=None)
        assert read[0].created == known.created.replace(tzinfo=None)


@pytest.mark.shared_data
def test_real_products_get_their_orbits(shared_data: Path) -> None:
    folder = shared_data / "orbits_with_products"
    products = [product_of_name(path.name) for path in sorted(folder.glob("*.zip"))]
    chosen = orbit_files_for(products, [folder], now=YEARS_LATER)
    assert [orbit.path.name for orbit in chosen if orbit.path is not None] == [
        "S1A_OPER_AUX_POEORB_OPOD_20210305T064823_V20141226T225944_20141228T005944.EOF",
        "S1A_OPER_AUX_POEORB_OPOD_20221031T083817_V20221010T225942_20221012T005942.EOF",
        "S1A_OPER_AUX_RESORB_OPOD_20221024T205436_V20221024T170308_20221024T202038.EOF",
    ]


@pytest.mark.parametrize(
    ("now", "says"),
    [("2019-01-05T00:00:00", "up to 21 days after"), ("2019-02-05T00:00:00", "was found")],
)
def test_note_says_whether_waiting_would_help(tmp_path: Path, now: str, says: str) -> None:
    for names, taken in (([RESORB], "restituted"), ([], "annotation")):
        chosen = _choose(_put(tmp_path / taken, *names), now=instant(now))
        assert len(chosen.notes) == 1
        assert says in chosen.notes[0]
        assert taken in chosen.notes[0]


@pytest.fixture(scope="module")
def _bucket() -> Iterator[Server]:
    with serving(ScriptedBucket()) as server:
        yield server


@pytest.fixture
def bucket(_bucket: Server) -> Server:
    """An empty store."""
    _bucket.provider.reset()
    return _bucket


def _offer(bucket: Server, *names: str, around: str = AROUND) -> None:
    for name in names:
        bucket.provider.put(f"AUX_{name.split('_')[3]}/{name}", orbit_text(around))


def _fetch(
    bucket: Server, *folders: Path, names: tuple[str, ...] = (SLC,), **options: object
) -> tuple[ChosenOrbit, ...]:
    return orbit_files_for(
        [product_of_name(name) for name in names],
        folders,
        [OrbitProvider(name="asf", address=bucket.address)],
        downloader=Downloader(QUICK, **options),
        now=YEARS_LATER,
    )


def _listings(bucket: Server) -> list[str]:
    return [seen.query["prefix"] for seen in bucket.log if not seen.product]


def test_newest_precise_orbit_is_fetched(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, POEORB, REMADE, EARLIER, RESORB, POEORB.replace("S1A", "S1B"))
    (chosen,) = _fetch(bucket, tmp_path / "orbits", tmp_path / "other")
    assert chosen == ChosenOrbit(
        product=SLC, source=PRECISE, path=tmp_path / "orbits" / REMADE, fetched=True
    )
    assert names_in(tmp_path / "orbits") == [REMADE]
    assert _listings(bucket) == ["AUX_POEORB/S1A_OPER_AUX_POEORB_OPOD_"]


def test_nothing_is_asked_where_a_precise_orbit_is_there(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, REMADE)
    (chosen,) = _fetch(bucket, _put(tmp_path, POEORB))
    assert chosen.path == tmp_path / POEORB
    assert bucket.log == []


def test_pages_are_followed_to_the_last(bucket: Server, tmp_path: Path) -> None:
    bucket.provider.page_size = 2
    days = [POEORB.replace("20190121T", f"201901{day}T") for day in range(22, 29)]
    _offer(bucket, *days, REMADE)
    (chosen,) = _fetch(bucket, tmp_path)
    assert chosen.path == tmp_path / REMADE
    assert len(_listings(bucket)) == 4


def test_restituted_orbit_is_fetched_where_no_precise_one_is(
    bucket: Server, tmp_path: Path
) -> None:
    bucket.provider.page_size = 2
    after = [f"2019{month:02d}01T000000" for month in range(2, 12)]
    _offer(bucket, RESORB, SHORT_RESORB)
    _offer(bucket, *(RESORB.replace("20190101T182541", created) for created in after))
    (chosen,) = _fetch(bucket, tmp_path)
    assert (chosen.source, chosen.path) == (RESTITUTED, tmp_path / RESORB)
    # one made months later is not waited for: pages end there
    assert _listings(bucket).count("AUX_RESORB/S1A_OPER_AUX_RESORB_OPOD_") == 2


def test_restituted_orbit_on_disk_is_not_fetched_again(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, RESORB)
    (chosen,) = _fetch(bucket, _put(tmp_path, SHORT_RESORB, LATER_RESORB))
    assert chosen.path == tmp_path / LATER_RESORB
    assert _listings(bucket) == ["AUX_POEORB/S1A_OPER_AUX_POEORB_OPOD_"]


def test_products_share_a_listing_and_a_file(bucket: Server, tmp_path: Path) -> None:
    second = SLC.replace("171515", "171540").replace("171542", "171607")
    _offer(bucket, POEORB)
    chosen = _fetch(bucket, tmp_path, names=(SLC, second))
    assert {orbit.path for orbit in chosen} == {tmp_path / POEORB}
    assert len(bucket.log) == 2


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("truncate")],
        [Fault("reset")],
        [Fault("status", status=503), Fault("status", status=429)],
        [Fault("corrupt")],
        [Fault("html")],
    ],
    ids=lambda faults: faults[0].kind,
)
def test_orbit_and_listing_arrive_in_spite_of(
    bucket: Server, tmp_path: Path, faults: list[Fault]
) -> None:
    _offer(bucket, POEORB)
    if faults[0].kind not in ("corrupt", "html"):  # a page of another kind is no listing
        bucket.faults.plan(LISTING, *faults)
    bucket.faults.plan(f"AUX_POEORB/{POEORB}", *faults)
    (chosen,) = _fetch(bucket, tmp_path)
    assert chosen.path == tmp_path / POEORB
    assert chosen.path.read_bytes() == orbit_text(AROUND)
    assert names_in(tmp_path) == [POEORB]


@pytest.mark.parametrize(
    "body", [orbit_text(AROUND, count=9361), orbit_text(AROUND)[:-40], b"<html/>"]
)
def test_damaged_offer_gives_way_to_the_next(bucket: Server, tmp_path: Path, body: bytes) -> None:
    _offer(bucket, POEORB)
    bucket.provider.put(f"AUX_POEORB/{REMADE}", body)
    (chosen,) = _fetch(bucket, tmp_path)
    assert chosen.path == tmp_path / POEORB
    assert names_in(tmp_path) == [POEORB]
    assert len(chosen.notes) == 1
    assert REMADE in chosen.notes[0]


@pytest.mark.parametrize(
    "fault", [Fault("status", status=500), Fault("status", status=403), Fault("html")]
)
def test_store_that_fails_is_passed_over(bucket: Server, tmp_path: Path, fault: Fault) -> None:
    _offer(bucket, POEORB)
    bucket.faults.always(LISTING, fault)
    (chosen,) = _fetch(bucket, _put(tmp_path, RESORB))
    assert chosen.path == tmp_path / RESORB
    assert chosen.notes[0].startswith("asf cannot be asked")


@pytest.mark.parametrize("has_token", [True, False])
def test_listing_that_never_ends_is_given_up(
    bucket: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_token: bool
) -> None:
    again = "<NextContinuationToken>again</NextContinuationToken>" if has_token else ""
    endless = f"<ListBucketResult><IsTruncated>true</IsTruncated>{again}</ListBucketResult>"
    page = ScriptedProduct(name=LISTING, body=endless.encode())
    monkeypatch.setattr(ScriptedBucket, "_listing", lambda _self, _request: page)
    (chosen,) = _fetch(bucket, _put(tmp_path, RESORB))
    assert "without end" in chosen.notes[0]
    assert len(_listings(bucket)) == (2 if has_token else 1)


def test_two_that_fetch_at_once_share_one_transfer(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, POEORB)
    bucket.provider.chunk_size, bucket.provider.chunk_wait_s = 1000, 0.05
    found: list[ChosenOrbit] = []
    threads = [
        threading.Thread(target=lambda: found.extend(_fetch(bucket, tmp_path))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [orbit.path for orbit in found] == [tmp_path / POEORB] * 2
    assert len(bucket.downloads(f"AUX_POEORB/{POEORB}")) == 1
    assert names_in(tmp_path) == [POEORB]


def test_stopping_and_a_full_disk_are_no_notes(
    bucket: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(bucket, POEORB)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        _fetch(bucket, tmp_path, cancel=cancel)

    def full(*_arguments: object) -> None:
        raise StorageError("full")

    monkeypatch.setattr("catalog.download.need_space", full)
    with pytest.raises(StorageError):
        _fetch(bucket, tmp_path)


def test_progress_is_told(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, POEORB)
    told: list[Progress] = []
    _fetch(bucket, tmp_path, report=told.append)
    assert any(news.name == POEORB and news.share == 1.0 for news in told)
