"""What is wrong is told in one line, with the exit code of its cause, and leaves no product."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog import asking
from catalog.cli import main
from tests.catalog.fetching import NAME
from tests.catalog.scripted import Fault, Server, archive
from tests.catalog.scripted.archives import zip_of

TOP = f"{NAME}.SAFE"
SEARCH = ["search"]
FETCH = ["download", "-x", "--staging-timeout", "0"]


def _body(**members: bytes) -> bytes:
    return zip_of({f"{TOP}/manifest.safe": b"<xfdu/>", **members})


def _link() -> bytes:
    buffer = BytesIO(_body())
    with zipfile.ZipFile(buffer, "a") as opened:
        member = zipfile.ZipInfo(f"{TOP}/link")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(member, "/etc/passwd")
    return buffer.getvalue()


class _Full(NamedTuple):
    """What the system says of a full disk."""

    free: int = 0


class Case(NamedTuple):
    """Words of a command, its exit code, what it says, and what makes it so."""

    words: list[str]
    code: int
    says: str
    arrange: Callable[[Server, pytest.MonkeyPatch], object] = lambda provider, patch: None


def _sent(body: bytes) -> Callable[[Server, pytest.MonkeyPatch], object]:
    return lambda provider, _: setattr(provider.provider.products[NAME], "body", body)


CASES = {
    "box of three": Case([*SEARCH, "--area", "1,2,3"], 2, "area must be a box as west"),
    "open ring": Case([*SEARCH, "--area", "POLYGON((0 0,1 1))"], 2, "area must be a polygon of"),
    "not GeoJSON": Case([*SEARCH, "--area", '{"type":"Polygon"}'], 2, "area must be a box as"),
    "south of the pole": Case([*SEARCH, "--area", "0,-91,1,0"], 2, "area must be a box with south"),
    "reversed": Case(
        [*SEARCH, "-d", "2021-02-01", "--until", "2021-01-01"], 2, "stop must be not before start"
    ),
    "no day": Case([*SEARCH, "-d", "yesterday"], 2, "start must be a day as 2016-08-15"),
    "collection": Case([*SEARCH, "-c", "S9"], 2, "collection must be one that peps has, got S9"),
    "nobody": Case(
        [*SEARCH],
        4,
        "peps does not answer",
        lambda provider, _: provider.provider.products.clear(),
    ),
    "expired": Case(
        FETCH,
        5,
        "no access, 127.0.0.1",
        lambda provider, _: setattr(provider.provider, "wrong_password_status", 401),
    ),
    "full disk": Case(
        FETCH,
        8,
        "the disk has 0.000 MB left",
        lambda _, patch: patch.setattr(shutil, "disk_usage", lambda _: _Full()),
    ),
    "leads out": Case(FETCH, 7, "is refused: ../evil leads", _sent(_body(**{"../evil": b"x"}))),
    "absolute": Case(FETCH, 7, "is refused: /tmp/evil is", _sent(_body(**{"/tmp/evil": b"x"}))),
    "a link": Case(FETCH, 7, "link is a link or a device", _sent(_link())),
    "a bomb": Case(
        FETCH, 7, "it would grow to 40", _sent(_body(**{f"{TOP}/zeros": bytes(40_000_000)}))
    ),
    "no archive": Case(
        FETCH,
        4,
        "did not arrive: 127.0.0.1",
        lambda provider, _: provider.faults.always(NAME, Fault("html")),
    ),
    "on tape for ever": Case(
        FETCH,
        6,
        "did not come from tape in",
        lambda provider, _: setattr(provider.provider.products[NAME], "storage", "tape"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_one_line_and_nothing_left(
    case: Case,
    provider: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(asking, "_FIRST_WAIT_S", 0.01)
    provider.provider.add(archive(NAME))
    users = {"me": "fresh" if "no access" in case.says else "word"}
    provider.provider.users = users
    address = "http://127.0.0.1:1" if "does not answer" in case.says else provider.address
    case.arrange(provider, monkeypatch)
    (tmp_path / "login").write_text("me word\n")
    (tmp_path / "login").chmod(0o600)
    configuration = tmp_path / "x.cfg"
    configuration.write_text(f"[catalog:peps]\nurl = {address}/resto\ncredentials = login\n")
    out = tmp_path / "out"
    words = [*case.words, "--config", str(configuration)]
    assert main([*words, *(["-w", str(out)] if case.words is FETCH else [])]) == case.code
    printed = capsys.readouterr()
    assert [case.says in line for line in printed.err.splitlines()].count(True) == 1
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert not list(out.glob("*"))
    assert {path.name for path in tmp_path.iterdir()} <= {"login", "x.cfg", "out"}
