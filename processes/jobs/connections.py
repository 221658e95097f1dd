"""Connections to the database of the store: SQLite in a file, or PostgreSQL.

Every transaction is short and belongs to one call, so that threads, processes and machines may
share a store.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import Pool

from processes.jobs.errors import StoreError, StoreUnavailableError

PATIENCE_S = 30
"""How long a call waits for others [s]; far more than any transaction takes."""


_NETWORK = {
    "connect_timeout": 10,
    # a server that vanished without a word is noticed within half a minute, not hours
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 1000 * PATIENCE_S,
}


class Database:
    """An engine with transactions for reading and for writing.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE``, or ``postgresql://USER:PASSWORD@HOST/NAME``.

    Raises
    ------
    StoreError
        The address is of another kind, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._inherited: list[Pool] = []
        if self.is_sqlite:
            _make_private_file(self.file)
            self.engine = create_engine(
                self.url,
                hide_parameters=True,  # errors of the driver would repeat tokens in logs
                connect_args={"timeout": PATIENCE_S},
            )
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_immediately)
            self._readers = self.engine.execution_options(reads_only=True)
        else:
            self.engine = _postgresql_engine(self.url)
            self._readers = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        _databases.add(self)

    @property
    def file(self) -> Path:
        """The file of an SQLite database."""
        return Path(self.url.database or "")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Run statements that change nothing, each with its own view of the store."""
        with _told_plainly(), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Run a transaction: all of it, or nothing if the block or the process fails."""
        with _told_plainly(), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; the next call would open new ones."""
        self.engine.dispose()

    def forget_connections(self) -> None:
        """In a forked child: leave alone what belongs to the parent, and do not even close it."""
        self._inherited.append(self.engine.pool)
        self.engine.dispose(close=False)


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    for database in list(_databases):
        database.forget_connections()


os.register_at_fork(after_in_child=_after_fork)


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
    except exc.ArgumentError as error:
        raise StoreError("the job store must be an address as in sqlite:///jobs.sqlite") from error
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:" and not url.query:
        return url.set(
            drivername="sqlite+pysqlite", database=str(Path(url.database).expanduser().absolute())
        )
    if kind == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"the job store must be a file of SQLite or PostgreSQL, got {kind}")


def _make_private_file(file: Path) -> None:
    """Make the file readable by its owner alone: it holds the keys to pages of jobs."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"the job store must be writable, got {file}: {error}") from error


def _postgresql_engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            # A statement after a lock must see what the one who had it before has changed.
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_NETWORK,
        )
    except ImportError as error:
        raise StoreError("PostgreSQL needs psycopg: install the extra postgresql") from error
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not the driver
    connection.execute("PRAGMA synchronous = FULL")  # an accepted job survives a power failure


def _begin_immediately(connection: Connection) -> None:
    if not connection.get_execution_options().get("reads_only"):
        # A transaction that reads first and writes later could find itself locked out for good.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_up_postgresql(connection: Any, _record: object) -> None:
    # Whoever freezes inside a transaction loses it, and does not hold everybody else up.
    milliseconds = PATIENCE_S * 1000
    connection.execute(f"SET lock_timeout = {milliseconds}")
    connection.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}")
    connection.commit()


# Not reached, cut off, locked for too long, no connection left; not: mistakes of ours.
_TROUBLE = (exc.OperationalError, exc.InternalError, exc.InterfaceError, exc.TimeoutError)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except _TROUBLE as error:
        raise StoreUnavailableError("the job store does not answer, try again later") from error
