"""Displacement over two swaths of an IW pair: one unwrapped phase, without a step at the seam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.chains.artefacts import ChainResult
from kernels.chains.dinsar_pair import run
from kernels.engine.progress import Progress
from kernels.errors import Cancelled
from kernels.products.raster import read_raster
from kernels.simulation import TopsMode
from tests.volcano import CYCLE, FAR, Volcano, assert_true, at_points, make_volcano

SWATHS = ("IW1", "IW2")


@pytest.fixture(scope="module")
def volcano(tmp_path_factory: pytest.TempPathFactory) -> Volcano:
    """Half in one swath, half in the next one."""
    mode = TopsMode(swaths=SWATHS, bursts=2, samples=1000, burst_lines=400, overlap=160)
    return make_volcano(tmp_path_factory.mktemp("swaths"), mode)


@pytest.fixture(scope="module")
def unwrapped(volcano: Volcano, tmp_path_factory: pytest.TempPathFactory) -> ChainResult:
    folder = tmp_path_factory.mktemp("unwrapped")
    return run(
        volcano.series.request(
            azimuth_looks=2, range_looks=8, unwrapping="mcf", reference_point=f"{FAR[0]},{FAR[1]}"
        ),
        folder,
        Progress(),
    )


def test_both_swaths_have_the_displacement(unwrapped: ChainResult, volcano: Volcano) -> None:
    assert_true(unwrapped, volcano)


def test_no_step_lies_between_the_swaths(unwrapped: ChainResult, volcano: Volcano) -> None:
    raster = read_raster(unwrapped.artefact("displacement").path)
    error = at_points(raster, volcano) - volcano.towards
    medians = []
    for swath in range(len(SWATHS)):
        known = np.isfinite(error) & (volcano.swath == swath)
        assert np.ptp(volcano.towards[known]) > 2 * CYCLE  # both have fringes of their own
        medians.append(np.median(error[known]))
    assert abs(medians[0] - medians[1]) < 2e-4  # [m]


def test_cancelling_ends_the_job_while_it_unwraps(volcano: Volcano, tmp_path: Path) -> None:
    steps = []

    def cancel(_share: float, step: str) -> None:
        steps.append(step)
        if step == "phase unwrapping":
            progress.cancelled.set()

    progress = Progress.to(cancel)
    request = volcano.series.request(azimuth_looks=2, range_looks=8, unwrapping="mcf")
    with pytest.raises(Cancelled):
        run(request, tmp_path / "never", progress)
    assert steps[-1] == "phase unwrapping"
    assert not (tmp_path / "never" / "displacement.tif").exists()
