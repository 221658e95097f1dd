"""Catalogues that speak resto's protocol: PEPS, and other resto servers.

Source: the search API of resto 2 as PEPS ran it (atospeps/resto, LIV_6.0.1), and what users of
peps_download.py saw of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from catalog.areas import area_of, boxes_of, footprint_or_none
from catalog.asking import Asker
from catalog.errors import AccessError, AnswerError, NotFoundError, QueryError
from catalog.matching import answers
from catalog.model import Access, Box, Checksum, Product, Query, Source, Storage
from catalog.names import platform_name, product_of_name, relative_orbit
from catalog.pages import each_once, until_nothing_new
from catalog.reading import linked, number_or_none, whole_or_none
from catalog.times import parse_time, write_day_or_time

PEPS_ADDRESS = "https://peps.cnes.fr/resto"
MOST_PER_PAGE = 500
"""More are cut off by the server without a word."""

_TILED = frozenset({"S2ST"})
"""Collections that know the tile of a product."""
_STORAGE = {
    "disk": Storage.DISK,
    "tier2": Storage.DISK,
    "tape": Storage.TAPE,
    "tier3": Storage.TAPE,
    "staging": Storage.STAGING,
}
"""All else is unknown: what resto says when its tape service is slow, or "unaivalable"."""
_HERE = (
    *("platform", "polarisation", "relative_orbit", "start", "largest_cloud_cover"),
    *("names", "mode", "product_type", "absolute_orbit"),
)
"""What the server ignores, gets wrong, or cannot know of older products."""
_MD5 = re.compile(r"[0-9a-f]{32}")
_BULKY = frozenset({"keywords", "links", "services"})

Parameters = list[tuple[str, str]]


class _Page(NamedTuple):
    """Features of a page, whether another may follow, and how many there are in all, if known."""

    features: list[Any]
    more: bool
    total: int | None


class RestoCatalog:
    """A resto server.

    Parameters
    ----------
    name : str
        Of the catalogue.
    address : str
        Up to and with ``/resto``.
    access : Access, optional
        For downloads; searches need none.
    asker : Asker, optional
        Asks the server.
    """

    def __init__(
        self,
        name: str = "peps",
        address: str = PEPS_ADDRESS,
        *,
        access: Access | None = None,
        asker: Asker | None = None,
    ) -> None:
        self.name = name
        self._address = address.rstrip("/")
        self._access = access or Access()
        self._asker = asker or Asker(name)

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each once; raises CatalogError."""
        criteria = _criteria(query)
        found = (
            product
            for parameters in searches(query)
            for product in until_nothing_new(self._pages(query.collection, parameters))
            if answers(query, product, criteria)
        )
        return islice(each_once(found), query.most)

    def addresses(self, query: Query) -> list[str]:
        """Return the addresses of the first pages of a search, without asking them."""
        address = self._search_address(query.collection)
        return [f"{address}?{urlencode(parameters)}" for parameters in searches(query)]

    def refresh(self, product: Product) -> Product:
        """Ask again where a product is; raises NotFoundError if it is gone."""
        collection = product.collection or product_of_name(product.name).collection
        parameters = [("productIdentifier", product.name)]
        found = list(until_nothing_new(self._pages(collection, parameters)))
        for one in found:
            if one.identifier == product.identifier:
                return one
        for one in found:
            if one.name == product.name:
                return one
        raise NotFoundError(f"{self.name} has no product {product.name} any more")

    def source(self, product: Product) -> Source:
        """Tell how to fetch a product; raises AccessError without credentials."""
        if not product.address:
            raise NotFoundError(f"{self.name} tells no address of {product.name}")
        if self._access.credentials is None:
            raise AccessError(f"{self.name} needs user and password for downloads")
        own = urlsplit(product.address).netloc == urlsplit(self._address).netloc
        joint = "&" if urlsplit(product.address).query else "?"
        return Source.of(
            self._access,
            own=own,
            address=f"{product.address}{joint}issuerId=peps",
            size=product.size,
            checksum=product.checksum,
            retry_after_unit_s=0.001,
            not_found_means_access=True,
        )

    def _search_address(self, collection: str) -> str:
        return f"{self._address}/api/collections/{collection}/search.json"

    def _pages(self, collection: str, parameters: Parameters) -> Iterator[list[Product]]:
        """Read page after page, and the one before again where products have vanished.

        A product that vanishes moves all later ones up, the first of the next page among them to
        the page that has been read already.
        """
        number, total, more = 1, None, True
        while more:
            page = self._page(collection, parameters, number)
            features = page.features
            if total is not None and page.total is not None and page.total < total:
                features = self._page(collection, parameters, number - 1).features + features
            yield [product_of_feature(feature, catalog=self.name) for feature in features]
            number, total, more = number + 1, page.total, page.more

    def _page(self, collection: str, parameters: Parameters, number: int) -> _Page:
        numbered = [*parameters, ("page", str(number))] if number > 1 else parameters
        try:
            answer = self._asker.get(self._search_address(collection), numbered)
        except NotFoundError as error:
            raise QueryError("collection", f"one that {self.name} has", collection) from error
        properties, features = answer.get("properties"), answer.get("features")
        if not isinstance(properties, dict) or not isinstance(features, list):
            raise AnswerError(f"{self.name} must answer a collection of features")
        links = linked(properties.get("links"))
        total = properties.get("totalResults")
        exact = properties.get("exactCount") is True and isinstance(total, int)
        return _Page(features, "next" in links, total if exact else None)


