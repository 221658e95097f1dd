"""Seams and azimuth shift of a pair whose secondary is 0.03 line off, against that truth.

Two swaths of three bursts on real annotation of an Alps pair with real relief, unit coherence and
no displacement: whatever steps at a seam is an error. Jumps are measured on the rasters that the
chain writes. For coherence 0.5 noise is added to both images, several times.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decorrelation import Decorrelated
from benchmarks.harness import cached_input, say
from benchmarks.interferogram_errors import Estimate, Merged, SeamErrors, root_mean_square
from benchmarks.relief import hills, real_relief
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_chain
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.refinement import refine
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.insar.overlaps import CELL
from kernels.model import SPEED_OF_LIGHT, GeographicBox, Shape
from kernels.products.raster import read_raster
from kernels.simulation import (
    Acquisition,
    AnnotatedDate,
    Scene,
    TopsMode,
    save_dem,
    simulate,
    simulate_on_annotation,
)

SHIFT = 0.03
"""Lines by which the secondary's files are wrong."""
SWATHS = ("IW1", "IW2")
BURSTS = (4, 5, 6)
"""Counted from 0; both swaths see the same ground in them."""

BOX = GeographicBox(6.5, 45.7, 11.0, 48.2)
_DRAWS = 5
"""Of the noise."""


def seam_request(products: tuple[Path, ...], tiles: Path, *, quick: bool) -> DinsarPairRequest:
    """Make the pair, and ask for its interferogram.

    Parameters
    ----------
    products : tuple of Path
        SAFE folders of the two dates, without measurement files.
    tiles : Path
        Folder of elevation tiles.
    quick : bool
        Small input on parameters of its own instead.

    Returns
    -------
    DinsarPairRequest
        Of three bursts in each of two swaths.
    """
    folder = _small_input() if quick else _input(products, tiles)
    safes = sorted(folder.glob("*.SAFE"))
    return DinsarPairRequest(
        reference=(safes[0],),
        secondary=(safes[1],),
        dem=(folder / "dem.tif",),
        dem_heights="ellipsoid",
        swaths=SWATHS,
        first_burst=1 if quick else BURSTS[0] + 1,
        last_burst=3 if quick else BURSTS[-1] + 1,
        azimuth_looks=4,
        range_looks=16,
        spacing=0.001,
    )


def seam_figures(request: DinsarPairRequest) -> tuple[dict[str, Any], SeamErrors]:
    """Measure seams and shift.

    Parameters
    ----------
    request : DinsarPairRequest
        From `seam_request`.

    Returns
    -------
    figures : dict
        Jumps and errors in absolute values.
    errors : SeamErrors
        What they sum up.
    """
    pairs = open_pair(request)
    with scratch_folder(request.reference[0].parent) as scratch:
        say("seams: the chain without refinement")
        run_chain(replace(request, esd="off"), scratch / "before", Progress())
        before = _merged(pairs, scratch / "before")
        say("seams: the chain")
        report = run_chain(request, scratch / "after", Progress()).report
        after = _merged(pairs, scratch / "after")
    found = report["refinement"]
    noisy, coherence = _at_half_coherence(request, pairs)
    grid = pairs[0].layout.grid.looked(pairs[0].looks)
    errors = SeamErrors(
        shift=SHIFT,
        before=before,
        after=after,
        grid=replace(grid, shape=Shape(*after.phase.shape)),
        looks=pairs[0].looks,
        overlaps=tuple(
            seam["bursts"][0] + "|" + seam["bursts"][1].split()[1]
            for seam in found["seams"]
            if "shift_lines" in seam
        ),
        clean=Estimate.of(found, -SHIFT),
        noisy=noisy,
        bounds=_bounds(pairs, found),
    )
    by_swath = found["shift_by_swath_lines"].items()
    return {
        "injected_shift_lines": SHIFT,
        "esd_error_lines_by_swath": {swath: abs(shift + SHIFT) for swath, shift in by_swath},
        "refinement_s": report["seconds"]["refinement"],
        "half_coherence_mean": coherence,
        **_figures(errors),
    }, errors


def _figures(errors: SeamErrors) -> dict[str, Any]:
    """Sum up jumps and shifts."""
    jumps = np.abs(errors.after.jumps).max(), np.abs(errors.after.swath_jumps).max()
    shifts = np.array([draw.error for draw in errors.noisy])
    single = np.array([draw.errors for draw in errors.noisy]) / errors.bounds
    return {
        "seam_jump_before_rad": float(np.abs(errors.before.jumps).mean()),
        "swath_seam_jump_before_rad": float(np.abs(errors.before.swath_jumps).mean()),
        "seam_jump_rad": float(max(jumps)),
        "burst_seam_jump_rad": float(jumps[0]),
        "swath_seam_jump_rad": float(jumps[1]),
        "esd_error_lines": abs(errors.clean.error),
        "esd_error_lines_at_half_coherence": root_mean_square(shifts),
        "esd_largest_error_lines_at_half_coherence": float(np.abs(shifts).max()),
        "esd_deviation_lines_at_half_coherence": float(
            np.mean([draw.deviation for draw in errors.noisy])
        ),
        "esd_bound_lines_at_half_coherence": float(np.sum(errors.bounds**-2.0) ** -0.5),
        "esd_overlap_error_over_bound_at_half_coherence": root_mean_square(single),
        "half_coherence_draws": len(errors.noisy),
    }


