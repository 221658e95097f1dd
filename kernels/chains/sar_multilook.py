"""Multilooked amplitude of an image; as DiapOTB's SARMultiLook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.options import memory_option, threads_option
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request
from kernels.chains.steps.amplitudes import Amplitudes, open_amplitudes
from kernels.chains.steps.images import (
    gain_option,
    image_option,
    looks_option,
    polarisation_option,
    swath_option,
)
from kernels.chains.steps.results import finish
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.model import Looks
from kernels.products.raster import create_raster

VERSION = "1.0"
FILES = {"amplitude": "amplitude.tif", "report": "multilook.json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MultilookRequest(Request):
    """An image and the looks of its cells."""

    image: tuple[Path, ...] = image_option(
        title="Product or its slices (SLC, folder or zip), or one raster of complex pixels",
        abstract="A raster is what sar-coregistration or sar-deramp writes, or any of one band.",
    )
    polarisation: str = polarisation_option()
    swath: str | None = swath_option()
    azimuth_looks: int = looks_option("azimuth")
    range_looks: int = looks_option("range")
    gain: float = gain_option()
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)


OUTPUTS = (
    OutputInfo(
        name="amplitude",
        title="Multilooked amplitude",
        abstract=(
            "Root of the mean intensity of each cell times the gain, in radar geometry; bursts of "
            "a product merged, NaN where there is no signal."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="What was read, looks, versions.",
        media_type=MediaType.JSON,
    ),
)


def run(request: MultilookRequest, folder: Path, progress: Progress) -> ChainResult:
    """Multilook an image, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    looks = Looks(request.azimuth_looks, request.range_looks)
    source = open_amplitudes(
        request.image, swath=request.swath, polarisation=request.polarisation, looks=looks
    )
    report = {
        "request": named_values(request),
        "image": source.name,
        "lines": source.shape.lines,
        "samples": source.shape.samples,
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        _write(request, source, scratch / FILES["amplitude"], progress)
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _write(request: MultilookRequest, source: Amplitudes, path: Path, progress: Progress) -> None:
    threads = request.threads or default_threads()
    with create_raster(
        path,
        source.shape,
        ("amplitude",),
        grid=source.grid,
        units=("DN",),
        tags=source.tags,
        threads=threads,
    ) as writer:
        source.go_through(
            lambda row, cells: writer.write(row, request.gain * cells[None]),
            threads=threads,
            memory_mb=request.memory_mb,
            progress=progress,
        )


CHAIN = Chain(
    name="sar-multilook",
    title="Multilooked amplitude of a single-look complex image",
    abstract=(
        "Means of the intensity over cells of some looks in azimuth and range, as amplitudes, of "
        "one swath of a product or of a raster that another step wrote."
    ),
    version=VERSION,
    request=MultilookRequest,
    outputs=OUTPUTS,
    run=run,
)
