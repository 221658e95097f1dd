"""What tests of fetching share: a patient but quick network, sources, pictures of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.model import Checksum, Source
from catalog.requesting import Network
from catalog.retries import Patience
from tests.catalog.scripted import ScriptedProduct, Server

QUICK = Network(
    connect_timeout_s=20.0,
    read_timeout_s=20.0,
    patience=Patience(first_wait_s=0.01, longest_wait_s=0.05, longest_asked_wait_s=0.2),
)
"""Waits of hundredths of a second, timeouts that a busy machine keeps."""
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
