"""The run function of the chain `ortho_tiling`."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kernels.chains.artefacts import Artefact, ChainResult
from kernels.chains.ortho_tiling.inputs import Pass, footprint, open_passes
from kernels.chains.ortho_tiling.naming import file_bands, mask_files, tile_tags
from kernels.chains.ortho_tiling.request import OUTPUTS, OrthoTilingRequest
from kernels.chains.ortho_tiling.tile import TileFiles, TileResult, process_tile
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError, RequestError
from kernels.geometry.mgrs import is_tile, tile_grid, tile_outline, tiles_touched
from kernels.model import Dem, GeographicBox
from kernels.products.bundle import zip_files
from kernels.products.dem import load_dem
from kernels.products.quicklook import write_quicklook

FILES = {
    "tiles": "tiles.zip",
    "first_tile": "first_tile.tif",
    "quicklook": "quicklook.png",
    "report": "report.json",
}
"""Names of the results by output."""

_DEM_MARGIN = 0.02
"""Around a tile [degrees]."""

_TERRAIN_MARGIN = 0.04
"""Of latitude around a tile whose terrain is looked at [degrees]: 4.4 km, as far as summits of
4 km lay over or cast a shadow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One tile of one pass."""

    one: Pass
    tile: str
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A tile that was written."""

    job: _Job
    files: tuple[Path, ...]
    masks: tuple[Path, ...]
    result: TileResult


def run(request: OrthoTilingRequest, folder: Path, progress: Progress) -> ChainResult:
    """Make ortho tiles.

    Parameters
    ----------
    request : OrthoTilingRequest
        Checked request.
    folder : Path
        Receives the files FILES, all or none.
    progress : Progress
        Told of tiles and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong; `folder` is as it was.
    """
    start = time.perf_counter()
    progress.update(0.0, "metadata")
    for tile in request.tiles:
        if not is_tile(tile):
            raise RequestError("tiles", "names of Sentinel-2 tiles", tile)
    passes, notes = open_passes(request)
    jobs, left_out = _plan(request, passes)
    with scratch_folder(folder) as scratch:
        done = []
        for number, job in enumerate(jobs):
            part = progress.part(
                0.02 + 0.93 * number / len(jobs), 0.02 + 0.93 * (number + 1) / len(jobs)
            )
            found = _process(request, job, scratch, part)
            if found.result.covered * 100.0 >= request.minimum_coverage:
                done.append(found)
                continue
            for file in (*found.files, *found.masks):
                file.unlink()
            left_out.append(_note(job, found.result.covered))
        if not done:
            raise ProcessingError(
                f"no tile has {request.minimum_coverage:g} percent of data: "
                f"{', '.join(sorted({str(note['tile']) for note in left_out}))}"
            )
        progress.update(0.96, "quicklook and report")
        report = _report(request, passes, done, left_out, notes)
        report["seconds"] = round(time.perf_counter() - start, 2)
        text = json.dumps(report, indent=2, ensure_ascii=False)
        (scratch / FILES["report"]).write_text(text + "\n", encoding="utf-8")
        best = max(done, key=lambda item: item.result.covered)
        write_quicklook(scratch / FILES["quicklook"], best.result.preview)
        files = [file for item in done for file in (*item.files, *item.masks)]
        zip_files(scratch / FILES["tiles"], [*files, scratch / FILES["report"]])
        best.files[0].replace(scratch / FILES["first_tile"])
        progress.check()
        artefacts = tuple(
            Artefact(
                name=output.name,
                path=publish(scratch / FILES[output.name], folder / FILES[output.name]),
                media_type=output.media_type,
            )
            for output in OUTPUTS
        )
    progress.update(1.0, "done")
    return ChainResult(artefacts=artefacts, report=report)


