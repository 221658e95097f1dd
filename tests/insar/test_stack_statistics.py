"""Statistics of simulated stacks whose coherence, dispersion and gains are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rice

from kernels.insar.stack_statistics import (
    block_shape,
    coherence_matrices,
    look_statistics,
    pixel_dispersion,
    ratio_sums,
    relative_factors,
)
from kernels.model import Looks, Shape
from tests.stacks import decaying, speckle

LOOKS = Looks(4, 16)
BLOCK = Shape(64, 256)


def holes(pixels: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Take pixels away: some of each date, one date in the first block, one pixel of all."""
    generator = np.random.default_rng(2)
    found = pixels.copy()
    found[generator.random(pixels.shape) < 0.1] = 0.0
    found[1, :, : BLOCK.samples] = 0.0
    found[2, 3, 5] = complex(np.nan, 1.0)
    found[2, 3, 6] = complex(1.0, np.nan)
    found[2, 3, 7] = complex(np.inf, 1.0)
    found[:, 9, 17] = 0.0
    return found


def test_coherence_matrices_are_those_that_were_simulated() -> None:
    phases = np.array([0.0, 0.5, -1.0, 2.0, 3.0])
    truth = decaying(5, phases)
    gains = np.array([1.0, 30.0, 5.0, 0.2, 100.0])
    covariance = gains[:, None] * truth * gains
    found = coherence_matrices(speckle(covariance, Shape(128, 512)), BLOCK)
    assert found.coherence.shape == (2, 2, 5, 5)
    assert (found.pixels == 64 * 256).all()
    # standard error of magnitude and of phase times magnitude: below 1 / sqrt(2 * 16384) = 0.0055
    np.testing.assert_allclose(found.coherence, np.broadcast_to(truth, (2, 2, 5, 5)), atol=0.025)
    np.testing.assert_allclose(found.coherence.mean(axis=(0, 1)), truth, atol=0.012)
    hermitian = found.coherence.conj().transpose(0, 1, 3, 2)
    np.testing.assert_array_equal(found.coherence, hermitian)
    diagonal = np.diagonal(found.coherence, axis1=2, axis2=3)
    np.testing.assert_allclose(diagonal, 1.0, atol=1e-6)


def test_pixels_without_data_are_left_out_of_pairs() -> None:
    whole = speckle(decaying(4, np.zeros(4)), Shape(64, 512))
    pixels = holes(whole)
    found = coherence_matrices(pixels, BLOCK)
    for block in range(2):
        part = pixels[:, :, block * 256 : (block + 1) * 256].astype(np.complex128)
        for i in range(4):
            for j in range(4):
                both = np.isfinite(part[i]) & np.isfinite(part[j]) & (part[i] != 0) & (part[j] != 0)
                assert found.pixels[0, block, i, j] == both.sum()
                first, second = part[i][both], part[j][both]
                with np.errstate(invalid="ignore"):
                    power = np.sum(np.abs(first) ** 2) * np.sum(np.abs(second) ** 2)
                    expected = np.sum(first * second.conj()) / np.sqrt(power)
                # sums of lines are of single precision
                np.testing.assert_allclose(found.coherence[0, block, i, j], expected, atol=2e-6)
    assert np.isnan(found.coherence[0, 0, 1]).all()
    assert np.isfinite(found.coherence[0, 0, 0, 2])


def test_the_dispersion_of_speckle_is_that_of_rayleigh() -> None:
    found = pixel_dispersion(speckle(np.eye(300), Shape(32, 64)))
    # The estimate from 300 dates has a standard error of 0.02, its mean of 2048 pixels 0.0005.
    assert found.mean() == pytest.approx(np.sqrt(4.0 / np.pi - 1.0), abs=0.003)


@pytest.mark.parametrize("signal", [1.0, 3.0, 20.0])
def test_the_dispersion_of_a_point_is_that_of_rice(signal: float) -> None:
    noise = speckle(np.eye(300), Shape(32, 64))
    found = pixel_dispersion((noise + signal) * np.float32(40.0))
    truth = rice(signal * np.sqrt(2.0))
    assert found.mean() == pytest.approx(truth.std() / truth.mean(), rel=0.01)


def test_an_amplitude_that_never_changes_has_no_dispersion() -> None:
    phases = np.random.default_rng(3).uniform(-np.pi, np.pi, (20, 4, 16))
    found = pixel_dispersion((123.0 * np.exp(1j * phases)).astype(np.complex64))
    assert (found < 2e-7).all()  # amplitudes of single precision


