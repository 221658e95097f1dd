"""`s1-ortho-tiling` as a user has it: a real server, owslib, one GRD over a tile, bad input."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.ortho_tiling import run
from kernels.engine.progress import Progress
from kernels.geometry.mgrs import tile_grid
from kernels.products.raster import read_raster
from tests.detected_series import TILE, DetectedSeries
from tests.processes.over_wps import WpsServer, wps_server

PROCESS = "s1-ortho-tiling"


@pytest.fixture(scope="module")
def lake(level_product: DetectedSeries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data roots: a GRD and its DEM, and a truncated copy."""
    folder = tmp_path_factory.mktemp("lake")
    product = level_product.products[0]
    shutil.copytree(product, folder / product.name)
    shutil.copy(level_product.dem, folder / "dem.tif")
    corrupt = Path(shutil.copytree(product, folder / f"{product.stem[:-4]}0000.SAFE"))
    for file in corrupt.glob("measurement/*.tiff"):
        file.write_bytes(file.read_bytes()[:200_000])
    return folder


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WpsServer]:
    with wps_server(tmp_path_factory.mktemp("server"), lake) as found:
        yield found


def inputs_of(series: DetectedSeries, **changed: str) -> dict[str, str]:
    return {
        "products": series.products[0].name,
        "tiles": TILE,
        "dem": "dem.tif",
        "dem_heights": "ellipsoid",
        "resolution": "100",
        "minimum_coverage": "0.5",
    } | changed


def test_one_product_over_a_tile_gives_a_zip_a_layer_and_a_quicklook(
    server: WpsServer, level_product: DetectedSeries, tmp_path: Path
) -> None:
    found = server.results(tmp_path / "web", PROCESS, **inputs_of(level_product))
    made = run(level_product.request(), tmp_path / "chain", Progress())
    over_web = read_raster(found["first_tile"])
    assert over_web.grid == tile_grid(TILE, 100.0)
    direct = read_raster(made.artefact("first_tile").path)
    np.testing.assert_array_equal(over_web.array, direct.array)
    report = json.loads(found["report"].read_text(encoding="utf-8"))
    with zipfile.ZipFile(found["tiles"]) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {*report["tiles"][0]["files"], "report.json"}
    assert found["quicklook"].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"products": "CORRUPT"}, ".tiff cannot be read"),
        ({"products": "../../etc/passwd"}, "products must be"),
        ({"tiles": "40KZZ"}, "tiles must be names of Sentinel-2 tiles, got 40KZZ"),
        ({"tiles": "31TDJ"}, "tiles must be covered by the products to at least 0.5 percent"),
        ({"resolution": "7"}, "resolution must be a divisor of 109800 m, got 7"),
        ({"minimum_coverage": "1.65"}, "no tile has 1.65 percent of data: 40KCB"),
        ({"polarisations": "HH"}, "has no image HH"),
    ],
)
def test_bad_input_gets_one_clear_line_and_nothing_stays(
    changed: dict[str, str],
    line: str,
    server: WpsServer,
    level_product: DetectedSeries,
) -> None:
    names = {"CORRUPT": next(server.lake.glob("S1A_IW_GRDH*0000.SAFE")).name}
    values = {name: names.get(value, value) for name, value in changed.items()}
    server.assert_refused(line, PROCESS, **inputs_of(level_product, **values))
