"""The operator's commands over a real store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.jobs.commands import main
from processes.jobs.folders import Folders
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.settings import read_settings
from tests.processes.jobs.places import fake_request, write_configuration


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    configuration = write_configuration(tmp_path)
    monkeypatch.setenv("PYWPS_CFG", str(configuration))
    found = open_store(read_settings([configuration]))
    yield found
    found.close()


def submit(store: JobStore) -> Job:
    return store.submit(fake_request("good"), now=time.time())


def state_of(store: JobStore, job: Job) -> JobState | None:
    found = store.get(job.id)
    return found and found.state


def test_jobs_are_listed_and_shown_without_their_tokens(
    store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [submit(store) for _ in range(2)]
    assert main(["list", "--json"]) == 0
    text = capsys.readouterr().out
    assert [entry["id"] for entry in json.loads(text)] == [jobs[1].id, jobs[0].id]
    assert main(["list"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in table[1:]] == [
        [job.id[:8], "accepted", "fake-job"] for job in reversed(jobs)
    ]
    assert main(["show", jobs[1].id[:8]]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (shown["id"], shown["position"]) == (jobs[1].id, "2")
    assert main(["show", "--json", jobs[1].id]) == 0
    text += "".join(table) + str(shown) + capsys.readouterr().out
    assert not any(job.token in text for job in jobs)


def test_the_attempts_of_a_job_are_shown(
    store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    job = submit(store)
    for number in (1, 2):
        assert store.claim(f"w{number}", lease=60.0, now=100.0 * number) is not None
        if number == 1:
            store.give_back(job.id, 1, now=160.0, reason="its worker vanished", counts=True)
    assert main(["show", job.id]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("att")][
        1:
    ] == [
        "attempt 1     1970-01-01 00:01:40 to 1970-01-01 00:02:40, by w1: its worker vanished",
        "attempt 2     1970-01-01 00:03:20 to now, by w2",
    ]
    assert main(["show", "--json", job.id]) == 0
    first, second = json.loads(capsys.readouterr().out)["attempts"]
    assert (first["number"], first["ended"]) == (1, 160.0)
    assert (second["worker"], second["ended"]) == ("w2", None)


@pytest.mark.parametrize("limit", ["-1", "0", "x"])
def test_a_list_of_no_jobs_is_refused(limit: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["list", "--limit", limit])
    assert caught.value.code == 2


def test_a_job_is_dismissed_and_tried_again(
    store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    job = submit(store)
    assert main(["dismiss", job.id, "--reason", "a test"]) == 0
    assert state_of(store, job) is JobState.DISMISSED
    assert capsys.readouterr().out == f"{job.id}  dismissed\n"
    assert main(["retry", job.id]) == 0
    again = store.get(capsys.readouterr().out.strip())
    assert again is not None
    assert (again.state, again.request) == (JobState.ACCEPTED, job.request)


def test_jobs_that_ended_are_purged_with_their_results(store: JobStore, tmp_path: Path) -> None:
    ended, waiting = submit(store), submit(store)
    folders = Folders(tmp_path / "var")
    (folders.outputs / ended.id).mkdir(parents=True)
    store.dismiss(ended.id, now=time.time(), reason="a test")
    assert main(["purge"]) == 0  # its time is not over
    assert state_of(store, ended) is JobState.DISMISSED
    assert main(["purge", ended.id]) == 0
    assert state_of(store, ended) is None
    assert not list(folders.outputs.iterdir())
    assert main(["purge", waiting.id]) == 2
    assert state_of(store, waiting) is JobState.ACCEPTED


def test_a_server_is_drained_and_opened_again(
    store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(store)
    assert main(["drain"]) == 0
    assert store.draining
    assert capsys.readouterr().out == "draining: 1 wait, 0 run\n"
    assert main(["drain", "--off"]) == 0
    assert not store.draining


def test_a_key_is_printed_once_and_revoked(
    store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "create", "jane"]) == 0
    assert store.user_of_key(capsys.readouterr().out.strip()) == "jane"
    assert main(["keys", "revoke", "jane"]) == 0
    assert store.users() == []
    assert main(["keys", "revoke", "jane"]) == 2


def test_a_backup_is_restored(store: JobStore, tmp_path: Path) -> None:
    job = submit(store)
    assert main(["backup", str(tmp_path / "copy")]) == 0
    store.dismiss(job.id, now=time.time(), reason="a test")
    store.forget([job.id])
    assert main(["restore", str(tmp_path / "copy")]) == 0
    assert state_of(store, job) is JobState.ACCEPTED


@pytest.mark.parametrize("name", ["", "no such job", "0" * 32])
def test_a_job_that_there_is_not_is_refused(
    store: JobStore, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    submit(store), submit(store)
    assert main(["show", name]) == 2
    assert capsys.readouterr().err.startswith("fournaise: job must be")
