"""Coregistered images that series keep from job to job: those that nobody uses go.

::

    STACKS/user-NAME/.../KEY/lock     held by the job that works there
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from kernels.engine.locking import LOCK, lock_folder
from processes.jobs.files import remove_hidden, remove_tree
from processes.jobs.limits import folder_bytes
from processes.jobs.log import event
from processes.settings import Settings

INTERVAL = 3600.0
"""Between two looks at the stacks [s]."""
DAY = 86400.0
GB = 1_000_000_000
LOGGER = logging.getLogger(__name__)

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
    return settings.stacks_folder / f"user-{name}"


class _Kept(NamedTuple):
    """A stack, ordered by its last use."""

    used: float
    path: Path
    size: int


class StackSweeper:
    """Takes stacks away by age and by the size of all of them, never those in use.

    Parameters
    ----------
    settings : Settings
        The operator's.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.stacks_folder
        self._oldest = settings.stack_days * DAY
        self._most = None if settings.stack_gb is None else settings.stack_gb * GB
        self._next = 0.0

    def step(self, now: float) -> None:
        """Look through the stacks, once an hour."""
        if now < self._next:
            return
        self._next = now + INTERVAL
        stacks = sorted(_stacks(self._folder, _DEPTH))
        size = sum(one.size for one in stacks)
        for one in stacks:
            is_too_much = self._most is not None and size > self._most
            if (one.used < now - self._oldest or is_too_much) and _remove(one.path):
                size -= one.size
                event(LOGGER, "stack removed", stack=one.path.name, bytes=one.size)


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
