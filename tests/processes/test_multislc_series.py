"""`multislc-series` as a user has it: a real server, owslib, days and a master but no products."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import run
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from kernels.products.raster import read_raster
from processes.multislc_series import MultislcSeries
from processes.settings import read_settings
from tests.processes.over_wps import WpsServer, wps_server
from tests.series import Series

PROCESS = "multislc-series"


@pytest.fixture(scope="module")
def lake(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root: three products in folders of their days, and the elevation."""
    folder = tmp_path_factory.mktemp("roots")
    assert tops_series.moved is not None
    for product in (tops_series.reference, tops_series.still, tops_series.moved):
        shutil.copytree(product, folder / "slc" / product.name[17:25] / product.name)
    shutil.copy(tops_series.dem, folder / "dem.tif")
    return folder


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WpsServer]:
    with wps_server(tmp_path_factory.mktemp("server"), lake, dem_path=lake / "dem.tif") as found:
        yield found


def days_of(lake: Path) -> list[str]:
    return sorted(path.name for path in (lake / "slc").iterdir())


def inputs_of(lake: Path, **changed: str) -> dict[str, str]:
    """Give no products and no elevation: they are the server's."""
    days = days_of(lake)
    return {
        "first_day": days[0],
        "last_day": days[-1],
        "reference": days[0],
        "dem_heights": "ellipsoid",
        "azimuth_looks": "4",
        "range_looks": "16",
        "esd": "off",
    } | changed


def dates_of(found: dict[str, Path]) -> dict[str, bool]:
    """Days of a report, and whether the image was there before."""
    report = json.loads(found["report"].read_text(encoding="utf-8"))
    return {date["day"]: date["from_store"] for date in report["dates"]}


def images_of(server: WpsServer) -> dict[Path, int]:
    """Rasters of the dates that are complete in the stores, and when they were written."""
    marks = server.state.glob("stacks/*/*/*/date.json")
    return {
        raster: raster.stat().st_mtime_ns for mark in marks for raster in mark.parent.glob("*.tif")
    }


def test_days_are_enough_and_new_ones_are_added(
    server: WpsServer, lake: Path, tops_series: Series, tmp_path: Path
) -> None:
    days = days_of(lake)
    described = {one.identifier: one for one in server.wps.describeprocess(PROCESS).dataInputs}
    assert described["products"].minOccurs == 0
    assert "store" not in described
    assert described["light"].defaultValue == "true"
    first = server.results(tmp_path / "first", PROCESS, **inputs_of(lake, last_day=days[1]))
    assert dates_of(first) == {days[0]: False, days[1]: False}
    before = images_of(server)
    assert before
    found = server.results(tmp_path / "second", PROCESS, **inputs_of(lake))
    assert dates_of(found) == {days[0]: True, days[1]: True, days[2]: False}
    after = images_of(server)
    assert before.items() <= after.items()
    assert len(after) == 3 * len(before) // 2
    name = f"{days[0]}_m_{days[2]}_s"
    with zipfile.ZipFile(found["series"]) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        archive.extractall(tmp_path / "series")
    master = f"{days[0]}_master_directory"
    assert {"dem_scene.vrt", "dem_scene.tif", f"{master}/footprint.gpkg", "report.json"} <= names
    assert f"{days[0]}_m_{days[1]}_s/interferogram_ortho.tif" in names
    request = tops_series.request(tops_series.moved, esd="off")
    alone = run(request, tmp_path / "pair", Progress())
    one = read_raster(tmp_path / "series" / name / "interferogram_radar.tif").array
    with zipfile.ZipFile(alone.artefact("interferogram_radar").path) as archive:
        (raster,) = (file for file in archive.namelist() if file.endswith(".tif"))
        other = read_raster(Path(archive.extract(raster, tmp_path / "pair"))).array
    both = (one[3] == 1.0) & (other[3] == 1.0)
    assert both.mean() > 0.5
    apart = np.angle(np.exp(1j * (one[1][both] - other[1][both])))
    # images that are resampled once for all pairs, against a pair by itself
    assert np.sqrt(np.mean(apart**2)) < 0.02
    assert found["phase_picture"].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"products": "../.."}, "products must be the name of a product or a path"),
        ({"store": "anywhere"}, "store"),
        ({"reference": "20260102"}, "reference must be of one of the days 20260101, 20260113"),
        ({"last_day": "20260101"}, "products must be of two days or more"),
        ({"excluded_days": "20260113", "last_day": "20260113"}, "20260101 alone, with 20260113"),
        ({"track": "12"}, "track must be that of a product found: 151, got 12"),
        ({"polarisation": "VH"}, "polarisation must be that of a product found: VV, got VH"),
        ({"region": "12,44,13,45"}, "region must be on the ground of a product of those days"),
        ({"swaths": "IW3"}, "swaths must be that of a product found"),
    ],
)
def test_what_breaks_a_rule_gets_one_line_and_nothing_stays(
    changed: dict[str, str], line: str, server: WpsServer, lake: Path
) -> None:
    server.assert_refused(line, PROCESS, **inputs_of(lake, **changed))


def test_a_product_that_is_nowhere_here_is_promised(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of SLC products may be among the folders, where a provider is configured."""
    (tmp_path / "fetched").mkdir()
    configuration = tmp_path / "pywps.cfg"
    configuration.write_text(
        f"[fournaise]\nstate_folder = var\ndata_roots = {lake}\ndatalake = fetched\n"
        "[catalog:peps]\nurl = http://127.0.0.1:9/resto\n"
    )
    monkeypatch.setenv("PYWPS_CFG", str(configuration))
    process = MultislcSeries(read_settings([configuration]))
    name = "S1A_IW_SLC__1SDV_20210105T060000_20210105T060025_036001_043000_ABCD"
    inputs = {key: ({"data": text},) for key, text in inputs_of(lake, dem="dem.tif").items()}
    several = {"products": ({"data": "slc"}, {"data": name})}
    request = process.make_request(inputs | several)
    assert request.to_values()["products"] == [
        str(lake / "slc"),
        str(tmp_path / "fetched" / f"{name}.zip"),
    ]
    grd = {"products": ({"data": name.replace("SLC_", "GRDH")},)}
    with pytest.raises(RequestError, match="products must be the name of a product or a path"):
        process.make_request(inputs | grd)
