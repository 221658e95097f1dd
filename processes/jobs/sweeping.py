"""What is too old or too much goes: results, logs, folders, then the jobs themselves."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from processes.jobs.files import remove_hidden, remove_tree
from processes.jobs.folders import JOB_NAME, Folders
from processes.jobs.model import Job, JobState
from processes.jobs.stacks import StackSweeper
from processes.jobs.store import JobStore
from processes.log import event
from processes.settings import Settings

MOST_AT_ONCE = 50
"""Jobs that are looked at in one step, for which the other jobs wait."""
SCRATCH_AGE = 600.0
"""Age at which a scratch folder belongs to nobody any more [s]."""
GB = 1_000_000_000
LOGGER = logging.getLogger(__name__)


class Sweeper:
    """Forgets jobs by age and by the size of all results.

    Parameters
    ----------
    store : JobStore
        Of the server.
    folders : Folders
        Of its jobs.
    settings : Settings
        The operator's.
    """

    def __init__(self, store: JobStore, folders: Folders, settings: Settings) -> None:
        self.store = store
        self.folders = folders
        self.most_bytes = None if settings.results_gb is None else settings.results_gb * GB
        self.stacks = StackSweeper(settings, store.results_bytes)
        self._seen = ""

    def step(self, now: float) -> bool:
        """Do a piece of the work; True where more is left."""
        old = self.store.expired(now)
        if not old and self.most_bytes is not None:
            old = self.store.oldest_results(self.most_bytes)
        self.forget(old[:MOST_AT_ONCE])
        if not old:
            self._sweep_orphans()
            self.stacks.step(now)
        return bool(old)

    def forget(self, old: Iterable[Job]) -> None:
        """Take away jobs: the row last, so that a crash leaves nothing without a name."""
        for job in old:
            self.folders.forget(job.id)
            self.store.forget([job.id])
            event(LOGGER, "job forgotten", job=job.id, state=job.state, bytes=job.results_bytes)

    def _sweep_orphans(self) -> None:
        """Take away what belongs to no job, and scratch folders of processes that were killed."""
        results = {path.name for path in self.folders.outputs.iterdir()}
        logs = {path.name.partition("-")[0] for path in self.folders.logs.iterdir()}
        names = [n for n in sorted(results | logs) if JOB_NAME.fullmatch(n) and n > self._seen]
        names = names[:MOST_AT_ONCE]
        for name in names:
            job = self.store.get(name)
            if job is None:
                self.folders.forget(name)
            elif job.state.is_final and job.state is not JobState.SUCCEEDED:
                remove_tree(self.folders.outputs / name)  # dismissed while it was published
        self._seen = names[-1] if names else ""
        for folder in (self.folders.outputs, self.folders.jobs):
            for path in folder.glob(".scratch-*"):
                if _age(path) > SCRATCH_AGE:
                    remove_hidden(path)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_ctime  # of the renaming, not of what is inside
    except FileNotFoundError:
        return 0.0
