"""Coregistration, residual phase, coherence and cost of a pair whose truth is known.

Two full-width IW bursts on real annotation of an Alps pair with real relief, and a StripMap pair
on real S3 annotation over simulated relief. Unit coherence and no displacement: what remains is
the processor's own error. Windows of 4 x 16 pixels (azimuth x range), kernel 12, no filter;
windows that layover or shadow touches are left out and their share is told. Cost is that of the
whole chain, from SAFE to the map, per pixel of the reference bursts. Seams, azimuth shift, constant
phases, bits and phase closure have input of their own (`interferogram_seams`, `_closure`).
"""

from __future__ import annotations

import argparse
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from benchmarks.harness import cached_input, say
from benchmarks.interferogram_bits import bits_figures
from benchmarks.interferogram_closure import closure_figures
from benchmarks.interferogram_errors import PairErrors, root_mean_square
from benchmarks.interferogram_offsets import offset_figures
from benchmarks.interferogram_pictures import draw_pictures
from benchmarks.interferogram_seams import SHIFT, seam_figures, seam_request
from benchmarks.measuring import measure
from benchmarks.relief import hills, real_relief
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_chain
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import InputError
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.terrain import heights_on_dem
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.insar.coregistration import Coregistration
from kernels.insar.mosaic import Placement
from kernels.model import Dem, GeographicBox, RadarGrid
from kernels.products.raster import read_raster
from kernels.simulation import (
    AnnotatedDate,
    BurstTruth,
    Derivation,
    Scene,
    load_truth,
    save_dem,
    simulate_on_annotation,
)

AZIMUTH_LOOKS, RANGE_LOOKS, KERNEL = 4, 16, 12
_OTHER_CROSSING = 1.0
"""Heights that differ by more are two points, not one and its error [m]."""
BASELINE = 80.0
"""Perpendicular baseline of the derived StripMap date [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pair on real annotation.

    Attributes
    ----------
    name : str
        Of the case.
    products : tuple of str
        Patterns of the SAFE folders; one pattern: the second date is derived.
    swath, polarisation : str
        What is simulated and processed.
    bursts : tuple of int
        Counted from 0.
    lines : Band or None
        Of a StripMap image; None: all.
    dem : str
        Folder of elevation tiles; empty: simulated relief.
    box : GeographicBox
        Elevation for the simulation.
    """

    name: str
    products: tuple[str, ...]
    swath: str
    polarisation: str
    bursts: tuple[int, ...]
    lines: Band | None
    dem: str
    box: GeographicBox


