"""Acceptance of jobs within the limits, and the queue that they wait in."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from processes.jobs.claims import known, lock_store, of_state
from processes.jobs.errors import JobStateError, QueueFullError, QuotaError
from processes.jobs.model import Job, JobState, Limits, NewJob, new_identifier
from processes.jobs.schema import job_of, jobs, users, write_request


def submit(connection: Connection, new: NewJob, *, now: float, limits: Limits) -> Job:
    """Accept a job within the limits."""
    if lock_store(connection):
        raise QueueFullError("no new jobs now: the server finishes what it has, try again later")
    _check_queue(connection, new.user, limits)
    _check_results(connection, new.user, limits)
    _know_user(connection, new.user)
    row = connection.execute(
        insert(jobs)
        .values(
            id=new_identifier(),
            token=new_identifier(),
            user=new.user,
            request_key=new.request_key,
            request=write_request(new),
            state=JobState.ACCEPTED.value,
            created=now,
        )
        .returning(jobs)
    ).one()
    return job_of(row)


def _check_queue(connection: Connection, user: str, limits: Limits) -> None:
    waiting = select(func.count()).select_from(jobs).where(of_state(JobState.ACCEPTED))
    if limits.queued is not None and connection.execute(waiting).scalar_one() >= limits.queued:
        raise QueueFullError(
            f"waiting jobs must be at most {limits.queued} in all, try again later"
        )
    of_user = waiting.where(jobs.c.user == user)
    most = limits.queued_per_user
    if most is not None and connection.execute(of_user).scalar_one() >= most:
        raise QuotaError(f"waiting jobs must be at most {most} of one user, try again later")


def _check_results(connection: Connection, user: str, limits: Limits) -> None:
    most = limits.results_bytes_per_user
    if most is None:
        return
    kept = connection.scalar(select(users.c.results_bytes).where(users.c.name == user)) or 0
    if kept >= most:
        raise QuotaError(
            f"results of one user must be less than {most} bytes, got {kept}: "
            "dismiss jobs or wait until they expire"
        )


def _know_user(connection: Connection, user: str) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(users)
        .values(name=user, served=0, results_bytes=0)
        .on_conflict_do_nothing(index_elements=[users.c.name])
    )


def retry(connection: Connection, job_id: str, *, now: float, limits: Limits) -> Job:
    """Accept the request of a job that failed or was dismissed once more, as a new job."""
    old = known(connection, job_id)
    if old.state not in {JobState.FAILED, JobState.DISMISSED}:
        raise JobStateError(f"a job to retry must be failed or dismissed, got {old.state.value}")
    return submit(connection, old.request, now=now, limits=limits)


def reusable(connection: Connection, request_key: str, user: str, *, now: float) -> Job | None:
    """Return the user's newest job of the same key that has results to show."""
    if not request_key:
        return None
    row = connection.execute(
        select(jobs)
        .where(
            jobs.c.request_key == request_key,
            jobs.c.user == user,
            of_state(JobState.SUCCEEDED),
            jobs.c.expires > now,
        )
        .order_by(jobs.c.seq.desc())
        .limit(1)
    ).first()
    return job_of(row) if row is not None else None


# The status of a job is asked for far more often than anything else: these are built once.
_WAITING = of_state(JobState.ACCEPTED)
_THEIRS = jobs.c.user == users.c.name
_NUMBER = select(func.count()).select_from(jobs)
_WAITING_JOB = select(jobs.c.user, jobs.c.seq).where(jobs.c.id == bindparam("job_id"), _WAITING)
_AHEAD = _NUMBER.where(
    _WAITING, jobs.c.user == bindparam("its_user"), jobs.c.seq < bindparam("its_seq")
)
_QUEUES = select(
    users.c.name,
    users.c.served,
    _NUMBER.where(_WAITING, _THEIRS).scalar_subquery().label("waiting"),
    _NUMBER.where(of_state(JobState.RUNNING), _THEIRS).scalar_subquery().label("running"),
    select(func.min(jobs.c.seq)).where(_WAITING, _THEIRS).scalar_subquery().label("first"),
)


def position(connection: Connection, job_id: str) -> int:
    """Return the place of a job in the queue as it is now; 0 for one that does not wait."""
    row = connection.execute(_WAITING_JOB, {"job_id": job_id}).first()
    if row is None:
        return 0
    its = {"its_user": row.user, "its_seq": row.seq}
    ahead = connection.execute(_AHEAD, its).scalar_one()
    queues = connection.execute(_QUEUES).all()
    mine = next(queue for queue in queues if queue.name == row.user)
    if not mine.waiting:  # claimed since the first statement
        return 0
    # Users take turns: a job is started when its user has so many running, after those of
    # others that are started when theirs have fewer.
    level = mine.running + ahead
    others = 0
    for queue in queues:
        if queue.name != row.user and queue.waiting:
            # On one level, whoever had more running jobs now waits for the longest time by then.
            before = (-queue.running, queue.served, queue.first)
            earlier = before < (-mine.running, mine.served, mine.first)
            others += min(queue.waiting, max(0, level - queue.running + earlier))
    return int(ahead + others + 1)
