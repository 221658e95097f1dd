"""What a series of tiles would be made of and take, told before a pixel is read."""

from __future__ import annotations

from kernels.chains.multitemporal_filter import plan as filtering
from kernels.chains.ortho_tiling import plan as tiling
from kernels.chains.ortho_tiling.request import TILE_SIZE
from kernels.chains.planning import BASE_BYTES, SMALL_FILES, Plan, threads_of
from kernels.chains.tiling_series.plan import plan_series
from kernels.chains.tiling_series.request import NO_FILTER, TilingSeriesRequest
from kernels.engine.progress import Progress
from kernels.model import Shape

_MEMORY_OF_TERRAIN = 500e6
"""Elevation of a tile and what is made of it [bytes]; see docs/ortho.md."""


def plan_run(request: TilingSeriesRequest) -> Plan:
    """Plan a series from names and manifests, as if nothing were made yet.

    Parameters
    ----------
    request : TilingSeriesRequest
        Checked request.

    Returns
    -------
    Plan
        With the passes over the tiles.

    Raises
    ------
    FournaiseError
        A request that no product answers.
    """
    found = plan_series(request, Progress())
    one = request.tiling(products=request.products)
    side = round(TILE_SIZE / request.resolution)
    images = sum(len(item.polarisations) for item in found.passes)
    tiles = sum(tiling.tile_bytes(one, len(item.polarisations)) for item in found.passes)
    cpu = sum(tiling.cpu_seconds(one, len(item.polarisations)) for item in found.passes)
    largest = max(tiling.tile_bytes(one, len(item.polarisations)) for item in found.passes)
    filtered = 0.0
    if request.filter != NO_FILTER:
        filtered = filtering.filtered_bytes(Shape(side, side), images)
        cpu += filtering.cpu_seconds(request.filter, Shape(side, side), images)
    kept = tiles + filtered
    return Plan(
        memory_bytes=BASE_BYTES + request.memory_mb * 1e6 + _MEMORY_OF_TERRAIN,
        # a tile, and then filtered files, before they are compressed and beside them
        scratch_bytes=max(2.0 * largest, filtered),
        results_bytes=kept * (2.0 if request.archive == "all" else 1.0) + SMALL_FILES,
        cpu_seconds=cpu,
        threads=threads_of(request.threads),
        warnings=tuple(f"{item.name} is left out: {item.reason}" for item in found.left_out),
        details={
            "passes": [
                {
                    "tile": item.tile,
                    "day": item.day.isoformat(),
                    "relative_orbit": item.relative_orbit,
                    "direction": item.direction,
                    "polarisations": list(item.polarisations),
                    "products": list(item.names),
                }
                for item in found.passes
            ]
        },
    )
