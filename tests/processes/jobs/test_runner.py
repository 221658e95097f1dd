"""Attempts in sessions of their own: how each way to end is seen, and that nothing is left."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from processes.jobs.folders import AttemptFolder, End, Folders
from processes.jobs.model import Job, JobState, NewJob, Output
from processes.jobs.runner import Health, LocalRunner
from processes.settings import SECRETS
from tests.processes.jobs.fake_jobs import FAILURE
from tests.processes.jobs.places import fake_request, processes_of, wait_for


def make_attempt(state: Path, ending: str, **inputs: object) -> AttemptFolder:
    return attempt_of(state, fake_request(ending, **inputs))


def attempt_of(state: Path, request: NewJob) -> AttemptFolder:
    folders = Folders(state)
    folders.make()
    job = Job(
        id=secrets.token_hex(16),
        token=secrets.token_hex(16),
        request=request,
        state=JobState.RUNNING,
        created=0.0,
        attempt=1,
    )
    folder = folders.job(job.id).attempt(1)
    folder.path.mkdir(parents=True)
    folder.job.write_request(job)
    return folder


def run_to_end(runner: LocalRunner, folder: AttemptFolder) -> End:
    runner.start(folder)
    wait_for(lambda: runner.poll(folder) is Health.GONE)
    end = folder.read_end()
    assert end is not None
    return end


def doors_of(pid: int) -> set[str]:
    """Names of the pipes and sockets that a process has open."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder that is being read
            found.add(str(link.readlink()))
    return {name for name in found if name.startswith(("pipe", "socket"))}


def leader_of(folder: AttemptFolder) -> int:
    wait_for(folder.process_file.exists)
    return int(json.loads(folder.process_file.read_text())["pid"])


def test_a_success_has_its_outputs_and_their_sizes(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "good")
    end = run_to_end(runner, folder)
    size = (folder.results / "report.json").stat().st_size
    report = Output(
        identifier="report", media_type="application/json", file="report.json", size=size
    )
    assert end == End(JobState.SUCCEEDED, "", (report,))


def test_a_process_of_the_operator_runs_too(state: Path, runner: LocalRunner) -> None:
    box = {"data": [500000.0, 4800000.0, 500250.5, 4800100.0], "crs": "EPSG:32631"}
    folder = attempt_of(
        state, NewJob(process="plain-job", version="", inputs={"area": (box,)}, outputs=())
    )
    end = run_to_end(runner, folder)
    width, corners = end.outputs
    assert (end.state, width.identifier, width.value) == (JobState.SUCCEEDED, "width", 250.5)
    found = json.loads((folder.results / corners.file).read_text())
    assert found["box"] == box["data"]
    assert found["crs"].upper() == "EPSG:32631"


def test_a_process_that_is_no_more_fails_the_job(state: Path, runner: LocalRunner) -> None:
    folder = attempt_of(state, NewJob(process="gone", version="", inputs={}))
    end = run_to_end(runner, folder)
    assert end == End(JobState.FAILED, "this server has no process gone any more")


def test_an_attempt_has_its_own_session_and_no_door_to_the_worker(
    state: Path, runner: LocalRunner
) -> None:
    folder = make_attempt(state, "wait")
    runner.start(folder)
    leader = leader_of(folder)
    wait_for(lambda: folder.read_progress()[1] == "ending")
    assert os.getsid(leader) == leader
    doors = set().union(*(doors_of(pid) for pid in processes_of(folder.job)))
    assert not doors & doors_of(os.getpid())
    assert not any(door.startswith("socket") for door in doors)
    runner.kill(folder)


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("error", End(JobState.FAILED, FAILURE)),
        (
            "bug",
            End(JobState.FAILED, "unexpected error, described in the log of the server"),
        ),
    ],
)
def test_a_failure_says_why(state: Path, runner: LocalRunner, ending: str, expected: End) -> None:
    assert run_to_end(runner, make_attempt(state, ending)) == expected


@pytest.mark.parametrize(("ending", "code"), [("exit", 7), ("killed", -9), ("crash", -11)])
def test_a_crash_is_no_verdict_on_the_job(
    state: Path, runner: LocalRunner, ending: str, code: int
) -> None:
    end = run_to_end(runner, make_attempt(state, ending))
    assert end.state is None
    assert f"exit code {code}" in end.message


def test_output_of_every_kind_is_in_the_log(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "talk")
    run_to_end(runner, folder)
    tail = folder.log_tail().splitlines()
    assert [line[:8] for line in tail[:-1]] == [f"line {n} "[:8] for n in range(11, 20)]
    assert {len(line) for line in tail[:-1]} == {200}
    assert tail[-1] == "native text"


