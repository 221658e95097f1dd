"""The index of a datalake: what is found, what is whole, and what a second look costs."""

from __future__ import annotations

import os
import random
import shutil
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.areas import meet, read_area
from catalog.describing import Kind, State, describe
from catalog.errors import NotFoundError, QueryError, StorageError
from catalog.index import ProductIndex
from catalog.layouts import KNOWN_LAYOUTS, path_in, read_layout
from catalog.local import LocalCatalog
from catalog.model import Box, Query, Storage
from catalog.query import read_query
from catalog.scanning import scan, walk

GRD = "S1A_IW_GRDH_1SDV_20210105T060000_20210105T060025_036001_044EFC_{:04X}"
ORTHO = "s1a_sig_31TGL_vvvh_DES_139_20180720txxxxxx.tif"
MANIFEST = """<xfdu xmlns:safe="http://www.esa.int/safe/sentinel-1.0" xmlns:gml="http://www.opengis.net/gml">
<safe:startTime>2021-01-05T06:00:00.500000</safe:startTime>
<pass>DESCENDING</pass>
<gml:coordinates>{south},{west} {south},{east} {north},{east} {north},{west}</gml:coordinates>
<byteStream size="{size}"><fileLocation href="./measurement/a.tiff"/></byteStream></xfdu>"""


def manifest(west: float, south: float, size: int = 4) -> str:
    return MANIFEST.format(west=west, south=south, east=west + 1, north=south + 1, size=size)


def make_safe(folder: Path, number: int, west: float = 0.0, south: float = 0.0) -> Path:
    safe = folder / f"{GRD.format(number)}.SAFE"
    (safe / "measurement").mkdir(parents=True)
    (safe / "measurement/a.tiff").write_bytes(b"1234")
    (safe / "manifest.safe").write_text(manifest(west, south))
    return safe


def make_zip(folder: Path, number: int, west: float = 0.0, south: float = 0.0) -> Path:
    name = GRD.format(number)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.SAFE/manifest.safe", manifest(west, south))
        archive.writestr(f"{name}.SAFE/measurement/a.tiff", b"1234")
    return folder / f"{name}.zip"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "datalake"
    root.mkdir()
    return root


@pytest.fixture
def index(tmp_path: Path) -> ProductIndex:
    return ProductIndex(tmp_path / "index.sqlite")


def names(index: ProductIndex, query: Query) -> list[int]:
    return sorted(int(product.name[-4:], 16) for product in index.find(query))


def test_folders_archives_and_tiles(root: Path, index: ProductIndex) -> None:
    make_safe(root / "a/données", 1, west=10.0)
    make_zip(root / "b", 2, west=20.0)
    (root / ORTHO).write_bytes(b"II*\0")
    (root / "readme.zip").write_bytes(b"no product")
    report = scan(index, root)
    assert (report.added, report.partial, report.corrupt) == (3, 0, 0)
    (first,) = index.find(read_query(area="10.2,0.2,10.3,0.3"))
    assert first.name == GRD.format(1)
    assert (first.storage, first.platform, first.direction) == (Storage.LOCAL, "S1A", "descending")
    assert first.start == datetime(2021, 1, 5, 6, 0, 0, 500_000, tzinfo=UTC)
    assert first.path == root / f"a/données/{GRD.format(1)}.SAFE"
    assert names(index, read_query(area="10.2,0.2,20.3,0.3", product_type="GRD")) == [1, 2]
    assert names(index, read_query(area="10.2,0.2,20.3,0.3", product_type="SLC")) == []
    assert names(index, read_query(stop="2021-01-04")) == []
    assert names(index, read_query(start="2021-01-05", stop="2021-01-05")) == [1, 2]
    (tile,) = index.find(read_query(collection="S1-ORTHO", tile="31TGL", relative_orbit="139"))
    assert tile.path == root / ORTHO


