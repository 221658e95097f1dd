"""Folders that one process at a time works in."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_folder(folder: Path) -> int | None:
    """Lock a folder as long as this process lives, or until the descriptor is closed.

    Parameters
    ----------
    folder : Path
        Gets a file ``lock``.

    Returns
    -------
    int or None
        Open descriptor; None where another process has the folder, or it is gone.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # taken away in this moment
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
