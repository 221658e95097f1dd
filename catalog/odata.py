"""The catalogue of the Copernicus Data Space Ecosystem, which speaks OData.

Source: the documentation of the Copernicus Data Space Ecosystem, OData API, 2025-03.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

from catalog.areas import area_of, boxes_of, footprint_or_none
from catalog.asking import Asker
from catalog.errors import AccessError, AnswerError, NotFoundError
from catalog.matching import answers
from catalog.model import Access, Box, Checksum, Product, Query, Source, Storage
from catalog.names import polarisation_names, product_of_name
from catalog.pages import each_once, refuse_place, until_nothing_new
from catalog.reading import number_or_none, whole_or_none
from catalog.times import parse_time, write_time

CDSE_ADDRESS = "https://catalogue.dataspace.copernicus.eu/odata/v1"
CDSE_DOWNLOADS = "https://download.dataspace.copernicus.eu/odata/v1"
CDSE_TOKENS = (
    "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
)
CDSE_CLIENT = "cdse-public"
MOST_PER_PAGE = 500

_COLLECTIONS = {"S1": "SENTINEL-1", "S2": "SENTINEL-2", "S2ST": "SENTINEL-2", "S3": "SENTINEL-3"}
_ALGORITHMS = {"MD5": "md5", "SHA3-256": "sha3_256"}


class OdataCatalog:
    """A catalogue such as that of CDSE.

    Parameters
    ----------
    name : str
        Of the catalogue.
    address, downloads : str
        Of its products, to search and to fetch.
    access : Access, optional
        For downloads.
    asker : Asker, optional
        Asks the server.
    """

    def __init__(
        self,
        name: str = "cdse",
        address: str = CDSE_ADDRESS,
        *,
        downloads: str = CDSE_DOWNLOADS,
        access: Access | None = None,
        asker: Asker | None = None,
    ) -> None:
        self.name = name
        self._address = address.rstrip("/")
        self._downloads = downloads.rstrip("/")
        self._access = access or Access()
        self._asker = asker or Asker(name)

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each once; raises CatalogError."""
        refuse_place(query, self.name)
        found = (
            product
            for text in filters(query)
            for product in until_nothing_new(self._pages(text))
            if answers(query, product)
        )
        return islice(each_once(found), query.most)

    def addresses(self, query: Query) -> list[str]:
        """Return the addresses of the first pages of a search, without asking them."""
        found = []
        for text in filters(query):
            joined = "&".join(f"{name}={quote(value)}" for name, value in _parameters(text))
            found.append(f"{self._address}/Products?{joined}")
        return found

    def refresh(self, product: Product) -> Product:
        """Ask again where a product is; raises NotFoundError if it is gone."""
        for page in self._pages(f"Name eq '{_quoted(product.name)}.SAFE'"):
            for found in page:
                return found
        raise NotFoundError(f"{self.name} has no product {product.name} any more")

    def source(self, product: Product) -> Source:
        """Tell how to fetch a product; raises AccessError without credentials.

        Archives are made while they are sent: their size and checksum are not what the catalogue
        tells of the product.
        """
        if self._access.credentials is None:
            raise AccessError(f"{self.name} needs user and password for downloads")
        return Source.of(self._access, address=product.address)

    def _pages(self, text: str) -> Iterator[list[Product]]:
        answer = self._asker.get(f"{self._address}/Products", _parameters(text))
        while True:
            entries = answer.get("value")
            if not isinstance(entries, list):
                raise AnswerError(f"{self.name} must answer a list of products")
            yield [self._product(entry) for entry in entries]
            following = str(answer.get("@odata.nextLink") or "")
            if not following:
                return
            if urlsplit(following).netloc != urlsplit(self._address).netloc:
                raise AnswerError(f"{self.name} leads to another host for its next page")
            answer = self._asker.get(following)

    def _product(self, entry: Mapping[str, Any]) -> Product:
        product = product_of_entry(entry, catalog=self.name)
        address = f"{self._downloads}/Products({product.identifier})/$value"
        return replace(product, address=address)


def _parameters(text: str) -> list[tuple[str, str]]:
    return [
        ("$filter", text),
        ("$expand", "Attributes"),
        ("$orderby", "ContentDate/Start desc"),
        ("$top", str(MOST_PER_PAGE)),
    ]


