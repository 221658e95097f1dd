"""The band-limited reflectivity."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.simulation.reflectivity import OVERSAMPLING, band_kernel
from kernels.simulation.reflectivity_numba import add_reflectivity, lattice_noise

BANDS = {"IW1": (0.672, 0.878), "IW2": (0.643, 0.751), "IW3": (0.645, 0.665), "S3": (0.727, 0.890)}


def evaluate(rows: np.ndarray, columns: np.ndarray, kernel: object, seed: int = 5) -> np.ndarray:
    """Reflectivity at coordinates of two arrays."""
    image = np.zeros(rows.shape, np.complex64)
    corner = int(rows.min()) - 20, int(columns.min()) - 20
    size = int(np.ptp(rows)) + 50, int(np.ptp(columns)) + 50
    noise = lattice_noise(seed, *corner, *size)
    add_reflectivity(rows, columns, np.ones(rows.shape, np.float32), noise, corner, kernel, image)
    return image


def test_noise_belongs_to_the_lattice() -> None:
    whole = lattice_noise(3, -7, 1_000_000, 40, 50)
    part = lattice_noise(3, 3, 1_000_020, 5, 6)
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[10:15, 20:26], other)
    assert not np.array_equal(whole[0], lattice_noise(4, -7, 1_000_000, 40, 50)[0])


def test_noise_is_white_with_power_one() -> None:
    real, imaginary = lattice_noise(11, 0, 0, 500, 400)
    noise = real + 1j * imaginary
    assert abs(np.mean(np.abs(noise) ** 2) - 1.0) < 0.005  # sigma 0.0014
    assert abs(noise.mean()) < 0.01  # sigma 0.0022
    for one, other in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1]), (real, imaginary)):
        assert abs(np.mean(one * np.conj(other))) < 0.01


@pytest.mark.parametrize("swath", BANDS)
def test_spectrum_fits_the_sampling(swath: str) -> None:
    azimuth_band, range_band = BANDS[swath]
    kernel = band_kernel(azimuth_band=azimuth_band, range_band=range_band)
    fine = 8
    for axis, steps, band in ((0, 1.0, azimuth_band), (1, OVERSAMPLING, range_band)):
        line = np.arange(8192) / fine + 0.013
        rows = np.repeat(np.arange(24.0)[:, None] * 40.0, line.size, axis=1)
        along = np.repeat(line[None, :], 24, axis=0)
        image = evaluate(*((along, rows) if axis == 0 else (rows, along)), kernel)
        spectrum = np.fft.fft(image * np.kaiser(line.size, 12.0), axis=1)
        power = np.mean(np.abs(spectrum) ** 2, axis=0)
        # in samples of the image: the lattice is finer in range
        frequency = np.abs(np.fft.fftfreq(line.size, d=1.0 / fine)) * steps
        level = power[frequency < 0.1].mean()
        assert 10.0 * np.log10(power[frequency > 0.5].max() / level) < -50.0
        assert power[frequency < 0.3 * band].min() > 0.05 * level


def test_power_is_one_everywhere() -> None:
    kernel = band_kernel(azimuth_band=0.672, range_band=0.878)
    rows, columns = np.meshgrid(
        np.arange(0.0, 900.0, 1.3), np.arange(0.0, 900.0, 1.7), indexing="ij"
    )
    image = evaluate(rows, columns, kernel)
    assert abs(np.mean(np.abs(image) ** 2) - 1.0) < 0.01
    # on nodes and between them alike: no trace of the lattice
    half = evaluate(np.floor(rows) + 0.5, np.floor(columns) + 0.5, kernel)
    whole = evaluate(np.floor(rows) + 1e-6, np.floor(columns) + 1e-6, kernel)
    assert abs(np.mean(np.abs(half) ** 2) - 1.0) < 0.015
    assert abs(np.mean(np.abs(whole) ** 2) - 1.0) < 0.015
