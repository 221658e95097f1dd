"""Azimuth Doppler centroid of an image; as DiapOTB's SARDoppler0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.images import (
    chosen_bursts,
    image_option,
    open_image,
    polarisation_option,
    swath_option,
)
from kernels.chains.steps.results import finish
from kernels.chains.steps.tables import write_table
from kernels.engine.bands import split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import ProcessingError, ProductError, RequestError
from kernels.insar.deramp import AzimuthRamp, deramp
from kernels.insar.doppler import doppler_centroid, line_correlation
from kernels.model import SPEED_OF_LIGHT, Burst, PixelReader

VERSION = "1.0"
FILES = {"doppler": "doppler.json", "table": "doppler.csv"}

_LINES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DopplerRequest(Request):
    """An image."""

    image: tuple[Path, ...] = image_option()
    polarisation: str = polarisation_option()
    swath: str | None = swath_option()
    burst: int | None = option(
        default=None, minimum=1, title="Burst, counted from 1 (none = all, each by itself)"
    )
    range_blocks: int = option(
        default=1,
        minimum=1,
        maximum=1000,
        title="Blocks along range that get a value of their own, 1 to 1000",
    )
    steering: str = option(
        default="kept",
        choices=("kept", "removed"),
        title="Steering of the antenna in TOPS bursts (kept or removed)",
        abstract=(
            "Kept: the centroid of the pixels as they are. Removed: the annotated ramp is taken "
            "out first, and what is left tells how far the annotation is off."
        ),
    )


OUTPUTS = (
    OutputInfo(
        name="doppler",
        title="Doppler centroid",
        abstract="Values in Hz, of the whole image and by burst and block of range.",
        media_type=MediaType.JSON,
    ),
    OutputInfo(
        name="table",
        title="Doppler centroid as a table",
        abstract="Burst, first and last sample, two-way time (s), centroid and annotated (Hz).",
        media_type=MediaType.CSV,
    ),
)

_Rows = list[dict[str, Any]]


def run(request: DopplerRequest, folder: Path, progress: Progress) -> ChainResult:
    """Estimate the Doppler centroid of an image, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    opened = open_image(
        "image", request.image, swath=request.swath, polarisation=request.polarisation
    )
    image, pixels = opened.image, opened.image.pixels
    if pixels is None:
        raise ProductError(f"{image.name} was opened without its pixels")
    if request.range_blocks > image.grid.shape.samples:
        rule = f"at most {image.grid.shape.samples}, the samples of the image"
        raise RequestError("range_blocks", rule, request.range_blocks)
    bursts, rows, total = chosen_bursts(image, request.burst), [], 0.0 + 0.0j
    for number, burst in enumerate(bursts):
        part = progress.part(number / len(bursts), (number + 1) / len(bursts))
        ramp = AzimuthRamp.of(burst, opened.orbit) if request.steering == "removed" else None
        found = _correlate(burst, pixels, ramp, part)
        total += complex(found.sum())
        rows += _describe(burst, found, request.range_blocks)
    if total == 0.0:
        raise ProcessingError(f"{image.name} holds no signal to tell a Doppler centroid from")
    report = {
        "request": named_values(request),
        "image": image.name,
        "swath": image.swath,
        "doppler_centroid_hz": doppler_centroid(total, bursts[0].grid.line_interval),
        "line_rate_hz": 1.0 / bursts[0].grid.line_interval,
        "blocks": rows,
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        write_table(scratch / FILES["table"], rows)
        return finish(
            scratch,
            folder,
            files=FILES,
            outputs=OUTPUTS,
            report=report,
            progress=progress,
            report_name="doppler",
        )


def _correlate(
    burst: Burst, pixels: PixelReader, ramp: AzimuthRamp | None, progress: Progress
) -> NDArray[np.complex128]:
    """Correlation of neighbouring lines of a burst by sample; invalid samples are left out."""
    lines, samples = burst.grid.shape
    total = np.zeros(samples, np.complex128)
    sample = np.arange(samples)
    for band in split_rows(lines - 1, band_rows=_LINES):
        progress.update(band.first / lines, f"Doppler of burst {burst.index + 1}")
        block = pixels.read(burst.first_line + band.first, band.rows + 1)
        part = slice(band.first, band.first + band.rows + 1)
        first, last = burst.first_valid_sample[part, None], burst.last_valid_sample[part, None]
        block[(first < 0) | (sample < first) | (sample > last)] = 0.0
        if ramp is not None:
            block = deramp(block, ramp, first_line=band.first)
        total += line_correlation(block)
    return total


def _describe(burst: Burst, correlation: NDArray[np.complex128], blocks: int) -> _Rows:
    rows = []
    for part in np.array_split(np.arange(correlation.size), blocks):
        middle = 0.5 * float(part[0] + part[-1])
        two_way = 2.0 * burst.grid.slant_range(middle) / SPEED_OF_LIGHT
        value = doppler_centroid(complex(correlation[part].sum()), burst.grid.line_interval)
        rows.append(
            {
                "burst": burst.index + 1,
                "first_sample": int(part[0]),
                "last_sample": int(part[-1]),
                "two_way_time_s": two_way,
                "doppler_centroid_hz": None if math.isnan(value) else value,
                "annotated_hz": float(burst.doppler(two_way)),
            }
        )
    return rows


CHAIN = Chain(
    name="sar-doppler0",
    title="Azimuth Doppler centroid of a single-look complex image",
    abstract=(
        "Estimates the Doppler centroid from the correlation of neighbouring lines (Madsen 1989), "
        "of the whole image and on request along range; values are known up to the line rate."
    ),
    version=VERSION,
    request=DopplerRequest,
    outputs=OUTPUTS,
    run=run,
)
