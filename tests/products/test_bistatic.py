"""The reference range of the residual bistatic term, from grids that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.model import SPEED_OF_LIGHT
from kernels.products.bistatic import fit_bistatic_range

TAU = np.tile(np.linspace(5.35e-3, 5.67e-3, 21), 10)
LINES = np.repeat(np.arange(10) * 2.75, 21)


def fitted_time(zero_doppler_times: np.ndarray) -> float:
    found = fit_bistatic_range(
        annotated_times=LINES,
        zero_doppler_times=zero_doppler_times,
        slant_range_times=TAU,
        fallback_time=5.85e-3,
    )
    return 2.0 * found / SPEED_OF_LIGHT


def test_times_rounded_to_a_microsecond_give_the_reference_within_a_tenth_of_one() -> None:
    truth = LINES + 0.5 * (TAU - 5.8321e-3)
    # 0.29 us of rounding, 210 times: 0.02 us in the mean, twice that in tau
    assert fitted_time(np.round(truth, 6)) == pytest.approx(5.8321e-3, abs=1e-7)


def test_a_wrong_last_row_does_no_harm() -> None:
    truth = LINES + 0.5 * (TAU - 5.8321e-3)
    for error in (-12e-6, -0.35):
        times = truth.copy()
        times[-21:] += error
        assert fitted_time(times) == pytest.approx(5.8321e-3, abs=1e-9)


@pytest.mark.parametrize("slope", [0.0, 0.4, 1.0, -0.5])
def test_another_slope_falls_back(slope: float) -> None:
    assert fitted_time(LINES + slope * (TAU - 5.5e-3)) == pytest.approx(5.85e-3, rel=1e-12)


def test_noise_falls_back() -> None:
    noise = np.random.default_rng(1).normal(scale=1e-3, size=TAU.size)
    assert fitted_time(LINES + noise) == pytest.approx(5.85e-3, rel=1e-12)


def test_no_points_fall_back() -> None:
    empty = np.zeros(0)
    found = fit_bistatic_range(
        annotated_times=empty,
        zero_doppler_times=empty,
        slant_range_times=empty,
        fallback_time=5.85e-3,
    )
    assert found == pytest.approx(0.5 * SPEED_OF_LIGHT * 5.85e-3, rel=1e-12)
