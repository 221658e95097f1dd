"""Series of every sensor: dates of unit coherence over ground that did not move have no phase."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.multislc_series import CHAIN, MultislcSeriesRequest
from kernels.engine.progress import Progress
from kernels.products.raster import read_raster
from kernels.simulation import Acquisition, Scene, StripMapMode, save_dem, simulate
from tests.series import CENTRE, START, hills

BASELINES = (0.0, 100.0, -40.0)


@pytest.mark.parametrize(
    ("beam", "platforms"),
    [
        ("S6", ("S1A", "S1B", "S1A")),
        ("STRIP_011", ("TSX1", "PAZ1", "TDX1")),
        ("H4-05", ("CSKS1",) * 3),
    ],
)
def test_pairs_of_the_stack_have_no_phase(
    beam: str, platforms: tuple[str, ...], tmp_path: Path
) -> None:
    dem = hills(*CENTRE)
    save_dem(dem, tmp_path / "dem.tif")
    simulate(
        Scene(dem=dem),
        [
            Acquisition(
                centre=START + timedelta(days=11 * k),
                platform=platform,
                perpendicular_baseline=length,
                timing_offset=1.27e-3 * k,
            )
            for k, (platform, length) in enumerate(zip(platforms, BASELINES, strict=True))
        ],
        tmp_path / "lake",
        mode=StripMapMode(beam=beam, lines=360, samples=480),
    )
    request = MultislcSeriesRequest(
        products=(tmp_path / "lake",),
        first_day="20260101",
        last_day="20260228",
        reference="20260101",
        network="consecutive",
        dem=(tmp_path / "dem.tif",),
        dem_heights="ellipsoid",
        azimuth_looks=6,
        range_looks=6,
        ortho="none",
        memory_mb=200,
    )
    CHAIN.run(request, tmp_path / "out", Progress())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["left_out"] == []
    # the second pair has neither image in common with the reference
    assert [(p["first"], p["second"]) for p in report["network"]["pairs"]] == [
        ("20260101", "20260112"),
        ("20260112", "20260123"),
    ]
    for name in ("20260101_m_20260112_s", "20260112_m_20260123_s"):
        raster = read_raster(tmp_path / "out" / name / "interferogram_radar.tif")
        _, phase, coherence, is_data = raster.array
        known = is_data == 1.0
        assert known.mean() > 0.8
        assert np.sqrt(np.mean(phase[known] ** 2)) < 0.01
        assert coherence[known].mean() > 0.999
