"""The folders of jobs: what worker and payload tell each other, and who may touch them.

::

    STATE/jobs/ID/lock              held by the worker that looks after the job
                 request.json       what is to run
                 output/            the chain's folder, kept from one attempt to the next
                 attempt-N/lock     held by the payload as long as it lives
                           host           the machine that it is on
                           process.json   its processes there
                           log.txt  progress.json  end.json  results/
    STATE/logs/ID-N.txt             the log of an attempt that is over
    STATE/outputs/ID/               results, which appear by one rename
    STATE/workers/NAME              held by the worker of that name

A folder of a job exists only until the job has ended.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from kernels.engine.workspace import publish
from processes.jobs.files import (
    Lock,
    read_json,
    remove_tree,
    sync_folder,
    write_beside,
)
from processes.jobs.model import Job, JobState, NewJob, Output
from processes.jobs.schema import read_request, write_request

JOB_NAME = re.compile(r"[0-9a-f]{32}")
_ATTEMPT_NAME = re.compile(r"attempt-([0-9]+)")
_TAIL_BYTES = 16384
_TAIL_LINES = 10
_LINE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended.

    Attributes
    ----------
    state : JobState or None
        SUCCEEDED, FAILED or DISMISSED; None where it broke off, which says nothing of the job.
    message : str
        One line.
    outputs : tuple of Output
        Of a success; their files lie in the folder of results.
    """

    state: JobState | None
    message: str = ""
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """The folder of one attempt.

    Attributes
    ----------
    path : Path
        Of the folder.
    """

    path: Path

    @property
    def job(self) -> JobFolder:
        """The folder of the job."""
        return JobFolder(self.path.parent)

    @property
    def number(self) -> int:
        """Number of the attempt, from 1."""
        return int(self.path.name.removeprefix("attempt-"))

    @property
    def lock_file(self) -> Path:
        """Locked by the payload."""
        return self.path / "lock"

    @property
    def host_file(self) -> Path:
        """Written by the runner: on which machine the attempt is."""
        return self.path / "host"

    @property
    def process_file(self) -> Path:
        """Written by the payload: its processes, and when it began."""
        return self.path / "process.json"

    @property
    def log_file(self) -> Path:
        """Standard output and error of the payload."""
        return self.path / "log.txt"

    @property
    def results(self) -> Path:
        """Finished files, before they are published."""
        return self.path / "results"

    def write_progress(self, share: float, step: str) -> None:
        """Tell how far the payload is; a power failure may take it."""
        target = self.path / "progress.json"
        record = {"share": share, "step": step}
        write_beside(target, json.dumps(record), through=False).replace(target)

    def read_progress(self) -> tuple[float, str]:
        """Return share (0 to 1) and step."""
        record = read_json(self.path / "progress.json")
        return float(record.get("share", 0.0)), str(record.get("step", ""))

    def write_end(self, end: End) -> bool:
        """Close the attempt; False where it was closed before, which stays as it was.

        On a full disk the working files of the job make room: what was done may be done again, but
        a job that never ends would keep the disk full.
        """
        target, text = self.path / "end.json", json.dumps(asdict(end))
        try:
            staged = write_beside(target, text)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            remove_tree(self.job.output)
            staged = write_beside(target, text)
        try:
            target.hardlink_to(staged)
        except FileExistsError:
            return False
        finally:
            staged.unlink()
        sync_folder(self.path)
        return True

    def read_end(self) -> End | None:
        """Return how the attempt ended; None while nothing says so."""
        record = read_json(self.path / "end.json")
        if not record:
            return None
        state = record["state"]
        return End(
            state=None if state is None else JobState(state),
            message=record["message"],
            outputs=tuple(Output(**output) for output in record["outputs"]),
        )

    def says_how_it_ended(self) -> bool:
        """Tell whether the attempt came to its end, be it a failure."""
        end = self.read_end()
        return end is not None and end.state is not None

    def log_tail(self) -> str:
        """Return the last lines of the log; tracebacks are the operator's and stay there."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        lines = [line[:_LINE_CHARACTERS] for line in _without_tracebacks(text.splitlines())]
        return "\n".join(lines[-_TAIL_LINES:])


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The folder of one job.

    Attributes
    ----------
    path : Path
        Of the folder; its name is the job's.
    """

    path: Path

    @property
    def output(self) -> Path:
        """Where the chain writes: what an attempt completed, the next one finds."""
        return self.path / "output"

    def lock(self) -> Lock | None:
        """Take the folder, made where it is missing; None where another worker has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # taken away meanwhile
            return Lock.take(self.path / "lock")
        return None

    def write_request(self, job: Job) -> None:
        """Write what the payload is to run; the token stays with the store."""
        write_beside(self._request_file, write_request(job.request)).replace(self._request_file)

    def read_request(self) -> NewJob:
        """Return what `write_request` wrote."""
        return read_request(self._request_file.read_text(encoding="ascii"))

    @property
    def _request_file(self) -> Path:
        return self.path / "request.json"

    def attempt(self, number: int) -> AttemptFolder:
        """Return the folder of an attempt, which need not exist."""
        return AttemptFolder(self.path / f"attempt-{number}")

    def attempts(self) -> list[AttemptFolder]:
        """Return the folders of attempts that there are."""
        found = [AttemptFolder(path) for path in self.path.glob("attempt-*")]
        return [folder for folder in found if _ATTEMPT_NAME.fullmatch(folder.path.name)]

    def clear_scratch(self) -> None:
        """Take away the scratch folders that a killed attempt left."""
        for path in self.output.rglob(".scratch-*"):
            remove_tree(path)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of all jobs of a server.

    Attributes
    ----------
    state : Path
        The operator's state folder.
    """

    state: Path

    @property
    def jobs(self) -> Path:
        """Holds a folder for each job that has begun and not ended."""
        return self.state / "jobs"

    @property
    def outputs(self) -> Path:
        """Holds a folder for each job with results."""
        return self.state / "outputs"

    @property
    def logs(self) -> Path:
        """Holds the logs of attempts that are over."""
        return self.state / "logs"

    @property
    def workers(self) -> Path:
        """Holds a lock for each worker."""
        return self.state / "workers"

    def make(self) -> None:
        """Create what is missing."""
        for folder in (self.jobs, self.outputs, self.logs, self.workers):
            folder.mkdir(parents=True, exist_ok=True)

    def job(self, identifier: str) -> JobFolder:
        """Return the folder of a job, which need not exist."""
        return JobFolder(self.jobs / identifier)

    def begun(self) -> Iterator[JobFolder]:
        """Go through the folders of jobs that there are."""
        for path in self.jobs.iterdir():
            if JOB_NAME.fullmatch(path.name):
                yield JobFolder(path)

    def publish(self, attempt: AttemptFolder) -> None:
        """Give the results of an attempt their final place; does nothing the second time."""
        target = self.outputs / attempt.job.path.name
        if attempt.results.exists():
            remove_tree(target)  # of an attempt that was published and lost before it was told
            publish(attempt.results, target)
            sync_folder(self.outputs)

    def close_attempt(self, attempt: AttemptFolder) -> None:
        """Keep the log of an attempt and take the rest away."""
        if attempt.log_file.exists():
            name = f"{attempt.job.path.name}-{attempt.number}.txt"
            publish(attempt.log_file, self.logs / name)
        remove_tree(attempt.path)

    def close_job(self, job: JobFolder) -> None:
        """Keep the logs of a job that has ended and take its folder away."""
        for attempt in job.attempts():
            self.close_attempt(attempt)
        remove_tree(job.path)

    def forget(self, identifier: str) -> None:
        """Take away everything of a job: results, logs, folder."""
        remove_tree(self.outputs / identifier)
        remove_tree(self.jobs / identifier)
        for log in self.logs.glob(f"{identifier}-*.txt"):
            log.unlink(missing_ok=True)


def _without_tracebacks(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        if line.startswith("Traceback "):
            inside = True
        elif not inside:
            yield line
        elif line and not line.startswith(" "):
            inside = False  # the last line of a traceback: kind and text of the error
