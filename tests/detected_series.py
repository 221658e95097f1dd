"""Small simulated detected products that the tests of ortho tiles share (fixtures)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kernels.chains.ortho_tiling import OrthoTilingRequest
from kernels.simulation import Acquisition, Background, DetectedMode, Scene, simulate_detected
from tests.series import CENTRE, START, hills, write_dem

TILE = "40KCB"
"""Of Sentinel-2: holds all of the images."""
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
    slices: int = 1,
    background: Background = SPECKLE_FREE,
    polarisations: Sequence[str] = ("VV",),
    border: int = 0,
) -> DetectedSeries:
    """One pass over hills, in slices whose lines continue one grid."""
    dem = hills(*CENTRE)
    made = simulate_detected(
        Scene(dem=dem),
        [Acquisition(centre=START)],
        folder,
        mode=DetectedMode(lines=lines // slices, samples=SAMPLES, slices=slices),
        background=background,
        polarisations=polarisations,
        border=border,
    )
    return DetectedSeries(
        products=made.products, dem=write_dem(folder / "dem.tif", dem), truth=made.truth
    )


@pytest.fixture(scope="session")
def level_product(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """One product in two polarisations, of constant gamma nought without speckle."""
    return simulated_pass(tmp_path_factory.mktemp("level"), polarisations=("VV", "VH"), border=8)


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """Two slices of one pass over relief, without speckle."""
    background = Background(level=LEVEL, looks=None, relief=True)
    return simulated_pass(tmp_path_factory.mktemp("slices"), slices=2, background=background)
