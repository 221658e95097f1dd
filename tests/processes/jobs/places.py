"""Folders, processes and patience for tests of jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from processes.jobs.folders import JobFolder
from processes.jobs.model import NewJob

DEADLINE = 30.0
"""Of anything that takes parts of a second on an idle machine [s]."""


def write_configuration(folder: Path, **options: object) -> Path:
    """Write a configuration whose only process beside the declared ones is the fake job."""
    lines = {
        "state_folder": folder / "var",
        "process_modules": "tests.processes.jobs.fake_jobs",
        "disk_reserve_mb": 1,
    } | options
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    configuration = folder / "pywps.cfg"
    configuration.write_text(f"[fournaise]\n{text}")
    return configuration


def fake_request(ending: str, **inputs: object) -> NewJob:
    given = {"ending": ending} | inputs
    return NewJob(
        process="fake-job",
        version="1.0",
        inputs={name: ({"data": str(value)},) for name, value in given.items()},
    )


def wait_for(
    condition: Callable[[], object], pause: float = 0.01, longest: float = DEADLINE
) -> None:
    deadline = time.monotonic() + longest
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(pause)


def processes_in(folder: Path) -> list[int]:
    """Find the processes that work in a folder, which is nothing that the runner looks at."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd().removesuffix(" (deleted)")).is_relative_to(folder):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def processes_of(job: JobFolder) -> list[int]:
    return processes_in(job.path)
