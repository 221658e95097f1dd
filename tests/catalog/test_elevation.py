"""Which elevation tiles a box gets, from folders and from stores over real sockets."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog.download import Downloader
from catalog.elevation import ChosenElevation, ElevationProvider, elevation_for
from catalog.elevation_tiles import Corner, ElevationModel, corners_in, tile_name, tiles_of
from catalog.errors import (
    CancelledError,
    IntegrityError,
    NotFoundError,
    QueryError,
    UnreachableError,
)
from catalog.geoid_file import cut_off, geoid_file_for
from catalog.model import Box
from catalog.progress import Progress
from kernels.model import GeographicBox
from kernels.products.dem import load_dem
from tests.catalog.fetching import QUICK, names_in
from tests.catalog.scripted import Fault, Server, serving, zip_of
from tests.catalog.scripted.bucket import ScriptedBucket

GLO30, SRTM, GLO90 = ElevationModel

TOULOUSE = Box(1.2, 43.2, 1.8, 43.8)
FOIX = Box(1.2, 42.5, 1.8, 43.5)
"""Of N42E001 and N43E001."""
TIFF = b"II*\0" + bytes(200)


def _glo(corner: str, metres: int = 30) -> str:
    step = {30: 10, 90: 30}[metres]
    return f"Copernicus_DSM_COG_{step}_{corner[:3]}_00_{corner[3:]}_00_DEM"


def _square(height: int = 100) -> bytes:
    return np.full((3, 3), height, dtype=">i2").tobytes()


@pytest.mark.parametrize(
    ("box", "names"),
    [
        (TOULOUSE, "N43E001"),
        (Box(-74.1, 40.6, -73.9, 40.8), "N40W075 N40W074"),
        (Box(-58.6, -34.7, -58.3, -34.5), "S35W059"),
        (Box(151.1, -34.05, 151.3, -33.8), "S34E151 S35E151"),
        (Box(-0.1, -0.1, 0.1, 0.1), "N00W001 N00E000 S01W001 S01E000"),
        (Box(179.5, -17.2, -179.5, -16.5), "S17E179 S17W180 S18E179 S18W180"),
        (Box(179.5, -16.8, 180.5, -16.5), "S17E179 S17W180"),
        (Box(-180.0, -16.8, -179.9, -16.5), "S17W180"),
        (Box(25.2, 89.5, 25.5, 90.0), "N89E025"),
        (Box(25.2, -90.0, 25.5, -89.5), "S90E025"),
    ],
)
@pytest.mark.parametrize("model", list(ElevationModel))
def test_tiles_of_a_box(model: ElevationModel, box: Box, names: str) -> None:
    assert " ".join(map(str, tiles_of(box, model))) == names


@pytest.mark.parametrize(
    ("box", "model", "names"),
    [
        # SRTM has its posts on all four edges, Copernicus on the northern and western ones
        (Box(1.0, 43.0, 2.0, 44.0), SRTM, "N43E001"),
        (Box(1.0, 43.0, 2.0, 44.0), GLO30, "N43E001 N43E002 N42E001 N42E002"),
        (Box(1.0, 43.0003, 1.9997, 44.0), GLO30, "N43E001"),
        (Box(1.0, 43.0003, 1.9997, 44.0), GLO90, "N43E001 N43E002 N42E001 N42E002"),
        # beyond 60 degrees posts are twice as wide as high
        (Box(24.2, 60.3, 24.9996, 60.5), GLO30, "N60E024 N60E025"),
        (Box(24.2, 40.3, 24.9996, 40.5), GLO30, "N40E024"),
        (Box(179.5, -16.8, 180.0, -16.5), SRTM, "S17E179"),
        (Box(179.5, -16.8, 180.0, -16.5), GLO30, "S17E179 S17W180"),
    ],
)
def test_edges_of_tiles(box: Box, model: ElevationModel, names: str) -> None:
    assert " ".join(map(str, tiles_of(box, model))) == names


@pytest.mark.parametrize(
    "box",
    [
        Box(1.0, 44.0, 2.0, 43.0),
        Box(1.0, 43.0, 1.0, 44.0),
        Box(1.0, 43.0, 2.0, 91.0),
        Box(-181.0, 43.0, 2.0, 44.0),
        Box(170.0, 43.0, 541.0, 44.0),
        Box(1.0, float("nan"), 2.0, 44.0),
    ],
)
def test_what_is_no_box_is_refused(box: Box) -> None:
    with pytest.raises(QueryError):
        tiles_of(box, GLO30)


def test_names_of_tiles() -> None:
    assert tile_name(GLO30, Corner(43, 1)) == "Copernicus_DSM_COG_10_N43_00_E001_00_DEM"
    assert tile_name(GLO90, Corner(-17, -180)) == "Copernicus_DSM_COG_30_S17_00_W180_00_DEM"
    assert tile_name(SRTM, Corner(-1, 0)) == "S01E000"


def test_lists_of_tiles() -> None:
    listed = (
        "Copernicus_DSM_COG_10_N43_00_E001_00_DEM\r\nS17W180.SRTMGL1.hgt.zip\n"
        "tiles of 2021: XN44E001, N4E01, N45E0011\n"
    )
    assert corners_in(listed) == {Corner(43, 1), Corner(-17, -180)}


LAYOUTS = [
    "N43E001.hgt",
    "n43e001.hgt",
    "N43E001.SRTMGL1.hgt.zip",
    "N43E001.SRTMGL3.hgt.zip",
    "Copernicus_DSM_COG_10_N43_00_E001_00_DEM.tif",
    "Copernicus_DSM_COG_30_N43_00_E001_00_DEM.tif",
    "Copernicus_DSM_COG_10_N43_00_E001_00_DEM/Copernicus_DSM_COG_10_N43_00_E001_00_DEM.tif",
    "Copernicus_DSM_10_N43_00_E001_00_DEM.tif",
    "Copernicus_DSM_10_N43_00_E001_00/DEM/Copernicus_DSM_10_N43_00_E001_00_DEM.tif",
]


@pytest.mark.parametrize("name", LAYOUTS)
def test_tile_is_found_in_every_layout(tmp_path: Path, name: str) -> None:
    path = tmp_path / "second" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(TIFF)
    mask = path.with_name(path.name.replace("_DEM", "_EDM"))
    mask.write_bytes(TIFF)
    (tmp_path / "second" / "readme.txt").write_text("N43E001")
    folders = [tmp_path / "nowhere", tmp_path / "second"]
    assert elevation_for(TOULOUSE, folders) == ChosenElevation(paths=(path,))


def test_finer_models_go_first(tmp_path: Path) -> None:
    for name in LAYOUTS[:1] + LAYOUTS[4:6]:
        (tmp_path / name).write_bytes(TIFF)
    assert elevation_for(TOULOUSE, [tmp_path]).paths == (tmp_path / LAYOUTS[4],)
    (tmp_path / LAYOUTS[4]).unlink()
    assert elevation_for(TOULOUSE, [tmp_path]).paths == (tmp_path / LAYOUTS[0],)


@pytest.mark.parametrize(
    "box", [Box(-0.4, -0.4, 0.4, 0.4), Box(179.5, -17.2, 180.5, -16.5), Box(1.0, 43.0, 2.0, 44.0)]
)
def test_reader_needs_no_more_than_what_is_chosen(tmp_path: Path, box: Box) -> None:
    for south in (-18, -17, -1, 0, 42, 43, 44):
        for west in (-180, -1, 0, 1, 2, 179):
            (tmp_path / f"{Corner(south, west)}.hgt").write_bytes(_square())
    chosen = elevation_for(box, [tmp_path])
    dem = load_dem(chosen.paths, GeographicBox(*box), heights="ellipsoid", missing="fail")
    assert set(dem.sources) == {path.name for path in chosen.paths}


def test_missing_tiles_are_an_error_or_a_note(tmp_path: Path) -> None:
    (tmp_path / "N43E001.hgt").write_bytes(_square())
    with pytest.raises(NotFoundError, match="N42E001"):
        elevation_for(FOIX, [tmp_path])
    chosen = elevation_for(FOIX, [tmp_path], missing="note")
    assert chosen == ChosenElevation(
        paths=(tmp_path / "N43E001.hgt",),
        missing=("N42E001",),
        notes=("elevation tiles are missing: N42E001",),
    )


@pytest.fixture(scope="module")
def _bucket() -> Iterator[Server]:
    with serving(ScriptedBucket()) as server:
        yield server


@pytest.fixture
def bucket(_bucket: Server) -> Server:
    """An empty store."""
    _bucket.provider.reset()
    return _bucket


def _offer(bucket: Server, *corners: str, metres: int = 30) -> None:
    for corner in corners:
        name = _glo(corner, metres)
        bucket.provider.put(f"{name}/{name}.tif", TIFF)


def _glo30(bucket: Server, **options: object) -> ElevationProvider:
    return ElevationProvider(name="glo30", model=GLO30, address=bucket.address, **options)


def _fetch(
    folder: Path, *providers: ElevationProvider, box: Box = FOIX, **options: object
) -> ChosenElevation:
    return elevation_for(box, [folder], providers, downloader=Downloader(QUICK), **options)


def test_missing_tiles_are_fetched(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, "N42E001", "N43E001")
    local = tmp_path / f"{_glo('N43E001')}.tif"
    local.write_bytes(TIFF)
    chosen = _fetch(tmp_path, _glo30(bucket))
    brought = tmp_path / f"{_glo('N42E001')}.tif"
    assert chosen == ChosenElevation(paths=(brought, local), fetched=(brought,))
    assert names_in(tmp_path) == [brought.name, local.name]
    bucket.log.clear()
    assert _fetch(tmp_path, _glo30(bucket)).fetched == ()
    assert bucket.log == []


def test_what_no_list_has_is_sea(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, "N43E001")
    bucket.provider.put("tileList.txt", f"{_glo('N43E001')}\r\n".encode())
    chosen = _fetch(tmp_path, _glo30(bucket, tile_list="tileList.txt"))
    assert chosen.sea == ("N42E001",)
    assert chosen.notes == ("no elevation tiles, open sea: N42E001",)
    asked = {seen.product for seen in bucket.log}
    assert asked == {"tileList.txt", f"{_glo('N43E001')}/{_glo('N43E001')}.tif"}
    bucket.log.clear()
    assert _fetch(tmp_path, _glo30(bucket, tile_list="tileList.txt")) == ChosenElevation(
        paths=chosen.paths, sea=chosen.sea, notes=chosen.notes
    )
    assert bucket.log == []


def test_list_on_disk_needs_no_server(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("N43E001")
    (tmp_path / "N43E001.hgt").write_bytes(_square())
    provider = ElevationProvider(name="srtm", model=SRTM, tile_list=listed)
    assert _fetch(tmp_path, provider).sea == ("N42E001",)
    listed.write_text("N43E001 N42E001")
    with pytest.raises(NotFoundError, match="N42E001"):
        _fetch(tmp_path, provider)


def test_second_provider_fills_what_the_first_does_not_publish(
    bucket: Server, tmp_path: Path
) -> None:
    _offer(bucket, "N43E001")
    _offer(bucket, "N42E001", "N43E001", metres=90)
    bucket.provider.put("tileList.txt", _glo("N43E001").encode())
    coarse = ElevationProvider(name="glo90", model=GLO90, address=bucket.address)
    chosen = _fetch(tmp_path, _glo30(bucket, tile_list="tileList.txt"), coarse)
    assert [path.name for path in chosen.paths] == [
        f"{_glo('N43E001')}.tif",
        f"{_glo('N42E001', 90)}.tif",
    ]
    assert chosen.sea == ()
    assert chosen.notes == ("elevation is of GLO-30 and GLO-90",)


def test_tile_that_one_list_has_is_no_sea(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, "N43E001")
    (tmp_path / "coarse.txt").write_text(f"{_glo('N42E001', 90)} {_glo('N43E001', 90)}")
    (tmp_path / "fine.txt").write_text(_glo("N43E001"))
    coarse = ElevationProvider(
        name="glo90", model=GLO90, address=bucket.address, tile_list=tmp_path / "coarse.txt"
    )
    fine = _glo30(bucket, tile_list=tmp_path / "fine.txt")
    with pytest.raises(NotFoundError, match="N42E001"):
        _fetch(tmp_path, fine, coarse)


def test_neighbours_that_hold_the_edges_are_wanted(tmp_path: Path) -> None:
    square = Box(1.0, 43.0, 2.0, 44.0)
    (tmp_path / f"{_glo('N43E001')}.tif").write_bytes(TIFF)
    chosen = elevation_for(square, [tmp_path], missing="note")
    assert chosen.missing == ("N43E002", "N42E001", "N42E002")


def test_srtm_ends_at_60_degrees(bucket: Server, tmp_path: Path) -> None:
    key = "srtm/N59/N59E024.SRTMGL1.hgt.zip"
    bucket.provider.put(key, zip_of({"N59E024.hgt": _square()}))
    provider = ElevationProvider(
        name="srtm",
        model=SRTM,
        address=bucket.address,
        template="srtm/{north}/{tile}.SRTMGL1.hgt.zip",
    )
    chosen = _fetch(tmp_path, provider, box=Box(24.2, 59.5, 24.8, 60.5), missing="note")
    assert [path.name for path in chosen.paths] == ["N59E024.SRTMGL1.hgt.zip"]
    assert chosen.missing == ("N60E024",)
    assert [seen.product for seen in bucket.log] == [key]


def test_tile_that_no_list_tells_of_is_missing(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, "N43E001")
    with pytest.raises(NotFoundError, match="N42E001"):
        _fetch(tmp_path, _glo30(bucket))
    assert _fetch(tmp_path, _glo30(bucket), missing="note").missing == ("N42E001",)


@pytest.mark.parametrize("missing", ["fail", "note"])
def test_provider_that_fails_is_no_sea(bucket: Server, tmp_path: Path, missing: str) -> None:
    _offer(bucket, "N42E001", "N43E001")
    key = f"{_glo('N43E001')}/{_glo('N43E001')}.tif"
    bucket.faults.always(key, Fault("status", status=503))
    with pytest.raises(UnreachableError):
        _fetch(tmp_path, _glo30(bucket), missing=missing)


@pytest.mark.parametrize(
    ("model", "template", "body"),
    [
        (GLO30, "{tile}.tif", b"no picture"),
        (SRTM, "{tile}.hgt", _square()[:-2]),
        (SRTM, "{tile}.hgt.zip", _square()),
        (SRTM, "{tile}.hgt.zip", zip_of({"N43E001.hgt": b"odd"})),
        (SRTM, "{tile}.hgt.zip", zip_of({"readme.txt": _square()})),
    ],
)
def test_what_is_no_tile_is_refused(
    bucket: Server, tmp_path: Path, model: ElevationModel, template: str, body: bytes
) -> None:
    provider = ElevationProvider(name="any", model=model, address=bucket.address, template=template)
    bucket.provider.put(template.format(tile=tile_name(model, Corner(43, 1))), body)
    with pytest.raises(IntegrityError):
        _fetch(tmp_path, provider, box=TOULOUSE)
    assert names_in(tmp_path) == []


def test_interrupted_tile_arrives_whole(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, "N43E001")
    key = f"{_glo('N43E001')}/{_glo('N43E001')}.tif"
    bucket.faults.plan(key, Fault("truncate"), Fault("status", status=500), Fault("html"))
    (path,) = _fetch(tmp_path, _glo30(bucket), box=TOULOUSE).paths
    assert path.read_bytes() == TIFF


def test_half_a_continent_is_not_fetched(bucket: Server, tmp_path: Path) -> None:
    with pytest.raises(QueryError):
        _fetch(tmp_path, _glo30(bucket), box=Box(0.0, 0.0, 40.0, 40.0))
    assert bucket.log == []


def test_stopping_and_progress(bucket: Server, tmp_path: Path) -> None:
    _offer(bucket, "N43E001")
    cancel, told = threading.Event(), list[Progress]()
    downloader = Downloader(QUICK, cancel=cancel, report=told.append)
    elevation_for(TOULOUSE, [tmp_path], [_glo30(bucket)], downloader=downloader)
    assert told[-1].name == f"{_glo('N43E001')}.tif"
    assert told[-1].share == 1.0
    cancel.set()
    with pytest.raises(CancelledError):
        elevation_for(TOULOUSE, [tmp_path / "new"], [_glo30(bucket)], downloader=downloader)


def _gtx(rows: int = 3, columns: int = 4) -> bytes:
    return struct.pack(">4d2i", -90.0, -180.0, 90.0, 90.0, rows, columns) + bytes(
        4 * rows * columns
    )


def test_geoid_is_there_or_fetched(bucket: Server, tmp_path: Path) -> None:
    path = tmp_path / "egm96_15.gtx"
    with pytest.raises(NotFoundError):
        geoid_file_for(path)
    bucket.provider.put("egm96_15.gtx", _gtx())
    address = f"{bucket.address}/egm96_15.gtx"
    assert geoid_file_for(path, address=address, downloader=Downloader(QUICK)) == path
    assert path.read_bytes() == _gtx()
    assert geoid_file_for(path) == path


@pytest.mark.parametrize("body", [b"", _gtx()[:30], _gtx()[:-1], _gtx() + b"0"])
def test_geoid_that_is_cut_off_is_refused(bucket: Server, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "egm96_15.gtx"
    path.write_bytes(body)
    with pytest.raises(IntegrityError):
        geoid_file_for(path)
    path.unlink()
    bucket.provider.put("egm96_15.gtx", body)
    address = f"{bucket.address}/egm96_15.gtx"
    with pytest.raises(IntegrityError):
        geoid_file_for(path, address=address, downloader=Downloader(QUICK))
    assert names_in(tmp_path) == []


def test_installed_geoid_is_whole() -> None:
    installed = Path("/usr/share/proj/egm96_15.gtx")
    if not installed.is_file():
        pytest.skip("proj-data is not installed")
    assert installed.stat().st_size == 40 + 4 * 721 * 1440
    assert cut_off(installed) == ""
