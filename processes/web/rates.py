"""How often one user, or one address, may ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from werkzeug.wrappers import Response

from processes.users import USER_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Rates:
    """Refuses what comes too often; counts in each process of the server by itself.

    Parameters
    ----------
    application : WSGI application
        Answers the others.
    per_minute : int
        Requests of one user, or of one address where users have no names.
    """

    def __init__(self, application: WSGIApplication, *, per_minute: int) -> None:
        self._application = application
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rate = RateLimitItemPerMinute(per_minute)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        who = environ.get(USER_KEY) or environ.get("REMOTE_ADDR", "")
        if not self._limiter.hit(self._rate, who):
            response = Response("too many requests, wait a minute\n", 429, {"Retry-After": "60"})
            return response(environ, start_response)
        return self._application(environ, start_response)
