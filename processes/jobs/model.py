"""What the web server, the store and the workers say to each other of a job.

A job is accepted by the web server, which writes it into the store and forgets it. A worker claims
it for one attempt, under a lease that it renews while the attempt lives; an attempt whose lease
ends is lost, and the job is claimed again or fails. Times are seconds since 1970 (UTC).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

Inputs = Mapping[str, tuple[Mapping[str, Any], ...]]
"""By identifier, every occurrence of the input as the request had it, in plain JSON values:
literals ``{"data": text}``, boxes ``{"data": [numbers], "crs": text}``, complex values
``{"data": text, "mimeType": text, "encoding": text, "schema": text}``."""

ANYBODY = ""
"""The user of a server that is open, without keys."""


class JobState(StrEnum):
    """Where a job is."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DISMISSED = "dismissed"

    @property
    def is_final(self) -> bool:
        """True once nothing more will happen to the job."""
        return self not in {JobState.ACCEPTED, JobState.RUNNING}


def new_identifier() -> str:
    """Return 128 random bits as 32 hexadecimal digits: of a job, or of the key to its pages."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A request that was checked and is to become a job.

    Attributes
    ----------
    process, version : str
        Identifier and version of the process.
    user : str
        Name of the user, ANYBODY on an open server.
    inputs : Inputs
        As the request had them.
    outputs : tuple of str
        Identifiers of the outputs that are wanted; empty: all.
    lineage : bool
        True where the response is to repeat the inputs.
    title : str
        The user's own name for the job; may be empty.
    notify : tuple of str
        Addresses (mailto:, http:, https:) that are told when the job ends.
    request_key : str
        Equal for requests that must give equal results; empty: never reuse a result.
    """

    process: str
    version: str
    user: str = ANYBODY
    inputs: Inputs
    outputs: tuple[str, ...] = ()
    lineage: bool = False
    title: str = ""
    notify: tuple[str, ...] = ()
    request_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a finished job.

    Attributes
    ----------
    identifier : str
        Of the output.
    media_type : str
        Of the file or of the complex value; empty for literals and boxes.
    file : str
        Name of the file among the results of the job; empty for values.
    size : int
        Of the file [bytes].
    value : object
        Plain JSON value of a literal, a box or complex data; None where there is a file.
    """

    identifier: str
    media_type: str = ""
    file: str = ""
    size: int = 0
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the store has it.

    Attributes
    ----------
    id : str
        32 hexadecimal digits; may stand in logs.
    token : str
        32 hexadecimal digits: whoever has them may read status and results, so they stand in
        addresses and nowhere else.
    request : NewJob
        What was accepted.
    state : JobState
        Where it is.
    created : float
        When it was accepted.
    started, finished, heartbeat : float or None
        First start, end, and the last sign of life.
    attempt : int
        Number of the current or last attempt, 0 before the first.
    worker : str
        Name of the worker that has it, or had it last.
    share : float
        Progress, 0 to 1.
    step : str
        Name of the step.
    message : str
        Why it failed, was dismissed or waits again; one line.
    log_tail : str
        Last lines of the log of the attempt.
    dismiss : bool
        True once somebody asked to stop it; the worker is to kill it.
    outputs : tuple of Output
        Of a job that succeeded.
    results_bytes : int
        Size of the results on disk.
    expires : float or None
        When its pages and results vanish; None while it has not ended.
    """

    id: str
    token: str
    request: NewJob
    state: JobState
    created: float
    started: float | None = None
    finished: float | None = None
    heartbeat: float | None = None
    attempt: int = 0
    worker: str = ""
    share: float = 0.0
    step: str = ""
    message: str = ""
    log_tail: str = ""
    dismiss: bool = False
    outputs: tuple[Output, ...] = ()
    results_bytes: int = 0
    expires: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """What is kept of an attempt.

    Attributes
    ----------
    number : int
        From 1.
    worker : str
        Name of the worker that looked after it, or did so last.
    started : float
        When it was claimed.
    ended : float or None
        When the store was told of its end; None while it runs.
    reason : str
        Why it ended; one line.
    """

    number: int
    worker: str
    started: float
    ended: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Somebody who is still to be told that a job has ended.

    Attributes
    ----------
    number : int
        Of the notice.
    job : str
        Identifier of the job.
    address : str
        Who is told; may be a secret.
    title : str
        Of the job, or its process.
    state : JobState
        How it ended.
    message : str
        Why; may be empty.
    created : float
        When it ended.
    tries : int
        Number of this try, from 1.
    """

    number: int
    job: str
    address: str
    title: str
    state: JobState
    message: str
    created: float
    tries: int


class Renewal(NamedTuple):
    """What a worker learns when it renews a lease."""

    valid: bool
    """False where the attempt is no longer the job's: the worker must kill it."""
    dismiss: bool
    """True where the job is to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may run and wait; None: no limit.

    Attributes
    ----------
    running : int
        Jobs that run at once, over all workers.
    running_per_user : int or None
        Of one user.
    queued, queued_per_user : int or None
        Jobs that wait.
    attempts : int
        How often a job is tried whose attempt was lost.
    results_bytes_per_user : int or None
        Results that one user may keep; more are refused before they start.
    """

    running: int = 2
    running_per_user: int | None = None
    queued: int | None = 1000
    queued_per_user: int | None = 200
    attempts: int = 2
    results_bytes_per_user: int | None = None
