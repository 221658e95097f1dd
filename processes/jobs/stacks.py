"""Coregistered images that series keep from job to job: they count, and those that nobody uses go.

::

    STACKS/user-NAME/KEY/lock     held by the job that works there; names the folder of its results
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from kernels.engine.locking import LOCK, lock_folder
from processes.jobs.files import remove_hidden, remove_tree
from processes.jobs.limits import folder_bytes
from processes.log import event
from processes.settings import Settings

INTERVAL = 3600.0
"""Between two looks at the stacks [s]."""
DAY = 86400.0
GB = 1_000_000_000
LOGGER = logging.getLogger(__name__)

_USER = "user-"
_DEPTH = 4
"""Folders between the stacks and a key."""
_LONGEST_NAME = 200
_HALF_REMOVED = re.compile(r"\.scratch-.+-[0-9a-f]{8}")
"""As `remove_tree` names a folder first; scratch folders of jobs are named otherwise."""


def stacks_of(user: str, settings: Settings) -> Path:
    """Return the folder of a user's stacks, which need not exist.

    Parameters
    ----------
    user : str
        Any text; nobody on an open server.
    settings : Settings
        Of the server.

    Returns
    -------
    Path
        Different for different users.
    """
    name = quote(user, safe="@")
    if len(name) > _LONGEST_NAME:
        name = hashlib.sha256(user.encode()).hexdigest()
    return settings.stacks_folder / f"{_USER}{name}"


def written_by(job: Path, results: Path, stacks: Path) -> int:
    """Return what a job has written: its folder, and what it added to a stack.

    Parameters
    ----------
    job : Path
        Folder of the job.
    results : Path
        Folder that its chain works in.
    stacks : Path
        Of its user; it need not exist.

    Returns
    -------
    int
        Bytes. What was in the stack before does not count, nor does a link to it.
    """
    for lock in stacks.glob(f"*/{LOCK}"):
        with suppress(OSError):  # gone meanwhile
            began = lock.stat().st_mtime_ns
            if lock.read_bytes() == os.fsencode(results.resolve()):
                return folder_bytes(job, linked=False) + folder_bytes(lock.parent, since=began)
    return folder_bytes(job)


class _Kept(NamedTuple):
    """A stack, ordered by its last use."""

    used: float
    path: Path
    size: int


class StackSweeper:
    """Takes stacks away by age and by size, those of one user and of all, never those in use.

    Parameters
    ----------
    settings : Settings
        The operator's.
    results_of : callable
        ``results_of(user) -> bytes`` of the results that a user keeps beside stacks.
    """

    def __init__(self, settings: Settings, results_of: Callable[[str], int]) -> None:
        self._folder = settings.stacks_folder
        self._oldest = settings.stack_days * DAY
        self._most = _bytes(settings.stack_gb)
        self._most_of_user = _bytes(settings.user_results_gb)
        self._results_of = results_of
        self._next = 0.0

    def step(self, now: float) -> None:
        """Look through the stacks, once an hour."""
        if now < self._next:
            return
        self._next = now + INTERVAL
        self._shrink(self._folder, self._most, before=now - self._oldest)
        if self._most_of_user < inf:
            for folder in self._folder.glob(f"{_USER}*"):
                user = unquote(folder.name.removeprefix(_USER))
                self._shrink(folder, self._most_of_user - self._results_of(user))

    def _shrink(self, folder: Path, most: float, *, before: float = -inf) -> None:
        """Remove stacks below a folder, those unused longest first, until at most this is left."""
        if folder.is_symlink():
            return
        stacks = sorted(_stacks(folder, _DEPTH))
        size = sum(one.size for one in stacks)
        for one in stacks:
            if (one.used < before or size > most) and _remove(one.path):
                size -= one.size
                event(LOGGER, "stack removed", stack=one.path.name, bytes=one.size)


def _bytes(size_gb: int | None) -> float:
    return inf if size_gb is None else float(size_gb * GB)


def _stacks(folder: Path, depth: int) -> Iterator[_Kept]:
    """Find stacks below a folder, and finish what a killed worker began to remove."""
    try:
        below = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return
    for path in below:
        if _HALF_REMOVED.fullmatch(path.name):
            remove_hidden(path)
        elif (path / LOCK).is_file():
            yield _Kept(_last_use(path), path, folder_bytes(path))
        elif depth > 1:
            yield from _stacks(path, depth - 1)


def _last_use(stack: Path) -> float:
    """Return when a run began to work in a stack, or a date was added to it."""
    times = [0.0]
    for path in (stack, *stack.iterdir()):
        try:
            times.append(path.stat().st_mtime)
        except OSError:  # gone meanwhile
            continue
    return max(times)


def _remove(stack: Path) -> bool:
    """Remove a stack unless somebody works there."""
    lock = lock_folder(stack)
    if lock is None:
        return False
    try:
        remove_tree(stack)
    finally:
        os.close(lock)
    return True
