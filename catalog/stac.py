"""Catalogues that speak STAC API: GEODES, Earth Search, CDSE's STAC and any other.

Sources: the STAC API specification 1.0 (item search); the GEODES portal's user pages and items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

from catalog.areas import area_of, boxes_of, footprint_or_none
from catalog.asking import Asker
from catalog.errors import AccessError, AnswerError, NotFoundError, QueryError
from catalog.matching import answers
from catalog.model import Access, Checksum, Product, Query, Source, Storage
from catalog.names import platform_name, polarisation_names, product_of_name, relative_orbit
from catalog.pages import each_once, refuse_place, until_nothing_new
from catalog.reading import linked, number_or_none, whole_or_none
from catalog.times import parse_time, write_time

_DESCRIBED = re.compile(r"(?m)^\s*([A-Z][\w ]+?)\s*:\s*(\S+)\s*$")
_MULTIHASHES = {"d50110": ("md5", 32), "1220": ("sha256", 64), "1114": ("sha1", 40)}
"""Codes of algorithm and length before the digits (multiformats table)."""
_SECOND = timedelta(seconds=1)
_ORDERED = {
    "succeeded": Storage.DISK,
    "orderable": Storage.TAPE,
    "ordered": Storage.STAGING,
    "online": Storage.DISK,
    "offline": Storage.TAPE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one provider does in its own way.

    Attributes
    ----------
    address : str
        Of the API; empty where the operator names it.
    collections : mapping
        Names of its collections by ours, or by ours and the product type: S1 or S1/SLC.
    most_per_page : int
        Items that a page may hold.
    numbered_pages : bool
        Whether pages are asked for by number, also where a full one has no link to the next.
    properties : mapping
        Properties that it searches by, by attributes of a query.
    trusts_sizes : bool
        Whether sizes and checksums are those of the file that is sent.
    download_hosts : tuple of str
        Hosts beside its own that its credentials may be sent to.
    needs_credentials : bool
        Whether downloads do.
    """

    address: str = ""
    collections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most_per_page: int = 100
    numbered_pages: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    trusts_sizes: bool = True
    download_hosts: tuple[str, ...] = ()
    needs_credentials: bool = True


PROFILES: Mapping[str, Profile] = {
    "geodes": Profile(
        address="https://geodes-portal.cnes.fr/api/stac",
        collections={"S1": ("PEPS_S1_L1",), "S1/OCN": ("PEPS_S1_L2",), "S2": ("PEPS_S2_L1C",)},
        most_per_page=80,
        numbered_pages=True,
        properties={
            "product_type": "product:type",
            "mode": "sar:instrument_mode",
            "relative_orbit": "sat:relative_orbit",
            "absolute_orbit": "sat:absolute_orbit",
            "platform": "platform",
            "names": "identifier",
        },
    ),
    "cdse-stac": Profile(
        address="https://stac.dataspace.copernicus.eu/v1",
        collections={
            "S1": ("sentinel-1-slc", "sentinel-1-grd"),
            "S1/SLC": ("sentinel-1-slc",),
            "S1/GRD": ("sentinel-1-grd",),
            "S2": ("sentinel-2-l1c", "sentinel-2-l2a"),
        },
        trusts_sizes=False,
        download_hosts=("download.dataspace.copernicus.eu", "zipper.dataspace.copernicus.eu"),
    ),
    "earth-search": Profile(
        address="https://earth-search.aws.element84.com/v1",
        collections={"S1": ("sentinel-1-grd",), "S2": ("sentinel-2-l1c", "sentinel-2-l2a")},
        needs_credentials=False,
    ),
    "stac": Profile(needs_credentials=False),
}


