"""The catalogue of this machine's own folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from catalog.describing import Kind, State, describe
from catalog.errors import NotFoundError
from catalog.index import ProductIndex
from catalog.layouts import path_in
from catalog.matching import answers
from catalog.model import Product, Query, Source
from catalog.pages import refuse_place
from catalog.scanning import add

_KINDS = {".SAFE": Kind.SAFE, ".zip": Kind.ZIP, ".tif": Kind.ORTHO}


class LocalCatalog:
    """Products of an index, and of folders where their names tell the place.

    Parameters
    ----------
    index : ProductIndex
        Kept by `catalog.scanning.scan`.
    roots : iterable of Path
        Folders.
    layouts : iterable of str
        Where products lie below the roots; for names that the index does not know.
    name : str
        Of the catalogue.
    """

    def __init__(
        self,
        index: ProductIndex,
        *,
        roots: Iterable[Path] = (),
        layouts: Iterable[str] = (),
        name: str = "local",
    ) -> None:
        self.name = name
        self.index = index
        self.roots = tuple(root.resolve() for root in roots)
        self._layouts = tuple(layouts)

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each name once, newest first; raises CatalogError."""
        return islice(self._search(query), query.most)

    def _search(self, query: Query) -> Iterator[Product]:
        refuse_place(query, self.name)
        seen: set[str] = set()
        for product in self.index.find(query):
            if product.name not in seen and os.path.lexists(product.identifier):
                seen.add(product.name)
                yield product
        for name in query.names:
            if name not in seen:
                found = self._by_layout(name)
                if found is not None and answers(query, found):
                    yield found

    def named(self, name: str) -> Product | None:
        """Return the product of a name; None where it is not here."""
        for product in self.index.find_named(name):
            if os.path.lexists(product.identifier):
                return product
        return self._by_layout(name)

    def add(self, path: Path) -> None:
        """Put a product that has just come into the index; raises StorageError."""
        for root in self.roots:
            add(self.index, root, path)

    def refresh(self, product: Product) -> Product:
        """Ask again where a product is; raises NotFoundError if it is gone."""
        found = self.named(product.name)
        if found is None:
            raise NotFoundError(f"{product.name} is no longer here")
        return found

    def source(self, product: Product) -> Source:
        """Refuse: there is nothing to fetch; raises NotFoundError."""
        raise NotFoundError(f"{product.name} is here already, at its path")

    def _by_layout(self, name: str) -> Product | None:
        for root in self.roots:
            for layout in self._layouts:
                path = path_in(root, layout, name)
                if path is not None and path.suffix in _KINDS:
                    description = describe(path, _KINDS[path.suffix])
                    if description.state is State.READY:
                        return description.product
        return None
