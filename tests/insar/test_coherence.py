"""Unbiased coherence, against simulated speckle and closed forms."""

import math

import numpy as np
import pytest

from kernels.errors import RequestError
from kernels.insar.coherence import expected_coherence, unbiased_coherence, zero_coherence_bias


def estimates(coherence: float, looks: int, count: int = 40_000) -> np.ndarray:
    generator = np.random.default_rng(looks)
    one, own = generator.normal(size=(2, count, looks, 2)) @ np.array([1.0, 1.0j])
    two = coherence * one + math.sqrt(1.0 - coherence**2) * own
    cross = np.abs(np.sum(one * np.conj(two), axis=1))
    power = np.sum(np.abs(one) ** 2, axis=1) * np.sum(np.abs(two) ** 2, axis=1)
    found: np.ndarray = cross / np.sqrt(power)
    return found


@pytest.mark.parametrize("looks", [3, 8, 40])
@pytest.mark.parametrize("coherence", [0.0, 0.2, 0.5, 0.9])
def test_the_mean_estimate_of_speckle_is_the_tabulated_one(coherence: float, looks: int) -> None:
    sample = estimates(coherence, looks)
    true, expected = expected_coherence(float(looks))
    error = sample.mean() - np.interp(coherence, true, expected)
    assert abs(error) < 4.0 * sample.std() / math.sqrt(sample.size) + 1e-4


@pytest.mark.parametrize("looks", [4.0, 17.5, 64.0])
def test_the_bias_of_noise_has_a_closed_form(looks: float) -> None:
    assert expected_coherence(looks)[1][0] == pytest.approx(zero_coherence_bias(looks), rel=1e-5)
    assert zero_coherence_bias(looks) == pytest.approx(math.sqrt(math.pi / (4 * looks)), rel=0.1)


def test_the_mean_estimate_is_led_back_to_the_truth() -> None:
    for coherence in (0.3, 0.6, 0.95):
        mean = np.float32(estimates(coherence, 16).mean())
        assert unbiased_coherence(np.array([mean]), 16.0)[0] == pytest.approx(coherence, abs=0.005)


def test_noise_becomes_zero_and_no_data_stays() -> None:
    found = unbiased_coherence(np.array([0.05, np.nan, 1.0], np.float32), 16.0)
    np.testing.assert_array_equal(found, np.array([0.0, np.nan, 1.0], np.float32))


def test_two_looks_have_no_bias_correction() -> None:
    with pytest.raises(RequestError, match="looks must be more than 2"):
        unbiased_coherence(np.zeros(1, np.float32), 2.0)
