"""The catalogues of this server, and their errors as those of a request."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from catalog.chain import CatalogChain
from catalog.errors import CancelledError, CatalogError, QueryError
from catalog.local import LocalCatalog
from catalog.model import Product, Query
from catalog.names import product_of_name
from catalog.opening import open_catalog, open_chain
from catalog.settings import CatalogSettings, read_catalog_settings
from kernels.errors import Cancelled, InputError, RequestError
from processes.settings import ConfigurationError, configuration_files

LOGGER = logging.getLogger(__name__)
INPUTS = {"start": "first_day", "stop": "last_day"}
"""Names of inputs, where those of a query hold words that clients take for others."""


@contextmanager
def told_as_ours() -> Iterator[None]:
    """Turn errors of the catalogue into those of a request: one line each, no traceback."""
    try:
        yield
    except QueryError as error:
        name = INPUTS.get(error.argument, error.argument)
        raise RequestError(name, error.rule, error.value) from error
    except CancelledError as error:
        raise Cancelled(str(error)) from error
    except CatalogError as error:
        raise InputError(str(error)) from error


def configured_catalogs() -> tuple[CatalogSettings, ...]:
    """Return the catalogues that the operator has configured; raises ConfigurationError."""
    try:
        return read_catalog_settings(configuration_files())
    except CatalogError as error:
        raise ConfigurationError(str(error)) from error


def has_providers() -> bool:
    """Tell whether a catalogue that products are fetched from is configured."""
    return any(one.type != "local" for one in configured_catalogs())


def find_indexed(name: str) -> Path | None:
    """Find a product in the indexes of the operator's folders, without asking anybody else.

    Parameters
    ----------
    name : str
        Without ending.

    Returns
    -------
    Path or None
        Where it is; None where no index knows it, or none can be read.
    """
    for settings in configured_catalogs():
        if settings.index is None or not settings.index.is_file():
            continue
        try:
            catalog = open_catalog(settings)
            found = catalog.named(name) if isinstance(catalog, LocalCatalog) else None
        except CatalogError as error:
            LOGGER.warning("catalogue %s: %s", settings.name, error)
            continue
        if found is not None:
            return found.path
    return None


def open_configured() -> CatalogChain:
    """Open the catalogues that the operator has configured.

    Returns
    -------
    CatalogChain
        The indexes of folders first. Others are never asked: what a server reaches out to is its
        operator's decision.

    Raises
    ------
    InputError
        There are none, or one cannot be opened.
    """
    settings = configured_catalogs()
    if not settings:
        raise InputError("this server has no catalogue: no section catalog: of its configuration")
    with told_as_ours():
        return open_chain(settings)


def find_named(chain: CatalogChain, names: Iterable[str]) -> tuple[Product, ...]:
    """Find products by their names.

    Parameters
    ----------
    chain : CatalogChain
        Is asked once for all products of a collection.
    names : iterable of str
        Without endings.

    Returns
    -------
    tuple of Product
        One for each name.

    Raises
    ------
    InputError
        No catalogue has one of them, or none answers.
    """

    def collection_of(name: str) -> str:
        return product_of_name(name).collection

    wanted = tuple(dict.fromkeys(names))
    found: dict[str, Product] = {}
    problems: list[CatalogError] = []
    with told_as_ours():
        for collection, group in groupby(sorted(wanted, key=collection_of), collection_of):
            query = Query(collection=collection, names=tuple(group))
            found |= {product.name: product for product in chain.search(query)}
            problems += chain.problems
    for name in wanted:
        if name not in found:
            why = f": {problems[0]}" if problems else ""
            raise InputError(f"no catalogue of this server has {name}{why}")
    return tuple(found[name] for name in wanted)
