"""Detected images of SLC products, made while they are read.

Bursts are put together at the middle of their overlaps, the intensities of look cells averaged,
calibration and noise put on the same cells. Zero-Doppler times of lines are those of the
annotation: the phase ramp of TOPS does not touch intensity. Lines and samples at the end that do
not fill a cell are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kernels.geometry.burst_lines import BurstLines, place_bursts
from kernels.model import (
    CalibrationLut,
    GeolocationGrid,
    Looks,
    NoiseLut,
    RadarGrid,
    Shape,
    SlcProduct,
    StateVectors,
)
from kernels.products.annotation_head import STRIPMAP
from kernels.products.detection_pixels import BurstPixels, SlcIntensities
from kernels.products.detection_tables import (
    CalibratedLines,
    Cells,
    NoisyBurst,
    detected_calibration,
    detected_noise,
)
from kernels.products.joined_orbits import join_state_vectors
from kernels.products.slc_slices import SlcSlice, contiguous_runs

_EARTH_RADIUS = 6_371_000.0
_SLACK = 0.02
"""Of looks: cells may be so much smaller than asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedSlc:
    """Intensities of one swath in one polarisation, of one slice or several that are joined.

    Attributes
    ----------
    name : str
        Name of the first product that it is part of, without folder or ending.
    platform : str
        For example S1A.
    mode : str
        IW, EW, or SM for StripMap.
    swath : str
        For example IW2 or S3.
    polarisation : str
        VV, VH, HH or HV.
    start, stop : datetime
        UTC (naive), first and last line.
    absolute_orbit, relative_orbit : int
        Orbit and track number.
    ascending : bool
        Direction of the pass.
    processor : str
        Software and version, for example "Sentinel-1 IPF 003.40".
    state_vectors : StateVectors
        In use: precise where given, else the annotation's.
    looks : Looks
        Lines and samples of a cell.
    grid : RadarGrid
        Of the cells.
    calibration : CalibrationLut or None
        On the cells; None where a slice has no calibration file.
    noise : NoiseLut or None
        On the cells; None where a slice has no noise file.
    geolocation : GeolocationGrid
        Tie points of the annotation, in coordinates of cells.
    pixels : SlcIntensities or None
        None where only the metadata is at hand.
    """

    name: str
    platform: str
    mode: str
    swath: str
    polarisation: str
    start: datetime
    stop: datetime
    absolute_orbit: int
    relative_orbit: int
    ascending: bool
    processor: str
    state_vectors: StateVectors
    looks: Looks
    grid: RadarGrid
    calibration: CalibrationLut | None
    noise: NoiseLut | None
    geolocation: GeolocationGrid
    pixels: SlcIntensities | None


class _Piece(NamedTuple):
    """A burst on the lines of the swath, and the slice that holds it."""

    image: SlcProduct
    lines: BurstLines


def looks_for(slc: SlcProduct, resolution: float) -> Looks:
    """Choose the looks that a map needs: finer speckle would be thrown away.

    Parameters
    ----------
    slc : SlcProduct
        One swath.
    resolution : float
        Size of a map pixel on the ground [m].

    Returns
    -------
    Looks
        The fewest that make cells in the middle of the swath as large as map pixels, to 2
        percent of a look.
    """
    incidence = float(np.median(slc.geolocation.incidence_angles))
    vectors = slc.state_vectors
    middle = vectors.times.size // 2
    speed = float(np.linalg.norm(vectors.velocities[middle]))
    speed *= _EARTH_RADIUS / float(np.linalg.norm(vectors.positions[middle]))
    return Looks(
        azimuth=max(math.ceil(resolution / (slc.grid.line_interval * speed) - _SLACK), 1),
        range=max(
            math.ceil(resolution * math.sin(incidence) / slc.grid.slant_range_spacing - _SLACK), 1
        ),
    )


def detect(slices: Sequence[SlcProduct], looks: Looks) -> tuple[DetectedSlc, ...]:
    """Detect one swath of a pass in one polarisation.

    Parameters
    ----------
    slices : sequence of SlcProduct
        Of one swath and polarisation, in order of time, read with one epoch.
    looks : Looks
        Lines and samples of a cell.

    Returns
    -------
    tuple of DetectedSlc
        One image where all slices share one raster of lines and samples and touch or overlap;
        where a slice does not, a new image begins with it. A burst that two slices hold is taken
        from the first. The name, orbit numbers and direction are those of the first slice.

    Raises
    ------
    ProductError
        Bursts of a slice that are not on a common grid or do not follow each other.
    """
    return tuple(_detect(run, looks) for run in contiguous_runs(slices))


