"""The scene of a stack as MintPy describes it: attributes, and geometryRadar.h5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, split_rows
from kernels.engine.progress import Progress
from kernels.errors import InputError
from kernels.geometry.cell_geometry import CellGeometry, cell_geometry
from kernels.geometry.ellipsoid import east_north_up, ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, Looks, LookSide, RadarGrid, Shape
from kernels.products.mintpy import (
    GEOMETRY,
    attributes_of,
    create_mintpy,
    opened,
    reading,
)

_BAND = 256
_LAYERS: dict[str, tuple[Callable[[CellGeometry], NDArray[np.float64]], Any]] = {
    "longitude": (lambda cells: np.degrees(cells.longitude), np.float64),
    "latitude": (lambda cells: np.degrees(cells.latitude), np.float64),
    "height": (lambda cells: cells.height, np.float32),
    "incidenceAngle": (lambda cells: np.degrees(cells.incidence), np.float32),
    "azimuthAngle": (lambda cells: np.degrees(cells.azimuth), np.float32),
    "slantRangeDistance": (lambda cells: cells.slant_range, np.float32),
}
"""Values in MintPy's units by name; positions keep 0.1 mm in float64."""


def scene_attributes(
    grid: RadarGrid, orbit: Orbit, *, platform: str, looks: Looks, effective_looks: float
) -> dict[str, str]:
    """Describe a scene in radar geometry with MintPy's attributes.

    Parameters
    ----------
    grid : RadarGrid
        Of the cells.
    orbit : Orbit
        Of the reference image.
    platform : str
        For example S1A.
    looks : Looks
        Pixels of a cell.
    effective_looks : float
        Independent ones among them.

    Returns
    -------
    dict of str to str
        For every file of the scene.
    """
    lines, samples = grid.shape
    ranges = grid.slant_range(np.array([0.0, samples - 1.0, 0.0, samples - 1.0]))
    times = grid.zero_doppler_time(np.array([0.0, 0.0, lines - 1.0, lines - 1.0]), ranges)
    corners = radar_to_ground(orbit, times, ranges, np.zeros(4), side=grid.look_side)
    corner_longitudes, corner_latitudes, _ = ecef_to_geodetic(corners)
    middle = float(times.mean())
    longitude, latitude, height = ecef_to_geodetic(orbit.position(middle))
    east, north, _ = east_north_up(longitude, latitude) @ orbit.velocity(middle)
    below = geodetic_to_ecef(longitude, latitude, np.zeros_like(height))
    instant = grid.epoch + timedelta(seconds=middle)
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    values: dict[str, object] = {
        "PLATFORM": platform,
        "WAVELENGTH": grid.wavelength,
        "STARTING_RANGE": grid.first_slant_range,
        "RANGE_PIXEL_SIZE": grid.slant_range_spacing,
        "AZIMUTH_PIXEL_SIZE": grid.line_interval * orbit.speed(middle),
        "ALOOKS": looks.azimuth,
        "RLOOKS": looks.range,
        "NCORRLOOKS": round(effective_looks, 2),
        "EARTH_RADIUS": float(np.linalg.norm(below)),
        "HEIGHT": float(height),
        "HEADING": float(np.degrees(np.arctan2(east, north))),
        "ORBIT_DIRECTION": "ASCENDING" if north > 0.0 else "DESCENDING",
        "ANTENNA_SIDE": -1 if grid.look_side is LookSide.RIGHT else 1,
        "CENTER_LINE_UTC": (instant - midnight).total_seconds(),
        "START_DATE": f"{instant:%Y%m%d}",
    }
    for number in range(4):
        values[f"LAT_REF{number + 1}"] = float(np.degrees(corner_latitudes[number]))
        values[f"LON_REF{number + 1}"] = float(np.degrees(corner_longitudes[number]))
    return {name: str(value) for name, value in values.items()}


def write_radar_geometry(
    path: Path,
    *,
    grid: RadarGrid,
    orbit: Orbit,
    dem: Dem,
    attributes: dict[str, str],
    threads: int,
    progress: Progress,
) -> None:
    """Write geometryRadar.h5: position, height and line of sight of every cell.

    Parameters
    ----------
    path : Path
        Final name; the file appears whole or not at all.
    grid : RadarGrid
        Of the cells.
    orbit : Orbit
        Of the reference image.
    dem : Dem
        Terrain.
    attributes : dict of str to str
        From `scene_attributes`.
    threads : int
        Computing threads.
    progress : Progress
        Told per band of rows.

    Raises
    ------
    ProcessingError
        The file system did not take it.
    Cancelled
        If asked to stop; there is no file then.
    """
    with create_mintpy(path, GEOMETRY, grid.shape, attributes) as file:
        for name, (_, kind) in _LAYERS.items():
            file.layer(name, tuple(grid.shape), kind)
        for band in split_rows(grid.shape.lines, band_rows=_BAND):
            progress.update(band.first / grid.shape.lines, "geometry of the cells")
            cells = cell_geometry(grid, orbit, dem, rows=band, threads=threads)
            for name, (value, _) in _LAYERS.items():
                file.put(name, slice(band.first, band.first + band.rows), value(cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class StackGeometry:
    """A geometry file of MintPy's layout.

    Attributes
    ----------
    path : Path
        Of the file.
    shape : Shape
        Rows and columns.
    layers : frozenset of str
        Names of its data sets.
    attributes : dict of str to str
        Of the file.
    """

    path: Path
    shape: Shape
    layers: frozenset[str]
    attributes: dict[str, str]

    def rows(self, name: str, rows: Band) -> NDArray[np.float64]:
        """Read some rows of a layer, shape (rows, columns); raises InputError.

        Values that MintPy's loaders leave where there is no cell (not finite, and 0 of angles,
        ranges and positions) are NaN.
        """
        with opened(self.path) as file, reading(self.path):
            found = np.asarray(file[name][rows.first : rows.first + rows.rows], np.float64)
        missing = ~np.isfinite(found)
        if name != "height":
            missing |= found == 0.0
        found[missing] = np.nan
        return found


def open_geometry(path: Path) -> StackGeometry:
    """Open a geometry file.

    Parameters
    ----------
    path : Path
        geometryRadar.h5, written here or by MintPy.

    Returns
    -------
    StackGeometry
        Layers are not read.

    Raises
    ------
    InputError
        No such file, or one without a height.
    """
    with opened(path) as file, reading(path):
        if "height" not in file or file["height"].ndim != 2:
            raise InputError(f"{path.name} must be a geometry of MintPy with a data set height")
        shape = Shape(*file["height"].shape)
        layers = frozenset(name for name in file if file[name].shape == tuple(shape))
        return StackGeometry(path=path, shape=shape, layers=layers, attributes=attributes_of(file))
