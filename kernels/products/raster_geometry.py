"""The geometry of a raster file: reference system and geotransform, or tags of a radar grid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from osgeo import osr

from kernels.errors import InputError
from kernels.model import LookSide, MapGrid, RadarGrid, Shape

_RADAR_PREFIX = "RADAR_"

osr.UseExceptions()


def write_geometry(dataset: Any, grid: MapGrid | RadarGrid | None) -> None:
    """Write a geometry into a new GDAL data set; a geotransform has longitude or easting first.

    Parameters
    ----------
    dataset : osgeo.gdal.Dataset
        Just created.
    grid : MapGrid, RadarGrid or None
        None: nothing is written.
    """
    if isinstance(grid, RadarGrid):
        dataset.SetMetadata(dataset.GetMetadata() | radar_grid_tags(grid))
    if isinstance(grid, MapGrid):
        reference = osr.SpatialReference()
        reference.SetFromUserInput(grid.crs)
        dataset.SetSpatialRef(reference)
        dataset.SetGeoTransform(grid.geotransform)


def read_geometry(dataset: Any, name: str) -> MapGrid | RadarGrid | None:
    """Read the geometry of a GDAL data set.

    Parameters
    ----------
    dataset : osgeo.gdal.Dataset
        Open.
    name : str
        Of the file, for errors.

    Returns
    -------
    MapGrid, RadarGrid or None
        None where the file has neither.

    Raises
    ------
    InputError
        A map that is not north-up, or damaged tags.
    """
    shape = Shape(dataset.RasterYSize, dataset.RasterXSize)
    tags = dataset.GetMetadata()
    if f"{_RADAR_PREFIX}EPOCH" in tags:
        try:
            return _radar_grid(tags, shape)
        except (KeyError, ValueError) as error:
            raise InputError(f"{name} has damaged tags of the radar grid") from error
    transform = dataset.GetGeoTransform(can_return_null=True)
    reference = dataset.GetSpatialRef()
    if transform is None or reference is None:
        return None
    west, x_spacing, x_turn, north, y_turn, y_spacing = transform
    if x_turn or y_turn or x_spacing <= 0 or y_spacing >= 0:
        raise InputError(f"{name} must be a north-up raster")
    authority = reference.GetAuthorityName(None)
    code = f"{authority}:{reference.GetAuthorityCode(None)}"
    crs = code if authority else reference.ExportToWkt()
    return MapGrid(
        crs=crs, west=west, north=north, x_spacing=x_spacing, y_spacing=-y_spacing, shape=shape
    )


def radar_grid_tags(grid: RadarGrid) -> dict[str, str]:
    """Write a radar grid, but for its shape, as metadata tags; numbers keep every digit.

    Parameters
    ----------
    grid : RadarGrid
        Geometry.

    Returns
    -------
    dict of str to str
        By name of the tag.
    """
    tags = {
        "EPOCH": grid.epoch.isoformat(),
        "FIRST_LINE_TIME": repr(float(grid.first_line_time)),
        "LINE_INTERVAL": repr(float(grid.line_interval)),
        "FIRST_SLANT_RANGE": repr(float(grid.first_slant_range)),
        "SLANT_RANGE_SPACING": repr(float(grid.slant_range_spacing)),
        "WAVELENGTH": repr(float(grid.wavelength)),
        "LOOK_SIDE": grid.look_side.value,
    }
    if grid.bistatic_range is not None:
        tags["BISTATIC_RANGE"] = repr(float(grid.bistatic_range))
    return {_RADAR_PREFIX + name: value for name, value in tags.items()}


def _radar_grid(tags: Mapping[str, str], shape: Shape) -> RadarGrid:
    bistatic = tags.get(f"{_RADAR_PREFIX}BISTATIC_RANGE")
    return RadarGrid(
        epoch=datetime.fromisoformat(tags[f"{_RADAR_PREFIX}EPOCH"]),
        first_line_time=float(tags[f"{_RADAR_PREFIX}FIRST_LINE_TIME"]),
        line_interval=float(tags[f"{_RADAR_PREFIX}LINE_INTERVAL"]),
        first_slant_range=float(tags[f"{_RADAR_PREFIX}FIRST_SLANT_RANGE"]),
        slant_range_spacing=float(tags[f"{_RADAR_PREFIX}SLANT_RANGE_SPACING"]),
        shape=shape,
        wavelength=float(tags[f"{_RADAR_PREFIX}WAVELENGTH"]),
        look_side=LookSide(tags[f"{_RADAR_PREFIX}LOOK_SIDE"]),
        bistatic_range=None if bistatic is None else float(bistatic),
    )
