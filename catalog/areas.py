"""Areas: from texts, as boxes, and whether two of them meet.

Longitudes may go on beyond 180 degrees, or jump from 180 to -180, where an outline crosses the
antimeridian. Edges are straight in longitude and latitude. Holes of polygons are ignored: what lies
in one is found as well.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from catalog.errors import QueryError
from catalog.mgrs import tile_outline
from catalog.model import Box, Geometry, Query

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere of 6371 km."""

_AREA = "a box as west,south,east,north in degrees, or a point or polygons as GeoJSON or WKT"
_WKT = re.compile(r"(?:SRID=4326;)?\s*(POINT|POLYGON|MULTIPOLYGON)\s*Z?\s*(\(.*\))\s*", re.I | re.S)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_POSITION = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER})?")
_SHOWN = 100
"""Letters of a malformed text that an error repeats."""
_MALFORMED = (TypeError, ValueError, LookupError, OverflowError, AttributeError, RecursionError)
_TYPES = {"POINT": "Point", "POLYGON": "Polygon", "MULTIPOLYGON": "MultiPolygon"}

Ring = list[tuple[float, float]]
"""Longitudes and latitudes [degrees] of an outline without jumps; the last is the first."""


class Extent(NamedTuple):
    """Smallest and largest longitude and latitude of an outline [degrees], east beyond west."""

    west: float
    south: float
    east: float
    north: float


def read_area(text: str, *, argument: str = "area") -> Box | Geometry:
    """Read an area.

    Parameters
    ----------
    text : str
        Box (``west,south,east,north``; west larger than east across the antimeridian), GeoJSON
        (a geometry, a feature or a collection of features) or WKT.
    argument : str
        Name for errors.

    Returns
    -------
    Box or Geometry
        Box, or Point, Polygon or MultiPolygon.

    Raises
    ------
    QueryError
        It is none of these, or a coordinate is out of range.
    """
    bare = text.strip()
    match = _WKT.fullmatch(bare)
    if match is None and not bare.startswith("{"):
        return read_box(bare, argument=argument)
    try:
        found = _from_geojson(bare) if match is None else _from_wkt(match[1].upper(), match[2])
        return _checked(found, argument)
    except _MALFORMED as error:
        raise QueryError(argument, _AREA, text[:_SHOWN]) from error


def read_box(text: str, *, argument: str = "area") -> Box:
    """Read a box; QueryError where it is none."""
    numbers = read_numbers(text, argument=argument, count=4, rule=_AREA)
    return checked_box(Box(*numbers), argument=argument)


def checked_box(box: Box, *, argument: str = "area") -> Box:
    """Check a box.

    Parameters
    ----------
    box : Box
        To be checked.
    argument : str
        Name for errors.

    Returns
    -------
    Box
        The same.

    Raises
    ------
    QueryError
        A coordinate is out of range, or south is not below north.
    """
    shown = ",".join(map(str, box))
    if not all(-180.0 <= longitude <= 180.0 for longitude in (box.west, box.east)):
        raise QueryError(argument, "a box with longitudes of -180 to 180", shown)
    if not -90.0 <= box.south < box.north <= 90.0:
        raise QueryError(argument, "a box with south below north, both -90 to 90", shown)
    if box.west == box.east:
        raise QueryError(argument, "a box with different longitudes", shown)
    return box


def read_numbers(text: str, *, argument: str, count: int, rule: str) -> tuple[float, ...]:
    """Read so many finite numbers, between commas or blanks; QueryError with the rule otherwise."""
    try:
        numbers = tuple(float(part) for part in re.split(r"\s*,\s*|\s+", text.strip()))
    except ValueError as error:
        raise QueryError(argument, rule, text[:_SHOWN]) from error
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise QueryError(argument, rule, text[:_SHOWN])
    return numbers


