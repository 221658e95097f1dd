"""Which passes make the dates of a series, told by names, manifests and headers alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import NoReturn

from kernels.chains.multislc_series.passes import (
    FoundPass,
    OpenedSlc,
    group_passes,
    one_a_day,
    open_products,
)
from kernels.chains.multislc_series.reference import NamedReference, read_reference
from kernels.chains.multislc_series.request import MultislcSeriesRequest, read_day
from kernels.chains.multislc_series.stack import SeriesDate
from kernels.engine.progress import Progress
from kernels.errors import InputError, RequestError
from kernels.products.folder_search import LeftOut
from kernels.products.slc_archive import NamedSlc, list_slc

_DATA_TAKE = timedelta(minutes=30)
"""The longest of any satellite: a pass of a day has no slices farther from its midnight."""
_TRACKS = 175


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The dates of a series.

    Attributes
    ----------
    dates : tuple of SeriesDate
        In order of time, two or more.
    reference : int or None
        Number of the reference among them; None where baselines are to choose it.
    left_out : tuple of str
        What could not be used, or was not wanted, one line each.
    """

    dates: tuple[SeriesDate, ...]
    reference: int | None
    left_out: tuple[str, ...]

    @property
    def middle(self) -> int:
        """Number of the date that is nearest to the middle of the series in time."""
        days = [one.day.toordinal() for one in self.dates]
        middle = 0.5 * (days[0] + days[-1])
        return min(range(len(days)), key=lambda number: abs(days[number] - middle))


def select_dates(request: MultislcSeriesRequest, progress: Progress) -> Selection:
    """Choose the passes of a series; no pixel is read.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Checked request.
    progress : Progress
        Told of the step; asked for cancellation.

    Returns
    -------
    Selection
        One pass a day, all of one sensor, mode or beam, and track, on the region where the
        request names one. A pass belongs to the day and the tracks of its products on the region.

    Raises
    ------
    RequestError
        Fewer than two dates answer, the reference is not among them, or products are of several
        tracks, sensors, modes or beams; names the rule.
    InputError
        There are no SLC products, or none can be read.
    """
    progress.update(0.0, "products")
    named_reference = read_reference(request.reference, request.polarisation)
    listed, left_out = list_slc(request.products, progress)
    if not listed:
        shown = ", ".join(sorted({place.name for place in request.products}))
        raise InputError(f"products must hold SLC products, got none in {shown}")
    named = _by_names(listed, request)
    opened, unusable = open_products(named, request, progress)
    left_out += unusable
    if not opened:
        if unusable:
            raise InputError(f"products of those days must be usable: {_line(unusable[-1])}")
        _refuse("swaths", {one.name for one in named}, ", ".join(request.swaths))
    on_region = [one for one in opened if one.touches]
    if not on_region:
        raise RequestError("region", "on the ground of a product of those days", request.region)
    passes, notes = group_passes(on_region)
    first, last = request.days
    passes = [one for one in passes if first <= one.day <= last]
    if not passes:
        raise RequestError("first_day", "of a pass that begins on it or later", request.first_day)
    passes = _of_track(passes, request.track)
    _check_kinds(passes, request)
    chosen, others = one_a_day(passes, [one for one in passes if named_reference.is_of(one)])
    left_out += [*notes, *others, *_elsewhere(opened, passes)]
    kept, excluded = _without_excluded(chosen, request)
    dates = tuple(_date(one) for one in kept)
    return Selection(
        dates=dates,
        reference=_number(named_reference, kept, request),
        left_out=tuple(dict.fromkeys(map(_line, [*left_out, *excluded]))),
    )


def products_of(request: MultislcSeriesRequest, progress: Progress) -> tuple[Path, ...]:
    """Find the products that a series takes; raises what `select_dates` does.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Checked request.
    progress : Progress
        Told of the step; asked for cancellation.

    Returns
    -------
    tuple of Path
        In order of time.
    """
    return tuple(path for one in select_dates(request, progress).dates for path in one.paths)


def _line(one: LeftOut) -> str:
    return f"{one.name} {one.reason}"


