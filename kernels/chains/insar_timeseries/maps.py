"""Results on a map, or in the geometry of the cells where they have no places."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.chains.insar_timeseries.inversion import InvertedCells
from kernels.chains.insar_timeseries.motion import FILES, Motions
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.engine.bands import Band, rows_for_budget, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError
from kernels.geometry.cells_on_map import CellsOnMap, locate_cells
from kernels.geometry.map_grids import geographic_grid, utm_grid
from kernels.model import GeographicBox, Looks, MapGrid, Shape
from kernels.products.cube import CubeLayer, create_cube
from kernels.products.mintpy_results import SERIES, LayerFile
from kernels.products.preview import mean_cells, preview_looks
from kernels.products.raster import create_raster

VELOCITY_BANDS = ("velocity", "velocity_error", "temporal_coherence", "dem_error", "mask")
VELOCITY_UNITS = ("m/year", "m/year", "1", "m", "1")
ERROR_KIND = "of ordinary least squares, as if dates were independent of each other"
"""What the standard error of the velocity is."""
MOST_PANELS = 24
"""Dates of the picture of small multiples."""

_PANEL_SIDE = 480
_BAND = 512
_LARGEST_BAND = 256
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Small versions of the results, for pictures.

    Attributes
    ----------
    velocity : ndarray of float32, shape (rows, columns)
        [m/year]; NaN: grey.
    looks : Looks
        Pixels of its cells.
    displacement : ndarray of float32, shape (panels, rows, columns)
        [m].
    dates : tuple of int
        Numbers of the dates of the panels.
    panel_looks : Looks
        Pixels of their cells.
    """

    velocity: NDArray[np.float32]
    looks: Looks
    displacement: NDArray[np.float32]
    dates: tuple[int, ...]
    panel_looks: Looks


def choose_map(request: InsarTimeseriesRequest, inputs: Inputs, progress: Progress) -> MapGrid:
    """Choose the map around the cells.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Projection and spacing.
    inputs : Inputs
        With positions.
    progress : Progress
        Asked for cancellation.

    Returns
    -------
    MapGrid
        Its spacing, where none is asked for, is the mean one of the cells, to one digit.

    Raises
    ------
    ProcessingError
        No cell has a place.
    """
    west = south = math.inf
    east = north = -math.inf
    middle = middle_longitude(inputs)
    for band in _strips(inputs.stack.shape):
        progress.check()
        longitudes, latitudes = inputs.positions(band)
        if np.isnan(longitudes).all():
            continue
        longitudes = middle + (longitudes - middle + 180.0) % 360.0 - 180.0
        west, east = min(west, np.nanmin(longitudes)), max(east, np.nanmax(longitudes))
        south, north = min(south, np.nanmin(latitudes)), max(north, np.nanmax(latitudes))
    box = GeographicBox(float(west), float(south), float(east), float(north))
    spacing = request.spacing or _spacing(request, inputs)
    return (
        utm_grid(box, spacing=spacing)
        if request.ortho == "utm"
        else geographic_grid(box, spacing=spacing)
    )