def test_what_is_not_whole_is_told_and_not_offered(root: Path, index: ProductIndex) -> None:
    (make_safe(root, 1) / "measurement/a.tiff").write_bytes(b"123")
    (make_safe(root, 2) / "manifest.safe").unlink()
    (make_safe(root, 3) / "manifest.safe").write_text("<xfdu>")
    archive = make_zip(root, 4)
    archive.write_bytes(archive.read_bytes()[:-30])
    (root / ORTHO).write_bytes(b"<htm")
    (root / f".{GRD.format(5)}.zip").write_bytes(b"on its way")
    report = scan(index, root)
    assert (report.added, report.partial, report.corrupt) == (5, 2, 3)
    assert index.find(Query()) == []
    reasons = {path.name[-9:]: (state, reason) for path, state, reason in index.troubled()}
    assert reasons["0001.SAFE"] == (
        State.PARTIAL,
        "measurement/a.tiff missing or of another size",
    )
    assert reasons["0002.SAFE"] == (State.PARTIAL, "manifest.safe is not there")
    assert reasons["_0004.zip"][0] is State.CORRUPT
    (root / f"{GRD.format(1)}.SAFE/measurement/a.tiff").write_bytes(b"1234")
    scan(index, root)
    assert names(index, Query()) == [1]


