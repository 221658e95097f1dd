"""`s1-tiling-series` as a user has it: a real server, owslib, days and tiles but no products."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from owslib.wps import ASYNC

from kernels.chains.tiling_series import run
from kernels.engine.progress import Progress
from kernels.products.raster import read_raster
from tests.processes.over_wps import WpsServer, wps_server
from tests.tile_lake import DAYS, TILES, TileLake

PROCESS = "s1-tiling-series"


@pytest.fixture(scope="module")
def lake(tile_lake: TileLake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root: three products in folders of their days, one of them spoilt, and the DEM."""
    folder = tmp_path_factory.mktemp("roots")
    for day, product in zip(DAYS[:3], tile_lake.products, strict=False):
        shutil.copytree(product, folder / "grd" / day.replace("-", "/") / product.name)
    for file in folder.glob("grd/2026/01/13/*/measurement/*.tiff"):
        file.write_bytes(file.read_bytes()[:100_000])
    shutil.copy(tile_lake.dem, folder / "dem.tif")
    (folder / "out").symlink_to(tile_lake.folder)
    return folder


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WpsServer]:
    with wps_server(tmp_path_factory.mktemp("server"), lake, dem_path=lake / "dem.tif") as found:
        yield found


def inputs_of(**changed: str) -> dict[str, str]:
    """Give no products and no elevation: they are the server's."""
    return {
        "tiles": TILES[0],
        "first_day": DAYS[0],
        "last_day": DAYS[2],
        "direction": "descending",
        "dem_heights": "ellipsoid",
        "resolution": "300",
        "minimum_coverage": "0.05",
    } | changed


def test_days_and_tiles_are_enough(server: WpsServer, tile_lake: TileLake, tmp_path: Path) -> None:
    (products,) = (
        item
        for item in server.wps.describeprocess(PROCESS).dataInputs
        if item.identifier == "products"
    )
    assert products.minOccurs == 0
    found = server.results(tmp_path / "web", PROCESS, **inputs_of())
    report = json.loads(found["report"].read_text(encoding="utf-8"))
    (series,) = report["series"]
    assert [entry["day"] for entry in series["acquisitions"]] == [DAYS[0], DAYS[2]]
    assert [entry["day"] for entry in report["left_out"]] == [DAYS[1]]
    with zipfile.ZipFile(found["series"]) as archive:
        assert archive.testzip() is None
        expected = {
            f"S1-L1-ORTHO/40KCB/{entry['day'].replace('-', '/')}/{entry[kind]}"
            for entry in series["acquisitions"]
            for kind in ("tile_file", "filtered_file")
        }
        assert set(archive.namelist()) == expected | {"report.json"}
    request = tile_lake.request(products=(tile_lake.products[0], tile_lake.products[2]))
    direct = run(request, tmp_path / "chain", Progress())
    np.testing.assert_array_equal(
        read_raster(found["newest_tile"]).array,
        read_raster(direct.artefact("newest_tile").path).array,
    )
    assert found["quicklook"].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"products": "../.."}, "products must be the name of a product or a path"),
        ({"products": "out"}, "products must be the name of a product or a path"),
        ({"tiles": "40KZZ"}, "tiles must be names of Sentinel-2 tiles, got 40KZZ"),
        ({"first_day": "2026-03-01"}, "last_day must be the first day, 2026-03-01, or later"),
        ({"first_day": "yesterday"}, "first_day must be a day of the calendar as 2018-07-20"),
        ({"polarisations": "VH"}, "polarisations must be that of a product found: VV, got VH"),
        ({"relative_orbit": "12"}, "relative_orbit must be that of a product found: 151, got 12"),
        ({"first_day": DAYS[1], "last_day": DAYS[1]}, ".tiff is cut off"),
    ],
)
def test_what_breaks_a_rule_gets_one_line_and_nothing_stays(
    changed: dict[str, str], line: str, server: WpsServer
) -> None:
    server.assert_refused(line, PROCESS, **inputs_of(**changed))


def test_one_series_takes_one_relative_orbit(server: WpsServer) -> None:
    inputs = [("tiles", TILES[0]), ("first_day", DAYS[0]), ("last_day", DAYS[2])]
    inputs += [("relative_orbit", "151"), ("relative_orbit", "8")]
    with pytest.raises(Exception, match="relative_orbit must be given at most 1 times"):
        server.wps.execute(PROCESS, inputs, output=[], mode=ASYNC)
