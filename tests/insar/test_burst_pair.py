"""A pair whose pixels are a formula: what the fused pass makes of it is known."""

from dataclasses import replace

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.insar.burst_pair import BurstPair
from kernels.insar.coregistration import match_bursts
from kernels.insar.look_sums import LookSums
from kernels.insar.resample_numba import RUN
from kernels.model import Dem, Looks, Shape
from tests.geometry.scenes import circular_orbit, radar_grid, rough_dem
from tests.insar.scenes import PlaneWavePair, around, plane_wave_pair, tops_burst

LOOKS = Looks(azimuth=4, range=16)
WAVELENGTH = 0.05546576


@pytest.fixture(scope="module")
def dem() -> Dem:
    longitude, latitude = around(circular_orbit(), radar_grid(Shape(140, 900)))
    return rough_dem(
        west=longitude - 0.1,
        east=longitude + 0.1,
        south=latitude - 0.1,
        north=latitude + 0.1,
        amplitude=100.0,
    )


@pytest.fixture(scope="module")
def still(dem: Dem) -> PlaneWavePair:
    return plane_wave_pair(dem)


def combine(scene: PlaneWavePair, lines: Band, *, taps: int = 12) -> LookSums:
    pair = BurstPair.of(
        reference=scene.reference,
        reference_orbit=scene.reference_orbit,
        secondary=scene.secondary,
        secondary_orbit=scene.secondary_orbit,
        dem=scene.dem,
        taps=taps,
    )
    needed = pair.secondary_lines(lines)
    return pair.compute(
        lines,
        scene.reference_pixels[lines.first : lines.first + lines.rows],
        scene.secondary_pixels[needed.first : needed.first + needed.rows],
        LOOKS,
    )


def test_a_pair_that_did_not_change_has_no_phase(still: PlaneWavePair) -> None:
    bands = combine(still, Band(0, 140)).bands(LOOKS)
    whole = bands[3] == 1.0
    assert whole.sum() > 0.6 * whole.size
    assert np.sqrt(np.mean(bands[1][whole] ** 2)) < 0.01  # [rad]
    assert bands[2][whole].mean() > 0.999


def test_ground_that_moved_away_has_positive_phase(dem: Dem) -> None:
    bands = combine(plane_wave_pair(dem, moved_away=0.004), Band(0, 140)).bands(LOOKS)
    phase = bands[1][bands[3] == 1.0]
    assert phase.mean() == pytest.approx(4.0 * np.pi / WAVELENGTH * 0.004, abs=0.003)


def test_a_stripmap_image_is_a_burst_without_ramp(dem: Dem) -> None:
    bands = combine(plane_wave_pair(dem, steering_deg=0.0), Band(0, 140)).bands(LOOKS)
    phase = bands[1][bands[3] == 1.0]
    assert np.sqrt(np.mean(phase**2)) < 0.01


def test_fringe_rates_are_those_of_the_range_differences(still: PlaneWavePair) -> None:
    """Against the exact ranges of the neighbouring lines, relief and 100 m of baseline."""
    pair = BurstPair.of(
        reference=still.reference,
        reference_orbit=still.reference_orbit,
        secondary=still.secondary,
        secondary_orbit=still.secondary_orbit,
        dem=still.dem,
        taps=12,
    )
    lines = Band(40, 30)
    geometry = pair._geometry(lines, pair.secondary_lines(lines))
    metres = pair.coregistration.offsets(Band(39, 32)).range_differences[:, RUN // 2 :: RUN]
    truth = -(metres[2:] - metres[:-2]) / WAVELENGTH
    at = lines.first - geometry.first
    found = geometry.rates[at : at + 30, : truth.shape[1]]
    assert np.abs(truth).max() > 0.01  # [cycles per line]
    np.testing.assert_allclose(found, truth, atol=2e-4)


def test_bands_of_lines_give_the_same_bits(still: PlaneWavePair) -> None:
    whole = combine(still, Band(0, 140))
    part = combine(still, Band(48, 20))
    for name in ("cross", "reference_power", "secondary_power", "counts"):
        np.testing.assert_array_equal(getattr(whole, name)[12:17], getattr(part, name))


def test_only_pixels_with_every_tap_count(still: PlaneWavePair) -> None:
    """The secondary's margins are NaN-like: huge values that would show anywhere."""
    pixels = still.secondary_pixels.copy()
    burst = still.secondary
    outside = np.ones(pixels.shape, bool)
    for line in range(pixels.shape[0]):
        if burst.first_valid_sample[line] >= 0:
            first, last = burst.first_valid_sample[line], burst.last_valid_sample[line]
            outside[line, first : last + 1] = False
    pixels[outside] = 1e9
    clean = combine(still, Band(0, 140))
    dirty = combine(replace(still, secondary_pixels=pixels), Band(0, 140))
    complete = clean.counts == LOOKS.azimuth * LOOKS.range
    np.testing.assert_array_equal(complete, dirty.counts == LOOKS.azimuth * LOOKS.range)
    np.testing.assert_array_equal(clean.cross[complete], dirty.cross[complete])


def test_coherence_of_unrelated_images_is_the_bias_of_the_estimator(dem: Dem) -> None:
    first, second = plane_wave_pair(dem, seed=1), plane_wave_pair(dem, seed=2)
    generator = np.random.default_rng(5)
    noise = generator.standard_normal((2, *first.secondary_pixels.shape))
    white = (noise[0] + 1j * noise[1]).astype(np.complex64)
    bands = combine(replace(second, secondary_pixels=white), Band(0, 140)).bands(LOOKS)
    coherence = bands[2][bands[3] == 1.0]
    # sqrt(pi / (4 L)) for L = 64 independent looks (Touzi et al. 1999)
    assert 0.09 < coherence.mean() < 0.15


def test_bursts_match_by_the_ground_they_see(still: PlaneWavePair) -> None:
    pairs = match_bursts(
        (still.reference,), still.reference_orbit, (still.secondary,), still.secondary_orbit
    )
    assert pairs == ((still.reference, still.secondary),)
    elsewhere = tops_burst(radar_grid(Shape(140, 900)).window(900, 0, Shape(140, 900)))
    assert not match_bursts(
        (still.reference,), still.reference_orbit, (elsewhere,), still.reference_orbit
    )


def test_a_short_image_matches_a_long_one_that_holds_it(still: PlaneWavePair) -> None:
    grid = still.secondary.grid
    long = replace(still.secondary, grid=grid.window(-40, 0, Shape(900, 900)))
    orbits = still.reference_orbit, still.secondary_orbit
    assert match_bursts((still.reference,), orbits[0], (long,), orbits[1])
    assert match_bursts((long,), orbits[1], (still.reference,), orbits[0])


def test_of_two_bursts_on_the_same_ground_the_identifier_decides(still: PlaneWavePair) -> None:
    grid = still.secondary.grid
    reference = replace(still.reference, identifier=7)
    others = tuple(
        replace(still.secondary, identifier=k, grid=grid.window(shift, 0, Shape(140, 900)))
        for k, shift in ((6, 0), (7, 60), (8, -60), (7, 100))
    )
    orbits = still.reference_orbit, still.secondary_orbit
    assert match_bursts((reference,), orbits[0], others, orbits[1]) == ((reference, others[1]),)
    assert match_bursts((still.reference,), orbits[0], others, orbits[1])[0][1] == others[0]
