"""Multilooked view of an image; as DiapOTB's QuickMlView."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.options import memory_option, threads_option
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.amplitudes import Amplitudes, open_amplitudes
from kernels.chains.steps.images import image_option, polarisation_option, swath_option
from kernels.chains.steps.results import finish
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import RequestError
from kernels.model import Looks
from kernels.products.quicklook import write_quicklook
from kernels.products.raster import create_raster

VERSION = "1.0"
FILES = {"picture": "quick_look.png", "raster": "quick_look.tif", "report": "quick_look.json"}

_LONG_SIDE = 1500
"""Of the picture, where no looks are given [pixels]."""
_LARGEST_PICTURE = 8192
_RULE = "one number from 1 to 500, or range x azimuth as 8x2"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickLookRequest(Request):
    """An image."""

    image: tuple[Path, ...] = image_option(
        title="Product or its slices (SLC, folder or zip), or one raster",
        abstract="Of a raster the first band is shown.",
    )
    ml: str | None = option(
        default=None,
        title="Looks: one number, or range x azimuth as 8x2 (none = about 1500 pixels)",
    )
    polarisation: str = polarisation_option()
    swath: str | None = swath_option()
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)

    def __post_init__(self) -> None:
        """Check fields and looks."""
        Request.__post_init__(self)
        _read_looks(self.ml)


OUTPUTS = (
    OutputInfo(
        name="picture",
        title="Picture",
        abstract="Grey, intensity in decibels between its 2nd and 98th percentile.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="raster",
        title="Multilooked amplitude",
        abstract="Cloud Optimized GeoTIFF of the same cells.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Looks, size, versions.",
        media_type=MediaType.JSON,
    ),
)


def run(request: QuickLookRequest, folder: Path, progress: Progress) -> ChainResult:
    """Show an image, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    looks = _read_looks(request.ml)
    source = _open(request, looks or Looks(1, 1))
    if looks is None:
        size = -(-max(source.shape) // _LONG_SIDE)
        looks = Looks(size, size)
        source = _open(request, looks)
    if max(source.shape) > _LARGEST_PICTURE:
        rule = f"such that no side of the picture passes {_LARGEST_PICTURE} pixels"
        raise RequestError("ml", rule, request.ml)
    report = {
        "request": named_values(request),
        "image": source.name,
        "looks": {"azimuth": looks.azimuth, "range": looks.range},
        "lines": source.shape.lines,
        "samples": source.shape.samples,
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        amplitude = _gather(request, source, scratch / FILES["raster"], progress)
        write_quicklook(scratch / FILES["picture"], np.nan_to_num(amplitude) ** 2)
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _read_looks(text: str | None) -> Looks | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,3})(?:\s*[x,]\s*([0-9]{1,3}))?", text.strip())
    across, along = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not (1 <= across <= 500 and 1 <= along <= 500):
        raise RequestError("ml", _RULE, text)
    return Looks(azimuth=along, range=across)


def _open(request: QuickLookRequest, looks: Looks) -> Amplitudes:
    return open_amplitudes(
        request.image, swath=request.swath, polarisation=request.polarisation, looks=looks
    )


def _gather(
    request: QuickLookRequest, source: Amplitudes, path: Path, progress: Progress
) -> NDArray[np.float32]:
    """Write the raster and keep it for the picture."""
    threads = request.threads or default_threads()
    kept = np.empty(source.shape, np.float32)
    with create_raster(
        path,
        source.shape,
        ("amplitude",),
        grid=source.grid,
        tags=source.tags,
        units=("DN",),
        threads=threads,
        overviews="mean",
    ) as writer:

        def take(row: int, cells: NDArray[np.float32]) -> None:
            kept[row : row + cells.shape[0]] = cells
            writer.write(row, cells[None])

        source.go_through(take, threads=threads, memory_mb=request.memory_mb, progress=progress)
    return kept


CHAIN = Chain(
    name="quick-look",
    title="Multilooked view of an image",
    abstract="A picture and a raster of a single-look complex product, or of any raster, in cells.",
    version=VERSION,
    request=QuickLookRequest,
    outputs=OUTPUTS,
    run=run,
)
