"""A small archive of simulated GRD products over two tiles, which tests share (fixture)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kernels.chains.tiling_series import TilingSeriesRequest
from kernels.simulation import (
    Acquisition,
    Background,
    DetectedMode,
    Scene,
    Track,
    simulate_detected,
)
from tests.series import hills, write_dem

TILES = ("40KCB", "40KDB")
"""Neighbours; the images lie in the strip that they share, half of them in both."""
CENTRE = (56.07, -21.25)
DAYS = ("2026-01-01", "2026-01-13", "2026-01-25", "2026-02-06", "2026-02-18")
ORBIT = 151
_FIRST = datetime(2026, 1, 1, 2, 0, 0)


@dataclass(frozen=True, kw_only=True)
class TileLake:
    """An archive and the terrain under it."""

    folder: Path
    products: tuple[Path, ...]
    dem: Path

    def request(self, **options: object) -> TilingSeriesRequest:
        """Request of the five days on one coarse tile unless told otherwise."""
        values = {
            "tiles": TILES[:1],
            "first_day": DAYS[0],
            "last_day": DAYS[-1],
            "products": (self.folder,),
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "resolution": 300.0,
            "minimum_coverage": 0.05,
            "threads": 1,
        }
        return TilingSeriesRequest(**(values | options))  # type: ignore[arg-type]


def simulated_dates(
    folder: Path,
    centres: Sequence[datetime],
    *,
    slices: int = 1,
    polarisations: Sequence[str] = ("VV",),
    track: Track | None = None,
) -> TileLake:
    """Passes of 14 km x 6 km, with speckle."""
    dem = hills(*CENTRE)
    made = simulate_detected(
        Scene(dem=dem),
        [Acquisition(centre=centre) for centre in centres],
        folder,
        track=track or Track(longitude=CENTRE[0], latitude=CENTRE[1], relative_orbit=ORBIT),
        mode=DetectedMode(lines=600 // slices, samples=1400, slices=slices),
        background=Background(level=0.1, looks=4.4),
        polarisations=polarisations,
    )
    return TileLake(folder=folder, products=made.products, dem=write_dem(folder / "dem.tif", dem))


@pytest.fixture(scope="session")
def tile_lake(tmp_path_factory: pytest.TempPathFactory) -> TileLake:
    """Five dates, twelve days apart."""
    return simulated_dates(
        tmp_path_factory.mktemp("tile_lake"), [_FIRST + timedelta(days=12 * k) for k in range(5)]
    )
