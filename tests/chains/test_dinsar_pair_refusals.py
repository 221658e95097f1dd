"""Bad input: one clear line that names it, and nothing left behind."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.dinsar_pair import run
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError, RequestError
from kernels.simulation import Acquisition, Scene, TopsMode, Track, simulate
from tests.series import CENTRE, START, Series, hills

SMALL = TopsMode(bursts=1, samples=400, burst_lines=200)


def other_product(folder: Path, **track: object) -> Path:
    """A product of its own: another track or another place."""
    dem = hills(*CENTRE)
    acquisition = Acquisition(centre=START + timedelta(days=5))
    return simulate(
        Scene(dem=dem),
        [acquisition],
        folder,
        mode=SMALL,
        track=Track(**track),  # type: ignore[arg-type]
    ).products[0]


def copy_of(product: Path, folder: Path) -> Path:
    return Path(shutil.copytree(product, folder / product.name))


def truncated_zip(series: Series, folder: Path) -> dict[str, object]:
    path = folder / f"{series.still.stem}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(series.still.rglob("*")):
            archive.write(file, Path(series.still.name) / file.relative_to(series.still))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return {"secondary": path}


def detected_product(series: Series, folder: Path) -> dict[str, object]:
    name = series.still.name.replace("_SLC__", "_GRDH_")
    product = Path(shutil.copytree(series.still, folder / name))
    manifest = product / "manifest.safe"
    manifest.write_text(manifest.read_text().replace("SLC", "GRD"))
    return {"secondary": product}


def another_track(_: Series, folder: Path) -> dict[str, object]:
    return {"secondary": other_product(folder, relative_orbit=152)}


def another_place(_: Series, folder: Path) -> dict[str, object]:
    return {"secondary": other_product(folder, latitude=-25.0)}


def hole_in_the_dem(series: Series, folder: Path) -> dict[str, object]:
    path = Path(shutil.copy(series.dem, folder / "holed.tif"))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    heights = dataset.ReadAsArray()
    heights[340:360, 340:360] = np.nan
    dataset.GetRasterBand(1).WriteArray(heights)
    dataset = None
    return {"dem": (path,)}


def missing_orbit_folder(_: Series, folder: Path) -> dict[str, object]:
    return {"orbits": folder / "no_orbits"}


def missing_measurement(series: Series, folder: Path) -> dict[str, object]:
    product = copy_of(series.still, folder)
    next((product / "measurement").iterdir()).unlink()
    return {"secondary": product}


def truncated_measurement(series: Series, folder: Path) -> dict[str, object]:
    product = copy_of(series.still, folder)
    file = next((product / "measurement").iterdir())
    file.write_bytes(file.read_bytes()[:200_000])
    return {"secondary": product}


def same_product(series: Series, _: Path) -> dict[str, object]:
    return {"secondary": series.reference}


def absent_polarisation(_: Series, __: Path) -> dict[str, object]:
    return {"polarisation": "HH"}


def absent_swath(_: Series, __: Path) -> dict[str, object]:
    return {"swaths": ("IW3",)}


def absent_burst(_: Series, __: Path) -> dict[str, object]:
    return {"last_burst": 9}


def missing_product(_: Series, folder: Path) -> dict[str, object]:
    return {"reference": folder / "S1A_NOWHERE.SAFE"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated_zip, r"\.zip.* (zip|truncated|damaged)"),
        (detected_product, "SLC"),
        (
            another_track,
            "secondary must be of the same track as the reference, got relative orbit 152",
        ),
        (another_place, "do not overlap"),
        (hole_in_the_dem, "no height|no value|missing|hole"),
        (missing_orbit_folder, "no_orbits"),
        (missing_measurement, "measurement"),
        (truncated_measurement, r"\.tiff"),
        (same_product, "secondary must be another product"),
        (absent_polarisation, "HH"),
        (absent_swath, "swaths must be of S1A_IW_SLC.*IW1"),
        (absent_burst, "last_burst must be at most 2"),
        (missing_product, "S1A_NOWHERE"),
    ],
)
def test_one_clear_line_and_nothing_left(
    spoil: Callable[[Series, Path], dict[str, object]],
    message: str,
    tops_series: Series,
    tmp_path: Path,
) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    request = tops_series.request(**spoil(tops_series, inputs))  # type: ignore[arg-type]
    output = tmp_path / "output"
    with pytest.raises(FournaiseError, match=message) as caught:
        run(request, output, Progress())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first_burst": 2, "last_burst": 1}, "last_burst must be at least first_burst = 2, got 1"),
        ({"spacing": 5.0}, "spacing must be at most 0.1 degrees"),
        ({"spacing": 0.001, "ortho": "utm"}, "spacing must be at least 1 metre"),
        ({"kernel": 9}, "kernel must be one of 8, 12, got 9"),
        ({"polarisation": "XX"}, "polarisation must be one of VV, VH, HH, HV, got XX"),
    ],
)
def test_the_request_refuses_by_itself(
    options: dict[str, object], message: str, tops_series: Series
) -> None:
    with pytest.raises(RequestError, match=message):
        tops_series.request(**options)
