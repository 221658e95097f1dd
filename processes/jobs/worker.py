"""The worker: claims jobs, has them run, watches them, and tells the store how they ended.

One thread and one loop, which never waits for a job. Everything that a worker must know stands in
the store and in the folders of the jobs, so that another one can go on where it was killed.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from kernels.errors import ProcessingError
from processes.jobs.attempt import Attempt, Why
from processes.jobs.errors import StoreUnavailableError
from processes.jobs.family import since_boot
from processes.jobs.files import Lock, remove_tree
from processes.jobs.folders import AttemptFolder, End, Folders, JobFolder
from processes.jobs.limits import MB, Allowance, missing_disk
from processes.jobs.model import Job, JobState
from processes.jobs.notify import Notifier
from processes.jobs.presence import Lookout, Presence
from processes.jobs.runner import Health, LocalRunner, Runner
from processes.jobs.stacks import stacks_of
from processes.jobs.store import JobStore
from processes.jobs.sweeping import Sweeper
from processes.log import event, warn_of
from processes.settings import Settings

POLL_INTERVAL = 0.2
"""Between two looks at everything [s]."""
MEASURE_INTERVAL = 1.0
"""Between two measurements of memory and disk [s]."""
SCAN_INTERVAL = 2.0
"""Between two looks for what workers that are gone left [s]."""
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
        self.store = store
        self.settings = settings
        self.lease = lease
        self.folders = Folders(settings.state_folder)
        self.folders.make()
        self.presence = Presence(self.folders.workers)
        self.name = self.presence.name
        self.lookout = Lookout(store, self.presence, lease)
        self.allowance = Allowance.from_settings(settings)
        self.runner = runner or LocalRunner()
        self.notifier = Notifier(store, settings)
        self.sweeper = Sweeper(store, self.folders, settings)
        self.attempts: dict[Path, Attempt] = {}
        self.stopping = False
        self._next_scan = 0.0
        self._next_sweep = 0.0
        self._is_full = False
        self._trouble: OSError | None = None

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
                    warn_of(LOGGER, "store or disk do not answer", error)
                    time.sleep(STORE_PAUSE)
                time.sleep(POLL_INTERVAL)
        finally:
            self.close()

    def _react(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def step(self) -> None:
        """Do once what is due; never waits.

        Raises
        ------
        StoreUnavailableError
            The store does not answer; nothing more was done.
        OSError
            Some file could not be used; all else was done.
        """
        now = since_boot()
        if now >= self._next_sweep:  # first: where the disk is full, only this helps
            self._next_sweep = now + SWEEP_INTERVAL
            with self._apart():
                if self.sweeper.step(time.time()):
                    self._next_sweep = now
        if now >= self._next_scan:
            self._next_scan = now + min(SCAN_INTERVAL, self.lease / 3)
            self._scan()
        for attempt in tuple(self.attempts.values()):
            with self._apart():
                self._look_after(attempt)
        while len(self.attempts) < self.settings.worker_slots and self._has_room():
            job = self.store.claim(self.name, lease=self.lease, now=time.time())
            if job is None:
                break
            self._begin(job)
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Let the files of one job be no trouble for the others."""
        try:
            yield
        except OSError as error:
            self._trouble = error

    def _has_room(self) -> bool:
        """Tell whether jobs may start: on a full disk they wait instead of failing one by one."""
        full = missing_disk(self.folders.jobs, 0, self.settings.disk_reserve_mb * MB)
        if bool(full) != self._is_full:
            self._is_full = bool(full)
            text = "disk too full, jobs wait" if full else "disk has room again"
            event(LOGGER, text, worker=self.name)
        return not full

    def close(self) -> None:
        """Leave the jobs as the operator wants, and end within seconds."""
        for attempt in self.attempts.values():
            if self.settings.stop_policy == "requeue" or not self._has_begun(attempt):
                attempt.stop(Why.REQUEUED, "the worker was stopped")
        deadline = time.monotonic() + 2 * GRACE
        while (left := [a for a in self.attempts.values() if a.why]) and (
            time.monotonic() < deadline
        ):
            try:
                for attempt in left:
                    with self._apart():
                        self._look_after(attempt)
            except StoreUnavailableError as error:
                warn_of(LOGGER, "the next worker looks after what is left", error)
                break
            time.sleep(POLL_INTERVAL / 4)
        for attempt in self.attempts.values():
            _release(attempt)
        self.runner.close()
        self.notifier.close()
        self.presence.close()
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
        try:
            attempt.lock = attempt.folder.job.lock()
            if attempt.lock is not None:
                self._prepare(attempt)
            elif since_boot() > attempt.claimed + self.lease:
                attempt.stop(Why.REQUEUED, "another worker does not let go of the job")
        except OSError as error:
            attempt.stop(Why.LIMIT, _unwritable(error))

    def _prepare(self, attempt: Attempt) -> None:
        folder = attempt.folder.job
        for old in folder.attempts():
            self._close_attempt(old)
        attempt.folder.path.mkdir()
        folder.write_request(attempt.job)
        self.runner.start(attempt.folder)

    def _look_after(self, attempt: Attempt) -> None:
        now = since_boot()
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
            stacks = stacks_of(attempt.job.request.user, self.settings)
            if reason := attempt.excess(self.allowance, self.runner, stacks):
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
        attempt.renewed, attempt.step = since_boot(), step
        if not renewal.valid:
            attempt.stop(Why.LEASE_LOST, "")
        elif renewal.dismiss:
            attempt.stop(Why.DISMISSED, "dismissed")

    def _conclude(self, attempt: Attempt, end: End | None) -> None:
        """Tell the store how an attempt ended of which nothing runs any more."""
        self._renew(attempt)  # the last progress and log; nobody else can take it now
        state, message = attempt.verdict(end)
        if state is not None:
            self._finish(attempt, state, message, end)
        elif attempt.why is not Why.LEASE_LOST:
            state = self._give_back(attempt.job, message, counts=attempt.why is not Why.REQUEUED)
        self._log("attempt over", attempt.job, state=state or "lost", message=message)
        self.notifier.look()
        del self.attempts[attempt.folder.path]
        try:
            if attempt.lock is not None:
                self._tidy(attempt.folder)
        finally:
            _release(attempt)

    def _finish(self, attempt: Attempt, state: JobState, message: str, end: End | None) -> None:
        """Publish the results of a success and say how the job ended."""
        outputs = end.outputs if end is not None and state is JobState.SUCCEEDED else ()
        if outputs:
            try:
                self.folders.publish(attempt.folder)
            except OSError as error:
                state, outputs, message = JobState.FAILED, (), _unwritable(error)
        self.store.finish(
            attempt.job.id,
            attempt.job.attempt,
            state,
            now=time.time(),
            message=message,
            outputs=outputs,
            results_bytes=sum(output.size for output in outputs),
        )
        if outputs and not self._has_results(attempt.job.id):  # dismissed, or another's meanwhile
            remove_tree(self.folders.outputs / attempt.job.id)

    def _has_results(self, identifier: str) -> bool:
        job = self.store.get(identifier)
        return job is not None and job.state is JobState.SUCCEEDED

    def _give_back(self, job: Job, reason: str, *, counts: bool = True) -> JobState:
        return self.store.give_back(
            job.id, job.attempt, now=time.time(), reason=reason, counts=counts
        )

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
        abandoned = self.lookout.abandoned()
        begun = {folder.path.name for folder in self.folders.begun()}
        for name in (begun | abandoned.keys()) - mine:
            with self._apart():
                folder = self.folders.job(name)
                lock = folder.lock()
                if lock is not None:  # else another worker looks after it
                    try:
                        self._inspect(folder, lock, abandoned.get(name))
                    finally:
                        if not any(attempt.lock is lock for attempt in self.attempts.values()):
                            lock.release()

    def _inspect(self, folder: JobFolder, lock: Lock, abandoned: int | None) -> None:
        """Adopt the attempt of a job that runs, take away what is left of others.

        An attempt that nobody looks after, and that cannot be adopted, is lost once its leader has
        ended; it may live on another machine.
        """
        job = self.store.get(folder.path.name)
        running = job if job is not None and job.state is JobState.RUNNING else None
        for left in folder.attempts():
            if running is None or left.number < running.attempt:
                self._close_attempt(left)
        if running is not None:
            current = folder.attempt(running.attempt)
            is_lost = abandoned == running.attempt and self.runner.poll(current) is Health.GONE
            if self.runner.adopt(current) or (is_lost and current.says_how_it_ended()):
                self._adopt(running, current, lock)
            elif is_lost:
                state = self._give_back(running, "its worker vanished")
                self._log("job lost", running, state=state)
                self.notifier.look()
        elif job is None or job.state.is_final:
            self.folders.close_job(folder)

    def _adopt(self, job: Job, folder: AttemptFolder, lock: Lock) -> None:
        self._log("attempt adopted", job)
        self.store.adopt(job.id, job.attempt, self.name)
        self.attempts[folder.path] = attempt = Attempt(job, folder, lock)
        self._renew(attempt)

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
