"""First line time and near range from the amplitude that the terrain lets expect."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.grids import with_grids
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.geometry.shadow import TerrainProfiles
from kernels.insar.correlation import FEWEST_PATCHES, Offsets, find_templates, fit_offsets
from kernels.insar.mosaic import Placement
from kernels.model import Dem, Looks, RadarGrid
from kernels.radiometry.detected import Window
from kernels.radiometry.image_cells import ImageCells
from kernels.radiometry.terrain_flattening import TerrainFlattening

PATCH = 32
"""Cells of a patch in either direction."""
SEARCH = 8
"""Largest offset that is looked for [cells]."""

_GAP = 1.0
"""Cells from the median beyond which an offset does not count."""
_SMALLEST_CELL = 20.0
"""[m] on the ground; cells are three quarters of a post of the elevation model otherwise."""
_GROUND_SPEED = 6800.0
_WIDENING = 1.7
"""Ground over slant range."""
_METRE = 111_000.0
"""Of a degree of latitude."""
_LEAST_VALID = 0.9
"""Share of a patch's cells that must be known."""
_BYTES_PER_PIXEL = 24

_Task = tuple[Placement, Band]


def refine_metadata(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    threads: int,
    progress: Progress,
) -> tuple[tuple[SwathPair, ...], dict[str, Any]]:
    """Compare the reference's amplitude with that simulated from areas of the terrain.

    Never fails for what the image holds: where it cannot be told from the terrain the annotation
    stays as it is and a warning says so.

    Parameters
    ----------
    request : DinsarPairRequest
        Its options `fine_metadata` say what to do.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.
    threads : int
        Over bands of lines, and over the terrain.
    progress : Progress
        Told of both.

    Returns
    -------
    pairs : tuple of SwathPair
        Grids of both images corrected alike: what differs between them is for the amplitudes of
        both to tell.
    findings : dict
        For the report.
    """
    if request.fine_metadata == "off":
        return pairs, {"fine_metadata": "off"}
    offsets, problems = _measure_all(request, pairs, dem, threads=threads, progress=progress)
    pairs = _warned(pairs, *problems)
    fit = fit_offsets(offsets, threshold=request.fine_metadata_threshold, gap=_GAP, planes=False)
    grid = pairs[0].layout.grid
    looks = _cells(grid, dem)
    found: dict[str, Any] = {
        "fine_metadata": "on",
        "cell": {"lines": looks.azimuth, "samples": looks.range},
        "patches": int(offsets.lines.size),
        "patches_used": 0 if fit is None else fit.used,
        "mean_correlation": round(float(offsets.correlations.mean()), 4)
        if offsets.lines.size
        else None,
    }
    if fit is None:
        warning = (
            f"the timing is that of the annotation: fewer than {FEWEST_PATCHES} patches resemble "
            "the amplitude simulated from the terrain, which may be too flat"
        )
        return _warned(pairs, warning), found
    steps = looks.azimuth * grid.line_interval, looks.range * grid.slant_range_spacing
    time, distance = -fit.lines.constant * steps[0], -fit.samples.constant * steps[1]
    found |= {
        "azimuth_time_correction_s": round(time, 9),
        "azimuth_standard_error_s": round(fit.line_error * steps[0], 9),
        "range_correction_m": round(distance, 4),
        "range_standard_error_m": round(fit.sample_error * steps[1], 4),
    }
    return _corrected(pairs, time, distance), found


def _measure_all(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    *,
    threads: int,
    progress: Progress,
) -> tuple[Offsets, list[str]]:
    """Measure every swath; one that cannot be read gives a warning instead of offsets."""
    parts: list[Offsets] = []
    problems: list[str] = []
    for number, pair in enumerate(pairs):
        part = progress.part(number / len(pairs), (number + 1) / len(pairs))
        try:
            parts.append(
                _measure(pair, dem, threads=threads, memory_mb=request.memory_mb, progress=part)
            )
        except ProductError as error:
            problems.append(f"the simulated amplitude was not compared: {error}")
    return Offsets.join(tuple(parts)), problems


def _corrected(pairs: tuple[SwathPair, ...], time: float, distance: float) -> tuple[SwathPair, ...]:
    """Shift the grids of both images by a time [s] and a range [m]."""

    def correct(grid: RadarGrid) -> RadarGrid:
        return replace(
            grid,
            first_line_time=grid.first_line_time + time,
            first_slant_range=grid.first_slant_range + distance,
            bistatic_range=None if grid.bistatic_range is None else grid.bistatic_range + distance,
        )

    return tuple(with_grids(pair, reference=correct, secondary=correct) for pair in pairs)


def _warned(pairs: tuple[SwathPair, ...], *warnings: str) -> tuple[SwathPair, ...]:
    return (replace(pairs[0], warnings=(*pairs[0].warnings, *warnings)), *pairs[1:])


def _cells(grid: RadarGrid, dem: Dem) -> Looks:
    size = max(0.75 * abs(dem.latitude_step) * _METRE, _SMALLEST_CELL)
    return Looks(
        azimuth=max(math.ceil(size / (_GROUND_SPEED * grid.line_interval)), 1),
        range=max(math.ceil(size / (_WIDENING * grid.slant_range_spacing)), 1),
    )


