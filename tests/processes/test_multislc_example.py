"""The example with both calls of the original over La Reunion, planned on simulated images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kernels.simulation import Acquisition, Scene, StripMapMode, Track, save_dem, simulate
from processes.settings import CHECKOUT
from tests.series import CENTRE, hills

STARTS = {"S6": datetime(2016, 6, 5, 1, 36, 30), "S4": datetime(2016, 6, 1, 1, 46, 50)}
TRACKS = {"S6": 4, "S4": 151}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three dates of each beam, the last one in October."""
    dem = hills(*CENTRE)
    (tmp_path / "hgts").mkdir()
    save_dem(dem, tmp_path / "hgts" / "dem.tif")
    for beam, start in STARTS.items():
        simulate(
            Scene(dem=dem),
            [Acquisition(centre=start + timedelta(days=days)) for days in (0, 24, 132)],
            tmp_path / "lake" / beam,
            mode=StripMapMode(beam="S6", lines=160, samples=200),
            track=Track(relative_orbit=TRACKS[beam]),
        )
    rename(tmp_path / "lake" / "S4")
    return tmp_path


def rename(folder: Path) -> None:
    """Make products of beam S4 of those of S6: the simulation has not the figures of both."""
    for path in sorted(folder.rglob("*"), key=lambda path: -len(path.parts)):
        if path.suffix in {".xml", ".safe"}:
            text = path.read_text(encoding="utf-8").replace("-s6-", "-s4-").replace("S6", "S4")
            path.write_text(text, encoding="utf-8")
        path.rename(path.with_name(path.name.replace("-s6-", "-s4-").replace("_S6_", "_S4_")))


def test_both_calls_of_the_original_are_planned(archive: Path) -> None:
    (master,) = (archive / "lake" / "S4").glob("**/measurement/s1a-s4-slc-vv-20160625t*.tiff")
    found = subprocess.run(
        [
            *("sh", CHECKOUT / "examples/multislc_reunion.sh"),
            *(archive / name for name in ("lake", "hgts", "out")),
            *("--dry-run", "--dem-heights", "ellipsoid"),
        ],
        env=os.environ | {"PYTHON": sys.executable, "MASTER_S4": master.name},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    decoder, text, reports = json.JSONDecoder(), found.stdout.lstrip(), []
    while text:
        report, end = decoder.raw_decode(text)
        reports.append(report)
        text = text[end:].lstrip()
    assert [report["request"]["swaths"] for report in reports] == [["S6"], ["S4"]]
    days = [["20160605", "20160629"], ["20160601", "20160625"]]
    assert [report["dates"] for report in reports] == days
    assert reports[1]["pairs"] == ["20160625_20160601"]
    first, second = (report["request"] for report in reports)
    assert (first["reference"], second["reference"]) == (None, master.name)
    for request in (first, second):
        assert (request["first_day"], request["last_day"]) == ("20160601", "20160930")
        assert request["region"] == "55.2,-21.4,55.85,-20.85"
        assert (request["azimuth_looks"], request["range_looks"]) == (3, 3)
        assert (request["ortho"], request["spacing"]) == ("geographic", 0.0001)
        assert (request["interferograms"], request["light"]) == (True, True)
        assert (request["memory_mb"], request["gain"]) == (4000, 0.1)
    assert not (archive / "out").exists()