def filters(query: Query) -> list[str]:
    """Write a query as filters of OData.

    Parameters
    ----------
    query : Query
        What is asked for.

    Returns
    -------
    list of str
        One; several where an area has several parts or crosses the antimeridian.
    """
    parts = [
        f"Collection/Name eq '{_quoted(_COLLECTIONS.get(query.collection, query.collection))}'"
    ]
    if query.names:
        names = " or ".join(f"Name eq '{_quoted(name)}.SAFE'" for name in query.names)
        parts.append(f"({names})")
    if query.start is not None:
        parts.append(f"ContentDate/Start ge {write_time(query.start)}")
    if query.stop is not None:
        parts.append(f"ContentDate/Start le {write_time(query.stop)}")
    if query.product_type and query.collection == "S1":
        # types stand there with mode and level, as IW_SLC__1S
        parts.append(f"contains(Name,'_{_quoted(query.product_type)}')")
    elif query.product_type:
        parts.append(_attribute("String", "productType", f"'{_quoted(query.product_type)}'"))
    if query.relative_orbit:
        parts.append(_attribute("Integer", "relativeOrbitNumber", str(query.relative_orbit)))
    if query.direction:
        parts.append(_attribute("String", "orbitDirection", f"'{query.direction.upper()}'"))
    common, area = " and ".join(parts), area_of(query)
    if area is None:
        return [common]
    return [f"{common} and {_intersects(box)}" for box in boxes_of(area)]


def _attribute(kind: str, name: str, value: str) -> str:
    full = f"OData.CSC.{kind}Attribute"
    return f"Attributes/{full}/any(a:a/Name eq '{name}' and a/{full}/Value eq {value})"


def _intersects(box: Box) -> str:
    west, south, east, north = (f"{value:.6f}" for value in box)
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"OData.CSC.Intersects(area=geography'SRID=4326;POLYGON(({ring}))')"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def product_of_entry(entry: Mapping[str, Any], *, catalog: str) -> Product:
    """Read one product of an answer.

    Parameters
    ----------
    entry : mapping
        As it stands in the answer.
    catalog : str
        Name of the catalogue.

    Returns
    -------
    Product
        With its name's words where the entry is silent.

    Raises
    ------
    AnswerError
        It is no product of OData.
    """
    try:
        return _read(entry, catalog)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnswerError(f"{catalog} must answer products of OData") from error


def _read(entry: Mapping[str, Any], catalog: str) -> Product:
    name = str(entry["Name"]).removesuffix(".SAFE")
    told = {one["Name"]: one["Value"] for one in entry.get("Attributes") or []}
    period = entry.get("ContentDate") or {}
    checksums = [
        Checksum(_ALGORITHMS[one["Algorithm"]], str(one["Value"]).lower())
        for one in entry.get("Checksum") or []
        if one.get("Algorithm") in _ALGORITHMS
    ]
    identifier = str(entry["Id"])
    named = product_of_name(name)
    return replace(
        named,
        identifier=identifier,
        catalog=catalog,
        # of Sentinel-1 the attribute holds mode and level too
        product_type=named.product_type or str(told.get("productType", "")),
        mode=named.mode or str(told.get("operationalMode", "")),
        polarisation=named.polarisation
        or polarisation_names(str(told.get("polarisationChannels", ""))),
        start=parse_time(period.get("Start"), origin=catalog) or named.start,
        stop=parse_time(period.get("End"), origin=catalog) or named.stop,
        absolute_orbit=whole_or_none(told.get("orbitNumber")) or named.absolute_orbit,
        relative_orbit=whole_or_none(told.get("relativeOrbitNumber")) or named.relative_orbit,
        direction=str(told.get("orbitDirection", "")).lower(),
        footprint=footprint_or_none(entry.get("GeoFootprint")),
        cloud_cover=number_or_none(told.get("cloudCover")),
        size=whole_or_none(entry.get("ContentLength")),
        checksum=checksums[0] if checksums else None,
        storage=Storage.DISK if entry.get("Online") else Storage.TAPE,
        published=parse_time(entry.get("PublicationDate"), origin=catalog),
        properties={**told, "s3_path": entry.get("S3Path", "")},
    )
