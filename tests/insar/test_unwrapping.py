"""Phases whose cycles are known: noise, holes, islands, tiles."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from kernels.engine.progress import Progress
from kernels.errors import Cancelled, ProcessingError, UnwrappingError
from kernels.insar.unwrap_tiles import OVERLAP, cut_tiles
from kernels.insar.unwrapping import Unwrapped, reliable, unwrap

LOOKS = 16


def hill(size: int = 300, cycles: float = 6.0) -> NDArray[np.float64]:
    """A hill of so many cycles on a slope [rad]."""
    y, x = np.mgrid[0:size, 0:size] / size
    top = np.exp(-((x - 0.5) ** 2 + (y - 0.4) ** 2) / 0.04)
    phase: NDArray[np.float64] = 2 * np.pi * cycles * top + 15.0 * x
    return phase


def observe(
    truth: NDArray[np.float64], coherence: NDArray[np.float64] | float, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Phase and coherence of LOOKS looks of circular Gaussian speckle."""
    generator = np.random.default_rng(seed)
    cross, powers = np.zeros(truth.shape, np.complex128), np.zeros((2, *truth.shape))
    for _ in range(LOOKS):
        one, own = generator.normal(size=(2, *truth.shape, 2)) @ np.array([1.0, 1.0j])
        two = coherence * one + np.sqrt(1.0 - np.square(coherence)) * own
        cross += one * np.conj(two) * np.exp(1j * truth)
        powers += np.abs([one, two]) ** 2
    return (
        np.angle(cross).astype(np.float32),
        (np.abs(cross) / np.sqrt(powers[0] * powers[1])).astype(np.float32),
    )


def wrong_cycles(
    found: Unwrapped, truth: NDArray[np.float64], coherence: NDArray[np.float64] | float = 1.0
) -> NDArray[np.float64]:
    """Cycles by which coherent pixels of the largest component are off, up to a common number."""
    inside = (found.components == 1) & (np.broadcast_to(coherence, truth.shape) >= 0.4)
    cycles = np.rint((found.phase[inside] - truth[inside]) / (2 * np.pi))
    wrong: NDArray[np.float64] = cycles - np.median(cycles)
    return wrong


def test_a_hill_without_noise_comes_back_exactly() -> None:
    truth = hill()
    phase = np.angle(np.exp(1j * truth)).astype(np.float32)
    valid = np.ones(truth.shape, np.bool_)
    found = unwrap(phase, np.ones_like(phase), looks=LOOKS, valid=valid)
    error = found.phase - truth
    np.testing.assert_allclose(error - np.median(error), 0.0, atol=1e-5)
    assert abs(np.median(found.phase)) <= math.pi
    assert (found.components == 1).all()


@pytest.mark.parametrize(("coherence", "share"), [(0.6, 0.0), (0.4, 5e-4)])
def test_few_cycles_are_wrong_under_noise(coherence: float, share: float) -> None:
    truth = hill()
    phase, estimate = observe(truth, coherence)
    valid = reliable(phase, estimate, looks=LOOKS)
    assert valid.mean() > 0.99
    found = unwrap(phase, estimate, looks=LOOKS, valid=valid)
    assert np.mean(wrong_cycles(found, truth) != 0.0) <= share
    # congruent: whole cycles are all that was added
    inside = found.components > 0
    cycles = (found.phase[inside] - phase[inside]) / (2 * np.pi)
    np.testing.assert_allclose(cycles, np.rint(cycles), atol=1e-5)


def test_water_is_left_out_and_does_not_disturb_the_land() -> None:
    truth = hill()
    coherence = np.full(truth.shape, 0.7)
    coherence[:, :100] = 0.0
    phase, estimate = observe(truth, coherence)
    valid = reliable(phase, estimate, looks=LOOKS)
    assert valid[:, :96].mean() < 0.005
    assert valid[:, 104:].all()
    found = unwrap(phase, estimate, looks=LOOKS, valid=valid)
    assert not wrong_cycles(found, truth, coherence).any()
    assert np.isnan(found.phase[:, :90]).mean() > 0.99


