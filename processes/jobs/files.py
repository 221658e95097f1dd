"""Files that others may read, write or lock at the same moment."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any


class Lock:
    """An exclusive lock that ends with its process, however that ends.

    Parameters
    ----------
    descriptor : int
        Open and locked.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def release(self) -> None:
        """Let others have it; does nothing the second time."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    @classmethod
    def take(cls, file: Path) -> Lock | None:
        """Lock a file, made where it is missing; None where someone else has it."""
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            named = file.stat()
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError | FileNotFoundError):
                return None
            raise
        held = os.fstat(descriptor)
        if (held.st_dev, held.st_ino) != (named.st_dev, named.st_ino):
            os.close(descriptor)  # the folder was taken away meanwhile, and made again
            return None
        return cls(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a folder that readers see whole or not at all; one that is missing is no error.

    Parameters
    ----------
    path : Path
        Of the folder.
    """
    hidden = path.with_name(f".scratch-{path.name}-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        path.rename(hidden)
        remove_hidden(hidden)


def remove_hidden(path: Path) -> None:
    """Remove a folder that nobody uses, and what jobs made read-only in it, as far as possible.

    Parameters
    ----------
    path : Path
        Of the folder.
    """
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():  # copies of read-only archives are read-only folders
        for parent, folders, _ in os.walk(path):
            for folder in (Path(parent), *(Path(parent) / name for name in folders)):
                if not folder.is_symlink():
                    with suppress(OSError):
                        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(path, ignore_errors=True)


def write_json(target: Path, record: object) -> None:
    """Write a file that readers see whole, old or new.

    Parameters
    ----------
    target : Path
        Of the file.
    record : object
        Plain JSON value.
    """
    write_beside(target, json.dumps(record)).replace(target)


def read_json(file: Path) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Parameters
    ----------
    file : Path
        Of the file.

    Returns
    -------
    dict
        Empty where there is no file, or one that the end of the machine cut off.
    """
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record


def write_beside(target: Path, text: str, *, through: bool = True) -> Path:
    """Write a file that is to get its name later.

    Parameters
    ----------
    target : Path
        The name.
    text : str
        All of it.
    through : bool
        Whether it must be on disk, whatever happens to the power.

    Returns
    -------
    Path
        The file, in the same folder.
    """
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    with staged.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if through:
            os.fsync(file.fileno())
    return staged


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk.

    Parameters
    ----------
    path : Path
        Of the folder.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
