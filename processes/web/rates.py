"""How often one user, or one address, may ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from processes.log import event
from processes.users import USER_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_WINDOW = 60.0
_MOST_KNOWN = 100_000

LOGGER = logging.getLogger(__name__)


class Rates:
    """Refuses what comes too often; counts in each process of the server by itself.

    Everybody may save up as many requests as a minute allows, and gets them back at an even rate.

    Parameters
    ----------
    application : WSGI application
        Answers the others.
    per_minute : int
        Requests of one user, or of one address where users have no names.
    """

    def __init__(self, application: WSGIApplication, *, per_minute: int) -> None:
        self._application = application
        self._per_minute = float(per_minute)
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        who = environ.get(USER_KEY) or environ.get("REMOTE_ADDR", "")
        if not self._allows(who):
            event(LOGGER, "refused", code=429, user=who, reason="too many requests")
            response = Response("too many requests, wait a minute\n", 429, {"Retry-After": "60"})
            return response(environ, start_response)
        return self._application(environ, start_response)

    def _allows(self, who: str) -> bool:
        now = time.monotonic()
        with self._lock:
            left, at = self._left.get(who, (self._per_minute, now))
            left = min(left + (now - at) * self._per_minute / _WINDOW, self._per_minute)
            if len(self._left) >= _MOST_KNOWN:  # who has all requests left is as good as unknown
                self._left = {k: v for k, v in self._left.items() if now - v[1] < _WINDOW}
            self._left[who] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0
