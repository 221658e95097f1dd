"""Polygons on the ground in files of geographic information systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.workspace import publish, scratch_folder
from kernels.geometry.polygons import clip_to_box
from kernels.products.gdal_access import gdal_module
from kernels.products.raster_writing import Writing

Value = str | int | float

_FORMS: dict[str, tuple[str, list[str]]] = {
    ".gpkg": ("GPKG", []),
    ".shp": ("ESRI Shapefile", ["DBF_DATE_LAST_UPDATE=1970-01-01"]),
}
"""Drivers, and options of layers: no file tells when it was written."""
_WIDTH = 254
"""Longest text that a shapefile takes."""
_DATE = "OGR_CURRENT_DATE"
_NO_DATE = "1970-01-01T00:00:00Z"


class Polygon(NamedTuple):
    """A ring and what it stands for.

    Attributes
    ----------
    ring : ndarray of float64, shape (n, 2)
        Longitudes and latitudes [degrees], the longitudes continuous; it is closed by itself.
    values : mapping
        By name of the field, of 10 letters at most.
    """

    ring: NDArray[np.float64]
    values: Mapping[str, Value]


def write_polygons(path: Path, polygons: Sequence[Polygon]) -> tuple[Path, ...]:
    """Write polygons on the WGS84 ellipsoid; rings over the antimeridian are cut there.

    Parameters
    ----------
    path : Path
        Of the GeoPackage (.gpkg) or the shapefile (.shp); its stem names the layer.
    polygons : sequence of Polygon
        One or more, all with the same fields.

    Returns
    -------
    tuple of Path
        The file, and of a shapefile those beside it. Equal polygons make equal files.

    Raises
    ------
    ProcessingError
        The files cannot be written.
    """
    with scratch_folder(path.parent) as scratch:
        with Writing(path), _without_date():
            _write(scratch / path.name, polygons)
        made = sorted(scratch.iterdir(), key=lambda file: (file.suffix != path.suffix, file.name))
        return tuple(publish(file, path.with_name(file.name)) for file in made)


def _write(path: Path, polygons: Sequence[Polygon]) -> None:
    gdal = gdal_module()
    from osgeo import ogr, osr  # noqa: PLC0415 - gdal_module has told if it is missing

    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    system.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    driver, options = _FORMS[path.suffix]
    file = gdal.GetDriverByName(driver).Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    layer = file.CreateLayer(path.stem, system, ogr.wkbMultiPolygon, options)
    kinds = {str: ogr.OFTString, int: ogr.OFTInteger, float: ogr.OFTReal}
    for name, value in polygons[0].values.items():
        field = ogr.FieldDefn(name, kinds[type(value)])
        if isinstance(value, str):
            field.SetWidth(_WIDTH)
        layer.CreateField(field)
    for polygon in polygons:
        feature = ogr.Feature(layer.GetLayerDefn())
        for name, value in polygon.values.items():
            feature.SetField(name, value)
        feature.SetGeometry(_geometry(ogr, polygon.ring))
        layer.CreateFeature(feature)
    layer.SyncToDisk()
    file.FlushCache()


def _geometry(ogr: Any, ring: NDArray[np.float64]) -> Any:
    """Polygons of a ring, each between -180 and 180 degrees."""
    several = ogr.Geometry(ogr.wkbMultiPolygon)
    first = int(np.floor((ring[:, 0].min() + 180.0) / 360.0))
    last = int(np.ceil((ring[:, 0].max() + 180.0) / 360.0))
    for turn in range(first, max(last, first + 1)):
        west = 360.0 * turn - 180.0
        part = clip_to_box(ring, west=west, east=west + 360.0, south=-90.0, north=90.0)
        if len(part) == 0:
            continue
        line = ogr.Geometry(ogr.wkbLinearRing)
        for longitude, latitude in part:
            line.AddPoint_2D(longitude - 360.0 * turn, latitude)
        line.CloseRings()
        polygon = ogr.Geometry(ogr.wkbPolygon)
        polygon.AddGeometry(line)
        several.AddGeometry(polygon)
    return several


@contextmanager
def _without_date() -> Iterator[None]:
    """Write no time of writing into a GeoPackage."""
    gdal = gdal_module()
    before = gdal.GetThreadLocalConfigOption(_DATE, None)
    gdal.SetThreadLocalConfigOption(_DATE, _NO_DATE)
    try:
        yield
    finally:
        gdal.SetThreadLocalConfigOption(_DATE, before)
