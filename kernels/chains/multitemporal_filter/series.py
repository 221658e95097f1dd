"""The acquisitions of a series: which files, in which order, on one grid."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels.chains.multitemporal_filter.names import Description, describe, filtered_name
from kernels.chains.multitemporal_filter.request import MultitemporalFilterRequest
from kernels.errors import InputError, RequestError
from kernels.model import MapGrid
from kernels.products.gdal_access import gdal_errors, open_raster
from kernels.products.raster import Compression
from kernels.products.raster_geometry import read_geometry

_NO_ACQUISITION = re.compile(r"(\.|LIA_|quicklook).*|.*_(filtered|state|BorderMask|LayoverShadow)")
"""Names of other files that a folder of tiles holds, without their ends."""


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
        Metadata of the file.
    compression : "ZSTD", "DEFLATE" or "NONE"
        Nearest to that of the file.
    block_rows : int
        Rows of a block of the file.
    result : str
        Name of the filtered file.
    """

    path: Path
    band: int
    time: str
    missing: float
    holes: float | None
    tags: dict[str, str]
    compression: Compression
    block_rows: int
    result: str

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


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    listed: bool
    dataset: Any
    description: Description
    grid: MapGrid


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
        No file, one that cannot be read, or files of several orbits, polarisations, grids or
        calibrations.
    RequestError
        A file named twice, or one that is not of the polarisation or orbit asked for.
    """
    found = [_open(path, listed=listed) for path, listed in _files(request)]
    kept = [item for item in found if _wanted(item, request)]
    if not kept:
        names = ", ".join(path.name for path in request.series)
        raise InputError(f"series must hold at least one acquisition, got none in {names}")
    first = kept[0].description
    polarisation = request.polarisation or _only_polarisation(kept)
    _check_same(kept)
    acquisitions = sorted(
        (_acquisition(item, polarisation) for item in kept), key=lambda a: (a.time, a.name)
    )
    _check_results(acquisitions)
    tile, _, direction = first.place.partition("_")
    parts = (tile, polarisation.lower(), direction, f"{first.relative_orbit:03d}")
    return Series(
        acquisitions=tuple(acquisitions),
        grid=kept[0].grid,
        polarisation=polarisation,
        relative_orbit=first.relative_orbit,
        calibration=first.calibration,
        name="_".join(part for part in parts if part),
    )


def _files(request: MultitemporalFilterRequest) -> Iterator[tuple[Path, bool]]:
    """Files, and whether each was named by itself."""
    for path in request.series:
        if not path.is_dir():
            yield path, True
            continue
        for file in sorted(path.iterdir()):
            is_tiff = file.suffix.lower() in (".tif", ".tiff")
            if is_tiff and not _NO_ACQUISITION.fullmatch(file.stem):
                yield file, False


def _open(path: Path, *, listed: bool) -> _Found:
    dataset = open_raster(str(path), error=InputError, drivers=["GTiff"])
    with gdal_errors(InputError, path.name):
        description = describe(path, dataset.GetMetadata())
        grid = read_geometry(dataset, path.name)
        unit = dataset.GetRasterBand(1).GetUnitType()
    if not isinstance(grid, MapGrid):
        raise InputError(f"{path.name} must be a raster on a map")
    if unit.lower() == "db":
        raise InputError(f"{path.name} must hold linear intensities, got decibels")
    return _Found(path, listed, dataset, description, grid)


def _wanted(item: _Found, request: MultitemporalFilterRequest) -> bool:
    """Tell whether a file is asked for; one named by itself must be."""
    is_polarisation = request.polarisation in (None, *item.description.polarisations)
    is_orbit = request.relative_orbit in (None, item.description.relative_orbit)
    if item.listed and not is_polarisation:
        raise RequestError("polarisation", f"of {item.path.name}", request.polarisation)
    if item.listed and not is_orbit:
        raise RequestError("relative_orbit", f"that of {item.path.name}", request.relative_orbit)
    return is_polarisation and is_orbit


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
                    f"series must be of one {what}, got {one} of {first.path.name} and {two} of "
                    f"{other.path.name}"
                )


def _acquisition(item: _Found, polarisation: str) -> Acquisition:
    position = item.description.polarisations.index(polarisation) + 1
    dataset = item.dataset
    if position > dataset.RasterCount:
        raise InputError(f"{item.path.name} must have a band for {polarisation}")
    band = dataset.GetRasterBand(position)
    declared = band.GetNoDataValue()
    packed = dataset.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE")
    compression: Compression = "NONE" if packed is None else "ZSTD"
    if packed in ("DEFLATE", "LZW"):
        compression = "DEFLATE"
    return Acquisition(
        path=item.path,
        band=position,
        time=item.description.time,
        missing=0.0 if declared is None else declared,
        holes=declared if declared and math.isfinite(declared) and declared > 0.0 else None,
        tags=dataset.GetMetadata(),
        compression=compression,
        block_rows=band.GetBlockSize()[1],
        result=filtered_name(item.path, polarisation),
    )


def _check_results(acquisitions: list[Acquisition]) -> None:
    seen: dict[str, Acquisition] = {}
    for item in acquisitions:
        other = seen.setdefault(item.result, item)
        if other is not item:
            raise RequestError("series", "files of different names", item.name)
