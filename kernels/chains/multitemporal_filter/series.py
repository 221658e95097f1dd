"""The acquisitions of a series: which files, in which order, on one grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from kernels.chains.multitemporal_filter.files import Source, find_files
from kernels.chains.multitemporal_filter.names import Description, describe, filtered_name
from kernels.chains.multitemporal_filter.request import MultitemporalFilterRequest
from kernels.errors import InputError, RequestError
from kernels.model import MapGrid
from kernels.products.gdal_access import gdal_errors, gdal_module, open_raster
from kernels.products.raster import Compression
from kernels.products.raster_geometry import read_geometry

_NAMED = 8
"""Most tiles that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """One image of the series.

    Attributes
    ----------
    path : Path
        GeoTIFF.
    band : int
        Of the file, from 1.
    time : str
        Digits from the year on.
    missing : float
        Value of pixels without data in the result.
    holes : float or None
        Positive value that marks pixels without data in the file; 0 and NaN do always.
    tags : dict of str to str
        Metadata of the file; of this one polarisation.
    compression : "ZSTD", "DEFLATE", "LERC" or "NONE"
        Nearest to that of the file.
    optimized : bool
        Whether the file is a Cloud Optimized GeoTIFF.
    block_rows : int
        Rows of a block of the file.
    result : Path
        Filtered file, in the folder that this one has below the one given.
    """

    path: Path
    band: int
    time: str
    missing: float
    holes: float | None
    tags: dict[str, str]
    compression: Compression
    optimized: bool
    block_rows: int
    result: Path

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Acquisitions of one track and polarisation on one grid.

    Attributes
    ----------
    acquisitions : tuple of Acquisition
        In order of time.
    grid : MapGrid
        Of all of them.
    polarisation : str
        For example VV.
    relative_orbit : int
        1 to 175.
    calibration : str
        What the numbers are, where the files say it.
    name : str
        For files about the whole series.
    """

    acquisitions: tuple[Acquisition, ...]
    grid: MapGrid
    polarisation: str
    relative_orbit: int
    calibration: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a file tells, without keeping it open: there may be thousands."""

    source: Source
    description: Description
    grid: MapGrid
    tags: dict[str, str]
    missing: tuple[float | None, ...]
    compression: Compression
    optimized: bool
    block_rows: int

    @property
    def name(self) -> str:
        return self.source.path.name


def open_series(request: MultitemporalFilterRequest) -> Series:
    """Find the files of a request and check that they make a series.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        Names files or folders.

    Returns
    -------
    Series
        In order of time.

    Raises
    ------
    InputError
        No file, one that cannot be read or holds decibels, or files of several orbits, grids
        or calibrations.
    RequestError
        A file named twice, one that is not of the tile, polarisation or orbit asked for, or
        several tiles or polarisations to choose among.
    """
    found = [_open(source) for source in find_files(request)]
    kept = [item for item in found if item is not None and _wanted(item, request)]
    if not kept:
        names = ", ".join(path.name for path in request.series)
        raise InputError(f"series must hold at least one acquisition, got none in {names}")
    _check_one_tile(kept)
    first = kept[0].description
    polarisation = request.polarisation or _only_polarisation(kept)
    _check_same(kept)
    acquisitions = sorted(
        (_acquisition(item, polarisation) for item in kept), key=lambda a: (a.time, a.name)
    )
    _check_results(acquisitions)
    parts = (first.tile, polarisation.lower(), first.direction, f"{first.relative_orbit:03d}")
    return Series(
        acquisitions=tuple(acquisitions),
        grid=kept[0].grid,
        polarisation=polarisation,
        relative_orbit=first.relative_orbit,
        calibration=first.calibration,
        name="_".join(part for part in parts if part),
    )


