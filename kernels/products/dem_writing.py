"""Elevation models as files: the heights that a computation used, and a mosaic of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kernels.engine.workspace import publish, scratch_folder
from kernels.model import Dem, MapGrid, Shape
from kernels.products.gdal_access import gdal_module
from kernels.products.raster import Compression, create_raster
from kernels.products.raster_writing import Writing


def save_dem(dem: Dem, path: Path, *, compression: Compression = "ZSTD") -> None:
    """Write an elevation model as a GeoTIFF of ellipsoidal heights.

    Parameters
    ----------
    dem : Dem
        Its posts become the pixel centres.
    path : Path
        Of the file.
    compression : "ZSTD", "DEFLATE", "LERC" or "NONE"
        Of the file.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    rows, columns = dem.heights.shape
    grid = MapGrid(
        crs="EPSG:4326",
        west=dem.west - 0.5 * dem.longitude_step,
        north=dem.north - 0.5 * dem.latitude_step,
        x_spacing=dem.longitude_step,
        y_spacing=-dem.latitude_step,
        shape=Shape(rows, columns),
    )
    tags = {"VERTICAL_DATUM": "WGS84 ellipsoid"}
    if dem.sources:
        tags["SOURCES"] = ", ".join(dem.sources)
    with create_raster(
        path, grid.shape, ["height"], grid=grid, tags=tags, units=["m"], compression=compression
    ) as writer:
        writer.write(0, dem.heights[None])


def save_mosaic(path: Path, rasters: Sequence[Path]) -> Path:
    """Write a VRT over rasters in its folder, which may be moved together with them.

    Parameters
    ----------
    path : Path
        Of the VRT.
    rasters : sequence of Path
        In the folder of the VRT; later ones cover earlier ones.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ProcessingError
        A raster cannot be read, or the file not be written.
    """
    gdal = gdal_module()
    with scratch_folder(path.parent) as scratch:
        beside = [scratch / raster.name for raster in rasters]
        for link, raster in zip(beside, rasters, strict=True):
            link.symlink_to(raster.resolve())
        partial = scratch / path.name
        with Writing(path):
            gdal.BuildVRT(str(partial), [str(link) for link in beside]).FlushCache()
        return publish(partial, path)
