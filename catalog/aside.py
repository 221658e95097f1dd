"""Calls that may keep their caller waiting, made in threads that can be left alone."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from catalog.errors import CancelledError
from catalog.progress import pause

_LOOK_S = 0.1

Result = TypeVar("Result")


def aside(
    call: Callable[[], Result],
    cancel: threading.Event,
    *,
    seconds: float = math.inf,
    unwanted: Callable[[Result], object] = lambda _: None,
) -> Result:
    """Make a call, but wait no longer than somebody wants.

    A server may keep a question for a minute, or answer its head byte by byte; neither ends by
    itself when somebody wants to stop.

    Parameters
    ----------
    call : callable
        Without arguments.
    cancel : threading.Event
        Ends the wait.
    seconds : float
        Longest wait [s].
    unwanted : callable
        Gets a result that comes when nobody waits for it any more.

    Returns
    -------
    object
        What the call returns; its errors are raised here.

    Raises
    ------
    CancelledError
        `cancel` was set.
    TimeoutError
        It took longer.
    """
    lock, left = threading.Lock(), threading.Event()
    results: list[Result] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            result = call()
        except Exception as error:  # noqa: BLE001  is raised in the caller's thread
            errors.append(error)
            return
        with lock:
            results.append(result)
            if left.is_set():
                unwanted(result)

    thread = threading.Thread(target=run, name="aside", daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    try:
        while thread.is_alive():
            thread.join(_LOOK_S)
            pause(cancel)
            if thread.is_alive() and time.monotonic() > end:
                raise TimeoutError
    except (CancelledError, TimeoutError):
        with lock:
            left.set()
            if results:
                unwanted(results[0])
        raise
    if errors:
        raise errors[0]
    return results[0]
