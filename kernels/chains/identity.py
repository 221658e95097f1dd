"""What files were, so that a later run can tell whether they are the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class FileState(NamedTuple):
    """A file at one moment.

    Attributes
    ----------
    path : str
        Name with its folder.
    size : int
        [bytes]; -1 where it vanished meanwhile.
    changed : int
        Time of the last change [ns]; -1 where it vanished meanwhile.
    """

    path: str
    size: int
    changed: int


def file_states(path: Path) -> Iterator[FileState]:
    """Look at a file, or at every file below a folder.

    Parameters
    ----------
    path : Path
        Of the file or folder.

    Yields
    ------
    FileState
        Of a folder in the order of the names.
    """
    if not path.is_dir():
        yield _state(path)
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            yield _state(Path(folder, name))


def _state(file: Path) -> FileState:
    try:
        found = file.stat()
    except OSError:  # gone between listing and looking: another state of the folder
        return FileState(str(file), -1, -1)
    return FileState(str(file), found.st_size, found.st_mtime_ns)