def _by_names(listed: list[NamedSlc], request: MultislcSeriesRequest) -> list[NamedSlc]:
    """Keep what may answer by its name; refuse by the first rule that keeps none."""
    first, last = request.days
    begin = datetime.combine(first, time.min) - _DATA_TAKE
    end = datetime.combine(last, time.max) + _DATA_TAKE
    named = [one for one in listed if begin <= one.start <= end]
    if not named:
        days = [one.start.date() for one in listed]
        rule = f"with last_day around a product; those found start from {days[0]} to {days[-1]}"
        raise RequestError("first_day", rule, f"{first} to {last}")
    wanted = request.polarisation
    there = {name for one in named for name in one.polarisations}
    named = [one for one in named if wanted in one.polarisations or not one.polarisations]
    if not named:
        _refuse("polarisation", there, wanted)
    if request.track is None:
        return named
    # a pass over the ascending node has slices of two tracks
    near = {(request.track + step - 1) % _TRACKS + 1 for step in (-1, 0, 1)}
    tracks = {one.track for one in named if one.track is not None}
    return [one for one in named if one.track is None or one.track in near] or _refuse(
        "track", tracks, request.track
    )


def _refuse(argument: str, there: Iterable[str] | Iterable[int], value: object) -> NoReturn:
    rule = f"that of a product found: {', '.join(map(str, sorted(there)))}"
    raise RequestError(argument, rule, value)


def _of_track(passes: list[FoundPass], track: int | None) -> list[FoundPass]:
    """Keep the passes of a track, or see that all are of one."""
    tracks = {number for one in passes for number in one.tracks}
    if track is not None:
        if not tracks:
            raise RequestError("track", "left out for sensors that count no tracks", track)
        return [one for one in passes if track in one.tracks] or _refuse("track", tracks, track)
    counted = [one.tracks for one in passes if one.tracks]
    if counted and not frozenset.intersection(*counted):
        there = ", ".join(map(str, sorted(tracks)))
        raise RequestError("track", f"given where products are of several: {there}", "none")
    return passes


def _check_kinds(passes: Sequence[FoundPass], request: MultislcSeriesRequest) -> None:
    """Refuse passes of several sensors, modes or beams."""
    parts = [part for one in passes for part in one.parts]
    sensors = sorted({part.sensor for part in parts})
    if len(sensors) > 1:
        raise RequestError("products", "of one sensor", " and ".join(sensors))
    kinds = sorted({part.kind for part in parts})
    if len(kinds) > 1:
        rule = f"of one mode or beam where products are of several: {', '.join(kinds)}"
        raise RequestError("swaths", rule, ", ".join(request.swaths) or "none")


def _elsewhere(opened: Sequence[OpenedSlc], passes: Sequence[FoundPass]) -> list[LeftOut]:
    """Tell of the products that would be of further passes if they touched the region."""
    days = {one.day for one in passes}
    kinds = {(part.sensor, part.kind) for one in passes for part in one.parts}
    tracks = frozenset[int]().union(*(one.tracks for one in passes))
    return [
        LeftOut(one.source.name, "was left out: it does not touch the region")
        for one in opened
        if not one.touches
        and one.source.start.date() not in days
        and (one.sensor, one.kind) in kinds
        and (not one.tracks or one.tracks & tracks)
    ]


def _without_excluded(
    passes: Sequence[FoundPass], request: MultislcSeriesRequest
) -> tuple[list[FoundPass], list[LeftOut]]:
    """Take excluded days off; refuse what is left when it is no series."""
    days = {read_day("excluded_days", text) for text in request.excluded_days}
    excluded = [one for one in passes if one.day in days]
    kept = [one for one in passes if one.day not in days]
    if excluded and not kept:
        raise RequestError("excluded_days", "fewer than all days found", _days(passes))
    if len(kept) < 2:
        less = f", with {_days(excluded)} excluded" if excluded else ""
        rule = f"of two days or more from {request.first_day} to {request.last_day}"
        raise RequestError("products", rule, f"{_days(kept)} alone{less}")
    return kept, [LeftOut(name, "was excluded") for one in excluded for name in one.names]


def _days(passes: Collection[FoundPass]) -> str:
    return ", ".join(f"{one.day:%Y%m%d}" for one in passes)


def _date(one: FoundPass) -> SeriesDate:
    return SeriesDate(day=one.day, names=one.names, paths=tuple(part.path for part in one.parts))


def _number(
    named: NamedReference, passes: Sequence[FoundPass], request: MultislcSeriesRequest
) -> int | None:
    """Find the reference among the dates; None where the request names none."""
    if request.reference is None:
        return None
    for number, one in enumerate(passes):
        if named.is_of(one):
            return number
    rule = f"of one of the days {_days(passes)}"
    raise RequestError("reference", rule, request.reference)
