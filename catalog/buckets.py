"""Public stores of files that list themselves, page by page, as S3 does (ListObjectsV2)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from lxml import etree

from catalog.download import Downloader
from catalog.errors import AnswerError
from catalog.model import Source
from catalog.reading import whole_or_none
from catalog.requesting import OnTape
from catalog.wording import host_of, one_line

LISTING_ENDING = ".list.xml"
"""Of the names by which pages of a listing are told of."""
_MOST_PAGES = 1000
_LARGEST_PAGE = 20_000_000
"""Bytes; a page of a thousand files has some 400 000."""


class Listed(NamedTuple):
    """A file of a store: its key, and its size [bytes] where that is told."""

    key: str
    size: int | None


def address_of(store: str, key: str) -> str:
    """Return the address of a file of a store."""
    return f"{store.rstrip('/')}/{quote(key)}"


def list_files(
    store: str, *, prefix: str, after: str = "", downloader: Downloader
) -> Iterator[Listed]:
    """List the files of a store in the order of their keys, page by page as they are asked for.

    Parameters
    ----------
    store : str
        Its address.
    prefix : str
        That keys begin with.
    after : str
        Keys up to this one are left out.
    downloader : Downloader
        Asks.

    Yields
    ------
    Listed
        Each file once.

    Raises
    ------
    AnswerError
        What the store answers is no listing.
    CatalogError
        It does not answer; see `catalog.download`.
    """
    asked = {"list-type": "2", "prefix": prefix, **({"start-after": after} if after else {})}
    tokens: set[str] = set()
    for _ in range(_MOST_PAGES):
        root = _page(f"{store.rstrip('/')}/?{urlencode(asked)}", prefix, downloader)
        for entry in root.iterfind("{*}Contents"):
            if key := entry.findtext("{*}Key"):
                yield Listed(key, whole_or_none(entry.findtext("{*}Size")))
        token = root.findtext("{*}NextContinuationToken") or ""
        if (root.findtext("{*}IsTruncated") or "").strip().lower() != "true":
            return
        if not token or token in tokens:
            break
        tokens.add(token)
        asked["continuation-token"] = token
    raise AnswerError(f"{one_line(host_of(store))} lists its files without end")


def _page(address: str, prefix: str, downloader: Downloader) -> etree._Element:
    """Fetch a page through a file, which brings retries and everything else of downloads."""
    host = one_line(host_of(address))
    name = quote(prefix.strip("/"), safe="") or "files"
    with tempfile.TemporaryDirectory() as folder:
        page = downloader.fetch_file(
            Source(address=address), Path(folder, f"{name}{LISTING_ENDING}")
        )
        if isinstance(page, OnTape) or page.stat().st_size > _LARGEST_PAGE:
            raise AnswerError(f"{host} must answer a list of files")
        content = page.read_bytes()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise AnswerError(f"{host} must answer a list of files in XML") from error
    if etree.QName(root).localname != "ListBucketResult":
        raise AnswerError(f"{host} must answer a list of files in XML")
    return root
