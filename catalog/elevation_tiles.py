"""Names of elevation tiles of one degree, and which of them a box needs.

SRTM (``N43E001.hgt``, ``N43E001.SRTMGL1.hgt.zip``) and Copernicus GLO-30 and GLO-90, as Cloud
Optimized GeoTIFFs (``Copernicus_DSM_COG_10_N43_00_E001_00_DEM.tif``, alone or in a folder of
that name) or as delivered (DGED: ``Copernicus_DSM_10_N43_00_E001_00``). A name is that of the
south-west corner.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from catalog.areas import checked_box
from catalog.errors import QueryError
from catalog.model import Box


class ElevationModel(StrEnum):
    """Global elevation models, the preferred one first."""

    GLO30 = "GLO-30"
    SRTM = "SRTM"
    GLO90 = "GLO-90"


class Corner(NamedTuple):
    """South-west corner of a tile [degrees]; west is -180 to 179."""

    south: int
    west: int

    @property
    def north_name(self) -> str:
        """Name of the latitude, for example N43 or S01."""
        return f"{'N' if self.south >= 0 else 'S'}{abs(self.south):02d}"

    @property
    def east_name(self) -> str:
        """Name of the longitude, for example E001 or W180."""
        return f"{'E' if self.west >= 0 else 'W'}{abs(self.west):03d}"

    def __str__(self) -> str:
        return f"{self.north_name}{self.east_name}"


class TileFile(NamedTuple):
    """A file with the heights of one tile."""

    model: ElevationModel
    corner: Corner
    path: Path


_SRTM = re.compile(r"([NS])(\d\d)([EW])(\d{3})(?:\.[\w-]+)*?\.hgt(?:\.zip)?", re.IGNORECASE)
_COPERNICUS = re.compile(
    r"Copernicus_DSM_(?:COG_)?(?P<step>10|30)_([NS])(\d\d)_00_([EW])(\d{3})_00(?P<rest>.*)"
)
_CORNER = re.compile(r"(?<![A-Za-z0-9])([NS])(\d\d)(?:_00_)?([EW])(\d{3})(?!\d)")
_STEPS = {"10": ElevationModel.GLO30, "30": ElevationModel.GLO90}
_STEM = {
    ElevationModel.GLO30: "Copernicus_DSM_COG_10_{north}_00_{east}_00_DEM",
    ElevationModel.GLO90: "Copernicus_DSM_COG_30_{north}_00_{east}_00_DEM",
    ElevationModel.SRTM: "{north}{east}",
}
_POSTS_PER_DEGREE = {ElevationModel.GLO30: 3600, ElevationModel.GLO90: 1200}
_ROWS_OF_SRTM = range(-56, 60)
"""Latitudes [degrees] that the shuttle saw."""
_COARSENINGS = ((50, 1.0), (60, 1.5), (70, 2.0), (80, 3.0), (85, 5.0), (91, 10.0))
"""By how much posts of Copernicus are wider than high, below a latitude [degrees]."""


def tile_name(model: ElevationModel, corner: Corner) -> str:
    """Return the name of a tile, without ending: that of the Cloud Optimized one."""
    return _STEM[model].format(north=corner.north_name, east=corner.east_name)


def has_tile(model: ElevationModel, corner: Corner) -> bool:
    """Tell whether a model reaches a latitude."""
    return model is not ElevationModel.SRTM or corner.south in _ROWS_OF_SRTM


def tiles_of(box: Box, model: ElevationModel) -> tuple[Corner, ...]:
    """Tell which tiles the heights over a box are taken from.

    Tiles of SRTM hold the posts on all their edges. Those of Copernicus, as Cloud Optimized
    GeoTIFFs, lack the eastern and the southern ones, so that a box that comes within a post of
    these edges needs the neighbour too.

    Parameters
    ----------
    box : Box
        [degrees]; across the antimeridian west is larger than east, or east larger than 180.
    model : ElevationModel
        Whose tiles.

    Returns
    -------
    tuple of Corner
        From north to south, and from west to east.

    Raises
    ------
    QueryError
        It is no box.
    """
    west, south, east, north = _unrolled(box)
    if model in _POSTS_PER_DEGREE:
        step = 1.0 / _POSTS_PER_DEGREE[model]
        farthest = max(abs(south), abs(north))
        south = max(south - step, -90.0)
        east += step * next(factor for limit, factor in _COARSENINGS if farthest < limit)
    souths, wests = _degrees(south, north), _degrees(west, east)
    columns = dict.fromkeys(_wrapped(west) for west in wests)
    return tuple(Corner(south, west) for south in reversed(souths) for west in columns)


def _unrolled(box: Box) -> Box:
    """Check a box and let its east be larger than its west."""
    if not all(math.isfinite(side) for side in box):
        raise QueryError("box", "finite", ",".join(map(str, box)))
    west, south, east, north = box
    if 180.0 < east <= 540.0 and -180.0 <= west < east <= west + 360.0:
        checked_box(Box(-180.0, south, 180.0, north), argument="box")
        return box
    checked_box(box, argument="box")
    return box if west < east else Box(west, south, east + 360.0, north)


def _degrees(low: float, high: float) -> range:
    """Return the whole degrees whose squares an interval enters."""
    return range(math.floor(low), math.ceil(high))


def _wrapped(west: int) -> int:
    """Return a longitude of -180 to 179 [degrees]."""
    return (west + 180) % 360 - 180


def find_tiles(folders: Iterable[Path], wanted: Collection[Corner]) -> Iterator[TileFile]:
    """Find elevation tiles in folders; other files are passed over.

    Parameters
    ----------
    folders : iterable of Path
        Those that do not exist hold none. Tiles lie in them, or in folders of their own names.
    wanted : collection of Corner
        Others are passed over.

    Yields
    ------
    TileFile
        In the order of the folders, and of the names.
    """
    for folder in folders:
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            named = [(entry, _tile_of_name(entry.name)) for entry in entries]
        found = [(entry.name, entry, tile) for entry, tile in named if tile and tile[1] in wanted]
        for _, entry, (model, corner) in sorted(found, key=itemgetter(0)):
            yield from (TileFile(model, corner, path) for path in _heights(entry))


def _tile_of_name(name: str) -> tuple[ElevationModel, Corner] | None:
    if (match := _SRTM.fullmatch(name)) is not None:
        return ElevationModel.SRTM, _corner(*match.groups())
    if (match := _COPERNICUS.fullmatch(name)) is not None:
        _, *corner, _ = match.groups()
        return _STEPS[match["step"]], _corner(*corner)
    return None


def _corner(north_or_south: str, latitude: str, east_or_west: str, longitude: str) -> Corner:
    south = int(latitude) * (1 if north_or_south.upper() == "N" else -1)
    west = int(longitude) * (1 if east_or_west.upper() == "E" else -1)
    return Corner(south, _wrapped(west))


def _heights(entry: os.DirEntry[str]) -> list[Path]:
    """Return the files of heights that an entry of a folder stands for."""
    path = Path(entry.path)
    if not entry.name.startswith("Copernicus"):
        return [path] if entry.is_file() else []
    if entry.is_dir():
        # beside the heights of a DGED folder lie masks and error maps
        return sorted([*path.glob("*_DEM.tif"), *path.glob("DEM/*_DEM.tif")])[:1]
    return [path] if entry.name.endswith("_DEM.tif") else []


def corners_in(text: str) -> frozenset[Corner]:
    """Read a provider's list of tiles: names with corners in them, in any layout."""
    return frozenset(_corner(*match.groups()) for match in _CORNER.finditer(text))