def test_look_cells_are_those_of_a_slow_reference() -> None:
    whole = speckle(decaying(5, np.zeros(5)) * 1e4, Shape(10, 50))
    pixels, factors = holes(np.resize(whole, (5, 12, 300)))[:, :10, :50], np.linspace(0.5, 2.0, 5)
    pixels[:, 4:8, 32:48] = 0.0
    pixels[0, 5, 33] = 7.0
    found = look_statistics(pixels, LOOKS, factors)
    assert found.mean_amplitude.shape == (2, 3)
    amplitude = np.abs(pixels.astype(np.complex128))
    amplitude[~(np.isfinite(amplitude) & (amplitude > 0.0))] = np.nan
    for row in range(2):
        for cell in range(3):
            part = amplitude[:, row * 4 : row * 4 + 4, cell * 16 : cell * 16 + 16]
            numbers = np.isfinite(part).sum(axis=(1, 2))
            dates = numbers > 0
            expected = np.full(5, np.nan)
            expected[dates] = np.sqrt(np.nansum(part**2, axis=(1, 2))[dates] / numbers[dates])
            np.testing.assert_allclose(found.amplitudes[:, row, cell], expected, rtol=1e-6)
            assert found.dates[row, cell] == dates.sum()
            mean = np.mean((expected * factors)[dates])
            assert found.mean_amplitude[row, cell] == pytest.approx(mean, rel=1e-6)
            stack = (part * factors[:, None, None]).reshape(5, -1)
            stack = stack[:, np.isfinite(stack).sum(axis=0) > 1]
            if stack.size == 0:
                assert np.isnan(found.dispersion[row, cell])
                assert np.isnan(found.smallest_dispersion[row, cell])
                continue
            spread = np.nanstd(stack, axis=0) / np.nanmean(stack, axis=0)
            assert found.dispersion[row, cell] == pytest.approx(np.median(spread), rel=1e-5)
            assert found.smallest_dispersion[row, cell] == pytest.approx(spread.min(), rel=1e-5)
    assert found.dates[1, 2] == 1
    assert found.mean_amplitude[1, 2] == pytest.approx(7.0 * 0.5)


def test_a_cell_without_data_is_nan_and_of_no_date() -> None:
    found = look_statistics(np.zeros((3, 4, 16), np.complex64), LOOKS)
    for values in (found.amplitudes, found.mean_amplitude, found.dispersion):
        assert np.isnan(values).all()
    assert (found.dates == 0).all()


def test_gains_are_found_where_dates_share_pixels() -> None:
    scene = speckle(np.eye(1), Shape(64, 64))[0] * 100.0
    gains = np.array([1.0, 0.25, 8.0, 3.0])
    pixels = (scene * gains[:, None, None]).astype(np.complex64)
    pixels[2, :48] = 0.0
    pixels[3] = 0.0
    # Two parts of a scene add up.
    sums = ratio_sums(pixels[:, :30], 0) + ratio_sums(pixels[:, 30:], 0)
    np.testing.assert_allclose(relative_factors(sums), [1.0, 4.0, 0.125, 1.0], rtol=1e-6)
    found = look_statistics(pixels, LOOKS, relative_factors(sums))
    alone = look_statistics(pixels[:1], LOOKS)
    np.testing.assert_allclose(found.mean_amplitude, alone.amplitudes[0], rtol=1e-6)
    assert (found.dispersion < 1e-6).all()


def test_parts_give_the_bits_of_the_whole() -> None:
    pixels = holes(speckle(decaying(4, np.zeros(4)), Shape(128, 512)))
    whole = look_statistics(pixels, LOOKS)
    matrices = coherence_matrices(pixels, BLOCK)
    for row in range(2):
        for column in range(2):
            part = pixels[:, row * 64 : row * 64 + 64, column * 256 : column * 256 + 256].copy()
            cells = (slice(row * 16, row * 16 + 16), slice(column * 16, column * 16 + 16))
            found = look_statistics(part, LOOKS)
            np.testing.assert_array_equal(found.amplitudes, whole.amplitudes[:, *cells])
            for name in ("mean_amplitude", "dispersion", "smallest_dispersion", "dates"):
                np.testing.assert_array_equal(getattr(found, name), getattr(whole, name)[cells])
            own = coherence_matrices(part, BLOCK).coherence
            np.testing.assert_array_equal(own[0, 0], matrices.coherence[row, column])


def test_blocks_hold_whole_cells_and_fit_the_scene() -> None:
    assert block_shape(Shape(1500, 25000), Looks(4, 16)) == (64, 256)
    assert block_shape(Shape(1500, 25000), Looks(5, 20)) == (65, 260)
    assert block_shape(Shape(1500, 25000), Looks(100, 300)) == (100, 300)
    assert block_shape(Shape(30, 100), Looks(4, 16)) == (28, 96)
