"""One tile through the fused pass: amplitudes in, calibrated map pixels out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.inputs import PassImage
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.model import Dem, GrdProduct, MapGrid
from kernels.products.preview import preview_looks
from kernels.products.raster import BandWriter, Compression, create_raster
from kernels.radiometry.detected import DetectedGeometry, Window

_BAND_ROWS = 256
_BYTES_PER_PIXEL = 12
"""Of a band and a polarisation: the result, and the askew windows of the image under it."""
_BLOCK_COLUMNS = 2048
"""Columns of a tile that share a window of the image: tracks run askew to the map, so that the
window under a whole row of a tile would be ten times the pixels that the row needs."""


class LineCache:
    """Reads windows of one image that move along it, each line once."""

    def __init__(self, product: GrdProduct, pixels: Band) -> None:
        self._product = product
        self._pixels = pixels
        self._lines = Band(0, 0)
        self._held = np.empty((0, pixels.rows), np.uint16)

    def read(self, lines: Band) -> NDArray[np.uint16]:
        """Return some lines, shape (lines, pixels); do not write into them."""
        first, stop = lines.first, lines.first + lines.rows
        held_stop = self._lines.first + self._lines.rows
        keep = max(first, self._lines.first), min(stop, held_stop)
        if keep[1] <= keep[0]:
            self._held = self._fetch(first, stop)
        else:
            middle = self._held[keep[0] - self._lines.first : keep[1] - self._lines.first]
            parts = [self._fetch(first, keep[0]), middle, self._fetch(keep[1], stop)]
            self._held = np.concatenate(parts)
        self._lines = lines
        return self._held

    def _fetch(self, first: int, stop: int) -> NDArray[np.uint16]:
        if self._product.pixels is None:
            raise ProductError(f"{self._product.name} was opened without its pixels")
        if stop <= first:
            return np.empty((0, self._pixels.rows), np.uint16)
        return self._product.pixels.read(first, stop - first, self._pixels.first, self._pixels.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Some columns of the tile in one image: their pixels, and a cache per polarisation."""

    columns: Band
    pixels: Band
    caches: tuple[LineCache, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One image of the pass under the tile."""

    image: PassImage
    geometry: DetectedGeometry
    blocks: tuple[_Columns, ...]


_Windows = list[tuple[Band, Window, tuple[NDArray[np.uint16], ...]]]
_Block = list[tuple[_Source, _Windows]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileResult:
    """What was written of a tile.

    Attributes
    ----------
    covered : float
        Share of the tile's pixels with data, 0 to 1.
    preview : ndarray of float32, shape (rows, columns)
        Every n-th pixel of the first polarisation; 0 where there is no data.
    """

    covered: float
    preview: NDArray[np.float32]


def process_tile(
    images: tuple[PassImage, ...],
    grid: MapGrid,
    dem: Dem,
    files: tuple[tuple[Path, tuple[str, ...]], ...],
    *,
    tags: dict[str, str],
    compression: Compression,
    threads: int,
    memory_mb: int,
    step: str,
    progress: Progress,
) -> TileResult:
    """Fill one tile.

    Parameters
    ----------
    images : tuple of PassImage
        In order of time; where two see a pixel the earlier one wins.
    grid : MapGrid
        Of the tile.
    dem : Dem
        Terrain under it.
    files : tuple of (Path, tuple of str)
        Files to write with their bands, named by polarisation; all polarisations in order.
    tags : dict of str to str
        Metadata of all files; each gets its own POLARIZATION.
    compression : str
        Of the files.
    threads : int
        Computing and compressing threads.
    memory_mb : int
        Budget for pixel blocks [MB].
    step : str
        Name for the progress report.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    TileResult
        Coverage and preview.
    """
    sources = _sources(images, grid, dem)
    count = len(images[0].products)
    looks = preview_looks(grid.shape)
    pieces: list[NDArray[np.float32]] = []
    covered = 0
    rows_of_band = rows_for_budget(
        memory_mb * 1e6 / (threads + 2),
        bytes_per_row=grid.shape.samples * _BYTES_PER_PIXEL * count,
    )

    def read(rows: Band) -> _Block:
        return [(source, _read(source, rows)) for source in sources]

    def compute(rows: Band, block: _Block) -> NDArray[np.float32]:
        out = np.zeros((count, rows.rows, grid.shape.samples), np.float32)
        for source, windows in block:
            for row in range(rows.rows if windows else 0):
                lines, pixels = source.geometry.places(rows.first + row)
                for columns, window, amplitudes in windows:
                    part = slice(columns.first, columns.first + columns.rows)
                    for number, calibrated in enumerate(source.image.calibrated):
                        calibrated.sample(
                            (lines[part], pixels[part]),
                            amplitudes[number],
                            window,
                            out[number, row, part],
                        )
        return out

    with ExitStack() as stack:
        writers = [
            (
                stack.enter_context(
                    create_raster(
                        path,
                        grid.shape,
                        names,
                        grid=grid,
                        nodata=0.0,
                        compression=compression,
                        tags=tags | {"POLARIZATION": " ".join(names)},
                        threads=threads,
                    )
                ),
                len(names),
            )
            for path, names in files
        ]

        def write(rows: Band, found: NDArray[np.float32]) -> None:
            nonlocal covered
            _write(writers, rows, found)
            covered += int(np.count_nonzero(found[0]))
            # a copy: a view would keep every band of the tile in memory
            pieces.append(found[0, :: looks.azimuth, :: looks.range].copy())

        run_bands(
            split_rows(
                grid.shape.lines, band_rows=min(rows_of_band, _BAND_ROWS), multiple=looks.azimuth
            ),
            read=read,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step=step,
        )
    return TileResult(
        covered=covered / (grid.shape.lines * grid.shape.samples),
        preview=np.concatenate(pieces),
    )


def _sources(images: tuple[PassImage, ...], grid: MapGrid, dem: Dem) -> tuple[_Source, ...]:
    """Geometry of every image, and caches for its blocks of columns."""
    rows = Band(0, grid.shape.lines)
    sources = []
    for image in images:
        geometry = DetectedGeometry.of(image.products[0].grid, image.orbit, grid, dem)
        blocks = []
        for columns in split_rows(grid.shape.samples, band_rows=_BLOCK_COLUMNS):
            pixels = _inside(
                geometry.window(rows, columns).pixels,
                image.valid.first_sample,
                image.valid.samples,
            )
            caches = tuple(LineCache(product, pixels) for product in image.products)
            blocks.append(_Columns(columns=columns, pixels=pixels, caches=caches))
        sources.append(_Source(image=image, geometry=geometry, blocks=tuple(blocks)))
    return tuple(sources)


def _read(source: _Source, rows: Band) -> _Windows:
    """Windows of an image under some rows of the tile; none where it has no pixels there."""
    valid = source.image.valid
    windows = []
    for block in source.blocks:
        found = source.geometry.window(rows, block.columns)
        lines = _inside(found.lines, valid.first_line, valid.lines)
        if lines.rows > 1 and block.pixels.rows > 1:
            window = Window(lines=lines, pixels=block.pixels)
            amplitudes = tuple(cache.read(lines) for cache in block.caches)
            windows.append((block.columns, window, amplitudes))
    return windows


def _inside(band: Band, first: int, count: int) -> Band:
    """Part of a band inside another."""
    start, stop = max(band.first, first), min(band.first + band.rows, first + count)
    return Band(start, max(stop - start, 0))


def _write(writers: list[tuple[BandWriter, int]], rows: Band, found: NDArray[np.float32]) -> None:
    first = 0
    for writer, count in writers:
        writer.write(rows.first, found[first : first + count])
        first += count
