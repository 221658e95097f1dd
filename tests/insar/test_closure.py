"""Three dates on one grid: their interferograms agree to rounding."""

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.insar.burst_pair import BurstPair
from kernels.model import Looks
from tests.geometry.scenes import circular_orbit, radar_grid
from tests.insar.scenes import SHAPE, PlaneWavePair, around, level_dem, plane_wave_pair

LINES = Band(20, 96)


@pytest.fixture(scope="module")
def pairs() -> list[PlaneWavePair]:
    """One reference with two secondaries, of which the second is noisy and its ground moved."""
    longitude, latitude = around(circular_orbit(), radar_grid(SHAPE))
    dem = level_dem(250.0, west=longitude - 0.1, north=latitude + 0.1, size=0.2)
    return [plane_wave_pair(dem), plane_wave_pair(dem, moved_away=0.004)]


def combine(scene: PlaneWavePair, looks: Looks, noise: float) -> np.ndarray:
    """Interferogram of some lines; NaN where it has no data."""
    pair = BurstPair.of(
        reference=scene.reference,
        reference_orbit=scene.reference_orbit,
        secondary=scene.secondary,
        secondary_orbit=scene.secondary_orbit,
        dem=scene.dem,
        taps=12,
    )
    needed = pair.secondary_lines(LINES)
    own = np.random.default_rng(3).normal(scale=noise, size=(2, *scene.secondary_pixels.shape))
    secondary = (scene.secondary_pixels + own[0] + 1j * own[1]).astype(np.complex64)
    sums = pair.compute(
        LINES,
        scene.reference_pixels[20:116],
        secondary[needed.first : needed.first + needed.rows],
        looks,
    )
    return np.where(sums.counts == looks.azimuth * looks.range, sums.cross, np.nan)


def test_closure_at_one_look_is_rounding(pairs: list[PlaneWavePair]) -> None:
    one = Looks(azimuth=1, range=1)
    first, second = combine(pairs[0], one, 0.0), combine(pairs[1], one, 300.0)
    reference = pairs[0].reference_pixels[20:116]
    np.testing.assert_array_equal(pairs[0].reference_pixels, pairs[1].reference_pixels)
    # m conj(s) over m is the conjugate of the flattened secondary on the reference's grid
    between = (np.conj(first / reference) * (second / reference)).astype(np.complex64)
    closure = np.angle(first * between * np.conj(second))
    known = np.isfinite(closure)
    assert known.mean() > 0.9
    # single precision: a few units of 6e-8
    assert np.abs(closure[known]).max() < 2e-6


def test_looks_of_one_look_interferograms_are_the_multilooked_one(
    pairs: list[PlaneWavePair],
) -> None:
    one = combine(pairs[0], Looks(azimuth=1, range=1), 300.0)
    cells = combine(pairs[0], Looks(azimuth=2, range=8), 300.0)
    summed = one[:, : one.shape[1] // 8 * 8].reshape(48, 2, -1, 8).sum(axis=(1, 3))
    known = np.isfinite(cells)
    np.testing.assert_array_equal(np.isfinite(summed), known)
    scale = np.abs(cells[known]).mean()
    np.testing.assert_allclose(summed[known] / scale, cells[known] / scale, atol=1e-5)
