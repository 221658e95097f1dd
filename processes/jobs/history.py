"""The attempts of a job, one row each: who looked after it, from when to when, and why it ended."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Update, delete, insert, select, update

from processes.jobs.model import AttemptRecord
from processes.jobs.schema import attempts


def begin(connection: Connection, job_id: str, number: int, worker: str, *, now: float) -> None:
    """Note that a worker claimed a job."""
    row = {"job": job_id, "number": number, "worker": worker, "started": now}
    connection.execute(insert(attempts).values(row))


def take_over(connection: Connection, job_id: str, number: int, worker: str) -> None:
    """Note that another worker looks after an attempt."""
    connection.execute(_running(job_id, number).values(worker=worker))


def end(connection: Connection, job_id: str, number: int, *, now: float, reason: str) -> None:
    """Note why an attempt ended, once."""
    connection.execute(_running(job_id, number).values(ended=now, reason=reason))


def _running(job_id: str, number: int) -> Update:
    return update(attempts).where(
        attempts.c.job == job_id, attempts.c.number == number, attempts.c.ended.is_(None)
    )


def of_job(connection: Connection, job_id: str) -> list[AttemptRecord]:
    """Return the attempts of a job, the first one first."""
    chosen = select(attempts).where(attempts.c.job == job_id).order_by(attempts.c.number)
    return [
        AttemptRecord(
            number=row.number,
            worker=row.worker,
            started=float(row.started),
            ended=None if row.ended is None else float(row.ended),
            reason=row.reason,
        )
        for row in connection.execute(chosen)
    ]


def forget(connection: Connection, job_ids: Collection[str]) -> None:
    """Delete the attempts of jobs."""
    connection.execute(delete(attempts).where(attempts.c.job.in_(job_ids)))