def _open(source: Source) -> _Found | None:
    """Read all but the pixels; None of bytes in a folder, which are masks."""
    name = source.path.name
    dataset = open_raster(str(source.path), error=InputError, drivers=["GTiff"])
    bands = [dataset.GetRasterBand(number + 1) for number in range(dataset.RasterCount)]
    if gdal_module().GetDataTypeName(bands[0].DataType) == "Byte":
        if source.listed:
            raise InputError(f"{name} must hold linear intensities, got bytes")
        return None
    with gdal_errors(InputError, name):
        tags: dict[str, str] = dataset.GetMetadata()
        layout: dict[str, str] = dataset.GetMetadata("IMAGE_STRUCTURE")
        is_decibels = "db" in {band.GetUnitType().lower() for band in bands}
        if is_decibels or tags.get("SCALE") == "decibels":
            raise InputError(f"{name} must hold linear intensities, got decibels")
        description = describe(source.path, tags)
        grid = read_geometry(dataset, name)
    if not isinstance(grid, MapGrid):
        raise InputError(f"{name} must be a raster on a map")
    return _Found(
        source=source,
        description=description,
        grid=grid,
        tags=tags,
        missing=tuple(band.GetNoDataValue() for band in bands),
        compression=_nearest(layout.get("COMPRESSION")),
        optimized=layout.get("LAYOUT") == "COG",
        block_rows=bands[0].GetBlockSize()[1],
    )


def _nearest(packed: str | None) -> Compression:
    """Find the compression, of those that are written, that is nearest to one of GDAL's."""
    if packed is None:
        return "NONE"
    if packed.startswith("LERC"):
        return "LERC"
    return "DEFLATE" if packed in ("DEFLATE", "LZW") else "ZSTD"


def _wanted(item: _Found, request: MultitemporalFilterRequest) -> bool:
    """Tell whether a file is asked for; one named by itself must be."""
    is_tile = request.tile in (None, item.description.tile)
    is_polarisation = request.polarisation in (None, *item.description.polarisations)
    is_orbit = request.relative_orbit in (None, item.description.relative_orbit)
    listed = item.source.listed
    if listed and not is_tile:
        raise RequestError("tile", f"that of {item.name}", request.tile)
    if listed and not is_polarisation:
        raise RequestError("polarisation", f"of {item.name}", request.polarisation)
    if listed and not is_orbit:
        raise RequestError("relative_orbit", f"that of {item.name}", request.relative_orbit)
    return is_tile and is_polarisation and is_orbit


def _check_one_tile(kept: list[_Found]) -> None:
    held = sorted({item.description.tile for item in kept} - {""})
    if len(held) > 1:
        more = f" and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
        raise RequestError("tile", f"chosen among {', '.join(held[:_NAMED])}{more}", "nothing")


def _only_polarisation(kept: list[_Found]) -> str:
    held = sorted({p for item in kept for p in item.description.polarisations})
    if len(held) > 1:
        raise RequestError("polarisation", f"chosen among {', '.join(held)}", "nothing")
    return held[0]


def _check_same(kept: list[_Found]) -> None:
    """Refuse files that differ in what must be one."""
    first = kept[0]
    for other in kept[1:]:
        for what, one, two in (
            ("relative orbit", first.description.relative_orbit, other.description.relative_orbit),
            ("calibration", first.description.calibration, other.description.calibration),
            ("shape", tuple(first.grid.shape), tuple(other.grid.shape)),
            ("reference system", first.grid.crs, other.grid.crs),
            ("geotransform", first.grid.geotransform, other.grid.geotransform),
        ):
            if one != two:
                raise InputError(
                    f"series must be of one {what}, got {one} of {first.name} and {two} of "
                    f"{other.name}"
                )


def _acquisition(item: _Found, polarisation: str) -> Acquisition:
    position = item.description.polarisations.index(polarisation) + 1
    if position > len(item.missing):
        raise InputError(f"{item.name} must have a band for {polarisation}")
    declared = item.missing[position - 1]
    own = {"POLARIZATION": polarisation}
    is_alone = len(item.description.polarisations) == 1
    return Acquisition(
        path=item.source.path,
        band=position,
        time=item.description.time,
        missing=0.0 if declared is None else declared,
        holes=declared if declared and math.isfinite(declared) and declared > 0.0 else None,
        tags=own | item.tags if is_alone else item.tags | own,
        compression=item.compression,
        optimized=item.optimized,
        block_rows=item.block_rows,
        result=item.source.folder / filtered_name(item.source.path, polarisation),
    )


def _check_results(acquisitions: list[Acquisition]) -> None:
    seen: dict[str, Acquisition] = {}
    for item in acquisitions:
        other = seen.setdefault(item.result.name, item)
        if other is not item:
            raise RequestError("series", "files of different names", item.name)
