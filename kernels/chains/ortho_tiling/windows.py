"""Backscatter of an image of a pass under the rows of a tile, each line read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, split_rows
from kernels.model import IntensityReader
from kernels.products.borders import ValidWindow
from kernels.radiometry.detected import Calibrated, DetectedGeometry, Window

_BLOCK_COLUMNS = 512
"""Columns of a tile that are sampled together: tracks run askew to the map, so that the window
under a whole row of a tile would be ten times the pixels that the row needs."""

_LINES_AT_ONCE = 64
"""Read and calibrated while they are in the processor's cache."""


class LineRing:
    """Calibrated lines of an image, the last ones that were read, each of them read once.

    Parameters
    ----------
    reader : IntensityReader
        Of the image.
    calibrated : Calibrated
        Of the image.
    pixels : Band
        Part of every line that is held.
    capacity : int
        Lines that are held.
    """

    def __init__(
        self, reader: IntensityReader, calibrated: Calibrated, pixels: Band, capacity: int
    ) -> None:
        self._reader = reader
        self._calibrated = calibrated
        self._pixels = pixels
        self._lines = Band(0, 0)
        self._held = np.empty((capacity, pixels.rows), np.float32)

    def hold(self, lines: Band) -> None:
        """Read the lines that are not held yet; those that are farthest from them give way."""
        first, stop = lines.first, lines.first + lines.rows
        low, high = self._lines.first, self._lines.first + self._lines.rows
        if stop < low or first > high:
            low = high = first
        for start, rows in (
            *split_rows(min(stop, low) - first, band_rows=_LINES_AT_ONCE, first=first),
            *split_rows(stop - max(first, high), band_rows=_LINES_AT_ONCE, first=max(first, high)),
        ):
            self._fetch(Band(start, rows))
        capacity = self._held.shape[0]
        low, high = min(low, first), max(high, stop)
        low, high = max(low, stop - capacity), min(high, first + capacity)
        self._lines = Band(low, high - low)

    def copy(self, window: Window) -> NDArray[np.float32]:
        """Return a copy of a window that is held, shape (lines, pixels)."""
        start = window.pixels.first - self._pixels.first
        columns = slice(start, start + window.pixels.rows)
        backscatter = np.empty((window.lines.rows, window.pixels.rows), np.float32)
        for rows, part in self._runs(window.lines):
            backscatter[part] = self._held[rows, columns]
        return backscatter

    def _fetch(self, lines: Band) -> None:
        intensities = self._reader.read(
            lines.first, lines.rows, self._pixels.first, self._pixels.rows
        )
        self._calibrated.calibrate(intensities, Window(lines=lines, pixels=self._pixels))
        for rows, part in self._runs(lines):
            self._held[rows] = intensities[part]

    def _runs(self, lines: Band) -> list[tuple[slice, slice]]:
        """Rows of the ring for some lines, and which of the lines they are."""
        capacity = self._held.shape[0]
        first = lines.first % capacity
        before_end = min(lines.rows, capacity - first)
        return [
            (slice(first, first + before_end), slice(0, before_end)),
            (slice(0, lines.rows - before_end), slice(before_end, lines.rows)),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWindows:
    """Samples an image band by band of rows of a tile.

    Attributes
    ----------
    geometry : DetectedGeometry
        Of the image on the tile.
    valid : ValidWindow
        Part of the image that is used.
    calibrated : tuple of Calibrated
        One per polarisation.
    rings : tuple of LineRing
        In the same order; none where the image has no pixels under the tile.
    """

    geometry: DetectedGeometry
    valid: ValidWindow
    calibrated: tuple[Calibrated, ...]
    rings: tuple[LineRing, ...]

    @classmethod
    def of(
        cls,
        geometry: DetectedGeometry,
        readers: Sequence[IntensityReader],
        calibrated: tuple[Calibrated, ...],
        valid: ValidWindow,
        *,
        bands: Sequence[Band],
        held: int,
    ) -> ImageWindows:
        """Prepare reading.

        Parameters
        ----------
        geometry : DetectedGeometry
            Of the image on the tile.
        readers : sequence of IntensityReader
            Of the image, one per polarisation.
        calibrated : tuple of Calibrated
            In the same order.
        valid : ValidWindow
            Part of the image that is used.
        bands : sequence of Band
            Rows of the tile, in the order in which they will be read.
        held : int
            How many bands that were read last can still be sampled.

        Returns
        -------
        ImageWindows
            For these bands.
        """
        columns = Band(0, geometry.geometry.grid.shape.samples)
        windows = [_valid_part(geometry.window(rows, columns), valid) for rows in bands]
        capacity = max(
            _hull([window.lines for window in windows[max(n + 1 - held, 0) : n + 1]]).rows
            for n in range(len(windows))
        )
        pixels = _hull([window.pixels for window in windows if window.lines.rows > 0])
        rings = tuple(
            LineRing(reader, own, pixels, capacity)
            for reader, own in zip(readers, calibrated, strict=True)
            if capacity > 0 and pixels.rows > 0
        )
        return cls(geometry=geometry, valid=valid, calibrated=calibrated, rings=rings)

    def read(self, rows: Band) -> None:
        """Read what is under some rows of the tile and not held yet."""
        window = self._under(rows, Band(0, self.geometry.geometry.grid.shape.samples))
        if window.lines.rows > 0:
            for ring in self.rings:
                ring.hold(window.lines)

    def sample(self, rows: Band, out: NDArray[np.float32]) -> None:
        """Sample some rows of the tile.

        Parameters
        ----------
        rows : Band
            One of the bands that were read last; another thread may read meanwhile.
        out : ndarray of float32, shape (polarisations, rows, columns)
            Receives backscatter [1] where it is 0 and there is data.
        """
        for columns in split_rows(out.shape[2], band_rows=_BLOCK_COLUMNS):
            window = self._under(rows, columns)
            if window.lines.rows == 0 or window.pixels.rows == 0:
                continue
            places = self.geometry.places(rows, columns)
            for ring, calibrated, found in zip(self.rings, self.calibrated, out, strict=False):
                calibrated.sample(
                    places, ring.copy(window), window, found, first_column=columns.first
                )

    def _under(self, rows: Band, columns: Band) -> Window:
        return _valid_part(self.geometry.window(rows, columns), self.valid)


def _valid_part(window: Window, valid: ValidWindow) -> Window:
    return Window(
        lines=_inside(window.lines, valid.first_line, valid.lines),
        pixels=_inside(window.pixels, valid.first_sample, valid.samples),
    )


def _inside(band: Band, first: int, count: int) -> Band:
    """Part of a band inside another."""
    start, stop = max(band.first, first), min(band.first + band.rows, first + count)
    return Band(start, max(stop - start, 0))


def _hull(bands: Sequence[Band]) -> Band:
    """Smallest band around those that are not empty."""
    known = [band for band in bands if band.rows > 0]
    if not known:
        return Band(0, 0)
    first = min(band.first for band in known)
    return Band(first, max(band.first + band.rows for band in known) - first)
