"""A store of plain files that lists itself in pages, as S3 does (ListObjectsV2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from tests.catalog.scripted.archives import ScriptedProduct
from tests.catalog.scripted.bodies import answer_bytes
from tests.catalog.scripted.resto import ScriptedResto

LISTING = ""
"""Name that faults of listings are planned under."""
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class ScriptedBucket(ScriptedResto):
    """The application; its products are files, by key."""

    page_size = 1000

    def put(self, key: str, body: bytes) -> None:
        """Put a file into the store."""
        self.add(ScriptedProduct(name=key, body=body))

    def reset(self) -> None:
        """Forget everything, for the next test."""
        super().reset()
        self.page_size = 1000

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        key = request.path.lstrip("/")
        fault = self.faults.take(key)
        if key in self.products or key == LISTING:
            found = self.products.get(key) or self._listing(request)
            response = answer_bytes(self, request, found, fault)
        else:
            response = Response(f"<Error><Code>NoSuchKey</Code><Key>{escape(key)}</Key></Error>")
            response.status_code = 404
        response.mimetype = "application/xml" if key == LISTING else "binary/octet-stream"
        if fault is not None and fault.kind == "html":
            response.mimetype = "text/html"
        self._note(request, key, response.status_code, fault.kind if fault else "")
        return response(environ, start_response)

    def _listing(self, request: Request) -> ScriptedProduct:
        asked = request.args
        assert asked["list-type"] == "2", "only this form tells where to go on"
        after = asked.get("continuation-token", "").removeprefix("after ")
        after = after or asked.get("start-after", "")
        keys = sorted(key for key in self.products if key.startswith(asked["prefix"]))
        left = [key for key in keys if key > after]
        shown = left[: self.page_size]
        more = len(left) > len(shown)
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.products[key].body)}</Size></Contents>"
            for key in shown
        )
        token = f"<NextContinuationToken>after {shown[-1]}</NextContinuationToken>" if more else ""
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="{_NAMESPACE}">'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        )
        return ScriptedProduct(name=LISTING, body=text.encode())
