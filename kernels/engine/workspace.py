"""Scratch folders that leave nothing behind, and results that appear whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch_folder(near: Path) -> Iterator[Path]:
    """Give a hidden folder on the file system of `near`; it is gone afterwards, whatever happens.

    Parameters
    ----------
    near : Path
        Folder in which the scratch folder is made; created if missing, and taken away again if
        it was created here and is still empty at the end.

    Yields
    ------
    Path
        The scratch folder.
    """
    created = [p for p in (near, *near.parents) if not p.exists()]
    near.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".scratch-", dir=near))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # someone else has put something there, or taken it away
            for parent in created:
                parent.rmdir()


def publish(source: Path, target: Path) -> Path:
    """Give a finished file its final name in one step, on the same file system.

    Parameters
    ----------
    source : Path
        Complete file in a scratch folder.
    target : Path
        Final name; an older file of that name is replaced.

    Returns
    -------
    Path
        `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    return source.replace(target)
