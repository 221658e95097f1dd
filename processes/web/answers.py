"""What holds for every answer: headers that protect its reader, a line in the log, no traceback."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from processes.jobs.errors import StoreUnavailableError
from processes.log import event, warn_of
from processes.users import JOB_KEY, USER_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOGGER = logging.getLogger(__name__)
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Referrer-Policy", "no-referrer"),  # addresses of jobs are secrets
)
_SECRET = re.compile(r"(?<=/key/)[^/\s'\"]+|(?<=[0-9a-f]{4})[0-9a-f]{28,}", re.IGNORECASE)
_SHOWN = 200


class Answers:
    """Adds headers and logs, without any key or secret address.

    Parameters
    ----------
    application : WSGI application
        Makes the answers.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        begin = time.perf_counter()
        path = shown_path(environ.get("PATH_INFO", ""))

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            event(
                LOGGER,
                "request",
                method=environ.get("REQUEST_METHOD", ""),
                path=path,
                status=int(status[:3]),
                ms=round(1e3 * (time.perf_counter() - begin), 1),
                user=environ.get(USER_KEY, ""),
                address=environ.get("REMOTE_ADDR", ""),
                **({"job": environ[JOB_KEY]} if JOB_KEY in environ else {}),
            )
            return start_response(status, [*headers, *HEADERS], *more)

        try:
            return self._application(environ, start)
        except StoreUnavailableError as error:
            warn_of(LOGGER, "store does not answer", error)
            response = Response(f"{error}\n", 503, {"Retry-After": "30"})
            return response(environ, start)


def shown_path(path: str) -> str:
    """Return a path as it may stand in a log: without keys, secret addresses and odd characters.

    Parameters
    ----------
    path : str
        Of a request.

    Returns
    -------
    str
        At most 200 characters.
    """
    return ascii(without_secrets(path))[1:-1][:_SHOWN].replace(" ", "%20")


def without_secrets(text: str) -> str:
    """Return a text without the keys in its paths, and with the beginnings of tokens only."""
    return _SECRET.sub("...", text)
