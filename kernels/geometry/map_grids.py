"""Map grids: geographic and UTM, and where their pixels are."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pyproj
from numpy.typing import NDArray

from kernels.model import GeographicBox, MapGrid, Shape

GEOGRAPHIC = "EPSG:4326"


def utm_crs(longitude: float, latitude: float) -> str:
    """Return the EPSG code of the UTM zone of a place [degrees], south zones south of 0."""
    zone = math.floor((longitude + 180.0) / 6.0) % 60 + 1
    return f"EPSG:{(32600 if latitude >= 0.0 else 32700) + zone}"


@lru_cache(maxsize=16)
def _from_geographic(crs: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True)


def geographic_grid(box: GeographicBox, *, spacing: float) -> MapGrid:
    """Cover a box with a geographic grid.

    Parameters
    ----------
    box : GeographicBox
        [degrees].
    spacing : float
        Size of a pixel [degrees].

    Returns
    -------
    MapGrid
        Corners are multiples of the spacing.
    """
    return _snapped(GEOGRAPHIC, box, spacing)


def utm_grid(box: GeographicBox, *, spacing: float, crs: str | None = None) -> MapGrid:
    """Cover a box with a UTM grid.

    Parameters
    ----------
    box : GeographicBox
        [degrees].
    spacing : float
        Size of a pixel [m].
    crs : str or None
        UTM zone; None takes the one of the box's middle.

    Returns
    -------
    MapGrid
        Corners are multiples of the spacing.
    """
    middle = (0.5 * (box.west + box.east) + 180.0) % 360.0 - 180.0
    crs = crs or utm_crs(middle, 0.5 * (box.south + box.north))
    steps = np.linspace(0.0, 1.0, 21)
    longitudes = np.concatenate(
        [
            box.west + steps * (box.east - box.west),
            box.west + steps * (box.east - box.west),
            np.full(21, box.west),
            np.full(21, box.east),
        ]
    )
    latitudes = np.concatenate(
        [
            np.full(21, box.south),
            np.full(21, box.north),
            box.south + steps * (box.north - box.south),
            box.south + steps * (box.north - box.south),
        ]
    )
    x, y = _from_geographic(crs).transform(longitudes, latitudes)
    return _snapped(crs, GeographicBox(min(x), min(y), max(x), max(y)), spacing)


def _snapped(crs: str, corners: GeographicBox, spacing: float) -> MapGrid:
    """Move the corners, in units of the map, outwards to multiples of the spacing."""
    left, right = (
        math.floor(corners.west / spacing + 1e-6),
        math.ceil(corners.east / spacing - 1e-6),
    )
    bottom, top = (
        math.floor(corners.south / spacing + 1e-6),
        math.ceil(corners.north / spacing - 1e-6),
    )
    return MapGrid(
        crs=crs,
        west=left * spacing,
        north=top * spacing,
        x_spacing=spacing,
        y_spacing=spacing,
        shape=Shape(max(top - bottom, 1), max(right - left, 1)),
    )


def pixel_positions(
    grid: MapGrid, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes [rad] of pixel coordinates (0 = centre of the first)."""
    x = grid.west + (columns + 0.5) * grid.x_spacing
    y = grid.north - (rows + 0.5) * grid.y_spacing
    if grid.crs != GEOGRAPHIC:
        x, y = _from_geographic(grid.crs).transform(x, y, direction="INVERSE")
    return np.radians(x), np.radians(y)


def map_positions(
    grid: MapGrid, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates in units of the map of longitudes and latitudes [degrees]."""
    if grid.crs == GEOGRAPHIC:
        return longitudes, latitudes
    x, y = _from_geographic(grid.crs).transform(longitudes, latitudes)
    return np.asarray(x), np.asarray(y)


def ground_box(grid: MapGrid) -> GeographicBox:
    """Return the box around a map [degrees]; east may pass 180."""
    rows, columns = grid.shape.lines - 0.5, grid.shape.samples - 0.5
    down, across = np.linspace(-0.5, rows, 21), np.linspace(-0.5, columns, 21)
    edges = (
        (np.full(21, -0.5), across),
        (down, np.full(21, columns)),
        (np.full(21, rows), across[::-1]),
        (down[::-1], np.full(21, -0.5)),
    )
    longitudes, latitudes = pixel_positions(
        grid, *(np.concatenate(part) for part in zip(*edges, strict=True))
    )
    degrees = np.degrees(np.unwrap(longitudes))
    degrees += 360.0 * np.floor((180.0 - degrees.min()) / 360.0)
    return GeographicBox(
        float(degrees.min()),
        float(np.degrees(latitudes.min())),
        float(degrees.max()),
        float(np.degrees(latitudes.max())),
    )
