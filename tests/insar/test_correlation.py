"""Speckle that was shifted by known fractions, at known coherence."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.insar.correlation import (
    PATCH,
    Offsets,
    correlate,
    find_templates,
    fit_offsets,
)

BANDWIDTH = 0.75
"""Of the sampling frequency, on both axes."""


def speckle(generator: np.random.Generator, count: int) -> NDArray[np.complex128]:
    """Spectra of independent band-limited patches of twice the size that is cut out."""
    size = 2 * PATCH
    frequencies = np.abs(np.fft.fftfreq(size))
    inside = np.outer(frequencies <= BANDWIDTH / 2, frequencies <= BANDWIDTH / 2)
    noise = generator.normal(size=(count, size, size, 2)) @ np.array([1.0, 1.0j])
    spectra: NDArray[np.complex128] = noise * inside
    return spectra


def shifted(spectra: NDArray[np.complex128], line: float, sample: float) -> NDArray[np.complex64]:
    """Patches whose content lies at larger coordinates by the shift, exactly."""
    f = np.fft.fftfreq(spectra.shape[1])
    turn = np.exp(-2j * np.pi * (f[:, None] * line + f[None, :] * sample))
    images = np.fft.ifft2(spectra * turn)
    return images[:, :PATCH, :PATCH].astype(np.complex64)


@pytest.mark.parametrize(("line", "sample"), [(0.0, 0.0), (0.37, -0.21), (-3.6, 5.25)])
def test_a_known_shift_of_coherent_speckle_is_found(line: float, sample: float) -> None:
    spectra = speckle(np.random.default_rng(3), 24)
    lines, samples, correlations = correlate(
        shifted(spectra, 0.0, 0.0), shifted(spectra, line, sample), search=8
    )
    # content enters and leaves at the edges: larger shifts are noisier
    assert np.median(lines) == pytest.approx(line, abs=0.01)
    assert np.median(samples) == pytest.approx(sample, abs=0.01)
    assert np.abs(lines - line).max() < 0.15
    assert correlations.min() > 0.7 if abs(line) < 1 else correlations.min() > 0.4


def test_noise_is_near_its_theoretical_bound() -> None:
    coherence = 0.7
    generator = np.random.default_rng(7)
    common, own = speckle(generator, 200), speckle(generator, 200)
    second = coherence * common + math.sqrt(1.0 - coherence**2) * own
    lines, samples, _ = correlate(shifted(common, 0.0, 0.0), shifted(second, 0.2, -0.3), search=4)
    # De Zan 2014, equation 6, in resolution cells; under the taper fewer of them count
    taper = np.hanning(PATCH) ** 2
    cells = (BANDWIDTH * taper.sum() ** 2 / np.sum(taper**2)) ** 2
    expected = (
        math.sqrt(3.0 / (10.0 * cells))
        * math.sqrt(2.0 + 5.0 * coherence**2 - 7.0 * coherence**4)
        / (math.pi * coherence**2)
        / BANDWIDTH
    )
    for measured, truth in ((lines, 0.2), (samples, -0.3)):
        assert abs(measured.mean() - truth) < 4.0 * measured.std() / math.sqrt(200)
        assert measured.std() == pytest.approx(expected, rel=0.3)


def test_images_that_have_nothing_in_common_correlate_little() -> None:
    generator = np.random.default_rng(11)
    _, _, correlations = correlate(
        shifted(speckle(generator, 20), 0.0, 0.0),
        shifted(speckle(generator, 20), 0.0, 0.0),
        search=8,
    )
    assert correlations.max() < 0.3


def test_a_patch_without_contrast_has_no_correlation() -> None:
    empty = np.zeros((1, PATCH, PATCH), np.complex64)
    lines, samples, correlations = correlate(empty, empty, search=4)
    assert np.isfinite([lines, samples]).all()
    assert correlations.tolist() == [0.0]


def measured(noise: float, wrong: float = 0.0, seed: int = 1) -> Offsets:
    """Offsets on a plane with noise and a share of wrong ones."""
    generator = np.random.default_rng(seed)
    lines, samples = generator.uniform(0, 1500, 400), generator.uniform(0, 20_000, 400)
    line_offsets = 0.03 + 2e-5 * lines + 1e-6 * samples + noise * generator.normal(size=400)
    sample_offsets = -0.4 + noise * generator.normal(size=400)
    bad = generator.uniform(size=400) < wrong
    line_offsets[bad] += generator.uniform(-0.5, 0.5, np.count_nonzero(bad))
    return Offsets(
        lines=lines,
        samples=samples,
        line_offsets=line_offsets,
        sample_offsets=sample_offsets,
        correlations=np.full(400, 0.6),
    )


def test_a_plane_is_fitted_in_spite_of_wrong_offsets() -> None:
    fit = fit_offsets(measured(0.01, wrong=0.2), threshold=0.3, gap=0.7, planes=True)
    assert fit is not None
    assert fit.lines(np.array(750.0), np.array(1e4)) == pytest.approx(0.055, abs=0.003)
    assert fit.lines.per_line == pytest.approx(2e-5, abs=4e-6)
    assert fit.lines.per_sample == pytest.approx(1e-6, abs=4e-7)
    assert fit.samples.constant == pytest.approx(-0.4, abs=0.005)
    assert fit.line_error == pytest.approx(0.01 / math.sqrt(400), rel=0.5)


def test_a_constant_is_the_robust_mean() -> None:
    fit = fit_offsets(measured(0.01), threshold=0.3, gap=0.7, planes=False)
    assert fit is not None
    assert fit.samples == pytest.approx((-0.4, 0.0, 0.0), abs=0.003)
    assert fit.lines.per_line == 0.0


@pytest.mark.parametrize(("threshold", "gap"), [(0.7, 0.7), (0.3, 1e-6)])
def test_too_few_patches_give_no_fit(threshold: float, gap: float) -> None:
    assert fit_offsets(measured(0.01), threshold=threshold, gap=gap, planes=False) is None


def test_broad_features_are_found_without_bias() -> None:
    """Waves as long as the template, of another gain and level."""
    y, x = np.mgrid[0:48, 0:48].astype(np.float64)
    generator = np.random.default_rng(2)
    waves = generator.uniform(-0.06, 0.06, (8, 2)), generator.uniform(0, 1, 8)

    def image(line: float, sample: float) -> NDArray[np.float64]:
        total = np.zeros(y.shape)
        for (fy, fx), phase in zip(*waves, strict=True):
            total += np.cos(2 * np.pi * (fy * (y - line) + fx * (x - sample) + phase))
        return total

    template = image(0.0, 0.0)[None, 8:40, 8:40]
    window = 3.0 * image(-2.3, 4.6)[None] + 100.0
    lines, samples, correlations = find_templates(template, window)
    assert lines[0] == pytest.approx(-2.3, abs=0.03)
    assert samples[0] == pytest.approx(4.6, abs=0.03)
    assert correlations[0] > 0.99


def test_a_template_without_contrast_or_beyond_the_window_is_not_found() -> None:
    ramp = np.tile(np.arange(48.0), (1, 48, 1))
    assert find_templates(np.ones((1, 32, 32)), ramp)[2].tolist() == [0.0]
    assert find_templates(ramp[:, 8:40, 8:40], np.ones((1, 48, 48)))[2].tolist() == [0.0]
