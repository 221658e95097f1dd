"""The state of a filtered series: sums and counts as a GeoTIFF, and what they are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kernels.chains.multitemporal_filter.request import MultitemporalFilterRequest
from kernels.chains.multitemporal_filter.series import Acquisition, Series
from kernels.errors import InputError
from kernels.products.gdal_access import gdal_errors, open_raster
from kernels.products.raster_geometry import read_geometry

_IMAGES = "FILTER_IMAGES"


@dataclass(frozen=True, slots=True)
class State:
    """Sums over acquisitions.

    Attributes
    ----------
    path : Path
        GeoTIFF of two images, see `state_pixels`.
    names : tuple of str
        Files that were added, in this order.
    """

    path: Path
    names: tuple[str, ...]


def state_name(series: Series) -> str:
    """Name the state of a series."""
    return f"{series.name}_state.tif"


def state_tags(
    series: Series, request: MultitemporalFilterRequest, names: Iterable[str]
) -> dict[str, str]:
    """Tags of a state; two states fit each other where all but the list of names agree."""
    sums = f"pixel over {request.window} x {request.window} mean"
    tags = {
        "FILTER_STATE": sums if request.method == "quegan" else "pixel",
        "POLARIZATION": series.polarisation,
        "RELATIVE_ORBIT_NUMBER": str(series.relative_orbit),
        "INPUT_IMAGES": json.dumps(list(names)),
    }
    return tags | ({"CALIBRATION": series.calibration} if series.calibration else {})


def read_state(path: Path, series: Series, request: MultitemporalFilterRequest) -> State:
    """Open a state and check that it fits the series and the filter.

    Parameters
    ----------
    path : Path
        Written by an earlier run.
    series : Series
        To be filtered.
    request : MultitemporalFilterRequest
        How.

    Returns
    -------
    State
        Fitting.

    Raises
    ------
    InputError
        Not a state, or one of another series or filter.
    """
    dataset = open_raster(str(path), error=InputError, drivers=["GTiff"])
    with gdal_errors(InputError, path.name):
        tags: Mapping[str, str] = dataset.GetMetadata()
        grid = read_geometry(dataset, path.name)
    if len(dataset.GetSubDatasets()) != 2 or "FILTER_STATE" not in tags:
        raise InputError(f"{path.name} must be a state written by multitemporal-filter")
    for name, wanted in state_tags(series, request, ()).items():
        if name != "INPUT_IMAGES" and tags.get(name) != wanted:
            raise InputError(f"{path.name} must be of {name} {wanted}, got {tags.get(name)}")
    if grid != series.grid:
        raise InputError(f"{path.name} must be on the grid of the series")
    try:
        names = tuple(map(str, json.loads(tags["INPUT_IMAGES"])))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path.name} must list its acquisitions") from error
    return State(path, names)


def find_state(
    folder_state: Path, series: Series, request: MultitemporalFilterRequest
) -> State | None:
    """Choose the state to start from.

    The folder's own state stands where it fits, holds nothing but the series (and the state
    that the request names), and no file that it holds was changed since.

    Parameters
    ----------
    folder_state : Path
        Where an earlier run in this folder left its state, if there was one.
    series : Series
        To be filtered.
    request : MultitemporalFilterRequest
        May name a state.

    Returns
    -------
    State or None
        The folder's, else that of the request, else None.

    Raises
    ------
    InputError
        The state that the request names does not fit.
    """
    given = None if request.state is None else read_state(request.state, series, request)
    if not folder_state.is_file():
        return given
    try:
        own = read_state(folder_state, series, request)
    except InputError:  # of another window or method: this run replaces it
        return given
    known = {a.name: a for a in series.acquisitions}
    before = set(given.names) if given else set()
    if not before <= set(own.names) <= before | set(known):
        return given
    written = own.path.stat().st_mtime_ns
    changed = any(known[n].path.stat().st_mtime_ns > written for n in own.names if n in known)
    return given if changed else own


def filter_tags(
    request: MultitemporalFilterRequest, acquisition: Acquisition, *, images: int
) -> dict[str, str]:
    """Tags that tell how a file was filtered, and with how many acquisitions."""
    return {
        "FILTER": request.method,
        "FILTER_WINDOW": f"{request.window} x {request.window}",
        "FILTER_LOOKS": "measured" if request.looks is None else f"{request.looks:g}",
        "FILTER_SOURCE": acquisition.name,
        _IMAGES: str(images),
    }


def is_filtered(path: Path, request: MultitemporalFilterRequest, acquisition: Acquisition) -> bool:
    """Tell whether a result is there, filtered in the way asked for, from the file as it is."""
    if not path.is_file() or path.stat().st_mtime_ns < acquisition.path.stat().st_mtime_ns:
        return False
    try:
        dataset = open_raster(str(path), error=InputError, drivers=["GTiff"])
    except InputError:
        return False
    tags: Mapping[str, str] = dataset.GetMetadata()
    wanted = filter_tags(request, acquisition, images=0)
    return all(tags.get(name) == value for name, value in wanted.items() if name != _IMAGES)


def filtered_images(path: Path) -> int:
    """Read with how many acquisitions a result was filtered; raises InputError."""
    dataset = open_raster(str(path), error=InputError, drivers=["GTiff"])
    return int(dataset.GetMetadataItem(_IMAGES) or 0)