def middle_longitude(inputs: Inputs) -> float:
    """Longitude of a cell near the middle that has one [degrees]; raises ProcessingError."""
    lines = inputs.stack.shape.lines
    for row in sorted(range(0, lines, max(lines // 16, 1)), key=lambda row: abs(row - lines // 2)):
        longitudes = inputs.positions(Band(row, 1))[0][0]
        known = longitudes[np.isfinite(longitudes)]
        if known.size:
            return float(known[known.size // 2])
    raise ProcessingError("the geometry holds no place of any cell")


def _strips(shape: Shape) -> tuple[Band, ...]:
    """Bands of rows that share a row with the band before."""
    return tuple(
        Band(max(band.first - 1, 0), band.rows + min(band.first, 1))
        for band in split_rows(shape.lines, band_rows=_BAND)
    )


def _spacing(request: InsarTimeseriesRequest, inputs: Inputs) -> float:
    """Mean distance between neighbouring cells, down to one digit [degrees or m]."""
    lines = inputs.stack.shape.lines
    longitudes, latitudes = inputs.positions(Band(lines // 2, min(2, lines - lines // 2)))
    north = latitudes * _METRES_PER_DEGREE
    east = longitudes * _METRES_PER_DEGREE * np.cos(np.radians(latitudes))
    sides = [np.hypot(np.diff(east, axis=axis), np.diff(north, axis=axis)) for axis in (0, 1)]
    known = [float(np.nanmedian(side)) for side in sides if np.isfinite(side).any()]
    metres = math.exp(sum(math.log(max(side, 1.0)) for side in known) / len(known)) if known else 50
    size = metres if request.ortho == "utm" else metres / _METRES_PER_DEGREE
    power = 10.0 ** math.floor(math.log10(size))
    return max(math.floor(size / power + 1e-9) * power, 1.0 if request.ortho == "utm" else 1e-6)


def locate(inputs: Inputs, grid: MapGrid, progress: Progress) -> CellsOnMap:
    """Find the cell under every pixel of the map."""

    def positions(rows: Band) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        progress.update(rows.first / inputs.stack.shape.lines, "places on the map")
        return inputs.positions(rows)

    return locate_cells(
        grid, positions, _strips(inputs.stack.shape), middle=middle_longitude(inputs)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layers:
    """Reads results of the cells, NaN where they are not reliable."""

    series: LayerFile
    cells: InvertedCells
    motions: Motions

    def displacement(self, rows: Band, dates: slice) -> NDArray[np.float32]:
        found = self.series.rows(rows, dates)
        found[:, ~self.cells.reliable[rows.first : rows.first + rows.rows]] = np.nan
        return found

    def velocity(self, rows: Band) -> NDArray[np.float32]:
        """Bands VELOCITY_BANDS but for the mask."""
        part = slice(rows.first, rows.first + rows.rows)
        motions = self.motions
        return np.stack(
            [
                motions.velocity[part],
                motions.velocity_error[part],
                self.cells.temporal_coherence[part],
                motions.dem_error[part],
            ]
        )


def write_maps(
    request: InsarTimeseriesRequest,
    inputs: Inputs,
    cells: InvertedCells,
    motions: Motions,
    *,
    grid: MapGrid | None,
    located: CellsOnMap | None,
    folder: Path,
    names: dict[str, str],
    tags: dict[str, str],
    threads: int,
    progress: Progress,
) -> Drawn:
    """Write velocity and displacement by bands of the map, and the cube.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Memory budget.
    inputs : Inputs
        Days and shape.
    cells, motions : InvertedCells, Motions
        Of the cells.
    grid, located : MapGrid and CellsOnMap, or None
        The map; None: the geometry of the cells, without a cube.
    folder : Path
        With the series of the cells; receives the files.
    names : dict of str to str
        Of the files, by output.
    tags : dict of str to str
        Metadata of the rasters.
    threads : int
        Compressing threads.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    Drawn
        For pictures.
    """
    layers = _Layers(
        series=LayerFile(folder / FILES["timeseries"], SERIES), cells=cells, motions=motions
    )
    shape = inputs.stack.shape if grid is None else grid.shape
    days = [f"{day:%Y-%m-%d}" for day in inputs.days]
    looks, panel_looks = _picture_looks(shape)
    dates = _panel_dates(len(days))
    budget = request.memory_mb * 1e6 / 6.0  # for rows of the map, and as much for cells
    rows = rows_for_budget(budget, bytes_per_row=shape.samples * 4.0 * (len(days) + 8))
    pieces: list[NDArray[np.float32]] = []
    panels: list[NDArray[np.float32]] = []
    with ExitStack() as stack:
        velocity = stack.enter_context(
            create_raster(
                folder / names["velocity"],
                shape,
                VELOCITY_BANDS,
                grid=grid,
                overviews="nearest",
                tags=tags,
                units=VELOCITY_UNITS,
                threads=threads,
            )
        )
        displacement = stack.enter_context(
            create_raster(
                folder / names["displacement"],
                shape,
                days,
                grid=grid,
                overviews="mean",
                tags=tags,
                units=["m"] * len(days),
                threads=threads,
            )
        )
        cube = None
        if grid is not None:
            cube = stack.enter_context(
                create_cube(folder / names["cube"], grid, inputs.days, _CUBE, attributes=tags)
            )
        for band in split_rows(
            shape.lines, band_rows=min(rows, _LARGEST_BAND), multiple=panel_looks.azimuth
        ):
            progress.update(band.first / shape.lines, "maps")
            series, fitted = _rows(layers, located, band, shape, budget)
            known = np.isfinite(fitted[0])
            mask = np.where(known, np.float32(1.0), np.float32(0.0))
            velocity.write(band.first, np.concatenate([fitted, mask[None]]))
            displacement.write(band.first, series)
            if cube is not None:
                for layer, values in zip(_CUBE, (series, *fitted), strict=True):
                    cube.write(layer.name, band.first, values)
            pieces.append(mean_cells(fitted[0], known, looks))
            panels.append(
                np.stack(
                    [mean_cells(series[k], np.isfinite(series[k]), panel_looks) for k in dates]
                )
            )
            del series  # before the next rows are read
    return Drawn(
        velocity=np.concatenate(pieces),
        looks=looks,
        displacement=np.concatenate(panels, axis=1),
        dates=tuple(int(number) for number in dates),
        panel_looks=panel_looks,
    )


_CUBE = (
    CubeLayer("displacement", "m", "displacement towards the satellite", has_time=True),
    CubeLayer("velocity", "m year-1", "velocity towards the satellite"),
    CubeLayer("velocity_error", "m year-1", f"standard error of the velocity, {ERROR_KIND}"),
    CubeLayer("temporal_coherence", "1", "temporal coherence"),
    CubeLayer("dem_error", "m", "height to be added to the elevation model"),
)


def _picture_looks(shape: Shape) -> tuple[Looks, Looks]:
    """Pixels of the cells of the picture and of a panel, these of whole cells of the picture.

    So few rows hold whole cells of both.
    """
    looks = preview_looks(shape)
    least = preview_looks(shape, _PANEL_SIDE)
    azimuth, across = (a * math.ceil(b / a) for a, b in zip(looks, least, strict=True))
    return looks, Looks(azimuth, across)


def _panel_dates(count: int) -> NDArray[np.int64]:
    """Numbers of up to MOST_PANELS dates, evenly, the last one among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_PANELS)).round().astype(np.int64))


def _rows(
    layers: _Layers, located: CellsOnMap | None, band: Band, shape: Shape, budget: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Displacement and fitted motion on some rows of the result.

    Rows of a map cross many rows of cells where these are turned against it: as many dates as
    `budget` [bytes] holds of them are read at once.
    """
    if located is None:
        return layers.displacement(band, slice(None)), layers.velocity(band)
    dates = len(layers.series.days)
    series = np.full((dates, band.rows, shape.samples), np.nan, np.float32)
    needed = located.needed(band)
    if needed is None:
        return series, np.full((4, band.rows, shape.samples), np.nan, np.float32)
    # read, and sampled
    step = rows_for_budget(
        budget / 2.0, bytes_per_row=4.0 * needed.rows * layers.series.shape.samples
    )
    for first in range(0, dates, step):
        part = slice(first, first + step)
        series[part] = located.sample(band, layers.displacement(needed, part), needed.first)
    return series, located.sample(band, layers.velocity(needed), needed.first)