def _criteria(query: Query) -> tuple[str, ...]:
    """Return what to look at here; boxes and points are the server's, outlines are ours."""
    own_area = (query.tile and query.collection not in _TILED) or (
        query.area is not None and not isinstance(query.area, Box)
    )
    return (*_HERE, "area") if own_area else _HERE


def searches(query: Query) -> list[Parameters]:
    """Write a query as resto's parameters.

    Parameters
    ----------
    query : Query
        What is asked for.

    Returns
    -------
    list of list of tuple
        Names and values, in the order of peps_download.py. Several searches where an area
        crosses the antimeridian or products are named.
    """
    rest: Parameters = []
    if query.start is not None:
        rest.append(("startDate", write_day_or_time(query.start)))
    if query.stop is not None:
        rest.append(("completionDate", write_day_or_time(_after(query.stop))))
    rest.append(("maxRecords", str(MOST_PER_PAGE)))
    optional = (
        ("productType", query.product_type),
        ("sensorMode", query.mode),
        ("orbitDirection", query.direction),
        ("orbitNumber", query.absolute_orbit),
    )
    rest += [(name, str(value)) for name, value in optional if value]
    names: list[Parameters] = [[("productIdentifier", name)] for name in query.names] or [[]]
    return [[*where, *rest, *name] for where in _places(query) for name in names]


def _after(stop: datetime) -> datetime:
    """Return the first millisecond behind an instant: completionDate itself is left out."""
    later = stop + timedelta(milliseconds=1)
    return later.replace(microsecond=later.microsecond // 1000 * 1000)


def _places(query: Query) -> list[Parameters]:
    if query.place:
        return [[("q", query.place)]]
    if query.tile and query.collection in _TILED:
        return [[("tileid", query.tile)]]
    area = area_of(query)
    if area is None:
        return [[]]
    boxes = boxes_of(area)
    if query.point is not None and len(boxes) == 1:
        longitude, latitude = query.point
        where = [("lat", _degrees(latitude)), ("lon", _degrees(longitude))]
        usual = query.radius_m == Query().radius_m
        return [where if usual else [*where, ("radius", _degrees(query.radius_m))]]
    return [[("box", ",".join(map(_degrees, box)))] for box in boxes]


def _degrees(value: float) -> str:
    """Write a number without exponent, which the server's pattern refuses; 1e-6 is 0.1 m."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def product_of_feature(feature: Mapping[str, Any], *, catalog: str) -> Product:
    """Read one feature of an answer.

    Parameters
    ----------
    feature : mapping
        As it stands in the answer.
    catalog : str
        Name of the catalogue.

    Returns
    -------
    Product
        With its name's words where the feature is silent.

    Raises
    ------
    AnswerError
        It is no feature of resto.
    """
    try:
        return _read(feature, catalog)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnswerError(f"{catalog} must answer features of resto") from error


def _read(feature: Mapping[str, Any], catalog: str) -> Product:
    told: Mapping[str, Any] = feature["properties"]
    name = str(told["productIdentifier"]).removesuffix(".SAFE")
    download = (told.get("services") or {}).get("download") or {}
    mode = str((told.get("storage") or {}).get("mode", ""))
    named = product_of_name(name)
    platform = platform_name(str(told.get("platform") or "")) or named.platform
    orbit = whole_or_none(told.get("orbitNumber")) or named.absolute_orbit
    start = parse_time(told.get("startDate"), origin=catalog) or named.start
    stop = parse_time(told.get("completionDate"), origin=catalog)
    if stop is None or stop == start:  # PEPS repeats the start
        stop = named.stop or stop
    track = whole_or_none(told.get("relativeOrbitNumber")) or named.relative_orbit
    if track is None and orbit is not None:
        track = relative_orbit(platform, orbit)
    return replace(
        named,
        name=name,
        identifier=str(feature.get("id", "")),
        catalog=catalog,
        collection=str(told.get("collection") or named.collection),
        product_type=str(told.get("productType") or named.product_type),
        mode=str(told.get("sensorMode") or named.mode),
        polarisation=str(told.get("polarisation") or named.polarisation),
        platform=platform,
        start=start,
        stop=stop,
        absolute_orbit=orbit,
        relative_orbit=track,
        direction=str(told.get("orbitDirection") or "").lower(),
        footprint=footprint_or_none(feature.get("geometry")),
        cloud_cover=number_or_none(told.get("cloudCover")),
        size=whole_or_none(told.get("resourceSize")) or whole_or_none(download.get("size")),
        checksum=_checksum(told.get("resourceChecksum") or download.get("checksum")),
        storage=_STORAGE.get(mode, Storage.UNKNOWN),
        address=str(download.get("url") or ""),
        quicklook=str(told.get("quicklook") or ""),
        published=parse_time(told.get("published"), origin=catalog),
        properties={key: value for key, value in told.items() if key not in _BULKY},
    )


def _checksum(value: object) -> Checksum | None:
    digits = str(value or "").strip().lower()
    return Checksum("md5", digits) if _MD5.fullmatch(digits) else None
