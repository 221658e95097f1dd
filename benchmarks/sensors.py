"""Residual phase and coherence of pairs of every sensor whose truth is known.

Unit coherence, no displacement, 100 m of perpendicular baseline over simulated relief: what remains
is the processor's own error. StripMap and Spotlight of TerraSAR-X and COSMO-SkyMed, StripMap S6 of
Sentinel-1; Doppler centroids vary along range, those of the spotlights drift by more than 10 kHz/s.
Looks are the chain's own choice. With the real metadata, pairs on the middle of a real TerraSAR-X
annotation as well.
"""

from __future__ import annotations

import argparse
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import cached_input, say
from benchmarks.relief import hills
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_chain
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.model import GeographicBox, Shape
from kernels.products.raster import read_raster
from kernels.products.sensors import open_slc
from kernels.simulation import (
    Acquisition,
    Derivation,
    Scene,
    StripMapMode,
    save_dem,
    simulate,
    simulate_on_image,
)

_STRIPMAP, _SPOTLIGHT = Shape(1500, 2000), Shape(9000, 320)
CASES = {
    "sentinel1_stripmap": ("S6", "S1A", _STRIPMAP),
    "terrasar_x_stripmap": ("STRIP_011", "TSX1", _STRIPMAP),
    "terrasar_x_spotlight": ("SPOT_045", "TDX1", _SPOTLIGHT),
    "cosmo_skymed_stripmap": ("H4-05", "CSKS1", _STRIPMAP),
    "cosmo_skymed_spotlight": ("S2-05", "CSKS2", _SPOTLIGHT),
}
"""Beam, satellite and size by name; spotlights are as long as it takes spectra to wrap around."""
REAL = "terrasar_x_annotated"
BASELINE, DELAY = 100.0, 1.27e-3
"""Of the second date [m], and of its first line [s]: some lines and a fraction."""
_START = datetime(2026, 1, 1, 2, 0, 0)
_ANNOTATION = "tsx/TSX1_SAR__SSC______SM_S_SRA_20080310T133220_20080310T133228.xml"


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure every case; figures carry its name."""
    figures: dict[str, Any] = {}
    for name in (*CASES, REAL):
        if name == REAL and not (arguments.shared / _ANNOTATION).is_file():
            continue
        shape = _STRIPMAP if name == REAL else CASES[name][2]
        found = _measure_case(name, arguments.shared, Shape(300, 320) if arguments.quick else shape)
        figures |= {f"{name}_{figure}": value for figure, value in found.items()}
    return figures


def _measure_case(name: str, shared: Path, shape: Shape) -> dict[str, Any]:
    def make(folder: Path) -> None:
        if name == REAL:
            dem = hills(GeographicBox(-112.1, 35.8, -111.7, 36.3))
            image = open_slc(shared / _ANNOTATION).slc("STRIP_011", "HH", need_pixels=False)
            later = Derivation(days=11, perpendicular_baseline=BASELINE)
            simulate_on_image(Scene(dem=dem), image, [later], folder, shape=shape, delay=DELAY)
        else:
            dem = hills(GeographicBox(55.5, -21.2, 55.9, -20.8))
            beam, platform, _ = CASES[name]
            dates = [
                Acquisition(
                    centre=_START + timedelta(days=days),
                    platform=platform,
                    perpendicular_baseline=baseline,
                    timing_offset=delay,
                )
                for days, baseline, delay in ((0, 0.0, 0.0), (12, BASELINE, DELAY))
            ]
            mode = StripMapMode(beam=beam, lines=shape.lines, samples=shape.samples)
            simulate(Scene(dem=dem), dates, folder, mode=mode)
        save_dem(dem, folder / "dem.tif")

    parameters = {"case": name, "shape": shape, "baseline": BASELINE}
    folder = cached_input(f"sensors-{name}", parameters, make)
    reference, secondary = sorted(
        path for path in folder.iterdir() if path.name not in ("dem.tif", "truth")
    )
    request = DinsarPairRequest(
        reference=(reference,),
        secondary=(secondary,),
        dem=(folder / "dem.tif",),
        dem_heights="ellipsoid",
        polarisation="HH" if name == REAL else "VV",
    )
    say(f"{name}: the chain")
    with scratch_folder(folder.parent) as scratch:
        (swath,) = run_chain(request, scratch / "pair", Progress()).report["swaths"]
        found = _residual(scratch / "pair")
    return found | {
        "lines": shape.lines,
        "samples": shape.samples,
        "looks": [swath["looks"]["azimuth"], swath["looks"]["range"]],
        "perpendicular_baseline_m": abs(swath["perpendicular_baseline_m"]),
    }


def _residual(folder: Path) -> dict[str, Any]:
    """Phase and coherence of all cells."""
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".tif"))
        archive.extract(name, folder)
    _, phase, coherence, is_data = read_raster(folder / name).array
    known = is_data == 1.0
    return {
        "cells": int(known.sum()),
        "residual_phase_rms_rad": float(np.sqrt(np.mean(phase[known].astype(np.float64) ** 2))),
        "coherence_mean": float(coherence[known].mean(dtype=np.float64)),
    }
