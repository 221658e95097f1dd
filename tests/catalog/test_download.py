"""One product over real sockets, whatever goes wrong on the way."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from catalog.download import Downloader, Form
from catalog.errors import (
    AnswerError,
    CancelledError,
    IntegrityError,
    StorageError,
    UnreachableError,
)
from catalog.model import Checksum, Source
from catalog.progress import Progress, Stage
from catalog.requesting import OnTape
from catalog.retries import Patience, asked_wait_s
from tests.catalog.fetching import (
    NAME,
    QUICK,
    fetched,
    names_in,
    numbered_name,
    product_at,
    source_of,
)
from tests.catalog.scripted import Fault, Server, archive
from tests.catalog.scripted.server import wait_for


def test_product_arrives_under_its_name_with_nothing_beside(
    provider: Server, tmp_path: Path
) -> None:
    product = product_at(provider)
    path = fetched(source_of(provider, product), tmp_path / "new" / "folder")
    assert path.read_bytes() == product.body
    assert names_in(path.parent) == [f"{NAME}.zip"]
    asked = provider.downloads()[0]
    assert asked.headers["accept-encoding"] == "identity"
    assert "range" not in asked.headers


def test_product_that_is_there_is_not_asked_for(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    source = source_of(provider, product)
    fetched(source, tmp_path)
    again = Downloader(QUICK).fetch_product(source, tmp_path, NAME, Form(margin=0))
    assert again == (tmp_path / f"{NAME}.zip", True)
    assert len(provider.downloads()) == 1


def test_archive_of_another_size_is_replaced(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    (tmp_path / f"{NAME}.zip").write_bytes(product.body[:1000])
    assert fetched(source_of(provider, product), tmp_path).read_bytes() == product.body


FAULTS = {
    "half is missing": [Fault("truncate")],
    "nothing comes": [Fault("truncate", share=0.0)],
    "one byte is missing": [Fault("short")],
    "one byte is missing, three times": [Fault("short")] * 3,
    "it breaks off": [Fault("reset")],
    "other bytes": [Fault("corrupt")],
    "other bytes, twice": [Fault("corrupt"), Fault("corrupt")],
    "a page": [Fault("html")],
    "it is busy": [Fault("status", status=503), Fault("status", status=429, retry_after="20")],
    "early": [Fault("status", status=425), Fault("status", status=408)],
    "broken gateway": [Fault("status", status=status) for status in (500, 502, 504)],
    "compressed on the way": [Fault("gzip")],
    "half, then all from the start": [Fault("truncate"), Fault("ignore_range")],
    "half, then another part": [Fault("truncate"), Fault("wrong_range")],
    "half, then compressed": [Fault("truncate"), Fault("gzip")],
    "half, then a page": [Fault("truncate"), Fault("html")],
    "half, then other bytes": [Fault("truncate"), Fault("corrupt")],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("told", ["all", "capitals", "size", "nothing"])
def test_product_arrives_intact_in_spite_of(
    provider: Server, tmp_path: Path, faults: list[Fault], told: str
) -> None:
    product = product_at(provider)
    source = source_of(provider, product)
    if told == "capitals":
        source = replace(source, checksum=Checksum("md5", source.checksum.digits.upper()))
    elif told == "size":
        source = replace(source, checksum=None)
    elif told == "nothing":
        source = replace(source, checksum=None, size=None)
    provider.faults.plan(NAME, *faults)
    assert fetched(source, tmp_path).read_bytes() == product.body
    assert names_in(tmp_path) == [f"{NAME}.zip"]
    assert len(provider.downloads()) <= len(faults) + 1


def test_interrupted_download_goes_on_where_it_stopped(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.faults.plan(NAME, Fault("truncate", share=0.5), Fault("truncate", share=0.5))
    fetched(source_of(provider, product), tmp_path)
    half = len(product.body) // 2
    rest = half + (len(product.body) - half) // 2
    first, second, third = provider.downloads()
    assert second.headers["range"] == f"bytes={half}-"
    assert third.headers["range"] == f"bytes={rest}-"
    tag = f'"{hashlib.md5(product.body).hexdigest()}"'
    assert second.headers["if-range"] == third.headers["if-range"] == tag
    assert [one.status for one in (first, second, third)] == [200, 206, 206]


def test_part_of_another_version_is_not_gone_on_with(provider: Server, tmp_path: Path) -> None:
    """The product changes while it is fetched, to one of the same size that nothing is known of."""
    product = product_at(provider)
    source = source_of(provider, product, checksum=None, size=None)
    provider.faults.plan(NAME, Fault("truncate"))
    impatient = replace(QUICK, patience=Patience(attempts=1))
    with pytest.raises(UnreachableError):
        fetched(source, tmp_path, impatient)
    assert names_in(tmp_path) == [f".{NAME}.zip.part", f".{NAME}.zip.part.tag"]
    product.body = archive(numbered_name(7), size=300_000).body
    assert fetched(source, tmp_path).read_bytes() == product.body
    assert provider.downloads()[-1].status == 200


def test_part_that_is_whole_already_is_only_checked(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    (tmp_path / f".{NAME}.zip.part").write_bytes(product.body)
    assert fetched(source_of(provider, product), tmp_path).read_bytes() == product.body
    assert provider.downloads() == []


def test_part_that_is_whole_is_noticed_when_no_size_is_known(
    provider: Server, tmp_path: Path
) -> None:
    product = product_at(provider)
    (tmp_path / f".{NAME}.zip.part").write_bytes(product.body)
    source = source_of(provider, product, size=None)
    assert fetched(source, tmp_path).read_bytes() == product.body
    assert [seen.status for seen in provider.downloads()] == [416]


@pytest.mark.parametrize("left", [b"PK rubbish", b"x" * 400_000], ids=["other bytes", "too long"])
@pytest.mark.parametrize("size_is_known", [True, False])
def test_part_of_rubbish_costs_one_more_download(
    provider: Server, tmp_path: Path, left: bytes, size_is_known: bool
) -> None:
    product = product_at(provider)
    (tmp_path / f".{NAME}.zip.part").write_bytes(left)
    source = source_of(provider, product, **({} if size_is_known else {"size": None}))
    assert fetched(source, tmp_path).read_bytes() == product.body
    assert len(provider.downloads()) <= 2


@pytest.mark.parametrize("told", ["checksum", "archive"])
def test_wrong_bytes_three_times_are_refused(provider: Server, tmp_path: Path, told: str) -> None:
    product = product_at(provider)
    source = source_of(provider, product, **({"checksum": None} if told == "archive" else {}))
    provider.faults.always(NAME, Fault("corrupt"))
    with pytest.raises(IntegrityError, match=f"{NAME} did not arrive: .*checksum"):
        fetched(source, tmp_path)
    assert len(provider.downloads()) == 3
    assert names_in(tmp_path) == []


def test_size_that_is_another_than_the_catalogues_is_refused(
    provider: Server, tmp_path: Path
) -> None:
    product = product_at(provider)
    source = source_of(provider, product, size=len(product.body) + 1)
    with pytest.raises(IntegrityError, match=f"has {len(product.body)} bytes, not {source.size}"):
        fetched(source, tmp_path)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<html><title>Maintenance</title><body>Back at noon</body></html>", "Maintenance Back at"),
        ('{"ErrorMessage": "Back at noon", "ErrorCode": 500}', "Back at noon"),
        ("<?xml version='1.0'?><Error><Message>Back at noon</Message></Error>", "Back at noon"),
    ],
)
def test_text_instead_of_a_product_is_told_in_its_words(
    provider: Server, tmp_path: Path, text: str, told: str
) -> None:
    product = product_at(provider)
    provider.faults.always(NAME, Fault("html", text=text))
    with pytest.raises(AnswerError, match=f"a text instead of the product: {told}"):
        fetched(source_of(provider, product), tmp_path)
    assert names_in(tmp_path) == []


def test_file_is_on_the_disk_before_it_has_its_name(
    provider: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is the name, when the call returns: a loss of power leaves all of it or nothing."""
    product = product_at(provider)
    done: list[str] = []
    sync, replace_file = os.fsync, Path.replace

    def note_sync(descriptor: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{descriptor}').resolve().name}")
        sync(descriptor)

    def note_name(path: Path, target: Path) -> Path:
        done.append(f"name {target.name}")
        return replace_file(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_name)
    fetched(source_of(provider, product), tmp_path)
    assert done == [f"sync .{NAME}.zip.part", f"name {NAME}.zip", f"sync {tmp_path.name}"]


def test_failures_without_end_are_told_and_what_came_stays(
    provider: Server, tmp_path: Path
) -> None:
    product = product_at(provider)
    provider.faults.plan(NAME, Fault("truncate"))
    provider.faults.always(NAME, Fault("status", 503, text="<p>Database connection error</p>"))
    with pytest.raises(UnreachableError, match="503: Database connection error"):
        fetched(source_of(provider, product), tmp_path)
    assert (tmp_path / f".{NAME}.zip.part").stat().st_size == len(product.body) // 2
    assert len(provider.downloads()) == QUICK.patience.attempts
    provider.faults.clear()
    assert fetched(source_of(provider, product), tmp_path).read_bytes() == product.body
    assert provider.downloads()[-1].status == 206


def test_product_on_tape_says_when_to_come_back(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider, storage="tape")
    found = Downloader(QUICK).fetch_product(
        source_of(provider, product), tmp_path, NAME, Form(margin=0)
    )
    assert found == OnTape(180.0)  # PEPS says 180000
    assert product.storage == "staging"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "unit_s", "expected"),
    [
        ("30", 1.0, 30.0),
        ("180000", 0.001, 180.0),
        ("1.5", 1.0, 1.5),
        ("Tue, 05 Jan 2021 06:02:00 GMT", 1.0, 120.0),
        ("Tue, 05 Jan 2021 05:00:00 GMT", 1.0, 0.0),
        ("Tue, 05 Jan 2021 08:02:00 +0200", 0.001, 120.0),
        ("soon", 1.0, None),
        ("-5", 1.0, None),
        ("nan", 1.0, None),
        ("inf", 1.0, None),
        ("", 1.0, None),
        (None, 1.0, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(
    text: str | None, unit_s: float, expected: float | None
) -> None:
    now = datetime(2021, 1, 5, 6, 0, tzinfo=UTC)
    assert asked_wait_s(text, unit_s=unit_s, now=now) == expected


@pytest.mark.parametrize("form", ["milliseconds", "date"])
def test_server_is_given_the_time_it_asks_for(provider: Server, tmp_path: Path, form: str) -> None:
    product = product_at(provider)
    # dates have whole seconds: two seconds ahead is at least one
    asked = "1000" if form == "milliseconds" else format_datetime(_now() + timedelta(seconds=2))
    provider.faults.plan(NAME, Fault("status", 503, retry_after=asked))
    patient = replace(QUICK, patience=Patience(longest_asked_wait_s=5.0))
    fetched(source_of(provider, product), tmp_path, patient)
    first, second = provider.downloads()
    assert second.time - first.time >= 0.95


def _now() -> datetime:
    return datetime.now(UTC)


def test_peer_that_drips_is_given_up_and_gone_on_with(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.faults.plan(NAME, Fault("drip", share=0.5))
    strict = replace(QUICK, minimum_speed=1_000.0, speed_window_s=1.0)
    told: list[Progress] = []
    path = fetched(source_of(provider, product), tmp_path, strict, report=told.append)
    assert path.read_bytes() == product.body
    assert any("too slowly" in progress.text for progress in told)
    begins = int(provider.downloads()[1].headers["range"].strip("bytes=-"))
    assert begins > len(product.body) // 2  # what dripped counts


def test_peer_that_stalls_is_given_up(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.faults.plan(NAME, Fault("stall"))
    short = replace(QUICK, read_timeout_s=1.0)
    assert fetched(source_of(provider, product), tmp_path, short).read_bytes() == product.body
    assert provider.downloads()[-1].status == 206


@pytest.mark.parametrize("kind", ["stall", "drip", "silent"])
def test_download_stops_on_request(provider: Server, tmp_path: Path, kind: str) -> None:
    """Though a read waits that would last twenty seconds."""
    product = product_at(provider)
    half = len(product.body) // 2
    # the first half comes, and what then is asked for gets no answer
    provider.faults.plan(NAME, *([Fault("truncate")] if kind == "silent" else []))
    provider.faults.always(NAME, Fault(kind))
    cancel = threading.Event()
    ended: list[BaseException] = []

    def fetch() -> None:
        try:
            fetched(source_of(provider, product), tmp_path, cancel=cancel)
        except CancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    part = tmp_path / f".{NAME}.zip.part"
    wait_for(lambda: part.is_file() and part.stat().st_size >= half)
    cancel.set()
    thread.join(QUICK.read_timeout_s * 0.75)
    assert ended
    assert part.stat().st_size >= half  # to be gone on with


def test_server_that_does_not_answer_is_asked_again(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.faults.plan(NAME, Fault("silent"))
    short = replace(QUICK, read_timeout_s=1.0)
    told: list[Progress] = []
    path = fetched(source_of(provider, product), tmp_path, short, report=told.append)
    assert path.read_bytes() == product.body
    assert any("no answer from 127.0.0.1" in progress.text for progress in told)


@pytest.mark.parametrize("name", ["../outside", "a/b", "/etc/x", ".hidden", "", "a\nb", "a b"])
def test_name_that_leads_away_is_noproduct_at(provider: Server, tmp_path: Path, name: str) -> None:
    """Names come from the catalogue, and become names of files."""
    source = source_of(provider, product_at(provider))
    with pytest.raises(AnswerError, match="no product can have the name"):
        Downloader(QUICK).fetch_product(source, tmp_path / "in", name, Form(margin=0))
    assert provider.downloads() == []
    assert names_in(tmp_path) in ([], ["in"])


def test_progress_rises_to_all_of_it(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.provider.chunk_size, provider.provider.chunk_wait_s = 30_000, 0.05
    told: list[Progress] = []
    fetched(source_of(provider, product), tmp_path, report=told.append)
    received = [one.received for one in told if one.stage is Stage.FETCHING]
    assert received == sorted(received)
    assert received[-1] == len(product.body) == told[-1].total
    assert told[-1].share == 1.0
    assert all(one.speed > 0 for one in told if one.received)


def test_full_disk_is_noticed_before_the_start(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    source = source_of(provider, product, size=10**18)
    with pytest.raises(StorageError, match=r"needs 1000000000\.0 GB, the disk has"):
        fetched(source, tmp_path)
    assert provider.downloads() == []
    assert names_in(tmp_path) == []


def test_text_is_fetched_where_it_is_wanted(provider: Server, tmp_path: Path) -> None:
    """Orbit files are XML and come through the same downloader."""
    product_at(provider)
    orbit = "<Earth_Explorer_File>" + "x" * 1000
    provider.faults.plan(NAME, Fault("html", text=orbit))
    source = Source(address=provider.download_address(NAME))
    target = tmp_path / "S1A_OPER_AUX_POEORB.EOF"
    assert Downloader(QUICK).fetch_file(source, target) == target
    assert target.read_text() == orbit
    assert Downloader(QUICK).fetch_file(source, target) == target
    assert len(provider.downloads()) == 1
    assert names_in(tmp_path) == [target.name]


@pytest.mark.parametrize("tagged", [True, False])
def test_part_that_nothing_vouches_for_is_begun_anew(
    provider: Server, tmp_path: Path, tagged: bool
) -> None:
    """An elevation tile has no checksum, and its halves may be of two versions."""
    product = product_at(provider)
    provider.provider.validators = tagged
    provider.faults.plan(NAME, Fault("truncate"))
    source = Source(address=provider.download_address(NAME))
    target = tmp_path / "tile.tif"
    Downloader(QUICK).fetch_file(source, target)
    assert target.read_bytes() == product.body
    assert [seen.status for seen in provider.downloads()] == [200, 206 if tagged else 200]


def test_folder_that_cannot_be_made_is_told(provider: Server, tmp_path: Path) -> None:
    source = source_of(provider, product_at(provider))
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"{NAME} cannot be written: Not a directory"):
        fetched(source, tmp_path / "file" / "folder")
    with pytest.raises(StorageError, match=r"tile\.tif cannot be written: File exists"):
        Downloader(QUICK).fetch_file(source, tmp_path / "file" / "tile.tif")


def test_compressed_answer_that_breaks_off_is_begun_anew(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    source = source_of(provider, product)
    provider.faults.plan(NAME, Fault("truncate"), Fault("gzip"), Fault("gzip"))
    assert fetched(source, tmp_path).read_bytes() == product.body
    # the answer to a range was compressed: what it is a range of is unknown
    assert [("range" in seen.headers) for seen in provider.downloads()] == [False, True, False]
