"""The point or area that displacement is relative to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.regions import read_point, read_region
from kernels.errors import RequestError
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import heights_on_dem
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.unwrapped_map import Reference
from kernels.insar.unwrapping import Unwrapped
from kernels.model import Dem, GeographicBox, RadarGrid

_REACH = 2
"""Cells on each side of a reference point."""
_SPACING = 2e-4
"""Between the places that stand for an area [degrees]: about half a cell."""
_MOST_PLACES = 1500
"""On each side of an area."""


class FoundReference(NamedTuple):
    """The reference and what there is to say about it, for the report."""

    reference: Reference
    description: dict[str, object]
    warnings: tuple[str, ...]


def reference_outline(request: DinsarPairRequest) -> NDArray[np.float64]:
    """Longitudes and latitudes [degrees] of the point or the area's corners, shape (n, 2).

    Parameters
    ----------
    request : DinsarPairRequest
        As run.

    Returns
    -------
    ndarray of float64
        One row, four, or none where the median is the reference.
    """
    if request.reference_point is not None:
        return np.array([read_point(request.reference_point, argument="reference_point")])
    if request.reference_area is not None:
        west, south, east, north = read_region(request.reference_area, argument="reference_area")
        return np.array([(west, south), (east, south), (east, north), (west, north)])
    return np.empty((0, 2))


def check_reference(request: DinsarPairRequest, pairs: tuple[SwathPair, ...], dem: Dem) -> None:
    """Refuse a reference that is not on the ground of the pair, before pixels are read.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.

    Raises
    ------
    RequestError
        It is outside.
    """
    name, value = _given(request)
    if value is None:
        return
    for pair in pairs:
        if _cells(request, pair.layout.grid, pair.reference_orbit, dem).size:
            return
    raise RequestError(name, "on the ground of the interferogram", value)


def find_reference(
    request: DinsarPairRequest,
    unwrapped: Unwrapped,
    coherence: NDArray[np.float32],
    *,
    grid: RadarGrid,
    orbit: Orbit,
    dem: Dem,
) -> FoundReference:
    """Find the phase that displacement is relative to.

    Parameters
    ----------
    request : DinsarPairRequest
        Names a point, an area or nothing.
    unwrapped : Unwrapped
        In radar geometry.
    coherence : ndarray of float32, shape (rows, columns)
        Of the cells; NaN where there is no data.
    grid : RadarGrid
        Of the cells.
    orbit : Orbit
        Of the reference image.
    dem : Dem
        Terrain.

    Returns
    -------
    FoundReference
        Coherence-weighted mean around the point or over the area; else the median of the largest
        component.

    Raises
    ------
    RequestError
        The point or area is outside the data, or nowhere coherent.
    """
    name, value = _given(request)
    if value is None:
        median = float(np.median(unwrapped.phase[unwrapped.components == 1]))
        return FoundReference(
            Reference(phase=median, component=1),
            {"kind": "median of the largest component", "component": 1},
            (),
        )
    cells = _cells(request, grid, orbit, dem)
    if cells.size == 0:
        raise RequestError(name, "on the ground of the interferogram", value)
    inside = np.zeros(grid.shape, np.bool_)
    inside[cells[:, 0], cells[:, 1]] = True
    if not np.isfinite(coherence[inside]).any():
        raise RequestError(name, "where the interferogram has data", value)
    components = unwrapped.components[inside]
    if not components.any():
        mean = float(np.nanmean(coherence[inside]))
        rule = f"where the phase could be unwrapped, coherence is {mean:.2f} there"
        raise RequestError(name, rule, value)
    weights = np.where(components > 0, coherence[inside], np.float32(0.0)).astype(np.float64)
    component = int(np.argmax(np.bincount(components, weights)))
    weights[components != component] = 0.0
    known = weights > 0.0
    mean = float(np.average(unwrapped.phase[inside][known], weights=weights[known]))
    share = np.count_nonzero(unwrapped.components == component) / np.count_nonzero(
        unwrapped.components
    )
    warnings = []
    if component != 1:
        warnings.append(
            f"{name} lies in component {component} of the unwrapped phase, {100.0 * share:.1f} "
            "percent of it; displacement is known there alone"
        )
    description = {
        "kind": name.replace("_", " "),
        "component": component,
        "cells": int(known.sum()),
        "coherence": round(float(np.nanmean(coherence[inside])), 3),
    }
    return FoundReference(Reference(phase=mean, component=component), description, tuple(warnings))


def _given(request: DinsarPairRequest) -> tuple[str, str | None]:
    if request.reference_point is not None:
        return "reference_point", request.reference_point
    return "reference_area", request.reference_area


def _cells(
    request: DinsarPairRequest, grid: RadarGrid, orbit: Orbit, dem: Dem
) -> NDArray[np.int64]:
    """Rows and columns of the cells at the reference that are on a grid, shape (n, 2)."""
    outline = reference_outline(request)
    is_point = outline.shape[0] == 1
    box = GeographicBox(*outline.min(axis=0), *outline.max(axis=0))
    sides = [
        np.linspace(first, last, 1 if is_point else _places(last - first))
        for first, last in ((box.west, box.east), (box.south, box.north))
    ]
    longitudes, latitudes = (np.radians(side).reshape(-1) for side in np.meshgrid(*sides))
    heights = heights_on_dem(dem, longitudes, latitudes)
    known = np.isfinite(heights)
    points = geodetic_to_ecef(longitudes[known], latitudes[known], heights[known])
    times, ranges = ground_to_radar(orbit, points)
    places = np.stack([grid.line(times, ranges), grid.sample(ranges)], axis=-1)
    cells: NDArray[np.int64] = np.unique(np.rint(places).astype(np.int64), axis=0)
    cells = cells[((cells >= 0) & (cells < np.array(grid.shape))).all(axis=1)]
    if not is_point or cells.size == 0:
        return cells
    near = np.stack(np.meshgrid(*[np.arange(-_REACH, _REACH + 1)] * 2), axis=-1).reshape(-1, 2)
    around: NDArray[np.int64] = np.unique(
        np.clip(cells[0] + near, 0, np.array(grid.shape) - 1), axis=0
    )
    return around


def _places(extent: float) -> int:
    return int(np.clip(np.ceil(extent / _SPACING), 2, _MOST_PLACES))
