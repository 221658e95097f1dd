"""An attempt as the worker that looks after it sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from processes.jobs.family import since_boot
from processes.jobs.files import Lock, read_json
from processes.jobs.folders import AttemptFolder, End
from processes.jobs.limits import Allowance
from processes.jobs.model import Job, JobState
from processes.jobs.runner import Runner
from processes.jobs.stacks import written_by


class Why(Enum):
    """Why a worker stops an attempt."""

    DISMISSED = "dismissed"
    LIMIT = "limit"
    REQUEUED = "requeued"
    LEASE_LOST = "lease lost"


@dataclass(slots=True)
class Attempt:
    """An attempt under a lease of this worker; times are those since boot [s].

    Attributes
    ----------
    job : Job
        As it was claimed.
    folder : AttemptFolder
        Of the attempt.
    lock : Lock or None
        Of the folder of the job; None while another worker still has it.
    claimed : float
        When this worker took it.
    renewed, measured : float
        When the lease was renewed, and the use of memory and disk measured.
    step : str
        The step that the store knows of.
    ended : float or None
        When it was first seen to have ended.
    why : Why or None
        Why it is being stopped.
    reason : str
        The same for the user.
    stopped : float
        When it was first asked to end.
    """

    job: Job
    folder: AttemptFolder
    lock: Lock | None = None
    claimed: float = field(default_factory=since_boot)
    renewed: float = field(default_factory=since_boot)
    measured: float = 0.0
    step: str = ""
    ended: float | None = None
    why: Why | None = None
    reason: str = ""
    stopped: float = 0.0

    def stop(self, why: Why, reason: str) -> None:
        """Have it stopped; the first reason stays, unless there is no job to stop any more."""
        if self.why is None or why is Why.LEASE_LOST:
            self.stopped = self.stopped or since_boot()
            self.why, self.reason = why, reason

    def excess(self, allowance: Allowance, runner: Runner, stacks: Path) -> str:
        """Measure what it uses, there and in its user's stacks, and return why it must stop."""
        job = self.folder.job
        began = read_json(self.folder.process_file).get("began", self.claimed)
        enough = allowance.memory_bytes or float("inf")
        return allowance.broken_by(
            seconds=since_boot() - began,
            # asked in any case, so that the runner gets to know the processes
            memory_bytes=runner.memory_bytes(self.folder, enough),
            disk_bytes=written_by(job.path, job.output, stacks) if allowance.disk_bytes else 0,
        )

    def verdict(self, end: End | None) -> tuple[JobState | None, str]:
        """Tell what an end means for the job.

        Parameters
        ----------
        end : End or None
            What the attempt wrote, if anything.

        Returns
        -------
        state : JobState or None
            How the job ended; None where it did not, or where it is another's by now.
        message : str
            One line.
        """
        written = None if end is None else end.state
        if self.why in {Why.LEASE_LOST, Why.DISMISSED}:
            return JobState.DISMISSED if self.why is Why.DISMISSED else None, self.reason
        if end is not None and written in {JobState.SUCCEEDED, JobState.FAILED}:
            return written, end.message
        if self.why is not None:
            return JobState.FAILED if self.why is Why.LIMIT else None, self.reason
        if written is JobState.DISMISSED:
            return None, "the processing was stopped from outside"
        return None, "the processing ended without a word" if end is None else end.message
