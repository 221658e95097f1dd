"""The life of a job after its acceptance: claimed, renewed, ended, given back, dismissed.

Each function is one transaction on the connection that it is given. A change of state is one
statement that names the state and the attempt it starts from, so that of two who race only one
finds its row.

The next job is that of the user with the fewest running jobs; among equals, of the user who was
served longest ago; of that user, the one that was accepted first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    case,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from processes.jobs import history, notices
from processes.jobs.errors import JobStateError, UnknownJobError
from processes.jobs.model import Job, JobState, Limits, Output, Renewal
from processes.jobs.schema import control, job_of, jobs, read_request, users, write_outputs


def lock_store(connection: Connection) -> bool:
    """Exclude others who accept or claim to the end of the transaction; tell the drain mode."""
    # SQLite has no FOR UPDATE and needs none: its writing transactions exclude each other.
    return bool(connection.execute(select(control.c.draining).with_for_update()).scalar_one())


def of_state(state: JobState) -> ColumnElement[bool]:
    """Match jobs of a state."""
    return jobs.c.state == state.value


def are_waiting(connection: Connection) -> bool:
    """Tell whether there is anything to claim."""
    return connection.execute(_ANY_WAITING).first() is not None


def claim(
    connection: Connection, worker: str, *, lease: float, now: float, limits: Limits
) -> Job | None:
    """Give the next job to a worker, if limits allow one more."""
    lock_store(connection)
    running = connection.scalar(
        select(func.count()).select_from(jobs).where(of_state(JobState.RUNNING))
    )
    while (running or 0) < limits.running:
        next_one = connection.execute(_next_job(limits.running_per_user)).first()
        if next_one is None:
            return None
        row = connection.execute(
            update(jobs)
            .where(jobs.c.seq == next_one.seq, of_state(JobState.ACCEPTED))
            .values(
                state=JobState.RUNNING.value,
                attempt=jobs.c.attempt + 1,
                worker=worker,
                started=func.coalesce(jobs.c.started, now),
                heartbeat=now,
                lease_ends=now + lease,
                log_tail="",
            )
            .returning(jobs)
        ).first()
        if row is not None:
            _mark_served(connection, next_one.name)
            history.begin(connection, row.id, row.attempt, worker, now=now)
            return job_of(row)
        # it was dismissed a moment ago: the one after it
    return None


_ANY_WAITING = select(jobs.c.seq).where(of_state(JobState.ACCEPTED)).limit(1)


@cache
def _next_job(running_per_user: int | None) -> Select[tuple[int, str]]:
    mine = jobs.c.user == users.c.name
    first = select(func.min(jobs.c.seq)).where(of_state(JobState.ACCEPTED), mine).scalar_subquery()
    running = (
        select(func.count())
        .select_from(jobs)
        .where(of_state(JobState.RUNNING), mine)
        .scalar_subquery()
    )
    queues = select(
        users.c.name, users.c.served, first.label("seq"), running.label("running")
    ).subquery()
    chosen = select(queues.c.seq, queues.c.name).where(queues.c.seq.is_not(None))
    if running_per_user is not None:
        chosen = chosen.where(queues.c.running < running_per_user)
    return chosen.order_by(queues.c.running, queues.c.served, queues.c.seq).limit(1)


def _mark_served(connection: Connection, user: str) -> None:
    """Give the claim a number: an order that no clock can disturb."""
    number = connection.execute(
        update(control).values(claims=control.c.claims + 1).returning(control.c.claims)
    ).scalar_one()
    connection.execute(update(users).where(users.c.name == user).values(served=number))


def _current(job_id: str, attempt: int) -> Update:
    """Change the job if this attempt runs now."""
    return update(jobs).where(
        jobs.c.id == job_id, jobs.c.attempt == attempt, of_state(JobState.RUNNING)
    )


def adopt(connection: Connection, job_id: str, attempt: int, worker: str) -> None:
    """Name the worker that looks after an attempt from now on."""
    connection.execute(_current(job_id, attempt).values(worker=worker))
    history.take_over(connection, job_id, attempt, worker)


def renew(
    connection: Connection,
    job_id: str,
    attempt: int,
    *,
    lease: float,
    now: float,
    share: float,
    step: str,
    log_tail: str,
) -> Renewal:
    """Prolong a lease and store the progress."""
    dismiss = connection.execute(
        _current(job_id, attempt)
        .values(heartbeat=now, lease_ends=now + lease, share=share, step=step, log_tail=log_tail)
        .returning(jobs.c.dismiss)
    ).scalar_one_or_none()
    return Renewal(valid=dismiss is not None, dismiss=bool(dismiss))


def finish(
    connection: Connection,
    job_id: str,
    attempt: int,
    state: JobState,
    *,
    now: float,
    message: str,
    outputs: Sequence[Output],
    results_bytes: int,
    keep: float,
) -> bool:
    """End an attempt and its job; somebody's wish to stop it outweighs a success."""
    if not state.is_final:
        raise JobStateError(f"the end of a job must be a final state, got {state.value}")
    shown = write_outputs(outputs) if state is JobState.SUCCEEDED else "[]"
    done = state is JobState.SUCCEEDED
    kept = case((jobs.c.dismiss, 0), else_=results_bytes if done else 0)
    row = connection.execute(
        _current(job_id, attempt)
        .values(
            state=case((jobs.c.dismiss, JobState.DISMISSED.value), else_=state.value),
            # the reason of the dismissal stands there already
            message=case((jobs.c.dismiss, jobs.c.message), else_=message),
            outputs=case((jobs.c.dismiss, "[]"), else_=shown),
            share=case((jobs.c.dismiss, jobs.c.share), else_=1.0 if done else jobs.c.share),
            results_bytes=kept,
            finished=now,
            heartbeat=now,
            lease_ends=null(),
            expires=now + keep,
        )
        .returning(jobs)
    ).first()
    if row is None:
        return False
    _record_end(connection, row, now=now)
    if row.results_bytes:
        connection.execute(
            update(users)
            .where(users.c.name == row.user)
            .values(results_bytes=users.c.results_bytes + row.results_bytes)
        )
    return True


