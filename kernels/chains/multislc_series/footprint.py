"""The ground of a series as vector files, and the elevation under it as rasters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.footprint import on_terrain
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.engine.bands import Band
from kernels.errors import ProcessingError
from kernels.insar.mosaic import MISSING, Placement
from kernels.model import Dem
from kernels.products.dem_writing import save_dem, save_mosaic
from kernels.products.vectors import Polygon, Value, write_polygons

_LINES = 17
"""Of a burst whose ends are looked up."""
_POINTS = 16
"""Along its first and last line."""


def write_footprint(swaths: Sequence[SwathPair], dem: Dem, folder: Path) -> tuple[Path, ...]:
    """Write the ground of every burst as footprint.gpkg and footprint.shp.

    Parameters
    ----------
    swaths : sequence of SwathPair
        Whose references are meant; of a StripMap image one.
    dem : Dem
        Terrain under them.
    folder : Path
        Existing; receives the files.

    Returns
    -------
    tuple of Path
        The GeoPackage, the shapefile, and the files beside that.

    Raises
    ------
    ProcessingError
        No burst has ground on the elevation model, or a file cannot be written.
    """
    polygons = footprint_of(swaths, dem)
    if not polygons:
        raise ProcessingError("the chosen bursts hold no valid pixel on the elevation model")
    return tuple(
        file
        for ending in (".gpkg", ".shp")
        for file in write_polygons(folder / f"footprint{ending}", polygons)
    )


def footprint_of(swaths: Sequence[SwathPair], dem: Dem) -> tuple[Polygon, ...]:
    """Find the ground of every burst: the valid samples of the lines that are taken from it.

    Parameters
    ----------
    swaths : sequence of SwathPair
        Whose references are meant.
    dem : Dem
        Terrain under them.

    Returns
    -------
    tuple of Polygon
        With swath, polarisation, number of the burst, counted from 1 over all slices, time of
        the first line [UTC] and name of the first product. Bursts without any ground are absent.
    """
    polygons = []
    for swath in swaths:
        for placement in swath.layout.placements:
            ring = _ring(swath, placement, dem)
            if len(ring) < 3:
                continue
            image, grid = swath.reference, swath.layout.grid
            seconds = grid.first_line_time + placement.start * grid.line_interval
            start = grid.epoch + timedelta(seconds=seconds)
            values: dict[str, Value] = {
                "swath": image.swath,
                "polaris": image.polarisation,
                "burst": placement.burst.index + 1,
                "start": f"{start:%Y-%m-%dT%H:%M:%S.%f}Z",
                "product": (swath.reference_names or (image.name,))[0],
            }
            polygons.append(Polygon(ring, values))
    return tuple(polygons)


def _ring(swath: SwathPair, placement: Placement, dem: Dem) -> NDArray[np.float64]:
    """Longitudes and latitudes [degrees] around what a burst gives to its swath."""
    burst = placement.burst
    if burst.index == MISSING:
        return np.empty((0, 2))
    valid = placement.origin + np.flatnonzero(burst.first_valid_sample >= 0)
    valid = valid[(valid >= placement.start) & (valid < placement.stop)]
    if valid.size == 0:
        return np.empty((0, 2))
    lines = np.unique(np.linspace(valid[0], valid[-1], _LINES).astype(int))
    grounds = []
    for line in lines:
        first = int(burst.first_valid_sample[line - placement.origin])
        last = int(burst.last_valid_sample[line - placement.origin])
        found = on_terrain(swath, int(line), Band(first, last - first + 1), dem)
        known = found[:, np.isfinite(found[0])]
        if known.size:
            grounds.append(known)
    if not grounds:
        return np.empty((0, 2))
    ring = np.concatenate(
        [
            _thinned(grounds[0]),
            *(ground[:, -1:] for ground in grounds[1:-1]),
            _thinned(grounds[-1])[:, ::-1],
            *(ground[:, :1] for ground in reversed(grounds[1:-1])),
        ],
        axis=1,
    )
    return np.column_stack([np.unwrap(np.degrees(ring[0]), period=360.0), np.degrees(ring[1])])


def _thinned(ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take some of the points of a line, with both ends."""
    chosen = np.linspace(0, ground.shape[1] - 1, _POINTS).astype(int)
    return ground[:, np.unique(chosen)]


def write_scene_dem(dem: Dem, folder: Path) -> tuple[Path, Path]:
    """Write the elevation as it was used, and a VRT of DiapOTB's name over it.

    The VRT names its raster by the name alone, so that both can be moved together, and tells
    nothing of the folders that the elevation came from; the raster's metadata name the files.

    Parameters
    ----------
    dem : Dem
        Above the ellipsoid.
    folder : Path
        Existing; receives the files.

    Returns
    -------
    tuple of Path
        dem_scene.vrt and dem_scene.tif.

    Raises
    ------
    ProcessingError
        The files cannot be written.
    """
    raster = folder / "dem_scene.tif"
    save_dem(dem, raster)
    return save_mosaic(folder / "dem_scene.vrt", [raster]), raster
