"""Slices of one pass as one image, where they share one raster.

The processor puts the lines of a data take's slices on one raster and starts all of them at one
slant range: neighbours are joined by their line numbers, without resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kernels.model import (
    CalibrationLut,
    GeolocationGrid,
    GrdProduct,
    GroundRangeGrid,
    NoiseBlock,
    NoiseLut,
    Shape,
)
from kernels.products.joined_orbits import join_state_vectors
from kernels.products.joined_pixels import JoinedReader

_LINE_TOLERANCE = 0.02
"""Of a line; slices of real passes are 0.0003 lines off, by rounded times."""

_RANGE_TOLERANCE = 0.5
"""Of the first slant range [m]: a tenth of a sample at near range."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A slice and the lines that it fills of the joined image.

    Attributes
    ----------
    image : GrdProduct
        The slice.
    offset : int
        Joined line of the slice's line 0.
    first, stop : int
        Joined lines that come from the slice, the last excluded.
    """

    image: GrdProduct
    offset: int
    first: int
    stop: int


def join_slices(slices: Sequence[GrdProduct]) -> tuple[GrdProduct, ...]:
    """Join the slices of one pass in one polarisation.

    Parameters
    ----------
    slices : sequence of GrdProduct
        In order of time, read with one epoch.

    Returns
    -------
    tuple of GrdProduct
        One image where all slices share one raster and touch or overlap; where a slice does
        not, a new image begins with it. Each half of an overlap comes from the slice nearer to
        it. The name, orbit numbers and direction are those of the first slice.
    """
    runs: list[list[_Part]] = []
    for image in slices:
        if runs and (offset := _offset(runs[-1][-1], image)) is not None:
            before = runs[-1][-1]
            seam = (before.stop + offset) // 2
            runs[-1][-1] = replace(before, stop=seam)
            runs[-1].append(_Part(image, offset, seam, offset + image.grid.shape.lines))
        else:
            runs.append([_Part(image, 0, 0, image.grid.shape.lines)])
    return tuple(_joined(run) if len(run) > 1 else run[0].image for run in runs)


def _offset(before: _Part, image: GrdProduct) -> int | None:
    """Return the joined line of an image's line 0; None off the raster or after a gap."""
    one, other = before.image.grid, image.grid
    if _raster(before.image) != _raster(image):
        return None
    step = (other.first_line_time - one.first_line_time) / one.line_interval
    drift = (other.line_interval / one.line_interval - 1.0) * other.shape.lines
    shift = other.records[0].slant_range_origin - one.records[0].slant_range_origin
    lines = round(step)
    fits = (
        abs(step - lines) <= _LINE_TOLERANCE
        and abs(drift) <= _LINE_TOLERANCE
        and abs(shift) <= _RANGE_TOLERANCE
        and before.first < before.offset + lines <= before.stop
    )
    return before.offset + lines if fits else None


def _raster(image: GrdProduct) -> tuple[object, ...]:
    """Return what must be equal in two slices of one image."""
    grid = image.grid
    return (
        image.platform,
        image.mode,
        image.polarisation,
        image.processor,
        grid.epoch,
        grid.ground_range_spacing,
        grid.wavelength,
        grid.look_side,
        image.calibration is None,
        image.noise is None,
        image.pixels is None,
    )


def _joined(parts: list[_Part]) -> GrdProduct:
    images = [part.image for part in parts]
    grid = _grid(parts)
    return replace(
        images[0],
        stop=images[-1].stop,
        state_vectors=join_state_vectors([image.state_vectors for image in images]),
        grid=grid,
        calibration=_calibration(parts),
        noise=_noise(parts),
        geolocation=_geolocation(parts),
        pixels=_pixels(parts, grid.shape),
    )


def _grid(parts: list[_Part]) -> GroundRangeGrid:
    """Raster of all parts; each conversion record is that of the slice that its time is in.

    The records of old processors end 0.7 s before the last line; those of the next slice go on
    (and meet the tie points of that line within 8 mm, the slice's own within 17 m).
    """
    first, last = parts[0].image.grid, parts[-1].image.grid
    end = last.first_line_time + (last.shape.lines - 1) * last.line_interval
    lines = parts[-1].stop
    interval = (end - first.first_line_time) / (lines - 1)
    records = [
        record
        for part, (low, high) in zip(parts, _bounds(parts), strict=True)
        for record in part.image.grid.records
        if low <= (record.azimuth_time - first.first_line_time) / interval < high
    ]
    ranges = [r for p in parts if (r := p.image.grid.bistatic_range) is not None]
    return replace(
        first,
        line_interval=interval,
        shape=Shape(lines, max(part.image.grid.shape.samples for part in parts)),
        records=tuple(records),
        bistatic_range=sum(ranges) / len(ranges) if ranges else None,
    )


