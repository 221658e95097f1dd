"""One GRD image to one tile of Sentinel-2: where targets come out, radiometry and cost.

A full-size image (both polarisations) is simulated on real annotation over relief, with targets
of known position and speckle of constant gamma. The chain makes one tile at 10 m, bicubic, with
ZSTD; then the same without compression, and with both polarisations. Beside it, if installed,
OTB does the same from the same files in the same run. The elevation model holds ellipsoidal
heights and both take it as it is, without geoid. The page cache is warm.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import cached_input, say
from benchmarks.measuring import Measurement, measure
from benchmarks.ortho_peer import GRID_SPACING, measure_otb
from benchmarks.point_targets import (
    Places,
    cut_windows,
    draw_exactly,
    draw_interpolated,
    places_on_map,
    see_windows,
    target_errors,
)
from kernels.chains.ortho_tiling import OrthoTilingRequest
from kernels.chains.ortho_tiling import run as run_chain
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import InputError
from kernels.geometry.mgrs import tile_grid, tile_outline
from kernels.model import Dem, MapGrid, Shape
from kernels.products.raster import read_raster
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Background,
    Scene,
    TargetGrid,
    load_detected_truth,
    save_dem,
    simulate_detected_on_annotation,
)
from kernels.simulation.detected_numba import GroundView, image_point
from kernels.simulation.detected_view import SeenTargets, ground_view
from kernels.simulation.locate_numba import Terrain, cartesian
from kernels.simulation.scene import terrain_of

PRODUCT = "rome_s1/*GRDH*.SAFE"
TILE = "33TUG"
"""The tile that the product covers whole."""

LEVEL = 0.1
"""Gamma of the ground."""

TARGETS = 1200
"""Over the whole image, a quarter of them in the tile."""

QUICK_LINES = Band(6000, 1500)
_SCRATCH_BYTES = 8_000_000_000
_WARM_UP_RESOLUTION = 60.0
_AROUND = 64
_DEM_STEP = 1.0 / 3600.0
_BLOCK = 60
"""Side of the blocks that backscatter is averaged over [pixels]: speckle leaves 0.05 dB."""


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; see the module's docstring."""
    product = next(iter(arguments.shared.glob(PRODUCT)), None)
    if product is None:
        raise InputError(f"{arguments.shared} must hold {PRODUCT}")
    lines = QUICK_LINES if arguments.quick else None
    targets = TargetGrid(count=TARGETS // 10 if arguments.quick else TARGETS)
    dem = relief(TILE)

    def make(folder: Path) -> None:
        # without compression, which would cost either side time
        save_dem(dem, folder / "dem" / "relief.tif", compression="NONE")
        simulate_detected_on_annotation(
            Scene(dem=dem),
            product,
            folder,
            background=Background(level=LEVEL),
            target_grid=targets,
            polarisations=("VV", "VH"),
            lines=lines,
        )

    parameters = {"targets": repr(targets), "lines": lines, "level": LEVEL, "tile": TILE}
    parameters["heights"] = float(dem.heights.mean(dtype=np.float64))
    folder = cached_input("ortho-quick" if arguments.quick else "ortho", parameters, make)
    with scratch_folder(_fast_folder()) as scratch:
        return _measure(folder, dem, scratch)


def relief(tile: str) -> Dem:
    """Make plains at height 0 and hills up to 900 m, slopes up to 23 degrees, posts 1 second.

    Parameters
    ----------
    tile : str
        The model covers this tile and 0.05 degrees around.

    Returns
    -------
    Dem
        Ellipsoidal heights.
    """
    west, south = tile_outline(tile).min(axis=0) - 0.05
    east, north = tile_outline(tile).max(axis=0) + 0.05
    longitudes = np.arange(west, east, _DEM_STEP)
    latitudes = np.arange(north, south, -_DEM_STEP)
    x, y = (longitudes - west) * 83.0, (latitudes - south)[:, None] * 111.0  # km
    swell = np.maximum(np.sin(x / 9.0) * np.cos(y / 10.0), 0.0)
    heights = swell * (750.0 + 150.0 * np.sin(x / 0.45) * np.cos(y / 0.6))
    return Dem(
        heights=heights.astype(np.float32),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=_DEM_STEP,
        latitude_step=-_DEM_STEP,
    )


def _fast_folder() -> Path:
    """Where results go: memory, if there is enough, else the folder of temporary files."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > _SCRATCH_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def _measure(folder: Path, dem: Dem, scratch: Path) -> dict[str, Any]:
    safe = next(iter(folder.glob("*.SAFE")))
    files = sorted(path for path in folder.rglob("*.tif*") if path.is_file())
    for path in files:
        _warm(path)
    grid = tile_grid(TILE)
    request = OrthoTilingRequest(
        products=(safe,),
        tiles=(TILE,),
        dem=(folder / "dem" / "relief.tif",),
        dem_heights="ellipsoid",
        polarisations=("VV",),
        minimum_coverage=1.0,
    )
    truth = _Truth.of(folder, safe, dem, grid)
    say("the chain, ZSTD")
    ours = _chain(request, scratch / "ours")
    (tile,) = (scratch / "ours").glob("s1?_*.tif")
    say("the chain, no compression")
    plain = _chain(replace(request, compression="NONE"), scratch / "plain")
    say("the chain, two polarisations")
    both = _chain(replace(request, polarisations=("VV", "VH")), scratch / "both")
    say("the chain, corrected for the terrain")
    corrected = _chain(replace(request, calibration="gamma_naught_rtc"), scratch / "corrected")
    figures = {
        "tile": TILE,
        **truth.errors(read_raster(tile).array[0]),
        **truth.floor(),
        "mpx": grid.shape.lines * grid.shape.samples / 1e6,
        "wall_s": ours.wall_s,
        "cpu_s": ours.cpu_s,
        "peak_memory_mb": ours.peak_memory_mb,
        "compile_s": ours.compile_s,
        "uncompressed_wall_s": plain.wall_s,
        "uncompressed_cpu_s": plain.cpu_s,
        "two_polarisations_ratio": both.cpu_s / ours.cpu_s,
        "two_polarisations_peak_memory_mb": both.peak_memory_mb,
        "terrain_correction_cpu_s": corrected.cpu_s - ours.cpu_s,
        "terrain_correction_peak_memory_mb": corrected.peak_memory_mb,
    }
    return figures | _beside_otb(folder, truth, ours, tile, scratch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """What is true of the tile; `targets` are those of `places`."""

    grid: MapGrid
    targets: SeenTargets
    places: Places
    shape: Shape
    view: GroundView
    terrain: Terrain

    @classmethod
    def of(cls, folder: Path, safe: Path, dem: Dem, grid: MapGrid) -> _Truth:
        image = open_sentinel1(safe).grd("VV", need_pixels=False)
        places, targets = places_on_map(load_detected_truth(folder / "truth").targets, grid)
        return cls(
            grid=grid,
            targets=targets,
            places=places,
            shape=image.grid.shape,
            view=ground_view(image.grid, image.state_vectors),
            terrain=terrain_of(dem),
        )

    def floor(self) -> dict[str, float]:
        """Errors of the peak finder itself, and of bicubic interpolation at exact places [m]."""
        seen = see_windows(self.targets, self.places, self.grid, self.view, self.terrain)
        exact, cubic = (
            target_errors(draw(seen, self.targets), self.places, self.grid)[0].distance
            for draw in (draw_exactly, draw_interpolated)
        )
        return {
            "location_floor_m": float(np.median(exact)),
            "location_floor_bicubic_m": float(np.median(cubic)),
            "location_floor_bicubic_p95_m": float(np.percentile(cubic, 95.0)),
        }

    def errors(self, gamma: NDArray[np.float32]) -> dict[str, float]:
        """Errors of a tile: location [m] and backscatter [dB]."""
        errors, lost = target_errors(cut_windows(gamma, self.places), self.places, self.grid)
        decibels = 10.0 * np.log10(_block_means(gamma) / LEVEL)
        return {
            "targets": errors.east.size,
            "targets_lost": lost,
            "location_median_m": float(np.median(errors.distance)),
            "location_p95_m": float(np.percentile(errors.distance, 95.0)),
            "location_bias_east_m": float(np.abs(errors.east.mean())),
            "location_bias_north_m": float(np.abs(errors.north.mean())),
            "radiometry_median_db": float(np.abs(np.nanmedian(decibels))),
        }

    def part(self) -> tuple[Band, Band]:
        """Lines and pixels of the image under the tile, and some around."""
        seen = np.array(
            [
                image_point(self.view, cartesian(x, y, height), self.view.orbit.middle)[:2]
                for x, y in tile_outline(TILE).tolist()
                for height in (self.terrain.lowest, self.terrain.highest)
            ]
        )
        first = np.maximum(np.floor(seen.min(axis=0)).astype(int) - _AROUND, 0)
        stop = np.minimum(np.ceil(seen.max(axis=0)).astype(int) + _AROUND, self.shape)
        return Band(int(first[0]), int(stop[0] - first[0])), Band(
            int(first[1]), int(stop[1] - first[1])
        )


def _block_means(gamma: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean backscatter of square blocks, shape (n,); NaN where a pixel is missing."""
    rows, columns = (size // _BLOCK for size in gamma.shape)
    blocks = gamma[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3), dtype=np.float64)
    means[(blocks == 0.0).any(axis=(1, 3))] = np.nan
    return means.ravel()


def _run(request: OrthoTilingRequest, folder: Path) -> dict[str, Any]:
    return run_chain(request, folder, Progress()).report


def _chain(request: OrthoTilingRequest, folder: Path) -> Measurement[dict[str, Any]]:
    small = replace(request, resolution=_WARM_UP_RESOLUTION)
    return measure(_run, request, folder, warm_up=(small, folder.with_name("warm_up")))


def _warm(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb") as stream:
        while stream.read(1 << 24):
            pass


def _beside_otb(
    folder: Path, truth: _Truth, ours: Measurement[Any], tile: Path, scratch: Path
) -> dict[str, Any]:
    """Make the same tile with OTB and compare; nothing but a word where it is not installed."""
    measurement = next(folder.glob("*.SAFE/measurement/*-vv-*.tiff"))
    otb = measure_otb(measurement, truth.part(), folder / "dem", truth.grid, scratch)
    if otb is None:
        return {"otb": "not installed"}
    theirs, own = (read_raster(path).array[0] for path in (otb.file, tile))
    decibels = 10.0 * np.log10(_block_means(own) / _block_means(theirs))
    return {
        "otb": otb.version,
        "otb_grid_spacing_m": GRID_SPACING,
        "otb_interpolator": "bicubic",
        "otb_wall_s": otb.wall_s,
        "otb_cpu_s": otb.cpu_s,
        "otb_calibration_cpu_s": otb.calibration.cpu_s,
        "otb_peak_memory_mb": otb.peak_memory_mb,
        **{f"otb_{name}": value for name, value in truth.errors(theirs).items()},
        "radiometry_vs_otb_median_db": float(np.abs(np.nanmedian(decibels))),
        "cpu_ratio_vs_otb": otb.cpu_s / ours.cpu_s,
        "wall_ratio_vs_otb": otb.wall_s / ours.wall_s,
    }
