"""Elevation files, each seen as posts on a geographic grid.

SRTM ``.hgt`` (plain or zipped), Copernicus GLO-30 and GLO-90, and any raster that GDAL opens. A
post is the *centre* of a pixel.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kernels.errors import DemError
from kernels.model import GeographicBox, Shape
from kernels.products.gdal_access import gdal_errors, gdal_module, open_raster, read_window
from kernels.products.zips import ZIP_ERRORS

TURNS = (0.0, -360.0, 360.0)
"""Whole turns by which a tile may have to move to meet a box at the antimeridian [degrees]."""

_ALIGNMENT = 1e-3
_VOIDS = (-32768.0, -32767.0, -9999.0)
_RASTER_ENDINGS = (".tif", ".tiff", ".vrt")
_HGT = re.compile(r"([NS])(\d\d)([EW])(\d{3})(?:\.[\w-]+)*?\.hgt(?:\.zip)?", re.IGNORECASE)
_COPERNICUS = re.compile(r"Copernicus_DSM_(?:COG_)?\d\d_([NS])(\d\d)_00_([EW])(\d{3})_00_DEM.*")
_METRES_PER_DEGREE = 111_195.0
_WARP_ERROR = 0.01
"""Of positions, in pixels; GDAL's own default is 0.125."""

_WGS84_SEMI_MAJOR_AXIS = 6_378_137.0


class PostGrid(NamedTuple):
    """A lattice of posts in degrees; north and west are those of any one post."""

    west: float
    north: float
    longitude_step: float
    latitude_step: float

    def aligned(self, other: PostGrid, *, posts: int) -> bool:
        """Tell whether both lattices agree to a thousandth of a step over a number of posts."""
        steps = (
            (other.longitude_step - self.longitude_step) / self.longitude_step * posts,
            (other.latitude_step - self.latitude_step) / self.latitude_step * posts,
        )
        shifts = (
            (other.west - self.west) / self.longitude_step,
            (other.north - self.north) / self.latitude_step,
        )
        return all(abs(step) <= _ALIGNMENT for step in steps) and all(
            abs(shift - round(shift)) <= _ALIGNMENT for shift in shifts
        )


def box_of_posts(grid: PostGrid, shape: Shape) -> GeographicBox:
    """Return the box around posts that begin with the north-west one of a lattice."""
    return GeographicBox(
        west=grid.west,
        south=grid.north + (shape.lines - 1) * grid.latitude_step,
        east=grid.west + (shape.samples - 1) * grid.longitude_step,
        north=grid.north,
    )


class PostReader(Protocol):
    """Reads heights of a file."""

    def read(self, row: int, rows: int, column: int, columns: int) -> NDArray[np.float32]:
        """Read a window [m], NaN where the file has no value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One elevation file.

    Attributes
    ----------
    name : str
        Of the file.
    grid : PostGrid
        Whose north-west post is the first of the file.
    shape : Shape
        Rows and columns.
    reader : PostReader
        Of its heights.
    """

    name: str
    grid: PostGrid
    shape: Shape
    reader: PostReader

    @property
    def box(self) -> GeographicBox:
        """Box around the posts."""
        return box_of_posts(self.grid, self.shape)

    def meeting(self, box: GeographicBox) -> Iterator[Tile]:
        """Yield the tile at each whole turn of longitude where it touches a box."""
        for turn in TURNS:
            moved = replace(self, grid=self.grid._replace(west=self.grid.west + turn))
            if _touch(moved.box, box):
                yield moved


def _touch(one: GeographicBox, other: GeographicBox) -> bool:
    return (
        one.west <= other.east
        and other.west <= one.east
        and one.south <= other.north
        and other.south <= one.north
    )


