"""Ends an answer that comes too slowly, or that nobody wants any more."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import Self

import urllib3

_LOOK_S = 0.2


class Watch:
    """Looks at an answer from a thread of its own while another reads it.

    A read that waits cannot be asked to stop, and a peer that sends a byte now and then never
    runs into the limit of one read; shutting the socket ends both.

    Parameters
    ----------
    answer : urllib3.BaseHTTPResponse
        Whose body is being read.
    cancel : threading.Event
        Stops it.
    minimum_speed : float
        Of the bytes counted in each window [bytes/s].
    window_s : float
        Length of a window [s].
    """

    def __init__(
        self,
        answer: urllib3.BaseHTTPResponse,
        cancel: threading.Event,
        *,
        minimum_speed: float,
        window_s: float,
    ) -> None:
        self._answer = answer
        self._cancel = cancel
        self._minimum_speed = minimum_speed
        self._window_s = window_s
        self._counted = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self.too_slow = False
        self.ended = False
        """What is read from now on may be no part of the answer."""

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        self._done.set()
        self._thread.join()

    def count(self, received: int) -> None:
        """Add bytes that came."""
        self._counted += received

    def _look(self) -> None:
        began, counted = time.monotonic(), 0
        while not self._done.wait(min(_LOOK_S, self._window_s)):
            if self._cancel.is_set():
                self._shut()
                return
            now = time.monotonic()
            if now - began < self._window_s:
                continue
            if self._counted - counted < self._minimum_speed * (now - began):
                self.too_slow = True
                self._shut()
                return
            began, counted = now, self._counted

    def _shut(self) -> None:
        self.ended = True
        with contextlib.suppress(ValueError, RuntimeError, OSError):  # it has ended by itself
            self._answer.shutdown()