def _measure(
    pair: SwathPair, dem: Dem, *, threads: int, memory_mb: int, progress: Progress
) -> Offsets:
    """Offsets of the patches of a swath, image less simulation, in cells."""
    grid, looks = pair.layout.grid, _cells(pair.layout.grid, dem)
    window = Window(lines=Band(0, grid.shape.lines), pixels=Band(0, grid.shape.samples))
    cells = ImageCells.of(grid, pair.reference_orbit, window=window, looks=looks)
    profiles = TerrainProfiles.of(
        dem,
        pair.reference_orbit,
        spacing=abs(dem.latitude_step) * _METRE,
        side=grid.look_side,
        threads=threads,
        progress=progress.part(0.0, 0.3),
    )
    terrain = TerrainFlattening.of(
        cells, profiles, threads=threads, progress=progress.part(0.3, 0.6)
    )
    image = _multilook(
        pair, looks, threads=threads, memory_mb=memory_mb, progress=progress.part(0.6, 1.0)
    )
    rows, columns = image.shape
    simulated = np.asarray(terrain.ratio[:rows, :columns], np.float64)
    # the logarithm: speckle and the brightest slopes weigh no more than the rest
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms = np.log(simulated), np.log(image)
    return _correlate(*logarithms)


def _correlate(simulated: NDArray[np.float64], image: NDArray[np.float64]) -> Offsets:
    known = np.isfinite(simulated) & np.isfinite(image)
    whole = PATCH + 2 * SEARCH
    places = [
        (row, column)
        for row in range(0, known.shape[0] - whole + 1, PATCH)
        for column in range(0, known.shape[1] - whole + 1, PATCH)
        if known[row : row + whole, column : column + whole].mean() >= _LEAST_VALID
    ]
    if not places:
        return Offsets.join(())
    inner = slice(SEARCH, SEARCH + PATCH)
    templates, windows = (
        np.stack([_filled(one, known, row, column, whole) for row, column in places])
        for one in (simulated, image)
    )
    measured = find_templates(templates[:, inner, inner], windows)
    middles = np.array(places, np.float64) + 0.5 * (whole - 1)
    return Offsets(
        lines=middles[:, 0],
        samples=middles[:, 1],
        line_offsets=measured[0],
        sample_offsets=measured[1],
        correlations=measured[2],
    )


def _filled(
    image: NDArray[np.float64], known: NDArray[np.bool_], row: int, column: int, size: int
) -> NDArray[np.float64]:
    """Cut a patch whose unknown cells have the mean of the others."""
    part = (slice(row, row + size), slice(column, column + size))
    return np.where(known[part], image[part], image[part][known[part]].mean())


def _multilook(
    pair: SwathPair, looks: Looks, *, threads: int, memory_mb: int, progress: Progress
) -> NDArray[np.float64]:
    """Mean intensity of the reference in cells, shape (rows, columns); NaN without pixels."""
    product, shape = pair.reference, pair.layout.grid.shape
    rows, columns = shape.lines // looks.azimuth, shape.samples // looks.range
    total, counts = np.zeros((rows, columns)), np.zeros((rows, columns))
    most = rows_for_budget(
        memory_mb * 1e6 / (threads + 1), bytes_per_row=shape.samples * _BYTES_PER_PIXEL
    )
    tasks = [
        (placement, lines)
        for placement in pair.layout.placements
        if placement.partner is not None
        for lines in split_rows(
            placement.stop - placement.start, band_rows=min(most, 256), first=placement.start
        )
    ]

    def read(task: _Task) -> NDArray[np.complex64]:
        placement, lines = task
        if product.pixels is None:
            raise ProductError(f"{product.name} was opened without its pixels")
        first = placement.burst.first_line + lines.first - placement.origin
        return product.pixels.read(first, lines.rows)

    def compute(
        task: _Task, pixels: NDArray[np.complex64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        placement, lines = task
        own = slice(lines.first - placement.origin, sum(lines) - placement.origin)
        samples = np.arange(columns * looks.range)[None, :]
        valid = (samples >= placement.burst.first_valid_sample[own, None]) & (
            samples <= placement.burst.last_valid_sample[own, None]
        )
        valid &= placement.burst.first_valid_sample[own, None] >= 0
        values = pixels[:, : samples.size]
        squares = np.where(valid, values.real**2 + values.imag**2, 0.0)
        cells = (lines.rows, columns, looks.range)
        return (
            squares.reshape(cells).sum(axis=2, dtype=np.float64),
            valid.reshape(cells).sum(axis=2, dtype=np.float64),
        )

    def write(task: _Task, sums: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
        at = np.arange(task[1].first, sum(task[1])) // looks.azimuth
        whole = at < rows
        np.add.at(total, at[whole], sums[0][whole])
        np.add.at(counts, at[whole], sums[1][whole])

    run_bands(
        tasks,
        read=read,
        compute=compute,
        write=write,
        threads=threads,
        progress=progress,
        step="amplitude of the reference",
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0.0, total / counts, np.nan)