def test_tracebacks_stay_with_the_operator(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "bug")
    run_to_end(runner, folder)
    assert "ZeroDivisionError: a secret" in folder.log_file.read_text()
    assert "secret" not in folder.log_tail()
    assert "failed unexpectedly" in folder.log_tail()


def test_a_request_to_stop_lets_the_work_stop_by_itself(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "wait")
    runner.start(folder)
    wait_for(lambda: folder.read_progress()[1] == "ending")
    assert runner.stop(folder, force=False)
    wait_for(lambda: runner.poll(folder) is Health.GONE)
    assert folder.read_end() == End(JobState.DISMISSED, "the processing was cancelled")
    wait_for(lambda: not processes_of(folder.job))  # the lock goes a moment before its holder


def test_what_refuses_to_stop_is_killed(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "stay")
    runner.start(folder)
    wait_for(lambda: folder.read_progress()[1] == "ending")
    runner.stop(folder, force=False)
    time.sleep(0.2)
    assert runner.poll(folder) is Health.RUNNING
    runner.kill(folder)
    assert runner.poll(folder) is Health.GONE
    assert not processes_of(folder.job)


def test_children_in_sessions_of_their_own_are_killed_too(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "family")
    runner.start(folder)
    wait_for(lambda: folder.read_progress()[1] == "with a family")
    wait_for(lambda: len(processes_of(folder.job)) == 4)
    assert len({os.getsid(pid) for pid in processes_of(folder.job)}) == 3
    runner.kill(folder)
    assert not processes_of(folder.job)


@pytest.mark.parametrize("seen", [True, False])
def test_children_of_a_killed_leader_are_found(
    state: Path, runner: LocalRunner, seen: bool
) -> None:
    folder = make_attempt(state, "family")
    runner.start(folder)
    wait_for(lambda: folder.read_progress()[1] == "with a family")
    wait_for(lambda: len(processes_of(folder.job)) == 4)
    if seen:
        runner.memory_bytes(folder, 0.0)
    os.kill(leader_of(folder), signal.SIGKILL)
    wait_for(lambda: runner.poll(folder) is Health.GONE)
    runner.kill(folder)
    assert not processes_of(folder.job)


def test_a_success_leaves_no_process(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "leave")
    assert run_to_end(runner, folder).state is JobState.SUCCEEDED
    wait_for(lambda: not processes_of(folder.job))


def test_what_an_attempt_completed_the_next_one_finds(state: Path, runner: LocalRunner) -> None:
    first = make_attempt(state, "good", parts=3)
    (first.job.output / ".scratch-x").mkdir(parents=True)
    (first.job.output / "part-0").write_text("made before")
    run_to_end(runner, first)
    assert json.loads((first.results / "report.json").read_text())["made"] == 2
    assert not (first.job.output / ".scratch-x").exists()


def test_an_attempt_given_up_before_it_began_never_begins(state: Path, runner: LocalRunner) -> None:
    other = LocalRunner()
    try:
        folder = make_attempt(state, "good")
        assert runner.poll(folder) is Health.GONE  # nobody holds it: closed
        other.start(folder)
        wait_for(lambda: other.poll(folder) is Health.GONE)
        assert folder.read_end() == End(None, "the processing ended without a word")
        assert not folder.log_file.exists()
    finally:
        other.close()


def test_attempts_outlive_their_runner_and_another_one_finds_them(state: Path) -> None:
    first, second = LocalRunner(), LocalRunner()
    try:
        folder = make_attempt(state, "wait")
        first.start(folder)
        wait_for(lambda: folder.read_progress()[1] == "ending")
        first.close()
        assert second.adopt(folder)
        assert second.poll(folder) is Health.RUNNING
        second.kill(folder)
        assert not processes_of(folder.job)
    finally:
        second.close()


def test_passwords_of_the_server_are_not_for_jobs(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "correct horse")
    runner = LocalRunner()
    try:
        environment = Path(f"/proc/{runner._spawner._process.pid}/environ")
        wait_for(lambda: b"PYWPS_CFG=" in environment.read_bytes())
        assert b"correct horse" not in environment.read_bytes()
    finally:
        runner.close()


def test_a_spawner_that_dies_is_started_again(state: Path) -> None:
    runner = LocalRunner()
    try:
        run_to_end(runner, make_attempt(state, "good"))
        runner._spawner._process.kill()
        assert run_to_end(runner, make_attempt(state, "good")).state is JobState.SUCCEEDED
    finally:
        runner.close()


def test_memory_shared_by_leader_and_work_counts_once(state: Path, runner: LocalRunner) -> None:
    folder = make_attempt(state, "memory")
    runner.start(folder)
    wait_for(lambda: runner.memory_bytes(folder, 0.0) > 400e6)
    assert runner.memory_bytes(folder, 0.0) < runner.memory_bytes(folder, float("inf"))
    runner.kill(folder)
