"""The bytes of a download, whole or with a fault."""

from __future__ import annotations

import gzip
import re
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from tests.catalog.scripted.archives import ScriptedProduct
from tests.catalog.scripted.faults import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from tests.catalog.scripted.resto import ScriptedResto


class _Untouched(Response):
    """An answer whose headers go out as they are, whatever they hold."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """Give the headers."""
        return self.headers


def answer_bytes(
    provider: ScriptedResto, request: Request, product: ScriptedProduct, fault: Fault | None
) -> Response:
    """Answer a download; a range is sent from its start to the end of the file, as PEPS does."""
    kind = fault.kind if fault else ""
    if fault and kind in ("status", "html", "redirect"):
        return _instead(fault)
    body = _corrupted(product.body) if kind == "corrupt" else product.body
    tag = f'"{product.md5}"'
    first = 0 if kind == "ignore_range" else _first_byte(request, tag)
    if first and first >= len(body):
        return Response(b"", 416, {"Content-Range": f"bytes */{len(body)}"})
    if kind == "wrong_range" and first:
        first -= 1
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}",
        **({"ETag": tag} if provider.validators else {}),
    }
    rest = body[first:]
    if kind == "gzip":
        rest = gzip.compress(rest)
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(rest))
    response = Response(
        _sent(provider, request, rest, fault),
        206 if first else 200,
        headers,
        mimetype="application/zip",
        direct_passthrough=True,
    )
    response.automatically_set_content_length = False
    return response


def _instead(fault: Fault) -> Response:
    if fault.kind == "redirect":
        return _Untouched(b"", 302, {"Location": fault.to, "Content-Length": "0"})
    if fault.kind == "html":
        kinds = {"{": "application/json", "<?": "application/xml"}
        kind = next((kind for begin, kind in kinds.items() if fault.text.startswith(begin)), "")
        return Response(fault.text, 200, mimetype=kind or "text/html")
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return Response(fault.text, fault.status, headers, mimetype="text/html")


def _first_byte(request: Request, tag: str) -> int:
    found = re.fullmatch(r"bytes=(\d+)-\d*", request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", tag) != tag:
        return 0
    return int(found[1])


def _corrupted(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]


def _sent(
    provider: ScriptedResto, request: Request, rest: bytes, fault: Fault | None
) -> Iterator[bytes]:
    kind = fault.kind if fault else ""
    end = len(rest)
    if fault and kind in ("truncate", "stall", "reset", "drip"):
        end = int(len(rest) * fault.share)
    elif kind == "short":
        end -= 1
    for piece in _counted(provider, rest[:end]):
        yield piece
        if provider.chunk_wait_s:
            provider.stopped.wait(provider.chunk_wait_s)
    if kind == "stall":
        provider.stopped.wait(120)
    elif kind == "drip":
        for position in range(end, len(rest)):
            yield rest[position : position + 1]
            if provider.stopped.wait(0.05):
                return
    elif kind == "reset":
        connection: socket.socket = request.environ["werkzeug.socket"]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def _counted(provider: ScriptedResto, body: bytes) -> Iterator[bytes]:
    """Give a body in pieces; it counts as being sent until its last piece is on its way.

    Whoever has that piece may ask for the next body before this thread hears that it arrived.
    """
    step = provider.chunk_size
    pieces = range(0, len(body), step)
    provider.begin()
    counted = True
    try:
        for start in pieces:
            if start == pieces[-1]:
                provider.end()
                counted = False
            yield body[start : start + step]
    finally:
        if counted:
            provider.end()
