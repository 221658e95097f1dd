"""Work in a process of its own ends in one of four ways, each of them seen from here."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from kernels.engine.progress import Progress
from kernels.errors import Cancelled, PairError, ProcessingError, RequestError
from processes import isolation
from processes.isolation import run_isolated


def silent(_share: float, _step: str) -> None:
    """Report to nobody."""


def test_the_result_and_the_progress_come_back_from_another_process() -> None:
    told: list[tuple[float, str]] = []

    def work(progress: Progress) -> int:
        progress.update(0.25, "reading")
        progress.update(1.0, "writing")
        return os.getpid()

    worker = run_isolated(work, lambda share, step: told.append((share, step)))
    assert worker != os.getpid()
    assert told == [(0.25, "reading"), (1.0, "writing")]


@pytest.mark.parametrize(
    "error", [PairError("tracks 7, 8 must be equal"), RequestError("looks", "at least 1", 0)]
)
def test_errors_come_back_as_they_were_raised(error: Exception) -> None:
    def work(_progress: Progress) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run_isolated(work, silent)
    assert str(caught.value) == str(error)


def test_an_unforeseen_error_is_logged_and_its_text_kept_back(tmp_path: Path) -> None:
    def work(_progress: Progress) -> None:
        raise ZeroDivisionError("a secret of the server")

    log = logging.FileHandler(tmp_path / "log")
    isolation.LOGGER.addHandler(log)
    try:
        with pytest.raises(ProcessingError) as caught:
            run_isolated(work, silent)
    finally:
        isolation.LOGGER.removeHandler(log)
        log.close()
    assert "secret" not in str(caught.value)
    assert "ZeroDivisionError: a secret of the server" in (tmp_path / "log").read_text()


def test_a_killed_process_is_a_failure_and_not_a_wait() -> None:
    def work(_progress: Progress) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ProcessingError, match="stopped from outside with exit code -9"):
        run_isolated(work, silent)


def test_a_terminated_process_cancels_its_work() -> None:
    def work(progress: Progress) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        progress.check()

    with pytest.raises(Cancelled):
        run_isolated(work, silent)


def test_work_stops_when_nobody_listens_any_more(tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"

    def work(progress: Progress) -> None:
        try:
            while True:
                progress.update(0.5, "waiting")
                time.sleep(0.01)
        finally:
            stopped.touch()

    def refuse(_share: float, _step: str) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_isolated(work, refuse)
    assert stopped.exists()
