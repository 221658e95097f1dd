"""The files of one tile: made, or kept from an earlier run, and their small version."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.coverage import TileJob
from kernels.chains.ortho_tiling.naming import (
    KEY,
    file_bands,
    mask_files,
    mask_tags,
    tile_folder,
    tile_tags,
)
from kernels.chains.ortho_tiling.request import OrthoTilingRequest
from kernels.chains.ortho_tiling.tile import COVERED, TileFiles, process_tile
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import InputError
from kernels.geometry.mgrs import tile_grid, tile_outline
from kernels.model import Dem, GeographicBox, MapGrid
from kernels.products.dem import load_dem
from kernels.products.preview import LONG_SIDE
from kernels.products.raster import RasterReader

_DEM_MARGIN = 0.02
"""Around a tile [degrees]."""

_TERRAIN_MARGIN = 0.04
"""Of latitude around a tile whose terrain is looked at [degrees]: 4.4 km, as far as summits of
4 km lay over or cast a shadow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTile:
    """A tile of a pass.

    Attributes
    ----------
    job : TileJob
        Which one.
    folder : Path
        Of all results.
    files, masks : tuple of Path
        Below that folder: backscatter, and masks.
    decibels : bool
        Whether backscatter is in decibels.
    covered : float
        Share of the tile with data, 0 to 1.
    written : bool
        False where an earlier run had made it.
    """

    job: TileJob
    folder: Path
    files: tuple[Path, ...]
    masks: tuple[Path, ...]
    decibels: bool
    covered: float
    written: bool


class SmallTile(NamedTuple):
    """Backscatter of shape (polarisations, rows, columns), 0 without data, and its grid."""

    backscatter: NDArray[np.float32]
    grid: MapGrid


def make_tile(
    request: OrthoTilingRequest, job: TileJob, folder: Path, progress: Progress
) -> MadeTile:
    """Make the files of a tile, unless an earlier run left the same ones.

    Parameters
    ----------
    request : OrthoTilingRequest
        How.
    job : TileJob
        What.
    folder : Path
        Receives every file under its final name when all of the tile are complete; nothing,
        where the tile has too little data.
    progress : Progress
        Told of shares; asked for cancellation.

    Returns
    -------
    MadeTile
        With its covered share, be it enough or not.

    Raises
    ------
    FournaiseError
        The tile cannot be made; no file of it is left.
    """
    below = tile_folder(request, job.one, job.tile)
    bands = file_bands(request, job.one, job.tile)
    masks = mask_files(request, job.one, job.tile)
    tags = tile_tags(request, job.one, job.tile)
    names = [name for name, _ in (*bands, *masks)]
    covered = _covered_before([folder / below / name for name in names], tags[KEY])
    written = covered is None
    if covered is None:
        with scratch_folder(folder) as scratch:
            files = TileFiles(
                backscatter=tuple((scratch / name, held) for name, held in bands),
                masks=tuple((scratch / name, mask) for name, mask in masks),
                tags=tags,
                mask_tags=mask_tags(request, job.one, job.tile),
                compression=request.compression,  # type: ignore[arg-type]  # checked by the request
                decibels=request.decibels,
            )
            covered = _process(request, job, files, progress)
            if covered * 100.0 >= request.minimum_coverage:
                for name in names:
                    publish(scratch / name, folder / below / name)
    return MadeTile(
        job=job,
        folder=folder,
        files=tuple(below / name for name, _ in bands),
        masks=tuple(below / name for name, _ in masks),
        decibels=request.decibels,
        covered=covered,
        written=written,
    )


def _covered_before(files: list[Path], key: str) -> float | None:
    """Covered share of a tile whose files are all there, made in the same way; else None."""
    covered = None
    for file in files:
        if not file.is_file():
            return None
        try:
            tags = RasterReader(file).tags
            covered = float(tags[COVERED])
        except (InputError, KeyError, ValueError):  # damaged, or of another program
            return None
        if tags.get(KEY) != key:
            return None
    return covered


def _process(
    request: OrthoTilingRequest, job: TileJob, files: TileFiles, progress: Progress
) -> float:
    progress.update(0.0, f"elevation under {job.tile}")
    dem = _tile_dem(request, job.tile)
    return process_tile(
        job.one.images,
        tile_grid(job.tile, request.resolution),
        dem,
        files,
        calibration=request.calibration,
        threads=request.threads or default_threads(),
        memory_mb=request.memory_mb,
        step=f"tile {job.tile}",
        progress=progress.part(0.02, 1.0),
    )


def tile_box(request: OrthoTilingRequest, tile: str) -> GeographicBox:
    """Box [degrees] whose elevation a tile needs; its longitudes may pass 180."""
    outline = tile_outline(tile)
    longitudes, latitudes = outline[:, 0], outline[:, 1]
    longitudes = longitudes[0] + (longitudes - longitudes[0] + 180.0) % 360.0 - 180.0
    looked_at = request.corrects_terrain or request.masks
    high = _TERRAIN_MARGIN if looked_at else _DEM_MARGIN
    wide = high / math.cos(math.radians(float(np.abs(latitudes).max())))
    turn = 360.0 if longitudes.min() - wide < -180.0 else 0.0
    return GeographicBox(
        west=float(longitudes.min()) - wide + turn,
        south=float(latitudes.min()) - high,
        east=float(longitudes.max()) + wide + turn,
        north=float(latitudes.max()) + high,
    )


def _tile_dem(request: OrthoTilingRequest, tile: str) -> Dem:
    return load_dem(
        request.dem,
        tile_box(request, tile),
        heights=request.dem_heights,  # type: ignore[arg-type]  # checked by the request
        missing=request.dem_missing,  # type: ignore[arg-type]
    )


def small_tile(made: MadeTile) -> SmallTile:
    """Read a tile for a picture, from the overviews of its files.

    Parameters
    ----------
    made : MadeTile
        Complete.

    Returns
    -------
    SmallTile
        All polarisations, linear; cells are means of their pixels with data.
    """
    found = [RasterReader(made.folder / name).overview(LONG_SIDE) for name in made.files]
    bands = np.concatenate([raster.array for raster in found])
    if made.decibels:
        bands = np.where(np.isnan(bands), np.float32(0.0), 10.0 ** (np.float32(0.1) * bands))
    grid = found[0].grid
    if not isinstance(grid, MapGrid):
        raise InputError(f"{made.files[0].name} must be a raster on a map")
    return SmallTile(bands, grid)


def mean_decibels(made: MadeTile) -> float | None:
    """Mean backscatter of a tile in its first polarisation [dB]; None without any."""
    first = small_tile(made).backscatter[0]
    known = first[first > 0.0]
    return 10.0 * math.log10(float(known.mean(dtype=np.float64))) if known.size else None
