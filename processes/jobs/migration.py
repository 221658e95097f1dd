"""Bring the tables of a store to the version of this code, whoever starts first.

Alembic runs the versions of `migrations` in one transaction and under a lock: a server, its workers
and their restarts may all call `migrate` at the same time.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from processes.jobs.connections import Database
from processes.jobs.errors import StoreError

_LOCK = 0x464F55524E  # among PostgreSQL's advisory locks; any number that nobody else uses
_threads = threading.Lock()  # Alembic keeps its context in globals


def migrate(database: Database) -> None:
    """Create the tables, or bring them to this version.

    Parameters
    ----------
    database : Database
        Empty, or of this or an earlier version.

    Raises
    ------
    StoreError
        The store was made by a later version, or does not answer.
    """
    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    with _threads, _one_at_a_time(database), database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError("the job store was made by a later version of Fournaise") from error


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[None]:
    """Hold others up while a file becomes a database with a write-ahead log.

    SQLite does not wait for that as it does for transactions: two at once fail.
    """
    if not database.is_sqlite:
        yield
        return
    # A file of its own: to close the database's would drop the locks that SQLite has on it.
    with database.file.with_name(f"{database.file.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with database.reading() as connection:
            connection.execute(text("PRAGMA journal_mode = WAL"))
        yield
