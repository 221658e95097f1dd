"""The azimuth phase ramp of bursts taken out or put back; as DiapOTB's SARDeramp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.options import memory_option, orbits_option, threads_option
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.grids import DeformationGrid, raster_tags
from kernels.chains.steps.images import (
    chosen_bursts,
    image_option,
    open_image,
    polarisation_option,
    swath_option,
)
from kernels.chains.steps.results import finish
from kernels.engine.bands import Band, default_threads, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import InputError, ProductError, RequestError
from kernels.insar.burst_pair import BurstPair
from kernels.insar.burst_steps import ramp_cycles
from kernels.insar.deramp import AzimuthRamp
from kernels.model import Burst, RadarGrid, Shape
from kernels.products.pixels import GdalPixelReader
from kernels.products.raster import RasterReader, create_raster

VERSION = "1.0"
FILES = {"image": "deramped.tif", "report": "deramp.json"}

_LARGEST_BAND = 256
_BYTES_PER_PIXEL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DerampRequest(Request):
    """Bursts of an image, and what to do with their ramps."""

    image: tuple[Path, ...] = image_option(
        default=(),
        title="Product or its slices (SLC, folder or zip); none with a grid",
        abstract="Its annotation tells the ramp; its pixels are read unless a raster is given.",
    )
    raster: Path | None = option(
        default=None,
        title="Complex raster to take instead of the product's pixels (none = those)",
        abstract=(
            "What this step wrote of the same bursts; with a grid the coregistered image of "
            "sar-coregistration."
        ),
        role="raster",
    )
    grid: Path | None = option(
        default=None,
        title="Deformation grid through which the secondary's ramp is seen (none = no grid)",
        role="raster",
    )
    direction: str = option(
        default="deramp",
        choices=("deramp", "reramp"),
        title="Take the ramp out or put it back (deramp or reramp)",
    )
    orbits: Path | None = orbits_option()
    polarisation: str = polarisation_option()
    swath: str | None = swath_option()
    burst: int | None = option(
        default=None, minimum=1, title="Burst, counted from 1 (none = all, one after the other)"
    )
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        if self.grid is None and not self.image:
            raise RequestError("image", "given where there is no grid", "nothing")
        if self.grid is not None and (self.image or self.raster is None):
            rule = "nothing beside a raster and its grid"
            raise RequestError("image", rule, "an image" if self.image else "no raster")
        if self.grid is not None and self.burst is not None:
            raise RequestError("burst", "none with a grid, which has its own", self.burst)


OUTPUTS = (
    OutputInfo(
        name="image",
        title="Image without its ramp, or with it again",
        abstract="One complex band; whole bursts one after the other.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="What was done to which bursts, versions.",
        media_type=MediaType.JSON,
    ),
)


class _Task(NamedTuple):
    """Lines of a burst, where they are read, and the phase of the ramp [cycles] there."""

    burst: Burst
    lines: Band
    first_read: int
    row: int
    cycles: Callable[[Band], NDArray[np.float64]]


class _Work(NamedTuple):
    """What is read, in which bursts, and what the file says of itself."""

    name: str
    read: Callable[[int, int], NDArray[np.complex64]]
    tasks: list[_Task]
    grid: RadarGrid | None
    shape: Shape
    tags: dict[str, str]


def run(request: DerampRequest, folder: Path, progress: Progress) -> ChainResult:
    """Take ramps out, or put them back, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    work = _through_grid(request) if request.grid else _of_product(request)
    report = {
        "request": named_values(request),
        "image": work.name,
        "ramp": work.tags["RAMP"],
        "bursts": work.tags["BURSTS"],
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        _write(request, work, scratch / FILES["image"], progress)
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _write(request: DerampRequest, work: _Work, path: Path, progress: Progress) -> None:
    sign = 2j * np.pi if request.direction == "deramp" else -2j * np.pi

    def compute(task: _Task, block: NDArray[np.complex64]) -> NDArray[np.complex64]:
        turned = np.nan_to_num(block * np.exp(sign * task.cycles(task.lines)))
        found: NDArray[np.complex64] = turned.astype(np.complex64)
        return found

    with create_raster(
        path,
        work.shape,
        ("image",),
        grid=work.grid,
        compression="NONE",
        tags=work.tags,
        dtype="complex64",
    ) as writer:
        run_bands(
            work.tasks,
            read=lambda task: work.read(task.first_read, task.lines.rows),
            compute=compute,
            write=lambda task, found: writer.write(task.row, found[None]),
            threads=request.threads or default_threads(),
            progress=progress,
            step=lambda task: f"burst {task.burst.index + 1}",
        )


def _of_product(request: DerampRequest) -> _Work:
    opened = open_image(
        "image",
        request.image,
        swath=request.swath,
        polarisation=request.polarisation,
        orbits=request.orbits,
    )
    image = opened.image
    if image.bursts[0].steering_rate == 0.0:
        rule = "must have bursts of a steered antenna, as IW has"
        raise ProductError(f"{image.name} {rule}, got mode {image.mode}")
    bursts = chosen_bursts(image, request.burst)
    lines, samples = sum(b.grid.shape.lines for b in bursts), image.grid.shape.samples
    shape = Shape(lines, samples)
    tags = {
        "PRODUCT": " ".join(opened.names),
        "SWATH": image.swath,
        "POLARISATION": image.polarisation,
        "BURSTS": " ".join(str(burst.index + 1) for burst in bursts),
        "RAMP": "removed" if request.direction == "deramp" else "restored",
    }
    if image.pixels is None:
        raise ProductError(f"{image.name} was opened without its pixels")
    read: Callable[[int, int], NDArray[np.complex64]] = image.pixels.read
    if request.raster is not None:
        read = _reader(request.raster, shape, request.direction, tags)
    tasks, row = [], 0
    for burst in bursts:
        first = burst.first_line if request.raster is None else row
        ramp = _ramp_of(burst, AzimuthRamp.of(burst, opened.orbit))
        tasks += _tasks(request, burst, first, row, ramp)
        row += burst.grid.shape.lines
    grid = bursts[0].grid if len(bursts) == 1 else None
    return _Work(image.name, read, tasks, grid, shape, tags)


def _through_grid(request: DerampRequest) -> _Work:
    if request.grid is None or request.raster is None:
        raise ValueError("the request was checked")
    grid = DeformationGrid.read(request.grid)
    grid.check_tags(RasterReader(request.raster).tags, request.raster.name)
    tags = raster_tags(grid, "removed" if request.direction == "deramp" else "restored")
    tasks = []
    for burst in grid.bursts:
        row = grid.first_rows[burst.index]
        tasks += _tasks(request, burst, row, row, _ramp_seen(burst, grid.pair(burst)))
    return _Work(
        request.raster.name,
        _reader(request.raster, grid.shape, request.direction, tags),
        tasks,
        grid.bursts[0].grid if len(grid.bursts) == 1 else None,
        grid.shape,
        tags,
    )


def _reader(
    path: Path, shape: Shape, direction: str, tags: dict[str, str]
) -> Callable[[int, int], NDArray[np.complex64]]:
    """Open a raster of the same bursts, whose ramp is where it must be."""
    there = RasterReader(path).tags
    for name in ("SWATH", "POLARISATION", "BURSTS"):
        if there.get(name) != tags[name]:
            found = there.get(name, "nothing said of it")
            raise InputError(f"{path.name} must be of {name.lower()} {tags[name]}, got {found}")
    if there.get("RAMP") == tags["RAMP"]:
        raise InputError(f"{path.name} must not be {direction}ed twice")
    return GdalPixelReader(str(path), shape=shape).read


def _ramp_seen(burst: Burst, pair: BurstPair | None) -> Callable[[Band], NDArray[np.float64]]:
    def cycles(lines: Band) -> NDArray[np.float64]:
        if pair is None:
            return np.zeros((lines.rows, burst.grid.shape.samples))
        return ramp_cycles(pair, lines)

    return cycles


def _ramp_of(burst: Burst, ramp: AzimuthRamp) -> Callable[[Band], NDArray[np.float64]]:
    samples = np.arange(burst.grid.shape.samples, dtype=np.float64)

    def cycles(lines: Band) -> NDArray[np.float64]:
        rows = np.arange(lines.first, lines.first + lines.rows, dtype=np.float64)
        return ramp.cycles(*np.meshgrid(rows, samples, indexing="ij"))

    return cycles


def _tasks(
    request: DerampRequest,
    burst: Burst,
    first_read: int,
    row: int,
    cycles: Callable[[Band], NDArray[np.float64]],
) -> list[_Task]:
    threads = request.threads or default_threads()
    rows = rows_for_budget(
        request.memory_mb * 1e6 / (threads + 1),
        bytes_per_row=burst.grid.shape.samples * _BYTES_PER_PIXEL,
    )
    return [
        _Task(burst, lines, first_read + lines.first, row + lines.first, cycles)
        for lines in split_rows(burst.grid.shape.lines, band_rows=min(rows, _LARGEST_BAND))
    ]


CHAIN = Chain(
    name="sar-deramp",
    title="Azimuth phase ramp of TOPS bursts, taken out or put back",
    abstract=(
        "Turns the pixels of bursts by the ramp that the steering of the antenna leaves (ESA "
        "COPE-GSEG-EOPG-TN-14-0025), or by that of a secondary image through a deformation grid."
    ),
    version=VERSION,
    request=DerampRequest,
    outputs=OUTPUTS,
    run=run,
)
