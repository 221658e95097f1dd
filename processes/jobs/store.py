"""The durable store of jobs: what web servers and workers share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sqlalchemy import bindparam, select, update

from processes.jobs import backup, claims, history, keys, notices, queue, retention
from processes.jobs.connections import Database
from processes.jobs.migration import migrate
from processes.jobs.model import (
    AttemptRecord,
    Job,
    JobState,
    Limits,
    NewJob,
    Notice,
    Output,
    Renewal,
)
from processes.jobs.schema import control, job_of, jobs

_ONE = {name: select(jobs).where(jobs.c[name] == bindparam("value")) for name in ("id", "token")}

KEEP_S = 7 * 86400.0
"""How long a job is kept that has ended [s], unless the operator says."""


class JobStore:
    """Jobs, their queue, and the keys of users, in SQLite or PostgreSQL.

    Every call is one short transaction. A store may be used by many threads, and by many processes
    at once; after a fork the child opens connections of its own. SQLite serves one machine, with
    the file on a local disk. Of several machines over PostgreSQL, the clocks must agree to much
    less than a lease: times are the callers'.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE``, or ``postgresql://USER:PASSWORD@HOST/NAME``.
    limits : Limits
        How much may run and wait.
    keep : float
        How long a job is kept that has ended [s].

    Raises
    ------
    StoreError
        The address is of another kind, or the file cannot be made.
    StoreUnavailableError
        Of any method: the store does not answer now.
    """

    def __init__(self, url: str, limits: Limits, *, keep: float = KEEP_S) -> None:
        self.limits = limits
        self.keep = keep
        self._database = Database(url)

    def migrate(self) -> None:
        """Create the tables, or bring them to this version; any number may do so at once."""
        migrate(self._database)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def submit(self, new: NewJob, *, now: float) -> Job:
        """Accept a job.

        Raises QueueFullError in drain mode, or where as many jobs wait as may, of anybody; and
        QuotaError where as many of the user wait, or the user keeps as much of results as may be.
        """
        with self._database.writing() as connection:
            return queue.submit(connection, new, now=now, limits=self.limits)

    def retry(self, job_id: str, *, now: float) -> Job:
        """Accept the request of a failed or dismissed job once more, as a new job.

        Raises UnknownJobError, JobStateError, QueueFullError or QuotaError.
        """
        with self._database.writing() as connection:
            return queue.retry(connection, job_id, now=now, limits=self.limits)

    def reusable(self, request_key: str, user: str, *, now: float) -> Job | None:
        """Return the user's newest job of the same key that succeeded and has not expired."""
        with self._database.reading() as connection:
            return queue.reusable(connection, request_key, user, now=now)

    def claim(self, worker: str, *, lease: float, now: float) -> Job | None:
        """Give the next job to a worker for `lease` seconds; None where none may start.

        Jobs are claimed in drain mode too: the queue empties.
        """
        with self._database.reading() as connection:
            if not claims.are_waiting(connection):  # a worker with nothing to do locks nobody out
                return None
        with self._database.writing() as connection:
            return claims.claim(connection, worker, lease=lease, now=now, limits=self.limits)

    def adopt(self, job_id: str, attempt: int, worker: str) -> None:
        """Have another worker look after an attempt; nothing happens to one that is over."""
        with self._database.writing() as connection:
            claims.adopt(connection, job_id, attempt, worker)

    def renew(
        self,
        job_id: str,
        attempt: int,
        *,
        lease: float,
        now: float,
        share: float,
        step: str,
        log_tail: str,
    ) -> Renewal:
        """Prolong the lease and store the progress; learn whether to go on."""
        with self._database.writing() as connection:
            return claims.renew(
                connection,
                job_id,
                attempt,
                lease=lease,
                now=now,
                share=share,
                step=step,
                log_tail=log_tail,
            )

    def finish(
        self,
        job_id: str,
        attempt: int,
        state: JobState,
        *,
        now: float,
        message: str = "",
        outputs: Sequence[Output] = (),
        results_bytes: int = 0,
        keep: float | None = None,
    ) -> bool:
        """End a job, for `keep` seconds to be read; False where the attempt is not its current one.

        A job that somebody asked to stop ends as dismissed, without outputs, even if it succeeded
        a moment earlier: who asked was told that it would. Results count of a success alone.
        Raises JobStateError where `state` is not final.
        """
        with self._database.writing() as connection:
            return claims.finish(
                connection,
                job_id,
                attempt,
                state,
                now=now,
                message=message,
                outputs=outputs,
                results_bytes=results_bytes,
                keep=self.keep if keep is None else keep,
            )

    def give_back(
        self,
        job_id: str,
        attempt: int,
        *,
        now: float,
        reason: str,
        counts: bool,
    ) -> JobState:
        """End an attempt that came to nothing, and return what became of the job.

        It waits again, before later jobs of its user; or it has failed for `reason`, when `counts`
        and its attempts are used up; or it is dismissed, if somebody asked for that. Where the
        attempt is not the current one, nothing changes.
        """
        with self._database.writing() as connection:
            return claims.give_back(
                connection,
                job_id,
                attempt,
                now=now,
                reason=reason,
                counts=counts,
                keep=self.keep,
                attempts=self.limits.attempts,
            )

    def lost(self, *, now: float) -> list[Job]:
        """Return the running jobs whose lease has ended."""
        with self._database.reading() as connection:
            return retention.lost(connection, now=now)

    def dismiss(self, job_id: str, *, now: float, reason: str) -> Job:
        """End a waiting job at once, have a running one ended, leave a final one as it is.

        Raises UnknownJobError.
        """
        with self._database.writing() as connection:
            return claims.dismiss(connection, job_id, now=now, reason=reason, keep=self.keep)

    def get(self, job_id: str) -> Job | None:
        """Return a job by its identifier."""
        return self._one("id", job_id)

    def by_token(self, token: str) -> Job | None:
        """Return the job whose pages a token opens."""
        return self._one("token", token)

    def _one(self, column: str, value: str) -> Job | None:
        with self._database.reading() as connection:
            row = connection.execute(_ONE[column], {"value": value}).first()
        return job_of(row) if row is not None else None

    def jobs(
        self,
        *,
        user: str | None = None,
        state: JobState | None = None,
        limit: int,
        before: str | None = None,
    ) -> list[Job]:
        """Return jobs, the newest first; `before` is the last identifier of the page before."""
        with self._database.reading() as connection:
            return retention.listed(connection, user=user, state=state, limit=limit, before=before)

    def running(self, worker: str | None = None) -> list[Job]:
        """Return the jobs that run, of one worker or of all, the oldest first."""
        with self._database.reading() as connection:
            return retention.running(connection, worker=worker)

    def attempts(self, job_id: str) -> list[AttemptRecord]:
        """Return what is kept of the attempts of a job, the first one first."""
        with self._database.reading() as connection:
            return history.of_job(connection, job_id)

    def position(self, job_id: str) -> int:
        """Return the place in the queue: 1 for the next job, 0 for one that does not wait.

        It is exact if nothing ends, arrives or is held back by its user's limit meanwhile.
        """
        with self._database.reading() as connection:
            return queue.position(connection, job_id)

    def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs are in each state."""
        with self._database.reading() as connection:
            return retention.counts(connection)

    def expired(self, now: float) -> list[Job]:
        """Return jobs whose time is over, at most some hundreds: call again after `forget`."""
        with self._database.reading() as connection:
            return retention.expired(connection, now=now)

    def results_bytes(self, user: str | None = None) -> int:
        """Return the size of the results that are kept, of all users or of one [bytes]."""
        with self._database.reading() as connection:
            return retention.results_bytes(connection, user)

    def oldest_results(self, most_bytes: int) -> list[Job]:
        """Return the jobs whose results must go for `most_bytes` to be left, the oldest first.

        At most some hundreds: call again after `forget`.
        """
        with self._database.reading() as connection:
            return retention.oldest_results(connection, most_bytes=most_bytes)

    def forget(self, job_ids: Collection[str]) -> int:
        """Delete jobs that have ended, once their files are gone; return how many there were."""
        with self._database.writing() as connection:
            return retention.forget(connection, job_ids)

    def take_notice(self, *, now: float, lease: float) -> Notice | None:
        """Take the next notice of an end that is due; it comes back after `lease` seconds."""
        with self._database.reading() as connection:
            if not notices.are_due(connection, now=now):
                return None
        with self._database.writing() as connection:
            return notices.take(connection, now=now, lease=lease)

    def put_notice_off(self, notice: Notice, *, due: float) -> None:
        """Have a notice that was taken told later."""
        with self._database.writing() as connection:
            notices.put_off(connection, notice, due=due)

    def drop_notice(self, notice: Notice) -> None:
        """Forget a notice that was told, or is given up."""
        with self._database.writing() as connection:
            notices.drop(connection, notice)

    def drain(self, on: bool) -> None:
        """Accept no new jobs any more, or again; those that wait are still run."""
        with self._database.writing() as connection:
            connection.execute(update(control).values(draining=on))

    @property
    def draining(self) -> bool:
        """True where no new jobs are accepted."""
        with self._database.reading() as connection:
            return bool(connection.execute(select(control.c.draining)).scalar_one())

    def create_key(self, user: str, *, now: float) -> str:
        """Make one more key of a user, which cannot be read again.

        Raises RequestError where the user's name is none.
        """
        with self._database.writing() as connection:
            return keys.create(connection, user, now=now)

    def user_of_key(self, key: str) -> str | None:
        """Return whose key it is; None where it is nobody's."""
        with self._database.reading() as connection:
            return keys.user_of(connection, key)

    def revoke_keys(self, user: str) -> int:
        """Make every key of a user worthless, and return how many there were."""
        with self._database.writing() as connection:
            return keys.revoke(connection, user)

    def users(self) -> list[str]:
        """Return who has a key."""
        with self._database.reading() as connection:
            return keys.users(connection)

    def backup(self, path: Path) -> None:
        """Copy the store into a file while it is in use (SQLite; PostgreSQL has pg_dump)."""
        backup.backup(self._database, path)

    def restore(self, path: Path) -> None:
        """Replace everything in the store by a backup (SQLite; PostgreSQL has pg_restore)."""
        backup.restore(self._database, path)
