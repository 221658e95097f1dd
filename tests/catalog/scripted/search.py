"""The search of resto: filters, pages, and what it says of storage."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from tests.catalog.scripted.archives import ScriptedProduct

if TYPE_CHECKING:
    from tests.catalog.scripted.resto import ScriptedResto

_PATTERNS = {
    "box": r"[0-9.,\-]*",
    "lat": r"-?[0-9.]+",
    "lon": r"-?[0-9.]+",
    "radius": r"[0-9.]+",
    "maxRecords": r"[0-9]+",
    "page": r"[0-9]+",
    "startDate": r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z?)?",
    "completionDate": r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z?)?",
    "relativeOrbitNumber": r"[0-9\[\]{},]+",
    "orbitNumber": r"[0-9\[\]{},]+",
    "cloudCover": r"[0-9.\[\]{},]+",
}
_EQUAL = ("productType", "platform", "sensorMode", "polarisation", "orbitDirection", "swath")
_COLLECTIONS = (None, "S1", "S2", "S2ST", "S3", "SpotWorldHeritage")
_MOST = 500
_METRES_PER_DEGREE = 111_320.0


def search(provider: ScriptedResto, collection: str | None, given: Mapping[str, str]) -> Response:
    """Answer one page; newest first."""
    if collection not in _COLLECTIONS:
        body = json.dumps({"ErrorMessage": "Not Found", "ErrorCode": 404})
        return Response(body, 404, mimetype="application/json")
    asked = {name: value for name, value in given.items() if value}
    for name, value in asked.items():
        if name in _PATTERNS and not re.fullmatch(_PATTERNS[name], value):
            return _refused(name)
    most = min(max(int(asked.get("maxRecords", 20)), 1), _MOST)
    page = max(int(asked.get("page", 1)), 1)
    found = sorted(
        (
            product
            for product in provider.products.values()
            if collection in (None, product.collection) and _matches(product, asked)
        ),
        key=lambda product: (product.described.get("startDate", ""), product.name),
        reverse=True,
    )
    shown = found[(page - 1) * most : page * most]
    features = [_feature(provider, product) for product in shown]
    path = f"{provider.address}/resto/api/collections/{collection or ''}".rstrip("/")
    links = [_link("self", path, asked, page)]
    if len(features) >= most:  # also on a last page that is full
        links.append(_link("next", path, asked, page + 1))
    answer = {
        "type": "FeatureCollection",
        "properties": {
            "title": "",
            "totalResults": len(found),
            "exactCount": True,
            "startIndex": (page - 1) * most + 1,
            "itemsPerPage": len(features),
            "totalItemsPerPage": str(most),
            "query": {"searchFilters": asked},
            "links": links,
        },
        "features": features,
    }
    return Response(json.dumps(answer), mimetype="application/json")


def _refused(name: str) -> Response:
    message = f'Value for "{name}" must follow the pattern ^{_PATTERNS[name]}$'
    body = json.dumps({"ErrorMessage": message, "ErrorCode": 400})
    return Response(body, 400, mimetype="application/json")


def _link(rel: str, path: str, asked: Mapping[str, str], page: int) -> dict[str, str]:
    query = urlencode({**asked, "page": page})
    return {"rel": rel, "type": "application/json", "href": f"{path}/search.json?{query}"}


def _matches(product: ScriptedProduct, asked: Mapping[str, str]) -> bool:
    known = {**product.described, **product.properties}
    tests: dict[str, Callable[[str], bool]] = {
        "identifier": lambda value: product.identifier == value,
        "productIdentifier": lambda value: _like(product.name, value),
        "startDate": lambda value: str(known.get("startDate", "")) >= value,
        # compared with the start, as resto does
        "completionDate": lambda value: str(known.get("startDate", "")) < value,
        "orbitNumber": lambda value: _within(known.get("orbitNumber"), value),
        "relativeOrbitNumber": lambda value: _within(known.get("relativeOrbitNumber"), value),
        "cloudCover": lambda value: _within(known.get("cloudCover"), value),
        "tileid": lambda value: known.get("tileid") == value,
        "box": lambda value: _meets(product, *(float(part) for part in value.split(","))),
        **{
            name: lambda value, name=name: _like(str(known.get(name, "")), value) for name in _EQUAL
        },
    }
    if "lat" in asked and "lon" in asked and not _near(product, asked):
        return False
    return all(tests[name](value) for name, value in asked.items() if name in tests)


def _like(known: str, value: str) -> bool:
    return known.startswith(value[:-1]) if value.endswith("%") else known == value


def _within(known: float | None, interval: str) -> bool:
    if known is None:
        return False
    if interval.startswith("{"):
        return str(known) in interval.strip("{}").split(",")
    found = re.fullmatch(r"(\[?)([0-9.]+)(?:,([0-9.]+))?([\[\]]?)", interval)
    if found is None:
        return False
    low, high = float(found[2]), float(found[3] or found[2])
    if found[3] is None and found[1]:
        return known >= low
    if found[3] is None and found[4]:
        return known <= low
    return low <= known < high if found[4] == "[" else low <= known <= high


def _points(geometry: Mapping[str, Any]) -> list[list[float]]:
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    return [point for polygon in polygons for ring in polygon for point in ring]


def _meets(product: ScriptedProduct, west: float, south: float, east: float, north: float) -> bool:
    points = _points(product.footprint)
    longitudes, latitudes = [point[0] for point in points], [point[1] for point in points]
    return (
        min(longitudes) <= east
        and max(longitudes) >= west
        and min(latitudes) <= north
        and max(latitudes) >= south
    )


def _near(product: ScriptedProduct, asked: Mapping[str, str]) -> bool:
    latitude, longitude = float(asked["lat"]), float(asked["lon"])
    reach = float(asked.get("radius", 10_000.0)) / _METRES_PER_DEGREE
    return _meets(product, longitude - reach, latitude - reach, longitude + reach, latitude + reach)


def _storage(provider: ScriptedResto, product: ScriptedProduct) -> str:
    """Tell where a product is; each time that one is asked for, it comes nearer."""
    if provider.tape_down:
        return "unknown"
    return step(product) if product.storage == "staging" else product.storage


def step(product: ScriptedProduct) -> str:
    """Bring a product that is being staged a step nearer."""
    product.polls_left = (
        product.polls_to_stage if product.polls_left is None else product.polls_left
    ) - 1
    if product.polls_left < 0:
        product.storage = "disk"
    return product.storage


def _feature(provider: ScriptedResto, product: ScriptedProduct) -> dict[str, Any]:
    path = f"/resto/collections/{product.collection}/{product.identifier}/download"
    download = {
        "url": provider.address + path,
        "mimeType": "application/zip",
        "size": product.told_size,
        "checksum": product.told_checksum,
    }
    properties = {
        "collection": product.collection,
        "productIdentifier": product.name,
        "title": product.name,
        **product.described,
        "cloudCover": 0,
        "isNrt": 0,
        "visible": 1,
        "newVersion": product.moved_to or None,
        "resourceSize": product.told_size,
        "resourceChecksum": product.told_checksum,
        "quicklook": f"{provider.address}/quicklook/{product.name}.jpg",
        "thumbnail": None,
        "keywords": {},
        "links": [],
        **product.properties,
        "services": {"download": download},
        "storage": {"mode": _storage(provider, product)},
    }
    return {
        "type": "Feature",
        "id": product.identifier,
        "geometry": dict(product.footprint),
        "properties": properties,
    }
