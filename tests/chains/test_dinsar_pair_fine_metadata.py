"""Timing that was put wrong into the annotation of a simulated scene over relief."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.chains.dinsar_pair import run
from kernels.chains.dinsar_pair.fine_metadata import refine_metadata
from kernels.chains.dinsar_pair.grids import with_grids
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.engine.progress import Progress
from kernels.model import Dem, RadarGrid
from kernels.simulation import Acquisition, Scene, StripMapMode, TopsMode, simulate
from kernels.simulation.modes import Mode
from tests.chains.test_dinsar_pair_esd import Broken, opened
from tests.series import BASELINE, CENTRE, START, Series, write_dem

TIME, RANGE = 2.5e-3, -31.0
"""By which annotations are too late [s] and too near [m]."""


def mountains() -> Dem:
    """Random slopes of 10 degrees and wavelengths from 300 m to 1.5 km, posts of 1 arc second."""
    posts, step = 1000, 1.0 / 3600.0
    generator = np.random.default_rng(5)
    x, y = np.meshgrid(np.arange(posts) * 29.0, np.arange(posts) * 31.0)
    heights = np.full(x.shape, 500.0)
    for _ in range(60):
        wave = np.exp(generator.uniform(np.log(300.0), np.log(1500.0)))
        angle, phase = generator.uniform(0, 2 * np.pi, 2)
        along = (x * np.cos(angle) + y * np.sin(angle)) / wave
        heights += 0.005 * wave * np.sin(2 * np.pi * along + phase)
    return Dem(
        heights=heights.astype(np.float32),
        west=CENTRE[0] - 0.5 * posts * step,
        north=CENTRE[1] + 0.5 * posts * step,
        longitude_step=step,
        latitude_step=-step,
    )


def simulated(folder: Path, mode: Mode) -> Series:
    dem = mountains()
    series = simulate(
        Scene(dem=dem, relief=True),
        [
            Acquisition(centre=START),
            Acquisition(centre=START + timedelta(days=12), perpendicular_baseline=BASELINE),
        ],
        folder,
        mode=mode,
    )
    return Series(
        reference=series.products[0],
        still=series.products[1],
        moved=None,
        dem=write_dem(folder / "dem.tif", dem),
        truth=series.truth,
    )


@pytest.fixture(scope="module")
def stripmap(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return simulated(tmp_path_factory.mktemp("fine"), StripMapMode(lines=1500, samples=2000))


def mistimed(grid: RadarGrid) -> RadarGrid:
    assert grid.bistatic_range is not None
    return replace(
        grid,
        first_line_time=grid.first_line_time + TIME,
        first_slant_range=grid.first_slant_range + RANGE,
        bistatic_range=grid.bistatic_range + RANGE,
    )


def refined(
    request: Any, pairs: tuple[SwathPair, ...], dem: Dem
) -> tuple[tuple[SwathPair, ...], dict[str, Any]]:
    return refine_metadata(request, pairs, dem, threads=2, progress=Progress())


def test_a_wrong_timing_is_found_over_relief(stripmap: Series) -> None:
    request, pairs, dem = opened(stripmap, fine_metadata="on")
    wrong = tuple(with_grids(pair, reference=mistimed, secondary=mistimed) for pair in pairs)
    corrected, found = refined(request, wrong, dem)
    assert found["patches_used"] >= 20
    errors = found["azimuth_standard_error_s"], found["range_standard_error_m"]
    # cells of 25 m: 1 m along the track, a third of a metre across it
    assert errors[0] < 2.5e-4
    assert errors[1] < 0.5
    assert abs(found["azimuth_time_correction_s"] + TIME) < 3.0 * errors[0]
    assert abs(found["range_correction_m"] + RANGE) < 3.0 * errors[1]
    for image, truth in (
        (corrected[0].reference, pairs[0].reference),
        (corrected[0].secondary, pairs[0].secondary),
    ):
        for burst, right in zip(image.bursts, truth.bursts, strict=True):
            assert burst.grid.first_line_time == pytest.approx(right.grid.first_line_time, abs=6e-4)
            assert burst.grid.first_slant_range == pytest.approx(
                right.grid.first_slant_range, abs=1.2
            )
    json.dumps(found, allow_nan=False)


def test_level_ground_tells_nothing_and_it_is_said(stripmap: Series) -> None:
    request, pairs, dem = opened(stripmap, fine_metadata="on")
    level = replace(dem, heights=np.full_like(dem.heights, 500.0))
    same, found = refined(request, pairs, level)
    assert found["patches_used"] == 0
    assert same[0].layout.grid == pairs[0].layout.grid
    assert "too flat" in same[0].warnings[-1]


def test_switched_off_nothing_is_read(stripmap: Series) -> None:
    request, pairs, dem = opened(stripmap)
    same, found = refined(request, pairs, dem)
    assert same == pairs
    assert found == {"fine_metadata": "off"}


def test_bursts_make_one_image(tmp_path: Path) -> None:
    series = simulated(tmp_path, TopsMode(bursts=2, samples=2600, burst_lines=400))
    request, pairs, dem = opened(series, fine_metadata="on")
    wrong = tuple(with_grids(pair, reference=mistimed, secondary=mistimed) for pair in pairs)
    found = refined(request, wrong, dem)[1]
    errors = found["azimuth_standard_error_s"], found["range_standard_error_m"]
    assert errors[0] < 3e-4
    assert errors[1] < 0.5
    assert abs(found["azimuth_time_correction_s"] + TIME) < 3.0 * errors[0]
    assert abs(found["range_correction_m"] + RANGE) < 3.0 * errors[1]


def test_the_interferogram_tells_of_it(stripmap: Series, tmp_path: Path) -> None:
    result = run(stripmap.request(fine_metadata="on", spacing=0.001), tmp_path, Progress())
    report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
    found = report["fine_metadata"]
    # the annotation was right
    assert abs(found["azimuth_time_correction_s"]) < 3.0 * found["azimuth_standard_error_s"]
    assert abs(found["range_correction_m"]) < 3.0 * found["range_standard_error_m"]
    assert report["coherence"]["mean"] > 0.98


def test_a_damaged_file_leaves_the_annotation(stripmap: Series) -> None:
    request, pairs, dem = opened(stripmap, fine_metadata="on")
    assert pairs[0].reference.pixels is not None
    broken = replace(pairs[0].reference, pixels=Broken(pairs[0].reference.pixels.shape))
    same, found = refined(request, (replace(pairs[0], reference=broken),), dem)
    assert found["patches"] == 0
    assert same[0].layout == pairs[0].layout
    assert any("ends at line 100" in warning for warning in same[0].warnings)
