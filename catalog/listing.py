"""Products as text: lines, tables, JSON and GeoJSON."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.errors import StorageError
from catalog.matching import track_of
from catalog.model import Checksum, Product
from catalog.pairs import Pair
from catalog.times import write_time

_BULKY = frozenset({"properties", "footprint"})


def lines(products: Sequence[Product]) -> str:
    """Write products as peps_download.py does, ``NAME disk``, and how many there are of each.

    Parameters
    ----------
    products : sequence of Product
        Any.

    Returns
    -------
    str
        A line each, and one with the numbers.
    """
    counted = Counter(product.storage.value for product in products)
    parts = ", ".join(f"{count} on {where}" for where, count in sorted(counted.items()))
    last = f"{len(products)} products" + (f": {parts}" if parts else "")
    return "\n".join([*(f"{one.name} {one.storage}" for one in products), last])


def table(products: Iterable[Product], *, master: str = "") -> str:
    """Write products as a table.

    Parameters
    ----------
    products : iterable of Product
        Any.
    master : str
        Name of the product that is marked with a star.

    Returns
    -------
    str
        With a line of headings.
    """
    headings = ("", "name", "start", "track", "direction", "polarisation", "size", "storage", "of")
    rows = [
        (
            "*" if product.name == master else "",
            product.name,
            write_time(product.start)[:19] if product.start else "",
            str(track_of(product) or ""),
            product.direction[:4],
            product.polarisation,
            f"{product.size / 1e6:.0f} MB" if product.size else "",
            product.storage.value,
            product.catalog,
        )
        for product in products
    ]
    return columns(headings if master else headings[1:], [r if master else r[1:] for r in rows])


def pair_table(pairs: Iterable[Pair]) -> str:
    """Write pairs as a table, the shortest first."""
    headings = ("track", "days", "reference", "secondary", "storage")
    rows = [
        (
            str(pair.relative_orbit or ""),
            f"{pair.days:.0f}",
            pair.reference.name,
            pair.secondary.name,
            f"{pair.reference.storage}, {pair.secondary.storage}",
        )
        for pair in pairs
    ]
    return columns(headings, rows)


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write rows of texts in columns as wide as their widest."""
    every = [headings, *rows]
    widths = [max(len(row[k]) for row in every) for k in range(len(headings))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    )


def plain(product: Product, *, bulky: bool = False) -> dict[str, Any]:
    """Turn a product into what JSON holds.

    Parameters
    ----------
    product : Product
        Any.
    bulky : bool
        With its footprint and all that the catalogue said.

    Returns
    -------
    dict
        By the names of its attributes; what is unknown is left out.
    """
    found = {}
    for one in fields(product):
        value = getattr(product, one.name)
        if value not in (None, "", {}) and (bulky or one.name not in _BULKY):
            found[one.name] = _plain_value(value)
    return found


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, Checksum):
        return {"algorithm": value.algorithm, "digits": value.digits}
    return str(value) if isinstance(value, Path) else value


def as_json(products: Iterable[Product]) -> str:
    """Write products as a JSON list."""
    return json.dumps([plain(product) for product in products], indent=1)


def as_geojson(products: Iterable[Product]) -> str:
    """Write products as a GeoJSON collection of features (RFC 7946)."""
    features = [
        {
            "type": "Feature",
            "id": product.name,
            "geometry": product.footprint,
            "properties": plain(product),
        }
        for product in products
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1)


def write_beside(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it.

    Parameters
    ----------
    path : Path
        Of the file.
    content : bytes
        All of it.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as stream:
            stream.write(content)
        Path(stream.name).chmod(0o666 & ~_umask())
        Path(stream.name).replace(path)
    except OSError as error:
        raise StorageError(f"{path.name} cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
