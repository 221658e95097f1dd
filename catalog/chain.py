"""Several catalogues as one: local folders first, then the providers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from catalog.errors import CatalogError, NotFoundError
from catalog.local import LocalCatalog
from catalog.model import Catalog, Product, Query, Source
from catalog.names import product_of_name

_LOG = logging.getLogger(__name__)


class CatalogChain:
    """Asks one catalogue after the other; each product comes once, by its name, local ones first.

    Parameters
    ----------
    catalogs : iterable of Catalog
        In the order of preference; local ones are asked before all others.
    name : str
        Of the chain.

    Attributes
    ----------
    problems : list of CatalogError
        Of catalogues that could not answer the last search, while another could.
    """

    def __init__(self, catalogs: Iterable[Catalog], *, name: str = "all") -> None:
        self.name = name
        given = tuple(catalogs)
        self._locals = tuple(one for one in given if isinstance(one, LocalCatalog))
        self.catalogs = (
            *self._locals,
            *(one for one in given if not isinstance(one, LocalCatalog)),
        )
        self.problems: list[CatalogError] = []

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each once; raises CatalogError where no catalogue answers."""
        return islice(self._search(query), query.most)

    def _search(self, query: Query) -> Iterator[Product]:
        self.problems = []
        seen: set[str] = set()
        for catalog in self.catalogs:
            try:
                for product in catalog.search(query):
                    if product.name not in seen:
                        seen.add(product.name)
                        yield self.nearest(product)
            except CatalogError as error:
                _LOG.warning("catalogue %s: %s", catalog.name, error)
                self.problems.append(error)
            if query.names and seen >= set(query.names):
                return
        if self.problems and len(self.problems) == len(self.catalogs):
            raise self.problems[-1]

    def nearest(self, product: Product) -> Product:
        """Return the local one of a product, where there is one, else the same."""
        if product.path is None:
            for catalog in self._locals:
                found = catalog.named(product.name)
                if found is not None:
                    return found
        return product

    def product(self, name: str) -> Product:
        """Find one product by its name.

        Parameters
        ----------
        name : str
            Without .SAFE or .zip.

        Returns
        -------
        Product
            The nearest.

        Raises
        ------
        NotFoundError
            No catalogue has it.
        CatalogError
            No catalogue answers.
        """
        collection = product_of_name(name).collection or Query().collection
        for found in self.search(Query(collection=collection, names=(name,))):
            return found
        raise NotFoundError(f"no catalogue has a product {name}")

    def add(self, path: Path) -> None:
        """Put a product that has just come into the indexes of the folders that it lies in."""
        for catalog in self._locals:
            try:
                catalog.add(path)
            except CatalogError as error:  # the next look through the folder finds it
                _LOG.warning("catalogue %s: %s", catalog.name, error)

    def refresh(self, product: Product) -> Product:
        """Ask the product's own catalogue again; raises NotFoundError if it is gone."""
        return self._of(product).refresh(product)

    def source(self, product: Product) -> Source:
        """Tell how to fetch a product; raises AccessError without credentials."""
        return self._of(product).source(product)

    def _of(self, product: Product) -> Catalog:
        for catalog in self.catalogs:
            if catalog.name == product.catalog:
                return catalog
        raise NotFoundError(f"{product.name} is of no catalogue that is asked here")
