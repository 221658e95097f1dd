"""Copies of a store in SQLite, made and put back while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from kernels.engine.workspace import publish, scratch_folder
from processes.jobs.connections import PATIENCE_S, Database
from processes.jobs.errors import StoreError
from processes.jobs.migration import migrate


def backup(database: Database, path: Path) -> None:
    """Copy the store as it is at one moment; nobody has to wait.

    Parameters
    ----------
    database : Database
        The store.
    path : Path
        File to make, or to replace once the copy is complete. It holds the keys to pages of jobs:
        its owner alone may read it.

    Raises
    ------
    StoreError
        The store is in PostgreSQL.
    """
    _check_kind(database, "pg_dump makes the copy")
    with scratch_folder(path.absolute().parent) as folder:
        copy = folder / "copy.sqlite"
        copy.touch(mode=0o600)
        _copy(database.file, copy)
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
        publish(copy, path)


def restore(database: Database, path: Path) -> None:
    """Replace everything in the store by a backup, brought to this version first.

    Jobs that ran when the backup was made count as lost: their leases have ended.

    Parameters
    ----------
    database : Database
        The store; its servers and workers may go on.
    path : Path
        What `backup` made, by this or an earlier version.

    Raises
    ------
    StoreError
        The store is in PostgreSQL, or the file is no backup of this or an earlier version.
    """
    _check_kind(database, "pg_restore brings a copy back")
    migrate(database)
    with scratch_folder(database.file.parent) as folder:
        copy = folder / "copy.sqlite"
        try:
            _check_backup(path)
            _copy(path, copy)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"backup must be a file that backup made, got {path}") from error
        candidate = Database(f"sqlite:///{copy}")
        migrate(candidate)
        candidate.close()
        _copy(copy, database.file)


def _check_kind(database: Database, instead: str) -> None:
    if not database.is_sqlite:
        raise StoreError(f"backup and restore must be of a store in SQLite: {instead}")


def _check_backup(path: Path) -> None:
    with closing(_opened(path)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise StoreError(f"backup must be undamaged, got {path}: {verdict}")
        connection.execute("SELECT version_num FROM alembic_version")


def _opened(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE_S)


def _copy(source: Path, target: Path) -> None:
    with closing(_opened(source)) as old, closing(sqlite3.connect(target)) as new:
        new.execute(f"PRAGMA busy_timeout = {PATIENCE_S * 1000}")
        old.backup(new)
