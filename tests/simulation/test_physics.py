"""Independent scatterers: coherence falls with the baseline as it does in nature."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from kernels.model import SPEED_OF_LIGHT, GeographicBox
from kernels.simulation import Acquisition, Scene, TopsMode, load_truth, plane, simulate
from tests.simulation.conftest import CENTRE, START, open_images
from tests.simulation.tools import coherence, coregistered

BASELINES = (0.0, 300.0, 1000.0, 2500.0)
BOX = GeographicBox(CENTRE[0] - 0.2, CENTRE[1] - 0.2, CENTRE[0] + 0.2, CENTRE[1] + 0.2)


def test_coherence_of_flat_ground_follows_the_critical_baseline(tmp_path: Path) -> None:
    dates = [
        Acquisition(centre=START + timedelta(days=12 * k), perpendicular_baseline=baseline)
        for k, baseline in enumerate(BASELINES)
    ]
    scene = Scene(dem=plane(BOX), scatterer_spacing=4.0)
    mode = TopsMode(bursts=1, samples=260, burst_lines=260)
    images = open_images(simulate(scene, dates, tmp_path, mode=mode))
    reference = images[0]
    slant_range = reference.grid.slant_range(130.0)
    incidence = np.median(reference.geolocation.incidence_angles)
    # Zebker and Villasenor 1992, equation 12, for the bandwidth of the pulse
    critical = (
        reference.grid.wavelength
        * slant_range
        * np.tan(incidence)
        * reference.range_bandwidth
        / SPEED_OF_LIGHT
    )
    assert 4000.0 < critical < 8000.0
    for number, baseline in enumerate(BASELINES[1:], start=1):
        truth = load_truth(tmp_path / "truth", swath="IW1", burst=0, date=number)
        first, second = coregistered(reference, images[number], truth)
        assert first.size > 500
        # sampling: 0.03; the flanks of the band are not vertical: 0.02
        assert abs(coherence(first, second) - (1.0 - baseline / critical)) < 0.04
        assert abs(np.angle(np.sum(first * np.conj(second)))) < 0.1
