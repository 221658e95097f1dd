"""A runner for many tests: its spawner takes seconds to import everything."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.jobs.runner import LocalRunner
from tests.processes.jobs.places import processes_in, write_configuration
from tests.processes.jobs.stores import make_store, postgresql, store, store_url
from tests.processes.jobs.worker_place import place

__all__ = ["make_store", "place", "postgresql", "store", "store_url"]


class SharedRunner(LocalRunner):
    """A runner that outlives the worker that closes it."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """State folder of a server that offers the fake job."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYWPS_CFG", str(write_configuration(folder)))
        yield folder / "var"


@pytest.fixture(scope="session")
def runner(state: Path) -> Iterator[LocalRunner]:
    found = SharedRunner()
    yield found
    LocalRunner.close(found)
    for pid in processes_in(state):  # of a test that failed
        os.kill(pid, signal.SIGKILL)
