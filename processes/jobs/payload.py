"""What runs in the processes of an attempt: a leader that only watches, and the work.

The leader outlives a crash of the work and writes how the attempt ended, whether a worker is there
to see it or not. It reads the request from the folder of its job and never meets the store.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from kernels.engine.progress import Progress, Report
from kernels.errors import Cancelled, FournaiseError, ProcessingError
from processes.binding import plain_message
from processes.isolation import CrashError, run_isolated, stop_with
from processes.jobs.family import MARK, Family, Leader, since_boot
from processes.jobs.files import Lock, sync_folder, write_json
from processes.jobs.folders import AttemptFolder, End
from processes.jobs.model import JobState, Output
from processes.offered import offered_processes
from processes.running import run_process
from processes.settings import read_settings

LOGGER = logging.getLogger(__name__)
REPORT_INTERVAL = 0.2
"""Least time between two records of progress of one step [s]."""
_PR_SET_CHILD_SUBREAPER = 36


def preload() -> None:
    """Import what every attempt needs."""
    offered_processes(read_settings())


def lead(folder: AttemptFolder, lock: Lock) -> None:
    """Run an attempt in this process, which was forked for it, and end.

    Parameters
    ----------
    folder : AttemptFolder
        Of the attempt; the request lies in that of its job.
    lock : Lock
        Of the attempt; held until this process ends.
    """
    os.setsid()
    _redirect(folder)
    leader = Leader.of_this_process()
    write_json(folder.process_file, leader._asdict() | {"began": since_boot()})
    # descendants whose parent dies come to the leader, so that none gets lost
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    mark = f"{folder.job.path.name}.{folder.number}"
    os.environ[MARK] = mark
    end = _attempt(folder, lock)
    Family(leader, mark, folder.log_file).signal(signal.SIGKILL, spared=leader.pid)
    folder.write_end(end)
    os._exit(0)


def _redirect(folder: AttemptFolder) -> None:
    """Leave everything that belonged to the spawner, and write to the log of the attempt."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(folder.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, descriptor)
    os.chdir(folder.path)
    faulthandler.enable()
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
        force=True,
    )


def _attempt(folder: AttemptFolder, lock: Lock) -> End:
    """Run the work in a process below this one, and say how it ended."""
    stop_with(_stop_work)
    try:
        folder.job.clear_scratch()
        folder.results.mkdir()
        outputs = run_isolated(partial(_work, folder, lock), _recorder(folder))
    except Cancelled as error:
        return End(JobState.DISMISSED, plain_message(error))
    except CrashError as error:
        return End(None, plain_message(error))
    except FournaiseError as error:
        return End(JobState.FAILED, plain_message(error))
    return End(JobState.SUCCEEDED, "", outputs)


def _stop_work() -> None:
    for child in multiprocessing.active_children():
        child.terminate()


def _work(folder: AttemptFolder, lock: Lock, progress: Progress) -> tuple[Output, ...]:
    lock.release()  # held by the leader alone, whose end then shows
    job = folder.job.read_request()
    offered = offered_processes(read_settings())
    if job.process not in offered:
        raise ProcessingError(f"this server has no process {job.process} any more")
    work = folder.job.output
    work.mkdir(exist_ok=True)
    try:
        outputs = run_process(
            offered[job.process], job, work=work, results=folder.results, progress=progress
        )
        _write_through(folder.results)
    except OSError as error:
        LOGGER.exception("the work broke off")
        reason = os.strerror(error.errno) if error.errno else "a file cannot be used"
        raise ProcessingError(f"the server could not read or write: {reason}") from error
    return outputs


def _write_through(folder: Path) -> None:
    """Have files on disk before anybody is told that they are there."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)


def _recorder(folder: AttemptFolder) -> Report:
    """Make a report that keeps the record of progress fresh."""
    told = ("", 0.0)

    def report(share: float, step: str) -> None:
        nonlocal told
        now = time.monotonic()
        if step != told[0] or now - told[1] >= REPORT_INTERVAL:
            told = (step, now)
            with suppress(OSError):  # a full disk says so where it matters
                folder.write_progress(share, step)

    return report
