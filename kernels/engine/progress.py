"""Progress and cancellation, one object for both."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from kernels.errors import Cancelled

Report = Callable[[float, str], None]
"""Called with a share of the whole (0 to 1) and the name of the step."""


def _silent(_share: float, _step: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A share of a longer piece of work, told to whoever waits for it.

    Attributes
    ----------
    report : Report
        Called from one thread at a time, never with a smaller share than before.
    start, stop : float
        The part of the whole that this object stands for.
    cancelled : threading.Event
        Set by anyone to stop the work at the next block.
    """

    report: Report = _silent
    start: float = 0.0
    stop: float = 1.0
    cancelled: threading.Event = threading.Event()  # noqa: RUF009 - never set: the silent default

    @classmethod
    def to(cls, report: Report) -> Progress:
        """Return a whole piece of work that reports to a callable and can be cancelled."""
        return cls(report, 0.0, 1.0, threading.Event())

    def part(self, start: float, stop: float) -> Progress:
        """Return the piece between two shares of this one."""
        span = self.stop - self.start
        return Progress(
            self.report, self.start + start * span, self.start + stop * span, self.cancelled
        )

    def named(self, step: str) -> Progress:
        """Return this piece with one name for all of its steps."""
        return replace(self, report=lambda share, _step: self.report(share, step))

    def update(self, share: float, step: str) -> None:
        """Tell how much of this piece is done; raises Cancelled if someone asked to stop."""
        self.check()
        self.report(self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start), step)

    def check(self) -> None:
        """Raise Cancelled if someone asked to stop."""
        if self.cancelled.is_set():
            raise Cancelled("the processing was cancelled")
