"""Archives that are what they say, and those that are not."""

from __future__ import annotations

import io
import stat
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.archives import damage, extract, is_complete
from catalog.errors import CancelledError, CatalogError, IntegrityError, QueryError, StorageError
from tests.catalog.fetching import NAME, names_in
from tests.catalog.scripted import safe_files, zip_of

TOP = f"{NAME}.SAFE"


def _members(**more: bytes) -> dict[str, bytes]:
    return {f"{TOP}/{path}": content for path, content in safe_files(NAME).items()} | more


def _written(tmp_path: Path, members: dict[str, bytes], **options: int) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(zip_of(members, **options))
    return path


def _out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir(exist_ok=True)
    return folder


def test_all_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    out = _out(tmp_path)
    assert extract(_written(tmp_path, _members()), out, NAME) == out / TOP
    found = {
        str(path.relative_to(out / TOP)): path.read_bytes()
        for path in (out / TOP).rglob("*")
        if path.is_file()
    }
    assert found == safe_files(NAME)
    assert names_in(out) == [TOP]
    assert is_complete(out / TOP)


def test_entries_of_folders_are_no_files(tmp_path: Path) -> None:
    members = {f"{TOP}/": b"", f"{TOP}/measurement/": b"", **_members()}
    assert extract(_written(tmp_path, members), _out(tmp_path), NAME).is_dir()


def test_only_the_polarisations_asked_for_come_out(tmp_path: Path) -> None:
    whole = extract(_written(tmp_path, _members()), _out(tmp_path), NAME, polarisations=["VV"])
    found = {str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file()}
    assert found == {path for path in safe_files(NAME) if "-vh-" not in path}
    assert len(found) == len(safe_files(NAME)) - 4  # measurement, annotation, calibration, noise
    assert is_complete(whole, ["vv"])
    assert not is_complete(whole, ["VH"])
    assert not is_complete(whole)


def test_polarisation_in_other_folders_is_kept(tmp_path: Path) -> None:
    path = f"{TOP}/preview/map-vh-1.png"
    archive = _written(tmp_path, {**_members(), path: b"picture"})
    extract(archive, _out(tmp_path), NAME, polarisations=["VV"])
    assert (_out(tmp_path) / path).is_file()


def test_polarisation_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match=f"one of VH VV for {NAME}, got HH"):
        extract(_written(tmp_path, _members()), _out(tmp_path), NAME, polarisations=["HH"])
    assert names_in(_out(tmp_path)) == []


MALICE = {
    "absolute": "/etc/crontab",
    "above": f"{TOP}/../../outside.txt",
    "above the top": "../outside.txt",
    "backslash": f"{TOP}\\..\\outside.txt",
    "other top": "other.SAFE/file.txt",
    "file at the top": "file.txt",
    "file for the folder": TOP,
    "dot": f"{TOP}/./manifest.safe",
    "empty": f"{TOP}//manifest.safe",
}


@pytest.mark.parametrize("path", MALICE.values(), ids=MALICE.keys())
def test_member_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    archive = _written(tmp_path, {**_members(), path: b"malice"})
    out = _out(tmp_path)
    with pytest.raises(IntegrityError, match=f"the archive of {NAME} is refused") as raised:
        extract(archive, out, NAME)
    assert "\n" not in str(raised.value)
    assert names_in(out) == []
    assert names_in(tmp_path) == ["archive", "out"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in _members().items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo(f"{TOP}/link")
        link.external_attr = (kind | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(IntegrityError, match="link is a link or a device"):
        extract(path, _out(tmp_path), NAME)
    assert names_in(_out(tmp_path)) == []


def test_member_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in _members().items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(f"{TOP}/manifest.safe", b"another")
    with pytest.raises(IntegrityError, match="list of files"):
        extract(path, _out(tmp_path), NAME)


def test_archive_that_grows_beyond_reason_is_refused(tmp_path: Path) -> None:
    bomb = _members(**{f"{TOP}/measurement/zeros.tiff": bytes(40_000_000)})
    archive = _written(tmp_path, bomb)
    assert archive.stat().st_size < 100_000
    with pytest.raises(IntegrityError, match=r"it would grow to 40\.0.* MB"):
        extract(archive, _out(tmp_path), NAME)
    assert names_in(_out(tmp_path)) == []


def test_archive_without_manifest_is_refused(tmp_path: Path) -> None:
    members = _members()
    del members[f"{TOP}/manifest.safe"]
    with pytest.raises(IntegrityError, match=r"has no manifest\.safe"):
        extract(_written(tmp_path, members), _out(tmp_path), NAME)


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9])
def test_damaged_archive_is_told_and_leaves_nothing(tmp_path: Path, where: float) -> None:
    archive = _written(tmp_path, _members())
    body = bytearray(archive.read_bytes())
    position = int(len(body) * where)
    body[position : position + 30] = bytes(30)
    archive.write_bytes(body)
    assert damage(archive, threading.Event())
    with pytest.raises(IntegrityError):
        extract(archive, _out(tmp_path), NAME)
    assert names_in(_out(tmp_path)) == []


@given(st.data())
@settings(max_examples=150)
def test_any_bytes_give_a_product_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Bytes of a good archive overwritten anywhere, or cut off."""
    body = bytearray(zip_of(_members(), compression=zipfile.ZIP_STORED))
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(0, 50)) or len(body) :]
    folder = tmp_path_factory.mktemp("any")
    (folder / "archive").write_bytes(body)
    refusal = ""
    try:
        extract(folder / "archive", folder, NAME)
    except CatalogError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert names_in(folder) == (["archive"] if refusal else [TOP, "archive"])
    assert refusal or (folder / TOP / "manifest.safe").is_file()


def test_folder_that_was_left_half_unpacked_is_replaced(tmp_path: Path) -> None:
    out = _out(tmp_path)
    half = out / TOP
    half.mkdir()
    (half / "manifest.safe").write_bytes(safe_files(NAME)["manifest.safe"])
    (out / f".{TOP}.part").mkdir()
    (out / f".{TOP}.part" / "left by a process that was killed").touch()
    assert not is_complete(half)
    extract(_written(tmp_path, _members()), out, NAME)
    assert is_complete(half)
    assert names_in(out) == [TOP]


def test_unpacking_stops_on_request(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        extract(_written(tmp_path, _members()), _out(tmp_path), NAME, cancel=cancel)
    assert names_in(_out(tmp_path)) == []


def test_disk_that_is_too_small_is_told_before_the_first_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"{NAME} needs .* the disk has"):
        extract(_written(tmp_path, _members()), _out(tmp_path), NAME, margin=10**18)
    assert names_in(_out(tmp_path)) == []


def test_archive_in_memory_is_reproducible() -> None:
    """The scripted provider's checksums rest on it."""
    assert zip_of(_members()) == zip_of(_members())
    assert zipfile.ZipFile(io.BytesIO(zip_of(_members()))).testzip() is None
