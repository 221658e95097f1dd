"""Tables of the store, and jobs to rows and back.

What is searched or changed has a column; the request itself is one JSON text, written with ASCII
alone so that any Unicode comes back as it was, whatever the database thinks of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
)

from processes.jobs.model import Job, JobState, NewJob, Output


class AnyText(TypeDecorator[str]):
    """Text that no database refuses: a NUL or half a surrogate pair becomes a question mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what PostgreSQL or UTF-8 has no place for."""
        return value and value.replace("\0", "?").encode(errors="replace").decode()


metadata = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

jobs = Table(
    "jobs",
    metadata,
    # Order of acceptance: numbers are never used twice, and given out under the store's lock.
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", AnyText, nullable=False, unique=True),
    Column("token", AnyText, nullable=False, unique=True),
    Column("user", AnyText, nullable=False),
    Column("request_key", AnyText, nullable=False),
    Column("request", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("finished", Double),
    Column("heartbeat", Double),
    Column("lease_ends", Double),
    Column("expires", Double),
    Column("attempt", Integer, nullable=False, default=0),
    Column("lost_attempts", Integer, nullable=False, default=0),
    Column("worker", AnyText, nullable=False, default=""),
    Column("share", Double, nullable=False, default=0.0),
    Column("step", AnyText, nullable=False, default=""),
    Column("message", AnyText, nullable=False, default=""),
    Column("log_tail", AnyText, nullable=False, default=""),
    Column("dismiss", Boolean, nullable=False, default=False),
    Column("outputs", Text, nullable=False, default="[]"),
    Column("results_bytes", BigInteger, nullable=False, default=0),
    # The queue: first of a user, number of a user, who has one; finished jobs are never touched.
    Index("jobs_by_state", "state", "user", "seq"),
    Index("jobs_by_user", "user", "seq"),
    Index("jobs_by_request_key", "request_key", "user"),
    Index("jobs_by_expiry", "expires"),
    sqlite_autoincrement=True,
)

# One row for whoever ever had a job: fairness and quota need no look at finished jobs.
users = Table(
    "users",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("served", BigInteger, nullable=False, default=0),
    Column("results_bytes", BigInteger, nullable=False, default=0),
)

# How each attempt went, for the operator; kept as long as its job.
attempts = Table(
    "attempts",
    metadata,
    Column("job", AnyText, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("worker", AnyText, nullable=False),
    Column("started", Double, nullable=False),
    Column("ended", Double),
    Column("reason", AnyText, nullable=False, default=""),
)

# Who is still to be told of an end; a row goes when it was told, or given up.
notices = Table(
    "notices",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("job", AnyText, nullable=False),
    Column("address", AnyText, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", AnyText, nullable=False),
    Column("created", Double, nullable=False),
    Column("due", Double, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Index("notices_by_due", "due"),
    sqlite_autoincrement=True,
)

# One row. Whoever accepts or claims a job locks it first: limits hold, whatever races.
control = Table(
    "control",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("claims", BigInteger, nullable=False),
    Column("draining", Boolean, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user", AnyText, nullable=False, index=True),
    Column("created", Double, nullable=False),
)


def write_request(new: NewJob) -> str:
    """Return a request as JSON in ASCII."""
    values = {field.name: getattr(new, field.name) for field in fields(new)}
    values["inputs"] = {name: [dict(one) for one in found] for name, found in new.inputs.items()}
    return json.dumps(values)


def read_request(text: str) -> NewJob:
    """Return the request that `write_request` wrote."""
    values = json.loads(text)
    values.pop("disk_bytes", None)  # written by older versions
    for name in ("outputs", "notify"):
        values[name] = tuple(values[name])
    values["inputs"] = {name: tuple(found) for name, found in values["inputs"].items()}
    return NewJob(**values)


def write_outputs(outputs: Sequence[Output]) -> str:
    """Return outputs as JSON in ASCII."""
    return json.dumps([asdict(output) for output in outputs])


_AS_THEY_ARE = (
    "id", "token", "attempt", "worker", "step", "message", "log_tail", "dismiss", "results_bytes",
)  # fmt: skip
_NUMBERS = ("created", "started", "finished", "heartbeat", "share", "expires")


def job_of(row: Row[Any]) -> Job:
    """Return the job that a row of `jobs` holds."""
    values = row._mapping
    # What SQLite hands back right after a change may be an integer where the column is not.
    numbers: dict[str, Any] = {
        name: None if values[name] is None else float(values[name]) for name in _NUMBERS
    }
    return Job(
        **{name: values[name] for name in _AS_THEY_ARE},
        **numbers,
        request=read_request(values["request"]),
        state=JobState(values["state"]),
        outputs=tuple(Output(**output) for output in json.loads(values["outputs"])),
    )
