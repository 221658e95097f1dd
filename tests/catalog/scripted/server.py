"""Serving a scripted provider on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    import ssl

    from tests.catalog.scripted.faults import Faults
    from tests.catalog.scripted.resto import ScriptedResto


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came in, and how it was answered."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By name in lower case."""
    product: str
    """Name of the product that a download is of; else empty."""
    status: int
    fault: str
    time: float
    """Seconds of the monotonic clock."""


@dataclass
class Server:
    """A provider that is being served."""

    address: str
    provider: ScriptedResto
    log: list[Seen] = field(default_factory=list)

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.provider.faults

    def downloads(self, name: str = "") -> list[Seen]:
        """Return the requests for the bytes of a product, or of all."""
        return [seen for seen in self.log if seen.product and name in ("", seen.product)]

    def download_address(self, name: str) -> str:
        """Return where a product is downloaded from."""
        product = self.provider.products[name]
        return (
            f"{self.address}/resto/collections/{product.collection}/{product.identifier}/download"
        )


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: object) -> None:
        """Say nothing: requests that break off are part of the script."""


@contextmanager
def serving(
    provider: ScriptedResto,
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    """Serve on this machine until the block ends; port 0 takes any that is free."""
    http = make_server(
        "127.0.0.1", port, provider, threaded=True, request_handler=_Quiet, ssl_context=tls
    )
    http.daemon_threads = True
    http.block_on_close = False
    address = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}"
    server = Server(address, provider, provider.log)
    provider.address = address
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        provider.stopped.set()
        http.shutdown()
        thread.join(10)
        http.server_close()


def wait_for(condition: object, *, seconds: float = 30.0) -> None:
    """Wait until a callable says true; AssertionError when it does not in time."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
