"""Bodies of requests: of known and bounded size, in bounded time, before anything parses them."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from socket import SHUT_RD, socket
from typing import TYPE_CHECKING

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from processes.log import event

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOGGER = logging.getLogger(__name__)
LARGEST = 1_000_000
"""Of a body [bytes]; requests hold names and numbers."""
LONGEST = 10.0
"""Time for a client to send it, and to send what stands before it [s]."""


class Deadlines:
    """Cuts off connections whose time is over; one thread watches all of them.

    Whoever reads from such a connection sees its end.

    Parameters
    ----------
    longest : float
        Time that each has [s].
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._ends: dict[socket, float] = {}
        self._lock = threading.Lock()
        self._watching = False

    def begin(self, connection: socket) -> None:
        """Let the time of a connection run."""
        with self._lock:
            self._ends[connection] = time.monotonic() + self._longest
            if not self._watching:  # not earlier: a thread does not outlive a fork
                threading.Thread(target=self._watch, daemon=True).start()
                self._watching = True

    def end(self, connection: socket) -> bool:
        """Stop the time of a connection; False where it was over, or did not run."""
        with self._lock:
            return self._ends.pop(connection, None) is not None

    def _watch(self) -> None:
        while True:
            time.sleep(self._longest / 20.0)
            with self._lock:
                now = time.monotonic()
                over = [one for one, end in self._ends.items() if end < now]
                for connection in over:
                    del self._ends[connection]
                    with suppress(OSError):  # closed meanwhile
                        connection.shutdown(SHUT_RD)


class Bodies:
    """Reads the body of every request, or refuses it and closes the connection.

    Parameters
    ----------
    application : WSGI application
        Sees bodies that are there already.
    largest : int
        Size of a body [bytes].
    longest : float
        Time for a client to send it [s].
    """

    def __init__(
        self, application: WSGIApplication, *, largest: int = LARGEST, longest: float = LONGEST
    ) -> None:
        self._application = application
        self._largest = largest
        self._longest = longest
        self._deadlines = Deadlines(longest)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            body = self._read(environ)
        except HTTPException as error:
            event(LOGGER, "refused", code=error.code, reason=error.description)
            response = error.get_response(environ)
            response.headers["Connection"] = "close"  # what the client still sends is not read
            return response(environ, start_response)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        return self._application(environ, start_response)

    def _read(self, environ: WSGIEnvironment) -> bytes:
        if environ.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequired("give Content-Length, bodies in chunks are not read")
        text = environ.get("CONTENT_LENGTH") or ""
        if environ["REQUEST_METHOD"] == "POST" and not text:
            raise LengthRequired("give Content-Length")
        if not text:
            return b""
        if not text.isdecimal():
            raise BadRequest("Content-Length must be a number")
        length = int(text)
        if length > self._largest:
            raise RequestEntityTooLarge(f"a request may have {self._largest} bytes")
        if "json" in environ.get("CONTENT_TYPE", ""):
            raise UnsupportedMediaType("WPS requests are XML documents or addresses")
        return self._receive(environ, length)

    def _receive(self, environ: WSGIEnvironment, length: int) -> bytes:
        connection: socket | None = environ.get("gunicorn.socket")
        # a limit of the socket itself would begin again with every byte
        if connection is not None:
            self._deadlines.begin(connection)
        in_time = True
        try:
            body: bytes = environ["wsgi.input"].read(length)
        except OSError as error:
            raise BadRequest("the connection broke off") from error
        finally:
            if connection is not None:
                in_time = self._deadlines.end(connection)
        if len(body) == length:
            return body
        if not in_time:
            raise RequestTimeout(f"a body must arrive within {self._longest:g} s")
        raise BadRequest("the body is shorter than Content-Length")
