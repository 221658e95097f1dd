"""`dinsar-pair` as a user has it: a real server, owslib, real files, and bad input."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.dinsar_pair import run
from kernels.engine.progress import Progress
from kernels.products.raster import read_raster
from tests.chains.test_dinsar_pair_refusals import (
    another_place,
    another_track,
    detected_product,
    missing_measurement,
)
from tests.processes.over_wps import WpsServer, wps_server
from tests.series import Series

PROCESS = "dinsar-pair"


@pytest.fixture(scope="module")
def lake(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data roots: a pair and its DEM, and spoilt copies."""
    folder = tmp_path_factory.mktemp("lake")
    for product in (tops_series.reference, tops_series.still):
        shutil.copytree(product, folder / product.name)
    shutil.copy(tops_series.dem, folder / "dem.tif")
    holed = Path(shutil.copy(tops_series.dem, folder / "holed.tif"))
    dataset = gdal.Open(str(holed), gdal.GA_Update)
    heights = dataset.ReadAsArray()
    heights[340:360, 340:360] = np.nan
    dataset.GetRasterBand(1).WriteArray(heights)
    dataset = None
    truncated = folder / f"{tops_series.still.stem[:-4]}0000.zip"
    with zipfile.ZipFile(truncated, "w") as archive:
        for file in sorted(tops_series.still.rglob("*")):
            archive.write(
                file, Path(f"{truncated.stem}.SAFE") / file.relative_to(tops_series.still)
            )
    truncated.write_bytes(truncated.read_bytes()[:100_000])
    for spoil in (detected_product, missing_measurement, another_track, another_place):
        scratch = tmp_path_factory.mktemp("spoilt")
        spoilt = spoil(tops_series, scratch)["secondary"]
        assert isinstance(spoilt, Path)
        (folder / spoil.__name__).mkdir()
        shutil.copytree(spoilt, folder / spoil.__name__ / spoilt.name)
    return folder


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WpsServer]:
    with wps_server(tmp_path_factory.mktemp("server"), lake) as found:
        yield found


def inputs_of(series: Series, **changed: str) -> dict[str, str]:
    return {
        "reference": series.reference.name,
        "secondary": series.still.name,
        "dem": "dem.tif",
        "dem_heights": "ellipsoid",
        "azimuth_looks": "4",
        "range_looks": "16",
    } | changed


def test_the_result_over_the_web_is_the_result_of_the_chain(
    server: WpsServer, tops_series: Series, tmp_path: Path
) -> None:
    found = server.results(tmp_path / "web", PROCESS, **inputs_of(tops_series))
    run(tops_series.request(), tmp_path / "chain", Progress())
    over_web = read_raster(found["interferogram"])
    direct = read_raster(tmp_path / "chain" / "interferogram.tif")
    assert over_web.grid == direct.grid
    np.testing.assert_array_equal(over_web.array, direct.array)
    report = json.loads(found["report"].read_text(encoding="utf-8"))
    assert report["coherence"]["mean"] > 0.998
    assert found["phase_picture"].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"secondary": "TRUNCATED"}, "zip"),
        ({"dem": "holed.tif"}, "elevation model lacks"),
        ({"orbits": "no_orbits"}, "orbits must be"),
        ({"secondary": "detected_product"}, "SLC"),
        ({"secondary": "missing_measurement"}, "measurement"),
        ({"secondary": "another_track"}, "secondary must be of the same track"),
        ({"secondary": "another_place"}, "do not overlap"),
        ({"polarisation": "HH"}, "HH"),
        ({"last_burst": "9"}, "last_burst must be at most 2"),
        ({"secondary": "REFERENCE"}, "secondary must be another product"),
        ({"kernel": "9"}, "kernel must be one of 8, 12, got 9"),
        ({"secondary": "../../etc/passwd"}, "secondary must be"),
    ],
)
def test_bad_input_gets_one_clear_line_and_nothing_stays(
    changed: dict[str, str],
    line: str,
    server: WpsServer,
    tops_series: Series,
) -> None:
    lake = server.lake
    names = {"TRUNCATED": next(lake.glob("*.zip")).name, "REFERENCE": tops_series.reference.name}
    values = {name: names.get(value, value) for name, value in changed.items()}
    for name, value in values.items():
        if (lake / value).is_dir() and not value.endswith(".SAFE"):
            values[name] = f"{value}/{next((lake / value).iterdir()).name}"
    server.assert_refused(line, PROCESS, **inputs_of(tops_series, **values))
