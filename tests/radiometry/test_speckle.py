"""Looks and correlation of speckle are found where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve1d

from kernels.radiometry.speckle import BLOCK, LAGS, cut_blocks, measure_speckle


def test_looks_of_white_speckle() -> None:
    image = np.random.default_rng(1).gamma(4.4, 1.0, (640, 640)).astype(np.float32)
    found = measure_speckle([cut_blocks(image)])
    assert found is not None
    assert found.looks == pytest.approx(4.4, rel=0.03)
    assert found.window_pixels(7) == pytest.approx(49.0, rel=0.05)
    assert found.window_pixels(1) == pytest.approx(1.0)


def test_looks_are_those_of_homogeneous_ground() -> None:
    """Two thirds of the scene are textured or cut by edges."""
    generator = np.random.default_rng(2)
    image = generator.gamma(4.4, 1.0, (960, 960))
    image[:640] *= generator.gamma(3.0, 1.0 / 3.0, (640, 960))
    image[:, ::50] *= 10.0
    image[640:, ::50] /= 10.0
    found = measure_speckle([cut_blocks(image.astype(np.float32))])
    assert found is not None
    assert found.looks == pytest.approx(4.4, rel=0.05)


def test_correlation_of_filtered_amplitudes() -> None:
    """The intensities of a filtered circular Gaussian field have its correlation squared."""
    kernel = np.array([0.5, 1.0, 0.5])
    field = np.random.default_rng(3).normal(size=(2, 800, 800))
    field = convolve1d(convolve1d(field, kernel, axis=1, mode="wrap"), kernel, axis=2, mode="wrap")
    image = (field**2).sum(axis=0).astype(np.float32)
    found = measure_speckle([cut_blocks(image)])
    assert found is not None
    line = np.correlate(kernel, kernel, "full") / (kernel @ kernel)
    expected = np.zeros(2 * LAGS + 1)
    expected[LAGS - 2 : LAGS + 3] = line**2
    np.testing.assert_allclose(found.correlation, np.outer(expected, expected), atol=0.04)
    pairs = 7 - np.abs(np.arange(-LAGS, LAGS + 1))
    true = 7**4 / float((np.outer(pairs, pairs) * np.outer(expected, expected)).sum())
    assert found.window_pixels(7) == pytest.approx(true, rel=0.1)


def test_blocks_are_valid_everywhere() -> None:
    image = np.ones((2 * BLOCK + 5, 3 * BLOCK + 1), np.float32)
    image[0, 0], image[BLOCK, BLOCK], image[0, 2 * BLOCK] = 0.0, np.nan, np.inf
    assert cut_blocks(image).shape == (3, BLOCK, BLOCK)


def test_nothing_is_measured_where_nothing_varies() -> None:
    assert measure_speckle([]) is None
    assert measure_speckle([np.ones((100, BLOCK, BLOCK), np.float32)]) is None