CASES = (
    Case(
        name="iw",
        products=("alps_iw_pair/*20190101*.SAFE", "alps_iw_pair/*20190113*.SAFE"),
        swath="IW1",
        polarisation="VV",
        bursts=(4, 5),
        lines=None,
        dem="srtm3_alps",
        box=GeographicBox(7.0, 46.2, 9.3, 47.5),
    ),
    Case(
        name="stripmap",
        products=("sm_annotations/S1A_S3_SLC*.SAFE",),
        swath="S3",
        polarisation="VH",
        bursts=(0,),
        lines=Band(16_000, 3_000),
        dem="",
        box=GeographicBox(42.4, -12.8, 44.6, -10.4),
    ),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark's own options."""
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="draw the errors into this folder, as PNG"
    )


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure both cases; the figures without a prefix are those of the IW pair."""
    pairs: dict[str, PairErrors] = {}
    figures: dict[str, Any] = {"azimuth_looks": AZIMUTH_LOOKS, "range_looks": RANGE_LOOKS}
    for case in CASES:
        prefix = "" if case.name == "iw" else f"{case.name}_"
        found, pairs[case.name] = _measure_case(case, arguments.shared, quick=arguments.quick)
        figures |= {f"{prefix}{name}": value for name, value in found.items()}
    products, tiles = _products(CASES[0], arguments.shared), arguments.shared / CASES[0].dem
    request = seam_request(products, tiles, quick=arguments.quick)
    of_seams, seams = seam_figures(request)
    figures |= of_seams | offset_figures(request, -SHIFT) | bits_figures(request)
    of_closure, closure = closure_figures(products, tiles)
    if arguments.pictures:
        draw_pictures(
            arguments.pictures,
            iw=pairs["iw"],
            stripmap=pairs["stripmap"],
            seams=seams,
            closure=closure,
        )
    return figures | of_closure


def _products(case: Case, shared: Path) -> tuple[Path, ...]:
    products = [next(iter(shared.glob(pattern)), None) for pattern in case.products]
    found = tuple(product for product in products if product is not None)
    if len(found) < len(products):
        raise InputError(f"{shared} must hold {' and '.join(case.products)}")
    return found


def _measure_case(case: Case, shared: Path, *, quick: bool) -> tuple[dict[str, Any], PairErrors]:
    products = _products(case, shared)
    lines = Band(16_000, 400) if quick and case.lines else case.lines
    bursts = case.bursts[:1] if quick else case.bursts

    def make(folder: Path) -> None:
        dem = _relief(case, shared)
        save_dem(dem, folder / "dem.tif")
        dates = [AnnotatedDate(product=product) for product in products]
        if len(dates) == 1:
            derivation = Derivation(days=12, perpendicular_baseline=BASELINE)
            dates.append(AnnotatedDate(product=dates[0].product, derivation=derivation))
        simulate_on_annotation(
            Scene(dem=dem),
            dates,
            folder,
            swaths=(case.swath,),
            polarisation=case.polarisation,
            bursts=bursts,
            lines=lines,
            progress=Progress.to(_tell()),
        )

    parameters = {"case": repr(case), "bursts": bursts, "lines": lines, "baseline": BASELINE}
    folder = cached_input(f"interferogram-{case.name}", parameters, make)
    safes = sorted(folder.glob("*.SAFE"))
    request = DinsarPairRequest(
        reference=(safes[0],),
        secondary=(safes[1],),
        dem=(folder / "dem.tif",),
        dem_heights="ellipsoid",
        polarisation=case.polarisation,
        swaths=(case.swath,),
        first_burst=bursts[0] + 1,
        last_burst=bursts[-1] + 1,
        azimuth_looks=AZIMUTH_LOOKS,
        range_looks=RANGE_LOOKS,
        kernel=KERNEL,
    )
    (pair,) = open_pair(request)
    say(f"{case.name}: coregistration against the truth")
    figures, azimuth, across = _coregistration(request, pair, folder / "truth")
    with scratch_folder(folder) as scratch:
        say(f"{case.name}: the chain")
        taken = measure(_run, request, scratch / "measured", warm_up=(request, scratch / "warm_up"))
        phase, coherence, state = _windows(pair, scratch / "measured", folder / "truth")
    pixels = sum(
        p.burst.grid.shape.lines * p.burst.grid.shape.samples for p in pair.layout.placements
    )
    figures |= _residual(phase, coherence, state) | {
        "mpx": pixels / 1e6,
        "cpu_s_per_mpx": taken.cpu_s / (pixels / 1e6),
        "wall_s": taken.wall_s,
        "peak_memory_mb": taken.peak_memory_mb,
        "compile_s": taken.compile_s,
        "seconds_by_step": taken.value["seconds"],
        "perpendicular_baseline_m": taken.value["swaths"][0]["perpendicular_baseline_m"],
    }
    return figures, PairErrors(
        lines=azimuth,
        samples=across,
        phase=phase,
        coherence=coherence,
        kept=state > 0,
        clear=state == 2,
        grid=pair.layout.grid.looked(pair.looks),
        looks=pair.looks,
    )


def _run(request: DinsarPairRequest, folder: Path) -> dict[str, Any]:
    return run_chain(request, folder, Progress()).report


def _tell() -> Any:
    """Report of every tenth of a simulation."""
    told = [-1]

    def report(share: float, step: str) -> None:
        if int(share * 10) > told[0]:
            told[0] = int(share * 10)
            say(f"  {share:4.0%} {step}")

    return report


def _relief(case: Case, shared: Path) -> Dem:
    return real_relief(shared / case.dem, case.box) if case.dem else hills(case.box)


def _truth(folder: Path, pair: SwathPair, placement: Placement) -> BurstTruth:
    return load_truth(folder, swath=pair.reference.swath, burst=placement.burst.index)


def _coregistration(
    request: DinsarPairRequest, pair: SwathPair, folder: Path
) -> tuple[dict[str, Any], NDArray[np.float64], NDArray[np.float64]]:
    """Errors of lines, samples and ranges on the nodes of the truth, layover left out.

    The truth's mask is made of points sampled along the ground and misses the last pixel of some
    folds. A node where processor and truth stand on two different crossings of its range circle
    with the terrain is in layover by definition; such nodes are counted and left out too.
    """
    dem = load_pair_dem(request, (pair,))
    errors: list[NDArray[np.float64]] = []
    unmarked = 0
    for placement in pair.layout.placements:
        if placement.partner is None:
            continue
        truth = _truth(folder, pair, placement)
        grid = placement.burst.grid
        geometry = Coregistration.of(
            reference=grid,
            reference_orbit=pair.reference_orbit,
            secondary=placement.partner.grid,
            secondary_orbit=pair.secondary_orbit,
            dem=dem,
        )
        for row, line in enumerate(truth.lines):
            found = geometry.offsets(Band(int(line), 1))
            heights = found.heights[0, truth.samples]
            clear = truth.mask[line - truth.lines[0], truth.samples] == 0
            other = clear & (np.abs(heights - truth.height[row]) > _OTHER_CROSSING)
            for column in np.flatnonzero(other):
                at = float(line), float(truth.samples[column])
                both = np.array([heights[column], truth.height[row, column]])
                other[column] = _on_terrain(pair, grid, dem, at, both)
            unmarked += int(other.sum())
            errors.append(
                np.stack(
                    [
                        found.lines[0, truth.samples] + line - truth.secondary_line[row],
                        found.samples[0, truth.samples]
                        + truth.samples
                        - truth.secondary_sample[row],
                        found.range_differences[0, truth.samples] - truth.range_difference[row],
                    ]
                )[:, clear & ~other]
            )
    azimuth, across, metres = np.concatenate(errors, axis=1)
    phase = 4.0 * np.pi / pair.layout.grid.wavelength * metres
    figures = {
        "coreg_points": azimuth.size,
        "coreg_points_in_unmarked_folds": unmarked,
        "coreg_azimuth_rms_lines": root_mean_square(azimuth),
        "coreg_azimuth_max_lines": float(np.abs(azimuth).max()),
        "coreg_range_rms_samples": root_mean_square(across),
        "coreg_range_max_samples": float(np.abs(across).max()),
        "flattening_rms_rad": root_mean_square(phase),
    }
    return figures, azimuth, across


def _on_terrain(
    pair: SwathPair,
    grid: RadarGrid,
    dem: Dem,
    pixel: tuple[float, float],
    heights: NDArray[np.float64],
) -> bool:
    """Tell whether the range circle of a pixel meets the terrain at all of these heights."""
    slant_range = grid.slant_range(pixel[1])
    time = grid.zero_doppler_time(pixel[0], slant_range)
    points = radar_to_ground(
        pair.reference_orbit, np.array(time), np.array(slant_range), heights, side=grid.look_side
    )
    longitudes, latitudes, _ = ecef_to_geodetic(points)
    gaps = heights_on_dem(dem, longitudes, latitudes) - heights
    return bool((np.abs(gaps) < 0.1).all())


def _windows(
    pair: SwathPair, folder: Path, truth: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int8]]:
    """Phase and coherence of windows, and what touches them.

    The last array has 0 for windows without data, -1 for those in layover or shadow, 1 where the
    kernel reaches into it, where one pixel holds two points of the ground, and 2 for all others.
    """
    name = f"interferogram_{pair.reference.swath.lower()}_radar.tif"
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        archive.extract(name, folder)
    _, phase, coherence, is_data = read_raster(folder / name).array
    state = np.where(_distorted(pair, truth, phase.shape, reach=KERNEL // 2), 1, 2)
    state[_distorted(pair, truth, phase.shape, reach=0)] = -1
    state[is_data != 1.0] = 0
    return phase, coherence, state.astype(np.int8)


def _residual(
    phase: NDArray[np.float32], coherence: NDArray[np.float32], state: NDArray[np.int8]
) -> dict[str, Any]:
    """Sum up the windows that neither layover nor shadow touches, and those clear of both."""
    kept, clear = state > 0, state == 2
    return {
        "windows": int(kept.sum()),
        "layover_and_shadow_share": float((state == -1).sum() / (state != 0).sum()),
        "residual_phase_rms_rad": root_mean_square(phase[kept]),
        "residual_phase_mean_rad": float(np.abs(phase[kept].mean(dtype=np.float64))),
        "coherence_mean": float(coherence[kept].mean(dtype=np.float64)),
        "clear_share": float(clear.sum() / kept.sum()),
        "clear_residual_phase_rms_rad": root_mean_square(phase[clear]),
    }


def _distorted(
    pair: SwathPair, truth: Path, shape: tuple[int, ...], *, reach: int
) -> NDArray[np.bool_]:
    """Windows that have layover or shadow within so many pixels."""
    distorted = np.zeros(shape, np.bool_)
    for placement in pair.layout.placements:
        known = _truth(truth, pair, placement)
        near = maximum_filter(known.mask != 0, 2 * reach + 1) if reach else known.mask
        lines, samples = np.nonzero(near)
        rows = (lines + known.lines[0] + placement.origin) // AZIMUTH_LOOKS
        cells = samples // RANGE_LOOKS
        own = (
            (rows >= placement.start // AZIMUTH_LOOKS)
            & (rows < placement.stop // AZIMUTH_LOOKS)
            & (cells < shape[1])
        )
        distorted[rows[own], cells[own]] = True
    return distorted