def test_a_second_look_reads_what_has_changed(
    root: Path, index: ProductIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_zip(root, number)
    scan(index, root)
    read: list[Path] = []
    monkeypatch.setattr(
        "catalog.scanning.describe", lambda path, kind: read.append(path) or describe(path, kind)
    )
    make_zip(root, 2, west=50.0)
    os.utime(root / f"{GRD.format(2)}.zip", (time.time() + 5, time.time() + 5))
    (root / f"{GRD.format(3)}.zip").unlink()
    report = scan(index, root)
    assert read == [root / f"{GRD.format(2)}.zip"]
    assert (report.changed, report.unchanged, report.removed) == (1, 3, 1)
    assert names(index, read_query(area="50.1,0.1,50.2,0.2")) == [2]
    assert names(index, read_query(area="0.1,0.1,0.2,0.2")) == [0, 1, 4]


def test_links_are_not_followed(root: Path, index: ProductIndex, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    safe = make_safe(outside, 1)
    archive = make_zip(outside, 2)
    (root / safe.name).symlink_to(safe)
    (root / archive.name).symlink_to(archive)
    (root / "folder").symlink_to(outside)
    inner = make_safe(root, 3)
    shutil.rmtree(inner / "measurement")
    (inner / "measurement").mkdir()
    (inner / "measurement/a.tiff").symlink_to(safe / "measurement/a.tiff")
    (make_safe(root, 4) / "manifest.safe").unlink()
    (root / f"{GRD.format(4)}.SAFE/manifest.safe").symlink_to(safe / "manifest.safe")
    scan(index, root)
    assert index.find(Query()) == []
    assert path_in(root.resolve(), KNOWN_LAYOUTS["zip"], archive.stem) is None
    assert {found.path for found in walk(root, [])} == {
        str(root / f"{GRD.format(3)}.SAFE"),
        str(root / f"{GRD.format(4)}.SAFE"),
    }


def test_a_root_that_is_gone_keeps_its_products(root: Path, index: ProductIndex) -> None:
    make_zip(root, 1)
    scan(index, root)
    root.rename(root.with_name("unmounted"))
    with pytest.raises(NotFoundError):
        scan(index, root)
    assert names(index, Query()) == [1]
    assert list(LocalCatalog(index).search(Query())) == []  # but offers none that is not there


def test_any_box_finds_what_a_slow_search_finds(root: Path, index: ProductIndex) -> None:
    drawn = random.Random(1)
    places = [(drawn.uniform(-180, 179), drawn.uniform(-89, 88)) for _ in range(60)]
    places.append((179.5, 10.0))  # across the antimeridian
    for number, (west, south) in enumerate(places[:-1]):
        make_zip(root, number, west, south)
    crossing = make_zip(root, 60, 0.0, 10.0)
    text = manifest(179.5, 10.0).replace("180.5", "-179.5")
    with zipfile.ZipFile(crossing, "w") as archive:
        archive.writestr(f"{crossing.stem}.SAFE/manifest.safe", text)
        archive.writestr(f"{crossing.stem}.SAFE/measurement/a.tiff", b"1234")
    scan(index, root)
    for _ in range(40):
        west, south = drawn.uniform(-180, 179), drawn.uniform(-89, 80)
        east = west + drawn.uniform(0.1, 90.0)
        area = Box(west, south, east if east <= 180 else east - 360, south + 9.0)
        expected = [
            number
            for number, (x, y) in enumerate(places)
            if y <= area.north
            and y + 1 >= south
            and any(x + t <= east and x + 1 + t >= west for t in (0, 360, -360))
        ]
        assert names(index, Query(area=area)) == expected
    assert names(index, read_query(area="-179.9,10.2,-179.8,10.3")) == [60]
    triangle = read_area("POLYGON ((-180 -90, 180 -90, 180 90, -180 -90))")
    assert len(names(index, Query(area=triangle))) < 61


def test_names_are_found_by_layout(root: Path, index: ProductIndex) -> None:
    archive = make_zip(root / "2021/01/05/S1A", 7)
    catalog = LocalCatalog(index, roots=[root], layouts=[read_layout("peps")])
    (found,) = catalog.search(Query(names=(archive.stem,)))
    assert found.path == archive
    assert catalog.refresh(found).path == archive
    archive.unlink()
    with pytest.raises(NotFoundError):
        catalog.refresh(found)
    for text in ("{name", "{nme}.zip", "../{name}.zip", "/{name}.zip", "{year}"):
        with pytest.raises(QueryError):
            read_layout(text)


def test_a_file_that_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("text " * 1000)
    with pytest.raises(StorageError, match="index"):
        ProductIndex(tmp_path / "index")


@pytest.mark.shared_data
def test_real_metadata(shared_data: Path, index: ProductIndex) -> None:
    scan(index, shared_data)
    slices = index.find(read_query(product_type="GRD", start="2015-02-22", stop="2015-02-22"))
    assert slices == []  # their images were left out
    troubled = {path.stem: (state, reason) for path, state, reason in index.troubled()}
    name = "S1A_IW_SLC__1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B"
    assert troubled[name][0] is State.PARTIAL
    description = describe(shared_data / f"alps_iw_pair/{name}.SAFE", Kind.SAFE)
    product = description.product
    assert (product.relative_orbit, product.direction) == (15, "ascending")
    assert product.start == datetime(2019, 1, 1, 17, 15, 15, 131_516, tzinfo=UTC)
    assert product.footprint is not None
    assert meet(product.footprint, Box(8.0, 46.5, 8.1, 46.6))
    assert not meet(product.footprint, Box(6.0, 46.5, 6.1, 46.6))
    zipped = next((shared_data / "grd_slices").glob("*3768.zip"))
    assert describe(zipped, Kind.ZIP).product.relative_orbit == 117


@pytest.mark.shared_data
def test_real_terrasar(shared_data: Path, root: Path, index: ProductIndex) -> None:
    name = "TSX1_SAR__SSC______SM_S_SRA_20080310T133220_20080310T133228"
    folder = root / name
    (folder / "IMAGEDATA").mkdir(parents=True)
    shutil.copy(shared_data / f"tsx/{name}.xml", folder)
    report = scan(index, root)
    assert report.partial == 1
    (folder / "IMAGEDATA/IMAGE_HH_SRA_strip_011.cos").write_bytes(b"")
    scan(index, root)
    (product,) = index.find(read_query(collection="TSX", area="-112,36,-111.9,36.1"))
    assert (product.product_type, product.mode, product.polarisation) == ("SSC", "SM", "HH")
    assert (product.absolute_orbit, product.relative_orbit) == (4091, 83)
    assert product.direction == "descending"


def test_cosmo_skymed(root: Path, index: ProductIndex) -> None:
    h5py = pytest.importorskip("h5py")
    corners = {  # of a real product over Toulouse
        "Top Left": [43.6454, 1.5209, 0.0],
        "Top Right": [43.6600, 1.3970, 0.0],
        "Bottom Left": [43.5561, 1.4978, 0.0],
        "Bottom Right": [43.5727, 1.3737, 0.0],
    }
    name = "CSKS1_SCS_B_S2_01_HH_RD_SF_20110418180325_20110418180332.h5"
    with h5py.File(root / name, "w") as file:
        file.create_dataset("S01/QLK", data=[[1, 2]])
        image = file.create_dataset("S01/SBI", data=[[[1, 2]]])
        for corner, position in corners.items():
            image.attrs[f"{corner} Geodetic Coordinates"] = position
    scan(index, root)
    (product,) = index.find(read_query(collection="CSK", area="1.45,43.6,1.46,43.61"))
    assert (product.platform, product.mode) == ("CSKS1", "S2")
    assert index.find(read_query(collection="CSK", area="1.6,43.6,1.7,43.7")) == []
