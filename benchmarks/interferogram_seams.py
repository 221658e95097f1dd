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
from benchmarks.relief import hills, real_relief
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_chain
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.refinement import refine
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.model import GeographicBox
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


def seam_figures(products: tuple[Path, ...], tiles: Path, *, quick: bool) -> dict[str, Any]:
    """Measure seams and shift.

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
    dict
        Figures, largest jumps in absolute values.
    """
    folder = _small_input() if quick else _input(products, tiles)
    safes = sorted(folder.glob("*.SAFE"))
    request = DinsarPairRequest(
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
    pairs = open_pair(request)
    say("seams: the chain")
    with scratch_folder(folder) as scratch:
        report = run_chain(request, scratch / "run", Progress()).report
        jumps = _jumps(pairs, scratch / "run")
    found = report["refinement"]
    return {
        "injected_shift_lines": SHIFT,
        "esd_error_lines": abs(found["shift_lines"] + SHIFT),
        "esd_error_lines_by_swath": {
            swath: abs(shift + SHIFT) for swath, shift in found["shift_by_swath_lines"].items()
        },
        "seam_jump_before_rad": found["burst_seams"]["mean_jump_before_rad"],
        "seam_jump_rad": max(jumps["burst_seam_jump_rad"], jumps["swath_seam_jump_rad"]),
        **jumps,
        "refinement_s": report["seconds"]["refinement"],
        **_at_half_coherence(request, pairs),
    }


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


def _jumps(pairs: tuple[SwathPair, ...], folder: Path) -> dict[str, float]:
    """Largest mean step of the phase over the seams of the rasters in radar geometry."""
    names = [f"interferogram_{pair.reference.swath.lower()}_radar.tif" for pair in pairs]
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        for name in names:
            archive.extract(name, folder)
    phases = []
    for name in names:
        bands = read_raster(folder / name).array
        phases.append(np.where(bands[3] == 1.0, bands[1], np.nan))
    along = [
        abs(_mean(phase[seam] - phase[seam - 1]))
        for pair, phase in zip(pairs, phases, strict=True)
        for seam in (p.start // pair.looks.azimuth for p in pair.layout.placements[1:])
    ]
    across = [abs(jump) for jump in _steps_between(pairs, phases)]
    return {"burst_seam_jump_rad": max(along), "swath_seam_jump_rad": max(across)}


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


def _at_half_coherence(request: DinsarPairRequest, pairs: tuple[SwathPair, ...]) -> dict[str, Any]:
    """Errors of the shift with as much noise as signal in both images."""
    say("seams: with noise")
    dem = load_pair_dem(request, pairs)
    once = replace(request, esd="1")
    errors, coherences, deviations = [], [], []
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
        errors.append(found["shift_lines"] + SHIFT)
        deviations.append(found["standard_deviation_lines"])
        coherences += [seam["coherence"] for seam in found["seams"]]
    return {
        "esd_error_lines_at_half_coherence": float(np.sqrt(np.mean(np.square(errors)))),
        "esd_largest_error_lines_at_half_coherence": float(np.abs(errors).max()),
        "esd_deviation_lines_at_half_coherence": float(np.mean(deviations)),
        "half_coherence_mean": float(np.mean(coherences)),
        "half_coherence_draws": _DRAWS,
    }
