"""Catalogues that eodag knows, where it is installed (``pip install .[eodag]``).

eodag searches and holds the credentials, in its own configuration. The bytes come through our
downloader wherever eodag gives an address of the web and headers for it; else (object stores,
keys within addresses) eodag fetches them, and they are checked before they get their name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from catalog.areas import area_of, boxes_of
from catalog.errors import (
    AccessError,
    AnswerError,
    NotFoundError,
    QueryError,
    UnreachableError,
)
from catalog.matching import answers
from catalog.model import Access, Box, Product, Query, Source
from catalog.pages import each_once, refuse_place, until_nothing_new
from catalog.settings import SettingsError
from catalog.stac import product_of_item
from catalog.times import write_time

_COLLECTIONS = {
    "S1": ("S1_SAR_SLC", "S1_SAR_GRD"),
    "S1/SLC": ("S1_SAR_SLC",),
    "S1/GRD": ("S1_SAR_GRD",),
    "S1/OCN": ("S1_SAR_OCN",),
    "S1/RAW": ("S1_SAR_RAW",),
    "S2": ("S2_MSI_L1C",),
    "S2/S2MSI1C": ("S2_MSI_L1C",),
    "S2/S2MSI2A": ("S2_MSI_L2A",),
}
"""Names of eodag by ours, or by ours and the product type."""


class EodagCatalog:
    """A provider of eodag.

    Parameters
    ----------
    name : str
        Of the catalogue.
    provider : str
        As eodag calls it.
    configuration : Path, optional
        eodag's own (YAML), with credentials and providers to add; its usual place by default.
    access : Access, optional
        For downloads through our downloader; its credentials are not used.

    Raises
    ------
    SettingsError
        eodag is not installed, or refuses its configuration.
    """

    def __init__(
        self,
        name: str,
        provider: str = "",
        *,
        configuration: Path | None = None,
        access: Access | None = None,
    ) -> None:
        self.name = name
        self._provider = provider or name
        self._access = access or Access()
        self._gateway = _gateway(name, configuration)
        self._found: dict[str, Any] = {}
        """What eodag knows of products, by name: it fetches from that alone."""
        self._lock = threading.Lock()
        """Its searches remember in which page they are."""

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each once; raises CatalogError."""
        refuse_place(query, self.name)
        found = (
            product
            for words in _searches(query)
            for product in until_nothing_new(self._pages(words, query.collection))
            if answers(query, product)
        )
        return islice(each_once(found), query.most)

    def refresh(self, product: Product) -> Product:
        """Ask again where a product is; raises NotFoundError if it is gone."""
        collection = product.properties.get("stac_collection", product.collection)
        words = {"id": product.name, "collection": collection}
        for page in self._pages(words, product.collection):
            for found in page:
                return found
        raise NotFoundError(f"{self.name} has no product {product.name} any more")

    def source(self, product: Product) -> Source:
        """Tell how to fetch a product; raises AccessError without credentials."""
        if product.name not in self._found:
            self.refresh(product)
        known = self._found[product.name]
        own_way = partial(_fetch, self.name, known)
        credentials = EodagCredentials(self.name, known.downloader_auth, product.address)
        if not credentials.are_headers():
            return Source.of(self._access, address=product.address, own_way=own_way)
        return Source.of(replace(self._access, credentials=credentials), address=product.address)

    def _pages(self, words: Mapping[str, Any], collection: str) -> Iterator[list[Product]]:
        with self._lock, _told(self.name):
            page = self._gateway.search(
                provider=self._provider, raise_errors=True, limit=None, **words
            )
        yield [self._product(known, collection) for known in page]
        following = page.next_page(update=False)
        while True:
            with self._lock, _told(self.name):
                page = next(following, None)
            if page is None:
                return
            yield [self._product(known, collection) for known in page]

    def _product(self, known: Any, collection: str) -> Product:
        with _told(self.name):
            item = known.as_dict()
        product = product_of_item(item, catalog=self.name, collection=collection)
        address = str(known.remote_location or "")
        product = replace(product, address=address, size=None, checksum=None)
        self._found[product.name] = known
        return product


