"""Products as text: lines, tables, JSON and GeoJSON."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.errors import StorageError
from catalog.matching import track_of
from catalog.model import Checksum, Product
from catalog.pairs import Pair, PairBaseline
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


def pair_table(pairs: Sequence[Pair], baselines: Sequence[PairBaseline]) -> str:
    """Write pairs as a table, in their order; baselines [m] that are not known are blank."""
    headings = ("track", "days", "perp [m]", "par [m]", "reference", "secondary", "storage")
    rows = [
        (
            str(pair.relative_orbit or ""),
            f"{pair.days:.0f}",
            *("" if b is None else f"{b:.1f}" for b in (found.perpendicular_m, found.parallel_m)),
            pair.reference.name,
            pair.secondary.name,
            f"{pair.reference.storage}, {pair.secondary.storage}",
        )
        for pair, found in zip(pairs, baselines, strict=True)
    ]
    return columns(headings, rows)


def pair_json(pairs: Sequence[Pair], baselines: Sequence[PairBaseline]) -> str:
    """Write pairs as a JSON list; a baseline that is not known is null, with the reason."""
    told = []
    for pair, found in zip(pairs, baselines, strict=True):
        one = {
            "relative_orbit": pair.relative_orbit,
            "days": round(pair.days, 3),
            "perpendicular_baseline_m": _rounded(found.perpendicular_m),
            "parallel_baseline_m": _rounded(found.parallel_m),
            "reference": pair.reference.name,
            "secondary": pair.secondary.name,
        }
        told.append({**one, "no_baseline": found.reason} if found.reason else one)
    return json.dumps(told, indent=1)


def _rounded(metres: float | None) -> float | None:
    return None if metres is None else round(metres, 2)


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
    """Write a file beside its place and rename it; its folder is made where it is missing.

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
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path.name} cannot be written: {error.strerror}") from error
