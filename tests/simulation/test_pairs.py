"""Pairs of simulated images against mathematics written apart from the simulation."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.simulation import load_truth
from tests.simulation.conftest import MISREGISTRATION, SOURCE, Small
from tests.simulation.tools import (
    coherence,
    coregistered,
    deramped,
    ecef,
    orbit,
    ramp,
    read_burst,
    seen_times,
    surface,
)


@pytest.mark.parametrize("burst", [0, 1])
def test_flattened_phase_of_still_ground_is_zero_and_coherence_one(
    small: Small, burst: int
) -> None:
    truth = load_truth(small.series.truth, swath="IW1", burst=burst)
    first, second = coregistered(small.images[0], small.images[1], truth, every=(2, 2))
    cross = first * np.conj(second)
    assert cross.size > 500
    assert coherence(first, second) > 0.9999
    # the interpolator of this test errs by some 1e-3 per point; the mean is free of it
    assert abs(np.angle(cross.sum())) < 5e-4
    weighted = np.sum(np.abs(cross) * np.angle(cross) ** 2) / np.sum(np.abs(cross))
    assert np.sqrt(weighted) < 0.01


def test_same_orbit_gives_same_pixels(small: Small) -> None:
    first, again = (
        np.concatenate([read_burst(image, b) for b in image.bursts])
        for image in (small.images[0], small.images[2])
    )
    assert np.abs(first).max() > 1000.0
    difference = first - again
    # the reference is made without a ground point, the other date through one: rounding differs
    assert max(np.abs(difference.real).max(), np.abs(difference.imag).max()) <= 1.0
    assert np.mean(np.abs(difference) > 0) < 0.01


def test_misregistration_shows_as_the_doppler_of_each_line(small: Small) -> None:
    reference, secondary = small.images[0], small.images[3]
    burst = reference.bursts[0]
    lines = np.arange(60, 240)
    first = read_burst(reference, burst)[lines, 40:-40]
    second = read_burst(secondary, secondary.bursts[0])[lines, 40:-40]
    found = np.angle(np.sum(first * np.conj(second), axis=1))
    ranges = burst.grid.slant_range(np.arange(40.0, 460.0))[None, :]
    phase = [ramp(reference, burst, lines[:, None] + k, ranges) for k in (0.0, MISREGISTRATION)]
    expected = np.angle(np.exp(1j * (phase[1] - phase[0])).sum(axis=1))
    assert np.abs(expected).max() > 0.03
    # W itself moves by 0.02 line: 3 % of random phase per pixel, 0.15 % in a mean over 420
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.abs(np.mean(found - expected)) < 5e-4


def test_displacement_lengthens_the_path(small: Small) -> None:
    truth = load_truth(small.series.truth, swath="IW1", burst=0, date=4)
    # uplift above the source: the radar sees it come nearer
    assert truth.range_change.min() < -0.03
    images = small.images[0], small.images[4]
    first, second = coregistered(*images, truth, every=(3, 3), moved=True)
    assert coherence(first, second) > 0.9999
    assert abs(np.angle(np.sum(first * np.conj(second)))) < 1e-3
    assert coherence(*coregistered(*images, truth, every=(3, 3))) < 0.5


@pytest.mark.parametrize(("date", "misregistration"), [(1, 0.0), (3, MISREGISTRATION), (4, 0.0)])
def test_saved_points_satisfy_range_and_doppler(
    small: Small, date: int, misregistration: float
) -> None:
    image = small.images[date]
    for burst in (0, 1):
        truth = load_truth(small.series.truth, swath="IW1", burst=burst, date=date)
        assert truth.misregistration == misregistration
        assert truth.secondary_burst == burst
        times = seen_times(truth, image)
        position, velocity = orbit(image, times)
        sight = ecef(truth.longitude, truth.latitude, truth.height) - position
        distance = np.linalg.norm(sight, axis=-1)
        np.testing.assert_allclose(distance, truth.slant_range, rtol=0, atol=1e-6)  # [m]
        doppler = np.sum(sight * velocity, axis=-1) / np.sum(velocity**2, axis=-1)
        assert np.abs(doppler).max() < 1e-9  # [s]
        # line and sample as the product's own grid counts them
        grid = image.bursts[burst].grid
        np.testing.assert_allclose(
            grid.line(times, distance), truth.secondary_line, rtol=0, atol=1e-4
        )
        np.testing.assert_allclose(grid.sample(distance), truth.secondary_sample, atol=1e-6)


def test_saved_points_lie_under_the_reference_pixels_on_the_terrain(small: Small) -> None:
    image = small.images[0]
    heights = surface(small.scene.dem)
    for burst in (0, 1):
        truth = load_truth(small.series.truth, swath="IW1", burst=burst)
        grid = image.bursts[burst].grid
        np.testing.assert_allclose(
            heights((truth.latitude, truth.longitude)), truth.height, rtol=0, atol=1e-6
        )
        ranges = np.broadcast_to(
            grid.slant_range(truth.samples.astype(float)), truth.longitude.shape
        )
        times = grid.zero_doppler_time(truth.lines[:, None].astype(float), ranges)
        position, velocity = orbit(image, times)
        sight = ecef(truth.longitude, truth.latitude, truth.height) - position
        np.testing.assert_allclose(np.linalg.norm(sight, axis=-1), ranges, rtol=0, atol=1e-6)
        # the reader fits the bistatic term to tie points rounded to 1 us: 1e-8 s of time
        doppler = np.sum(sight * velocity, axis=-1) / np.sum(velocity**2, axis=-1)
        assert np.abs(doppler).max() < 1e-7
        # the look is to the right of the flight
        right = np.cross(velocity, position)
        assert (np.sum(right * sight, axis=-1) > 0).all()
        np.testing.assert_allclose(
            truth.slant_range - ranges, truth.range_difference, rtol=0, atol=1e-7
        )


def test_saved_displacement_is_that_of_mogi_along_the_line_of_sight(small: Small) -> None:
    truth = load_truth(small.series.truth, swath="IW1", burst=0, date=4)
    image = small.images[4]
    points = ecef(truth.longitude, truth.latitude, truth.height)
    origin = ecef(np.array(SOURCE.longitude), np.array(SOURCE.latitude), np.array(0.0))
    lon, lat = np.radians(SOURCE.longitude), np.radians(SOURCE.latitude)
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    north = np.cross(up, east)
    e, n = (points - origin) @ east, (points - origin) @ north
    scale = 0.75 * SOURCE.volume_change / np.pi / (SOURCE.depth**2 + e**2 + n**2) ** 1.5
    moved = scale[..., None] * (
        e[..., None] * east
        + n[..., None] * north
        + SOURCE.depth * np.broadcast_to(up, (*e.shape, 3))
    )
    position, _ = orbit(image, seen_times(truth, image))
    sight = points - position
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    np.testing.assert_allclose(
        np.sum(moved * sight, axis=-1), truth.range_change, rtol=0, atol=1e-8
    )


def test_deramping_centres_the_azimuth_spectrum(small: Small) -> None:
    image = small.images[0]
    for burst in image.bursts:
        inner = slice(30, burst.grid.shape.lines - 30)
        baseband = deramped(image, burst)[inner, 40:-40]
        raw = read_burst(image, burst)[inner, 40:-40]
        lag, power = (
            np.sum(baseband[1:] * np.conj(baseband[:-1])),
            np.sum(np.abs(baseband) ** 2),
        )
        centroid = np.angle(lag) / (2.0 * np.pi * burst.grid.line_interval)
        assert abs(centroid) < 2.0  # [Hz], of a band of 327 Hz seen by 100 000 pixels
        assert abs(lag) / power > 0.6
        assert abs(np.sum(raw[1:] * np.conj(raw[:-1]))) / power < 0.2


def test_azimuth_spectrum_ends_within_the_sampling(small: Small) -> None:
    image = small.images[0]
    burst = image.bursts[0]
    lines = burst.grid.shape.lines - 60
    baseband = deramped(image, burst)[30:-30, 40:-40] * np.kaiser(lines, 12.0)[:, None]
    power = np.mean(np.abs(np.fft.fft(baseband, axis=0)) ** 2, axis=1)
    frequency = np.abs(np.fft.fftfreq(lines))
    outside = power[frequency > 0.48].mean() / power[frequency < 0.2].mean()
    assert 10.0 * np.log10(outside) < -50.0


def test_images_are_incoherent_where_they_should_be(small: Small) -> None:
    first = read_burst(small.images[0], small.images[0].bursts[0])[30:-30, 40:-40]
    assert coherence(first[:, :200], first[:, 200:400]) < 0.02
