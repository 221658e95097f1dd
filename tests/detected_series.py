"""Small simulated detected products that the tests of ortho tiles share (fixtures)."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains.artefacts import ChainResult
from kernels.chains.ortho_tiling import OrthoTilingRequest, run
from kernels.engine.progress import Progress
from kernels.model import Dem
from kernels.products.raster import read_raster
from kernels.simulation import (
    Acquisition,
    Background,
    DetectedMode,
    Scene,
    Track,
    simulate_detected,
)
from tests.series import CENTRE, START, hills, write_dem

TILE = "40KCB"
"""Of Sentinel-2: holds all of the images."""
ALONE = "DES_151_20260101t015958.tif"
"""End of the name of a tile of one product; that of several has txxxxxx."""
LEVEL = 0.1
"""Gamma nought of level ground [1]."""
LINES, SAMPLES = 1400, 1400
"""Of a whole pass: 14 km x 14 km, 1.6 percent of the tile."""
SPECKLE_FREE = Background(level=LEVEL, looks=None)


@dataclass(frozen=True, kw_only=True)
class DetectedSeries:
    """Products of one pass and the terrain under them."""

    products: tuple[Path, ...]
    dem: Path
    truth: Path

    def request(self, **options: object) -> OrthoTilingRequest:
        """Request of one tile of 100 m, of 1098 x 1098 pixels, unless told otherwise."""
        values = {
            "products": self.products,
            "tiles": (TILE,),
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "resolution": 100.0,
            "minimum_coverage": 0.5,
        }
        return OrthoTilingRequest(**(values | options))  # type: ignore[arg-type]


def simulated_pass(
    folder: Path,
    *,
    lines: int = LINES,
    samples: int = SAMPLES,
    slices: int = 1,
    background: Background = SPECKLE_FREE,
    polarisations: Sequence[str] = ("VV",),
    border: int = 0,
    dates: int = 1,
    centre: tuple[float, float] = CENTRE,
    dem: Dem | None = None,
) -> DetectedSeries:
    """Passes over hills, or other terrain, 12 days apart; lines of slices continue one grid."""
    dem = dem or hills(*centre)
    made = simulate_detected(
        Scene(dem=dem),
        [Acquisition(centre=START + timedelta(days=12 * k)) for k in range(dates)],
        folder,
        track=Track(longitude=centre[0], latitude=centre[1]),
        mode=DetectedMode(lines=lines // slices, samples=samples, slices=slices),
        background=background,
        polarisations=polarisations,
        border=border,
    )
    return DetectedSeries(
        products=made.products, dem=write_dem(folder / "dem.tif", dem), truth=made.truth
    )


def tile_files(result: ChainResult, folder: Path) -> dict[str, Path]:
    """Unpack the tiles of a result, in the order of its report; masks lie beside them."""
    names = [name for entry in result.report["tiles"] for name in entry["files"]]
    masks = [name for entry in result.report["tiles"] for name in entry["masks"]]
    with zipfile.ZipFile(result.artefact("tiles").path) as archive:
        assert sorted(archive.namelist()) == sorted([*names, *masks, "report.json"])
        archive.extractall(folder)
    return {name: folder / name for name in names}


def tiles_of(request: OrthoTilingRequest, folder: Path) -> dict[str, NDArray[np.float32]]:
    result = run(request, folder, Progress())
    files = tile_files(result, folder / "tiles")
    return {name: read_raster(path).array for name, path in files.items()}


def only_tile(request: OrthoTilingRequest, folder: Path) -> NDArray[np.float32]:
    (image,) = tiles_of(request, folder).values()
    return image[0]


def decibel(ratio: float) -> float:
    """Of a ratio of powers."""
    return 10.0 * float(np.log10(ratio))


@pytest.fixture(scope="session")
def level_product(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """One product in two polarisations, of constant gamma nought without speckle."""
    return simulated_pass(tmp_path_factory.mktemp("level"), polarisations=("VV", "VH"), border=8)


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """Two slices of one pass over relief, without speckle."""
    background = Background(level=LEVEL, looks=None, relief=True)
    return simulated_pass(tmp_path_factory.mktemp("slices"), slices=2, background=background)
