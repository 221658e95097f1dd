"""Which dates of a series make pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import combinations, pairwise

from kernels.errors import RequestError

NETWORKS = ("reference", "consecutive", "small_baseline", "list")
"""All dates with the reference, each with the next one, all within limits, or those listed."""

Pair = tuple[int, int]
"""Numbers of two dates: the first image of the interferogram, and the second."""

_PAIR = re.compile(r"(\d{4}-?\d\d-?\d\d)_(?:m_)?(\d{4}-?\d\d-?\d\d)(?:_s)?", re.ASCII)


def read_pair(text: str) -> tuple[date, date]:
    """Read two days as 20160605_20160629, in order of time.

    Parameters
    ----------
    text : str
        Also as 20160605_m_20160629_s, the folder of a pair.

    Returns
    -------
    tuple of date
        The earlier one first.

    Raises
    ------
    RequestError
        Another form, a day that does not exist, or twice the same.
    """
    found = _PAIR.fullmatch(text)
    try:
        days = sorted(date.fromisoformat(day) for day in found.groups()) if found else []
    except ValueError:
        days = []
    if len(days) != 2 or days[0] == days[1]:
        raise RequestError("pairs", "two days as 20160605_20160629", text)
    return days[0], days[1]


def star(count: int, reference: int) -> tuple[Pair, ...]:
    """Pair the reference with every other date; the reference is always the first image."""
    return tuple((reference, number) for number in range(count) if number != reference)


def consecutive(count: int) -> tuple[Pair, ...]:
    """Pair each date with the next one."""
    return tuple(pairwise(range(count)))


def small_baseline(
    days: Sequence[date],
    baselines: Sequence[float],
    *,
    largest_days: int,
    largest_baseline: float,
) -> tuple[Pair, ...]:
    """Pair all dates within limits (Berardino et al., IEEE TGRS 40, 2002).

    Parameters
    ----------
    days : sequence of date
        In order of time.
    baselines : sequence of float
        Perpendicular, of each date [m].
    largest_days : int
        Between the dates of a pair.
    largest_baseline : float
        Perpendicular, of a pair [m].

    Returns
    -------
    tuple of Pair
        The earlier date first.
    """
    return tuple(
        (a, b)
        for a, b in combinations(range(len(days)), 2)
        if (days[b] - days[a]).days <= largest_days
        and abs(baselines[b] - baselines[a]) <= largest_baseline
    )


def listed(days: Sequence[date], pairs: Sequence[str]) -> tuple[Pair, ...]:
    """Find the pairs of a list.

    Parameters
    ----------
    days : sequence of date
        In order of time.
    pairs : sequence of str
        As `read_pair` takes them.

    Returns
    -------
    tuple of Pair
        In the order of the list, each once.

    Raises
    ------
    RequestError
        A day that is not among the dates.
    """
    found = []
    for text in pairs:
        both = read_pair(text)
        for day in both:
            if day not in days:
                rule = f"of the days {', '.join(f'{one:%Y%m%d}' for one in days)}"
                raise RequestError("pairs", rule, text)
        found.append((days.index(both[0]), days.index(both[1])))
    return tuple(dict.fromkeys(found))


def subsets(count: int, pairs: Sequence[Pair]) -> tuple[tuple[int, ...], ...]:
    """Group the dates that pairs connect.

    Parameters
    ----------
    count : int
        Dates.
    pairs : sequence of Pair
        Among them.

    Returns
    -------
    tuple of tuple of int
        One group where the network is connected.
    """
    names = list(range(count))
    for a, b in pairs:
        old, new = names[a], names[b]
        names = [new if name == old else name for name in names]
    return tuple(
        tuple(k for k in range(count) if names[k] == name) for name in dict.fromkeys(names)
    )
