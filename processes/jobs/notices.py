"""Who is still to be told that a job has ended: written with the end itself, so that none is lost.

Whoever tells takes a notice for a while, tells, and drops it or puts it off; one that was taken by
somebody who was killed comes back when that while is over. So a notice is told at least once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, insert, select, update

from processes.jobs.model import JobState, NewJob, Notice
from processes.jobs.schema import notices


def add(
    connection: Connection,
    job_id: str,
    request: NewJob,
    *,
    state: JobState,
    message: str,
    now: float,
) -> None:
    """Have everybody told who wanted to know the end of a job."""
    rows = [
        {
            "job": job_id,
            "address": address,
            "title": request.title or request.process,
            "state": state.value,
            "message": message,
            "created": now,
            "due": now,
        }
        for address in request.notify
    ]
    if rows:
        connection.execute(insert(notices), rows)


def are_due(connection: Connection, *, now: float) -> bool:
    """Tell whether there is anything to take."""
    return connection.execute(_due(now)).first() is not None


def _due(now: float) -> Select[Any]:
    return select(notices).where(notices.c.due <= now).order_by(notices.c.due).limit(1)


def take(connection: Connection, *, now: float, lease: float) -> Notice | None:
    """Take the next notice that is due for `lease` seconds; None where there is none."""
    row = connection.execute(_due(now)).first()
    if row is None:
        return None
    notice = Notice(
        number=row.seq,
        job=row.job,
        address=row.address,
        title=row.title,
        state=JobState(row.state),
        message=row.message,
        created=float(row.created),
        tries=row.tries + 1,
    )
    changed = connection.execute(
        update(notices).where(_is(row.seq, row.tries)).values(due=now + lease, tries=notice.tries)
    )
    return notice if changed.rowcount else None  # else another worker was quicker


def put_off(connection: Connection, notice: Notice, *, due: float) -> None:
    """Have a notice told later."""
    connection.execute(update(notices).where(_is(notice.number, notice.tries)).values(due=due))


def drop(connection: Connection, notice: Notice) -> None:
    """Forget a notice that was told or is given up."""
    connection.execute(delete(notices).where(_is(notice.number, notice.tries)))


def _is(number: int, tries: int) -> ColumnElement[bool]:
    """Match a notice that nobody has taken meanwhile."""
    return and_(notices.c.seq == number, notices.c.tries == tries)
