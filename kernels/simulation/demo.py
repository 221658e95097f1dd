"""The demonstration: a volcano that swells between two acquisitions, made without any download."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kernels.engine.progress import Progress
from kernels.model import GeographicBox
from kernels.products.dem_writing import save_dem
from kernels.simulation.acquisition import Acquisition, Track
from kernels.simulation.modes import TopsMode
from kernels.simulation.scene import MogiSource, Scene
from kernels.simulation.series import simulate
from kernels.simulation.terrain import volcano_island

DEM_NAME = "dem_ellipsoid.tif"
"""Its heights are above the WGS84 ellipsoid: process it with dem_heights = ellipsoid."""

_LONGITUDE = 55.7
_LATITUDE = -21.0
_BOX = GeographicBox(west=55.4, south=-21.4, east=56.0, north=-20.6)
_FIRST = datetime(2024, 6, 1, 1, 45, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Files of the demonstration.

    Attributes
    ----------
    reference, secondary : Path
        SAFE folders of two IW SLC products, 12 days apart.
    dem : Path
        GeoTIFF of heights above the WGS84 ellipsoid.
    truth : Path
        Folder for load_truth.
    """

    reference: Path
    secondary: Path
    dem: Path
    truth: Path


def demo_scene() -> Scene:
    """Make an island at 21 S whose volcano swells, in a sea that loses all coherence.

    Returns
    -------
    Scene
        The displacement is 7 cm towards the satellite at most: between 2 and 3 fringes.
    """
    return Scene(
        dem=volcano_island(_BOX),
        seed=21,
        amplitude=400.0,
        sea_amplitude=60.0,
        land_coherence=0.8,
        sea_coherence=0.0,
        noise=20.0,
        relief=True,
        sources=(
            MogiSource(
                longitude=_LONGITUDE + 0.012,
                latitude=_LATITUDE + 0.008,
                depth=2_500.0,
                volume_change=2.3e6,
            ),
        ),
    )


def simulate_demo(
    folder: Path,
    *,
    mode: TopsMode | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Demo:
    """Simulate the demonstration: two bursts of IW1 around the island, and its elevation model.

    Parameters
    ----------
    folder : Path
        Gets the files once they are complete.
    mode : TopsMode or None
        None: two whole bursts of 5600 samples, which hold the island.
    threads : int or None
        Computing threads; None: all cores.
    progress : Progress or None
        Told of each band of lines.

    Returns
    -------
    Demo
        Where the files are.

    Raises
    ------
    ProcessingError
        The file system did not take the files.
    Cancelled
        If asked to stop; nothing is left.
    """
    scene = demo_scene()
    acquisitions = (
        Acquisition(centre=_FIRST),
        Acquisition(
            centre=_FIRST + timedelta(days=12),
            perpendicular_baseline=60.0,
            timing_offset=4e-4,
            motion=1.0,
        ),
    )
    series = simulate(
        scene,
        acquisitions,
        folder,
        track=Track(longitude=_LONGITUDE, latitude=_LATITUDE),
        mode=mode or TopsMode(swaths=("IW1",), bursts=2, samples=5600),
        threads=threads,
        progress=progress,
    )
    dem = folder / DEM_NAME
    save_dem(scene.dem, dem)
    reference, secondary = series.products
    return Demo(reference=reference, secondary=secondary, dem=dem, truth=series.truth)
