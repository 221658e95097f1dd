"""What chains keep from run to run: whose it is, where it is, and when it goes."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.chains.request import Request, option
from kernels.engine.locking import lock_folder
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from processes.chain_process import ChainProcess
from processes.command_line import main
from processes.jobs.stacks import INTERVAL, StackSweeper, stacks_of, written_by
from processes.request_key import request_key
from processes.settings import Settings

NOW = time.time()
DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingRequest(Request):
    """An option that is kept, and one that says what."""

    passes: tuple[str, ...] = option(title="Passes")
    again: bool = option(default=False, title="Again (true or false)")
    store: Path | None = option(default=None, title="Store", role="store")


def run(request: KeepingRequest, folder: Path, progress: Progress) -> ChainResult:
    """Count the dates that are not in the store yet."""
    progress.check()
    key = (request.store or folder) / "key"
    key.mkdir(parents=True, exist_ok=True)
    made = [day for day in request.passes if not (key / day).exists()]
    for day in made:
        (key / day).touch()
    report = folder / "report.json"
    report.write_text(json.dumps(made), encoding="utf-8")
    return ChainResult.of(OUTPUTS, {"report": report}, {})


OUTPUTS = (
    OutputInfo(name="report", title="Report", abstract="Dates made.", media_type=MediaType.JSON),
)
CHAIN = Chain(
    name="keeping",
    title="Keeps",
    abstract="Keeps dates.",
    version="1.0",
    request=KeepingRequest,
    outputs=OUTPUTS,
    run=run,
)


class Keeping(ChainProcess):
    """The chain over WPS."""

    chain = CHAIN


@pytest.fixture
def process(tmp_path: Path) -> Keeping:
    return Keeping(Settings(state_folder=tmp_path / "var"))


def made_of(process: Keeping, user: str, *days: str, folder: Path) -> list[str]:
    folder.mkdir(exist_ok=True)
    inputs = {"passes": [{"data": day} for day in days]}
    result = process.prepare(inputs, user).run(folder, Progress())
    found: list[str] = json.loads(result.artefacts[0].path.read_text(encoding="utf-8"))
    return found


def test_a_job_takes_up_what_earlier_jobs_of_its_user_made(
    process: Keeping, tmp_path: Path
) -> None:
    assert made_of(process, "ann", "1", "2", folder=tmp_path / "a") == ["1", "2"]
    assert made_of(process, "ann", "1", "2", "3", folder=tmp_path / "b") == ["3"]
    assert made_of(process, "bob", "1", "2", "3", folder=tmp_path / "c") == ["1", "2", "3"]
    assert made_of(process, "", "1", folder=tmp_path / "d") == ["1"]
    stacks = tmp_path / "var" / "stacks"
    assert sorted(path.name for path in stacks.iterdir()) == ["user-", "user-ann", "user-bob"]
    assert (stacks / "user-ann").stat().st_mode & 0o077 == 0


def test_clients_of_a_server_cannot_name_a_store(process: Keeping, tmp_path: Path) -> None:
    assert [put.identifier for put in process.inputs] == ["passes", "again"]
    inputs = {"passes": [{"data": "1"}], "store": [{"data": str(tmp_path)}]}
    with pytest.raises(RequestError, match="store must be one of passes, again"):
        process.make_request(inputs, "ann")


@pytest.mark.parametrize(
    "user", ["..", "../bob", "/etc", "a/b", "ann@example.org", "é ü", "x" * 5000, "\0", ""]
)
def test_every_user_has_a_folder_of_his_own(user: str, tmp_path: Path) -> None:
    settings = Settings(state_folder=tmp_path, stack_root=tmp_path / "elsewhere")
    found = stacks_of(user, settings)
    assert found.parent == tmp_path / "elsewhere"
    assert found.resolve() == found
    found.mkdir(parents=True)
    assert stacks_of(user + "x", settings) != found


def test_what_is_in_the_store_changes_no_key(process: Keeping, tmp_path: Path) -> None:
    """Equal requests are equal, whatever earlier ones kept."""
    inputs = {"passes": [{"data": "1"}]}
    before = request_key(process, process.make_request(inputs, "ann"), ())
    made_of(process, "ann", "1", "2", folder=tmp_path / "a")
    assert request_key(process, process.make_request(inputs, "ann"), ()) == before


def test_on_the_command_line_a_store_is_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not there is made; where none is named, none of the server's is used."""
    monkeypatch.chdir(tmp_path)
    chains = {CHAIN.name: CHAIN}
    arguments = ["run", CHAIN.name, "--passes", "1", "--output"]
    (tmp_path / "file").touch()
    for name in ("a", "b"):
        Path(name).mkdir()
        assert main([*arguments, name, "--store", "new/store"], chains) == 0
    assert json.loads(Path("b/report.json").read_text(encoding="utf-8")) == []
    assert Path("new/store/key/1").is_file()
    Path("c").mkdir()
    assert main([*arguments, "c"], chains) == 0
    assert Path("c/key/1").is_file()
    assert main([*arguments, "c", "--store", "file"], chains) == 2
    assert "store must be a folder: " in capsys.readouterr().err


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_folder=tmp_path, stack_days=10)