class EodagCredentials:
    """What eodag adds to a request of one address.

    Parameters
    ----------
    name : str
        Of the catalogue.
    plugin : object
        That eodag authenticates with; None where nothing is needed.
    address : str
        Of the product.
    """

    def __init__(self, name: str, plugin: Any, address: str) -> None:
        self._name = name
        self._plugin = plugin
        self._address = address

    def __repr__(self) -> str:
        return "EodagCredentials(...)"

    def headers(self) -> Mapping[str, str]:
        """Return the headers that eodag adds; it fetches or refreshes tokens where needed."""
        plain, prepared = _prepared(self._address), self._authenticated()
        return {
            name: str(value)
            for name, value in prepared.headers.items()
            if plain.headers.get(name) != value
        }

    def are_headers(self) -> bool:
        """Tell whether headers are all that a request of the web takes."""
        if urlsplit(self._address).scheme not in {"http", "https"}:
            return False
        return self._authenticated().url == _prepared(self._address).url

    def refuse(self) -> bool:
        """Say that eodag may have another token now."""
        return self._plugin is not None

    def _authenticated(self) -> requests.PreparedRequest:
        prepared = _prepared(self._address)
        if self._plugin is None:
            return prepared
        with _told(self._name):
            authenticate = self._plugin.authenticate()
        if not isinstance(authenticate, requests.auth.AuthBase):
            raise AccessError(f"{self._name} has credentials that are none of the web")
        found: requests.PreparedRequest = authenticate(prepared)
        return found


def _prepared(address: str) -> requests.PreparedRequest:
    return requests.Request("GET", address).prepare()


def _gateway(name: str, configuration: Path | None) -> Any:
    try:
        from eodag import EODataAccessGateway  # noqa: PLC0415  two seconds, and seldom installed
        from eodag.config import EODAGSettings  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"catalog {name} needs eodag, which is not installed: it is the extra eodag"
        ) from error
    if configuration is not None and not configuration.is_file():
        raise SettingsError(f"catalog {name}: eodag_config must be a file")
    # its errors and warnings repeat addresses, some with keys; what matters of them is raised
    logging.getLogger("eodag").setLevel(logging.CRITICAL)
    with _told(name):
        if configuration is None:
            return EODataAccessGateway()
        return EODataAccessGateway(settings=EODAGSettings(cfg_file=configuration))


def _searches(query: Query) -> Iterator[dict[str, Any]]:
    kind = f"{query.collection}/{query.product_type}"
    usual = _COLLECTIONS.get(query.collection, (query.collection,))
    area = area_of(query)
    boxes: list[Box | None] = [None] if area is None else list(boxes_of(area))
    for collection in _COLLECTIONS.get(kind, usual):
        words: dict[str, Any] = {"collection": collection}
        for name in query.names:
            yield {**words, "id": name}
        if query.names:
            continue
        for word, moment in (("start", query.start), ("end", query.stop)):
            if moment is not None:
                words[word] = write_time(moment)
        for box in boxes:
            yield words if box is None else {**words, "geom": list(box)}


def _fetch(name: str, known: Any, folder: Path) -> Path:
    """Let eodag fetch a product into an empty folder."""
    from eodag.utils import ProgressCallback  # noqa: PLC0415

    silent = ProgressCallback(disable=True)
    with _told(name):
        path = known.download(output_dir=str(folder), extract=False, progress_callback=silent)
    return Path(path)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn eodag's errors into ours; their texts and their causes may hold what is secret."""
    from eodag.utils import exceptions  # noqa: PLC0415

    try:
        yield
    except (exceptions.EodagError, requests.RequestException) as error:
        text = f"{name}, asked by eodag: {type(error).__name__}"
        if isinstance(error, exceptions.AuthenticationError | exceptions.MisconfiguredError):
            raise AccessError(text) from None
        if isinstance(error, exceptions.UnsupportedCollection | exceptions.NoMatchingCollection):
            raise QueryError("collection", f"one that {name} has", type(error).__name__) from None
        if isinstance(error, exceptions.UnsupportedProvider):
            raise SettingsError(f"catalog {name}: provider must be one that eodag knows") from None
        if isinstance(error, exceptions.NotAvailableError):
            raise NotFoundError(text) from None
        if isinstance(error, exceptions.RequestError | requests.RequestException):
            raise UnreachableError(text) from None
        raise AnswerError(text) from None
