"""What an interferogram would be made of and take, told before a pixel is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.displacement import DISPLACEMENT_BANDS
from kernels.chains.dinsar_pair.footprint import MAP_MARGIN, box_around, grid_over, pair_box
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.ortho import MAP_BANDS
from kernels.chains.dinsar_pair.pieces import LARGEST_BAND
from kernels.chains.dinsar_pair.radar import RADAR_BANDS
from kernels.chains.dinsar_pair.report import describe_pair, describe_product
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.dinsar_pair.unwrapped import unwrapping_factors
from kernels.chains.planning import (
    BASE_BYTES,
    SMALL_FILES,
    Plan,
    described_elevation,
    raster_bytes,
    threads_of,
)
from kernels.errors import ProductError
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.insar.burst_pair import BYTES_PER_PIXEL
from kernels.model import GeographicBox, MapGrid, OrbitSource
from kernels.products.dem_coverage import DemCoverage, dem_coverage

_CPU_PER_PIXEL = {8: 0.12e-6, 12: 0.16e-6}
"""By taps of the kernel, of a pixel of the reference [s]; see docs/performance.md."""
_CPU_PER_MAP_PIXEL = 0.14e-6
"""Of a pixel of the map, compression included [s]."""
_CPU_PER_UNWRAPPED = 8e-6
"""Of a cell that is unwrapped [s]; see `python -m benchmarks unwrap`."""
_CPU_PER_OVERLAP = 0.5
"""Of two bursts, of a look by enhanced spectral diversity [s]."""
_CPU_PER_PATCH = 0.012
"""Of correlated amplitudes [s]."""
_CPU_PER_COMPARED = 0.035e-6
"""Of a pixel whose amplitude is compared with the terrain's [s]."""
_CPU_OF_RUN = 5.0
"""Metadata, elevation, pictures and report [s]."""
_SUM_BYTES = 16
"""Of a look cell."""
_DEM_POST_BYTES = 6
_NODE_BYTES_PER_PIXEL = 0.2
"""Of the tabulated geometry: four cubics of height every 32 pixels."""


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
    pairs, unreadable = _open(request)
    return plan_pairs(request, pairs, warnings=unreadable)


def plan_pairs(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...], *, warnings: tuple[str, ...] = ()
) -> Plan:
    """Plan an interferogram of opened images.

    Parameters
    ----------
    request : DinsarPairRequest
        Checked request.
    pairs : tuple of SwathPair
        Pixels are not needed.
    warnings : tuple of str
        What is wrong with them already.

    Returns
    -------
    Plan
        As of `plan_run`.

    Raises
    ------
    RequestError
        The map is not on the ground of the pair.
    """
    heights = np.concatenate([pair.reference.geolocation.heights for pair in pairs])
    box = pair_box(pairs, float(heights.min()), float(heights.max()))
    coverage = dem_coverage(request.dem, box)
    ground, share = _ground(pairs, float(heights.mean()))
    grid = grid_over(request, ground)
    if request.box is not None:  # which may lie where all is covered
        share = 1.0
    elevation, outcome = described_elevation(coverage, request.dem_missing)
    threads = threads_of(request.threads)
    cells = [pair.layout.grid.looked(pair.looks).shape for pair in pairs]
    # of each swath, and of all side by side
    copies = 2 if len(pairs) > 1 else 1
    radar = copies * sum(raster_bytes(shape, bands=len(RADAR_BANDS)) for shape in cells)
    maps: list[tuple[str, ...]] = [MAP_BANDS]
    if request.phase_filter != "none":
        maps.append(MAP_BANDS)
    if request.unwrapping != "none":
        maps.append(DISPLACEMENT_BANDS)
    on_map = sum(raster_bytes(grid.shape, bands=len(bands), overviews=True) for bands in maps)
    sums = float(sum(shape.lines * shape.samples * _SUM_BYTES for shape in cells))
    if request.phase_filter != "none":
        sums *= 2.0
    return Plan(
        memory_bytes=_memory(request, pairs, coverage, grid, threads),
        # the map without compression, where it is empty too; the rasters beside their zip
        scratch_bytes=sums + radar + on_map,
        results_bytes=radar + share * on_map + SMALL_FILES,
        cpu_seconds=_CPU_OF_RUN
        + _CPU_PER_PIXEL[request.kernel] * sum(map(pixels_of, pairs))
        + _CPU_PER_MAP_PIXEL * len(maps) * grid.shape.lines * grid.shape.samples
        + _cpu_of_options(request, pairs),
        threads=threads,
        warnings=(
            *warnings,
            *outcome,
            *_annotated(pairs[0]),
            *(line for pair in pairs for line in pair.warnings),
        ),
        details=_details(pairs) | {"elevation": elevation, "map": _describe_map(grid)},
    )