def stack(settings: Settings, user: str, key: str, *, days: float, size: int = 0) -> Path:
    """Make a stack that was used so many days ago."""
    path = stacks_of(user, settings) / key
    path.mkdir(parents=True)
    (path / "20160605").mkdir()
    (path / "20160605" / "iw1.bin").write_bytes(os.urandom(size))
    (path / "lock").touch()
    for one in (path / "20160605", path / "lock", path):
        os.utime(one, (NOW - days * DAY, NOW - days * DAY))
    return path


def nothing(_user: str) -> int:
    """Return the results of users who keep none."""
    return 0


def left(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.stacks_folder.glob("*/*"))


def test_stacks_go_after_days_without_use(settings: Settings) -> None:
    stack(settings, "ann", "old", days=11)
    stack(settings, "ann", "young", days=9)
    used = stack(settings, "bob", "used", days=11)
    os.utime(used)  # as a run does when it opens its store
    grown = stack(settings, "bob", "grown", days=11)
    (grown / "20160617").mkdir()
    StackSweeper(settings, nothing).step(NOW)
    assert left(settings) == ["grown", "used", "young"]


def test_a_stack_that_goes_in_this_moment_is_not_locked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the file of the lock and having the lock, the stack was made anew."""
    one = stack(settings, "ann", "one", days=11)
    flock = fcntl.flock

    def removed_meanwhile(descriptor: int, operation: int) -> None:
        one.rename(one.with_name("gone"))
        one.mkdir()
        (one / "lock").touch()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    assert lock_folder(one) is None
    monkeypatch.undo()
    lock = lock_folder(one)
    assert lock is not None
    os.close(lock)


def test_a_stack_in_use_stays(settings: Settings) -> None:
    lock = lock_folder(stack(settings, "ann", "old", days=400))
    sweeper = StackSweeper(settings, nothing)
    sweeper.step(NOW)
    assert left(settings) == ["old"]
    assert lock is not None
    os.close(lock)
    sweeper.step(NOW + INTERVAL - 1.0)  # it looks once an hour
    assert left(settings) == ["old"]
    sweeper.step(NOW + INTERVAL)
    assert left(settings) == []


def test_those_unused_longest_go_where_all_are_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processes.jobs.stacks.GB", 100_000)
    settings = Settings(state_folder=tmp_path, stack_gb=1)
    for number in range(4):
        stack(settings, "ann", f"{number}", days=number, size=40_000)
    StackSweeper(settings, nothing).step(NOW)
    assert left(settings) == ["0", "1"]


def test_stacks_of_a_user_make_room_for_his_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results and stacks of a user are at most what he may keep; those in use stay."""
    monkeypatch.setattr("processes.jobs.stacks.GB", 100_000)
    settings = Settings(state_folder=tmp_path, user_results_gb=1)
    for user in ("ann", "bob@example.org", "cid"):
        for number in range(3):
            stack(settings, user, f"{user[0]}{number}", days=number, size=30_000)
    lock = lock_folder(stacks_of("cid", settings) / "c2")
    assert lock is not None
    results = {"ann": 0, "bob@example.org": 20_000, "cid": 100_000}
    StackSweeper(settings, results.__getitem__).step(NOW)
    os.close(lock)
    assert left(settings) == ["a0", "a1", "a2", "b0", "b1", "c2"]


def test_what_a_job_adds_to_a_stack_is_its_own(settings: Settings, tmp_path: Path) -> None:
    """Neither what was there nor what another job adds; files as `open_store` leaves them."""
    ours = stack(settings, "ann", "ours", days=1, size=50_000)
    other = stack(settings, "ann", "other", days=1, size=50_000)
    results = tmp_path / "jobs" / "output"
    for one, text in ((ours, results), (other, tmp_path / "jobs" / "another")):
        (one / "lock").write_text(str(text))
        (one / "20160629").mkdir()
        (one / "20160629" / "iw1.bin").write_bytes(os.urandom(81_920))
    results.mkdir(parents=True)
    (results / "own").write_bytes(os.urandom(40_960))
    for day in ("20160605", "20160629"):  # as the chain shows images
        os.link(ours / day / "iw1.bin", results / f"{day}.bin")
    added = written_by(results.parent, results, stacks_of("ann", settings))
    assert 122_880 <= added <= 122_880 + 4096  # its file, the image, and the block of the lock
    alone = written_by(results.parent, results, stacks_of("bob", settings))
    assert alone >= 40_960 + 50_000 + 81_920  # links to what it keeps nowhere else


def test_what_a_killed_worker_left_goes_and_nothing_else(settings: Settings) -> None:
    folder = stacks_of("ann", settings)
    (folder / ".scratch-abc-0123abcd" / "20160605").mkdir(parents=True)
    (folder / ".scratch-x7_k2a").mkdir()  # a job is at work in it
    (folder / "being-made").mkdir()
    (settings.stacks_folder / "user-link").symlink_to(settings.state_folder)
    StackSweeper(settings, nothing).step(NOW)
    assert left(settings)[:2] == [".scratch-x7_k2a", "being-made"]
    assert settings.state_folder.is_dir()


def test_no_stacks_are_no_trouble(settings: Settings) -> None:
    StackSweeper(settings, nothing).step(NOW)
    assert not settings.stacks_folder.exists()


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYWPS_CFG", raising=False)
