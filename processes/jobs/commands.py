"""The queue as the operator sees it: workers, jobs, keys, backups.

Exit codes are those of ``python -m processes``: 0 done, 2 the command or the configuration breaks
a rule, 4 it could not be done.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kernels.errors import FournaiseError, RequestError
from processes.command_line import exit_code
from processes.jobs.folders import Folders
from processes.jobs.model import Job, JobState
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.jobs.sweeping import Sweeper
from processes.log import log_to_stderr
from processes.settings import Settings, read_settings

PAGE = 500
"""Jobs that are asked for at a time."""
SHORT = 8
"""Characters of an identifier that are enough to name a job."""
_TIMES = ("created", "started", "finished", "heartbeat", "expires")
Command = Callable[[argparse.Namespace, Settings, JobStore], None]


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.

    Returns
    -------
    int
        Exit code; the reason of a failure is one line on the error stream.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings()
        store = open_store(settings)
        try:
            options.command(options, settings, store)
        finally:
            store.close()
    except (FournaiseError, OSError) as error:
        print(f"fournaise: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m processes.jobs", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "worker", "run jobs until stopped", _worker)
    listing = _add(commands, "list", "list jobs, the newest first", _list)
    listing.add_argument("--state", type=JobState, choices=list(JobState), metavar="STATE")
    listing.add_argument("--user")
    listing.add_argument("--limit", type=_positive, default=50, help="default: 50")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    show = _add(commands, "show", "show one job", _show)
    show.add_argument("--json", action="store_true", help="one JSON object")
    dismiss = _add(commands, "dismiss", "stop jobs", _dismiss)
    dismiss.add_argument("--reason", default="dismissed by the operator")
    retry = _add(commands, "retry", "accept failed or dismissed jobs once more", _retry)
    for found, many in ((show, None), (dismiss, "+"), (retry, "+")):
        found.add_argument("job", nargs=many, metavar="JOB", help="identifier, or its beginning")
    purge = _add(commands, "purge", "forget jobs that have ended, and their results", _purge)
    purge.add_argument("job", nargs="*", metavar="JOB", help="default: those whose time is over")
    drain = _add(commands, "drain", "accept no new jobs; those that wait still run", _drain)
    drain.add_argument("--off", action="store_true", help="accept new jobs again")
    keys = commands.add_parser("keys", help="keys of users").add_subparsers(
        required=True, metavar="COMMAND"
    )
    _add(keys, "create", "make a key and print it, once", _create_key).add_argument("user")
    _add(keys, "revoke", "make all keys of a user worthless", _revoke_keys).add_argument("user")
    for name, text, command in (
        ("backup", "copy the store into a file, in use or not", _backup),
        ("restore", "replace everything in the store by a copy", _restore),
    ):
        _add(commands, name, text, command).add_argument("file", type=Path, metavar="FILE")
    return parser


def _add(commands: Any, name: str, text: str, command: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.set_defaults(command=command)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _worker(_options: argparse.Namespace, settings: Settings, store: JobStore) -> None:
    from processes.jobs.worker import Worker  # noqa: PLC0415 - it starts a process of its own

    log_to_stderr()
    Worker(store, settings).run()


def _list(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    jobs = store.jobs(user=options.user, state=options.state, limit=options.limit)
    if options.json:
        print(json.dumps([_plain(job) for job in jobs]))
        return
    rows = [("JOB", "STATE", "PROCESS", "USER", "CREATED", "DONE", "STEP OR REASON")]
    rows += [
        (
            job.id[:SHORT],
            job.state.value,
            job.request.process,
            job.request.user or "-",
            _day(job.created),
            f"{100 * job.share:.0f}%",
            job.message or job.step,
        )
        for job in jobs
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _show(options: argparse.Namespace, settings: Settings, store: JobStore) -> None:
    job = _find(store, options.job)
    record = _plain(job)
    attempts = store.attempts(job.id)
    if options.json:
        print(json.dumps(record | {"attempts": [asdict(attempt) for attempt in attempts]}))
        return
    for name, value in record.items():
        if value not in ("", None, (), False):
            print(f"{name:14}{_day(value) if name in _TIMES else value}")
    if job.state is JobState.ACCEPTED:
        print(f"{'position':14}{store.position(job.id)}")
    for attempt in attempts:
        ended = _day(attempt.ended) if attempt.ended is not None else "now"
        print(
            f"{f'attempt {attempt.number}':14}{_day(attempt.started)} to {ended}, "
            f"by {attempt.worker}{f': {attempt.reason}' if attempt.reason else ''}"
        )
    for log in sorted(Folders(settings.state_folder).logs.glob(f"{job.id}-*.txt")):
        print(f"{'log':14}{log}")


def _dismiss(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    for name in options.job:
        job = store.dismiss(_find(store, name).id, now=time.time(), reason=options.reason)
        print(f"{job.id}  {'stopping' if job.state is JobState.RUNNING else job.state.value}")


def _retry(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    for name in options.job:
        print(store.retry(_find(store, name).id, now=time.time()).id)


def _purge(options: argparse.Namespace, settings: Settings, store: JobStore) -> None:
    sweeper = Sweeper(store, Folders(settings.state_folder), settings)
    jobs = [_find(store, name) for name in options.job]
    for job in jobs:
        if not job.state.is_final:
            raise RequestError("job", "one that has ended", f"{job.id} which is {job.state}")
    sweeper.folders.make()
    sweeper.forget(jobs)
    while not options.job and sweeper.step(time.time()):
        pass


def _drain(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    store.drain(not options.off)
    waiting, running = (store.counts()[s] for s in (JobState.ACCEPTED, JobState.RUNNING))
    print(f"{'accepting' if options.off else 'draining'}: {waiting} wait, {running} run")


def _create_key(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    print(store.create_key(options.user, now=time.time()))


def _revoke_keys(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    if not store.revoke_keys(options.user):
        raise RequestError("user", "one who has a key", options.user)


def _backup(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    store.backup(options.file)


def _restore(options: argparse.Namespace, _settings: Settings, store: JobStore) -> None:
    store.restore(options.file)


def _find(store: JobStore, name: str) -> Job:
    """Find a job by its identifier or an unambiguous beginning of it."""
    if (job := store.get(name)) is not None:
        return job
    found: list[Job] = []
    before = None
    while page := store.jobs(limit=PAGE, before=before):
        found += [job for job in page if name and job.id.startswith(name)]
        before = page[-1].id
    if len(found) != 1:
        raise RequestError("job", "an identifier or the beginning of just one", name)
    return found[0]


def _plain(job: Job) -> dict[str, Any]:
    """Return what an operator may see: everything but the token, which opens the user's pages."""
    record: Mapping[str, Any] = asdict(job)
    return {name: value for name, value in record.items() if name != "token"}


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds")[:19]
