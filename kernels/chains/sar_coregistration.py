"""The secondary image resampled onto the reference by a grid; as DiapOTB's SARCoRegistration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.options import option_of
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.grids import DeformationGrid, raster_tags
from kernels.chains.steps.images import open_image
from kernels.chains.steps.results import finish
from kernels.engine.bands import Band, default_threads, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import ProductError
from kernels.insar.burst_pair import BurstPair
from kernels.insar.burst_steps import ramp_cycles
from kernels.model import Burst, SlcProduct
from kernels.products.raster import create_raster

VERSION = "1.0"
FILES = {"coregistered": "coregistered.tif", "report": "coregistration.json"}
BASEBAND, RESTORED = "removed", "restored"

_LARGEST_BAND = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CoregistrationRequest(Request):
    """A secondary product and the deformation grid of its pair."""

    secondary: tuple[Path, ...] = option_of(DinsarPairRequest, "secondary")
    grid: Path = option(
        title="Deformation grid of the pair (grid.zip of sar-deformation-grid)",
        abstract="It also says which swath, bursts and interpolation kernel are used.",
        role="raster",
    )
    ramp: str = option(
        default=BASEBAND,
        choices=(BASEBAND, RESTORED),
        title="Azimuth phase ramp of the result (removed or restored)",
        abstract=(
            "Removed: in baseband, as sar-interferogram takes it without any loss. Restored: with "
            "the secondary's ramp at its own fractional coordinates, as an image of its own."
        ),
    )
    threads: int | None = option_of(DinsarPairRequest, "threads")
    memory_mb: int = option_of(DinsarPairRequest, "memory_mb")


OUTPUTS = (
    OutputInfo(
        name="coregistered",
        title="Secondary image on the reference's grid",
        abstract=(
            "One complex band; whole bursts of the reference one after the other, 0 where there is "
            "no signal."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Swath, bursts and their rows in the raster, versions.",
        media_type=MediaType.JSON,
    ),
)


class _Task(NamedTuple):
    burst: Burst
    pair: BurstPair | None
    lines: Band
    row: int


def run(request: CoregistrationRequest, folder: Path, progress: Progress) -> ChainResult:
    """Resample the secondary of a pair, as `Chain.run` says."""
    threads = request.threads or default_threads()
    progress.update(0.0, "metadata")
    grid = DeformationGrid.read(request.grid)
    opened = open_image(
        "secondary", request.secondary, swath=grid.swath, polarisation=grid.polarisation
    )
    grid.check_image(opened.image, opened.names, role="secondary")
    rows = grid.first_rows
    report = {
        "request": named_values(request),
        "grid": grid.identifier,
        "swath": grid.swath,
        "bursts": [{"reference": i + 1, "first_row": row} for i, row in rows.items()],
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        _write(
            request,
            grid,
            opened.image,
            scratch / FILES["coregistered"],
            threads=threads,
            progress=progress,
        )
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _write(
    request: CoregistrationRequest,
    grid: DeformationGrid,
    secondary: SlcProduct,
    path: Path,
    *,
    threads: int,
    progress: Progress,
) -> None:
    pixels = secondary.pixels
    if pixels is None:
        raise ProductError(f"{secondary.name} was opened without its pixels")

    def read(task: _Task) -> NDArray[np.complex64] | None:
        if task.pair is None:
            return None
        needed = task.pair.secondary_lines(task.lines)
        return pixels.read(task.pair.secondary.first_line + needed.first, needed.rows)

    def compute(task: _Task, block: NDArray[np.complex64] | None) -> NDArray[np.complex64]:
        if task.pair is None or block is None:
            return np.zeros((task.lines.rows, task.burst.grid.shape.samples), np.complex64)
        found, _ = task.pair.resample(task.lines, block)
        return found if request.ramp == BASEBAND else restored(task.pair, task.lines, found)

    with create_raster(
        path,
        grid.shape,
        ("coregistered",),
        grid=grid.bursts[0].grid if len(grid.bursts) == 1 else None,
        compression="NONE",
        tags=raster_tags(grid, request.ramp),
        dtype="complex64",
    ) as writer:
        run_bands(
            _tasks(grid, request.memory_mb * 1e6 / (threads + 1)),
            read=read,
            compute=compute,
            write=lambda task, found: writer.write(task.row, found[None]),
            threads=threads,
            progress=progress,
            step=lambda task: f"{grid.swath} burst {task.burst.index + 1}",
        )


def restored(
    pair: BurstPair, lines: Band, resampled: NDArray[np.complex64]
) -> NDArray[np.complex64]:
    """Put the secondary's ramp back onto lines in baseband; 0 where the geometry is unknown."""
    cycles = ramp_cycles(pair, lines)
    turned = np.nan_to_num(resampled * np.exp(-2j * np.pi * cycles))
    found: NDArray[np.complex64] = turned.astype(np.complex64)
    return found


def _tasks(grid: DeformationGrid, budget_bytes: float) -> list[_Task]:
    tasks = []
    for burst in grid.bursts:
        pair = grid.pair(burst)
        rows = _LARGEST_BAND
        if pair is not None:
            rows = min(rows, rows_for_budget(budget_bytes, bytes_per_row=pair.bytes_per_line))
        for lines in split_rows(burst.grid.shape.lines, band_rows=rows):
            first = grid.first_rows[burst.index] + lines.first
            tasks.append(_Task(burst, pair, lines, first))
    return tasks


CHAIN = Chain(
    name="sar-coregistration",
    title="Secondary image resampled onto the reference by a deformation grid",
    abstract=(
        "Removes the azimuth ramp of each burst, interpolates along range and azimuth at the "
        "places that the grid tells, and writes the secondary on the lines and samples of the "
        "reference's bursts."
    ),
    version=VERSION,
    request=CoregistrationRequest,
    outputs=OUTPUTS,
    run=run,
)
