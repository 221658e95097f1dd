"""Interpolation weights against the spectrum of real pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.insar.resample import STEPS, TAPS, band_weights
from kernels.model import SPEED_OF_LIGHT
from kernels.products.annotation import read_annotation

LENGTH = 128
"""Samples of a periodogram."""
BETA = {8: 3.0, 12: 3.5}


def range_spectrum(pixels: NDArray[np.complex64]) -> NDArray[np.float64]:
    """Mean periodogram along range, tapered."""
    count = pixels.shape[1] // LENGTH
    pieces = pixels[:, : count * LENGTH].reshape(-1, LENGTH) * np.hanning(LENGTH)
    return np.mean(np.abs(np.fft.fft(pieces, axis=1)) ** 2, axis=0)


def error_power(spectrum: NDArray[np.float64], weights: NDArray[np.float32]) -> float:
    """Error of interpolating a signal of a spectrum at all fractions, over its power."""
    frequencies = np.fft.fftfreq(spectrum.size)
    taps = np.arange(weights.shape[1]) - (weights.shape[1] // 2 - 1)
    waves = np.exp(2j * np.pi * np.outer(frequencies, taps))
    rows = np.arange(0, STEPS, 128)
    wanted = np.exp(2j * np.pi * np.outer(rows / STEPS, frequencies))
    missing = np.abs(wanted - weights[rows] @ waves.T) ** 2
    return float(np.mean(missing @ spectrum) / spectrum.sum())


def kaiser_weights(taps: int) -> NDArray[np.float32]:
    """The windowed sinc that most programs use."""
    x = np.arange(taps) - (taps // 2 - 1) - np.arange(STEPS + 1)[:, None] / STEPS
    window = np.i0(BETA[taps] * np.sqrt(np.maximum(1.0 - (2.0 * x / taps) ** 2, 0.0)))
    weights = np.sinc(x) * window
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.shared_data
@pytest.mark.parametrize("taps", TAPS)
def test_the_annotated_band_is_that_of_the_pixels(shared_data: Path, taps: int) -> None:
    """Of an S1A IW3 image: a tenth of the error power of a Kaiser window, or less."""
    folder = shared_data / "s1_iw3_crop_azores"
    (image,) = folder.glob("*.tiff")
    (annotation,) = folder.glob("*.xml")
    product = read_annotation(annotation)
    rate = SPEED_OF_LIGHT / (2.0 * product.grid.slant_range_spacing)
    spectrum = range_spectrum(gdal.Open(str(image)).ReadAsArray().astype(np.complex64))
    ours = error_power(spectrum, band_weights(taps, product.range_bandwidth / rate))
    theirs = error_power(spectrum, kaiser_weights(taps))
    assert ours < 0.11 * theirs
    assert ours < 1e-5