def _detect(run: Sequence[SlcSlice], looks: Looks) -> DetectedSlc:
    first, last = run[0].image, run[-1].image
    owners = [image for image, bursts in run for _ in bursts]
    placed = place_bursts(
        [burst for _, bursts in run for burst in bursts], azimuth_looks=looks.azimuth
    )
    pieces = [_Piece(image, lines) for image, lines in zip(owners, placed, strict=True)]
    grid = _swath_grid(pieces)
    cells = Cells(grid, looks)
    return DetectedSlc(
        name=first.name,
        platform=first.platform,
        mode=first.mode,
        swath=first.swath,
        polarisation=first.polarisation,
        start=first.start,
        stop=last.stop,
        absolute_orbit=first.absolute_orbit,
        relative_orbit=first.relative_orbit,
        ascending=first.ascending,
        processor=first.processor,
        state_vectors=join_state_vectors([image.state_vectors for image, _ in run]),
        looks=looks,
        grid=grid.looked(looks),
        calibration=_calibration(pieces, cells),
        noise=_noise(pieces, cells),
        geolocation=_geolocation(run, cells),
        pixels=_pixels(pieces, cells),
    )


def _swath_grid(pieces: list[_Piece]) -> RadarGrid:
    """Lines of all bursts, from the first one's line 0, and samples of the longest slice."""
    samples = max(image.grid.shape.samples for image, _ in pieces)
    return replace(pieces[0].lines.burst.grid, shape=Shape(pieces[-1].lines.stop, samples))


def _pixels(pieces: list[_Piece], cells: Cells) -> SlcIntensities | None:
    bursts = [
        BurstPixels(lines, image.pixels) for image, lines in pieces if image.pixels is not None
    ]
    if len(bursts) < len(pieces):
        return None
    shape = cells.grid.looked(cells.looks).shape
    # samples of 0 are 1 percent of dark water in TOPS; StripMap annotates no valid samples
    return SlcIntensities(
        pieces[0].image.name,
        bursts,
        looks=cells.looks,
        shape=shape,
        zero_is_data=pieces[0].image.mode != STRIPMAP,
    )


def _noise(pieces: list[_Piece], cells: Cells) -> NoiseLut | None:
    bursts = [NoisyBurst(lines, image.noise) for image, lines in pieces if image.noise is not None]
    if len(bursts) < len(pieces):
        return None
    return detected_noise(bursts, cells, swath=pieces[0].image.swath)


def _calibration(pieces: list[_Piece], cells: Cells) -> CalibrationLut | None:
    """Vectors of each slice on the lines that it fills; those of the ends reach beyond."""
    starts = {id(image): lines.start for image, lines in reversed(pieces)}
    images = {id(image): image for image, _ in pieces}
    edges = [-np.inf, *(float(starts[key]) for key in list(images)[1:]), np.inf]
    luts = [image.calibration for image in images.values()]
    known = [
        CalibratedLines(lut, start, stop)
        for lut, (start, stop) in zip(luts, pairwise(edges), strict=True)
        if lut is not None
    ]
    return detected_calibration(known, cells) if len(known) == len(luts) else None


def _geolocation(run: Sequence[SlcSlice], cells: Cells) -> GeolocationGrid:
    """Tie points of all slices on cells; a row past the end of its burst is extrapolated."""
    grids = [_on_cells(image, cells) for image, _ in run]
    return GeolocationGrid(
        **{
            name: np.concatenate([getattr(grid, name) for grid in grids])
            for name in GeolocationGrid.__dataclass_fields__
        }
    )


def _on_cells(image: SlcProduct, cells: Cells) -> GeolocationGrid:
    grid, tie = cells.grid, image.geolocation
    files = np.array([burst.first_line for burst in image.bursts])
    times = np.array([burst.grid.first_line_time for burst in image.bursts])
    origins = np.round((times - grid.first_line_time) / grid.line_interval)
    index = np.maximum(np.searchsorted(files, tie.lines, side="right") - 1, 0)
    lines = tie.lines - files[index] + origins[index]
    return replace(
        tie,
        lines=(lines + 0.5) / cells.looks.azimuth - 0.5,
        pixels=(tie.pixels + 0.5) / cells.looks.range - 0.5,
    )