def _record_end(connection: Connection, row: Row[Any], *, now: float) -> None:
    """Keep how the attempt of a job ended and, if the job ended too, whom to tell."""
    state = JobState(row.state)
    words = [state.value] if state.is_final else []
    reason = ": ".join([*words, *filter(None, [row.message])])
    history.end(connection, row.id, row.attempt, now=now, reason=reason)
    if state.is_final:
        request = read_request(row.request)
        notices.add(connection, row.id, request, state=state, message=row.message, now=now)


def give_back(
    connection: Connection,
    job_id: str,
    attempt: int,
    *,
    now: float,
    reason: str,
    counts: bool,
    keep: float,
    attempts: int,
) -> JobState:
    """End an attempt whose job is to be tried again, dismissed or given up."""
    lost = jobs.c.lost_attempts + (1 if counts else 0)
    given_up = and_(literal(counts), lost >= attempts)
    over = or_(jobs.c.dismiss, given_up)
    row = connection.execute(
        _current(job_id, attempt)
        .values(
            state=case(
                (jobs.c.dismiss, JobState.DISMISSED.value),
                (given_up, JobState.FAILED.value),
                else_=JobState.ACCEPTED.value,
            ),
            message=case((jobs.c.dismiss, jobs.c.message), else_=reason),
            lost_attempts=lost,
            share=case((over, jobs.c.share), else_=0.0),
            step=case((over, jobs.c.step), else_=""),
            lease_ends=null(),
            finished=case((over, now), else_=null()),
            expires=case((over, now + keep), else_=null()),
        )
        .returning(jobs)
    ).first()
    if row is None:
        return known(connection, job_id).state
    _record_end(connection, row, now=now)
    return JobState(row.state)


def dismiss(connection: Connection, job_id: str, *, now: float, reason: str, keep: float) -> Job:
    """End a waiting job; ask the worker to end a running one; leave a final one alone."""
    waiting = of_state(JobState.ACCEPTED)
    row = connection.execute(
        update(jobs)
        .where(
            jobs.c.id == job_id, or_(waiting, of_state(JobState.RUNNING)), jobs.c.dismiss == false()
        )
        .values(
            state=case((waiting, JobState.DISMISSED.value), else_=jobs.c.state),
            dismiss=true(),
            message=reason,
            finished=case((waiting, now), else_=null()),
            expires=case((waiting, now + keep), else_=null()),
        )
        .returning(jobs)
    ).first()
    if row is None:
        return known(connection, job_id)
    if row.state == JobState.DISMISSED:
        _record_end(connection, row, now=now)
    return job_of(row)


def known(connection: Connection, job_id: str) -> Job:
    """Return a job that must be there."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    if row is None:
        raise UnknownJobError(f"job must be one that is kept, got {job_id}")
    return job_of(row)
