"""``python -m catalog``: options, forms of the answer, exit codes, and nothing secret."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from catalog import errors
from catalog.cli import _parser, main
from catalog.errors import QueryError
from catalog.exits import common_exit_code, exit_code
from catalog.model import Query
from catalog.options import query_of
from catalog.resto import searches
from tests.catalog.scripted import Server, archive
from tests.catalog.scripted.archives import box_polygon
from tests.catalog.test_local import GRD, make_zip

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s3cret-Word"
SLC = "S1A_IW_SLC__1SDV_201901{day:02d}T171515_201901{day:02d}T171542_{orbit:06d}_02CC09_0A0B"
FIRST, SECOND = SLC.format(day=1, orbit=25287), SLC.format(day=13, orbit=25462)
OTHER = SLC.format(day=5, orbit=25350)


@pytest.fixture
def configuration(provider: Server, tmp_path: Path) -> Path:
    (tmp_path / "peps.txt").write_text(f"user@example.org {SECRET}\n")
    (tmp_path / "peps.txt").chmod(0o600)
    file = tmp_path / "catalogues.cfg"
    file.write_text(
        f"[catalog:peps]\nurl = {provider.address}/resto\ncredentials = peps.txt\n"
        f"[catalog:lake]\ntype = local\nroots = lake\nindex = index.sqlite\n"
    )
    (tmp_path / "lake").mkdir()
    provider.provider.users = {"user@example.org": SECRET}
    provider.provider.add(
        archive(FIRST, footprint=box_polygon(8.0, 46.0, 10.0, 48.0)),
        archive(SECOND, storage="tape", footprint=box_polygon(8.0, 46.0, 10.0, 48.0)),
        archive(OTHER, footprint=box_polygon(8.0, 46.0, 10.0, 48.0)),
    )
    return file


def query(*words: str) -> Query:
    return query_of(_parser().parse_args(["search", *words]))


def asked(*words: str) -> list[str]:
    return ["&".join(f"{k}={v}" for k, v in one) for one in searches(query(*words))]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "-c S1 -p SLC -m SM -d 2016-08-15 -f 2016-10-01"
            " --lonmin 55.5 --latmin -21.5 --lonmax 55.7 --latmax -21.25",
            "box=55.5,-21.5,55.7,-21.25&startDate=2016-08-15&completionDate=2016-10-01"
            "&maxRecords=500&productType=SLC&sensorMode=SM",
        ),
        (
            "-l Toulouse -a peps.txt -d 2016-12-06 -f 2017-02-01 -c S2ST",
            "q=Toulouse&startDate=2016-12-06&completionDate=2017-02-01&maxRecords=500",
        ),
        (
            "--lon 1 --lat 44 -a peps.txt -d 2015-11-01 -f 2015-12-01 -c S2",
            "lat=44&lon=1&startDate=2015-11-01&completionDate=2015-12-01&maxRecords=500",
        ),
        (
            "--lonmin 1 --lonmax 2 --latmin 43 --latmax 44 -d 2015-11-01 -f 2015-12-01 -c S2",
            "box=1,43,2,44&startDate=2015-11-01&completionDate=2015-12-01&maxRecords=500",
        ),
        (
            "-l Toulouse -c SpotWorldHeritage -p SPOT4 -d 2005-11-01 -f 2006-12-01",
            "q=Toulouse&startDate=2005-11-01&completionDate=2006-12-01&maxRecords=500"
            "&productType=SPOT4",
        ),
        (
            "-c S1 -p GRD -l Toulouse -d 2015-11-01 -f 2015-12-01 --windows -w out --json x.json",
            "q=Toulouse&startDate=2015-11-01&completionDate=2015-12-01&maxRecords=500"
            "&productType=GRD",
        ),
        ("-t T31TCJ -c S2ST --cc 30 --sat S2A -o 51", "tileid=31TCJ&maxRecords=500"),
    ],
)
def test_commands_of_peps_download_ask_the_same(words: str, expected: str) -> None:
    assert asked(*words.split()) == [expected]


def test_further_options(tmp_path: Path) -> None:
    until = query("-d", "2016-08-15", "--until", "2016-10-01")
    assert until.stop == datetime(2016, 10, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    master = query("--M", f"somewhere/{FIRST}.SAFE")
    assert (master.relative_orbit, master.mode, master.product_type) == (15, "IW", "SLC")
    (tmp_path / "x.geojson").write_text('{"type": "Point", "coordinates": [1, 2]}')
    assert query("--shape", str(tmp_path / "x.geojson")).area is not None
    assert query("--cc", "30", "--sat", "S1A", "-o", "51").relative_orbit == 51


@pytest.mark.parametrize(
    ("words", "argument"),
    [
        ("-d 2016-08-15 -f 2016-08-15", "stop"),
        ("-f soon", "end_date"),
        ("-f 2016-08-15 --until 2016-08-15", "until"),
        ("--sat S2A", "satellite"),
        ("--lat 1", "lat"),
        ("--lonmin 1 --latmin 2", "lonmin"),
        ("--lonmin 1 --latmin 2 --lonmax x --latmax 3", "lonmin"),
        ("--lonmin 1 --latmin 2 --lonmax 2 --latmax 1", "lonmin"),
        ("--shape nowhere.geojson", "shape"),
        ("--M readme", "M"),
        (f"--M {FIRST} -o 16", "relative_orbit"),
        ("-l Toulouse -t 31TCJ", "tile"),
    ],
)
def test_what_breaks_a_rule_is_named(words: str, argument: str) -> None:
    with pytest.raises(QueryError) as caught:
        query(*words.split())
    assert caught.value.argument == argument


def run(configuration: Path, *words: str) -> int:
    return main([words[0], "--config", str(configuration), *words[1:]])


def test_a_listing(configuration: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(configuration, "search", "-p", "SLC", "-o", "15") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{SECOND} tape",
        f"{FIRST} disk",
        "2 products: 1 on disk, 1 on tape",
    ]
    assert run(configuration, "search", "--table", "--M", FIRST) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row[:1] for row in rows] == [" ", " ", "*"]
    assert "2019-01-01T17:15:15  15" in rows[2]
    assert run(configuration, "search", "-o", "3") == 0
    assert capsys.readouterr().out == "0 products\n"


def test_forms_of_the_answer(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["-w", str(out), "--geojson", "x.geojson", "--json"]
    assert run(configuration, "search", *words, "--area", "8,46,9,47") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told] == [SECOND, OTHER, FIRST]
    assert (told[0]["storage"], told[0]["relative_orbit"]) == ("tape", 15)
    features = json.loads((out / "x.geojson").read_text())["features"]
    assert features[0]["geometry"] == box_polygon(8.0, 46.0, 10.0, 48.0)
    for name in ("x.html", "x.png"):
        assert run(configuration, "search", "-w", str(out), "--map", name, "-t", "32TMS") == 0
    assert (out / "x.png").read_bytes().startswith(b"\x89PNG")
    page = etree.fromstring((out / "x.html").read_bytes(), etree.HTMLParser())
    assert [title.text.split()[-1] for title in page.iter("title")] == [
        *("Footprints", "tape", "disk", "disk")
    ]
    assert len(page.findall(".//polygon")) == 4
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((out / "x.html").stat().st_mode) == 0o666 & ~umask
    assert run(configuration, "search", "--map", "x.pdf") == 2


def test_pairs(configuration: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(configuration, "pairs", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["relative_orbit"], told["days"]) == (15, 12.0)
    assert (told["reference"], told["secondary"]) == (FIRST, SECOND)
    assert run(configuration, "pairs", "--longest_days", "6") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_index_then_show(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_zip(tmp_path / "lake", 1)
    (tmp_path / f"lake/{GRD.format(2)}.zip").write_bytes(b"PK")
    assert run(configuration, "index", "--troubled") == 0
    printed = capsys.readouterr().out
    assert "2 new, 0 changed, 0 unchanged, 0 gone; 0 partial and 1 corrupt" in printed
    assert "is no whole zip archive" in printed
    assert run(configuration, "show", f"{GRD.format(1)}.SAFE") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == str(tmp_path / f"lake/{GRD.format(1)}.zip")
    assert run(configuration, "show", GRD.format(9)) == 3
    assert main(["index", str(tmp_path / "lake"), "--index", str(tmp_path / "other")]) == 0
    assert main(["index", str(tmp_path / "lake")]) == 2


def test_fetching_and_staging(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-o", "15", "-w", str(tmp_path / "out"), "--names", FIRST]
    assert run(configuration, "download", *words) == 0
    assert capsys.readouterr().out == f"{tmp_path}/out/{FIRST}.zip\n"
    assert run(configuration, "stage", "--names", SECOND) == 0
    assert capsys.readouterr().out == f"{SECOND} staging\n"


def test_what_would_be_done_holds_no_secret(configuration: Path, provider: Server) -> None:
    words = [sys.executable, "-m", "catalog", "download", "-n", "--config", configuration]
    done = subprocess.run(
        [*words, "-o", "15", "-d", "2019-01-01"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("curl ") == 2
    assert f"{provider.address}/resto/api/collections/S1/search.json?startDate=2019" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert [seen for seen in provider.log if seen.product] == []


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--config", str(tmp_path / "nowhere.cfg")]) == 2
    assert main(["search", "--catalog", "nowhere"]) == 2
    assert main(["search", "-o", "x"]) == 2
    assert "relative_orbit must be 1 to 999" in capsys.readouterr().err
    causes = {
        errors.QueryError("a", "b", 1): 2,
        errors.NotFoundError("x"): 3,
        errors.UnreachableError("x"): 4,
        errors.AnswerError("x"): 4,
        errors.AccessError("x"): 5,
        errors.StagingError("x"): 6,
        errors.IntegrityError("x"): 7,
        errors.StorageError("x"): 8,
        errors.CancelledError("x"): 130,
    }
    assert {error: exit_code(error) for error in causes} == causes
    access, disk = errors.AccessError("x"), errors.StorageError("x")
    assert [common_exit_code(some) for some in ([], [None], [None, access], [access, disk])] == [
        *(0, 0, 5, 1)
    ]
