"""Work in a process of its own, so that it can crash, or be killed, alone.

The web server and the job's supervisor stay single-threaded and small, and may therefore fork;
threads, GDAL and memory belong to the process that computes.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from kernels.engine.progress import Progress, Report
from kernels.errors import FournaiseError, ProcessingError

LOGGER = logging.getLogger(__name__)
Result = TypeVar("Result")
ALIVE_INTERVAL = 0.5
"""Longest time until a silent process is seen to be gone [s]."""
STOP_TIMEOUT = 30.0
"""Longest time for work to end once it was asked to [s]."""


class CrashError(ProcessingError):
    """Work ended without a word: killed, or crashed."""


class _Step(NamedTuple):
    share: float
    name: str


class _End(NamedTuple):
    result: Any
    error: FournaiseError | None


def run_isolated(work: Callable[[Progress], Result], report: Report) -> Result:
    """Run a piece of work in a forked process and wait for it.

    Parameters
    ----------
    work : callable
        ``work(progress) -> result``; the result must survive pickling. It is cancelled by
        SIGTERM or SIGINT, and at its next report when this process is gone.
    report : Report
        Called here with what the work reports of its progress.

    Returns
    -------
    object
        What the work returned.

    Raises
    ------
    FournaiseError
        What the work raised; ProcessingError where it failed for a reason that it does not know
        of (the cause is logged), CrashError where it was killed or crashed.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work_and_tell, args=(work, receiver, sender))
    child.start()
    sender.close()
    try:
        while isinstance(message := _next_message(child, receiver), _Step):
            report(*message)
    except EOFError:
        child.join()
        raise CrashError(
            f"the processing was stopped from outside with exit code {child.exitcode}, "
            "often for lack of memory"
        ) from None
    finally:
        receiver.close()
        _end(child)
    if message.error is not None:
        raise message.error
    return message.result  # type: ignore[no-any-return]


def _end(child: ForkProcess) -> None:
    """Ask a process to end, then make it."""
    child.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT
    # join with a time-out would wait for a pipe that a process left behind may hold open
    while child.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.join()


def _next_message(child: ForkProcess, receiver: Connection) -> _Step | _End:
    """Wait for a message; raises EOFError once there will be none."""
    while not receiver.poll(ALIVE_INTERVAL):
        # processes that the work left behind may hold the other end, so that it stays open
        if not child.is_alive() and not receiver.poll():
            raise EOFError
    message: _Step | _End = receiver.recv()
    return message


def _work_and_tell(
    work: Callable[[Progress], Any], receiver: Connection, sender: Connection
) -> None:
    receiver.close()  # held by the parent alone, whose death then shows as a broken pipe
    progress = Progress.to(lambda share, step: sender.send(_Step(share, step)))
    stop_with(progress.cancelled.set)
    try:
        end = _End(work(progress), None)
    except FournaiseError as error:
        end = _End(None, error)
    except BrokenPipeError:
        return
    except Exception:  # the one edge behind which nothing unforeseen may pass
        LOGGER.exception("the processing failed unexpectedly")
        end = _End(None, ProcessingError("unexpected error, described in the log of the server"))
    sender.send(end)


def stop_with(stop: Callable[[], None]) -> None:
    """Call a function at SIGTERM and SIGINT, in place of what this process did until now.

    Parameters
    ----------
    stop : callable
        Takes no arguments and returns at once.
    """

    def react(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, react)