def _bounds(pairs: tuple[SwathPair, ...], refinement: dict[str, Any]) -> NDArray[np.float64]:
    """Least standard deviation of the shift that overlaps can tell at coherence 0.5 [lines].

    The phase of an overlap is the difference of two interferograms of as many independent looks
    as their bands hold; Cramer and Rao's bound of each is (1 - c^2) / (2 looks c^2).
    """
    swaths = {pair.reference.swath: pair.reference for pair in pairs}
    bounds = []
    for seam in refinement["seams"]:
        if "shift_lines" not in seam:
            continue
        image = swaths[seam["bursts"][0].split()[0]]
        grid = image.bursts[0].grid
        independent = image.azimuth_bandwidth * grid.line_interval
        independent *= image.range_bandwidth * 2.0 * grid.slant_range_spacing / SPEED_OF_LIGHT
        looks = seam["cells"] * CELL.azimuth * CELL.range * independent
        variance = 2.0 * (1.0 - 0.5**2) / (2.0 * looks * 0.5**2)
        lever = 2.0 * np.pi * seam["doppler_difference_hz"] * grid.line_interval
        bounds.append(np.sqrt(variance) / abs(lever))
    return np.array(bounds)


def _input(products: tuple[Path, ...], tiles: Path) -> Path:
    def make(folder: Path) -> None:
        terrain = real_relief(tiles, BOX)
        save_dem(terrain, folder / "dem.tif")
        simulate_on_annotation(
            Scene(dem=terrain),
            [
                AnnotatedDate(product=products[0]),
                AnnotatedDate(product=products[1], misregistration=SHIFT),
            ],
            folder,
            swaths=SWATHS,
            polarisation="VV",
            bursts=BURSTS,
        )

    parameters = {"swaths": SWATHS, "bursts": BURSTS, "shift": SHIFT}
    return cached_input("interferogram-seams", parameters, make)


def _small_input() -> Path:
    def make(folder: Path) -> None:
        terrain = hills(GeographicBox(55.4, -21.3, 56.0, -20.7))
        save_dem(terrain, folder / "dem.tif")
        start = datetime(2026, 1, 1, 2)
        later = Acquisition(
            centre=start + timedelta(days=12), perpendicular_baseline=80.0, misregistration=SHIFT
        )
        simulate(
            Scene(dem=terrain),
            [Acquisition(centre=start), later],
            folder,
            mode=TopsMode(swaths=SWATHS, bursts=3, samples=3200, burst_lines=300),
        )

    return cached_input("interferogram-seams-quick", {"shift": SHIFT}, make)


def _merged(pairs: tuple[SwathPair, ...], folder: Path) -> Merged:
    """Read the rasters in radar geometry, and measure the mean steps of the phase at seams."""
    names = [f"interferogram_{pair.reference.swath.lower()}_radar.tif" for pair in pairs]
    names.append("interferogram_radar.tif")
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        for name in names:
            archive.extract(name, folder)
    phases = []
    for name in names:
        bands = read_raster(folder / name).array
        phases.append(np.where(bands[3] == 1.0, bands[1], np.nan).astype(np.float32))
    whole = phases.pop()
    along = [
        _mean(phase[seam] - phase[seam - 1])
        for pair, phase in zip(pairs, phases, strict=True)
        for seam in (p.start // pair.looks.azimuth for p in pair.layout.placements[1:])
    ]
    return Merged(whole, np.array(along), np.array(_steps_between(pairs, phases)))


def _steps_between(pairs: tuple[SwathPair, ...], phases: list[NDArray[np.float32]]) -> list[float]:
    """Mean difference of two swaths on their common cells, for every pair of their bursts."""
    near, far = pairs
    cells = [pair.layout.grid.looked(pair.looks) for pair in pairs]
    start = cells[1].first_slant_range
    down = round(cells[0].line(cells[1].zero_doppler_time(0.0, start), start))
    across = round(cells[0].sample(start))
    looks, steps = near.looks.azimuth, []
    for first in near.layout.placements:
        for second in far.layout.placements:
            top = max(first.start // looks, second.start // looks + down)
            bottom = min(first.stop // looks, second.stop // looks + down)
            if bottom <= top:
                continue
            ours = phases[0][top:bottom, across:]
            difference = ours - phases[1][top - down : bottom - down, : ours.shape[1]]
            if np.isfinite(difference).any():
                steps.append(_mean(difference))
    return steps


def _mean(differences: NDArray[np.float32]) -> float:
    turned = np.exp(1j * differences[np.isfinite(differences)].astype(np.float64))
    return float(np.angle(turned.mean()))


def _at_half_coherence(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...]
) -> tuple[tuple[Estimate, ...], float]:
    """Estimates with as much noise as signal in both images, and the coherence that they saw."""
    say("seams: with noise")
    dem = load_pair_dem(request, pairs)
    once = replace(request, esd="1")
    estimates, coherences = [], []
    for draw in range(_DRAWS):
        noisy = tuple(
            replace(
                pair,
                reference=replace(
                    pair.reference,
                    pixels=Decorrelated(
                        image=pair.reference, orbit=pair.reference_orbit, seed=4 * draw + 2 * k
                    ),
                ),
                secondary=replace(
                    pair.secondary,
                    pixels=Decorrelated(
                        image=pair.secondary, orbit=pair.secondary_orbit, seed=4 * draw + 2 * k + 1
                    ),
                ),
            )
            for k, pair in enumerate(pairs)
        )
        _, found = refine(once, noisy, dem, threads=default_threads(), progress=Progress())
        estimates.append(Estimate.of(found, -SHIFT))
        coherences += [seam["coherence"] for seam in found["seams"]]
    return tuple(estimates), float(np.mean(coherences))
