"""Slices of one pass as one complex image.

Slices of TOPS images share some lines or a burst; those of StripMap images some lines. The
processor puts all of them on one raster of lines and samples, so that nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from kernels.errors import ProductError
from kernels.geometry.burst_lines import LARGEST_MISFIT, valid_lines
from kernels.model import Burst, GeolocationGrid, Shape, SlcProduct
from kernels.products.annotation_head import STRIPMAP
from kernels.products.joined_orbits import join_state_vectors
from kernels.products.joined_pixels import JoinedReader

_RANGE_TOLERANCE = 0.02
"""Of a sample."""


class SlcSlice(NamedTuple):
    """A slice and those of its bursts that no slice before it has."""

    image: SlcProduct
    bursts: tuple[Burst, ...]


def contiguous_runs(slices: Sequence[SlcProduct]) -> tuple[tuple[SlcSlice, ...], ...]:
    """Find the slices whose bursts go on from one to the next on one raster.

    Parameters
    ----------
    slices : sequence of SlcProduct
        Of one swath and polarisation, in order of time, read with one epoch.

    Returns
    -------
    tuple of tuple of SlcSlice
        A slice that does not share the raster of the one before it, or does not touch it, begins
        a new run. A burst that two slices hold is taken from the first.
    """
    runs: list[list[SlcSlice]] = []
    for image in slices:
        last = runs[-1][-1].bursts[-1].grid if runs else None
        bursts = tuple(
            burst
            for burst in image.bursts
            if last is None
            or burst.grid.first_line_time > last.first_line_time + last.line_interval
        )
        if not bursts:
            continue
        following = SlcSlice(image, bursts)
        if runs and _reason_to_part(runs[-1], following) is None:
            runs[-1].append(following)
        else:
            runs.append([following])
    return tuple(tuple(run) for run in runs)


def _reason_to_part(run: Sequence[SlcSlice], following: SlcSlice) -> str | None:
    """Tell why a slice does not go on where a run ends; None where it does."""
    grid, last = run[0].bursts[0].grid, run[-1].bursts[-1]
    image, burst = following.image, following.bursts[0]
    interval = grid.line_interval
    step = (burst.grid.first_line_time - grid.first_line_time) / interval
    shift = (image.grid.first_slant_range - grid.first_slant_range) / grid.slant_range_spacing
    drift = (image.grid.line_interval / interval - 1.0) * image.grid.shape.lines
    if not (
        _raster(run[0].image) == _raster(image)
        and abs(step - round(step)) <= LARGEST_MISFIT
        and abs(drift) <= LARGEST_MISFIT
        and abs(shift) <= _RANGE_TOLERANCE
    ):
        return "are not on one raster of lines and samples"
    start = round((burst.grid.first_line_time - last.grid.first_line_time) / interval)
    gap = start + valid_lines(burst)[0] - (valid_lines(last)[1] + 1)
    return f"have a gap of {gap * interval:.2f} s between them" if gap > 0 else None


def _raster(image: SlcProduct) -> tuple[object, ...]:
    """Return what must be equal in two slices of one image."""
    return (
        image.platform,
        image.swath,
        image.polarisation,
        image.processor,
        image.grid.epoch,
        image.grid.slant_range_spacing,
        image.grid.wavelength,
        image.grid.look_side,
        image.calibration is None,
        image.noise is None,
        image.pixels is None,
    )


def join_slc(slices: Sequence[SlcProduct]) -> SlcProduct:
    """Join the slices of one pass in one swath and polarisation.

    Parameters
    ----------
    slices : sequence of SlcProduct
        In order of time, read with one epoch.

    Returns
    -------
    SlcProduct
        With the bursts of all slices, each once, as if one measurement file held them; StripMap
        slices make one burst. Name, orbit numbers and direction are those of the first slice;
        tables of calibration and noise are left out, unless there is one slice alone.

    Raises
    ------
    ProductError
        Slices that do not touch, or that do not share one raster of lines and samples.
    """
    if len(slices) == 1:
        return slices[0]
    runs = contiguous_runs(slices)
    if len(runs) > 1:
        before, after = runs[0], runs[1][0]
        raise ProductError(
            f"{before[-1].image.name} and {after.image.name} {_reason_to_part(before, after)} in "
            f"{after.image.swath}: slices must be contiguous"
        )
    (run,) = runs
    return _joined_stripmap(run) if run[0].image.mode == STRIPMAP else _joined_tops(run)


def _joined_tops(run: tuple[SlcSlice, ...]) -> SlcProduct:
    """Bursts of all slices, as if their files stood one below the other."""
    offsets = [0, *accumulate(image.grid.shape.lines for image, _ in run)]
    samples = max(image.grid.shape.samples for image, _ in run)
    bursts = [
        replace(
            burst,
            first_line=burst.first_line + offset,
            grid=replace(burst.grid, shape=Shape(burst.grid.shape.lines, samples)),
        )
        for (_, own), offset in zip(run, offsets, strict=False)
        for burst in own
    ]
    return _joined(
        run,
        tuple(replace(burst, index=index) for index, burst in enumerate(bursts)),
        offsets=offsets[:-1],
        starts=offsets[:-1],
        shape=Shape(offsets[-1], samples),
    )


def _joined_stripmap(run: tuple[SlcSlice, ...]) -> SlcProduct:
    """One burst of all lines; each half of an overlap comes from the slice nearer to it."""
    first = run[0].bursts[0]
    start, interval = first.grid.first_line_time, first.grid.line_interval
    offsets = [round((bursts[0].grid.first_line_time - start) / interval) for _, bursts in run]
    ends = [
        offset + image.grid.shape.lines for (image, _), offset in zip(run, offsets, strict=True)
    ]
    seams = [(end + begin) // 2 for end, begin in zip(ends[:-1], offsets[1:], strict=True)]
    shape = Shape(ends[-1], max(image.grid.shape.samples for image, _ in run))
    pieces = [
        (bursts[0], slice(low - offset, high - offset))
        for (_, bursts), offset, (low, high) in zip(
            run, offsets, pairwise([0, *seams, ends[-1]]), strict=True
        )
    ]
    middle = run[len(run) // 2].bursts[0]
    burst = replace(
        first,
        grid=replace(first.grid, shape=shape),
        first_valid_sample=np.concatenate([b.first_valid_sample[rows] for b, rows in pieces]),
        last_valid_sample=np.concatenate([b.last_valid_sample[rows] for b, rows in pieces]),
        doppler=middle.doppler,
        fm_rate=middle.fm_rate,
    )
    return _joined(run, (burst,), offsets=offsets, starts=[0, *seams], shape=shape)


def _joined(
    run: tuple[SlcSlice, ...],
    bursts: tuple[Burst, ...],
    *,
    offsets: Sequence[int],
    starts: Sequence[int],
    shape: Shape,
) -> SlcProduct:
    images = [image for image, _ in run]
    readers = [image.pixels for image in images if image.pixels is not None]
    return replace(
        images[0],
        stop=images[-1].stop,
        state_vectors=join_state_vectors([image.state_vectors for image in images]),
        grid=replace(images[0].grid, shape=shape),
        bursts=bursts,
        calibration=None,
        noise=None,
        geolocation=_geolocation(images, offsets),
        pixels=JoinedReader(
            images[0].name,
            readers,
            dtype=np.complex64,
            offsets=offsets,
            starts=starts,
            shape=shape,
        )
        if len(readers) == len(images)
        else None,
    )


def _geolocation(images: Sequence[SlcProduct], offsets: Sequence[int]) -> GeolocationGrid:
    grids = [
        replace(image.geolocation, lines=image.geolocation.lines + offset)
        for image, offset in zip(images, offsets, strict=True)
    ]
    return GeolocationGrid(
        **{
            name: np.concatenate([getattr(grid, name) for grid in grids])
            for name in GeolocationGrid.__dataclass_fields__
        }
    )
