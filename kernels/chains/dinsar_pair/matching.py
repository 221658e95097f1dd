"""Offsets in azimuth and range from the amplitudes of a pair, worked into its adjustments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.matching_report import Matching, describe_matching
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.dinsar_pair.seams import number_bursts
from kernels.engine.bands import Band, map_bands, run_bands
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.geometry.burst_lines import valid_lines
from kernels.insar.adjustment import Adjustment, Plane
from kernels.insar.correlation import PATCH, Offsets, correlate, fit_offsets
from kernels.insar.deramp import deramp
from kernels.insar.mosaic import Placement
from kernels.insar.overlaps import Window, WindowPair
from kernels.model import Dem, SlcProduct

SEARCH = 8
"""Largest offset that is looked for [pixels]."""

_TRUSTED_STEP = 0.05
"""Pixels: after a larger offset the patches are looked at again where they really lie, because
content that enters at their edges biases an offset by some thousandths of it."""
_MOST_LOOKS = 2
_EDGE = 24
"""Samples at the ends of lines that resampling and relief take away."""
_GROUND_SPEED = 6800.0
"""[m/s], to share out patches."""
_WIDENING = 1.7
"""Ground over slant range, for the same purpose."""
_BYTES_PER_PATCH = 6e6
"""While it is correlated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Patches side by side in one burst."""

    swath: int
    placement: Placement
    patches: tuple[WindowPair, ...]
    windows: tuple[Window, ...]
    needed: Band
    """Lines of the secondary burst."""


_Lines = tuple[NDArray[np.complex64], NDArray[np.complex64]]


def match_amplitudes(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    threads: int,
    progress: Progress,
) -> tuple[tuple[SwathPair, ...], dict[str, Any]]:
    """Measure how far the images lie from where geometry expects them.

    Patches of the deramped reference are found again in the secondary that geometry resampled,
    at single look. Only lines that hold patches are read. Never fails for what the images hold:
    where they tell nothing, the geometry stays as it is and a warning says so.

    Parameters
    ----------
    request : DinsarPairRequest
        Its options `correlation` say what to measure.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.
    threads : int
        Over rows of patches; as few as the memory budget allows.
    progress : Progress
        Told of each row.

    Returns
    -------
    pairs : tuple of SwathPair
        With adjustments.
    findings : dict
        For the report.
    """
    if request.correlation == "off":
        return pairs, {"correlation": "off", "warnings": []}
    found = Matching()
    for turn in range(_MOST_LOOKS):
        offsets, problems = _measure(
            request,
            pairs,
            dem,
            threads=threads,
            progress=progress.part(turn / _MOST_LOOKS, (turn + 1) / _MOST_LOOKS),
        )
        fit = fit_offsets(
            Offsets.join(offsets),
            threshold=request.correlation_threshold,
            gap=request.correlation_gap,
            planes=request.correlation == "plane",
        )
        found = found.measured(offsets, problems, fit)
        if fit is None:
            break
        pairs = _adjust(pairs, fit.lines, fit.samples)
        middle = found.middle()
        if max(abs(p.moved(*middle).constant) for p in (fit.lines, fit.samples)) <= _TRUSTED_STEP:
            break
    findings = describe_matching(request, pairs, found)
    progress.update(1.0, "; ".join(["amplitudes of both images", *findings["warnings"]]))
    return pairs, findings


def swath_places(pairs: tuple[SwathPair, ...]) -> tuple[tuple[float, float], ...]:
    """Line and sample, on the grid of the first swath, of every swath's first pixel."""
    first = pairs[0].layout.grid
    places = []
    for pair in pairs:
        grid = pair.layout.grid
        clock = (grid.epoch - first.epoch).total_seconds()
        time = grid.zero_doppler_time(0.0, grid.first_slant_range) + clock
        places.append(
            (
                float(first.line(time, grid.first_slant_range)),
                float(first.sample(grid.first_slant_range)),
            )
        )
    return tuple(places)


def _adjust(pairs: tuple[SwathPair, ...], lines: Plane, samples: Plane) -> tuple[SwathPair, ...]:
    """Add planes, which count from the first pixel of the first swath, to all bursts."""
    adjusted = [dict(pair.adjustments) for pair in pairs]
    places = swath_places(pairs)
    for swath, placement in number_bursts(pairs):
        line, sample = places[swath][0] + placement.origin, places[swath][1]
        step = Adjustment(lines=lines.moved(line, sample), samples=samples.moved(line, sample))
        before = adjusted[swath].get(placement.burst.index, Adjustment())
        adjusted[swath][placement.burst.index] = before.plus(step)
    return tuple(
        replace(pair, adjustments=found) for pair, found in zip(pairs, adjusted, strict=True)
    )


