"""What tests of fetching share: a patient but quick network, sources, pictures of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.asking import Asker
from catalog.credentials import BasicCredentials, Login
from catalog.download import Downloader, Form
from catalog.model import Access, Checksum, Product, Query, Source
from catalog.requesting import Network, OnTape
from catalog.resto import RestoCatalog
from catalog.retries import Patience
from catalog.staging import StagingPolicy
from tests.catalog.scripted import ScriptedProduct, Server, archive

QUICK = Network(
    connect_timeout_s=20.0,
    read_timeout_s=20.0,
    patience=Patience(first_wait_s=0.01, longest_wait_s=0.05, longest_asked_wait_s=0.2),
)
"""Waits of hundredths of a second, timeouts that a busy machine keeps."""
FORM = Form(margin=0)
LOGIN = BasicCredentials(Login("me", "word"))
POLICY = StagingPolicy(longest_poll_s=0.05, timeout_s=60.0, threads=3)
NAME = "S1A_IW_GRDH_1SDV_20210105T060000_20210105T060025_036001_043000_ABCD"


def numbered_name(number: int) -> str:
    """Return the name of one of many products."""
    return f"S1A_IW_GRDH_1SDV_20210105T060000_20210105T060025_{number:06d}_043000_{number:04X}"


def source_of(server: Server, product: ScriptedProduct, **changes: Any) -> Source:
    """Tell how to fetch a product from the scripted provider, with size and checksum."""
    source = Source(
        address=server.download_address(product.name),
        size=len(product.body),
        checksum=Checksum("md5", hashlib.md5(product.body).hexdigest()),
        retry_after_unit_s=0.001,
    )
    return replace(source, **changes)


def names_in(folder: Path) -> list[str]:
    """Return everything in a folder, hidden names too."""
    return sorted(path.name for path in folder.iterdir())


class Key:
    """Credentials in a header; each refusal takes the next key."""

    def __init__(self, *keys: str, header: str = "X-API-Key", scheme: str = "") -> None:
        self._keys = list(keys)
        self._header = header
        self._scheme = scheme
        self.refusals = 0

    def headers(self) -> Mapping[str, str]:
        """Return the key's header."""
        return {self._header: f"{self._scheme} {self._keys[0]}".strip()}

    def refuse(self) -> bool:
        """Take the next key."""
        self.refusals += 1
        if len(self._keys) > 1:
            del self._keys[0]
            return True
        return False


def catalog_at(provider: Server, *, connections: int = 3) -> RestoCatalog:
    """Open the scripted provider as a catalogue, with a login."""
    provider.provider.users = {"me": "word"}
    return RestoCatalog(
        address=f"{provider.address}/resto",
        access=Access(credentials=LOGIN, connections=connections),
        asker=Asker("peps", wait=lambda _: None),
    )


def fill(provider: Server, count: int, *, size: int = 5_000, **attributes: object) -> list[str]:
    """Put many products into a provider; return their names."""
    first = len(provider.provider.products)
    products = [
        archive(numbered_name(first + number), size=size, **attributes) for number in range(count)
    ]
    provider.provider.add(*products)
    return [product.name for product in products]


def found_by(catalog: RestoCatalog, names: list[str]) -> list[Product]:
    """Search products, and return them in this order."""
    by_name = {product.name: product for product in catalog.search(Query())}
    return [by_name[name] for name in names]


def body_of(provider: Server, name: str) -> bytes:
    """Return the bytes of a product."""
    return provider.provider.products[name].body


def product_at(
    provider: Server, *, size: int = 300_000, name: str = NAME, **attributes: Any
) -> ScriptedProduct:
    """Put a product into a provider."""
    product = archive(name, size=size, **attributes)
    provider.provider.add(product)
    return product


def fetched(source: Source, folder: Path, network: Network = QUICK, **options: Any) -> Path:
    """Fetch the product of this name, which is not on tape."""
    found = Downloader(network, **options).fetch_product(source, folder, NAME, FORM)
    assert not isinstance(found, OnTape)
    return found[0]
