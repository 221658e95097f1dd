"""Where a store is: addresses, versions of tables, backups, and a store that is gone."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from processes.jobs.errors import StoreError, StoreUnavailableError
from processes.jobs.model import JobState, Limits
from processes.jobs.schema import metadata
from processes.jobs.store import JobStore
from tests.processes.jobs.stores import order, start


def open_store(file: Path) -> JobStore:
    store = JobStore(f"sqlite:///{file}", Limits())
    store.migrate()
    return store


def test_the_versions_lead_to_the_tables_that_are_used(store: JobStore) -> None:
    with store._database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_to_migrate_again_changes_nothing(store: JobStore) -> None:
    job = store.submit(order(), now=1.0)
    store.drain(True)
    store.migrate()
    assert store.get(job.id) == job
    assert store.draining


def test_tables_of_a_later_version_are_refused(store: JobStore) -> None:
    with store._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="later version"):
        store.migrate()


@pytest.mark.parametrize(
    "url",
    ["", "jobs.sqlite", "sqlite://", "sqlite:///:memory:", "mysql://host/name", "sqlite:///?x=1"],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(StoreError, match="the job store must be"):
        JobStore(url, Limits())


def test_a_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a folder%20" / "jobs.sqlite")
    store.submit(order(), now=1.0)
    for file in (tmp_path / "a folder%20").glob("jobs.sqlite*"):
        if file.suffix != ".lock":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    store.close()


def test_a_store_that_does_not_answer_says_so(tmp_path: Path) -> None:
    store = JobStore(f"postgresql://owner:secret@/jobs?host={tmp_path}", Limits())
    with pytest.raises(StoreUnavailableError) as caught:
        store.claim("w1", lease=1.0, now=1.0)
    assert str(caught.value) == "the job store does not answer, try again later"


def test_a_backup_brings_everything_back(tmp_path: Path) -> None:
    store = open_store(tmp_path / "jobs.sqlite")
    waiting = store.submit(order("é"), now=1.0)
    running = start(store)
    key = store.create_key("ann", now=1.0)
    copy = tmp_path / "copies" / "jobs.backup"
    store.backup(copy)
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600

    watcher = open_store(tmp_path / "jobs.sqlite")  # of another process, open all the time
    store.finish(running.id, 1, JobState.FAILED, now=2.0, keep=1.0)
    store.submit(order(), now=2.0)
    store.revoke_keys("ann")
    store.restore(copy)
    for reader in (store, watcher):
        assert [job.id for job in reader.jobs(limit=9)] == [waiting.id]
        assert reader.get(running.id) == running
        assert reader.user_of_key(key) == "ann"
    assert [job.id for job in watcher.lost(now=1e6)] == [running.id]
    watcher.submit(order(), now=3.0)
    assert len(store.jobs(limit=9)) == 2
    elsewhere = JobStore(f"sqlite:///{tmp_path / 'new.sqlite'}", Limits())
    elsewhere.restore(copy)
    assert elsewhere.get(running.id) == running
    for opened in (store, watcher, elsewhere):
        opened.close()


def test_what_is_no_backup_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    store = open_store(tmp_path / "jobs.sqlite")
    job = store.submit(order(), now=1.0)
    text_file, other, later = (tmp_path / name for name in ("text", "other", "later"))
    text_file.write_text("no database " * 1000)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE jobs (x)")
    store.backup(later)
    with closing(sqlite3.connect(later)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for wrong in (text_file, other, later, tmp_path / "missing", tmp_path):
        with pytest.raises(StoreError):
            store.restore(wrong)
    assert store.jobs(limit=9) == [job]
    store.close()


def test_postgresql_has_programs_of_its_own_for_copies(postgresql: str, tmp_path: Path) -> None:
    store = JobStore(postgresql, Limits())
    with pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "copy")
    with pytest.raises(StoreError, match="pg_restore"):
        store.restore(tmp_path / "copy")
    store.close()
