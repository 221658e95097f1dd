"""The reference of a series: as users name it, or as baselines choose it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from kernels.chains.multislc_series.passes import FoundPass
from kernels.chains.multislc_series.request import read_day
from kernels.errors import RequestError

CRITICAL_BASELINE = 1200.0
"""Perpendicular baseline without coherence [m]."""
CRITICAL_DAYS = 1825.0
"""Time without coherence: five years [days]."""

_DAY = re.compile(r"\d{4}-?\d\d-?\d\d", re.ASCII)
_ENDINGS = re.compile(r"(\.(safe|zip|h5|hdf5|xml|cos|tiff?))+$")
_SENTINEL1 = re.compile(r"(?P<platform>s1[a-d])[-_].*?[-_](?P<start>\d{8}t\d{6})[-_]", re.ASCII)
_MEASUREMENT = re.compile(r"s1[a-d]-[a-z0-9]+-slc-([vh]{2})-", re.ASCII)
_SECOND = timedelta(seconds=1)
"""Names hold whole seconds, cut off, and measurement files begin within those of their product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedReference:
    """What a name of the reference says.

    Attributes
    ----------
    day : date or None
        The name is a day.
    platform : str or None
        Of Sentinel-1, with `instant`.
    instant : datetime or None
        At which a product or a measurement file of Sentinel-1 begins [UTC, naive].
    product : str or None
        Name of a product of another sensor, in small letters.
    """

    day: date | None = None
    platform: str | None = None
    instant: datetime | None = None
    product: str | None = None

    def is_of(self, one: FoundPass) -> bool:
        """Tell whether it names a pass, also by another version of one of its products."""
        if self.day is not None:
            return one.day == self.day
        if self.instant is not None:
            inside = one.start - _SECOND <= self.instant <= one.stop + _SECOND
            return inside and one.platform == self.platform
        return self.product in {name.lower() for name in one.names}


def read_reference(text: str | None, polarisation: str) -> NamedReference:
    """Read a day, the name of a product, or that of a measurement file of Sentinel-1.

    Parameters
    ----------
    text : str or None
        In any case, with or without folders and endings; None: nothing is named.
    polarisation : str
        Of the series: a measurement file is of the same.

    Returns
    -------
    NamedReference
        Names no pass where there is no text.

    Raises
    ------
    RequestError
        A day that does not exist, or a measurement file of another polarisation.
    """
    if text is None:
        return NamedReference()
    if _DAY.fullmatch(text.strip()):
        return NamedReference(day=read_day("reference", text.strip()))
    name = _ENDINGS.sub("", re.split(r"[/\\]", text.strip().rstrip("/\\"))[-1].lower())
    measured = _MEASUREMENT.match(name)
    if measured and measured[1].upper() != polarisation:
        raise RequestError("reference", f"of polarisation {polarisation}, as the series", text)
    found = _SENTINEL1.match(name)
    if found is None:
        return NamedReference(product=name)
    try:
        instant = datetime.strptime(found["start"], "%Y%m%dt%H%M%S")
    except ValueError as error:
        raise RequestError("reference", "a name with a time of the calendar", text) from error
    return NamedReference(platform=found["platform"].upper(), instant=instant)


def choose_reference(days: Sequence[date], baselines: Sequence[float]) -> int:
    """Choose the date whose pairs with all others promise the most coherence.

    Of a pair ``(1 - days/CRITICAL_DAYS) (1 - baseline/CRITICAL_BASELINE)``, no factor below 0, is
    expected (Kampes, Radar Interferometry: Persistent Scatterer Technique, Springer 2006).

    Parameters
    ----------
    days : sequence of date
        Two or more.
    baselines : sequence of float
        Perpendicular, of each date against any one [m].

    Returns
    -------
    int
        Number of the date, the first of equal ones.
    """
    numbers = np.array([day.toordinal() for day in days], np.float64)
    across = np.asarray(baselines, np.float64)
    apart = np.abs(numbers[:, None] - numbers)
    lengths = np.abs(across[:, None] - across)
    coherence = np.maximum(1.0 - apart / CRITICAL_DAYS, 0.0)
    coherence = coherence * np.maximum(1.0 - lengths / CRITICAL_BASELINE, 0.0)
    return int(np.argmax(coherence.sum(axis=1).round(9)))  # equal ones stay equal