def find_tiles(source: Path, box: GeographicBox) -> list[Tile]:
    """Tiles of a source that touch a box.

    Parameters
    ----------
    source : Path
        One file, or a folder of them; it exists.
    box : GeographicBox
        East may pass 180.

    Returns
    -------
    list of Tile
        In the order of the names; heights are read later.

    Raises
    ------
    DemError
        If a file cannot be used.
    """
    paths = [source]
    if source.is_dir():
        paths = [path for entry in sorted(source.iterdir()) for path in _candidates(entry, box)]
    return [tile for path in paths if _may_touch(path, box) for tile in _open(path).meeting(box)]


def _candidates(entry: Path, box: GeographicBox) -> list[Path]:
    """Elevation files that an entry of a folder stands for."""
    if entry.is_dir():
        if _COPERNICUS.fullmatch(entry.name) is None or not _may_touch(entry, box):
            return []
        return sorted([*entry.glob("*_DEM.tif"), *entry.glob("DEM/*_DEM.tif")])
    is_elevation = _HGT.fullmatch(entry.name) is not None or (
        entry.suffix.lower() in _RASTER_ENDINGS
        # beside GLO-30 heights lie masks and error maps of the same format
        and (not entry.name.startswith("Copernicus_DSM") or entry.stem.endswith("_DEM"))
    )
    return [entry] if is_elevation else []


def _corner(path: Path) -> tuple[int, int] | None:
    """Longitude and latitude of the south-west corner that a name states, if it does."""
    match = _HGT.fullmatch(path.name) or _COPERNICUS.fullmatch(path.name)
    if match is None:
        return None
    latitude = int(match[2]) * (1 if match[1].upper() == "N" else -1)
    longitude = int(match[4]) * (1 if match[3].upper() == "E" else -1)
    return longitude, latitude


def _may_touch(path: Path, box: GeographicBox) -> bool:
    """Tell by its name whether a file of one degree can touch a box; unknown names may."""
    corner = _corner(path)
    if corner is None:
        return True
    west, south = corner
    return any(
        _touch(GeographicBox(west + turn, south, west + 1 + turn, south + 1), box) for turn in TURNS
    )


def _open(path: Path) -> Tile:
    corner = _corner(path)
    if corner is not None and _HGT.fullmatch(path.name) is not None:
        return _open_hgt(path, *corner)
    return _open_raster(path)


@dataclass(frozen=True, slots=True)
class _HgtReader:
    """Reads an SRTM file: big-endian int16, a square of posts; a zip is read whole each time."""

    path: Path
    member: str | None
    posts: int

    def read(self, row: int, rows: int, column: int, columns: int) -> NDArray[np.float32]:
        with _hgt_errors(self.path):
            values = self._values().reshape(self.posts, self.posts)
        window = values[row : row + rows, column : column + columns]
        return _without_voids(window.astype(np.float32), None)

    def _values(self) -> NDArray[np.int16]:
        if self.member is None:
            return np.memmap(self.path, dtype=">i2", mode="r")
        with zipfile.ZipFile(self.path) as archive:
            return np.frombuffer(archive.read(self.member), dtype=">i2")


@contextmanager
def _hgt_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (*ZIP_ERRORS, ValueError) as error:
        raise DemError(f"{path.name} cannot be read") from error


