"""Images of a stack: products of two of them are the interferograms that pairs give directly."""

from dataclasses import replace

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.geometry.terrain import meet_terrain
from kernels.insar.burst_pair import BurstPair
from kernels.insar.stack import stack_sums, with_signal
from kernels.model import Dem, Looks
from tests.insar.scenes import PlaneWavePair, plane_wave_pair
from tests.insar.test_burst_pair import LOOKS, combine, dem

__all__ = ["dem"]
LINES = Band(0, 140)


@pytest.fixture(scope="module")
def scene(dem: Dem) -> PlaneWavePair:
    return plane_wave_pair(dem, moved_away=0.004)


def pair_of(scene: PlaneWavePair) -> BurstPair:
    return BurstPair.of(
        reference=scene.reference,
        reference_orbit=scene.reference_orbit,
        secondary=scene.secondary,
        secondary_orbit=scene.secondary_orbit,
        dem=scene.dem,
        taps=12,
    )


def flattened(pair: BurstPair, scene: PlaneWavePair, lines: Band = LINES) -> np.ndarray:
    needed = pair.secondary_lines(lines)
    read = scene.secondary_pixels[needed.first : needed.first + needed.rows]
    return pair.flattened(lines, read)


def test_reference_and_image_give_the_interferogram_of_the_pair(scene: PlaneWavePair) -> None:
    expected = combine(scene, LINES)
    image = flattened(pair_of(scene), scene)
    reference = with_signal(scene.reference, LINES, scene.reference_pixels)
    found = stack_sums(reference, image, LOOKS)
    np.testing.assert_array_equal(found.counts, expected.counts)
    whole = found.counts == LOOKS.azimuth * LOOKS.range
    assert whole.sum() > 0.5 * whole.size
    scale = np.abs(expected.cross[whole]).max()
    np.testing.assert_allclose(found.cross[whole] / scale, expected.cross[whole] / scale, atol=2e-6)


def test_heights_found_beforehand_change_nothing_that_matters(scene: PlaneWavePair) -> None:
    pair = pair_of(scene)
    shape = scene.reference.grid.shape
    heights, _ = meet_terrain(
        pair.coregistration.polynomials,
        scene.dem,
        lines=Band(0, shape.lines),
        samples=shape.samples,
    )
    known = replace(pair, heights=heights.astype(np.float32))
    found, expected = flattened(known, scene), flattened(pair, scene)
    np.testing.assert_array_equal(found == 0.0, expected == 0.0)
    there = expected != 0.0
    # 32 bits hold heights to 0.1 mm: a ten thousandth of a radian of the whole range's phase
    assert np.abs(np.angle(found[there] * np.conj(expected[there]))).max() < 1e-3


def test_bands_of_lines_give_the_same_bits(scene: PlaneWavePair) -> None:
    pair = pair_of(scene)
    np.testing.assert_array_equal(
        flattened(pair, scene)[48:68], flattened(pair, scene, Band(48, 20))
    )


def test_phases_of_three_images_close_to_rounding() -> None:
    rng = np.random.default_rng(7)
    a, b, c = (
        (rng.normal(size=(4, 16)) + 1j * rng.normal(size=(4, 16))).astype(np.complex64)
        for _ in range(3)
    )
    single = Looks(azimuth=1, range=1)
    loop = (
        stack_sums(a, b, single).cross.astype(complex)
        * stack_sums(b, c, single).cross
        * np.conj(stack_sums(a, c, single).cross)
    )
    assert np.abs(np.angle(loop)).max() < 1e-6


def test_pixels_without_data_in_one_image_do_not_count() -> None:
    first = np.full((2, 8), 2.0 + 0.0j, np.complex64)
    second = np.full((2, 8), 0.0 + 3.0j, np.complex64)
    second[0, 0] = 0.0
    first[1, 6] = 0.0
    sums = stack_sums(first, second, Looks(azimuth=2, range=4))
    assert sums.counts.tolist() == [[7, 7]]
    np.testing.assert_allclose(sums.cross, [[-42.0j, -42.0j]])
    np.testing.assert_allclose(sums.reference_power, [[28.0, 28.0]])
    np.testing.assert_allclose(sums.secondary_power, [[63.0, 63.0]])
