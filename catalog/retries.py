"""When to try again, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED = frozenset({408, 425, 429})
"""Statuses of refusals that pass; so do all from 500 on."""
_PROGRESS = 1 << 20
"""Bytes beyond what was ever reached that give back all attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to try and how long to wait.

    Attributes
    ----------
    attempts : int
        One after the other that bring nothing new.
    bad_bodies : int
        Files that arrived whole and were wrong.
    first_wait_s, longest_wait_s : float
        Of waits that double [s].
    longest_asked_wait_s : float
        That a server may ask for [s].
    """

    attempts: int = 8
    bad_bodies: int = 3
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_wait_s: float = 900.0


def asked_wait_s(text: str | None, *, unit_s: float, now: datetime | None = None) -> float | None:
    """Read a Retry-After.

    Parameters
    ----------
    text : str or None
        A number or a date as in mails.
    unit_s : float
        Of a number [s].
    now : datetime, optional
        Instant that a date is compared with.

    Returns
    -------
    float or None
        Wait [s], not negative; None where there is none that can be read.
    """
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        return number * unit_s if 0 <= number < float("inf") else None
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max((then - (now or datetime.now(UTC))).total_seconds(), 0.0)


class Tries:
    """What one file has left of its patience."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._bad_bodies = 0
        self._furthest = 0

    def after_failure(self, reached: int, asked_s: float | None) -> float | None:
        """Tell how long to wait after a connection that failed.

        Parameters
        ----------
        reached : int
            Bytes there are now.
        asked_s : float or None
            What the server asked for [s].

        Returns
        -------
        float or None
            Wait [s]; None where it is enough.
        """
        if reached >= self._furthest + _PROGRESS:
            self._furthest, self._failures = reached, 0
        self._failures += 1
        if self._failures >= self._patience.attempts:
            return None
        if asked_s is not None:
            return min(asked_s, self._patience.longest_asked_wait_s)
        return self._wait_s(self._failures)

    def after_bad_body(self) -> float | None:
        """Tell how long to wait [s] after a whole file that was wrong; None: it is enough."""
        self._bad_bodies += 1
        if self._bad_bodies >= self._patience.bad_bodies:
            return None
        return self._wait_s(self._bad_bodies)

    def _wait_s(self, number: int) -> float:
        longest = min(
            self._patience.first_wait_s * 2.0 ** (number - 1), self._patience.longest_wait_s
        )
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  so that clients do not march in step
