"""Where the nodes of an elevation model lie in an image; as DiapOTB's SARDEMProjection."""

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
    orbits_option,
    threads_option,
)
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.ground import load_image_dem
from kernels.chains.steps.images import (
    image_option,
    open_image,
    polarisation_option,
    swath_option,
)
from kernels.chains.steps.results import finish
from kernels.engine.bands import Band, default_threads, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.map_grids import GEOGRAPHIC
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.mosaic import lay_out
from kernels.model import Dem, MapGrid, RadarGrid, Shape
from kernels.products.raster import create_raster

VERSION = "1.0"
FILES = {"projection": "dem_projection.tif", "report": "dem_projection.json"}
NODATA = -32768.0
BANDS = ("line", "sample", "height")
CARTESIAN = ("x", "y", "z")
SATELLITE = ("satellite_x", "satellite_y", "satellite_z")

_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DemProjectionRequest(Request):
    """A product, for its geometry, and a DEM."""

    image: tuple[Path, ...] = image_option(abstract="Only its metadata are used.")
    dem: tuple[Path, ...] = dem_option()
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("fail")
    orbits: Path | None = orbits_option()
    polarisation: str = polarisation_option()
    swath: str | None = swath_option()
    cartesian: bool = option(
        default=False, title="Also write the Earth-fixed position of each node (true or false)"
    )
    satellite: bool = option(
        default=False,
        title="Also write the satellite's position when it sees the node (true or false)",
    )
    threads: int | None = threads_option()


OUTPUTS = (
    OutputInfo(
        name="projection",
        title="Nodes of the elevation model in the image",
        abstract=(
            "Bands line and sample (of the swath with its bursts merged, from 0), height above the "
            "ellipsoid (m), and what else was asked for (m); -32768 where there is no value."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Lines and samples of the image, elevation read, versions.",
        media_type=MediaType.JSON,
    ),
)


def run(request: DemProjectionRequest, folder: Path, progress: Progress) -> ChainResult:
    """Project the nodes of an elevation model into an image, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    opened = open_image(
        "image",
        request.image,
        swath=request.swath,
        polarisation=request.polarisation,
        orbits=request.orbits,
    )
    grid = lay_out(opened.image.bursts, {}, azimuth_looks=1).grid
    progress.update(0.1, "elevation model")
    dem = load_image_dem(request, grid, opened.orbit)
    report = {
        "request": named_values(request),
        "image": opened.image.name,
        "swath": opened.image.swath,
        "lines": grid.shape.lines,
        "samples": grid.shape.samples,
        "elevation": list(dem.sources),
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        path = scratch / FILES["projection"]
        _write(request, dem, grid, opened.orbit, path, progress=progress.part(0.2, 1.0))
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _write(
    request: DemProjectionRequest,
    dem: Dem,
    grid: RadarGrid,
    orbit: Orbit,
    path: Path,
    *,
    progress: Progress,
) -> None:
    shape = Shape(*dem.heights.shape)
    names = (
        *BANDS,
        *(CARTESIAN if request.cartesian else ()),
        *(SATELLITE if request.satellite else ()),
    )
    nodes = MapGrid(
        crs=GEOGRAPHIC,
        west=dem.west - 0.5 * dem.longitude_step,
        north=dem.north - 0.5 * dem.latitude_step,
        x_spacing=dem.longitude_step,
        y_spacing=-dem.latitude_step,
        shape=shape,
    )
    threads = request.threads or default_threads()
    with create_raster(
        path,
        shape,
        names,
        grid=nodes,
        nodata=NODATA,
        units=("1", "1", *("m" for _ in names[2:])),
        dtype="float64",
        threads=threads,
    ) as writer:
        run_bands(
            split_rows(shape.lines, band_rows=_ROWS),
            read=lambda _: None,
            compute=lambda rows, _: _project(request, dem, grid, orbit, rows),
            write=lambda rows, found: writer.write(rows.first, found),
            threads=threads,
            progress=progress,
            step="nodes of the elevation model",
        )


def _project(
    request: DemProjectionRequest, dem: Dem, grid: RadarGrid, orbit: Orbit, rows: Band
) -> NDArray[np.float64]:
    heights = dem.heights[rows.first : rows.first + rows.rows].astype(np.float64)
    longitudes = dem.west + np.arange(heights.shape[1]) * dem.longitude_step
    latitudes = dem.north + np.arange(rows.first, rows.first + rows.rows) * dem.latitude_step
    places = np.broadcast_arrays(np.radians(longitudes)[None], np.radians(latitudes)[:, None])
    points = geodetic_to_ecef(places[0], places[1], heights)
    times, ranges = ground_to_radar(orbit, points)
    planes = [grid.line(times, ranges), grid.sample(ranges), heights]
    if request.cartesian:
        planes += list(np.moveaxis(points, -1, 0))
    if request.satellite:
        planes += list(np.moveaxis(orbit.position(times), -1, 0))
    return np.nan_to_num(np.stack(planes), nan=NODATA)


CHAIN = Chain(
    name="sar-dem-projection",
    title="Nodes of an elevation model projected into an image",
    abstract=(
        "Tells for each node of the elevation model under an image the line and sample that see "
        "it, by the zero-Doppler equations of the orbit, and on request both positions."
    ),
    version=VERSION,
    request=DemProjectionRequest,
    outputs=OUTPUTS,
    run=run,
)
