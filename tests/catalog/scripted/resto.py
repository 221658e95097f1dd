"""A resto server as PEPS ran it: search, staging from tape, downloads."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from tests.catalog.scripted.archives import ScriptedProduct
from tests.catalog.scripted.bodies import answer_bytes
from tests.catalog.scripted.faults import Faults
from tests.catalog.scripted.search import search, step
from tests.catalog.scripted.server import Seen
from tests.catalog.scripted.stac import SEARCH, search_items

_SEARCH = re.compile(r"/resto/api/collections(?:/(?P<collection>\w+))?/search\.json")
_DOWNLOAD = re.compile(r"/resto/collections/(?P<collection>\w+)/(?P<id>[0-9a-f-]{36})/download/?")
_ON_DISK = ("disk", "tier2", "unknown")
MILLISECONDS_TO_WAIT = 180_000


class RestoError(Exception):
    """A refusal as resto writes it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class ScriptedResto:
    """The application.

    `users` by name: password. Anonymous requests get 401; wrong passwords 404, as seen, or 401
    where `wrong_password_status` says so. `tokens` are accepted as Bearer, `keys` as X-API-Key or
    in the address.
    Nobody has to log in where there are none of the three.
    """

    def __init__(self, products: Iterable[ScriptedProduct] = ()) -> None:
        self.products: dict[str, ScriptedProduct] = {}
        self.faults = Faults()
        self.log: list[Seen] = []
        self.address = ""
        self.users: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.keys: set[str] = set()
        self.wrong_password_status = 404
        self.quota_used_up = False
        self.tape_down = False
        """All storage is unknown, as when the tape service does not answer."""
        self.milliseconds_to_wait = MILLISECONDS_TO_WAIT
        self.chunk_size = 65_536
        self.chunk_wait_s = 0.0
        self.validators = True
        """Whether answers have an ETag."""
        self.most_active = 0
        self.stopped = threading.Event()
        self._active = 0
        self._lock = threading.RLock()
        self.add(*products)

    def add(self, *products: ScriptedProduct) -> None:
        """Put products into the catalogue."""
        self.products.update({product.name: product for product in products})

    def reset(self) -> None:
        """Forget products, faults, users and what was asked; for the next test."""
        self.products.clear()
        self.faults.clear()
        self.log.clear()
        self.users, self.tokens, self.keys = {}, set(), set()
        self.wrong_password_status = 404
        self.quota_used_up = self.tape_down = False
        self.milliseconds_to_wait = MILLISECONDS_TO_WAIT
        self.chunk_size, self.chunk_wait_s, self.validators = 65_536, 0.0, True
        self.most_active = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        product, fault = "", ""
        try:
            if (found := _SEARCH.fullmatch(request.path)) is not None:
                with self._lock:
                    response = search(self, found["collection"], request.args)
            elif request.path == SEARCH:
                response = search_items(self, request)
            elif (found := _DOWNLOAD.fullmatch(request.path)) is not None:
                product = self._product(found["collection"], found["id"]).name
                response, fault = self._download(request, self.products[product])
            else:
                raise RestoError(404, "Not Found")
        except RestoError as error:
            response = resto_refusal(error)
        except HTTPException as error:
            response = error.get_response()
        self._note(request, product, response.status_code, fault)
        return response(environ, start_response)

    def _note(self, request: Request, product: str, status: int, fault: str) -> None:
        self.log.append(
            Seen(
                request.method,
                request.path,
                request.args.to_dict(),
                {name.lower(): value for name, value in request.headers.items()},
                product,
                status,
                fault,
                time.monotonic(),
            )
        )

    def _product(self, collection: str, identifier: str) -> ScriptedProduct:
        for product in self.products.values():
            if product.collection == collection and product.identifier == identifier:
                return product
        raise RestoError(404, "Not Found")

    def _download(self, request: Request, product: ScriptedProduct) -> tuple[Response, str]:
        self._admit(request)
        if product.moved_to:
            raise RestoError(404, f"Feature has been moved, new feature id is : {product.moved_to}")
        if self.quota_used_up:
            raise RestoError(420, "week|10000000")
        fault = self.faults.take(product.name)
        if fault is not None and fault.kind == "silent":
            self.stopped.wait(120)
        with self._lock:
            if product.storage not in _ON_DISK and poll(product) not in _ON_DISK:
                wait = str(self.milliseconds_to_wait)
                headers = {"Retry-After": wait, "X-regards-retry": wait}
                return Response(b"", 202, headers, mimetype="application/json"), ""
        response = answer_bytes(self, request, product, fault)
        return response, fault.kind if fault else ""

    def _admit(self, request: Request) -> None:
        if not (self.users or self.tokens or self.keys):
            return
        given = request.authorization
        if {request.headers.get("X-API-Key", ""), request.args.get("apikey", "")} & self.keys:
            return
        if given is not None and given.type == "bearer" and given.token in self.tokens:
            return
        if given is not None and given.type == "basic":
            if given.username in self.users and self.users[given.username] == given.password:
                return
            status = self.wrong_password_status
            raise RestoError(status, "Not Found" if status == 404 else "Unauthorized")
        raise RestoError(401, "Unauthorized")

    def begin(self) -> None:
        """Count a body that is being sent."""
        with self._lock:
            self._active += 1
            self.most_active = max(self.most_active, self._active)

    def end(self) -> None:
        """Count a body that has been sent or broke off."""
        with self._lock:
            self._active -= 1


def poll(product: ScriptedProduct) -> str:
    """Begin to stage a product, or bring it a step nearer; return where it is then."""
    if product.storage == "staging":
        return step(product)
    product.polls_left = product.polls_to_stage
    product.storage = "staging"
    return product.storage


def resto_refusal(error: RestoError) -> Response:
    """Write a refusal: the code is also the status where that is below 502."""
    response = Response(mimetype="application/json")
    response.status_code = error.status if error.status < 502 else 400
    text = error.message.replace("\\", "\\\\").replace('"', '\\"')
    response.set_data(f'{{"ErrorMessage":"{text}","ErrorCode":{error.status}}}')
    return response
