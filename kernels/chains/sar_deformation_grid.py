"""The tabulated geometry of a pair, for its next steps; as DiapOTB's SARFineDeformationGrid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.dinsar_pair.corrections import correct_pairs, describe_corrections
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.matching import match_amplitudes
from kernels.chains.dinsar_pair.passes import open_pass
from kernels.chains.dinsar_pair.pieces import cut_pieces
from kernels.chains.dinsar_pair.radar import prepare_pairs
from kernels.chains.dinsar_pair.refinement import refine
from kernels.chains.dinsar_pair.report import describe_pair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.options import option_of, orbits_option
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.grids import DeformationGrid
from kernels.chains.steps.images import swath_option
from kernels.chains.steps.results import finish
from kernels.engine.bands import Band, default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.insar.burst_pair import BurstPair
from kernels.insar.mosaic import Placement
from kernels.model import Shape
from kernels.products.raster import create_raster

VERSION = "1.0"
FILES = {"grid": "grid.zip", "offsets": "offsets.tif", "report": "grid.json"}
BANDS = ("line_offset", "sample_offset", "range_difference", "height")
UNITS = ("1", "1", "m", "m")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeformationGridRequest(Request):
    """Two SLC products and a DEM."""

    reference: tuple[Path, ...] = option_of(DinsarPairRequest, "reference")
    secondary: tuple[Path, ...] = option_of(DinsarPairRequest, "secondary")
    dem: tuple[Path, ...] = option_of(DinsarPairRequest, "dem")
    dem_heights: str = option_of(DinsarPairRequest, "dem_heights")
    dem_missing: str = option_of(DinsarPairRequest, "dem_missing")
    orbits: Path | None = orbits_option()
    polarisation: str = option_of(DinsarPairRequest, "polarisation")
    swath: str | None = swath_option()
    first_burst: int | None = option_of(DinsarPairRequest, "first_burst")
    last_burst: int | None = option_of(DinsarPairRequest, "last_burst")
    grid_step: int = option(
        default=160,
        minimum=1,
        maximum=4096,
        title="Pixels between the readable offsets, 1 to 4096",
        abstract="The grid itself is tabulated every 32 pixels and four heights, whatever this is.",
    )
    kernel: int = option_of(DinsarPairRequest, "kernel")
    corrections: tuple[str, ...] = option_of(DinsarPairRequest, "corrections")
    tides: str = option_of(DinsarPairRequest, "tides")
    correlation: str = option_of(DinsarPairRequest, "correlation")
    esd: str = option_of(DinsarPairRequest, "esd", default="off")
    esd_threshold: float = option_of(DinsarPairRequest, "esd_threshold")
    threads: int | None = option_of(DinsarPairRequest, "threads")
    memory_mb: int = option_of(DinsarPairRequest, "memory_mb")

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        self.as_pair("IW1")

    def as_pair(self, swath: str) -> DinsarPairRequest:
        """Return the request of the whole chain with the same options, for one swath."""
        common = {info.name for info in DinsarPairRequest.describe()}
        values = {
            info.name: getattr(self, info.name) for info in self.describe() if info.name in common
        }
        return DinsarPairRequest(**(values | {"swaths": (swath,)}))


OUTPUTS = (
    OutputInfo(
        name="grid",
        title="Deformation grid",
        abstract=(
            "Zip of the tabulated geometry, every digit kept, with the terrain that it meets; for "
            "sar-coregistration, sar-interferogram and sar-deramp."
        ),
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="offsets",
        title="Readable offsets",
        abstract=(
            "Bands line_offset and sample_offset (secondary minus reference, pixels), "
            "range_difference and height (m) every few pixels; bursts one after the other."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Bursts, baselines, height of ambiguity, azimuth shift, warnings, versions.",
        media_type=MediaType.JSON,
    ),
)


def run(request: DeformationGridRequest, folder: Path, progress: Progress) -> ChainResult:
    """Tabulate the geometry of a pair, as `Chain.run` says."""
    threads = request.threads or default_threads()
    progress.update(0.0, "metadata")
    whole = request.as_pair(request.swath or _first_swath(request))
    pairs = correct_pairs(whole, open_pair(whole))
    progress.update(0.1, "elevation model")
    dem = load_pair_dem(whole, pairs)
    pairs, amplitudes = match_amplitudes(
        whole, pairs, dem, threads=threads, progress=progress.part(0.2, 0.35)
    )
    (pair,), refinement = refine(
        whole, pairs, dem, threads=threads, progress=progress.part(0.35, 0.5)
    )
    progress.update(0.5, "grid")
    tabulated = prepare_pairs(
        replace(pair, adjustments={}),
        dem,
        cut_pieces(pair),
        taps=request.kernel,
        flattening="topography",
        threads=threads,
        progress=progress,
    )
    grid = _grid(pair, tabulated)
    report = {
        "request": named_values(request),
        "identifier": grid.identifier,
        **describe_pair(pair),
        "corrections": describe_corrections(whole, (pair,)),
        "refinement": _findings(refinement) | {"amplitudes": _findings(amplitudes)},
        "warnings": [*amplitudes["warnings"], *refinement["warnings"], *pair.warnings],
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        grid.write(scratch / FILES["grid"])
        _write_offsets(grid, scratch / FILES["offsets"], request, progress.part(0.7, 1.0))
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _findings(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "warnings"}


def _first_swath(request: DeformationGridRequest) -> str:
    return open_pass("reference", request.reference, orbits=None).swaths(request.polarisation)[0]


def _grid(pair: SwathPair, tabulated: dict[int, BurstPair]) -> DeformationGrid:
    placements: tuple[Placement, ...] = pair.layout.placements
    return DeformationGrid.of(
        reference_names=pair.reference_names,
        secondary_names=pair.secondary_names,
        image=pair.reference,
        bursts=tuple(p.burst for p in placements if p.burst.index >= 0),
        pairs={p.burst.index: tabulated[p.start] for p in placements if p.start in tabulated},
        adjustments=pair.adjustments,
    )


def _write_offsets(
    grid: DeformationGrid, path: Path, request: DeformationGridRequest, progress: Progress
) -> None:
    """Write what the grid says of every few lines and samples of each burst."""
    step = request.grid_step
    counts = [-(-burst.grid.shape.lines // step) for burst in grid.bursts]
    samples = grid.bursts[0].grid.shape.samples
    tags = {
        "GRID": grid.identifier,
        "SWATH": grid.swath,
        "STEP": str(step),
        "BURSTS": " ".join(str(burst.index + 1) for burst in grid.bursts),
        "ROWS": " ".join(map(str, counts)),
    }
    shape = Shape(sum(counts), -(-samples // step))
    with create_raster(path, shape, BANDS, tags=tags, units=UNITS) as writer:
        for row, found in enumerate(_offset_rows(grid, step)):
            writer.write(row, found[:, None])
            progress.update((row + 1) / shape.lines, "readable offsets")


def _offset_rows(grid: DeformationGrid, step: int) -> Iterator[NDArray[np.float32]]:
    for burst in grid.bursts:
        pair = grid.pair(burst)
        for line in range(0, burst.grid.shape.lines, step):
            if pair is None:
                yield np.full((4, -(-burst.grid.shape.samples // step)), np.nan, np.float32)
                continue
            found = pair.coregistration.offsets(Band(line, 1))
            planes = [found.lines, found.samples, found.range_differences, found.heights]
            rows = np.stack(planes)[:, 0, ::step]
            rows[:, np.isnan(rows[3])] = np.nan
            yield rows.astype(np.float32)


CHAIN = Chain(
    name="sar-deformation-grid",
    title="Deformation grid of a pair: where each pixel lies in the secondary image",
    abstract=(
        "Tabulates, from orbits and elevation, line and sample of the secondary and the difference "
        "of the slant ranges for the pixels of one swath of the reference; with the azimuth shift "
        "of its bursts on request. The first step of sar-coregistration and sar-interferogram."
    ),
    version=VERSION,
    request=DeformationGridRequest,
    outputs=OUTPUTS,
    run=run,
)
