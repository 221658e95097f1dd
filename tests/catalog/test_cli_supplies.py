"""``python -m catalog orbits`` and ``elevation``: what is chosen, fetched, told, and exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.cli import main
from catalog.elevation import boxes_around
from catalog.model import Box
from tests.catalog.fetching import names_in
from tests.catalog.orbit_texts import orbit_text
from tests.catalog.scripted import Fault, Server, serving
from tests.catalog.scripted.archives import box_polygon
from tests.catalog.scripted.bucket import LISTING, ScriptedBucket
from tests.catalog.test_local import GRD, make_zip

AROUND = "2021-01-05T06:00:12"
POEORB = "S1A_OPER_AUX_POEORB_OPOD_20210125T120715_V20210104T225942_20210106T005942.EOF"
RESORB = "S1A_OPER_AUX_RESORB_OPOD_20210105T092541_V20210105T033000_20210105T064730.EOF"
TILE = "Copernicus_DSM_COG_10_N43_00_E001_00_DEM"
NEIGHBOUR = "Copernicus_DSM_COG_10_N42_00_E001_00_DEM"
PRODUCT = GRD.format(7)


@pytest.fixture
def store() -> Iterator[Server]:
    bucket = ScriptedBucket()
    bucket.put(f"AUX_POEORB/{POEORB}", orbit_text(AROUND))
    bucket.put(f"AUX_RESORB/{RESORB}", orbit_text(AROUND))
    bucket.put(f"{TILE}/{TILE}.tif", b"II*\0" + bytes(400))
    with serving(bucket) as server:
        yield server


@pytest.fixture
def config(store: Server, tmp_path: Path) -> list[str]:
    (tmp_path / "lake").mkdir()
    file = tmp_path / "server.cfg"
    file.write_text(
        f"[fournaise]\ndatalake = lake\n[orbits:store]\nurl = {store.address}\n"
        f"[elevation:glo30]\nmodel = GLO-30\nurl = {store.address}\n"
    )
    return ["--config", str(file)]


def test_the_orbit_of_a_name_is_fetched_once(
    config: list[str], store: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lake/orbits" / POEORB
    for _ in range(2):
        assert main(["orbits", PRODUCT, *config]) == 0
        assert capsys.readouterr().out == f"{PRODUCT} POEORB {path}\n"
    assert path.read_bytes() == orbit_text(AROUND)
    assert len(store.downloads(f"AUX_POEORB/{POEORB}")) == 1


def test_a_dry_run_of_orbits_asks_nobody(
    config: list[str], store: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / RESORB).write_bytes(orbit_text(AROUND))
    assert main(["orbits", "-n", "-w", str(own), PRODUCT, *config]) == 0
    out, err = capsys.readouterr()
    assert out == f"{PRODUCT} RESORB {own / RESORB}\n"
    assert f"{PRODUCT}: would ask store for a better one" in err
    assert main(["orbits", "-n", PRODUCT, *config]) == 1
    assert capsys.readouterr().out == f"{PRODUCT} annotation -\n"
    assert store.log == []
    assert not (tmp_path / "lake/orbits").exists()


def test_a_store_that_refuses_leaves_the_annotation_and_says_why(
    config: list[str], store: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    store.faults.always(LISTING, Fault("status", status=403))
    assert main(["orbits", PRODUCT, *config]) == 1
    assert "store cannot be asked: no access" in capsys.readouterr().err


def test_tiles_of_a_box_are_fetched(
    config: list[str], store: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = ["--box", "1.2,43.2,1.8,43.8"]
    path = tmp_path / "lake/elevation" / f"{TILE}.tif"
    address = f"{store.address}/{TILE}/{TILE}.tif"
    assert main(["elevation", "-n", *box, *config]) == 1
    out, err = capsys.readouterr()
    assert (out, store.log) == ("", [])
    assert f"would ask for {address}" in err
    assert main(["elevation", *box, *config]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert main(["elevation", "-n", *box, *config]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert len(store.log) == 1


def test_elevation_under_a_product_that_is_here(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    product = make_zip(tmp_path / "products", 7, west=1.3, south=43.3)
    # one degree wide and high: four tiles, of which the store has one
    assert main(["elevation", str(product), *config]) == 3
    err = capsys.readouterr().err
    assert "elevation tiles are missing: N44E001, N44E002, N43E002" in err
    assert names_in(tmp_path / "lake/elevation") == [f"{TILE}.tif"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["orbits", "S2A_X"], 2, "product must be a product of Sentinel-1"),
        (["elevation"], 2, "box must be given, or products, got neither"),
        (["elevation", "--box", "1,2,3"], 2, "box must be"),
        (["elevation", "--box", "1,43,2,44", PRODUCT], 2, "box must be given, or products"),
        (["elevation", "--box", "1.2,42.2,1.8,42.8"], 3, "elevation tiles are missing: N42E001"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_code(
    config: list[str],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    says: str,
) -> None:
    assert main([*words, *config]) == code
    assert says in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_place_for_what_is_fetched_must_be_known(
    store: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bare.cfg"
    file.write_text(f"[orbits:store]\nurl = {store.address}\n")
    assert main(["orbits", PRODUCT, "--config", str(file)]) == 2
    assert "write_dir must be given where the configuration has no" in capsys.readouterr().err
    folder = tmp_path / "here"
    assert main(["orbits", PRODUCT, "-w", str(folder), "--config", str(file)]) == 0
    assert names_in(folder) == [POEORB]


@pytest.mark.parametrize(
    ("footprint", "margin", "boxes"),
    [
        ((10.0, 0.0, 12.0, 1.0), 0.5, [Box(9.5, -0.5, 12.5, 1.5)]),
        # a degree of longitude is half as long at 60 degrees
        ((10.0, 58.0, 12.0, 59.0), 1.0, [Box(8.0, 57.0, 14.0, 60.0)]),
        ((-179.9, 0.0, -179.0, 1.0), 0.2, [Box(179.9, -0.2, 181.2, 1.2)]),
        ((179.0, 0.0, 179.9, 1.0), 0.2, [Box(178.8, -0.2, 180.1, 1.2)]),
        ((10.0, 85.0, 160.0, 89.9), 10.0, [Box(-180.0, 75.0, 180.0, 90.0)]),
    ],
)
def test_boxes_around_footprints(
    footprint: tuple[float, float, float, float], margin: float, boxes: list[Box]
) -> None:
    found = boxes_around(box_polygon(*footprint), margin)
    assert len(found) == len(boxes)
    for one, other in zip(found, boxes, strict=True):
        assert one == pytest.approx(other, abs=2e-3)  # of the cosine at the farther edge
