"""The worker: claims jobs, has them run, watches them, and tells the store how they ended.

One thread and one loop, which never waits for a job. Everything that a worker must know stands in
the store and in the folders of the jobs, so that another one can go on where it was killed.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from kernels.errors import ProcessingError
from processes.jobs.attempt import Attempt, Why
from processes.jobs.errors import StoreUnavailableError
from processes.jobs.folders import AttemptFolder, End, Folders, JobFolder, Lock, remove_tree
from processes.jobs.limits import MB, Allowance, missing_disk
from processes.jobs.log import event
from processes.jobs.model import Job, JobState
from processes.jobs.notify import Notifier
from processes.jobs.runner import Health, LocalRunner, Runner
from processes.jobs.store import JobStore
from processes.jobs.sweeping import Sweeper
from processes.settings import Settings

POLL_INTERVAL = 0.2
"""Between two looks at everything [s]."""
MEASURE_INTERVAL = 1.0
"""Between two measurements of memory and disk [s]."""
SWEEP_INTERVAL = 60.0
"""Between two looks for what is too old [s]."""
GRACE = 2.0
"""From asking an attempt to end to killing it [s]."""
RENEW_INTERVAL = 2.0
"""Longest time until the store knows the share, and the worker that a job was dismissed [s]; a new
step is told at once."""
LEASE = 30.0
"""Time after the last sign of life at which a job is given to somebody else [s]."""
STORE_PAUSE = 2.0
"""Before a store that did not answer is asked again [s]."""
DAY = 86400.0
LOGGER = logging.getLogger(__name__)


class Worker:
    """Looks after jobs until it is stopped.

    Parameters
    ----------
    store : JobStore
        Of the server.
    settings : Settings
        The operator's.
    runner : Runner, optional
        On this machine by default.
    lease : float
        How long a claim lasts without a sign of life [s].
    """

    def __init__(
        self,
        store: JobStore,
        settings: Settings,
        *,
        runner: Runner | None = None,
        lease: float = LEASE,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self.store = store
        self.settings = settings
        self.lease = lease
        self.keep = settings.results_days * DAY
        self.folders = Folders(settings.state_folder)
        self.folders.make()
        self.allowance = Allowance.from_settings(settings)
        self.runner = runner or LocalRunner()
        self.notifier = Notifier(settings)
        self.sweeper = Sweeper(store, self.folders, settings)
        self.attempts: dict[Path, Attempt] = {}
        self.stopping = False
        self._next_scan = 0.0
        self._next_sweep = 0.0

    def run(self) -> None:
        """Work until `stop` is called, or SIGTERM or SIGINT comes.

        Raises
        ------
        ProcessingError
            No process can be started on this machine.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._react)
        event(LOGGER, "worker started", worker=self.name)
        try:
            while not self.stopping:
                try:
                    self.step()
                except (StoreUnavailableError, OSError) as error:
                    # nothing is lost: attempts go on, and what was not told is told again
                    event(LOGGER, "store or disk do not answer", error=str(error))
                    time.sleep(STORE_PAUSE)
                time.sleep(POLL_INTERVAL)
        finally:
            self.close()

    def _react(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def step(self) -> None:
        """Do once what is due; never waits."""
        now = time.time()
        if now >= self._next_scan:
            self._next_scan = now + self.lease / 3
            self._scan()
        for attempt in tuple(self.attempts.values()):
            self._look_after(attempt)
        while len(self.attempts) < self.settings.worker_slots:
            job = self.store.claim(self.name, lease=self.lease, now=time.time())
            if job is None:
                break
            self._begin(job)
        if now >= self._next_sweep:
            more = self.sweeper.step(now)
            self._next_sweep = now + (POLL_INTERVAL if more else SWEEP_INTERVAL)

    def close(self) -> None:
        """Leave the jobs as the operator wants, and end within seconds."""
        for attempt in self.attempts.values():
            if self.settings.stop_policy == "requeue" or not self._has_begun(attempt):
                attempt.stop(Why.REQUEUED, "the worker was stopped")
        deadline = time.monotonic() + 2 * GRACE
        while (left := [a for a in self.attempts.values() if a.why]) and (
            time.monotonic() < deadline
        ):
            for attempt in left:
                with suppress(StoreUnavailableError, OSError):  # the next worker goes on
                    self._look_after(attempt)
            time.sleep(POLL_INTERVAL / 4)
        for attempt in self.attempts.values():
            _release(attempt)
        self.runner.close()
        self.notifier.close()
        event(LOGGER, "worker stopped", worker=self.name, left=len(self.attempts))

    def _has_begun(self, attempt: Attempt) -> bool:
        try:
            health = self.runner.poll(attempt.folder)
            return attempt.lock is not None and health is not Health.WAITING
        except ProcessingError:
            return False

    def _begin(self, job: Job) -> None:
        self._log("job claimed", job, process=job.request.process)
        folder = self.folders.job(job.id).attempt(job.attempt)
        attempt = self.attempts[folder.path] = Attempt(job, folder)
        self._start(attempt)

    def _start(self, attempt: Attempt) -> None:
        """Start a claimed job, unless another worker is still busy with its folder."""
        attempt.lock = attempt.folder.job.lock()
        if attempt.lock is None:
            if time.time() > attempt.claimed + self.lease:
                attempt.stop(Why.REQUEUED, "another worker does not let go of the job")
            return
        try:
            self._prepare(attempt)
        except OSError as error:
            attempt.stop(Why.LIMIT, _unwritable(error))

    def _prepare(self, attempt: Attempt) -> None:
        folder = attempt.folder.job
        for old in folder.attempts():
            self._close_attempt(old)
        attempt.folder.path.mkdir()
        reserve = self.settings.disk_reserve_mb * MB
        if full := missing_disk(folder.path, attempt.job.request.disk_bytes, reserve):
            attempt.folder.write_end(End(JobState.FAILED, full))
        else:
            folder.write_request(attempt.job)
            self.runner.start(attempt.folder)

    def _look_after(self, attempt: Attempt) -> None:
        now = time.time()
        due = now >= attempt.renewed + min(RENEW_INTERVAL, self.lease / 3)
        if due or attempt.folder.read_progress()[1] != attempt.step:
            self._renew(attempt)
        if attempt.lock is None:
            if attempt.why is None:
                self._start(attempt)
            else:
                self._conclude(attempt, None)
            return
        end = attempt.folder.read_end()
        if attempt.why is not None:
            if not self.runner.stop(attempt.folder, force=now >= attempt.stopped + GRACE):
                self._conclude(attempt, end)
        elif end is not None or attempt.ended is not None:
            attempt.ended = attempt.ended or now
            # a leader that wrote its end has killed what it left, and is about to go
            if not self.runner.stop(attempt.folder, force=now >= attempt.ended + GRACE):
                self._conclude(attempt, end)
        elif self.runner.poll(attempt.folder) is Health.GONE:
            attempt.ended = now  # it may have written its end in this moment: look again
        elif now >= attempt.measured + MEASURE_INTERVAL:
            attempt.measured = now
            if reason := attempt.excess(self.allowance, self.runner):
                attempt.stop(Why.LIMIT, reason)

    def _renew(self, attempt: Attempt) -> None:
        share, step = attempt.folder.read_progress()
        renewal = self.store.renew(
            attempt.job.id,
            attempt.job.attempt,
            lease=self.lease,
            now=time.time(),
            share=share,
            step=step,
            log_tail=attempt.folder.log_tail(),
        )
        attempt.renewed, attempt.step = time.time(), step
        if not renewal.valid:
            attempt.stop(Why.LEASE_LOST, "")
        elif renewal.dismiss:
            attempt.stop(Why.DISMISSED, "dismissed")

    def _conclude(self, attempt: Attempt, end: End | None) -> None:
        """Tell the store how an attempt ended of which nothing runs any more."""
        self._renew(attempt)  # the last progress and log; nobody else can take it now
        state, message = attempt.verdict(end)
        if state is not None:
            told = self._finish(attempt, state, message, end)
        elif attempt.why is not Why.LEASE_LOST:
            state = self._give_back(attempt.job, message, counts=attempt.why is not Why.REQUEUED)
            told = state.is_final
        else:
            told = False
        self._log("attempt over", attempt.job, state=state or "lost", message=message)
        del self.attempts[attempt.folder.path]
        try:
            if told:
                self._tell(attempt.job.id)
            if attempt.lock is not None:
                self._tidy(attempt.folder)
        finally:
            _release(attempt)

    def _finish(self, attempt: Attempt, state: JobState, message: str, end: End | None) -> bool:
        """Publish the results of a success and say how the job ended; False where it had ended."""
        outputs = end.outputs if end is not None and state is JobState.SUCCEEDED else ()
        if outputs:
            try:
                self.folders.publish(attempt.folder)
            except OSError as error:
                state, outputs, message = JobState.FAILED, (), _unwritable(error)
        told = self.store.finish(
            attempt.job.id,
            attempt.job.attempt,
            state,
            now=time.time(),
            message=message,
            outputs=outputs,
            results_bytes=sum(output.size for output in outputs),
            keep=self.keep,
        )
        if outputs and not self._has_results(attempt.job.id):  # dismissed, or another's meanwhile
            remove_tree(self.folders.outputs / attempt.job.id)
        return told

    def _has_results(self, identifier: str) -> bool:
        job = self.store.get(identifier)
        return job is not None and job.state is JobState.SUCCEEDED

    def _give_back(self, job: Job, reason: str, *, counts: bool = True) -> JobState:
        return self.store.give_back(
            job.id, job.attempt, now=time.time(), reason=reason, counts=counts, keep=self.keep
        )

    def _tell(self, identifier: str) -> None:
        job = self.store.get(identifier)
        if job is not None:
            self.notifier.tell(job)

    def _tidy(self, folder: AttemptFolder) -> None:
        """Take away what nobody needs of an attempt that is over; its folder is locked."""
        self.runner.forget(folder)
        job = self.store.get(folder.job.path.name)
        if job is None or job.state.is_final:
            self.folders.close_job(folder.job)
        else:
            self.folders.close_attempt(folder)

    def _scan(self) -> None:
        """Look for what workers that are gone left: attempts that live, folders, lost jobs."""
        mine = {attempt.job.id for attempt in self.attempts.values()}
        for folder in self.folders.begun():
            lock = None if folder.path.name in mine else folder.lock()
            if lock is not None:  # else another worker looks after it
                try:
                    self._inspect(folder, lock)
                finally:
                    if not any(attempt.lock is lock for attempt in self.attempts.values()):
                        lock.release()
        for job in self.store.lost(now=time.time()):
            if job.id not in mine:
                state = self._give_back(job, "its worker vanished")
                self._log("job lost", job, state=state)
                if state.is_final:
                    self._tell(job.id)

    def _inspect(self, folder: JobFolder, lock: Lock) -> None:
        """Adopt the attempt of a job that runs, take away what is left of others."""
        job = self.store.get(folder.path.name)
        running = job if job is not None and job.state is JobState.RUNNING else None
        for left in folder.attempts():
            if running is None or left.number < running.attempt:
                self._close_attempt(left)
        if running is not None:
            current = folder.attempt(running.attempt)
            if self.runner.adopt(current):
                self._log("attempt adopted", running)
                self.attempts[current.path] = attempt = Attempt(running, current, lock)
                self._renew(attempt)
        elif job is None or job.state.is_final:
            self.folders.close_job(folder)

    def _close_attempt(self, folder: AttemptFolder) -> None:
        """End all of an attempt that nobody waits for, and keep its log."""
        self.runner.kill(folder)
        self.folders.close_attempt(folder)

    def _log(self, text: str, job: Job, **fields: object) -> None:
        event(LOGGER, text, job=job.id, attempt=job.attempt, worker=self.name, **fields)


def _unwritable(error: OSError) -> str:
    return f"this server cannot write: {error.strerror}"


def _release(attempt: Attempt) -> None:
    if attempt.lock is not None:
        attempt.lock.release()
