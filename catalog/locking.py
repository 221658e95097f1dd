"""Locks that hold between threads and between processes, and vanish with their holder."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.progress import pause

_BETWEEN_TRIES_S = 0.1


@contextmanager
def locked(
    path: Path, cancel: threading.Event, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold a lock while the block runs; the file is gone afterwards.

    Parameters
    ----------
    path : Path
        Of the file of the lock; its folder exists.
    cancel : threading.Event
        Ends the wait.
    on_wait : callable
        Is called once where somebody else holds it.

    Raises
    ------
    CancelledError
        `cancel` was set.
    """
    waits = False
    while (descriptor := take(path)) is None:
        if not waits:
            on_wait()
            waits = True
        pause(cancel, _BETWEEN_TRIES_S)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def take(path: Path) -> int | None:
    """Try to lock a file.

    Parameters
    ----------
    path : Path
        Made where it is missing.

    Returns
    -------
    int or None
        Descriptor that holds the lock until it is closed; None where somebody else has it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # who held it before may have removed the file that we opened
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
