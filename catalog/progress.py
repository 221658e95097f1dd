"""What is told while products are fetched, and the wish to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from catalog.errors import CancelledError


class Stage(StrEnum):
    """What happens to a product."""

    STAGING = "staging"
    """On its way from tape."""
    WAITING = "waiting"
    """For another process that fetches the same product, or to try again."""
    FETCHING = "fetching"
    EXTRACTING = "extracting"
    FETCHED = "fetched"
    THERE = "there"
    """It was on this disk before."""
    FAILED = "failed"


class Progress(NamedTuple):
    """News of one product.

    `share` (0 to 1) is of the stage, None where it cannot be known; `received` and `total`
    [bytes] and `speed` [bytes/s] are of the file that is fetched; `text` says why.
    """

    name: str
    stage: Stage
    share: float | None = None
    received: int = 0
    total: int | None = None
    speed: float = 0.0
    text: str = ""


Report = Callable[[Progress], None]
"""Is called from several threads, a few times a second at most for each product."""


def silent(_progress: Progress) -> None:
    """Tell nobody."""


def pause(cancel: threading.Event, seconds: float = 0.0) -> None:
    """Wait, or hear at once that it is to stop.

    Parameters
    ----------
    cancel : threading.Event
        Set by who wants to stop.
    seconds : float
        How long; 0 only listens.

    Raises
    ------
    CancelledError
        `cancel` is set.
    """
    if cancel.wait(seconds) if seconds > 0 else cancel.is_set():
        raise CancelledError("stopped on request")


class Pace:
    """Keeps all that use it together from being faster than a speed [bytes/s]; None: any."""

    def __init__(self, speed: float | None, cancel: threading.Event) -> None:
        self._speed = speed
        self._cancel = cancel
        self._free = 0.0
        self._lock = threading.Lock()

    def keep(self, length: int) -> None:
        """Wait until so many bytes more are within the speed; raises CancelledError."""
        if self._speed is None:
            return
        with self._lock:
            now = time.monotonic()
            self._free = end = max(now, self._free) + length / self._speed
        pause(self._cancel, end - now)


class Meter:
    """Counts the bytes of one file and tells of them, not too often."""

    def __init__(
        self,
        name: str,
        stage: Stage,
        report: Report,
        *,
        total: int | None,
        pace: Pace | None = None,
    ) -> None:
        self._name = name
        self._stage = stage
        self._report = report
        self._began = self._told = time.monotonic()
        self._counted = 0
        self._pace = pace
        self.total = total

    def count(self, more: int, received: int) -> None:
        """Add what came now, at the pace that is kept; `received` [bytes] is what there is."""
        self._counted += more
        if self._pace is not None:
            self._pace.keep(more)
        now = time.monotonic()
        if now - self._told < _BETWEEN_S and received != self.total:
            return
        self._told = now
        share = min(received / self.total, 1.0) if self.total else None
        speed = self._counted / max(now - self._began, 1e-6)
        self._report(Progress(self._name, self._stage, share, received, self.total, speed))


_BETWEEN_S = 0.25
