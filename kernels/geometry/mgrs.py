"""Tiles of Sentinel-2: names, exact grids, and which of them a footprint touches.

A tile is a 100 km square of the Military Grid Reference System, grown to 109.8 km and moved to
multiples of 60 m, so that rasters of 10, 20 and 60 m share their corners: the west edge is rounded
down, the north edge up, its northing counted from the equator in both hemispheres. Neighbours
overlap, and near the border of two zones the same ground lies in tiles of both.

Which squares are tiles does not follow from that system; ``sentinel2_tiles.txt`` names them.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyproj
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.geometry.footprints import footprint_outline, with_short_edges
from kernels.geometry.polygons import clip_to_box, ring_area, subdivided
from kernels.model import GeographicBox, MapGrid, Shape

SQUARE = 100_000.0
"""Side of a square of MGRS [m]."""
TILE = 109_800.0
"""Side of a tile [m]."""

_FALSE_NORTHING = 10_000_000.0
_SNAP = 60.0
_ZONES = range(1, 61)
_NAME = re.compile(r"(0[1-9]|[1-5][0-9]|60)[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V]")
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_LIST = Path(__file__).with_name("sentinel2_tiles.txt")

_REACH = 14.0
"""Degrees of longitude from a zone's central meridian that hold all its tiles (31XFL: 13.2)."""
_LEAST = 100.0 / TILE**2
"""Fraction of one pixel of 10 m; less than that touches nothing."""


class TileCorner(NamedTuple):
    """Outer north-west corner of a tile: CRS ("EPSG:32631"), easting and northing [m]."""

    crs: str
    west: float
    north: float


class TouchedTile(NamedTuple):
    """A tile and how much of its area a footprint covers (0 to 1)."""

    name: str
    covered_fraction: float


class _Rows(NamedTuple):
    """Rows of squares that have the same columns; ranges as in the list of tiles."""

    zones: frozenset[int]
    band: str
    rows: range
    columns: range


class _Zone(NamedTuple):
    """Tiles of a zone: names, corners [m] with northings from the equator, and places in both."""

    names: tuple[str, ...]
    west: NDArray[np.float64]
    north: NDArray[np.float64]
    place: dict[str, int]


def tile_corner(name: str) -> TileCorner:
    """Outer north-west corner of a tile.

    Parameters
    ----------
    name : str
        Zone, band, column and row, such as "31TDJ".

    Returns
    -------
    TileCorner
        In the tile's own UTM zone, multiples of 20 m.

    Raises
    ------
    RequestError
        If the name is malformed or the square is no tile.
    """
    if not _NAME.fullmatch(name):
        rule = "a tile name: zone 01 to 60, then letters of band, column and row as in 31TDJ"
        raise RequestError("tile", rule, name)
    zone = _zone(int(name[:2]))
    place = zone.place.get(name)
    if place is None:
        raise RequestError("tile", "a tile of the Sentinel-2 grid", name)
    south = name[2] < "N"
    return TileCorner(
        crs=f"EPSG:32{7 if south else 6}{name[:2]}",
        west=float(zone.west[place]),
        north=float(zone.north[place]) + (_FALSE_NORTHING if south else 0.0),
    )


def tile_grid(name: str, spacing: float = 10.0) -> MapGrid:
    """Grid of a tile.

    Parameters
    ----------
    name : str
        Such as "31TDJ".
    spacing : float
        Size of a pixel [m]; must divide 109800.

    Returns
    -------
    MapGrid
        10980 x 10980 pixels of 10 m by default, in the tile's UTM zone.

    Raises
    ------
    RequestError
        If the name or the spacing breaks its rule.
    """
    pixels = round(TILE / spacing) if 0.0 < spacing <= TILE else 0
    if pixels == 0 or abs(pixels * spacing - TILE) > 1e-6:
        raise RequestError("spacing", "a divisor of 109800 m", spacing)
    crs, west, north = tile_corner(name)
    return MapGrid(
        crs=crs,
        west=west,
        north=north,
        x_spacing=spacing,
        y_spacing=spacing,
        shape=Shape(pixels, pixels),
    )


def is_tile(name: str) -> bool:
    """Whether a name is that of a tile; False also where it is no name at all."""
    return bool(_NAME.fullmatch(name)) and name in _zone(int(name[:2])).place


@cache
def all_tiles() -> tuple[str, ...]:
    """Names of all tiles, land and sea, in alphabetical order."""
    return tuple(sorted(name for zone in _ZONES for name in _zone(zone).names))


