"""Interferogram of a reference and a coregistered image; as DiapOTB's SARRobustInterferogram."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.dinsar_pair.radar import RADAR_BANDS, RADAR_UNITS
from kernels.chains.dinsar_pair.report import SIGN
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.options import option_of
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.sar_coregistration import BASEBAND
from kernels.chains.steps.grids import DeformationGrid
from kernels.chains.steps.images import gain_option, looks_option, open_image
from kernels.chains.steps.results import finish
from kernels.engine.bands import Band, default_threads, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import PairError, ProductError
from kernels.insar.burst_pair import BurstPair
from kernels.insar.burst_steps import combine_lines
from kernels.insar.look_sums import LookSums
from kernels.insar.mosaic import Placement, SwathLayout, lay_out
from kernels.model import Looks, SlcProduct
from kernels.products.pixels import GdalPixelReader
from kernels.products.raster import RasterReader, create_raster

VERSION = "1.0"
FILES = {"interferogram": "interferogram.tif", "report": "interferogram.json"}

_LARGEST_BAND = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class InterferogramRequest(Request):
    """A reference product, the coregistered secondary, and the deformation grid of the pair."""

    reference: tuple[Path, ...] = option_of(DinsarPairRequest, "reference")
    coregistered: Path = option(
        title="Coregistered secondary image (coregistered.tif of sar-coregistration)",
        role="raster",
    )
    grid: Path = option(
        title="Deformation grid of the pair (grid.zip of sar-deformation-grid)",
        role="raster",
    )
    flattening: str = option_of(
        DinsarPairRequest,
        "flattening",
        abstract="Nothing (a raw interferogram), the ellipsoid's phase, or that of the terrain.",
    )
    azimuth_looks: int = looks_option("azimuth")
    range_looks: int = looks_option("range")
    gain: float = gain_option()
    threads: int | None = option_of(DinsarPairRequest, "threads")
    memory_mb: int = option_of(DinsarPairRequest, "memory_mb")


OUTPUTS = (
    OutputInfo(
        name="interferogram",
        title="Interferogram in radar geometry",
        abstract="Bands amplitude, phase (rad), coherency and isData; bursts merged.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Looks, what was removed from the phase, coherence, versions.",
        media_type=MediaType.JSON,
    ),
)


class _Task(NamedTuple):
    placement: Placement
    pair: BurstPair | None
    lines: Band
    row: int


def run(request: InterferogramRequest, folder: Path, progress: Progress) -> ChainResult:
    """Combine a reference with a coregistered secondary, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    grid = DeformationGrid.read(request.grid)
    opened = open_image(
        "reference", request.reference, swath=grid.swath, polarisation=grid.polarisation
    )
    grid.check_image(opened.image, opened.names, role="reference")
    tags = RasterReader(request.coregistered).tags
    grid.check_tags(tags, request.coregistered.name)
    with scratch_folder(folder) as scratch:
        coherence = _write(
            request,
            grid,
            opened.image,
            scratch / FILES["interferogram"],
            is_baseband=tags.get("RAMP") == BASEBAND,
            progress=progress,
        )
        report = {
            "request": named_values(request),
            "grid": grid.identifier,
            "swath": grid.swath,
            "sign": SIGN,
            "coherence": {"mean": coherence},
            "versions": versions(),
        }
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _write(
    request: InterferogramRequest,
    grid: DeformationGrid,
    reference: SlcProduct,
    path: Path,
    *,
    is_baseband: bool,
    progress: Progress,
) -> float | None:
    """Write the raster; returns the mean coherence."""
    looks = Looks(request.azimuth_looks, request.range_looks)
    threads = request.threads or default_threads()
    rows, samples = grid.first_rows, grid.bursts[-1].grid.shape.samples
    resampled = GdalPixelReader(str(request.coregistered), shape=grid.shape)
    pixels = reference.pixels
    if pixels is None:
        raise ProductError(f"{reference.name} was opened without its pixels")
    layout = lay_out(
        grid.bursts,
        {index: pair.secondary for index, pair in grid.pairs.items()},
        azimuth_looks=looks.azimuth,
    )
    shape = layout.grid.looked(looks).shape
    total = [0.0, 0]

    def read(task: _Task) -> tuple[NDArray[np.complex64], NDArray[np.complex64]] | None:
        if task.pair is None:
            return None
        burst, lines = task.placement.burst, task.lines
        return (
            pixels.read(burst.first_line + lines.first, lines.rows, 0, samples),
            resampled.read(rows[burst.index] + lines.first, lines.rows),
        )

    def compute(
        task: _Task, block: tuple[NDArray[np.complex64], NDArray[np.complex64]] | None
    ) -> NDArray[np.float32]:
        sums = LookSums.zeros(task.lines.rows // looks.azimuth, shape.samples)
        if task.pair is not None and block is not None:
            sums = combine_lines(task.pair, task.lines, *block, looks)
        bands = _finite(sums).bands(looks)
        bands[0] *= np.float32(request.gain)
        return bands

    def write(task: _Task, bands: NDArray[np.float32]) -> None:
        writer.write(task.row, bands)
        known = bands[3] == 1.0
        total[0] += float(bands[2][known].sum(dtype=np.float64))
        total[1] += int(known.sum())

    with create_raster(
        path,
        shape,
        RADAR_BANDS,
        grid=layout.grid.looked(looks),
        units=RADAR_UNITS,
        tags=_tags(grid, request.flattening),
        threads=threads,
    ) as writer:
        run_bands(
            _tasks(request, grid, layout, is_baseband=is_baseband, threads=threads),
            read=read,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step="interferogram",
        )
    return round(total[0] / total[1], 5) if total[1] else None


def _finite(sums: LookSums) -> LookSums:
    """Take away the cells with values that are not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(sums.reference_power * sums.secondary_power)
    return replace(sums, counts=np.where(finite, sums.counts, 0).astype(np.int32))


def _tags(grid: DeformationGrid, flattening: str) -> dict[str, str]:
    return {
        "GRID": grid.identifier,
        "REFERENCE": " ".join(grid.reference_names),
        "SECONDARY": " ".join(grid.secondary_names),
        "POLARISATION": grid.polarisation,
        "FLATTENING": flattening,
        "WAVELENGTH": repr(grid.bursts[0].grid.wavelength),
        "SIGN": SIGN,
    }


def _tasks(
    request: InterferogramRequest,
    grid: DeformationGrid,
    layout: SwathLayout,
    *,
    is_baseband: bool,
    threads: int,
) -> list[_Task]:
    tasks = []
    for placement in layout.placements:
        pair = None
        if placement.partner is not None:
            pair = grid.pair(placement.burst, request.flattening)  # type: ignore[arg-type]
        if pair is None and placement.partner is not None:
            raise PairError(f"grid lacks burst {placement.burst.index + 1}")
        if pair is not None and not is_baseband:
            # the image carries the ramp itself
            level = np.zeros_like(pair.ramp.coefficients)
            pair = replace(pair, ramp=replace(pair.ramp, coefficients=level))
        rows = _LARGEST_BAND
        if pair is not None:
            budget = request.memory_mb * 1e6 / (threads + 1)
            rows = min(rows, rows_for_budget(budget, bytes_per_row=pair.bytes_per_line))
        for band in split_rows(
            placement.stop - placement.start,
            band_rows=rows,
            multiple=request.azimuth_looks,
            first=placement.start,
        ):
            lines = Band(band.first - placement.origin, band.rows)
            tasks.append(_Task(placement, pair, lines, band.first // request.azimuth_looks))
    return tasks


CHAIN = Chain(
    name="sar-interferogram",
    title="Interferogram of a reference image and a coregistered secondary",
    abstract=(
        "Reference times conjugate secondary, raw or freed from the phase of the ellipsoid or the "
        "terrain, single look or multilooked: amplitude, phase, coherency and isData in radar "
        "geometry, bursts merged at the middle of their overlaps."
    ),
    version=VERSION,
    request=InterferogramRequest,
    outputs=OUTPUTS,
    run=run,
)
