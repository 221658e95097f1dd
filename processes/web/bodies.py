"""Bodies of requests: of known and bounded size, in bounded time, before anything parses them."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST = 1_000_000
"""Of a body [bytes]; requests hold names and numbers."""
LONGEST = 10.0
"""Time for a client to send it [s]."""
_PIECE = 1 << 16


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

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            body = self._read(environ)
        except HTTPException as error:
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
        socket: Any = environ.get("gunicorn.socket")
        deadline = time.monotonic() + self._longest
        pieces = []
        try:
            while length > 0:
                left = deadline - time.monotonic()
                if left <= 0.0:
                    raise RequestTimeout("the body must arrive faster")
                if socket is not None:
                    socket.settimeout(left)
                piece = environ["wsgi.input"].read(min(length, _PIECE))
                if not piece:
                    raise BadRequest("the body is shorter than Content-Length")
                pieces.append(piece)
                length -= len(piece)
        except TimeoutError as error:
            raise RequestTimeout("the body must arrive faster") from error
        finally:
            if socket is not None:
                socket.settimeout(None)
        return b"".join(pieces)
