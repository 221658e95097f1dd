"""Plans over WPS and from the command line, and jobs that the disk cannot hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from kernels.chains.dinsar_pair import CHAIN, DinsarPairRequest
from kernels.chains.dry_run import make_plan
from kernels.chains.planning import Plan
from kernels.chains.request import Request, option
from kernels.errors import ProcessingError
from processes.command_line import main
from processes.jobs.limits import MB
from processes.room import check_room
from processes.settings import Settings
from tests.processes.over_wps import WpsServer, wps_server
from tests.series import Series


@pytest.fixture(scope="module")
def lake(two_swaths: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    for product in (two_swaths.reference, two_swaths.still):
        shutil.copytree(product, folder / product.name)
    shutil.copy(two_swaths.dem, folder / "dem.tif")
    return folder


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WpsServer]:
    with wps_server(tmp_path_factory.mktemp("server"), lake) as found:
        yield found


@pytest.fixture
def inputs(two_swaths: Series) -> dict[str, str]:
    return {
        "reference": two_swaths.reference.name,
        "secondary": two_swaths.still.name,
        "dem": "dem.tif",
        "dem_heights": "ellipsoid",
    }


def test_a_dry_run_is_a_job_with_one_output(
    server: WpsServer, inputs: dict[str, str], tmp_path: Path
) -> None:
    process = server.wps.describeprocess("dinsar-pair")
    (declared,) = [put for put in process.dataInputs if put.identifier == "dry_run"]
    assert (declared.minOccurs, declared.defaultValue) == (0, "false")
    found = server.results(tmp_path / "results", "dinsar-pair", dry_run="true", **inputs)
    assert list(found) == ["report"]
    told = json.loads(found["report"].read_text(encoding="utf-8"))
    assert told["dry_run"] is True
    assert [swath["swath"] for swath in told["swaths"]] == ["IW1", "IW2"]
    assert str(server.lake) not in json.dumps(told)


def test_a_dry_run_is_answered_at_once(server: WpsServer, inputs: dict[str, str]) -> None:
    question = {
        "service": "WPS",
        "version": "1.0.0",
        "request": "Execute",
        "identifier": "dinsar-pair",
        "datainputs": ";".join(f"{k}={v}" for k, v in (inputs | {"dry_run": "true"}).items()),
        "rawdataoutput": "report",
    }
    with urlopen(f"{server.wps.url}?{urlencode(question)}") as answer:
        told = json.load(answer)
    assert told["process"] == "dinsar-pair"
    assert told["temporal_baseline_days"] == 12.0


def test_a_dry_run_is_refused_as_the_run_would_be(
    server: WpsServer, inputs: dict[str, str]
) -> None:
    twice = inputs | {"secondary": inputs["reference"]}
    server.assert_refused("must be another product", "dinsar-pair", dry_run="true", **twice)
    server.assert_refused("dry_run must be true or false", "dinsar-pair", dry_run="yes", **inputs)


def test_a_job_that_writes_more_than_the_server_allows_does_not_start(
    lake: Path, inputs: dict[str, str], tmp_path: Path
) -> None:
    line = "MB of disk, more than the 5 MB that this server allows"
    with wps_server(tmp_path, lake, job_disk_mb=5) as server:
        server.assert_refused(line, "dinsar-pair", spacing="0.0005", **inputs)


def test_a_job_that_the_disk_cannot_hold_does_not_start(
    two_swaths: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = DinsarPairRequest(
        reference=(two_swaths.reference,),
        secondary=(two_swaths.still,),
        dem=(two_swaths.dem,),
        dem_heights="ellipsoid",
    )
    settings = Settings(state_folder=tmp_path, disk_reserve_mb=100)
    needed = make_plan(CHAIN, request).disk_bytes
    enough = int(needed) + 101 * MB

    def disk(free: int) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: disk(enough - 2 * MB))
    with pytest.raises(ProcessingError, match="must stay free"):
        check_room(CHAIN, request, settings, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: disk(enough))
    check_room(CHAIN, request, settings, tmp_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingRequest(Request):
    """One that keeps something from run to run."""

    store: Path = option(title="Store", role="store")


def test_what_is_kept_from_run_to_run_needs_room_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(
        memory_bytes=0.0,
        scratch_bytes=100.0 * MB,
        results_bytes=200.0 * MB,
        store_bytes=400.0 * MB,
        cpu_seconds=None,
        threads=1,
    )
    keeping = replace(CHAIN, request=KeepingRequest, plan=lambda _request: plan)
    request = KeepingRequest(store=tmp_path)

    def check(free_mb: int, **limits: int) -> None:
        disk = SimpleNamespace(free=free_mb * MB)
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: disk)
        settings = Settings(state_folder=tmp_path, disk_reserve_mb=10, **limits)  # type: ignore[arg-type]
        check_room(keeping, request, settings, tmp_path)

    check(710, job_disk_mb=700)
    with pytest.raises(ProcessingError, match="may need 700 MB of disk, more than the 699 MB"):
        check(10_000, job_disk_mb=699)
    with pytest.raises(ProcessingError, match="709 MB are free, the job may need 700 MB and 10"):
        check(709)


def test_the_command_prints_the_plan(
    two_swaths: Series, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {
        "--reference": two_swaths.reference,
        "--secondary": two_swaths.still,
        "--dem": two_swaths.dem,
        "--output": tmp_path / "results",
    }
    arguments = [str(text) for pair in options.items() for text in pair]
    assert main(["run", "dinsar-pair", *arguments, "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is True
    assert told["megapixels"] > 0.0
    assert not (tmp_path / "results").exists()
