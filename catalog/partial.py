"""The part of a file that has arrived, beside the place where the whole will be."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from catalog.errors import StorageError
from catalog.model import Checksum
from catalog.progress import pause
from catalog.wording import one_line

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BLOCK = 1 << 20


def no_space(error: OSError, path: Path) -> StorageError:
    """Say that the disk refused; what has arrived stays.

    Parameters
    ----------
    error : OSError
        Of a write.
    path : Path
        Of the file.

    Returns
    -------
    StorageError
        One line.
    """
    why = "the disk is full" if error.errno in _FULL else one_line(error.strerror or "no access")
    return StorageError(one_line(f"{path.name.lstrip('.')} cannot be written: {why}"))


class PartialFile:
    """A file that grows; survives its process, so that the next one goes on with it.

    Parameters
    ----------
    path : Path
        Of the part; made where it is missing.
    checksum : Checksum or None
        To be known of it at the end.
    """

    def __init__(self, path: Path, checksum: Checksum | None) -> None:
        self.path = path
        self._tag_path = path.with_name(f"{path.name}.tag")
        self._algorithm = _known_algorithm(checksum)
        self._digest = None if self._algorithm is None else _digest(self._algorithm)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise no_space(error, path) from error
        self.length = os.lseek(self._descriptor, 0, os.SEEK_END)

    def __enter__(self) -> Self:
        """Go on with it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; one that is empty goes."""
        os.close(self._descriptor)
        if self.length == 0:
            self.remove()

    def take_up(self, cancel: threading.Event) -> None:
        """Read what there is, where its checksum is to be known; raises CancelledError."""
        if self._digest is None:
            return
        self.length = os.lseek(self._descriptor, 0, os.SEEK_SET)
        while block := os.read(self._descriptor, _BLOCK):
            self._digest.update(block)
            self.length += len(block)
            pause(cancel)

    @property
    def suffix(self) -> str:
        """Of the whole file's name, in lower case."""
        return Path(self.path.name.removesuffix(".part")).suffix.lower()

    @property
    def tag(self) -> str:
        """What the server called the version that this is a part of; empty where unknown."""
        try:
            return self._tag_path.read_text(encoding="latin-1")
        except FileNotFoundError:
            return ""

    @tag.setter
    def tag(self, value: str) -> None:
        if not value:
            self._tag_path.unlink(missing_ok=True)
            return
        try:
            self._tag_path.write_text(value, encoding="latin-1")
        except OSError as error:
            raise no_space(error, self.path) from error

    @property
    def digits(self) -> str | None:
        """Checksum of what there is, in lower case; None where none is kept."""
        return None if self._digest is None else self._digest.hexdigest()

    def write(self, block: bytes) -> None:
        """Add bytes; raises StorageError where the disk is full, and keeps what fitted."""
        view = memoryview(block)
        while view:
            try:
                written = os.write(self._descriptor, view)
            except OSError as error:
                raise no_space(error, self.path) from error
            if self._digest is not None:
                self._digest.update(view[:written])
            self.length += written
            view = view[written:]

    def start_over(self) -> None:
        """Forget what there is."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self.length = 0
        self._digest = None if self._algorithm is None else _digest(self._algorithm)
        self.tag = ""

    def sync(self) -> None:
        """Bring it to the disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise no_space(error, self.path) from error

    def remove(self) -> None:
        """Take it off the disk, with all that is known of it."""
        self.path.unlink(missing_ok=True)
        self._tag_path.unlink(missing_ok=True)


def put_in_place(part: Path, target: Path) -> None:
    """Give a complete file or folder its name, for good.

    Parameters
    ----------
    part : Path
        Beside the target.
    target : Path
        A file of that name is replaced.
    """
    part.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _known_algorithm(checksum: Checksum | None) -> str | None:
    if checksum is None or checksum.algorithm not in hashlib.algorithms_available:
        return None
    return checksum.algorithm


def _digest(algorithm: str) -> hashlib._Hash:
    return hashlib.new(algorithm, usedforsecurity=False)