def _cpu_of_options(request: DinsarPairRequest, pairs: tuple[SwathPair, ...]) -> float:
    """CPU time of what a request asks for beside interferogram and map [s]."""
    seconds = 0.0
    bursts = [
        sum(placement.partner is not None for placement in pair.layout.placements) for pair in pairs
    ]
    if request.esd != "off":
        seconds += _CPU_PER_OVERLAP * sum(max(count - 1, 0) for count in bursts)
    if request.correlation != "off":
        seconds += _CPU_PER_PATCH * request.correlation_patches * sum(bursts)
    if request.fine_metadata != "off":
        seconds += _CPU_PER_COMPARED * sum(map(pixels_of, pairs))
    if request.unwrapping != "none":
        seconds += _CPU_PER_UNWRAPPED * _most_cells(pairs)
    return seconds


def _most_cells(pairs: tuple[SwathPair, ...]) -> float:
    """Count the cells that are unwrapped where all are coherent."""
    factors = unwrapping_factors(pairs[0])
    looks = [factor * own for factor, own in zip(factors, pairs[0].looks, strict=True)]
    return sum(pixels_of(pair) for pair in pairs) / (looks[0] * looks[1])


def _details(pairs: tuple[SwathPair, ...]) -> dict[str, Any]:
    """Describe what the products tell."""
    one = pairs[0]
    apart = one.secondary.start - one.reference.start
    return {
        "reference": describe_product(one.reference, one.reference_names),
        "secondary": describe_product(one.secondary, one.secondary_names),
        "polarisation": one.reference.polarisation,
        "temporal_baseline_days": round(apart.total_seconds() / 86400, 3),
        "swaths": [describe_pair(pair) for pair in pairs],
        "megapixels": round(sum(map(pixels_of, pairs)) / 1e6, 1),
    }


def _open(request: DinsarPairRequest) -> tuple[tuple[SwathPair, ...], tuple[str, ...]]:
    """Open a pair; what is wrong with its measurement files is a warning."""
    try:
        return open_pair(request), ()
    except ProductError as error:
        pairs = open_pair(request, need_pixels=False)
        return pairs, (f"the run would be refused: {error}",)


def _annotated(pair: SwathPair) -> list[str]:
    return [
        f"{image.name} has no orbit file, its annotation is used"
        for image in (pair.reference, pair.secondary)
        if image.state_vectors.source is OrbitSource.ANNOTATION
    ]


def pixels_of(pair: SwathPair) -> int:
    """Count the pixels of the reference that are read."""
    lines = sum(p.stop - p.start for p in pair.layout.placements if p.partner is not None)
    return lines * pair.layout.grid.shape.samples


def _ground(pairs: tuple[SwathPair, ...], height: float) -> tuple[GeographicBox, float]:
    """Box around some valid lines of each burst on level ground [m], and the share inside them."""
    places: list[NDArray[np.float64]] = []
    inside = 0.0
    for pair in pairs:
        first = len(places)
        grid, orbit = pair.layout.grid, pair.reference_orbit
        for placement in pair.layout.placements:
            valid = np.flatnonzero(placement.burst.first_valid_sample >= 0)
            valid = valid[np.isin(valid + placement.origin, range(placement.start, placement.stop))]
            some = valid[[0, valid.size // 2, -1]] if valid.size else valid
            lines = np.repeat(some + placement.origin, 2).astype(np.float64)
            edges = (placement.burst.first_valid_sample, placement.burst.last_valid_sample)
            samples = np.stack([edge[some] for edge in edges], axis=1).ravel()
            ranges = grid.slant_range(samples.astype(np.float64))
            times = grid.zero_doppler_time(lines, ranges)
            heights = np.full(lines.shape, height)
            points = radar_to_ground(orbit, times, ranges, heights, side=grid.look_side)
            places.append(np.stack(ecef_to_geodetic(points)[:2]))
        sides = np.degrees(np.concatenate(places[first:], axis=1)).reshape(2, -1, 2)
        x, y = np.concatenate([sides[:, :, 0], sides[:, ::-1, 1]], axis=1)
        x = x[0] + (x - x[0] + 180.0) % 360.0 - 180.0
        inside += 0.5 * abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1)))
    longitudes, latitudes = np.concatenate(places, axis=1)
    box = box_around(longitudes, latitudes, margin=MAP_MARGIN)
    return box, min(inside / ((box.east - box.west) * (box.north - box.south)), 1.0)


def _memory(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    coverage: DemCoverage,
    grid: MapGrid,
    threads: int,
) -> float:
    samples = max(pair.layout.grid.shape.samples for pair in pairs)
    band = LARGEST_BAND * samples * BYTES_PER_PIXEL
    geometry = grid.shape.lines * grid.shape.samples * len(pairs) + max(map(pixels_of, pairs))
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
