"""Height of ambiguity and line of sight at points; as DiapOTB's SARAltAmbig."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.dinsar_pair.passes import check_passes
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.options import (
    dem_heights_option,
    dem_missing_option,
    option_of,
    orbits_option,
)
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions
from kernels.chains.request import Request, option
from kernels.chains.steps.ground import load_image_dem
from kernels.chains.steps.images import Opened, open_image, polarisation_option, swath_option
from kernels.chains.steps.results import finish
from kernels.chains.steps.tables import write_table
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import ProcessingError, RequestError
from kernels.geometry.baseline import baseline
from kernels.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.illumination import line_of_sight
from kernels.geometry.terrain import heights_on_dem, radar_to_terrain
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.insar.mosaic import lay_out
from kernels.model import Dem, RadarGrid, Shape

VERSION = "1.0"
FILES = {"table": "height_of_ambiguity.csv", "report": "height_of_ambiguity.json"}

_RULE = "longitude,latitude or longitude,latitude,height in degrees and metres"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightOfAmbiguityRequest(Request):
    """Two SLC products and the points of interest."""

    reference: tuple[Path, ...] = option_of(DinsarPairRequest, "reference")
    secondary: tuple[Path, ...] = option_of(DinsarPairRequest, "secondary")
    points: tuple[str, ...] = option(
        default=(),
        title="Points: longitude,latitude,height in degrees and metres (none = a scene grid)",
        abstract="Without a height, that of the elevation model, or 0 m without one.",
    )
    grid_points: int = option(
        default=5,
        minimum=2,
        maximum=200,
        title="Points along azimuth and along range of the scene grid, 2 to 200",
    )
    dem: tuple[Path, ...] = option(
        default=(),
        title="Elevation model for points without a height (none = 0 m above the ellipsoid)",
        abstract="Folder of SRTM or Copernicus tiles, GeoTIFF or VRT, one or several.",
        role="dem",
    )
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("sea")
    orbits: Path | None = orbits_option()
    polarisation: str = polarisation_option()
    swath: str | None = swath_option()

    def __post_init__(self) -> None:
        """Check fields and the points."""
        Request.__post_init__(self)
        for text in self.points:
            read_point(text)


OUTPUTS = (
    OutputInfo(
        name="table",
        title="Table of the points",
        abstract=(
            "Position, line and sample, height of ambiguity (m per cycle of phase), baselines (m), "
            "incidence (degrees) and the unit vector to the satellite along east, north and up."
        ),
        media_type=MediaType.CSV,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="The same points, products, orbits, versions.",
        media_type=MediaType.JSON,
    ),
)


def read_point(text: str) -> tuple[float, float, float]:
    """Read a point [degrees, degrees, m]; the height is NaN where it is left out.

    Parameters
    ----------
    text : str
        ``longitude,latitude`` or ``longitude,latitude,height``.

    Returns
    -------
    tuple of float
        Longitude, latitude, height.

    Raises
    ------
    RequestError
        It is no point.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise RequestError("points", _RULE, text) from error
    if len(values) == 2:
        values.append(math.nan)
    known = len(values) == 3 and abs(values[0]) <= 180.0 and abs(values[1]) <= 90.0
    if not known or math.isinf(values[2]):
        raise RequestError("points", _RULE, text)
    return values[0], values[1], values[2]


def run(request: HeightOfAmbiguityRequest, folder: Path, progress: Progress) -> ChainResult:
    """Tell the height of ambiguity of a pair at points, as `Chain.run` says."""
    progress.update(0.0, "metadata")
    reference, secondary = (_open(request, name) for name in ("reference", "secondary"))
    check_passes(reference.source, secondary.source)
    grid = lay_out(reference.image.bursts, {}, azimuth_looks=1).grid
    progress.update(0.3, "elevation model")
    dem = load_image_dem(request, grid, reference.orbit) if request.dem else None
    points = _points(request, grid, reference, dem)
    rows = _describe(points, grid, reference, secondary)
    report = {
        "request": named_values(request),
        "reference": list(reference.names),
        "secondary": list(secondary.names),
        "swath": reference.image.swath,
        "orbits": [one.image.state_vectors.source.value for one in (reference, secondary)],
        "points": rows,
        "versions": versions(),
    }
    with scratch_folder(folder) as scratch:
        write_table(scratch / FILES["table"], rows)
        return finish(
            scratch, folder, files=FILES, outputs=OUTPUTS, report=report, progress=progress
        )