def _plan(
    request: OrthoTilingRequest, passes: tuple[Pass, ...]
) -> tuple[list[_Job], list[dict[str, Any]]]:
    """Choose the tiles of every pass by their footprints; what is left out is said."""
    jobs, left_out = [], []
    for one in passes:
        covered: dict[str, float] = {}
        for image in one.images:
            for touched in tiles_touched(footprint(image.products[0].geolocation)):
                before = covered.get(touched.name, 0.0)
                covered[touched.name] = before + touched.covered_fraction
        for tile in dict.fromkeys(request.tiles or sorted(covered)):
            share = min(covered.get(tile, 0.0), 1.0)
            job = _Job(one=one, tile=tile, expected=share)
            if share * 100.0 >= request.minimum_coverage and share > 0.0:
                jobs.append(job)
            elif tile in request.tiles or share > 0.0:
                left_out.append(_note(job, share))
    if not jobs:
        names = ", ".join(request.tiles) or "no tile"
        raise RequestError(
            "tiles",
            f"covered by the products to at least {request.minimum_coverage:g} percent",
            names,
        )
    return jobs, left_out


def _note(job: _Job, covered: float) -> dict[str, Any]:
    return {"tile": job.tile, "products": list(job.one.names), "covered": round(covered, 4)}


def _process(request: OrthoTilingRequest, job: _Job, scratch: Path, progress: Progress) -> _Done:
    progress.update(0.0, f"elevation under {job.tile}")
    grid = tile_grid(job.tile, request.resolution)
    named = tuple((scratch / name, bands) for name, bands in file_bands(request, job.one, job.tile))
    masks = tuple((scratch / name, mask) for name, mask in mask_files(request, job.one, job.tile))
    dem = _tile_dem(request, job.tile)
    progress.update(0.02, f"terrain under {job.tile}")
    result = process_tile(
        job.one.images,
        grid,
        dem,
        TileFiles(
            backscatter=named,
            masks=masks,
            tags=tile_tags(request, job.one, job.tile),
            compression=request.compression,  # type: ignore[arg-type]  # checked by the request
        ),
        calibration=request.calibration,
        threads=request.threads or default_threads(),
        memory_mb=request.memory_mb,
        step=f"tile {job.tile}",
        progress=progress.part(0.05, 1.0),
    )
    return _Done(
        job=job,
        files=tuple(path for path, _ in named),
        masks=tuple(path for path, _ in masks),
        result=result,
    )


def _tile_dem(request: OrthoTilingRequest, tile: str) -> Dem:
    outline = tile_outline(tile)
    longitudes, latitudes = outline[:, 0], outline[:, 1]
    longitudes = longitudes[0] + (longitudes - longitudes[0] + 180.0) % 360.0 - 180.0
    looked_at = request.corrects_terrain or request.masks
    high = _TERRAIN_MARGIN if looked_at else _DEM_MARGIN
    wide = high / math.cos(math.radians(float(np.abs(latitudes).max())))
    turn = 360.0 if longitudes.min() - wide < -180.0 else 0.0
    return load_dem(
        request.dem,
        GeographicBox(
            west=float(longitudes.min()) - wide + turn,
            south=float(latitudes.min()) - high,
            east=float(longitudes.max()) + wide + turn,
            north=float(latitudes.max()) + high,
        ),
        heights=request.dem_heights,  # type: ignore[arg-type]  # checked by the request
        missing=request.dem_missing,  # type: ignore[arg-type]
    )


def _report(
    request: OrthoTilingRequest,
    passes: tuple[Pass, ...],
    done: list[_Done],
    left_out: list[dict[str, Any]],
    notes: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "process": "s1-ortho-tiling",
        "calibration": request.calibration,
        "noise_removed": request.remove_noise,
        "passes": [
            {
                "products": list(one.names),
                "relative_orbit": one.product.relative_orbit,
                "direction": "ascending" if one.product.ascending else "descending",
                "orbit": one.product.state_vectors.source.value,
            }
            for one in passes
        ],
        "tiles": [
            {
                "tile": item.job.tile,
                "files": [file.name for file in item.files],
                "masks": [file.name for file in item.masks],
                "products": list(item.job.one.names),
                "covered": round(item.result.covered, 4),
                "footprint_share": round(item.job.expected, 4),
                "mean_db": _mean_db(item.result),
            }
            for item in done
        ],
        "left_out": left_out,
        "notes": list(notes),
    }


def _mean_db(result: TileResult) -> float | None:
    known = result.preview[result.preview > 0.0]
    return round(float(10.0 * np.log10(known.mean(dtype=np.float64))), 2) if known.size else None
