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


class PairBaseline(NamedTuple):
    """How far the orbits of a pair are apart, seen from the middle of their common ground [m].

    Perpendicular to the line of sight of the reference, positive on the side of the zenith; and
    along it, the secondary's range less the reference's. None where it is not known: `reason`
    says why, in words that pairs may share.
    """

    perpendicular_m: float | None = None
    parallel_m: float | None = None
    reason: str = ""


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
    smaller = min(sum(map(size_of, boxes_of(p.footprint))) for p in (one, other) if p.footprint)
    return sum(map(size_of, common_boxes(one, other))) >= LEAST_COMMON * smaller


def common_boxes(one: Product, other: Product) -> list[Box]:
    """Return what the boxes of two footprints have in common; nothing where one is unknown."""
    if one.footprint is None or other.footprint is None:
        return []
    found = []
    for ours in boxes_of(one.footprint):
        for theirs in boxes_of(other.footprint):
            west, south = max(ours.west, theirs.west), max(ours.south, theirs.south)
            east, north = min(ours.east, theirs.east), min(ours.north, theirs.north)
            if west < east and south < north:
                found.append(Box(west, south, east, north))
    return found


def size_of(box: Box) -> float:
    """Return the size of a box that does not cross the antimeridian [square degrees]."""
    return (box.east - box.west) * (box.north - box.south)
