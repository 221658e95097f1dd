"""Folders that one process at a time works in."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

LOCK = "lock"
"""File in a folder whose lock is the folder's."""


def lock_folder(folder: Path) -> int | None:
    """Lock a folder as long as this process lives, or until the descriptor is closed.

    Parameters
    ----------
    folder : Path
        Gets a file `LOCK`.

    Returns
    -------
    int or None
        Open descriptor; None where another process has the folder, or it is gone.
    """
    file = folder / LOCK
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # taken away in this moment
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held, named = os.fstat(descriptor), file.stat()
        if (held.st_dev, held.st_ino) != (named.st_dev, named.st_ino):
            raise FileNotFoundError(file)  # taken away meanwhile, and made again
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
