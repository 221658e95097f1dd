"""Fringes of known frequency under noise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.insar.phase_filter import HALO, goldstein


def fringes(noise: float, shape: tuple[int, int] = (200, 230)) -> NDArray[np.complex64]:
    """A plane of 0.2 and 0.07 rad per pixel with normal noise of the phase [rad]."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    error = np.random.default_rng(4).normal(size=shape) * noise
    found: NDArray[np.complex64] = np.exp(1j * (0.2 * x + 0.07 * y + error)).astype(np.complex64)
    return found


def error_of(found: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Phase minus its truth [rad]."""
    return np.angle(found * np.conj(fringes(0.0, found.shape)))


def test_noise_becomes_smaller_and_no_fringe_moves() -> None:
    noisy = fringes(0.8)
    before, after = error_of(noisy), error_of(goldstein(noisy, alpha=0.7))
    assert before.std() > 0.75
    assert after.std() < 0.35 * before.std()
    assert abs(after.mean()) < 0.02


def test_strength_zero_changes_nothing() -> None:
    noisy = fringes(0.8)
    found = goldstein(noisy, alpha=0.0)
    np.testing.assert_allclose(np.angle(found * np.conj(noisy)), 0.0, atol=1e-5)


def test_a_stronger_filter_leaves_less_noise() -> None:
    noisy = fringes(0.8)
    left = [error_of(goldstein(noisy, alpha=alpha)).std() for alpha in (0.2, 0.5, 0.8, 1.0)]
    assert left == sorted(left, reverse=True)


def test_the_adaptive_filter_is_strong_where_coherence_is_low() -> None:
    noisy = fringes(0.8, (128, 512))
    coherence = np.full(noisy.shape, 0.95, np.float32)
    coherence[:, 256:] = 0.2
    error = error_of(goldstein(noisy, alpha=None, coherence=coherence))
    assert error[:, 320:].std() < 0.5 * error[:, :192].std()


def test_blocks_with_a_halo_give_the_same_bits() -> None:
    noisy = fringes(0.8, (400, 150))
    whole = goldstein(noisy, alpha=0.5)
    first, stop = 151, 230
    part = goldstein(noisy[first - HALO : stop + HALO], alpha=0.5, first_row=first - HALO)
    np.testing.assert_array_equal(part[HALO:-HALO], whole[first:stop])


def test_no_data_stays_without_data_and_disturbs_nobody_far_away() -> None:
    noisy = fringes(0.3)
    holed = noisy.copy()
    holed[50:60, 50:60] = 0.0
    found = goldstein(holed, alpha=0.6)
    assert (found[50:60, 50:60] == 0).all()
    np.testing.assert_array_equal(found[130:], goldstein(noisy, alpha=0.6)[130:])


@pytest.mark.parametrize("alpha", [-0.1, 1.5])
def test_strengths_outside_are_refused(alpha: float) -> None:
    with pytest.raises(RequestError, match="alpha must be 0 to 1"):
        goldstein(fringes(0.1), alpha=alpha)


def test_the_adaptive_filter_needs_coherence() -> None:
    with pytest.raises(RequestError, match="alpha must be given"):
        goldstein(fringes(0.1), alpha=None)
