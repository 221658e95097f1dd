"""What the store keeps, lists and forgets."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select, update

from processes.jobs import history
from processes.jobs.claims import lock_store, of_state
from processes.jobs.model import Job, JobState
from processes.jobs.schema import job_of, jobs, users

_ENDED = [state.value for state in JobState if state.is_final]
_PAGE = 500
"""Rows in one statement: SQLite has room for so many values anywhere."""


def listed(
    connection: Connection,
    *,
    user: str | None,
    state: JobState | None,
    limit: int,
    before: str | None,
) -> list[Job]:
    """Return jobs, the newest first, from the one after `before` on."""
    chosen = select(jobs).order_by(jobs.c.seq.desc()).limit(limit)
    if user is not None:
        chosen = chosen.where(jobs.c.user == user)
    if state is not None:
        chosen = chosen.where(of_state(state))
    if before is not None:
        last = select(jobs.c.seq).where(jobs.c.id == before).scalar_subquery()
        chosen = chosen.where(jobs.c.seq < last)
    return [job_of(row) for row in connection.execute(chosen)]


def running(connection: Connection, *, worker: str | None = None) -> list[Job]:
    """Return the jobs that run, of one worker or of all, the oldest first."""
    chosen = select(jobs).where(of_state(JobState.RUNNING)).order_by(jobs.c.seq)
    if worker is not None:
        chosen = chosen.where(jobs.c.worker == worker)
    return [job_of(row) for row in connection.execute(chosen)]


def lost(connection: Connection, *, now: float) -> list[Job]:
    """Return the running jobs whose lease has ended."""
    chosen = select(jobs).where(of_state(JobState.RUNNING), jobs.c.lease_ends < now)
    return [job_of(row) for row in connection.execute(chosen.order_by(jobs.c.seq))]


def counts(connection: Connection) -> dict[JobState, int]:
    """Return how many jobs are in each state."""
    found = dict.fromkeys(JobState, 0)
    grouped = select(jobs.c.state, func.count().label("number")).group_by(jobs.c.state)
    return found | {JobState(row.state): row.number for row in connection.execute(grouped)}


def expired(connection: Connection, *, now: float) -> list[Job]:
    """Return the jobs whose time is over, the oldest first, some hundreds at most."""
    chosen = select(jobs).where(jobs.c.expires <= now).order_by(jobs.c.expires).limit(_PAGE)
    return [job_of(row) for row in connection.execute(chosen)]


def results_bytes(connection: Connection, user: str | None) -> int:
    """Return the size of all results, or of one user's."""
    total = select(func.sum(users.c.results_bytes))
    if user is not None:
        total = total.where(users.c.name == user)
    return int(connection.execute(total).scalar_one() or 0)


def oldest_results(connection: Connection, *, most_bytes: int) -> list[Job]:
    """Return the jobs to forget, those first that would expire first, for so much to be left."""
    excess = results_bytes(connection, None) - most_bytes
    if excess <= 0:
        return []
    found = []
    chosen = select(jobs).where(jobs.c.results_bytes > 0, jobs.c.expires.is_not(None))
    for row in connection.execute(chosen.order_by(jobs.c.expires).limit(_PAGE)):
        found.append(job_of(row))
        excess -= row.results_bytes
        if excess <= 0:
            break
    return found


def forget(connection: Connection, job_ids: Collection[str]) -> int:
    """Delete jobs that have ended, and return how many there were."""
    lock_store(connection)
    wanted = list(job_ids)
    deleted = 0
    for first in range(0, len(wanted), _PAGE):
        rows = connection.execute(
            delete(jobs)
            .where(jobs.c.id.in_(wanted[first : first + _PAGE]), jobs.c.state.in_(_ENDED))
            .returning(jobs.c.id, jobs.c.user, jobs.c.results_bytes)
        ).all()
        history.forget(connection, [row.id for row in rows])
        deleted += len(rows)
        for user in sorted({row.user for row in rows}):
            freed = sum(row.results_bytes for row in rows if row.user == user)
            connection.execute(
                update(users)
                .where(users.c.name == user)
                .values(results_bytes=users.c.results_bytes - freed)
            )
    return deleted
