import numpy as np
import pytest

from kernels.errors import RequestError
from kernels.insar.resample import STEPS, kaiser_sinc
from kernels.insar.resample_numba import RUN, along_azimuth, along_range


@pytest.mark.parametrize("taps", [8, 12])
def test_kernel_reproduces_samples_and_constants(taps: int) -> None:
    weights = kaiser_sinc(taps)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(weights[0], np.eye(taps)[taps // 2 - 1], atol=1e-6)
    np.testing.assert_allclose(weights[STEPS], np.eye(taps)[taps // 2], atol=1e-6)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize(("taps", "frequency", "error"), [(8, 0.3, 0.035), (12, 0.4, 0.015)])
def test_tones_within_the_band_are_interpolated(taps: int, frequency: float, error: float) -> None:
    weights = kaiser_sinc(taps).astype(np.float64)
    fractions = np.arange(STEPS + 1) / STEPS
    taps_at = np.arange(taps) - (taps // 2 - 1)
    for f in (frequency, -frequency / 2, 0.05):
        found = weights @ np.exp(2j * np.pi * f * taps_at)
        assert np.abs(found - np.exp(2j * np.pi * f * fractions)).max() < error


def test_other_kernels_are_refused() -> None:
    with pytest.raises(RequestError, match="kernel must be 8 or 12, got 10"):
        kaiser_sinc(10)


def test_range_pass_follows_offsets_that_change_from_pixel_to_pixel() -> None:
    samples = np.arange(400.0)
    offsets = (3.3 + 0.4 * np.sin(samples / 30.0)).astype(np.float32)
    signal = np.exp(2j * np.pi * 0.11 * np.arange(420.0))
    out = np.empty((2, 1, 400), np.float32)
    along_range(
        signal.real.astype(np.float32)[None],
        signal.imag.astype(np.float32)[None],
        offsets[None],
        np.zeros(1, np.int64),
        kaiser_sinc(12),
        out[0],
        out[1],
    )
    truth = np.exp(2j * np.pi * 0.11 * (samples + offsets))
    inside = slice(10, 390)
    np.testing.assert_allclose((out[0, 0] + 1j * out[1, 0])[inside], truth[inside], atol=0.012)


def test_missing_taps_and_unknown_offsets_give_zero() -> None:
    ones = np.ones((1, 100), np.float32)
    offsets = np.zeros((1, 100), np.float32)
    offsets[0, 50] = np.nan
    out = np.full((2, 1, 100), 7.0, np.float32)
    along_range(ones, ones, offsets, np.zeros(1, np.int64), kaiser_sinc(12), out[0], out[1])
    zero = np.zeros(100, bool)
    zero[:5] = zero[94:] = zero[50] = True
    np.testing.assert_array_equal(out[0, 0] == 0.0, zero)
    np.testing.assert_allclose(out[0, 0][~zero], 1.0, atol=1e-6)


def test_azimuth_pass_interpolates_columns() -> None:
    rows = np.arange(60.0)[:, None]
    signal = np.exp(2j * np.pi * 0.2 * rows) * np.ones((1, 3 * RUN + 5))
    lines = np.array([20.25, 20.5, 33.875, 2.0])
    out = np.empty((2, 3 * RUN + 5), np.float32)
    along_azimuth(
        signal.real.astype(np.float32),
        signal.imag.astype(np.float32),
        lines,
        kaiser_sinc(12),
        out[0],
        out[1],
    )
    found = out[0] + 1j * out[1]
    for run in range(3):
        truth = np.exp(2j * np.pi * 0.2 * lines[run])
        np.testing.assert_allclose(found[run * RUN : (run + 1) * RUN], truth, atol=0.012)
    np.testing.assert_array_equal(found[3 * RUN :], 0.0)  # line 2 lacks taps
