"""Outlines of MGRS tiles, from their names alone.

A tile of Sentinel-2 is a 100 km square of the Military Grid Reference System (NGA.STND.0037), grown
to 109.8 km and moved to multiples of 60 m, its northing counted from the equator.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import NamedTuple

import pyproj

from catalog.errors import QueryError
from catalog.model import Geometry

_NAME = re.compile(r"T?(0[1-9]|[1-5]\d|60)([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SQUARE = 100_000
_TILE = 109_800
_SNAP = 60
_CYCLE = 2_000_000
_FALSE_NORTHING = 10_000_000
_MARGIN = 200_000
"""By which a band reaches further south at the edge of a zone than in its middle, and a square."""
_SOUTH_OF_LAND = -84
"""Latitude of the southernmost tiles, which are named as if band C had no end at -80 degrees."""
_PIECES = 8
"""Of a side, so that it follows the bend of the meridians and parallels."""


class TileCorner(NamedTuple):
    """Outer north-west corner of a tile: zone as EPSG number, easting and northing [m]."""

    epsg: int
    west: int
    north: int


def read_tile(text: str) -> str:
    """Read the name of a tile, with or without the T, in small or capital letters.

    Parameters
    ----------
    text : str
        For example 31TCJ or T31TCJ.

    Returns
    -------
    str
        In capitals, without the T.

    Raises
    ------
    QueryError
        It is no such name, or there is no such square.
    """
    name = text.strip().upper()
    if not _NAME.fullmatch(name):
        raise QueryError("tile", "an MGRS tile as 31TCJ", text)
    tile_corner(name[-5:])
    return name[-5:]


def tile_corner(name: str) -> TileCorner:
    """Find the corner of a tile.

    Parameters
    ----------
    name : str
        Zone, band, column and row, as 31TCJ.

    Returns
    -------
    TileCorner
        In the zone of the tile.

    Raises
    ------
    QueryError
        The zone has no such column.
    """
    zone, band = int(name[:2]), _BANDS.index(name[2])
    columns = _COLUMNS[(zone - 1) % 3]
    if name[3] not in columns:
        raise QueryError("tile", f"a tile of zone {zone}, whose columns are {columns}", name)
    west = (columns.index(name[3]) + 1) * _SQUARE
    row = _ROWS.index(name[4]) - (0 if zone % 2 else 5)
    south_of_band = _northing(zone, -80 + 8 * band if band else _SOUTH_OF_LAND) - _MARGIN
    south = row * _SQUARE % _CYCLE
    south += math.ceil((south_of_band - south) / _CYCLE) * _CYCLE
    north = math.ceil((south + _SQUARE) / _SNAP) * _SNAP
    southern = name[2] < "N"
    return TileCorner(
        epsg=(32700 if southern else 32600) + zone,
        west=west // _SNAP * _SNAP,
        north=north + (_FALSE_NORTHING if southern else 0),
    )


@cache
def _northing(zone: int, latitude: float) -> float:
    """Northing from the equator on the central meridian of a zone [m]."""
    transformer = pyproj.Transformer.from_crs(4326, 32600 + zone, always_xy=True)
    return float(transformer.transform(6 * zone - 183, latitude)[1])


@lru_cache(maxsize=4096)
def tile_outline(name: str) -> Geometry:
    """Return the outline of a tile.

    Parameters
    ----------
    name : str
        As 31TCJ.

    Returns
    -------
    Geometry
        Polygon; across the antimeridian its longitudes go on beyond 180 degrees.

    Raises
    ------
    QueryError
        The zone has no such column.
    """
    corner = tile_corner(name)
    west, north, step = corner.west, corner.north, _TILE / _PIECES
    there = [k * step for k in range(_PIECES)]
    back = [_TILE - offset for offset in there]
    places: list[tuple[float, float]] = [(west + x, north - _TILE) for x in there]
    places += [(west + _TILE, north - _TILE + y) for y in there]
    places += [(west + x, north) for x in back]
    places += [(west, north - _TILE + y) for y in back]
    transformer = pyproj.Transformer.from_crs(corner.epsg, 4326, always_xy=True)
    middle = 6 * (corner.epsg % 100) - 183
    ring = []
    for x, y in places:
        longitude, latitude = transformer.transform(x, y)
        turns = round((middle - longitude) / 360.0)
        ring.append([longitude + 360.0 * turns, latitude])
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
