"""Passes of satellites over the scene of a series, made of the products of an archive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.coverage import touches
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.model import GeographicBox
from kernels.products.folder_search import LeftOut
from kernels.products.sensors import SlcSource, open_slc, sensor_of
from kernels.products.sentinel1 import Sentinel1Product
from kernels.products.slc_archive import NamedSlc
from kernels.products.slices import group_slices

_TOPS = ("IW", "EW")
_MARGIN = 0.1
"""Around a region [degrees of latitude]: high summits move the ground of an image by 7 km."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSlc:
    """A product whose annotation can be read.

    Attributes
    ----------
    path : Path
        File or folder.
    sensor : str
        Name of the sensor.
    source : SlcSource
        The product.
    tracks : frozenset of int
        Track numbers, two over the ascending node; empty where the sensor has none.
    touches : bool
        Whether it lies on the region, or may.
    """

    path: Path
    sensor: str
    source: SlcSource
    tracks: frozenset[int]
    touches: bool

    @property
    def kind(self) -> str:
        """Mode, or beam where a mode has several: images of one kind make pairs."""
        if self.source.mode in _TOPS:
            return self.source.mode
        return ", ".join(sorted({image.swath for image in self.source.images}))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPass:
    """Contiguous slices of one pass, or the one product of sensors that have no slices.

    Attributes
    ----------
    parts : tuple of OpenedSlc
        In order of time.
    """

    parts: tuple[OpenedSlc, ...]

    @property
    def day(self) -> date:
        """UTC day on which it begins."""
        return self.start.date()

    @property
    def start(self) -> datetime:
        """Of the first product [UTC, naive]."""
        return self.parts[0].source.start

    @property
    def stop(self) -> datetime:
        """Of the last product [UTC, naive]."""
        return self.parts[-1].source.stop

    @property
    def platform(self) -> str:
        """Of the satellite."""
        return self.parts[0].source.platform

    @property
    def names(self) -> tuple[str, ...]:
        """Of the products."""
        return tuple(part.source.name for part in self.parts)

    @property
    def tracks(self) -> frozenset[int]:
        """Track numbers of all products."""
        return frozenset[int]().union(*(part.tracks for part in self.parts))


def open_products(
    named: Sequence[NamedSlc], request: MultislcSeriesRequest, progress: Progress
) -> tuple[list[OpenedSlc], list[LeftOut]]:
    """Open products; only manifests and headers are read.

    Parameters
    ----------
    named : sequence of NamedSlc
        What the archive holds.
    request : MultislcSeriesRequest
        Names swaths, polarisation and region.
    progress : Progress
        Asked for cancellation.

    Returns
    -------
    opened : list of OpenedSlc
        In the same order, those that have the polarisation, and the swaths where the request
        names some.
    left_out : list of LeftOut
        Those that cannot be read, or lack the polarisation.
    """
    opened, left_out = [], []
    for one in named:
        progress.check()
        try:
            source = open_slc(one.path)
            there = {i.swath for i in source.images if i.polarisation == request.polarisation}
            if not there:
                raise ProductError(f"it has no image in {request.polarisation}")
            if not request.swaths or there & {swath.upper() for swath in request.swaths}:
                opened.append(_place(one.path, source, request))
        except ProductError as error:
            left_out.append(LeftOut(one.name, f"was left out: {error}"))
    return opened, left_out


def _place(path: Path, source: SlcSource, request: MultislcSeriesRequest) -> OpenedSlc:
    box = request.box
    return OpenedSlc(
        path=path,
        sensor=sensor_of(path).name,
        source=source,
        tracks=source.tracks(),
        touches=box is None or touches(_footprint(source, request.polarisation), _around(box)),
    )


def _footprint(source: SlcSource, polarisation: str) -> NDArray[np.float64]:
    """Longitudes and latitudes [degrees] of a ring around a product, shape (n, 2)."""
    if isinstance(source, Sentinel1Product):
        longitudes, latitudes = source.frame().footprint.T
    else:
        (swath, *_) = (one.swath for one in source.images if one.polarisation == polarisation)
        points = source.slc(swath, polarisation, need_pixels=False).geolocation
        lines, pixels = (np.asarray(x) / max(x.max(), 1.0) for x in (points.lines, points.pixels))
        # the corners of the tie points, around the scene
        corners = [np.argmin(x) for x in (lines + pixels, lines - pixels, -lines - pixels)]
        corners.append(np.argmin(pixels - lines))
        longitudes, latitudes = points.longitudes[corners], points.latitudes[corners]
    return np.column_stack([np.unwrap(longitudes, period=360.0), latitudes])


def _around(box: GeographicBox) -> GeographicBox:
    latitude = min(max(abs(box.south), abs(box.north)), 85.0)
    margin = _MARGIN / math.cos(math.radians(latitude))
    return GeographicBox(
        west=box.west - margin,
        south=max(box.south - _MARGIN, -90.0),
        east=box.east + margin,
        north=min(box.north + _MARGIN, 90.0),
    )


def group_passes(opened: Sequence[OpenedSlc]) -> tuple[list[FoundPass], list[LeftOut]]:
    """Find the passes that products belong to.

    Parameters
    ----------
    opened : sequence of OpenedSlc
        In any order.

    Returns
    -------
    passes : list of FoundPass
        In order of time.
    left_out : list of LeftOut
        Older versions of slices.
    """
    whole = [one for one in opened if not isinstance(one.source, Sentinel1Product)]
    passes = [FoundPass(parts=(one,)) for one in whole]
    by_path = {one.path: one for one in opened}
    groups = group_slices([s for one in opened if isinstance(s := one.source, Sentinel1Product)])
    for group in groups.passes:
        parts = tuple(by_path[product.archive.path] for product in group.slices)
        passes.append(FoundPass(parts=parts))
    notes = [LeftOut(*note.split(" ", maxsplit=1)) for note in groups.notes]
    return sorted(passes, key=lambda one: (one.start, one.names)), notes


def one_a_day(
    passes: Sequence[FoundPass], wanted: Sequence[FoundPass]
) -> tuple[list[FoundPass], list[LeftOut]]:
    """Keep one pass of each day, as days name the dates of a series.

    Parameters
    ----------
    passes : sequence of FoundPass
        In order of time.
    wanted : sequence of FoundPass
        Those among them that come first.

    Returns
    -------
    passes : list of FoundPass
        Of each day one: the wanted one, else the longest, else the first.
    left_out : list of LeftOut
        The others.
    """
    kept: dict[date, FoundPass] = {}
    for one in sorted(passes, key=lambda p: (p not in wanted, p.start - p.stop, p.start)):
        kept.setdefault(one.day, one)
    others = [one for one in passes if kept[one.day] is not one]
    return [one for one in passes if kept[one.day] is one], [
        LeftOut(name, f"was left out: {kept[one.day].names[0]} is another pass of {one.day}")
        for one in others
        for name in one.names
    ]
