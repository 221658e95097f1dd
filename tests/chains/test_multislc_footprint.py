"""Vector files of the ground of a series, and the elevation under it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, ogr

from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.multislc_series.footprint import write_footprint, write_scene_dem
from kernels.model import Dem
from kernels.products.raster import read_raster
from kernels.products.vectors import Polygon, write_polygons
from tests.series import Series


def opened(series: Series) -> tuple[tuple[SwathPair, ...], Dem]:
    request = series.request()
    swaths = open_pair(request, need_pixels=False)
    return swaths, load_pair_dem(request, swaths)


def features(path: Path) -> list[tuple[dict[str, object], ogr.Geometry]]:
    file = ogr.Open(str(path))
    layer = file.GetLayer(0)
    assert layer.GetSpatialRef().IsSame(_wgs84(layer))
    return [(one.items(), one.GetGeometryRef().Clone()) for one in layer]


def _wgs84(layer: ogr.Layer) -> object:
    system = layer.GetSpatialRef().Clone()
    system.ImportFromEPSG(4326)
    return system


def test_bursts_are_polygons_with_their_names(tops_series: Series, tmp_path: Path) -> None:
    swaths, dem = opened(tops_series)
    files = write_footprint(swaths, dem, tmp_path)
    assert {file.name for file in files} >= {"footprint.gpkg", "footprint.shp", "footprint.dbf"}
    assert sorted(tmp_path.iterdir()) == sorted(files)
    in_package, in_shapefile = features(files[0]), features(tmp_path / "footprint.shp")
    assert [one["burst"] for one, _ in in_package] == [1, 2]
    for one, ring in in_package:
        assert (one["swath"], one["polaris"]) == (swaths[0].reference.swath, "VV")
        assert one["product"] == tops_series.reference.stem
        assert ring.IsValid()
    assert [one["start"] for one, _ in in_package] == [one["start"] for one, _ in in_shapefile]
    for (_, one), (_, other) in zip(in_package, in_shapefile, strict=True):
        assert one.SymDifference(other).Area() < 1e-9


def test_tie_points_of_the_product_lie_in_the_footprint(
    stripmap_series: Series, tmp_path: Path
) -> None:
    """Those of the simulation, which knows nothing of our geometry."""
    swaths, dem = opened(stripmap_series)
    (_, ring), *_ = features(write_footprint(swaths, dem, tmp_path)[0])
    tie = swaths[0].reference.geolocation
    inside = [
        ring.Buffer(0.004).Contains(point(x, y))
        for x, y in zip(tie.longitudes, tie.latitudes, strict=True)
    ]
    assert all(inside)
    hull = ogr.Geometry(ogr.wkbMultiPoint)
    for x, y in zip(tie.longitudes, tie.latitudes, strict=True):
        hull.AddGeometry(point(x, y))
    assert ring.Area() == pytest.approx(hull.ConvexHull().Area(), rel=0.1)


def point(longitude: float, latitude: float) -> ogr.Geometry:
    found = ogr.Geometry(ogr.wkbPoint)
    found.AddPoint_2D(float(longitude), float(latitude))
    return found


def test_a_ring_over_the_antimeridian_is_cut_there(tmp_path: Path) -> None:
    ring = np.array([[179.0, -17.0], [181.0, -17.0], [181.0, -16.0], [179.0, -16.0]])
    (path,) = write_polygons(tmp_path / "a.gpkg", [Polygon(ring, {"name": "one", "number": 1})])
    ((values, found),) = features(path)
    assert values == {"name": "one", "number": 1}
    assert found.GetGeometryCount() == 2
    assert found.Area() == pytest.approx(2.0)
    assert found.GetEnvelope() == (-180.0, 180.0, -17.0, -16.0)


def test_equal_polygons_make_equal_files(tmp_path: Path) -> None:
    ring = np.array([[5.0, 45.0], [6.0, 45.0], [6.0, 46.0]])
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files = [
            file
            for ending in (".gpkg", ".shp")
            for file in write_polygons(tmp_path / name / f"f{ending}", [Polygon(ring, {"x": 0.5})])
        ]
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]


def test_the_elevation_as_used_moves_with_its_vrt(tops_series: Series, tmp_path: Path) -> None:
    _, dem = opened(tops_series)
    here = tmp_path / "here"
    here.mkdir()
    vrt, raster = write_scene_dem(dem, here)
    assert sorted(here.iterdir()) == sorted([vrt, raster])
    assert str(tmp_path) not in vrt.read_text(encoding="utf-8")
    shutil.move(here, tmp_path / "there")
    assert np.array_equal(read_raster(tmp_path / "there" / "dem_scene.vrt")[0][0], dem.heights)
    file = gdal.Open(str(tmp_path / "there" / "dem_scene.tif"))
    west, step, _, north, _, _ = file.GetGeoTransform()
    assert (west + 0.5 * step, step) == pytest.approx((dem.west, dem.longitude_step), abs=1e-9)
    assert north + 0.5 * dem.latitude_step == pytest.approx(dem.north, abs=1e-9)
    assert file.GetMetadataItem("SOURCES") == ", ".join(dem.sources)
    assert file.GetMetadataItem("VERTICAL_DATUM") == "WGS84 ellipsoid"
