"""Which products answer a query; for catalogues that cannot tell themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from catalog.areas import area_of, meet
from catalog.model import Product, Query
from catalog.names import platform_name, polarisation_names, product_of_name

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


def answers(query: Query, product: Product, criteria: Collection[str] = ()) -> bool:
    """Tell whether a product answers a query.

    Parameters
    ----------
    query : Query
        What is asked for.
    product : Product
        What a catalogue knows. What it does not tell is taken from the product's name; what
        that does not tell either answers no criterion but the cloud cover and the area.
    criteria : collection of str
        Attributes of the query to look at; empty: all but `collection`, `place` and `most`.

    Returns
    -------
    bool
        True where none of them excludes it.
    """
    return all(
        test(query, product)
        for argument, test in _TESTS.items()
        if not criteria or argument in criteria
    )


def track_of(product: Product) -> int | None:
    """Return the relative orbit of a product: as the catalogue says, else by its name."""
    if product.relative_orbit is not None:
        return product.relative_orbit
    return product_of_name(product.name).relative_orbit


def _platform(query: Query, product: Product) -> bool:
    if query.platform is None:
        return True
    platform = product.platform or product_of_name(product.name).platform
    return platform_name(platform) == platform_name(query.platform)


def _polarisation(query: Query, product: Product) -> bool:
    if query.polarisation is None:
        return True
    told = product.polarisation or product_of_name(product.name).polarisation
    return set(polarisation_names(query.polarisation).split()) <= set(told.split())


def _track(query: Query, product: Product) -> bool:
    return query.relative_orbit is None or track_of(product) == query.relative_orbit


def _times(query: Query, product: Product) -> bool:
    if query.start is None and query.stop is None:
        return True
    start = product.start or product_of_name(product.name).start
    return start is not None and (query.start or _EPOCH) <= start <= (query.stop or _END)


def _area(query: Query, product: Product) -> bool:
    area = area_of(query)
    return area is None or product.footprint is None or meet(area, product.footprint)


def _clouds(query: Query, product: Product) -> bool:
    largest, cover = query.largest_cloud_cover, product.cloud_cover
    return largest is None or cover is None or cover <= largest


def _equal(argument: str) -> Callable[[Query, Product], bool]:
    def test(query: Query, product: Product) -> bool:
        wanted = getattr(query, argument)
        if not wanted:
            return True
        told = getattr(product, argument) or getattr(product_of_name(product.name), argument)
        return str(told).lower() == str(wanted).lower()

    return test


_TESTS: dict[str, Callable[[Query, Product], bool]] = {
    "product_type": _equal("product_type"),
    "mode": _equal("mode"),
    "absolute_orbit": _equal("absolute_orbit"),
    "direction": _equal("direction"),
    "names": lambda query, product: not query.names or product.name in query.names,
    "platform": _platform,
    "polarisation": _polarisation,
    "relative_orbit": _track,
    "start": _times,
    "area": _area,
    "largest_cloud_cover": _clouds,
}