def _bounds(parts: list[_Part]) -> list[tuple[float, float]]:
    """Return the joined lines that each part's tables are taken at, open at both ends."""
    edges = [-np.inf, *(float(part.first) for part in parts[1:]), np.inf]
    return list(pairwise(edges))


def _inside(
    part: _Part, bounds: tuple[float, float], lines: NDArray[np.int32]
) -> NDArray[np.bool_]:
    return (lines + part.offset >= bounds[0]) & (lines + part.offset < bounds[1])


def _calibration(parts: list[_Part]) -> CalibrationLut | None:
    """Vectors of all parts at the samples of the longest."""
    luts = [part.image.calibration for part in parts]
    if any(lut is None for lut in luts):
        return None
    pixels = max((lut.pixels for lut in luts if lut is not None), key=lambda p: int(p[-1]))
    rows = [
        (lut, _inside(part, bounds, lut.lines), part.offset)
        for part, bounds, lut in zip(parts, _bounds(parts), luts, strict=True)
        if lut is not None
    ]

    def values(name: str) -> NDArray[np.float32]:
        table = [
            np.interp(pixels, lut.pixels, vector)
            for lut, kept, _ in rows
            for vector in getattr(lut, name)[kept]
        ]
        return np.array(table, dtype=np.float32)

    return CalibrationLut(
        times=np.concatenate([lut.times[kept] for lut, kept, _ in rows]),
        lines=np.concatenate([lut.lines[kept] + np.int32(offset) for lut, kept, offset in rows]),
        pixels=pixels,
        sigma_nought=values("sigma_nought"),
        beta_nought=values("beta_nought"),
        gamma=values("gamma"),
        digital_number=values("digital_number"),
    )


def _noise(parts: list[_Part]) -> NoiseLut | None:
    luts = [part.image.noise for part in parts]
    if any(lut is None for lut in luts):
        return None
    vectors, blocks = [], []
    for part, (low, high), lut in zip(parts, _bounds(parts), luts, strict=True):
        if lut is not None:
            moved = [replace(v, line=v.line + part.offset) for v in lut.vectors]
            vectors += [vector for vector in moved if low <= vector.line < high]
            moved_blocks = [_moved(block, part) for block in lut.blocks]
            blocks += [block for block in moved_blocks if block.first_line <= block.last_line]
    return NoiseLut(vectors=tuple(vectors), blocks=tuple(blocks))


def _moved(block: NoiseBlock, part: _Part) -> NoiseBlock:
    """Return a block on joined lines, cut to those of its part."""
    return replace(
        block,
        first_line=max(block.first_line + part.offset, part.first),
        last_line=min(block.last_line + part.offset, part.stop - 1),
        lines=block.lines + np.int32(part.offset),
    )


def _geolocation(parts: list[_Part]) -> GeolocationGrid:
    grids = [part.image.geolocation for part in parts]

    def column(name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(grid, name) for grid in grids])

    return GeolocationGrid(
        zero_doppler_times=column("zero_doppler_times"),
        slant_range_times=column("slant_range_times"),
        lines=np.concatenate([part.image.geolocation.lines + part.offset for part in parts]),
        pixels=column("pixels"),
        longitudes=column("longitudes"),
        latitudes=column("latitudes"),
        heights=column("heights"),
        incidence_angles=column("incidence_angles"),
    )


def _pixels(parts: list[_Part], shape: Shape) -> JoinedReader[np.uint16] | None:
    readers = [part.image.pixels for part in parts if part.image.pixels is not None]
    if len(readers) < len(parts):
        return None
    return JoinedReader(
        parts[0].image.name,
        readers,
        dtype=np.uint16,
        offsets=[part.offset for part in parts],
        starts=[part.first for part in parts],
        shape=shape,
    )