def tile_outline(name: str) -> NDArray[np.float64]:
    """Outline of a tile on the ellipsoid.

    Parameters
    ----------
    name : str
        Such as "31TDJ".

    Returns
    -------
    ndarray of float64, shape (80, 2)
        Longitude and latitude [degrees], clockwise from the north-west corner, which is not
        repeated; with points every 5.5 km because the sides are straight in the tile's
        projection.

    Raises
    ------
    RequestError
        If the name is malformed or the square is no tile.
    """
    _, west, north = tile_corner(name)
    north -= _FALSE_NORTHING if name[2] < "N" else 0.0
    corners = np.array([west, north]) + TILE * np.array([[0, 0], [1, 0], [1, -1], [0, -1]])
    x, y = subdivided(corners, np.full(4, 20)).T
    return np.column_stack(_projection(int(name[:2])).transform(x, y, direction="INVERSE"))


def tiles_touched(footprint: NDArray[np.float64] | GeographicBox) -> tuple[TouchedTile, ...]:
    """Tiles that a footprint covers at least in part.

    Parameters
    ----------
    footprint : ndarray of float64, shape (n, 2), or GeographicBox
        Longitudes and latitudes [degrees] of a simple ring in any order of rotation, closed or
        not, whose edges are the shortest lines on the ground; it may cross the antimeridian and
        holds no pole. Or a box, whose edges are parallels and meridians.

    Returns
    -------
    tuple of TouchedTile
        In alphabetical order. The fraction is that of the tile's area in its own projection; a
        tile covered by less than one pixel of 10 m is left out.

    Raises
    ------
    RequestError
        If the footprint is neither.
    """
    outline = footprint_outline(footprint)
    fractions: defaultdict[str, float] = defaultdict(float)
    for zone in _ZONES:
        for ring in _rings_in_zone(outline, zone):
            for name, fraction in _covered(ring, zone):
                fractions[name] += fraction
    return tuple(
        TouchedTile(name, min(fraction, 1.0))
        for name, fraction in sorted(fractions.items())
        if fraction >= _LEAST
    )


def _rings_in_zone(outline: NDArray[np.float64], zone: int) -> Iterator[NDArray[np.float64]]:
    """Project what of an outline can reach tiles of a zone; northings from the equator [m]."""
    west, east = outline[:, 0].min(), outline[:, 0].max()
    meridian = 6.0 * zone - 183.0
    first, last = (west - _REACH - meridian) / 360.0, (east + _REACH - meridian) / 360.0
    for turn in range(math.ceil(first), math.floor(last) + 1):
        centre = meridian + 360.0 * turn
        ring = clip_to_box(
            outline,
            west=centre - _REACH,
            east=centre + _REACH,
            south=-math.inf,
            north=math.inf,
        )
        if len(ring):
            # the cut itself runs along meridians, which the projection bends
            longitude, latitude = with_short_edges(ring, 1.0).T
            yield np.column_stack(_projection(zone).transform(longitude - 360.0 * turn, latitude))


def _covered(ring: NDArray[np.float64], number: int) -> Iterator[tuple[str, float]]:
    """Tiles of a zone with the fraction that a ring in its projection covers."""
    zone = _zone(number)
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    near = (zone.west < east) & (zone.west + TILE > west)
    near &= (zone.north > south) & (zone.north - TILE < north)
    for place in np.flatnonzero(near):
        left, top = zone.west[place], zone.north[place]
        part = clip_to_box(ring, west=left, south=top - TILE, east=left + TILE, north=top)
        yield zone.names[place], ring_area(part) / TILE**2


@cache
def _projection(zone: int) -> pyproj.Transformer:
    """UTM of a zone from degrees, with northings from the equator in both hemispheres."""
    return pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{32600 + zone}", always_xy=True)


@cache
def _zone(number: int) -> _Zone:
    """Name the tiles of a zone and find their corners.

    Letters of columns repeat every three zones, letters of rows every 2000 km, and they are moved
    by five in even zones.
    """
    columns = _COLUMNS[(number - 1) % 3]
    rows = _ROWS if number % 2 else _ROWS[5:] + _ROWS[:5]
    squares = {
        f"{number:02}{block.band}{columns[column - 1]}{rows[row % 20]}": (column, row)
        for block in _listed()
        if number in block.zones
        for row in block.rows
        for column in block.columns
    }
    place = np.array(list(squares.values()), dtype=np.float64)
    return _Zone(
        names=tuple(squares),
        west=np.floor(place[:, 0] * SQUARE / _SNAP) * _SNAP,
        north=np.ceil((place[:, 1] + 1.0) * SQUARE / _SNAP) * _SNAP,
        place={name: index for index, name in enumerate(squares)},
    )


@cache
def _listed() -> tuple[_Rows, ...]:
    """Read the list of tiles."""
    lines = [line.split() for line in _LIST.read_text(encoding="ascii").splitlines()]
    return tuple(
        _Rows(
            zones=frozenset(zone for part in zones.split(",") for zone in _range(part)),
            band=band,
            rows=_range(rows),
            columns=_range(columns),
        )
        for zones, band, rows, columns in (line for line in lines if line[0] != "#")
    )


def _range(text: str) -> range:
    """Read ``first:last`` or a single number."""
    first, _, last = text.partition(":")
    return range(int(first), int(last or first) + 1)
