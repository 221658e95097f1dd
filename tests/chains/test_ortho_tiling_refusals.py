"""Ortho tiles of bad input: one clear line that names it, and nothing left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kernels.chains.ortho_tiling import run
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError, RequestError
from tests.detected_series import DetectedSeries
from tests.series import Series

Spoil = Callable[[DetectedSeries, Path], dict[str, object]]


def given(**options: object) -> Spoil:
    """The product as it is, but other options."""
    return lambda _series, _folder: options


def copy_of(series: DetectedSeries, folder: Path) -> Path:
    product = series.products[0]
    return Path(shutil.copytree(product, folder / product.name))


def without_files(pattern: str, **options: object) -> Spoil:
    def spoil(series: DetectedSeries, folder: Path) -> dict[str, object]:
        product = copy_of(series, folder)
        files = list(product.glob(pattern))
        assert files
        for file in files:
            file.unlink()
        return {"products": (product,)} | options

    return spoil


def truncated(pattern: str) -> Spoil:
    def spoil(series: DetectedSeries, folder: Path) -> dict[str, object]:
        product = copy_of(series, folder)
        for file in product.glob(pattern):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        return {"products": (product,)}

    return spoil


def no_raster(series: DetectedSeries, folder: Path) -> dict[str, object]:
    product = copy_of(series, folder)
    for file in product.glob("measurement/*.tiff"):
        file.write_bytes(b"not a raster" * 1000)
    return {"products": (product,)}


def missing_product(_: DetectedSeries, folder: Path) -> dict[str, object]:
    return {"products": (folder / "S1A_NOWHERE.SAFE",)}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (given(tiles=("40KZZ",)), "tiles must be names of Sentinel-2 tiles, got 40KZZ"),
        (given(tiles=("Réunion; rm",)), "tiles must be names of Sentinel-2 tiles, got R"),
        (given(tiles=("40kcb",)), "tiles must be names of Sentinel-2 tiles, got 40kcb"),
        (
            given(tiles=("31TDJ",)),
            "tiles must be covered by the products to at least 0.5 percent, got 31TDJ",
        ),
        (
            given(minimum_coverage=50.0),
            "tiles must be covered by the products to at least 50 percent, got 40KCB",
        ),
        (given(polarisations=("HH",)), "S1A_IW_GRDH.* has no image HH"),
        (given(dem_missing="fail"), "elevation model"),
        (without_files("annotation/calibration/calibration-*"), "has no calibration file for VV"),
        (
            without_files("annotation/calibration/noise-*", remove_noise=True),
            "has no noise file for VV, needed for remove_noise = true",
        ),
        (without_files("measurement/*"), "measurement"),
        (truncated("measurement/*.tiff"), r"\.tiff"),
        (no_raster, r"\.tiff cannot be read"),
        (truncated("annotation/*.xml"), r"\.xml is not well-formed"),
        (missing_product, "S1A_NOWHERE"),
        (given(orbits=Path("no_orbits")), "no_orbits"),
    ],
)
def test_one_clear_line_and_nothing_left(
    spoil: Spoil, message: str, level_product: DetectedSeries, tmp_path: Path
) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    changed = spoil(level_product, inputs)
    output = tmp_path / "output"
    with pytest.raises(FournaiseError, match=message) as caught:
        run(level_product.request(**changed), output, Progress())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert str(tmp_path) not in str(caught.value)
    assert not output.exists()


def test_detected_and_complex_products_of_one_pass_are_not_mixed(
    level_product: DetectedSeries, stripmap_series: Series, tmp_path: Path
) -> None:
    products = (stripmap_series.reference, *level_product.products)
    rule = "products of one pass must be all GRD or all SLC, got S1A_IW_GRDH"
    with pytest.raises(FournaiseError, match=rule):
        run(level_product.request(products=products), tmp_path / "output", Progress())
    assert not (tmp_path / "output").exists()


def test_noise_files_are_needed_for_the_removal_only(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    spoil = without_files("annotation/calibration/noise-*")
    request = level_product.request(**spoil(level_product, tmp_path))
    assert run(request, tmp_path / "output", Progress()).artefact("first_tile").path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 7.0}, "resolution must be a divisor of 109800 m, got 7.0"),
        ({"resolution": 1.0}, "resolution must be at least 5"),
        ({"resolution": float("nan")}, "resolution must be a finite number"),
        ({"calibration": "tau"}, "calibration must be one of gamma, sigma, beta, .*got tau"),
        ({"minimum_coverage": 101.0}, "minimum_coverage must be at most 100, got 101.0"),
        ({"products": ()}, "products must be a list of at least one value"),
        ({"polarisations": ("VV", "XX")}, "polarisations must be one of VV, VH, HH, HV, got XX"),
        ({"interpolation": "sinc"}, "interpolation must be one of nearest, bilinear, bicubic"),
    ],
)
def test_the_request_refuses_by_itself(
    options: dict[str, object], message: str, level_product: DetectedSeries
) -> None:
    with pytest.raises(RequestError, match=message):
        level_product.request(**options)
