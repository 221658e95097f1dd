"""One tile through the fused pass: intensities in, calibrated map pixels out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.inputs import PassImage
from kernels.chains.ortho_tiling.windows import ImageWindows, TileWindow
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.model import Dem, MapGrid
from kernels.products.preview import preview_looks
from kernels.products.raster import BandWriter, Compression, create_raster
from kernels.radiometry.detected import DetectedGeometry

_BAND_ROWS = 256
_BYTES_PER_PIXEL = 20
"""Of a band and a polarisation: the result, and the askew windows of the image under it."""

_Block = list[tuple[PassImage, ImageWindows, list[TileWindow]]]


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
    sources = [(image, _windows(image, grid, dem)) for image in images]
    count = len(images[0].products)
    looks = preview_looks(grid.shape)
    pieces: list[NDArray[np.float32]] = []
    covered = 0
    rows_of_band = rows_for_budget(
        memory_mb * 1e6 / (threads + 2),
        bytes_per_row=grid.shape.samples * _BYTES_PER_PIXEL * count,
    )

    def read(rows: Band) -> _Block:
        return [(image, windows, windows.read(rows)) for image, windows in sources]

    def compute(rows: Band, block: _Block) -> NDArray[np.float32]:
        out = np.zeros((count, rows.rows, grid.shape.samples), np.float32)
        for image, source, windows in block:
            for row in range(rows.rows if windows else 0):
                lines, pixels = source.geometry.places(rows.first + row)
                for columns, window, intensities in windows:
                    part = slice(columns.first, columns.first + columns.rows)
                    for number, calibrated in enumerate(image.calibrated):
                        calibrated.sample(
                            (lines[part], pixels[part]),
                            intensities[number],
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


def _windows(image: PassImage, grid: MapGrid, dem: Dem) -> ImageWindows:
    """Geometry of an image on the tile, and what reads it."""
    geometry = DetectedGeometry.of(image.products[0].grid, image.orbit, grid, dem)
    return ImageWindows.of(geometry, image.readers, image.valid)


def _write(writers: list[tuple[BandWriter, int]], rows: Band, found: NDArray[np.float32]) -> None:
    first = 0
    for writer, count in writers:
        writer.write(rows.first, found[first : first + count])
        first += count
