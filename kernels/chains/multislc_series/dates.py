"""All dates of a series become images of its stack; those that an earlier run made are taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.matching import match_amplitudes
from kernels.chains.dinsar_pair.report import middle_baseline
from kernels.chains.multislc_series.images import ZEROS, Heights, raster_name, write_image
from kernels.chains.multislc_series.making import Making, Work
from kernels.chains.multislc_series.opening import Frame, first_seen
from kernels.chains.multislc_series.shifts import find_shifts
from kernels.chains.multislc_series.stack import SeriesDate, StackImage
from kernels.chains.multislc_series.store import Store, orbit_key
from kernels.engine.progress import Progress
from kernels.errors import InputError
from kernels.model import Dem

_MADE_OF = ("orbit", "trial", "shift", "warnings")
"""What tells in the record of a date that its pixels are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What became of the dates.

    Attributes
    ----------
    images : tuple of StackImage
        In order of time.
    left_out : tuple of str
        One line for each date that cannot be used.
    from_store : tuple of str
        Days whose images an earlier run made.
    warnings : tuple of str
        One line each.
    diversity : dict
        Findings of the spectral diversity, for the report.
    """

    images: tuple[StackImage, ...]
    left_out: tuple[str, ...]
    from_store: tuple[str, ...]
    warnings: tuple[str, ...]
    diversity: dict[str, Any]


def make_images(
    frame: Frame,
    dates: Sequence[SeriesDate],
    reference: SeriesDate,
    dem: Dem,
    store: Store,
    *,
    threads: int,
    progress: Progress,
) -> Images:
    """Make the images of all dates that the store does not hold.

    A date that cannot be used is left out; the others are not concerned.

    Parameters
    ----------
    frame : Frame
        The reference.
    dates : sequence of SeriesDate
        In order of time.
    reference : SeriesDate
        One of them.
    dem : Dem
        Terrain under them.
    store : Store
        Keeps the images.
    threads : int
        Computing threads.
    progress : Progress
        Told of each date.

    Returns
    -------
    Images
        Of the dates that can be used.

    Raises
    ------
    InputError
        The reference cannot be read.
    """
    making = Making(
        frame=frame,
        dem=dem,
        heights=Heights(store.folder / "heights"),
        store=store,
        threads=threads,
    )
    making.heights.make(
        frame.swaths,
        dem,
        threads=threads,
        memory_mb=frame.request.memory_mb,
        progress=progress.part(0.0, 0.1),
    )
    works = []
    for date in dates:
        progress.check()
        works.append(_begin(making, Work(date=date, is_reference=date == reference)))
        _match(making, works[-1], progress.part(0.1, 0.1))
    kept = tuple(work.date.text for work in works if work.is_kept)
    number = dates.index(reference)
    diversity = find_shifts(making, works, number, progress.part(0.1, 0.3))
    # without the reference the others are of no use
    new = sorted((work for work in works if work.is_new), key=lambda work: not work.is_reference)
    for done, work in enumerate(new):
        _refuse_damaged(works[number])
        share = 0.3 + 0.7 * done / len(new), 0.3 + 0.7 * (done + 1) / len(new)
        with work.judged():
            _make(making, work, progress.part(*share).named(work.date.text))
        if work.problem:
            store.forget(work.date)
    _refuse_damaged(works[number])
    usable = [work for work in works if not work.problem]
    return Images(
        images=tuple(_image(making, work) for work in usable),
        left_out=tuple(f"{w.date.text} was left out: {w.problem}" for w in works if w.problem),
        from_store=kept,
        warnings=tuple(f"{w.date.text}: {line}" for w in usable for line in w.record["warnings"]),
        diversity=diversity,
    )


def _refuse_damaged(reference: Work) -> None:
    if reference.problem:
        raise InputError(reference.problem)


def _begin(making: Making, work: Work) -> Work:
    """Open a date, and look for it in the store."""
    with work.judged():
        orbit = _orbit(making.open(work))
    if work.problem:
        return work
    record = making.store.record(work.date)
    if record is not None and record["orbit"] == orbit and not record.get("is_damaged"):
        work.record, work.trial = record, record["trial"]
        work.rest = record["shift"] - record["trial"]
    else:
        making.store.forget(work.date)
    return work


def _orbit(pairs: Sequence[SwathPair]) -> str:
    return orbit_key(first_seen(pairs).secondary.state_vectors)


def _match(making: Making, work: Work, progress: Progress) -> None:
    """Refine a new date by correlation of the amplitudes, where that is asked for."""
    request = making.frame.request
    if request.correlation == "off" or not work.is_new or work.is_reference:
        return
    with work.judged():
        pairs, found = match_amplitudes(
            request.pair(making.frame.paths, work.date.paths),
            making.open(work),
            making.dem,
            threads=making.threads,
            progress=progress.named(f"{work.date.text} amplitudes"),
        )
        work.matched = tuple(pair.adjustments for pair in pairs)
        work.warnings += found["warnings"]


def _make(making: Making, work: Work, progress: Progress) -> None:
    """Resample a date and complete it in the store."""
    request = making.frame.request
    pairs = making.open(work, work.shift)
    lost = write_image(
        pairs,
        making.dem,
        making.heights,
        making.store.date_folder(work.date),
        taps=request.kernel,
        threads=making.threads,
        memory_mb=request.memory_mb,
        progress=progress,
    )
    perpendicular, parallel = 0.0, 0.0
    if not work.is_reference:
        found = middle_baseline(first_seen(pairs))
        perpendicular, parallel = float(found.perpendicular[0]), float(found.parallel[0])
    warnings = [
        *(line for pair in pairs for line in pair.warnings),
        *work.warnings,
        *(f"{name} has no data: {why}" for name, why in lost.items()),
    ]
    record = {
        "orbit": _orbit(pairs),
        # what cannot be read today may be repaired when the date is asked for again
        "is_damaged": any(why != ZEROS for why in lost.values()),
        "trial": work.trial,
        "shift": work.shift,
        "perpendicular_baseline_m": perpendicular,
        "parallel_baseline_m": parallel,
        "warnings": list(dict.fromkeys(warnings)),
    }
    making.store.complete(work.date, record)
    work.record = record


def _image(making: Making, work: Work) -> StackImage:
    folder = making.store.date_folder(work.date)
    return StackImage(
        date=work.date,
        rasters=tuple(folder / raster_name(p.reference.swath) for p in making.frame.swaths),
        perpendicular_baseline=work.record["perpendicular_baseline_m"],
        parallel_baseline=work.record["parallel_baseline_m"],
        shift=work.record["shift"],
        made_of=json.dumps([work.record[name] for name in _MADE_OF]),
    )
