"""What ortho tiles would be made of and take, told before a pixel is read."""

from __future__ import annotations

from collections.abc import Sequence

from kernels.chains.ortho_tiling.coverage import TileJob, plan_tiles
from kernels.chains.ortho_tiling.inputs import check_composite, open_passes
from kernels.chains.ortho_tiling.making import tile_box
from kernels.chains.ortho_tiling.request import TILE_SIZE, OrthoTilingRequest
from kernels.chains.planning import (
    BASE_BYTES,
    SMALL_FILES,
    Plan,
    described_elevation,
    raster_bytes,
    threads_of,
)
from kernels.model import Shape
from kernels.products.dem_coverage import dem_coverage

_CPU_PER_PIXEL = 0.106e-6
"""Of a pixel of a tile in the first polarisation [s]; see docs/ortho.md."""
_CPU_OF_ANOTHER = 0.06e-6
"""The same in each further polarisation [s]."""
_CPU_OF_TERRAIN = 0.17e-6
"""Of a pixel whose backscatter is corrected for the terrain, whatever the polarisations [s]."""
_CPU_OF_RUN = 3.0
_DEM_POST_BYTES = 6
_TERRAIN_BYTES = 300e6
"""Memory of the terrain of a tile [bytes], beyond the budget; see docs/ortho.md."""


def plan_run(request: OrthoTilingRequest) -> Plan:
    """Plan tiles from annotations, footprints and the places of elevation files.

    Parameters
    ----------
    request : OrthoTilingRequest
        Checked request.

    Returns
    -------
    Plan
        With the tiles and what is missing of them. Time is told for detected products only: how
        long complex ones take depends on the looks.

    Raises
    ------
    FournaiseError
        Products or tiles that the run would refuse as well.
    """
    passes, notes = open_passes(request)
    check_composite(request, passes)
    jobs, left_out = plan_tiles(request, passes)
    entries, warnings, posts = _elevations(request, jobs)
    threads = threads_of(request.threads)
    all_tiles = sum(tile_bytes(request, len(job.one.polarisations)) for job in jobs)
    largest = max(tile_bytes(request, len(job.one.polarisations)) for job in jobs)
    is_detected = all(job.one.product_type == "GRD" for job in jobs)
    looked_at = request.corrects_terrain or bool(request.masks)
    return Plan(
        memory_bytes=BASE_BYTES
        + request.memory_mb * 1e6
        + posts * _DEM_POST_BYTES
        + (_TERRAIN_BYTES if looked_at else 0.0),
        # a tile before it is compressed, and beside it
        scratch_bytes=2.0 * largest,
        results_bytes=all_tiles * (2.0 if request.archive == "all" else 1.0) + SMALL_FILES,
        cpu_seconds=_CPU_OF_RUN
        + sum(cpu_seconds(request, len(job.one.polarisations)) for job in jobs)
        if is_detected
        else None,
        threads=threads,
        warnings=(*notes, *warnings, *(line for job in jobs for line in job.warnings())),
        details={
            "tiles": [
                {
                    "tile": job.tile,
                    "products": list(job.one.names),
                    "polarisations": list(job.one.polarisations),
                    "footprint_share": round(job.expected, 4),
                    "missing": [missing._asdict() for missing in job.missing],
                }
                for job in jobs
            ],
            "left_out": left_out,
            "elevation": entries,
        },
    )


def tile_bytes(request: OrthoTilingRequest, polarisations: int) -> float:
    """Return the size of a tile and its masks without compression [bytes]."""
    side = round(TILE_SIZE / request.resolution)
    return raster_bytes(
        Shape(side, side), bands=polarisations + len(set(request.masks)), overviews=True
    )


def cpu_seconds(request: OrthoTilingRequest, polarisations: int) -> float:
    """Estimate the CPU time of a tile of detected products [s]."""
    per_pixel = _CPU_PER_PIXEL + (polarisations - 1) * _CPU_OF_ANOTHER
    if request.corrects_terrain or request.masks:
        per_pixel += _CPU_OF_TERRAIN
    return per_pixel * (TILE_SIZE / request.resolution) ** 2


def _elevations(
    request: OrthoTilingRequest, jobs: Sequence[TileJob]
) -> tuple[dict[str, object], list[str], int]:
    """Describe the elevation under each tile; the largest number of posts is that of memory."""
    entries: dict[str, object] = {}
    warnings: list[str] = []
    posts = 0
    for tile in dict.fromkeys(job.tile for job in jobs):
        coverage = dem_coverage(request.dem, tile_box(request, tile))
        entries[tile], found = described_elevation(coverage, request.dem_missing)
        warnings += [f"{tile}: {line}" for line in found]
        posts = max(posts, coverage.posts.lines * coverage.posts.samples)
    return entries, warnings, posts
