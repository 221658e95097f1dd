"""Cubes of maps over time: NetCDF-4 with CF coordinates, written by bands of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from kernels.engine.workspace import publish, scratch_folder
from kernels.model import MapGrid
from kernels.products.hdf5_writing import CHUNK_ROWS, RecordingFile

_EPOCH = date(1970, 1, 1)
_MAPPING = "spatial_ref"


class CubeLayer(NamedTuple):
    """A variable of a cube.

    Attributes
    ----------
    name : str
        Of the variable.
    unit, long_name : str
        As CF asks for.
    has_time : bool
        Whether there is one for every date.
    """

    name: str
    unit: str
    long_name: str
    has_time: bool = False


class CubeWriter:
    """Takes rows of the variables; made by `create_cube`."""

    def __init__(self, file: Any, disk: RecordingFile, path: Path) -> None:
        self._file = file
        self._disk = disk
        self._path = path

    def write(self, name: str, first_row: int, values: NDArray[np.float32]) -> None:
        """Write rows of a variable, shape (..., rows, columns); raises ProcessingError."""
        rows = slice(first_row, first_row + values.shape[-2])
        self._file.variables[name][..., rows, :] = values
        self._disk.check(self._path)


@contextmanager
def create_cube(
    path: Path,
    grid: MapGrid,
    days: Sequence[date],
    layers: Sequence[CubeLayer],
    *,
    attributes: Mapping[str, str],
) -> Iterator[CubeWriter]:
    """Write a cube by rows; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    grid : MapGrid
        Of the maps.
    days : sequence of date
        In order of time.
    layers : sequence of CubeLayer
        Variables, missing where NaN.
    attributes : mapping of str to str
        Of the file.

    Yields
    ------
    CubeWriter
        Takes the rows, from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    import h5netcdf  # noqa: PLC0415  # not for the web tier

    with scratch_folder(path.parent) as scratch, RecordingFile(scratch / path.name, "w+b") as disk:
        with h5netcdf.File(disk, "w") as file:
            _describe(file, grid, days, attributes)
            for layer in layers:
                _add(file, layer, grid)
            yield CubeWriter(file, disk, path)
        disk.check(path)
        publish(scratch / path.name, path)


def _describe(
    file: Any, grid: MapGrid, days: Sequence[date], attributes: Mapping[str, str]
) -> None:
    """Write dimensions, coordinates and the reference system."""
    crs = CRS.from_user_input(grid.crs)
    names = ("latitude", "longitude") if crs.is_geographic else ("y", "x")
    file.attrs.update({"Conventions": "CF-1.8", **attributes})
    file.dimensions = {"time": len(days), names[0]: grid.shape.lines, names[1]: grid.shape.samples}
    time = file.create_variable(
        "time", ("time",), data=np.array([(day - _EPOCH).days for day in days], np.int32)
    )
    time.attrs.update(
        {"standard_name": "time", "units": "days since 1970-01-01", "calendar": "standard"}
    )
    down = grid.north - (np.arange(grid.shape.lines) + 0.5) * grid.y_spacing
    across = grid.west + (np.arange(grid.shape.samples) + 0.5) * grid.x_spacing
    if crs.is_geographic:
        units = ("degrees_north", "degrees_east")
        standard = names
    else:
        units = ("m", "m")
        standard = ("projection_y_coordinate", "projection_x_coordinate")
    for number, values in enumerate((down, across)):
        axis = file.create_variable(names[number], (names[number],), data=values)
        axis.attrs.update({"standard_name": standard[number], "units": units[number]})
    mapping = file.create_variable(_MAPPING, (), data=np.int32(0))
    mapping.attrs.update(
        {name: value for name, value in crs.to_cf().items() if isinstance(value, str | float)}
        | {
            "crs_wkt": crs.to_wkt(),
            "GeoTransform": " ".join(repr(float(value)) for value in grid.geotransform),
        }
    )


def _add(file: Any, layer: CubeLayer, grid: MapGrid) -> None:
    names = list(file.dimensions)
    rows, columns = grid.shape
    chunks: tuple[int, ...] = (min(CHUNK_ROWS, rows), columns)
    variable = file.create_variable(
        layer.name,
        tuple(names if layer.has_time else names[1:]),
        np.float32,
        fillvalue=np.float32(np.nan),
        chunks=(1, *chunks) if layer.has_time else chunks,
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    variable.attrs.update(
        {"units": layer.unit, "long_name": layer.long_name, "grid_mapping": _MAPPING}
    )
