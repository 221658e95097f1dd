"""Digital elevation models: files put together over a box, above the ellipsoid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernels.errors import DemError
from kernels.model import Dem, GeographicBox
from kernels.products.dem_coverage import SEA_LATTICE, degree_name
from kernels.products.dem_mosaic import Frame, merge
from kernels.products.dem_tiles import PostGrid, find_tiles
from kernels.products.gdal_access import gdal_errors, gdal_module
from kernels.products.geoid import geoid_on_posts

HeightDatum = Literal["egm96", "ellipsoid"]
MissingPolicy = Literal["fail", "sea", "fill"]

_FILL_DISTANCE = 100
"""Posts over which a hole is interpolated; farther in, the nearest value is taken."""
_NAMED_DEGREES = 6
_SEA_ADVICE = (
    "SRTM and Copernicus have no tiles of open sea: dem_missing = sea takes sea level there,"
    " dem_missing = fill interpolates"
)


def load_dem(
    sources: Sequence[Path],
    box: GeographicBox,
    *,
    heights: HeightDatum,
    missing: MissingPolicy,
) -> Dem:
    """Put elevation files together over a box.

    The posts are those of the first source that has a file there (of its finest files, where
    their spacing differs): nothing is resampled that lies on the same lattice, so the surface
    between the posts stays what the files say. Files on another lattice fill in bilinearly.

    Parameters
    ----------
    sources : sequence of Path
        Files, or folders of them, the preferred one first: SRTM hgt or hgt.zip, Copernicus
        GLO-30 or GLO-90, GeoTIFF or VRT in any reference system.
    box : GeographicBox
        To cover [degrees]; two posts more are read on each side where there are any.
    heights : "egm96" or "ellipsoid"
        What the heights of the sources are above.
    missing : "fail", "sea" or "fill"
        What to do where no source has a value: raise, take sea level, or interpolate.

    Returns
    -------
    Dem
        Heights above the ellipsoid [m], finite everywhere, at posts that are pixel centres;
        its longitudes pass 180 where those of the box do.

    Raises
    ------
    DemError
        If a source or the geoid cannot be used, posts are missing under "fail", or no source
        has any value under "fill".
    """
    _check_box(box)
    frame = Frame.over(box, _target_lattice(sources, box, missing))
    surface, names = _gather(sources, frame)
    holes = np.isnan(surface)
    if holes.any():
        _close(surface, holes, frame, box, missing)
    if heights == "egm96":
        _raise_to_ellipsoid(surface, frame)
    elif missing == "sea":
        _raise_to_ellipsoid(surface, frame, only=holes)
    return Dem(
        heights=surface,
        west=frame.grid.west,
        north=frame.grid.north,
        longitude_step=frame.grid.longitude_step,
        latitude_step=frame.grid.latitude_step,
        filled=holes if holes.any() else None,
        sources=names,
    )


def _check_box(box: GeographicBox) -> None:
    west, south, east, north = box
    if not all(math.isfinite(side) for side in box):
        raise DemError(f"box must be finite, got {_shown(box)}")
    if not (-360.0 <= west < east <= 540.0 and east - west <= 360.0):
        raise DemError(
            f"box must run from west to east over at most 360 degrees, got {_shown(box)}"
        )
    if not -90.0 <= south < north <= 90.0:
        raise DemError(f"box must run from south to north within 90 degrees, got {_shown(box)}")


def _shown(box: GeographicBox) -> str:
    west, south, east, north = box
    return f"{west:.3f} to {east:.3f} E, {south:.3f} to {north:.3f} N"


def _target_lattice(
    sources: Sequence[Path], box: GeographicBox, missing: MissingPolicy
) -> PostGrid:
    """Lattice of the finest file of the first source that has one in the box."""
    for source in sources:
        if not source.exists():
            raise DemError(f"elevation model {source} does not exist")
    for source in sources:
        grids = [tile.grid for tile in find_tiles(source, box)]
        if grids:
            return min(grids, key=lambda grid: abs(grid.longitude_step * grid.latitude_step))
    if missing == "sea":
        return SEA_LATTICE
    raise DemError(f"elevation model has no file in the box {_shown(box)}; {_SEA_ADVICE}")


def _gather(sources: Sequence[Path], frame: Frame) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Heights that the sources have, NaN elsewhere, and the names of the files."""
    surface = np.full(frame.shape, np.nan, dtype=np.float32)
    names: list[str] = []
    for source in sources:
        if not np.isnan(surface).any():
            break
        names += merge(surface, frame, find_tiles(source, frame.box))
    return surface, tuple(dict.fromkeys(names))


def _close(
    surface: NDArray[np.float32],
    holes: NDArray[np.bool_],
    frame: Frame,
    box: GeographicBox,
    missing: MissingPolicy,
) -> None:
    """Give every hole a height, in place, or refuse those that the box needs."""
    if missing == "sea":
        surface[holes] = 0.0
        return
    if missing == "fail":
        _refuse_holes(holes, frame, box)
    _fill(surface, holes, box)


def _refuse_holes(holes: NDArray[np.bool_], frame: Frame, box: GeographicBox) -> None:
    rows, columns = frame.needed(box)
    lacking = holes[rows, columns]
    if not lacking.any():
        return
    names = _degrees(lacking, frame.latitudes[rows], frame.longitudes[columns])
    more = f" and {len(names) - _NAMED_DEGREES} more" if len(names) > _NAMED_DEGREES else ""
    raise DemError(
        f"elevation model lacks {100.0 * lacking.mean():.2g} percent of the box {_shown(box)}, in"
        f" {', '.join(names[:_NAMED_DEGREES])}{more}; {_SEA_ADVICE}"
    )


def _degrees(
    lacking: NDArray[np.bool_], latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]
) -> list[str]:
    """Names of the square degrees that hold a hole, as in N45E006."""
    souths, wests = np.floor(latitudes), np.floor(longitudes)
    names = []
    for south in np.unique(souths):
        columns = lacking[souths == south].any(axis=0)
        names += [degree_name(int(south), int(west)) for west in np.unique(wests[columns])]
    return names


def _fill(surface: NDArray[np.float32], holes: NDArray[np.bool_], box: GeographicBox) -> None:
    """Interpolate holes from their edges, in place; far inside, take the nearest value."""
    if holes.all():
        raise DemError(f"elevation model has no value at all in the box {_shown(box)}")
    gdal = gdal_module()
    from osgeo import gdal_array  # noqa: PLC0415 - gdal_module has told if it is missing

    with gdal_errors(DemError, "elevation model"):
        raster = gdal_array.OpenArray(surface)
        valid = gdal_array.OpenArray((~holes).astype(np.uint8))
        gdal.FillNodata(
            raster.GetRasterBand(1),
            valid.GetRasterBand(1),
            _FILL_DISTANCE,
            0,
            options=["TEMP_FILE_DRIVER=MEM"],
        )
        raster.FlushCache()
    left = np.isnan(surface)
    if left.any():
        from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - slow, seldom needed

        nearest = distance_transform_edt(left, return_distances=False, return_indices=True)
        surface[left] = surface[tuple(axis[left] for axis in nearest)]


def _raise_to_ellipsoid(
    surface: NDArray[np.float32], frame: Frame, *, only: NDArray[np.bool_] | None = None
) -> None:
    """Add the geoid to heights above it, in place; only where a mask says so, if given."""
    longitudes, latitudes = frame.longitudes, frame.latitudes
    for rows in frame.chunks():
        undulation = geoid_on_posts(longitudes, latitudes[rows]).astype(np.float32)
        np.add(
            surface[rows], undulation, out=surface[rows], where=True if only is None else only[rows]
        )
