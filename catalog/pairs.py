"""Possible interferometric pairs among the answers to a query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

from catalog.areas import boxes_of
from catalog.matching import track_of
from catalog.model import Box, Product
from catalog.names import product_of_name

LEAST_COMMON = 0.5
"""Part of the smaller footprint's box that a pair has in common; neighbouring slices have less."""
_DAY_S = 86_400.0


class Pair(NamedTuple):
    """Two acquisitions of one track: the earlier, the later, and the days between."""

    reference: Product
    secondary: Product
    days: float

    @property
    def relative_orbit(self) -> int | None:
        """Track of both."""
        return track_of(self.reference)


def possible_pairs(products: Iterable[Product], *, longest_days: float = 48.0) -> list[Pair]:
    """Find pairs: of one track, mode, beam and type, over common ground, in one polarisation.

    Parameters
    ----------
    products : iterable of Product
        Any; those that are not SLC, or whose track or time is unknown, make no pair.
    longest_days : float
        Between the two acquisitions [days].

    Returns
    -------
    list of Pair
        The shortest first.
    """
    groups: dict[tuple[object, ...], list[Product]] = defaultdict(list)
    for product in products:
        track = track_of(product)
        if track is not None and product.start is not None and _type(product) == "SLC":
            beam = product.name[4:6] if product.mode == "SM" else product.mode
            groups[track, product.mode, beam].append(product)
    found = []
    for group in groups.values():
        for pair in combinations(sorted(group, key=_seconds), 2):
            days = (_seconds(pair[1]) - _seconds(pair[0])) / _DAY_S
            if 0.5 < days <= longest_days and _agree(*pair):
                found.append(Pair(*pair, days))
    return sorted(found, key=lambda pair: (pair.days, pair.reference.name, pair.secondary.name))


def _type(product: Product) -> str:
    return product_of_name(product.name).product_type or product.product_type


def _seconds(product: Product) -> float:
    return product.start.timestamp() if product.start else 0.0


def _agree(one: Product, other: Product) -> bool:
    ours, theirs = one.polarisation.split(), other.polarisation.split()
    if ours and theirs and not set(ours) & set(theirs):
        return False
    if one.footprint is None or other.footprint is None:
        return True
    pairs = [(a, b) for a in boxes_of(one.footprint) for b in boxes_of(other.footprint)]
    common = sum(_common(a, b) for a, b in pairs)
    smaller = min(sum(map(_size, boxes_of(p.footprint))) for p in (one, other) if p.footprint)
    return common >= LEAST_COMMON * smaller


def _size(box: Box) -> float:
    return (box.east - box.west) * (box.north - box.south)


def _common(one: Box, other: Box) -> float:
    width = min(one.east, other.east) - max(one.west, other.west)
    height = min(one.north, other.north) - max(one.south, other.south)
    return max(width, 0.0) * max(height, 0.0)
