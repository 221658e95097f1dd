from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.geometry.orbit import Orbit
from kernels.insar.deramp import AzimuthRamp, deramp
from kernels.insar.deramp_numba import cosine_sine
from kernels.model import SPEED_OF_LIGHT, Shape
from kernels.products.annotation import read_annotation
from tests.geometry.scenes import circular_orbit, radar_grid
from tests.insar.scenes import tops_burst


def test_phase_follows_the_technical_note() -> None:
    """Written out once more from the note's symbols, at a few pixels."""
    burst = tops_burst(radar_grid(Shape(1500, 21000)))
    ramp = AzimuthRamp.of(burst, circular_orbit())
    carrier = SPEED_OF_LIGHT / burst.grid.wavelength
    time = burst.grid.first_line_time + 749.5 * burst.grid.line_interval
    speed = float(np.linalg.norm(circular_orbit().velocity(time)))
    k_s = 2.0 * speed / SPEED_OF_LIGHT * carrier * burst.steering_rate
    tau_mid = 2.0 * (845_000.0 + 10_499.5 * 2.329562) / SPEED_OF_LIGHT

    def polynomial(p: tuple[float, ...], x: float) -> float:
        return p[0] + p[1] * x + p[2] * x * x

    for line, sample in ((0.0, 0.0), (1499.0, 20999.0), (333.3, 12345.0)):
        tau = 2.0 * (845_000.0 + sample * 2.329562) / SPEED_OF_LIGHT
        f_dc = polynomial(burst.doppler.coefficients, tau - 5.64e-3)
        k_a = polynomial(burst.fm_rate.coefficients, tau - 5.64e-3)
        k_t = k_a * k_s / (k_a - k_s)
        eta_c = -f_dc / k_a
        eta_c_mid = -polynomial(burst.doppler.coefficients, tau_mid - 5.64e-3) / polynomial(
            burst.fm_rate.coefficients, tau_mid - 5.64e-3
        )
        eta = (line - 749.5) * burst.grid.line_interval - (eta_c - eta_c_mid)
        phi = -np.pi * k_t * eta**2 - 2.0 * np.pi * f_dc * eta
        found = ramp.cycles(np.array([line]), np.array([sample]))[0] * 2.0 * np.pi
        assert abs(found - phi) < 1e-4  # [rad], of some thousands


def test_a_fixed_beam_leaves_only_the_doppler_centroid() -> None:
    burst = tops_burst(radar_grid(Shape(200, 300)), steering_deg=0.0)
    ramp = AzimuthRamp.of(burst, circular_orbit())
    rows = np.arange(200.0)
    cycles = ramp.cycles(rows, np.full(200, 100.0))
    tau = 2.0 * burst.grid.slant_range(100.0) / SPEED_OF_LIGHT
    np.testing.assert_allclose(np.diff(cycles) / burst.grid.line_interval, -burst.doppler(tau))


def test_deramping_applies_the_phase_and_knows_its_place() -> None:
    burst = tops_burst(radar_grid(Shape(200, 300)))
    ramp = AzimuthRamp.of(burst, circular_orbit())
    rows, columns = np.mgrid[50:120, 30:200].astype(np.float64)
    ramped = np.exp(-2j * np.pi * ramp.cycles(rows, columns)).astype(np.complex64)
    found = deramp(ramped, ramp, first_line=50, first_sample=30)
    np.testing.assert_allclose(found, np.ones_like(found), atol=2e-5)


def test_fast_cosine_and_sine() -> None:
    cycles = np.concatenate([np.linspace(-3.0, 3.0, 9001), 1e5 + np.linspace(0, 1, 101)])
    found = np.array([cosine_sine(c) for c in cycles])
    np.testing.assert_allclose(found[:, 0], np.cos(2 * np.pi * cycles), atol=4e-6)
    np.testing.assert_allclose(found[:, 1], np.sin(2 * np.pi * cycles), atol=4e-6)


def azimuth_correlation(image: np.ndarray) -> float:
    product = (image[1:] * image[:-1].conj()).sum()
    power = (np.abs(image[1:]) ** 2).sum() * (np.abs(image[:-1]) ** 2).sum()
    return float(np.abs(product) / np.sqrt(power))


@pytest.mark.shared_data
def test_real_pixels_become_correlated_with_the_right_sign_only(shared_data: Path) -> None:
    folder = shared_data / "s1_iw3_crop_azores"
    product = read_annotation(next(folder.glob("*.xml")))
    image = gdal.Open(str(next(folder.glob("*.tiff")))).ReadAsArray().astype(np.complex64)
    first_line, first_sample = 9800, 11000
    burst = next(
        b for b in product.bursts if b.first_line <= first_line < b.first_line + b.grid.shape.lines
    )
    assert first_line + image.shape[0] <= burst.first_line + burst.grid.shape.lines
    start = burst.grid.first_line_time
    ramp = AzimuthRamp.of(burst, Orbit.fit(product.state_vectors, start=start, stop=start + 3.1))
    place = {"first_line": first_line - burst.first_line, "first_sample": first_sample}
    wrong = replace(ramp, coefficients=-ramp.coefficients)
    assert azimuth_correlation(image) < 0.1
    assert azimuth_correlation(deramp(image, ramp, **place)) > 0.6
    assert azimuth_correlation(deramp(image, wrong, **place)) < 0.1
