"""What a series would be made of and take, told before a pixel is read."""

from __future__ import annotations

from kernels.chains.dinsar_pair.plan import pixels_of, plan_pairs
from kernels.chains.dinsar_pair.seams import find_seams
from kernels.chains.multislc_series.network import choose_pairs
from kernels.chains.multislc_series.opening import Frame, best_reference, open_frame
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.selection import select_dates
from kernels.chains.planning import SMALL_FILES, Plan
from kernels.engine.progress import Progress

_PIXEL_BYTES, _HEIGHT_BYTES = 8, 4
_AMPLITUDE_BYTES = 8
"""Of a look cell of each date: the amplitude, and as much for means and matrices."""
_CPU_PER_HEIGHT = 0.08e-6
"""Of a pixel of the reference [s]; as the next ones, by `python -m benchmarks stack`."""
_CPU_PER_IMAGE_PIXEL = {8: 0.12e-6, 12: 0.16e-6}
"""By taps of the kernel, of a pixel of a date that is resampled [s]."""
_CPU_PER_READ_PIXEL = 0.02e-6
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
        Of all dates and pairs, as if the store were empty; of a small baseline network the pairs
        within `largest_days`, whatever their baselines.

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
    pair = plan_pairs(request.pair(frame.paths, frame.paths), frame.swaths)
    pairs = choose_pairs(request, [date.day for date in selection.dates], number)
    dates, pixels = len(selection.dates), sum(map(pixels_of, frame.swaths))
    cells = (
        sum(
            one.layout.grid.looked(one.looks).shape.lines * one.layout.grid.shape.samples
            for one in frame.swaths
        )
        // frame.swaths[0].looks.range
    )
    images = dates * (pixels * _PIXEL_BYTES + _overlap_bytes(frame)) + _height_bytes(frame)
    statistics = dates * cells * _AMPLITUDE_BYTES
    results = len(pairs) * pair.results_bytes + statistics + SMALL_FILES
    if request.archive == "all":
        results *= 2.0
    is_kept = request.store is not None or not request.light
    one_pair = pair.cpu_seconds or 0.0
    cpu = (
        _CPU_PER_HEIGHT * pixels
        + dates * pixels * (_CPU_PER_IMAGE_PIXEL[request.kernel] + _CPU_PER_READ_PIXEL)
        + len(pairs) * max(one_pair - _CPU_PER_IMAGE_PIXEL[request.kernel] * pixels, 0.0)
        + len(pairs) * 2.0 * _CPU_PER_READ_PIXEL * pixels
    )
    return Plan(
        memory_bytes=pair.memory_bytes,
        scratch_bytes=pair.scratch_bytes + (0.0 if is_kept else images),
        results_bytes=results + (images if is_kept else 0.0),
        cpu_seconds=cpu,
        threads=pair.threads,
        warnings=(*pair.warnings, *selection.left_out),
        details={
            "dates": [date.text for date in selection.dates],
            "reference": selection.dates[number].text,
            "pairs": [f"{selection.dates[a].text}_{selection.dates[b].text}" for a, b in pairs],
            "images_mb": round(images / 1e6),
            **{name: pair.details[name] for name in ("swaths", "megapixels", "elevation", "map")},
        },
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