def _open(request: HeightOfAmbiguityRequest, name: str) -> Opened:
    return open_image(
        name,
        getattr(request, name),
        swath=request.swath,
        polarisation=request.polarisation,
        orbits=request.orbits,
    )


def _points(
    request: HeightOfAmbiguityRequest, grid: RadarGrid, reference: Opened, dem: Dem | None
) -> NDArray[np.float64]:
    """Earth-fixed points [m], shape (n, 3)."""
    if not request.points:
        return _scene_grid(request.grid_points, grid, reference, dem)
    longitudes, latitudes, heights = np.array([read_point(text) for text in request.points]).T
    longitudes, latitudes = np.radians(longitudes), np.radians(latitudes)
    ground = heights_on_dem(dem, longitudes, latitudes) if dem else np.zeros(heights.shape)
    heights = np.where(np.isnan(heights), ground, heights)
    points = geodetic_to_ecef(longitudes, latitudes, heights)
    times, ranges = ground_to_radar(reference.orbit, points)
    lines, samples = grid.line(times, ranges), grid.sample(ranges)
    seen = np.isfinite(heights) & (lines >= -0.5) & (lines <= grid.shape.lines - 0.5)
    seen &= (samples >= -0.5) & (samples <= grid.shape.samples - 0.5)
    for text, is_seen in zip(request.points, seen, strict=True):
        if not is_seen:
            raise RequestError("points", f"on the ground that {reference.image.name} sees", text)
    return points


def _scene_grid(
    count: int, grid: RadarGrid, reference: Opened, dem: Dem | None
) -> NDArray[np.float64]:
    lines = np.linspace(0.0, grid.shape.lines - 1.0, count)
    samples = np.linspace(0.0, grid.shape.samples - 1.0, count)
    if dem is None:
        rows, columns = np.meshgrid(lines, samples, indexing="ij")
        ranges = grid.slant_range(columns)
        times = grid.zero_doppler_time(rows, ranges)
        points = radar_to_ground(
            reference.orbit, times, ranges, np.zeros(times.shape), side=grid.look_side
        )
        return points.reshape(-1, 3)
    found = []
    for line in np.round(lines).astype(int):
        row = grid.window(int(line), 0, Shape(1, grid.shape.samples))
        located = radar_to_terrain(row, reference.orbit, dem, lines=Band(0, 1))
        found.append(located[0, np.round(samples).astype(int)])
    points = np.concatenate(found)
    return points[np.isfinite(points[:, 0])]


def _describe(
    points: NDArray[np.float64], grid: RadarGrid, reference: Opened, secondary: Opened
) -> list[dict[str, Any]]:
    if points.size == 0:
        raise ProcessingError("the elevation model tells nothing of the ground of the image")
    longitudes, latitudes, heights = ecef_to_geodetic(points)
    times, ranges = ground_to_radar(reference.orbit, points)
    found = baseline(reference.orbit, secondary.orbit, points, wavelength=grid.wavelength)
    sight = line_of_sight(reference.orbit, points)
    table = {
        "longitude_deg": np.degrees(longitudes),
        "latitude_deg": np.degrees(latitudes),
        "height_m": heights,
        "line": grid.line(times, ranges),
        "sample": grid.sample(ranges),
        "slant_range_m": ranges,
        "height_of_ambiguity_m": found.height_of_ambiguity,
        "perpendicular_baseline_m": found.perpendicular,
        "parallel_baseline_m": found.parallel,
        "incidence_deg": np.degrees(found.incidence),
        "to_satellite_east": sight[:, 0],
        "to_satellite_north": sight[:, 1],
        "to_satellite_up": sight[:, 2],
    }
    return [
        {name: _plain(float(values[n])) for name, values in table.items()}
        for n in range(points.shape[0])
    ]


def _plain(value: float) -> float | None:
    """Return a number that JSON has; None for an infinite height of ambiguity."""
    return value if math.isfinite(value) else None


CHAIN = Chain(
    name="sar-height-of-ambiguity",
    title="Height of ambiguity, incidence and line of sight of a pair at points",
    abstract=(
        "From orbits alone: the height that turns the phase by one cycle, baselines, incidence and "
        "the direction to the satellite, at given points or on a grid over the scene."
    ),
    version=VERSION,
    request=HeightOfAmbiguityRequest,
    outputs=OUTPUTS,
    run=run,
)
