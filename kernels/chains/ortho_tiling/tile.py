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

_TERRAIN_SHARE = 0.5
"""Of the time of a tile whose terrain is looked at."""


class _Seen(NamedTuple):
    """An image, where the tile is in it, and what it needs of the terrain."""

    image: PassImage
    geometry: DetectedGeometry
    terrain: ImageTerrain | None


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
        Metadata of backscatter; each file gets its own POLARIZATION.
    mask_tags : dict of str to str
        Metadata of masks; each gets its own MASK.
    compression : str
        Of the files.
    decibels : bool
        Whether backscatter is kept in decibels.
    """

    backscatter: tuple[tuple[Path, tuple[str, ...]], ...]
    masks: tuple[tuple[Path, Mask], ...]
    tags: dict[str, str]
    mask_tags: dict[str, str]
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
    before = _TERRAIN_SHARE if ImageTerrain.is_needed(calibration, masks) else 0.0
    seen = _see(
        images,
        grid,
        dem,
        calibration=calibration,
        masks=masks,
        threads=threads,
        progress=progress.part(0.0, before).named(f"terrain of {step}"),
    )
    bands = _bands(grid, seen, memory_mb * 1e6, threads)
    sources = [_source(item, bands, threads) for item in seen]
    del seen  # its coarse tables are the sources' now
    return _make(
        sources,
        bands,
        grid,
        files,
        threads=threads,
        step=step,
        progress=progress.part(before, 1.0),
    )


def _make(
    sources: list[_Source],
    bands: tuple[Band, ...],
    grid: MapGrid,
    files: TileFiles,
    *,
    threads: int,
    step: str,
    progress: Progress,
) -> float:
    """Write all files band by band; returns the covered share, and lets the sources go."""
    masks = tuple(mask for _, mask in files.masks)
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


def _see(
    images: tuple[PassImage, ...],
    grid: MapGrid,
    dem: Dem,
    *,
    calibration: str,
    masks: tuple[Mask, ...],
    threads: int,
    progress: Progress,
) -> list[_Seen]:
    """Find where the tile is in each image, and look at its terrain."""
    seen = []
    for number, image in enumerate(images):
        part = progress.part(number / len(images), (number + 1) / len(images))
        part.update(0.0, "terrain")
        geometry = DetectedGeometry.of(image.products[0].grid, image.orbit, grid, dem)
        terrain = ImageTerrain.of(
            geometry,
            image.orbit,
            calibration=calibration,
            masks=masks,
            threads=threads,
            progress=part,
        )
        seen.append(_Seen(image, geometry, terrain))
    return seen


def _bands(grid: MapGrid, seen: list[_Seen], budget_bytes: float, threads: int) -> tuple[Band, ...]:
    """Bands of rows within what the tables of the terrain leave of a budget, at least half."""
    bytes_per_pixel = _BYTES_PER_PIXEL * len(seen[0].image.products)
    terrains = [item.terrain for item in seen if item.terrain is not None]
    if terrains:
        bytes_per_pixel += _TERRAIN_BYTES_PER_PIXEL
    held = min(sum(terrain.nbytes for terrain in terrains), budget_bytes / 2)
    rows = rows_for_budget(
        (budget_bytes - held) / (threads + 2), bytes_per_row=grid.shape.samples * bytes_per_pixel
    )
    return split_rows(grid.shape.lines, band_rows=min(rows, _BAND_ROWS))


def _source(seen: _Seen, bands: tuple[Band, ...], threads: int) -> _Source:
    windows = ImageWindows.of(
        seen.geometry,
        seen.image.readers,
        seen.image.calibrated,
        seen.image.valid,
        bands=bands,
        held=threads + 1,
    )
    return _Source(windows, seen.terrain)


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
        tags = files.mask_tags | {"MASK": raster.meaning}
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
