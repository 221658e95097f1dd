"""What a series would be made of and take, told before a pixel is read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kernels.chains.dinsar_pair.plan import pixels_of, plan_pairs
from kernels.chains.dinsar_pair.seams import find_seams
from kernels.chains.multislc_series.network import choose_pairs
from kernels.chains.multislc_series.opening import Frame, best_reference, open_frame
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.selection import select_dates
from kernels.chains.multislc_series.stack import SeriesDate
from kernels.chains.multislc_series.store import Store, stored_dates
from kernels.chains.planning import BASE_BYTES, SMALL_FILES, Plan
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError
from kernels.insar.phase_linking import require_linking
from kernels.products.raster import TILE

STATISTICS_MB = 1000
"""More would not make the statistics faster, but memory grow with the number of dates."""

_PIXEL_BYTES, _HEIGHT_BYTES = 8, 4
_CELL_BYTES = 4
"""Of an amplitude; of each date two rows of tiles of them are held."""
_AMPLITUDE_BYTES = 8
"""Of a look cell of each date: the amplitude, and as much for means and matrices."""
_CPU_PER_HEIGHT = 0.08e-6
"""Of a pixel of the reference [s]; as the next ones, by `python -m benchmarks stack`."""
_CPU_PER_IMAGE_PIXEL = {8: 0.12e-6, 12: 0.16e-6}
"""By taps of the kernel, of a pixel of a date that is resampled [s]."""
_CPU_PER_READ_PIXEL = 0.02e-6
_LINKED_BYTES, _CPU_PER_LINKED_PAIR = 4, 0.6e-6
"""Of a look cell of each date, and of each pair of dates [s], where phases are linked."""
_LIBRARY_BYTES = 0.4e9
"""Of what links them."""
"""Of a pixel of the stack that is read for statistics or a pair [s]."""


def plan_run(request: MultislcSeriesRequest) -> Plan:
    """Plan a series from annotations, orbits and the places of elevation files.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Checked request.

    Returns
    -------
    Plan
        Of all dates and pairs; of a small baseline network the pairs within `largest_days`,
        whatever their baselines. What the store is found to hold takes no disk again.

    Raises
    ------
    FournaiseError
        Products or a request that the run would refuse as well.
    """
    selection = select_dates(request, Progress())
    number = selection.reference
    if number is None:
        number = best_reference(request, selection.dates)
    frame = open_frame(request, selection.dates[number].paths, need_pixels=False)
    stored = stored_dates(frame, selection.dates)
    found = plan_series(frame, selection.dates, number, stored=stored)
    return replace(found, warnings=(*found.warnings, *selection.left_out))


def plan_series(
    frame: Frame, dates: Sequence[SeriesDate], reference: int, *, stored: int = 0
) -> Plan:
    """Plan a series of chosen dates.

    Parameters
    ----------
    frame : Frame
        The opened reference.
    dates : sequence of SeriesDate
        In order of time.
    reference : int
        Its number among them.
    stored : int
        How many of them have images from earlier runs.

    Returns
    -------
    Plan
        As of `plan_run`.

    Raises
    ------
    RequestError
        No pairs, or a map that is not on the ground.
    """
    request = frame.request
    if request.linking != "none":
        require_linking()
    pair = plan_pairs(request.pair(frame.paths, frame.paths), frame.swaths)
    pairs = choose_pairs(request, [date.day for date in dates], reference)
    pixels = sum(map(pixels_of, frame.swaths))
    cells = (
        sum(
            one.layout.grid.looked(one.looks).shape.lines * one.layout.grid.shape.samples
            for one in frame.swaths
        )
        // frame.swaths[0].looks.range
    )
    missing = len(dates) - stored
    images = image_bytes(frame, missing) if missing else 0.0
    across = max(one.layout.grid.looked(one.looks).shape.samples for one in frame.swaths)
    rows = len(dates) * 2 * TILE * across * _CELL_BYTES
    statistics = len(dates) * cells * _AMPLITUDE_BYTES
    results = len(pairs) * pair.results_bytes + statistics + SMALL_FILES
    if request.archive == "all":
        results = 2.0 * results + (0.0 if request.light else image_bytes(frame, len(dates)))
    in_store = images if request.store is not None else 0.0
    in_results = images if request.store is None and not request.light else 0.0
    linked = cells * len(dates) if request.linking != "none" else 0
    one_pair = pair.cpu_seconds or 0.0
    cpu = (
        _CPU_PER_HEIGHT * pixels
        + missing * pixels * _CPU_PER_IMAGE_PIXEL[request.kernel]
        + len(dates) * pixels * _CPU_PER_READ_PIXEL
        + len(pairs) * max(one_pair - _CPU_PER_IMAGE_PIXEL[request.kernel] * pixels, 0.0)
        + len(pairs) * 2.0 * _CPU_PER_READ_PIXEL * pixels
        + linked * len(dates) * _CPU_PER_LINKED_PAIR
    )
    return Plan(
        memory_bytes=max(
            pair.memory_bytes,
            BASE_BYTES + min(request.memory_mb, STATISTICS_MB) * 1e6 + rows,
        )
        + (_LIBRARY_BYTES if linked else 0.0),
        scratch_bytes=pair.scratch_bytes + linked * _LINKED_BYTES + images - in_store - in_results,
        results_bytes=results + in_results,
        store_bytes=in_store,
        cpu_seconds=cpu,
        threads=pair.threads,
        # of the reference with itself: once is enough
        warnings=tuple(dict.fromkeys(pair.warnings)),
        details={
            "dates": [date.text for date in dates],
            "reference": dates[reference].text,
            "pairs": [f"{dates[a].text}_{dates[b].text}" for a, b in pairs],
            "images_mb": round(images / 1e6),
            **{name: pair.details[name] for name in ("swaths", "megapixels", "elevation", "map")},
        },
    )


def image_bytes(frame: Frame, dates: int) -> float:
    """Size of the store of so many dates [bytes]."""
    tiles = sum(
        -(-one.layout.grid.shape.lines // TILE) * -(-one.layout.grid.shape.samples // TILE)
        for one in frame.swaths
    )
    image = tiles * TILE**2 * _PIXEL_BYTES + _overlap_bytes(frame)
    return dates * image + _height_bytes(frame)


def check_room(
    frame: Frame, dates: Sequence[SeriesDate], reference: int, store: Store, folder: Path
) -> str:
    """Refuse a series that the disk has no room for.

    Parameters
    ----------
    frame : Frame
        The opened reference.
    dates : sequence of SeriesDate
        In order of time.
    reference : int
        Its number among them.
    store : Store
        Of the images, with those of earlier runs.
    folder : Path
        Of the results; it need not exist.

    Returns
    -------
    str
        What is to be made and takes how much, for the status.

    Raises
    ------
    ProcessingError
        Less is free than the series may take.
    """
    stored = store.count(dates)
    plan = plan_series(frame, dates, reference, stored=stored)
    place = next(one for one in (folder, *folder.parents) if one.exists())
    if store.folder.stat().st_dev == place.stat().st_dev:
        needs = {place: float(plan.disk_bytes)}
    else:
        # what is shown of the images has to be copied then
        shown = 0.0 if frame.request.light else image_bytes(frame, len(dates))
        needs = {
            store.folder: plan.store_bytes,
            place: plan.scratch_bytes + plan.results_bytes + shown,
        }
    for where, needed in needs.items():
        free = shutil.disk_usage(where).free
        if free < needed:
            raise ProcessingError(
                f"the disk is too small: the series needs {needed / 1e9:.1f} GB, "
                f"{free / 1e9:.1f} GB are free"
            )
    return (
        f"{len(dates)} dates, {len(dates) - stored} to be made, "
        f"{len(plan.details['pairs'])} pairs, {plan.disk_bytes / 1e9:.1f} GB of disk"
    )


def _overlap_bytes(frame: Frame) -> int:
    if frame.request.esd == "off":
        return 0
    return sum(
        2 * seam.first.window.lines.rows * seam.first.window.samples.rows * _PIXEL_BYTES
        for seam in find_seams(frame.swaths)
        if seam.within_swath
    )


def _height_bytes(frame: Frame) -> int:
    return sum(
        one.burst.grid.shape.lines * one.burst.grid.shape.samples * _HEIGHT_BYTES
        for pair in frame.swaths
        for one in pair.layout.placements
        if one.partner is not None
    )
