from pathlib import Path

import numpy as np
import pytest

from kernels.errors import RequestError
from kernels.insar.resample import STEPS, Bands, band_weights
from kernels.insar.resample_numba import RUN, along_azimuth, along_range
from kernels.products.sentinel1 import open_sentinel1


@pytest.mark.parametrize("band", [0.64, 0.88])
@pytest.mark.parametrize("taps", [8, 12])
def test_kernel_reproduces_samples_and_is_symmetric(taps: int, band: float) -> None:
    weights = band_weights(taps, band)
    np.testing.assert_allclose(weights[0], np.eye(taps)[taps // 2 - 1], atol=1e-6)
    np.testing.assert_allclose(weights[STEPS], np.eye(taps)[taps // 2], atol=1e-6)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-5)


def band_limited(band: float, *, size: int = 2048, seed: int = 3) -> np.ndarray:
    """Spectrum of periodic noise in a Hamming weighted band, power 1."""
    frequencies = np.fft.fftfreq(size)
    inside = np.abs(frequencies) < 0.5 * band
    weighting = np.where(inside, 0.75 + 0.25 * np.cos(2.0 * np.pi * frequencies / band), 0.0)
    random = np.random.default_rng(seed)
    spectrum = weighting * (random.standard_normal((size, 2)) @ np.array([1.0, 1.0j]))
    return spectrum / np.sqrt(np.sum(np.abs(spectrum) ** 2))


def interpolation_error(weights: np.ndarray, band: float) -> float:
    """Power of the error against the exact signal, over all fractions of a pixel."""
    spectrum, taps = band_limited(band), weights.shape[1]
    size = spectrum.size
    frequencies = np.fft.fftfreq(size)
    signal = np.fft.ifft(spectrum) * size
    error = 0.0
    steps = range(0, weights.shape[0] - 1, (weights.shape[0] - 1) // 16)
    for step in steps:
        shift = np.exp(2j * np.pi * frequencies * step / (weights.shape[0] - 1))
        truth = np.fft.ifft(spectrum * shift) * size
        found = sum(
            float(weights[step, k]) * np.roll(signal, taps // 2 - 1 - k) for k in range(taps)
        )
        error += float(np.mean(np.abs(found - truth) ** 2))
    return error / len(steps)


def kaiser_sinc(taps: int, beta: float) -> np.ndarray:
    """The usual kernel for signals of unknown spectrum, normalised."""
    x = np.arange(taps)[None, :] - (taps // 2 - 1) - np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    window = np.i0(beta * np.sqrt(np.maximum(1.0 - (2.0 * x / taps) ** 2, 0.0)))
    weights = np.sinc(x) * window
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("taps", "beta", "band", "gain"),
    [(8, 3.0, 0.88, 1.4), (12, 3.5, 0.88, 1.5), (8, 3.0, 0.67, 15.0), (12, 3.5, 0.67, 8.0)],
)
def test_a_known_band_is_interpolated_better_than_by_a_windowed_sinc(
    taps: int, beta: float, band: float, gain: float
) -> None:
    """Against the exact band-limited signal; betas as measured best for an unknown spectrum."""
    known = interpolation_error(band_weights(taps, band), band)
    assert known * gain < interpolation_error(kaiser_sinc(taps, beta), band)


def test_doppler_errors_are_forgiven() -> None:
    """A spectrum 3 % of the sampling rate off its centre: 15 Hz of an IW swath."""
    weights = band_weights(12, 0.7).astype(np.float64)
    fractions, taps_at = np.arange(STEPS + 1) / STEPS, np.arange(12) - 5
    for frequency in (0.35, 0.38, -0.38):
        found = weights @ np.exp(2j * np.pi * frequency * taps_at)
        assert np.abs(found - np.exp(2j * np.pi * frequency * fractions)).max() < 0.025


@pytest.mark.shared_data
def test_the_bands_of_an_image_are_those_of_its_annotation(shared_data: Path) -> None:
    """IW2 of the processing parameters: 48.3 of 64.3 MHz, and 313 Hz of 486.5 lines per second."""
    safe = next(shared_data.glob("alps_iw_pair/*20190101T*.SAFE"))
    bands = Bands.of(open_sentinel1(safe).slc("IW2", "VV", need_pixels=False))
    assert bands.range == pytest.approx(48.3 / 64.345, rel=1e-3)
    assert bands.azimuth == pytest.approx(1.05 * 313.0 / 486.486, rel=1e-3)


def test_other_kernels_are_refused() -> None:
    with pytest.raises(RequestError, match="kernel must be 8 or 12, got 10"):
        band_weights(10, 0.7)
    with pytest.raises(ValueError, match="band must be above 0"):
        band_weights(8, 0.0)


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
        band_weights(12, 0.7),
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
    along_range(ones, ones, offsets, np.zeros(1, np.int64), band_weights(12, 0.7), out[0], out[1])
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
        0,
        lines,
        np.zeros(4),
        band_weights(12, 0.7),
        out[0],
        out[1],
    )
    found = out[0] + 1j * out[1]
    for run in range(3):
        truth = np.exp(2j * np.pi * 0.2 * lines[run])
        np.testing.assert_allclose(found[run * RUN : (run + 1) * RUN], truth, atol=0.012)
    np.testing.assert_array_equal(found[3 * RUN :], 0.0)  # line 2 lacks taps


@pytest.mark.parametrize("rate", [-0.5, -0.2, 0.04, 0.3, 0.5])
def test_azimuth_pass_turns_along_with_fringes(rate: float) -> None:
    """A band as wide as the weights', turned by a slope: the error is that of level ground."""
    rows = np.arange(60.0)[:, None]
    frequencies = np.linspace(-0.33, 0.33, 2 * RUN)[None]
    lines = np.array([20.25, 33.625])
    out = np.empty((2, 2, 2 * RUN), np.float32)
    for number, turning in enumerate((0.0, rate)):
        signal = np.exp(2j * np.pi * (frequencies + turning) * rows)
        along_azimuth(
            signal.real.astype(np.float32),
            signal.imag.astype(np.float32),
            0,
            lines,
            np.full(2, turning),
            band_weights(12, 0.7),
            out[number, 0],
            out[number, 1],
        )
    found = out[:, 0] + 1j * out[:, 1]
    at = np.repeat(lines, RUN)
    expected = found[0] * np.exp(2j * np.pi * rate * at)
    truth = np.exp(2j * np.pi * (frequencies[0] + rate) * at)
    slow = abs(rate) < 0.05  # left to the margins of the band
    np.testing.assert_allclose(found[1], truth, atol=0.03 if slow else 0.012)
    if not slow:
        np.testing.assert_allclose(found[1], expected, atol=1e-5)


def test_azimuth_pass_takes_unknown_rates_for_zero() -> None:
    random = np.random.default_rng(5).standard_normal((2, 40, RUN)).astype(np.float32)
    out = np.empty((2, 2, RUN), np.float32)
    for number, rate in enumerate((0.0, np.nan)):
        along_azimuth(
            *random,
            0,
            np.array([20.25]),
            np.array([rate]),
            band_weights(8, 0.7),
            out[number, 0],
            out[number, 1],
        )
    np.testing.assert_array_equal(out[0], out[1])


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_azimuth_pass_gives_the_same_bits_wherever_the_rows_begin(rate: float) -> None:
    """Places between two rows of weights, where another rounding takes the other one."""
    random = np.random.default_rng(6).standard_normal((2, 600, RUN)).astype(np.float32)
    out = np.empty((2, 2, RUN), np.float32)
    for line in 500.0 + (np.arange(200) + 0.5) / STEPS + 1e-13:
        for number, first in enumerate((0, 437)):
            along_azimuth(
                random[0, first:],
                random[1, first:],
                first,
                np.array([line]),
                np.array([rate]),
                band_weights(12, 0.7),
                out[number, 0],
                out[number, 1],
            )
        np.testing.assert_array_equal(out[0], out[1])