def _from_geojson(text: str) -> Geometry:
    found = json.loads(text)
    if found["type"] == "FeatureCollection":
        parts = [feature["geometry"] for feature in found["features"]]
    else:
        parts = [found["geometry"] if found["type"] == "Feature" else found]
    if len(parts) == 1:
        return {"type": parts[0]["type"], "coordinates": parts[0]["coordinates"]}
    polygons: list[Any] = []
    for part in parts:
        if part["type"] not in ("Polygon", "MultiPolygon"):
            raise ValueError("only polygons may be several")
        several = part["type"] == "MultiPolygon"
        polygons += part["coordinates"] if several else [part["coordinates"]]
    return {"type": "MultiPolygon", "coordinates": polygons}


def _from_wkt(kind: str, body: str) -> Geometry:
    listed = _POSITION.sub(lambda found: f"[{float(found[1])},{float(found[2])}]", body)
    coordinates = json.loads(listed.replace("(", "[").replace(")", "]"))
    return {"type": _TYPES[kind], "coordinates": coordinates[0] if kind == "POINT" else coordinates}


def _checked(geometry: Geometry, argument: str) -> Geometry:
    """Return a geometry with plain numbers and closed rings."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return {"type": kind, "coordinates": _position(coordinates, argument)}
    if kind == "Polygon":
        return {"type": kind, "coordinates": _rings(coordinates, argument)}
    if kind == "MultiPolygon" and coordinates:
        return {"type": kind, "coordinates": [_rings(part, argument) for part in coordinates]}
    raise ValueError("another kind of geometry, or an empty one")


def footprint_or_none(value: object) -> Geometry | None:
    """Return a footprint that a catalogue tells; None where it is no polygon in longitudes."""
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        return _checked(value, "footprint")
    except (QueryError, *_MALFORMED):
        return None


def _rings(rings: Sequence[Any], argument: str) -> list[Any]:
    closed = []
    for ring in rings:
        positions = [_position(position, argument) for position in ring]
        if positions[0] != positions[-1]:
            positions.append(positions[0])
        if len(positions) < 4:
            raise QueryError(argument, "a polygon of three corners or more", len(positions) - 1)
        closed.append(positions)
    if not closed:
        raise QueryError(argument, "a polygon with an outline", "none")
    return closed


def _position(position: Sequence[Any], argument: str) -> list[float]:
    longitude, latitude = float(position[0]), float(position[1])
    if not (-360.0 <= longitude <= 360.0 and -90.0 <= latitude <= 90.0):
        rule = "longitude before latitude, in degrees, within range"
        raise QueryError(argument, rule, f"{longitude},{latitude}")
    return [longitude, latitude]


def area_of(query: Query) -> Box | Geometry | None:
    """Return where footprints must be: of a tile, an area or a point with its radius.

    Parameters
    ----------
    query : Query
        A place is left to the catalogue, which alone knows where it is.

    Returns
    -------
    Box or Geometry or None
        None: anywhere.
    """
    if query.tile:
        return tile_outline(query.tile)
    if query.area is not None:
        return query.area
    return None if query.point is None else box_around(*query.point, query.radius_m)


def box_around(longitude: float, latitude: float, radius_m: float) -> Box:
    """Return the box that holds a circle; all longitudes where it holds a pole."""
    reach = radius_m / METRES_PER_DEGREE
    south, north = latitude - reach, latitude + reach
    if south <= -90.0 or north >= 90.0:
        return Box(-180.0, max(south, -90.0), 180.0, min(north, 90.0))
    sideways = reach / math.cos(math.radians(max(abs(south), abs(north))))
    if sideways >= 180.0:
        return Box(-180.0, south, 180.0, north)
    return Box(_wrapped(longitude - sideways), south, _wrapped(longitude + sideways), north)


def _wrapped(longitude: float) -> float:
    return (longitude + 180.0) % 360.0 - 180.0 if abs(longitude) > 180.0 else longitude


def boxes_of(area: Box | Geometry) -> list[Box]:
    """Return boxes that hold an area and cross the antimeridian nowhere.

    Parameters
    ----------
    area : Box or Geometry
        Any.

    Returns
    -------
    list of Box
        One; two for each outline that crosses the antimeridian.
    """
    if isinstance(area, Box):
        return split_box(area)
    if area["type"] == "Point":
        longitude, latitude = area["coordinates"]
        return [Box(_wrapped(longitude), latitude, _wrapped(longitude), latitude)]
    found: list[Box] = []
    for ring in rings_of(area):
        extent = extent_of(ring)
        if extent.east - extent.west >= 360.0:
            found.append(Box(-180.0, extent.south, 180.0, extent.north))
        else:
            west = (extent.west + 180.0) % 360.0 - 180.0
            east = west + extent.east - extent.west
            box = Box(west, extent.south, east if east <= 180.0 else east - 360.0, extent.north)
            found += split_box(box)
    return found


def split_box(box: Box) -> list[Box]:
    """Split a box at the antimeridian; one box where it does not cross it."""
    if box.west <= box.east:
        return [box]
    parts = [box._replace(east=180.0), box._replace(west=-180.0)]
    return [part for part in parts if part.west < part.east]


def rings_of(area: Box | Geometry) -> list[Ring]:
    """Return the outlines of an area without jumps at the antimeridian; of a point, the point."""
    if isinstance(area, Box):
        west, south, east, north = area
        east += 360.0 if east < west else 0.0
        return [[(west, south), (east, south), (east, north), (west, north), (west, south)]]
    kind, coordinates = area["type"], area["coordinates"]
    if kind == "Point":
        return [[(float(coordinates[0]), float(coordinates[1]))]]
    polygons = [coordinates] if kind == "Polygon" else coordinates
    return [_without_jumps(polygon[0]) for polygon in polygons]


def _without_jumps(ring: Iterable[Sequence[float]]) -> Ring:
    found: Ring = []
    turn = 0.0
    for position in ring:
        longitude = float(position[0]) + turn
        if found and abs(longitude - found[-1][0]) > 180.0:
            step = 360.0 if longitude < found[-1][0] else -360.0
            turn += step
            longitude += step
        found.append((longitude, float(position[1])))
    return found


def extent_of(ring: Ring) -> Extent:
    """Return the smallest and largest coordinates of an outline."""
    longitudes, latitudes = zip(*ring, strict=True)
    return Extent(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def meet(one: Box | Geometry, other: Box | Geometry) -> bool:
    """Tell whether two areas have a point in common.

    Parameters
    ----------
    one, other : Box or Geometry
        Any, of simple outlines.

    Returns
    -------
    bool
        True also where they only touch.
    """
    others = rings_of(other)
    return any(_rings_meet(a, b) for a in rings_of(one) for b in others)


def _rings_meet(one: Ring, other: Ring) -> bool:
    here, there = extent_of(one), extent_of(other)
    if here.south > there.north or there.south > here.north:
        return False
    for turn in (0.0, 360.0, -360.0):
        if here.west <= there.east + turn and there.west + turn <= here.east:
            moved = [(x + turn, y) for x, y in other] if turn else other
            if _overlap(one, moved):
                return True
    return False


def _overlap(one: Ring, other: Ring) -> bool:
    if _holds(one, other[0]) or _holds(other, one[0]):
        return True
    sides = list(pairwise(other))
    return any(_cross(a, b, c, d) for a, b in pairwise(one) for c, d in sides)


def _holds(ring: Ring, point: tuple[float, float]) -> bool:
    """Tell whether a point lies in an outline, by the sides that a ray to the east crosses."""
    if len(ring) == 1:
        return ring[0] == point
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def _cross(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]
) -> bool:
    """Tell whether two segments have a point in common."""
    abc, abd, cda, cdb = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if abc * abd < 0.0 and cda * cdb < 0.0:
        return True
    touching = ((abc, a, b, c), (abd, a, b, d), (cda, c, d, a), (cdb, c, d, b))
    return any(side == 0.0 and _between(*points) for side, *points in touching)


def _side(a: tuple[float, float], b: tuple[float, float], p: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _between(a: tuple[float, float], b: tuple[float, float], p: tuple[float, float]) -> bool:
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])
