"""Sums over further looks, and the number of independent ones against speckle itself."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
import scipy.fft

from kernels.insar.further_looks import (
    effective_looks,
    further_factors,
    looked_cells,
    sum_further,
)
from kernels.model import SPEED_OF_LIGHT, Looks, RadarGrid, Shape

GRID = RadarGrid(
    epoch=datetime(2026, 1, 1),
    first_line_time=0.0,
    line_interval=2e-3,
    shape=Shape(4096, 512),
    wavelength=0.0555,
    first_slant_range=8e5,
    slant_range_spacing=2.33,
)


def test_looks_are_as_many_as_oversampled_speckle_shows() -> None:
    bands = 0.65, 0.85  # of the sampling frequencies
    looks = Looks(16, 16)
    found = effective_looks(
        looks,
        GRID,
        azimuth_bandwidth=bands[0] / GRID.line_interval,
        range_bandwidth=bands[1] * SPEED_OF_LIGHT / (2.0 * GRID.slant_range_spacing),
    )
    assert 256 * bands[0] * bands[1] < found < 256
    # speckle of that bandwidth: its intensity varies as that of so many looks
    white = np.random.default_rng(0).normal(size=(2, *GRID.shape)).T @ np.array([1.0, 1.0j])
    spectrum = scipy.fft.fft2(white.T)
    for axis, band in enumerate(bands):
        inside = np.abs(scipy.fft.fftfreq(GRID.shape[axis])) <= 0.5 * band
        spectrum *= inside[:, None] if axis == 0 else inside
    intensity = np.abs(scipy.fft.ifft2(spectrum)) ** 2
    cells = intensity.reshape(4096 // 16, 16, 512 // 16, 16).mean(axis=(1, 3))
    # 8192 cells tell the variance to 1.6 percent
    assert cells.mean() ** 2 / cells.var() == pytest.approx(found, rel=0.05)


def test_more_bandwidth_than_samples_is_no_more_than_a_look_each() -> None:
    wide = effective_looks(Looks(2, 3), GRID, azimuth_bandwidth=1e6, range_bandwidth=1e12)
    assert wide == pytest.approx(6.0)


def test_factors_come_near_the_looks_that_are_wanted() -> None:
    assert further_factors(Looks(2, 8), Looks(4, 16)) == (2, 2)
    assert further_factors(Looks(3, 3), Looks(9, 9)) == (3, 3)
    assert further_factors(Looks(8, 32), Looks(4, 16)) == (1, 1)


def test_cells_are_summed_where_half_of_them_have_data() -> None:
    sums = np.ones((5, 6, 4), np.float32)
    sums[:2, :2] = 0.0
    sums[0, 0] = 1.0  # one of four
    sums[2:4, 4] = 0.0  # two of four
    found = sum_further(sums, Looks(2, 2))
    np.testing.assert_array_equal(found[..., 2], [[0.0, 4.0, 4.0], [4.0, 4.0, 2.0]])
    cells = looked_cells(found * np.array([3.0, 4.0, 10.0, 10.0], np.float32))
    assert np.isnan(cells.phase[0, 0])
    assert np.isnan(cells.coherence[0, 0])
    np.testing.assert_allclose(cells.phase[1], np.arctan2(4.0, 3.0), rtol=1e-6)
    np.testing.assert_allclose(cells.coherence[1], 0.5, rtol=1e-6)