class StacCatalog:
    """A STAC API.

    Parameters
    ----------
    name : str
        Of the catalogue.
    profile : Profile
        Its ways.
    address : str, optional
        Of the API, instead of the profile's.
    access : Access, optional
        For downloads.
    asker : Asker, optional
        Asks the server.
    """

    def __init__(
        self,
        name: str,
        profile: Profile,
        *,
        address: str = "",
        access: Access | None = None,
        asker: Asker | None = None,
    ) -> None:
        self.name = name
        self._profile = profile
        self._address = (address or profile.address).rstrip("/")
        self._access = access or Access()
        self._asker = asker or Asker(name)

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each once; raises CatalogError."""
        found = (
            product
            for body in self.bodies(query)
            for product in until_nothing_new(self._pages(body, query.collection))
            if answers(query, product)
        )
        return islice(each_once(found), query.most)

    def bodies(self, query: Query) -> list[dict[str, Any]]:
        """Write a query as bodies of searches.

        One; two for a box across the antimeridian; one for each name, by the time that it tells
        where the catalogue does not search by names.

        Parameters
        ----------
        query : Query
            What is asked for; a place is unknown to STAC.

        Returns
        -------
        list of dict
            First pages.

        Raises
        ------
        QueryError
            The catalogue finds no places by name, or a product's name tells no time.
        """
        refuse_place(query, self.name)
        exactly = "names" in self._profile.properties
        return [body for one in _by_names(query, exactly) for body in self._bodies(one)]

    def _bodies(self, query: Query) -> list[dict[str, Any]]:
        profile = self._profile
        known = profile.collections
        kind = f"{query.collection}/{query.product_type}"
        collections = list(known.get(kind, known.get(query.collection, (query.collection,))))
        body: dict[str, Any] = {"limit": profile.most_per_page}
        wanted = {
            key: {"eq": value[0] if attribute == "names" else value}
            for attribute, key in profile.properties.items()
            if (value := getattr(query, attribute))
        }
        if profile.numbered_pages:
            period = {"gte": query.start, "lte": query.stop}
            told = {word: write_time(moment) for word, moment in period.items() if moment}
            times = {"start_datetime": told} if told else {}
            body |= {"page": 1, "query": {"dataset": {"in": collections}, **wanted, **times}}
        else:
            body["collections"] = collections
            if query.start or query.stop:
                moments = (query.start, query.stop)
                body["datetime"] = "/".join(write_time(m) if m else ".." for m in moments)
        area = area_of(query)
        boxes = [None] if area is None else boxes_of(area)
        return [body if box is None else {**body, "bbox": list(box)} for box in boxes]

    def addresses(self, query: Query) -> list[str]:
        """Return the address of a search, without asking it."""
        return [f"{self._address}/search" for _ in self.bodies(query)]

    def refresh(self, product: Product) -> Product:
        """Ask again where a product is; raises NotFoundError if it is gone."""
        collection = product.properties.get("stac_collection", product.collection)
        words = [quote(str(word), safe=":") for word in (collection, product.identifier)]
        answer = self._asker.get(f"{self._address}/collections/{words[0]}/items/{words[1]}")
        return product_of_item(answer, catalog=self.name, collection=product.collection)

    def source(self, product: Product) -> Source:
        """Tell how to fetch a product; raises AccessError without credentials."""
        if not product.address:
            raise NotFoundError(f"{self.name} offers {product.name} as no single file")
        if self._profile.needs_credentials and self._access.credentials is None:
            raise AccessError(f"{self.name} needs credentials for downloads")
        host = urlsplit(product.address).netloc
        own = host in {urlsplit(self._address).netloc, *self._profile.download_hosts}
        trusted = self._profile.trusts_sizes
        return Source.of(
            self._access,
            own=own,
            address=product.address,
            size=product.size if trusted else None,
            checksum=product.checksum if trusted else None,
        )

    def _pages(self, body: dict[str, Any], collection: str) -> Iterator[list[Product]]:
        address, method = f"{self._address}/search", "POST"
        while True:
            ask = self._asker.post if method == "POST" else self._get
            answer = ask(address, body)
            items = answer.get("features")
            if not isinstance(items, list):
                raise AnswerError(f"{self.name} must answer a collection of items")
            yield [
                product_of_item(item, catalog=self.name, collection=collection) for item in items
            ]
            link = linked(answer.get("links")).get("next")
            if self._profile.numbered_pages and (link or len(items) >= body["limit"]):
                body = {**body, "page": body["page"] + 1}
                continue
            if link is None:
                return
            address, method = self._own(str(link.get("href", ""))), str(link.get("method", "GET"))
            given = link.get("body") or {}
            body = {**body, **given} if link.get("merge") else given

    def _get(self, address: str, _: Mapping[str, Any]) -> dict[str, Any]:
        return self._asker.get(address)

    def _own(self, address: str) -> str:
        """Return an address that an answer leads to, if it is on the same host."""
        if urlsplit(address).netloc != urlsplit(self._address).netloc:
            raise AnswerError(f"{self.name} leads to another host for its next page")
        return address


def _by_names(query: Query, exactly: bool) -> list[Query]:
    """Ask for one named product at a time: by its name, or by the second of its start."""
    found = []
    for name in query.names:
        start = product_of_name(name).start
        if exactly:
            found.append(replace(query, names=(name,)))
        elif start is None:
            raise QueryError("names", "names that tell a time", name)
        else:
            found.append(replace(query, start=start - _SECOND, stop=start + _SECOND))
    return found or [query]


def product_of_item(item: Mapping[str, Any], *, catalog: str, collection: str = "") -> Product:
    """Read one item of an answer.

    Parameters
    ----------
    item : mapping
        As it stands in the answer.
    catalog : str
        Name of the catalogue.
    collection : str
        Our name of its collection.

    Returns
    -------
    Product
        With its name's words where the item is silent.

    Raises
    ------
    AnswerError
        It is no item.
    """
    try:
        return _read(item, catalog, collection)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnswerError(f"{catalog} must answer items of STAC") from error


def _read(item: Mapping[str, Any], catalog: str, collection: str) -> Product:
    told: Mapping[str, Any] = item["properties"]
    identifier = str(item["id"])
    name = str(told.get("identifier") or told.get("s2:product_uri") or identifier)
    assets = list((item.get("assets") or {}).values())
    data = _data_asset(assets)
    described = dict(_DESCRIBED.findall(str(data.get("description", ""))))
    quicklooks = [a["href"] for a in assets if {"overview", "thumbnail"} & _roles(a)]
    named = product_of_name(name)
    platform = platform_name(str(told.get("platform") or named.platform))
    orbit = whole_or_none(told.get("sat:absolute_orbit")) or named.absolute_orbit
    track = whole_or_none(told.get("sat:relative_orbit")) or named.relative_orbit
    if track is None and orbit is not None:
        track = relative_orbit(platform, orbit)
    kinds = ("product:type", "s2:product_type", "sar:product_type")
    start = told.get("start_datetime") or told.get("datetime")
    polarisations = told.get("sar:polarizations") or named.polarisation
    return replace(
        named,
        identifier=identifier,
        catalog=catalog,
        collection=collection or named.collection,
        product_type=str(next((told[k] for k in kinds if told.get(k)), named.product_type)),
        mode=str(told.get("sar:instrument_mode") or named.mode),
        polarisation=polarisation_names(
            polarisations if isinstance(polarisations, str) else " ".join(map(str, polarisations))
        ),
        platform=platform,
        start=parse_time(start, origin=catalog) or named.start,
        stop=parse_time(told.get("end_datetime"), origin=catalog) or named.stop,
        absolute_orbit=orbit,
        relative_orbit=track,
        direction=str(told.get("sat:orbit_state") or "").lower(),
        footprint=footprint_or_none(item.get("geometry")),
        cloud_cover=number_or_none(told.get("eo:cloud_cover")),
        size=whole_or_none(data.get("file:size"))
        or whole_or_none(described.get("File size"))
        or _size(data),
        checksum=_checksum(data, described),
        storage=_storage(told, data, described),
        address=str(data.get("href", "")),
        quicklook=str(quicklooks[0]) if quicklooks else "",
        published=parse_time(told.get("published") or told.get("created"), origin=catalog),
        properties={**told, "stac_collection": item.get("collection", "")},
    )


def _roles(asset: Mapping[str, Any]) -> set[str]:
    return set(asset.get("roles") or ())


def _data_asset(assets: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the asset that is the whole product, as one archive; empty where there is none."""
    for asset in assets:
        kind = str(asset.get("type", ""))
        href = str(asset.get("href", ""))
        if "zip" in kind and href.startswith(("https://", "http://")) and "data" in _roles(asset):
            return asset
    return {}