def _open_hgt(path: Path, west: int, south: int) -> Tile:
    """Open an SRTM file, whose posts lie on both edges of its degree."""
    member = None
    with _hgt_errors(path):
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = [n for n in archive.infolist() if n.filename.lower().endswith(".hgt")]
            if len(members) != 1:
                raise DemError(f"{path.name} must hold one hgt file, got {len(members)}")
            member, size = members[0].filename, members[0].file_size
        else:
            size = path.stat().st_size
    posts = math.isqrt(size // 2)
    if posts < 2 or 2 * posts * posts != size:
        raise DemError(f"{path.name} must be a square of posts of 2 bytes, got {size} bytes")
    step = 1.0 / (posts - 1)
    return Tile(
        name=path.name,
        grid=PostGrid(float(west), south + 1.0, step, -step),
        shape=Shape(posts, posts),
        reader=_HgtReader(path, member, posts),
    )


@dataclass(frozen=True, slots=True)
class _GdalReader:
    """Reads the first band of an open dataset."""

    dataset: Any
    name: str

    def read(self, row: int, rows: int, column: int, columns: int) -> NDArray[np.float32]:
        heights = np.empty((rows, columns), dtype=np.float32)
        read_window(self.dataset, heights, row=row, column=column, name=self.name, error=DemError)
        return _without_voids(heights, self.dataset.GetRasterBand(1).GetNoDataValue())


def _without_voids(heights: NDArray[np.float32], nodata: float | None) -> NDArray[np.float32]:
    """Set what stands for no value to NaN, in place."""
    heights[~np.isfinite(heights)] = np.nan
    for void in _VOIDS if nodata is None else (*_VOIDS, nodata):
        heights[heights == np.float32(void)] = np.nan
    return heights


def _open_raster(path: Path) -> Tile:
    """Open any raster; one that is not geographic and north-up is warped to geographic."""
    dataset = open_raster(str(path), error=DemError)
    reference = dataset.GetSpatialRef()
    unit = dataset.GetRasterBand(1).GetUnitType().lower()
    if reference is None:
        raise DemError(f"{path.name} has no coordinate reference system")
    if unit not in {"", "m", "metre", "metres", "meter", "meters"}:
        raise DemError(f"{path.name} must hold heights in metres, got {unit}")
    if not _is_geographic(dataset, reference):
        with gdal_errors(DemError, path.name):
            dataset = _warped(dataset, reference)
    west, longitude_step, _, north, _, latitude_step = dataset.GetGeoTransform()
    return Tile(
        name=path.name,
        grid=PostGrid(
            west + 0.5 * longitude_step, north + 0.5 * latitude_step, longitude_step, latitude_step
        ),
        shape=Shape(dataset.RasterYSize, dataset.RasterXSize),
        reader=_GdalReader(dataset, path.name),
    )


def _is_geographic(dataset: Any, reference: Any) -> bool:
    """Tell whether pixels are on a north-up geographic grid whose datum is WGS84 or a twin.

    ETRS89 and NAD83 share the size of the ellipsoid and stay within two metres of WGS84.
    """
    _, longitude_step, row_rotation, _, column_rotation, latitude_step = dataset.GetGeoTransform()
    north_up = row_rotation == column_rotation == 0.0 and longitude_step > 0.0 > latitude_step
    same_size = abs(reference.GetSemiMajor() - _WGS84_SEMI_MAJOR_AXIS) < 0.5
    return bool(reference.IsGeographic()) and north_up and same_size


def _warped(dataset: Any, reference: Any) -> Any:
    """Return a dataset on geographic pixels as large as those on the ground, computed when read."""
    gdal = gdal_module()
    # only positions are transformed: heights keep their datum, which the caller states
    horizontal = reference.Clone()
    horizontal.DemoteTo2D(None)
    options = {
        "format": "VRT",
        "srcSRS": horizontal,
        "dstSRS": "EPSG:4326",
        "resampleAlg": "bilinear",
        "errorThreshold": _WARP_ERROR,
        # plain bilinear: a kernel widened by the ratio of the pixels moves heights by 0.1 pixel
        "warpOptions": ["XSCALE=1", "YSCALE=1"],
        "outputType": gdal.GDT_Float32,
        "dstNodata": float("nan"),
    }
    transform = dataset.GetGeoTransform()
    latitude_step = math.sqrt(abs(transform[1] * transform[5] - transform[2] * transform[4]))
    narrowing = 1.0
    if not reference.IsGeographic():
        latitude_step *= reference.GetLinearUnits() / _METRES_PER_DEGREE
        proposal = gdal.Warp("", dataset, **options)
        _, _, _, north, _, step = proposal.GetGeoTransform()
        middle = north + 0.5 * proposal.RasterYSize * step
        narrowing = max(math.cos(math.radians(middle)), 0.01)
    return gdal.Warp("", dataset, xRes=latitude_step / narrowing, yRes=latitude_step, **options)
