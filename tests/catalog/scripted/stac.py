"""A STAC API over the products of the scripted provider, in pages that link to the next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from tests.catalog.scripted.archives import ScriptedProduct

if TYPE_CHECKING:
    from tests.catalog.scripted.resto import ScriptedResto

SEARCH = "/stac/search"


def search_items(provider: ScriptedResto, request: Request) -> Response:
    """Answer one page of POST /stac/search."""
    body = request.get_json(silent=True) or {}
    start, _, stop = str(body.get("datetime", "..")).partition("/")
    found = [
        product
        for product in sorted(provider.products.values(), key=lambda one: one.name)
        if product.name in body.get("ids", [product.name])
        and product.collection in body.get("collections", [product.collection])
        and (start in ("", "..") or product.described["startDate"] >= start)
        and (stop in ("", "..") or product.described["startDate"] <= stop)
    ]
    limit, page = int(body.get("limit", 10)), int(body.get("page", 1))
    links = []
    if len(found) > page * limit:
        link = {"rel": "next", "method": "POST", "href": f"{provider.address}{SEARCH}"}
        links.append({**link, "body": {**body, "page": page + 1}})
    answer = {
        "type": "FeatureCollection",
        "features": [
            _item(provider, product) for product in found[(page - 1) * limit : page * limit]
        ],
        "numberMatched": len(found),
        "links": links,
    }
    return Response(json.dumps(answer), mimetype="application/geo+json")


def _item(provider: ScriptedResto, product: ScriptedProduct) -> dict[str, Any]:
    address = f"{provider.address}/resto/collections/{product.collection}"
    told = product.described
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": product.name,
        "collection": product.collection,
        "geometry": product.footprint,
        "bbox": [0.0, 43.0, 2.0, 44.0],
        "properties": {
            "datetime": told["startDate"],
            "start_datetime": told["startDate"],
            "end_datetime": told["completionDate"],
            "platform": told["platform"],
            "sar:instrument_mode": told["sensorMode"],
            "order:status": "succeeded" if product.storage == "disk" else "orderable",
        },
        "assets": {
            "product": {
                "href": f"{address}/{product.identifier}/download",
                "type": "application/zip",
                "roles": ["data"],
            }
        },
        "links": [],
    }