def _measure(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    threads: int,
    progress: Progress,
) -> tuple[tuple[Offsets, ...], list[str]]:
    """Offsets of the patches of every swath, on the grid of the first one, and what is damaged."""
    cuts = [
        (swath, placement, windows)
        for swath, placement in number_bursts(pairs)
        for windows in place_patches(placement, request.correlation_patches)
    ]
    rows = list(
        map_bands(
            cuts,
            lambda cut: _prepare(*cut, pair=pairs[cut[0]], dem=dem, taps=request.kernel),
            threads=threads,
        )
    )
    places = swath_places(pairs)
    found: list[list[Offsets]] = [[] for _ in pairs]
    problems: dict[str, None] = {}

    def read(row: _Row) -> _Lines | None:
        progress.check()
        pair, partner = pairs[row.swath], row.placement.partner
        if row.needed.rows == 0 or partner is None:
            return None
        lines = row.windows[0].lines
        try:
            return (
                _read(pair.reference, row.placement.burst.first_line + lines.first, lines.rows),
                _read(pair.secondary, partner.first_line + row.needed.first, row.needed.rows),
            )
        except ProductError as error:
            problems[str(error)] = None
            return None

    def write(row: _Row, offsets: Offsets | None) -> None:
        if offsets is not None:
            line, sample = places[row.swath]
            lines = offsets.lines + (line + row.placement.origin)
            moved = replace(offsets, lines=lines, samples=offsets.samples + sample)
            found[row.swath].append(moved)

    width = max((pair.layout.grid.shape.samples for pair in pairs), default=0)
    most = max((len(row.windows) for row in rows), default=0)
    memory = 2.5 * PATCH * width * 8.0 + most * _BYTES_PER_PATCH
    run_bands(
        rows,
        read=read,
        compute=lambda row, lines: None if lines is None else _correlate(row, *lines),
        write=write,
        threads=max(min(threads, int(request.memory_mb * 1e6 / memory) - 1), 1),
        progress=progress,
        step="amplitudes of both images",
    )
    return tuple(Offsets.join(tuple(parts)) for parts in found), list(problems)


def place_patches(placement: Placement, count: int) -> list[tuple[Window, ...]]:
    """Spread patches evenly over what a burst gives to its swath.

    Parameters
    ----------
    placement : Placement
        Of the burst.
    count : int
        Patches that are wanted, about as far apart along the track as across; there are fewer
        where they would overlap.

    Returns
    -------
    list of tuple of Window
        Rows of patches; none where the burst has no room for one.
    """
    burst = placement.burst
    first, last = valid_lines(burst)
    known = burst.first_valid_sample >= 0
    if not known.any():
        return []
    lines = last + 1 - first - 2 * (PATCH // 8)
    left = int(burst.first_valid_sample[known].max()) + _EDGE
    samples = int(burst.last_valid_sample[known].min()) + 1 - _EDGE - left
    most = lines // PATCH, samples // PATCH
    if min(most) < 1:
        return []
    ratio = _GROUND_SPEED * burst.grid.line_interval / (_WIDENING * burst.grid.slant_range_spacing)
    wanted = round(math.sqrt(count * ratio * lines / samples))
    down = min(max(wanted, 1), most[0])
    across = min(max(round(count / down), 1), most[1])
    tops = first + PATCH // 8 + _spread(lines, down)
    sides = left + _spread(samples, across)
    return [
        tuple(Window(lines=Band(top, PATCH), samples=Band(side, PATCH)) for side in sides.tolist())
        for top in tops.tolist()
    ]


def _spread(extent: int, count: int) -> NDArray[np.int64]:
    """First pixels of patches in the middles of equal parts of an extent."""
    middles = (np.arange(count) + 0.5) * extent / count
    return np.clip(np.round(middles - 0.5 * PATCH), 0, extent - PATCH).astype(np.int64)


def _prepare(
    swath: int,
    placement: Placement,
    windows: tuple[Window, ...],
    *,
    pair: SwathPair,
    dem: Dem,
    taps: int,
) -> _Row:
    partner = placement.partner
    if partner is None:
        raise ValueError("patches are of bursts that have partners")
    patches = tuple(
        WindowPair.of(
            window,
            reference=placement.burst,
            reference_orbit=pair.reference_orbit,
            secondary=partner,
            secondary_orbit=pair.secondary_orbit,
            dem=dem,
            taps=taps,
            adjustment=pair.adjustments.get(placement.burst.index),
            effects=pair.effects(placement),
        )
        for window in windows
    )
    bands = [made.pair.secondary_lines(Band(0, PATCH)) for made in patches]
    bands = [band for band in bands if band.rows >= taps]
    first = min((band.first for band in bands), default=0)
    stop = max((sum(band) for band in bands), default=0)
    return _Row(
        swath=swath,
        placement=placement,
        patches=patches,
        windows=windows,
        needed=Band(first, stop - first),
    )


def _correlate(
    row: _Row, reference: NDArray[np.complex64], secondary: NDArray[np.complex64]
) -> Offsets | None:
    """Offsets of the patches in which every pixel carries signal, in the burst's coordinates."""
    whole = Band(0, PATCH)
    ours: list[NDArray[np.complex64]] = []
    theirs: list[NDArray[np.complex64]] = []
    windows: list[Window] = []
    for made, window in zip(row.patches, row.windows, strict=True):
        lines, samples = made.pair.secondary_lines(whole), made.secondary_samples
        top = lines.first - row.needed.first
        part = secondary[top : top + lines.rows, samples.first : sum(samples)]
        found, valid = made.pair.resample(whole, np.ascontiguousarray(part))
        own = reference[:, window.samples.first : sum(window.samples)]
        if valid.all() and np.isfinite(own).all() and np.isfinite(found).all():
            ours.append(deramp(own, made.reference_ramp))
            theirs.append(found)
            windows.append(window)
    if not windows:
        return None
    measured = correlate(np.stack(ours), np.stack(theirs), search=SEARCH)
    return Offsets(
        lines=_middles([window.lines for window in windows]),
        samples=_middles([window.samples for window in windows]),
        line_offsets=measured[0],
        sample_offsets=measured[1],
        correlations=measured[2],
    )


def _middles(bands: Sequence[Band]) -> NDArray[np.float64]:
    return np.array([band.first + 0.5 * (band.rows - 1) for band in bands])


def _read(product: SlcProduct, first_line: int, lines: int) -> NDArray[np.complex64]:
    if product.pixels is None:
        raise ProductError(f"{product.name} was opened without its pixels")
    return product.pixels.read(first_line, lines)