def test_a_path_around_a_hole_is_found() -> None:
    truth = hill()
    phase, estimate = observe(truth, 0.8)
    valid = np.ones(truth.shape, np.bool_)
    valid[80:220, 140:160] = False
    phase[~valid] = np.nan
    found = unwrap(phase, estimate, looks=LOOKS, valid=valid)
    assert not wrong_cycles(found, truth).any()
    assert (found.components[valid] == 1).all()
    assert np.isnan(found.phase[~valid]).all()


def test_islands_have_numbers_by_size_and_specks_none() -> None:
    truth = hill()
    phase, estimate = observe(truth, 0.9)
    valid = np.ones(truth.shape, np.bool_)
    valid[:, 200:210] = False
    valid[:, 290:] = False
    valid[10:14, 294:298] = True
    found = unwrap(phase, estimate, looks=LOOKS, valid=valid)
    assert set(np.unique(found.components)) == {0, 1, 2}
    assert (found.components[:, :200] == 1).all()
    assert (found.components[:, 210:290] == 2).all()
    second = np.rint((found.phase - truth)[:, 210:290] / (2 * np.pi))
    assert np.ptp(second) == 0.0


def test_tiles_agree_with_the_whole() -> None:
    truth = (
        hill(520, cycles=9.0)
        + 3.0 * gaussian_filter(np.random.default_rng(2).normal(size=(520, 520)), 12) * 12
    )
    coherence = np.full(truth.shape, 0.7)
    coherence[220:310, 80:450] = 0.0
    phase, estimate = observe(truth, coherence)
    valid = reliable(phase, estimate, looks=LOOKS)
    whole = unwrap(phase, estimate, looks=LOOKS, valid=valid)
    tiled = unwrap(phase, estimate, looks=LOOKS, valid=valid, memory_mb=40)
    assert not wrong_cycles(whole, truth, coherence).any()
    assert not wrong_cycles(tiled, truth, coherence).any()
    assert (tiled.components > 0).sum() > 0.98 * (whole.components > 0).sum()


def test_cancelling_waits_for_one_small_tile() -> None:
    truth = hill(700)
    phase = np.angle(np.exp(1j * truth)).astype(np.float32)
    shares = []

    def cancel(share: float, _step: str) -> None:
        shares.append(share)
        if share > 0.0:
            progress.cancelled.set()

    progress = Progress.to(cancel)
    with pytest.raises(Cancelled):
        unwrap(
            phase,
            np.ones_like(phase),
            looks=LOOKS,
            valid=np.ones(phase.shape, np.bool_),
            memory_mb=100_000,
            progress=progress,
        )
    # two tiles of four were solved, although there is memory for the whole
    assert shares == [0.0, 0.25]


def test_nothing_reliable_is_one_clear_line() -> None:
    phase, estimate = observe(hill(60), 0.0)
    valid = np.zeros(phase.shape, np.bool_)
    with pytest.raises(ProcessingError, match="no reliable pixel: coherence is too low"):
        unwrap(phase, estimate, looks=LOOKS, valid=valid)


def test_noise_alone_is_one_clear_line() -> None:
    phase, estimate = observe(hill(60), 0.0)
    valid = np.ones(phase.shape, np.bool_)
    with pytest.raises(UnwrappingError, match="no region without noise"):
        unwrap(phase, np.zeros_like(estimate), looks=LOOKS, valid=valid)


def test_tiles_cover_a_scene_once() -> None:
    covered = np.zeros((900, 1300), np.int32)
    for tile in cut_tiles(covered.shape, 300_000.0):
        covered[tile.own_rows, tile.own_columns] += 1
        assert tile.rows.stop - tile.rows.start <= math.sqrt(300_000) + OVERLAP
    assert (covered == 1).all()
