"""Signs and sizes of timing corrections, from echoes that were focused here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.errors import ProductError
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.insar.coregistration import Coregistration
from kernels.insar.deramp import AzimuthRamp
from kernels.insar.effects import ImageEffects, PairEffects
from kernels.insar.timing import PixelTiming, geometric_fm_rate
from kernels.model import SPEED_OF_LIGHT, Shape
from kernels.products.annotation import read_annotation
from tests.geometry.scenes import circular_orbit, radar_grid, rough_dem
from tests.insar.scenes import around, tops_burst

CHIRP = 1.078e12
"""Of IW1 [Hz/s]."""
WAVELENGTH = 0.05546576


def peak(signal: np.ndarray, axis: np.ndarray) -> float:
    """Where a compressed pulse is largest, by a parabola."""
    size = np.abs(signal)
    k = int(np.argmax(size))
    before, middle, after = size[k - 1 : k + 2]
    return float(
        axis[k] + 0.5 * (before - after) / (before - 2 * middle + after) * (axis[1] - axis[0])
    )


def measured_delay(doppler: float, delay: float) -> float:
    """Delay at which a matched filter finds the echo of an upward chirp [s]."""
    rate, length = 4e8, 52.4e-6
    t = np.arange(-80e-6, 80e-6, 1.0 / rate)

    def chirp(at: np.ndarray) -> np.ndarray:
        return np.where(np.abs(at) <= 0.5 * length, np.exp(1j * np.pi * CHIRP * at**2), 0.0)

    echo = chirp(t - delay) * np.exp(2j * np.pi * doppler * t)
    replica = chirp(t)
    size = 2 * t.size
    found = np.fft.ifft(np.fft.fft(echo, size) * np.conj(np.fft.fft(replica, size)))
    lags = np.fft.fftfreq(size, 1.0 / size) / rate
    order = np.argsort(lags)
    return peak(found[order], lags[order])


@pytest.mark.parametrize("doppler", [-2500.0, 1200.0, 2500.0])
def test_an_echo_with_doppler_is_found_too_early(doppler: float) -> None:
    """The residual of range compression; 2500 Hz are 0.35 m."""
    # differences: sampling and cut edges shift all of them alike
    delay = 3.21e-6
    moved = measured_delay(doppler, delay) - measured_delay(0.0, delay)
    burst = replace(tops_burst(radar_grid(Shape(140, 900))), range_chirp_rate=CHIRP)
    orbit = circular_orbit()
    timing = PixelTiming.of(burst, orbit, ("doppler_range",))
    assert timing is not None
    grid, samples = burst.grid, np.array([450.0])
    # the line at which the ramp has this frequency
    ramp = AzimuthRamp.of(burst, orbit)
    at_zero, at_one = (ramp.frequency(np.array([line]), samples)[0] for line in (0.0, 1.0))
    line = (doppler - at_zero) / (at_one - at_zero)
    ranges = grid.slant_range(samples)
    times = grid.zero_doppler_time(np.array([line]), ranges)
    late, far = timing.errors(times, ranges, np.zeros((1, 3)))
    assert late[0] == 0.0
    # true = measured + error
    assert far[0] == pytest.approx(-0.5 * SPEED_OF_LIGHT * moved, abs=2e-3)
    assert far[0] == pytest.approx(0.139 * doppler / 1000.0, abs=1e-3)


def focused_time(doppler: float, annotated: float, true: float) -> float:
    """Time at which a target appears that was seen about one Doppler frequency only [s]."""
    prf, length = 4000.0, 8.0
    t = np.arange(-0.5 * length, 0.5 * length, 1.0 / prf)
    # a beam that dwells on the target while its Doppler is within 150 Hz of the frequency
    seen = np.abs(true * t - doppler) <= 150.0
    echo = np.where(seen, np.exp(1j * np.pi * true * t**2), 0.0)
    f = np.fft.fftfreq(t.size, 1.0 / prf)
    focused = np.fft.ifft(np.fft.fft(echo) * np.exp(1j * np.pi * f**2 / annotated))
    return peak(focused, t)


@pytest.mark.parametrize("doppler", [-1500.0, 800.0, 1500.0])
def test_a_wrong_fm_rate_moves_what_is_seen_under_squint(doppler: float) -> None:
    burst = tops_burst(radar_grid(Shape(140, 900)))
    orbit, grid = circular_orbit(), burst.grid
    samples = np.array([450.0])
    ranges = grid.slant_range(samples)
    ramp = AzimuthRamp.of(burst, orbit)
    at_zero, at_one = (ramp.frequency(np.array([line]), samples)[0] for line in (0.0, 1.0))
    line = np.array([(doppler - at_zero) / (at_one - at_zero)])
    times = grid.zero_doppler_time(line, ranges)
    points = radar_to_ground(orbit, times, ranges, np.zeros(1))
    true = float(geometric_fm_rate(orbit, times, points, wavelength=grid.wavelength)[0])
    annotated = true * 1.003
    fm_rate = replace(burst.fm_rate, coefficients=(annotated,))
    timing = PixelTiming.of(replace(burst, fm_rate=fm_rate), orbit, ("fm_rate",))
    assert timing is not None
    # the ramp belongs to the burst's own rate; only the frequency at this line matters here
    timing = replace(timing, ramp=ramp)
    late, far = timing.errors(times, ranges, points)
    assert far[0] == 0.0
    moved = focused_time(doppler, annotated, true)
    assert late[0] == pytest.approx(-moved, abs=2e-5)
    assert abs(late[0]) > 5e-4


def test_the_geometric_rate_is_the_range_history_s() -> None:
    orbit, grid = circular_orbit(), radar_grid(Shape(140, 900))
    ranges = grid.slant_range(np.array([450.0]))
    times = grid.zero_doppler_time(np.array([70.0]), ranges)
    point = radar_to_ground(orbit, times, ranges, np.zeros(1))
    t = np.linspace(-0.3, 0.3, 61)
    history = np.linalg.norm(orbit.position(times[0] + t) - point[0], axis=-1)
    curvature = 2.0 * np.polyfit(t, history - ranges[0], 4)[2]
    found = geometric_fm_rate(orbit, times, point, wavelength=WAVELENGTH)
    assert found[0] == pytest.approx(-2.0 / WAVELENGTH * curvature, rel=1e-6)


@pytest.mark.shared_data
def test_corrections_of_a_real_product_are_of_the_size_of_the_literature(
    shared_data: Path,
) -> None:
    """Gisinger 2021: up to 0.4 m in range."""
    path = next(shared_data.glob("alps_iw_pair/S1A*20190101*/annotation/s1a-iw1-slc-vv*.xml"))
    product = read_annotation(path)
    burst = product.bursts[4]
    assert burst.range_chirp_rate == 1.078230321255894e12  # the file's own figure
    grid = burst.grid
    start = product.bursts[0].grid.first_line_time
    orbit = Orbit.fit(product.state_vectors, start=start, stop=start + 30.0)
    timing = PixelTiming.of(burst, orbit, ("doppler_range", "fm_rate"))
    assert timing is not None
    lines = np.linspace(0.0, grid.shape.lines - 1.0, 5)[:, None]
    ranges = np.broadcast_to(grid.slant_range(np.linspace(0.0, 21000.0, 5)), (5, 5))
    times = grid.zero_doppler_time(lines, ranges)
    level, high = (
        timing.errors(times, ranges, radar_to_ground(orbit, times, ranges, np.full(1, height)))
        for height in (0.0, 2000.0)
    )
    assert 0.3 < np.abs(level[1]).max() < 0.45
    np.testing.assert_allclose(level[1][0], -level[1][-1], atol=0.03)  # both ends of a burst
    # the FM rate of the processor is for one height: a kilometre of relief moves the ends of a
    # burst by a metre, and between 0 and 2000 m there is a height at which nothing moves
    along = [6800.0 * found[0][[0, -1]] for found in (level, high)]
    np.testing.assert_allclose(np.abs(along[1] - along[0]), 1.9, atol=0.3)
    assert (np.sign(along[0]) == -np.sign(along[1])).mean() > 0.7


def test_both_images_alike_change_the_ground_but_hardly_the_offsets() -> None:
    orbits = circular_orbit(), circular_orbit(node=0.2 + 1.1e-5, phase=0.35 + 2.0e-6)
    grid = radar_grid(Shape(140, 900))
    longitude, latitude = around(orbits[0], grid)
    dem = rough_dem(
        west=longitude - 0.1,
        east=longitude + 0.1,
        south=latitude - 0.1,
        north=latitude + 0.1,
        amplitude=100.0,
    )
    burst = replace(tops_burst(grid), range_chirp_rate=CHIRP)
    timings = [PixelTiming.of(burst, orbit, ("doppler_range", "fm_rate")) for orbit in orbits]
    effects = PairEffects(
        reference=ImageEffects(timing=timings[0]), secondary=ImageEffects(timing=timings[1])
    )
    plain, corrected = (
        Coregistration.of(
            reference=grid,
            reference_orbit=orbits[0],
            secondary=grid,
            secondary_orbit=orbits[1],
            dem=dem,
            **options,
        )
        for options in ({}, {"effects": effects})
    )
    # at a node: the corrected place of the pixel is that of the corrected time and range
    timing = timings[0]
    assert timing is not None
    height = np.array([corrected.polynomials.middle])
    ranges = grid.slant_range(np.array([320.0]))
    times = grid.zero_doppler_time(np.array([32.0]), ranges)
    point = radar_to_ground(orbits[0], times, ranges, height)
    late, far = timing.errors(times, ranges, point)
    assert 0.01 < abs(far[0]) < 0.5
    true = radar_to_ground(orbits[0], times + late, ranges + far, height)
    again = ground_to_radar(orbits[0], true)
    found = corrected.polynomials.evaluate(np.array([32.0]), np.array([320.0]), height)[0]
    before = plain.polynomials.evaluate(np.array([32.0]), np.array([320.0]), height)[0]
    assert again[1][0] - ranges[0] == pytest.approx(far[0], abs=1e-6)
    assert np.abs(found[:2] - before[:2]).max() > 1e-3  # posts of the DEM
    moved = corrected.offsets(Band(20, 30)).samples - plain.offsets(Band(20, 30)).samples
    assert np.abs(moved).max() < 0.02
    # and they are what both errors differ by
    secondary = ground_to_radar(orbits[1], true)
    other = timings[1]
    assert other is not None
    second = other.errors(*secondary, true)
    second = other.errors(secondary[0] - second[0], secondary[1] - second[1], true)
    expected = grid.sample(secondary[1] - second[1]) - 320.0
    assert found[3] == pytest.approx(expected[0], abs=1e-4)


def test_without_a_chirp_rate_the_shift_is_not_known() -> None:
    burst = tops_burst(radar_grid(Shape(140, 900)))
    with pytest.raises(ProductError, match="no chirp rate"):
        PixelTiming.of(burst, circular_orbit(), ("doppler_range",))
    assert PixelTiming.of(burst, circular_orbit(), ("bistatic",)) is None
