"""Amplitude simulated from the terrain, with its masks; as DiapOTB's SARDEMToAmplitude."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.options import (
    dem_heights_option,
    dem_missing_option,
    dem_option,
    memory_option,
    orbits_option,
    threads_option,
)
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request
from kernels.chains.steps.ground import load_image_dem
from kernels.chains.steps.images import (
    gain_option,
    image_option,
    looks_option,
    open_image,
    polarisation_option,
    swath_option,
)
from kernels.chains.steps.results import finish
from kernels.engine.bands import Band, default_threads, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import RequestError
from kernels.geometry.orbit import Orbit
from kernels.geometry.radar_incidence import RadarIncidence
from kernels.geometry.radar_shadow import RadarShadow
from kernels.geometry.shadow import TerrainProfiles
from kernels.insar.mosaic import lay_out
from kernels.model import Dem, Looks, RadarGrid
from kernels.products.raster import create_raster
from kernels.radiometry.detected import Window
from kernels.radiometry.image_cells import ImageCells
from kernels.radiometry.terrain_flattening import TerrainFlattening

VERSION = "1.0"
FILES = {"amplitude": "simulated_amplitude.tif", "report": "dem_to_amplitude.json"}
BANDS = ("amplitude", "incidence", "layover", "shadow")

_ROWS = 128
_METRE = 111_195.0
"""Of a degree of latitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemToAmplitudeRequest(Request):
    """A product, for its geometry, and a DEM."""

    image: tuple[Path, ...] = image_option(abstract="Only its metadata are used.")
    dem: tuple[Path, ...] = dem_option()
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("fail")
    orbits: Path | None = orbits_option()
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
        title="Simulated amplitude, incidence and masks",
        abstract=(
            "Bands amplitude (root of the terrain's area in each cell over that of the cell, "
            "times the gain), local incidence (rad), layover and shadow (1 where it is so), in "
            "radar geometry, bursts merged."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Shares of layover and shadow, elevation read, versions.",
        media_type=MediaType.JSON,
    ),
)


def run(request: DemToAmplitudeRequest, folder: Path, progress: Progress) -> ChainResult:
    """Simulate the amplitude of an image, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    opened = open_image(
        "image",
        request.image,
        swath=request.swath,
        polarisation=request.polarisation,
        orbits=request.orbits,
    )
    looks = Looks(request.azimuth_looks, request.range_looks)
    whole = lay_out(opened.image.bursts, {}, azimuth_looks=looks.azimuth).grid
    if min(whole.looked(looks).shape) < 1:
        raise RequestError("azimuth_looks", "less than the lines of the image", looks.azimuth)
    progress.update(0.05, "elevation model")
    dem = load_image_dem(request, whole, opened.orbit)
    with scratch_folder(folder) as scratch:
        shares = _write(
            request, whole, opened.orbit, dem, scratch / FILES["amplitude"], progress=progress
        )
        report = {
            "request": named_values(request),
            "image": opened.image.name,
            "swath": opened.image.swath,
            "elevation": list(dem.sources),
            "layover_share": round(shares[0], 5),
            "shadow_share": round(shares[1], 5),
            "versions": versions(),
        }
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _write(
    request: DemToAmplitudeRequest,
    whole: RadarGrid,
    orbit: Orbit,
    dem: Dem,
    path: Path,
    *,
    progress: Progress,
) -> tuple[float, float]:
    """Write the raster; returns the shares of layover and shadow."""
    looks = Looks(request.azimuth_looks, request.range_looks)
    threads = request.threads or default_threads()
    grid = whole.looked(looks)
    terrain = _terrain(whole, orbit, dem, looks, threads=threads, progress=progress.part(0.1, 0.6))
    spacing = min(0.5 * grid.slant_range_spacing, 0.1 * abs(dem.latitude_step) * _METRE)
    masks = RadarShadow.of(grid, orbit, dem, spacing=spacing)
    incidence = RadarIncidence.of(grid, orbit, dem)
    counts = np.zeros(2)

    def compute(rows: Band, _: None) -> NDArray[np.float32]:
        layover, shadow = masks.rows(rows)
        ratio = terrain.ratio[rows.first : rows.first + rows.rows, : grid.shape.samples]
        amplitude = request.gain * np.sqrt(ratio)
        angle = incidence.rows(rows)
        amplitude[np.isnan(angle)] = np.nan
        return np.stack([amplitude, angle, layover, shadow]).astype(np.float32)

    def write(rows: Band, bands: NDArray[np.float32]) -> None:
        writer.write(rows.first, bands)
        counts[:] += bands[2:].sum(axis=(1, 2))

    with create_raster(
        path, grid.shape, BANDS, grid=grid, units=("1", "rad", "1", "1"), threads=threads
    ) as writer:
        run_bands(
            split_rows(grid.shape.lines, band_rows=_ROWS),
            read=lambda _: None,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress.part(0.6, 1.0),
            step="amplitude and masks",
        )
    layover, shadow = counts / (grid.shape.lines * grid.shape.samples)
    return float(layover), float(shadow)


def _terrain(
    whole: RadarGrid, orbit: Orbit, dem: Dem, looks: Looks, *, threads: int, progress: Progress
) -> TerrainFlattening:
    """Compare the terrain's area in each cell with that of the cell."""
    profiles = TerrainProfiles.of(
        dem,
        orbit,
        spacing=abs(dem.latitude_step) * _METRE,
        side=whole.look_side,
        threads=threads,
        progress=progress.part(0.0, 0.3),
    )
    window = Window(lines=Band(0, whole.shape.lines), pixels=Band(0, whole.shape.samples))
    cells = ImageCells.of(whole, orbit, window=window, looks=looks)
    return TerrainFlattening.of(cells, profiles, threads=threads, progress=progress.part(0.3, 1.0))


CHAIN = Chain(
    name="sar-dem-to-amplitude",
    title="Amplitude simulated from elevation, with layover, shadow and incidence",
    abstract=(
        "Sums the areas of the terrain that each cell of an image sees, for ground that scatters "
        "alike everywhere, and tells local incidence, layover and shadow in radar geometry."
    ),
    version=VERSION,
    request=DemToAmplitudeRequest,
    outputs=OUTPUTS,
    run=run,
)
