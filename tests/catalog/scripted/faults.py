"""What goes wrong, and when."""

from __future__ import annotations

import random
import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "status",  # an error status, with a Retry-After
    "truncate",  # all but `share` of the body is missing, though its length was told
    "short",  # one byte is missing at the end
    "silent",  # no answer at all
    "stall",  # nothing more after `share` of the body
    "drip",  # one byte at a time
    "reset",  # the connection breaks off after `share` of the body
    "corrupt",  # the right size, other bytes
    "html",  # a page with status 200; JSON or XML where the text is such
    "ignore_range",  # the whole body, whatever was asked for
    "wrong_range",  # a part that was not asked for
    "gzip",  # compressed on the way
    "redirect",  # elsewhere
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one request."""

    kind: Kind
    status: int = 503
    retry_after: str = ""
    share: float = 0.5
    to: str = ""
    text: str = "<html><title>Maintenance</title><body>Back at noon</body></html>"


class Faults:
    """Faults by product, used up one per download; or drawn at random, the same each time."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._share = 0.0
        self._kinds: tuple[Fault, ...] = ()
        self._counts: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def plan(self, name: str, *faults: Fault | None) -> None:
        """Let the next downloads of a product go wrong so; None lets one pass."""
        self._planned[name].extend(faults)

    def always(self, name: str, fault: Fault) -> None:
        """Let every download of a product go wrong so."""
        self._always[name] = fault

    def draw(self, share: float, kinds: Iterable[Fault]) -> None:
        """Let this share of all downloads go wrong in these ways."""
        self._share, self._kinds = share, tuple(kinds)

    def take(self, name: str) -> Fault | None:
        """Return what goes wrong with a download that begins now."""
        with self._lock:
            self._counts[name] += 1
            if self._planned[name]:
                return self._planned[name].popleft()
            if name in self._always:
                return self._always[name]
            drawn = random.Random(f"{name} {self._counts[name]}")
            if self._kinds and drawn.random() < self._share:
                return drawn.choice(self._kinds)
            return None

    def clear(self) -> None:
        """Let everything go well from now on."""
        self._planned.clear()
        self._always.clear()
        self._share = 0.0
