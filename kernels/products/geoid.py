"""Height of the geoid EGM96 above the ellipsoid, read from PROJ's grid as a plain raster.

The grid is never left to pairs of reference systems: where it is not installed they add zero
without an error.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.errors import DemError
from kernels.products.gdal_access import open_raster, read_window

GEOID_FILE = "egm96_15.gtx"
"""PROJ's name of the EGM96 grid of 15 minutes; Debian has it in the package proj-data."""

GEOID_SETTING = "FOURNAISE_GEOID"
"""Environment variable with the path of the grid, for places where PROJ would not look."""

_PLACES = ("/usr/share/proj", "/usr/local/share/proj")

_KNOWN_POINT = (1.5, 43.5)
_KNOWN_UNDULATION = 49.095
_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class _Geoid:
    """Undulations [m] on pixel centres; the first column is repeated behind the last."""

    undulations: NDArray[np.float64]
    west: float
    north: float
    longitude_step: float
    latitude_step: float

    def columns(
        self, longitudes: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Columns left of longitudes, of any turn, and the weight of the next column."""
        position = np.mod(longitudes - self.west, 360.0) / self.longitude_step
        return _split(position, self.undulations.shape[1])

    def rows(self, latitudes: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rows above latitudes and the weight of the next row."""
        return _split((latitudes - self.north) / self.latitude_step, self.undulations.shape[0])


def _split(
    position: NDArray[np.float64], size: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    index = np.clip(np.floor(position).astype(np.intp), 0, size - 2)
    return index, np.clip(position - index, 0.0, 1.0)


def geoid_undulation(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Height of the geoid above the WGS84 ellipsoid, bilinear between the grid's nodes.

    Parameters
    ----------
    longitudes, latitudes : ndarray of float64
        Finite, of shapes that broadcast [degrees]; any turn of longitude.

    Returns
    -------
    ndarray of float64
        Of the broadcast shape [m].

    Raises
    ------
    DemError
        If the grid is not installed or is not EGM96.
    """
    return _at_points(_load(find_geoid()), longitudes, latitudes)


def geoid_on_posts(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Geoid of geoid_undulation on a raster, at a fraction of its cost.

    Parameters
    ----------
    longitudes : ndarray of float64, shape (columns,)
        Of the columns [degrees]; any turn.
    latitudes : ndarray of float64, shape (rows,)
        Of the rows [degrees], at least one.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        [m].

    Raises
    ------
    DemError
        If the grid is not installed or is not EGM96.
    """
    geoid = _load(find_geoid())
    row, row_weight = geoid.rows(latitudes)
    column, column_weight = geoid.columns(longitudes)
    nodes = geoid.undulations[row.min() : row.max() + 2]
    profiles = nodes[:, column] * (1.0 - column_weight) + nodes[:, column + 1] * column_weight
    index, weight = row - row.min(), row_weight[:, np.newaxis]
    result: NDArray[np.float64] = profiles[index] * (1.0 - weight) + profiles[index + 1] * weight
    return result


def check_geoid() -> None:
    """Prove that the geoid is there and is EGM96: N = 49.095 m at 43.5 N, 1.5 E.

    Raises
    ------
    DemError
        If it is not; the message names what to install.
    """
    _load(find_geoid())


def _at_points(
    geoid: _Geoid, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    row, row_weight = geoid.rows(latitudes)
    column, column_weight = geoid.columns(longitudes)
    n = geoid.undulations
    above = n[row, column] * (1.0 - column_weight) + n[row, column + 1] * column_weight
    below = n[row + 1, column] * (1.0 - column_weight) + n[row + 1, column + 1] * column_weight
    result: NDArray[np.float64] = above * (1.0 - row_weight) + below * row_weight
    return result


def find_geoid() -> Path:
    """Path of the EGM96 grid.

    Returns
    -------
    Path
        From the environment variable FOURNAISE_GEOID, else in PROJ's folders.

    Raises
    ------
    DemError
        If it is nowhere; the message names what to install.
    """
    if setting := os.environ.get(GEOID_SETTING):
        candidates = [Path(setting)]
    else:
        candidates = [Path(folder, GEOID_FILE) for folder in _proj_folders()]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise DemError(
        f"geoid grid {GEOID_FILE} not found: install the package proj-data or set"
        f" {GEOID_SETTING} to its path"
    )


def _proj_folders() -> list[str]:
    from pyproj.datadir import get_data_dir  # noqa: PLC0415 - slow to import, needed once

    named = [os.environ.get(name, "") for name in ("PROJ_DATA", "PROJ_LIB")]
    own = [get_data_dir(), f"{sys.prefix}/share/proj"]
    return [folder for text in (*named, *own) for folder in text.split(os.pathsep) if folder] + [
        *_PLACES
    ]


@cache
def _load(path: Path) -> _Geoid:
    dataset = open_raster(str(path), error=DemError)
    west, longitude_step, _, north, _, latitude_step = dataset.GetGeoTransform()
    undulations = np.empty((dataset.RasterYSize, dataset.RasterXSize))
    read_window(dataset, undulations, row=0, column=0, name=path.name, error=DemError)
    geoid = _Geoid(
        undulations=np.concatenate([undulations, undulations[:, :1]], axis=1),
        west=west + 0.5 * longitude_step,
        north=north + 0.5 * latitude_step,
        longitude_step=longitude_step,
        latitude_step=latitude_step,
    )
    found = float(_at_points(geoid, *(np.array(value) for value in _KNOWN_POINT)))
    if abs(found - _KNOWN_UNDULATION) > _TOLERANCE:
        raise DemError(
            f"geoid grid {path.name} must have N = {_KNOWN_UNDULATION} m at 43.5 N 1.5 E, got"
            f" {found:.3f}: install the package proj-data"
        )
    return geoid
