"""One tile through the fused pass: intensities in, calibrated map pixels out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.inputs import PassImage
from kernels.chains.ortho_tiling.request import Mask
from kernels.chains.ortho_tiling.terrain import (
    MASK_RASTERS,
    ImageTerrain,
    MaskRows,
    blank_masks,
)
from kernels.chains.ortho_tiling.windows import ImageWindows
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.model import Dem, MapGrid
from kernels.products.raster import BandWriter, Compression, PixelType, create_raster
from kernels.radiometry.detected import DetectedGeometry

COVERED = "COVERED"
"""Tag of a tile's share with data, 0 to 1."""

_BAND_ROWS = 128
_BYTES_PER_PIXEL = 12
"""Of a band and a polarisation: the result, and the lines of the image under it."""
_TERRAIN_BYTES_PER_PIXEL = 20
"""Of a band: angles and masks, for the image and for the tile."""


class _Source(NamedTuple):
    """One image of the pass under the tile."""

    windows: ImageWindows
    terrain: ImageTerrain | None


class _Filled(NamedTuple):
    """Rows of the tile: backscatter of shape (polarisations, rows, columns), and masks."""

    backscatter: NDArray[np.float32]
    masks: MaskRows


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFiles:
    """What to write of a tile, and how.

    Attributes
    ----------
    backscatter : tuple of (Path, tuple of str)
        Files with their bands, named by polarisation; all polarisations in order.
    masks : tuple of (Path, Mask)
        Files of the masks.
    tags : dict of str to str
        Metadata of all files; those of backscatter get their own POLARIZATION, masks their MASK.
    compression : str
        Of the files.
    decibels : bool
        Whether backscatter is kept in decibels.
    """

    backscatter: tuple[tuple[Path, tuple[str, ...]], ...]
    masks: tuple[tuple[Path, Mask], ...]
    tags: dict[str, str]
    compression: Compression
    decibels: bool


def process_tile(
    images: tuple[PassImage, ...],
    grid: MapGrid,
    dem: Dem,
    files: TileFiles,
    *,
    calibration: str,
    threads: int,
    memory_mb: int,
    step: str,
    progress: Progress,
) -> float:
    """Fill one tile.

    Parameters
    ----------
    images : tuple of PassImage
        In order of time; where two see a pixel the earlier one wins.
    grid : MapGrid
        Of the tile.
    dem : Dem
        Terrain under it, and around it where a calibration or a mask needs that.
    files : TileFiles
        To be written.
    calibration : str
        Of the request.
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
    float
        Share of the tile's pixels with data, 0 to 1; also in the tag COVERED of its files.
    """
    masks = tuple(mask for _, mask in files.masks)
    seen = []
    for image in images:
        progress.check()
        geometry = DetectedGeometry.of(image.products[0].grid, image.orbit, grid, dem)
        terrain = ImageTerrain.of(
            geometry, image.orbit, calibration=calibration, masks=masks, threads=threads
        )
        seen.append((image, geometry, terrain))
    bytes_per_pixel = _BYTES_PER_PIXEL * len(images[0].products)
    if seen[0][2] is not None:
        bytes_per_pixel += _TERRAIN_BYTES_PER_PIXEL
    bands = _bands(grid, memory_mb * 1e6 / (threads + 2), bytes_per_pixel)
    sources = [
        _Source(
            ImageWindows.of(
                geometry,
                image.readers,
                image.calibrated,
                image.valid,
                bands=bands,
                held=threads + 1,
            ),
            terrain,
        )
        for image, geometry, terrain in seen
    ]
    count = 0

    def read(rows: Band) -> None:
        for windows, _ in sources:
            windows.read(rows)

    def compute(rows: Band, _: None) -> _Filled:
        return _fill(rows, sources, grid.shape.samples, masks)

    with ExitStack() as stack:
        writers = _open_writers(stack, files, grid, threads)

        def write(rows: Band, filled: _Filled) -> None:
            nonlocal count
            for writer, array in zip(writers, _arrays(files, filled), strict=True):
                writer.write(rows.first, array)
            count += int(np.count_nonzero(filled.backscatter[0]))

        run_bands(
            bands,
            read=read,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step=step,
        )
        sources.clear()  # the lines held are not needed while files are closed
        covered = count / (grid.shape.lines * grid.shape.samples)
        for writer in writers:
            writer.tag(COVERED, repr(covered))
    return covered


def _bands(grid: MapGrid, budget_bytes: float, bytes_per_pixel: int) -> tuple[Band, ...]:
    """Bands of rows within a budget."""
    rows = rows_for_budget(budget_bytes, bytes_per_row=grid.shape.samples * bytes_per_pixel)
    return split_rows(grid.shape.lines, band_rows=min(rows, _BAND_ROWS))


def _fill(rows: Band, sources: list[_Source], columns: int, wanted: tuple[Mask, ...]) -> _Filled:
    """Sample some rows of the tile in all images."""
    count = len(sources[0].windows.calibrated)
    out = np.zeros((count, rows.rows, columns), np.float32)
    masks = blank_masks(wanted, (rows.rows, columns))
    for windows, terrain in sources:
        if terrain is None:
            windows.sample(rows, out)
            continue
        empty = out == 0.0
        windows.sample(rows, out)
        fresh = empty & (out != 0.0)
        if fresh.any():
            terrain.apply(rows, out, fresh, masks)
    return _Filled(out, masks)


def _open_writers(
    stack: ExitStack, files: TileFiles, grid: MapGrid, threads: int
) -> list[BandWriter]:
    """Open all files, those of backscatter first."""

    def enter(path: Path, names: tuple[str, ...], dtype: PixelType, **how: Any) -> BandWriter:
        raster = create_raster(
            path,
            grid.shape,
            names,
            grid=grid,
            compression=files.compression,
            threads=threads,
            dtype=dtype,
            **how,
        )
        return stack.enter_context(raster)

    writers = []
    for path, names in files.backscatter:
        tags = files.tags | {"POLARIZATION": " ".join(names)}
        how = {"overviews": "mean", "decibels": files.decibels, "nodata": 0.0}
        units = ("dB",) * len(names) if files.decibels else ()
        writers.append(enter(path, names, "float32", tags=tags, units=units, **how))
    for path, mask in files.masks:
        raster = MASK_RASTERS[mask]
        tags = files.tags | {"MASK": raster.meaning}
        how = {"overviews": "nearest", "nodata": raster.nodata}
        writers.append(enter(path, (mask,), raster.dtype, tags=tags, **how))
    return writers


def _arrays(files: TileFiles, filled: _Filled) -> Iterator[NDArray[Any]]:
    """Pixels of every file, in the order of the writers."""
    first = 0
    for _, names in files.backscatter:
        yield filled.backscatter[first : first + len(names)]
        first += len(names)
    for _, mask in files.masks:
        yield filled.masks[mask][None]
