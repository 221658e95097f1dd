"""Answers that come page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.errors import QueryError
from catalog.model import Product, Query


def each_once(products: Iterable[Product]) -> Iterator[Product]:
    """Pass products on, each name once."""
    seen: set[str] = set()
    for product in products:
        if product.name not in seen:
            seen.add(product.name)
            yield product


def until_nothing_new(pages: Iterable[Iterable[Product]]) -> Iterator[Product]:
    """Pass on the products of pages, up to a page that brings nothing new.

    Full last pages lead to empty ones, and some servers repeat their last page for ever.

    Parameters
    ----------
    pages : iterable of iterable of Product
        Asked for one by one, as they are needed.

    Yields
    ------
    Product
        Each name once.
    """
    seen: set[str] = set()
    for page in pages:
        before = len(seen)
        for product in page:
            if product.name not in seen:
                seen.add(product.name)
                yield product
        if len(seen) == before:
            return


def refuse_place(query: Query, catalog: str) -> None:
    """Refuse a place that has to be found by its name; raises QueryError."""
    if query.place:
        raise QueryError("place", f"an area or a tile for {catalog}", query.place)