def _size(data: Mapping[str, Any]) -> int | None:
    """Size in a text such as 'File size: 123 bytes', whose unit keeps it from being one word."""
    found = re.search(r"File size:\s*(\d+)\s*bytes", str(data.get("description", "")))
    return int(found[1]) if found else None


def _checksum(data: Mapping[str, Any], described: Mapping[str, str]) -> Checksum | None:
    digits = described.get("Checksum MD5", "").lower()
    if re.fullmatch(r"[0-9a-f]{32}", digits):
        return Checksum("md5", digits)
    multihash = str(data.get("file:checksum", "")).lower()
    for code, (algorithm, length) in _MULTIHASHES.items():
        if re.fullmatch(rf"{code}[0-9a-f]{{{length}}}", multihash):
            return Checksum(algorithm, multihash.removeprefix(code))
    return None


def _storage(
    told: Mapping[str, Any], data: Mapping[str, Any], described: Mapping[str, str]
) -> Storage:
    online = described.get("Is online", "").lower()
    if online in {"true", "false"}:
        return Storage.DISK if online == "true" else Storage.TAPE
    for where in (data, told):
        for key in ("order:status", "storage:tier"):
            word = str(where.get(key, "")).lower()
            if word in _ORDERED:
                return _ORDERED[word]
    return Storage.DISK if data else Storage.UNKNOWN
