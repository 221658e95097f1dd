"""A series on the grid of its reference: what the steps of the chain hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.engine.bands import Band
from kernels.model import Dem, MapGrid
from kernels.products.raster import RasterReader


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesDate:
    """One pass over the scene.

    Attributes
    ----------
    day : date
        UTC day on which the pass begins.
    names : tuple of str
        Of the products, in order of time.
    paths : tuple of Path
        Of the same products.
    """

    day: date
    names: tuple[str, ...]
    paths: tuple[Path, ...]

    @property
    def text(self) -> str:
        """The day as in the names of folders, 20160605."""
        return f"{self.day:%Y%m%d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackImage:
    """A date on the grid of the reference.

    Attributes
    ----------
    date : SeriesDate
        Which one.
    rasters : tuple of Path
        Of each swath one complex raster on ``swaths[k].layout.grid`` of the stack, 0 where there
        is no data. Its phase is freed from topography: of two images,
        ``first * conj(second)`` is the flattened interferogram.
    perpendicular_baseline, parallel_baseline : float
        Of the date against the reference in the middle of the scene [m]; as in `dinsar-pair`.
    shift : float
        Azimuth shift that was found by spectral diversity, and resampled away [lines].
    made_of : str
        Another one where orbit, shift or damages are others: then pairs are to be made again.
    """

    date: SeriesDate
    rasters: tuple[Path, ...]
    perpendicular_baseline: float
    parallel_baseline: float
    shift: float = 0.0
    made_of: str = ""

    def reader(self, swath: int) -> StackReader:
        """Open the raster of a swath; to be used by one thread at a time."""
        return StackReader(self.rasters[swath])


class StackReader:
    """Reads lines of one raster of a stack; raises InputError where it is damaged."""

    def __init__(self, path: Path) -> None:
        self._raster = RasterReader(path)

    def __call__(self, lines: Band, samples: Band | None = None) -> NDArray[np.complex64]:
        """Read lines, whole or some samples of them, shape (lines, samples)."""
        first, columns = samples or (0, None)
        found = self._raster.pixels(lines.first, lines.rows, first_column=first, columns=columns)
        return np.asarray(found, np.complex64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """All dates on one grid.

    Attributes
    ----------
    request : MultislcSeriesRequest
        As run.
    swaths : tuple of SwathPair
        The reference paired with itself: grids, layouts, orbit and looks of every pair. Every
        placement of the layout has its own burst as partner.
    dem : Dem
        Terrain under them.
    grid : MapGrid
        Of the interferograms.
    images : tuple of StackImage
        In order of time; the reference is among them.
    reference : int
        Its number.
    """

    request: MultislcSeriesRequest
    swaths: tuple[SwathPair, ...]
    dem: Dem
    grid: MapGrid
    images: tuple[StackImage, ...]
    reference: int
