"""What an interferogram would be made of and take, told before a pixel is read."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.chains.dinsar_pair.footprint import map_grid, pair_box
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.ortho import MAP_BANDS
from kernels.chains.dinsar_pair.pieces import LARGEST_BAND
from kernels.chains.dinsar_pair.radar import RADAR_BANDS
from kernels.chains.dinsar_pair.report import describe_pair, describe_product
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.planning import (
    BASE_BYTES,
    SMALL_FILES,
    Plan,
    described_elevation,
    raster_bytes,
    threads_of,
)
from kernels.insar.burst_pair import BYTES_PER_PIXEL
from kernels.model import Dem, GeographicBox, MapGrid, OrbitSource, SlcProduct
from kernels.products.dem_coverage import DemCoverage, dem_coverage

_CPU_PER_PIXEL = {8: 0.12e-6, 12: 0.16e-6}
"""By taps of the kernel, of a pixel of the reference [s]; see docs/interferometry.md."""
_CPU_PER_MAP_PIXEL = 0.14e-6
"""Of a pixel of the map, compression included [s]."""
_CPU_OF_RUN = 5.0
"""Metadata, elevation, pictures and report [s]."""
_SUM_BYTES = 16
"""Of a look cell."""
_DEM_POST_BYTES = 6
_NODE_BYTES_PER_PIXEL = 0.2
"""Of the tabulated geometry: four cubics of height every 32 pixels."""
_LEVEL_STEP = 0.05
"""Posts of the level ground that stands for the elevation model [degrees]."""


def plan_run(request: DinsarPairRequest) -> Plan:
    """Plan an interferogram from annotations, orbits and the places of elevation files.

    The map is that of level ground at the mean height of the annotation's tie points, so its size
    may be off by a few rows and columns.

    Parameters
    ----------
    request : DinsarPairRequest
        Checked request.

    Returns
    -------
    Plan
        With bursts and their partners, baselines, orbits, elevation and map.

    Raises
    ------
    FournaiseError
        Products that the run would refuse as well.
    """
    pairs = open_pair(request)
    heights = np.concatenate([pair.reference.geolocation.heights for pair in pairs])
    box = pair_box(pairs, float(heights.min()), float(heights.max()))
    coverage = dem_coverage(request.dem, box)
    grid = map_grid(request, pairs, _level(box, float(heights.mean())))
    elevation, outcome = described_elevation(coverage, request.dem_missing)
    first, second = pairs[0].reference, pairs[0].secondary
    orbits = [image for image in (first, second) if _is_annotated(image)]
    threads = threads_of(request.threads)
    cells = [pair.layout.grid.looked(pair.looks).shape for pair in pairs]
    radar = sum(raster_bytes(shape, bands=len(RADAR_BANDS)) for shape in cells)
    on_map = raster_bytes(grid.shape, bands=len(MAP_BANDS), overviews=True)
    sums = float(sum(shape.lines * shape.samples * _SUM_BYTES for shape in cells))
    return Plan(
        memory_bytes=_memory(request, pairs, coverage, grid, threads),
        # the map once more, without compression; the rasters beside the zip that takes them up
        scratch_bytes=sums + radar + on_map,
        results_bytes=radar + on_map + SMALL_FILES,
        cpu_seconds=_CPU_OF_RUN
        + _CPU_PER_PIXEL[request.kernel] * sum(_pixels(pair) for pair in pairs)
        + _CPU_PER_MAP_PIXEL * grid.shape.lines * grid.shape.samples,
        threads=threads,
        warnings=(
            *outcome,
            *(f"{image.name} has no orbit file, its annotation is used" for image in orbits),
            *(line for pair in pairs for line in _unmatched(pair)),
        ),
        details={
            "reference": describe_product(first),
            "secondary": describe_product(second),
            "polarisation": first.polarisation,
            "temporal_baseline_days": round(
                (second.start - first.start).total_seconds() / 86400, 3
            ),
            "swaths": [describe_pair(pair) for pair in pairs],
            "megapixels": round(sum(_pixels(pair) for pair in pairs) / 1e6, 1),
            "elevation": elevation,
            "map": _describe_map(grid),
        },
    )


def _is_annotated(image: SlcProduct) -> bool:
    return image.state_vectors.source is OrbitSource.ANNOTATION


def _pixels(pair: SwathPair) -> int:
    """Pixels of the reference that are read."""
    lines = sum(p.stop - p.start for p in pair.layout.placements if p.partner is not None)
    return lines * pair.layout.grid.shape.samples


def _unmatched(pair: SwathPair) -> list[str]:
    lonely = [str(p.burst.index + 1) for p in pair.layout.placements if p.partner is None]
    if not lonely:
        return []
    return [
        f"{pair.reference.swath} burst {', '.join(lonely)} of the reference has no partner in the "
        "secondary and gives no data"
    ]


def _level(box: GeographicBox, height: float) -> Dem:
    """Level ground under a box."""
    rows = int((box.north - box.south) / _LEVEL_STEP) + 3
    columns = int((box.east - box.west) / _LEVEL_STEP) + 3
    return Dem(
        heights=np.full((rows, columns), height, np.float32),
        west=box.west - 0.5 * _LEVEL_STEP,
        north=box.north + 0.5 * _LEVEL_STEP,
        longitude_step=_LEVEL_STEP,
        latitude_step=-_LEVEL_STEP,
    )


def _memory(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    coverage: DemCoverage,
    grid: MapGrid,
    threads: int,
) -> float:
    samples = max(pair.layout.grid.shape.samples for pair in pairs)
    band = LARGEST_BAND * samples * BYTES_PER_PIXEL
    geometry = grid.shape.lines * grid.shape.samples * len(pairs) + max(map(_pixels, pairs))
    return (
        BASE_BYTES
        + coverage.posts.lines * coverage.posts.samples * _DEM_POST_BYTES
        + min(request.memory_mb * 1e6, (threads + 1.0) * band)
        + geometry * _NODE_BYTES_PER_PIXEL
    )


def _describe_map(grid: MapGrid) -> dict[str, Any]:
    return {
        "crs": grid.crs,
        "spacing": grid.x_spacing,
        "rows": grid.shape.lines,
        "columns": grid.shape.samples,
    }
