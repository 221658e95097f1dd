"""The pairs that a request wants of some dates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from kernels.chains.multislc_series.opening import orbit_baselines
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.stack import SeriesDate
from kernels.errors import RequestError
from kernels.insar.networks import Pair, consecutive, listed, small_baseline, star

_MARGIN = 1.1
"""Of the largest baseline, as long as baselines are those in the middle of another image."""


def check_pairs(
    request: MultislcSeriesRequest, dates: Sequence[SeriesDate], reference: int
) -> None:
    """Refuse a network without pairs before hours are spent on the images.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Names the network and its limits.
    dates : sequence of SeriesDate
        In order of time.
    reference : int
        Number of the reference.

    Raises
    ------
    RequestError
        No pair is within the limits, or a day is not there.
    """
    days = [date.day for date in dates]
    choose_pairs(request, days, reference)
    if request.interferograms and request.network == "small_baseline":
        wider = replace(request, largest_baseline=_MARGIN * request.largest_baseline)
        lengths = [
            math.nan if length is None else length for length in orbit_baselines(request, dates)
        ]
        choose_pairs(wider, days, reference, lengths)


def choose_pairs(
    request: MultislcSeriesRequest,
    days: Sequence[date],
    reference: int,
    baselines: Sequence[float] | None = None,
) -> tuple[Pair, ...]:
    """Choose the pairs of a network.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Names the network and its limits.
    days : sequence of date
        In order of time.
    reference : int
        Number of the reference.
    baselines : sequence of float or None
        Perpendicular, of each date [m]; None: not known yet, days alone count.

    Returns
    -------
    tuple of Pair
        Empty where no interferograms are wanted.

    Raises
    ------
    RequestError
        No pair is within the limits, or a day is not there.
    """
    if not request.interferograms:
        return ()
    if request.network == "reference":
        return star(len(days), reference)
    if request.network == "consecutive":
        return consecutive(len(days))
    if request.network == "list":
        return listed(days, request.pairs)
    found = small_baseline(
        days,
        baselines or [0.0] * len(days),
        largest_days=request.largest_days,
        largest_baseline=request.largest_baseline,
    )
    if not found:
        rule = "one that makes pairs: no two dates are within largest_days and largest_baseline"
        raise RequestError("network", rule, request.network)
    return found
