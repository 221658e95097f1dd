"""The steps of an interferogram as users have them: over WPS, from job to job, and as commands."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kernels.products.raster import read_raster
from tests.processes.over_wps import WpsServer, wps_server
from tests.series import Series

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lake(two_swaths: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    for product in (two_swaths.reference, two_swaths.still):
        shutil.copytree(product, folder / product.name)
    shutil.copy(two_swaths.dem, folder / "dem.tif")
    return folder


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WpsServer]:
    with wps_server(tmp_path_factory.mktemp("server"), lake) as found:
        yield found


@pytest.fixture(scope="module")
def over_web(
    server: WpsServer, two_swaths: Series, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Files of the example for owslib."""
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        example = importlib.import_module("owslib_steps")
    finally:
        sys.path.pop(0)
    files: dict[str, Path] = example.run(
        server.wps.url,
        tmp_path_factory.mktemp("web"),
        reference=two_swaths.reference.name,
        secondary=two_swaths.still.name,
        dem="dem.tif",
        dem_heights="ellipsoid",
        swath="IW2",
    )
    return files


def test_every_step_runs_over_wps_on_the_results_of_earlier_jobs(
    over_web: dict[str, Path],
) -> None:
    names = {path.name for path in over_web.values()}
    assert {
        "interferogram.tif",
        "deramped.tif",
        "quick_look.png",
        "amplitude.tif",
        "simulated_amplitude.tif",
        "dem_projection.tif",
        "doppler.json",
        "height_of_ambiguity.csv",
    } <= names
    (path,) = (path for path in over_web.values() if path.name == "interferogram.tif")
    amplitude, phase, coherency, is_data = read_raster(path).array
    assert (is_data == 1.0).mean() > 0.5
    assert np.nanmean(coherency) > 0.99
    assert np.abs(phase[is_data == 1.0]).mean() < 0.2
    assert np.nanmin(amplitude) > 0.0


def test_every_step_runs_as_a_command(
    two_swaths: Series, over_web: dict[str, Path], tmp_path: Path
) -> None:
    arguments = [two_swaths.reference, two_swaths.still, two_swaths.dem, "IW2", tmp_path]
    environment = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", ROOT / "examples/steps.sh", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) == 10
    (reramped,) = (path for path in over_web.values() if path.name == "deramped.tif")
    assert (tmp_path / "reramped/deramped.tif").stat().st_size == reramped.stat().st_size


@pytest.mark.parametrize(
    ("process", "changed", "line"),
    [
        ("sar-multilook", {"swath": "IW3"}, "swath must be of"),
        ("sar-doppler0", {"burst": "9"}, "burst must be at most 3"),
        ("sar-coregistration", {"grid": "dem.tif"}, "dem.tif must be a deformation grid"),
        ("sar-coregistration", {"grid": "0" * 32 + "/grid"}, "grid must be the result of a"),
        ("quick-look", {"ml": "0"}, "ml must be one number"),
        ("sar-dem-projection", {"dem": "../dem.tif"}, "dem must be"),
    ],
)
def test_bad_input_gets_one_clear_line_and_nothing_stays(
    server: WpsServer, two_swaths: Series, process: str, changed: dict[str, str], line: str
) -> None:
    product = "secondary" if process == "sar-coregistration" else "image"
    server.assert_refused(line, process, **({product: two_swaths.reference.name} | changed))
