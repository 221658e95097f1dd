"""Joined complex slices against the bursts that they were made of."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from kernels.errors import ProductError
from kernels.model import Burst, Shape, SlcProduct
from kernels.products.slc_columns import without_first_samples
from kernels.products.slc_slices import join_slc
from tests.products.test_detection import CYCLE, LINES, WIDTH, Pixels, swath, template

__all__ = ["template"]


def take(template: SlcProduct) -> np.ndarray:
    """Pixels of a data take of eight bursts, as the ground is."""
    generator = np.random.default_rng(3)
    shape = (7 * CYCLE + LINES, WIDTH)
    found = generator.normal(size=shape) + 1j * generator.normal(size=shape)
    return found.astype(np.complex64)


def pixels_of(image: SlcProduct, burst: Burst) -> np.ndarray:
    assert image.pixels is not None
    return image.pixels.read(burst.first_line, burst.grid.shape.lines)


def test_every_burst_is_there_once_with_its_own_pixels(template: SlcProduct) -> None:
    """The slices share a burst, and the second one's ground is numbered from its own start."""
    ground = take(template)
    slices = [swath(template, bursts=n, first=k, whole=ground) for k, n in ((0, 3), (2, 3), (5, 2))]
    image = join_slc(slices)
    assert [burst.index for burst in image.bursts] == list(range(7))
    interval = image.grid.line_interval
    start = image.bursts[0].grid.first_line_time
    for k, burst in enumerate(image.bursts):
        assert burst.grid.first_line_time == pytest.approx(start + k * CYCLE * interval, abs=1e-9)
        np.testing.assert_array_equal(pixels_of(image, burst), ground[k * CYCLE :][:LINES])
    assert (image.start, image.stop) == (slices[0].start, slices[-1].stop)
    # the first burst of the second slice is never read
    assert isinstance(slices[1].pixels, Pixels)
    assert slices[1].pixels.count == 2 * LINES * WIDTH
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(pixels_of(again, again.bursts[4]), ground[4 * CYCLE :][:LINES])


def test_one_slice_is_itself(template: SlcProduct) -> None:
    one = swath(template)
    assert join_slc([one]) is one


def test_a_narrower_slice_ends_in_zeros(template: SlcProduct) -> None:
    ground = take(template)
    wide = swath(template, bursts=2, whole=ground)
    narrow = swath(template, bursts=2, first=2, width=WIDTH - 6, whole=ground)
    image = join_slc([wide, narrow])
    assert {burst.grid.shape for burst in image.bursts} == {Shape(LINES, WIDTH)}
    pixels = pixels_of(image, image.bursts[2])
    np.testing.assert_array_equal(pixels[:, : WIDTH - 6], ground[2 * CYCLE :][:LINES, : WIDTH - 6])
    assert not pixels[:, WIDTH - 6 :].any()


def later(image: SlcProduct, seconds: float) -> SlcProduct:
    """The same slice at another time."""
    bursts = tuple(
        replace(
            burst,
            grid=replace(burst.grid, first_line_time=burst.grid.first_line_time + seconds),
        )
        for burst in image.bursts
    )
    return replace(image, bursts=bursts)


def farther(image: SlcProduct, samples: float) -> SlcProduct:
    start = image.grid.first_slant_range + samples * image.grid.slant_range_spacing
    return replace(image, grid=replace(image.grid, first_slant_range=start))


@pytest.mark.parametrize("case", ["gap", "raster", "range", "processor"])
def test_what_does_not_go_on_is_one_line_with_both_names(template: SlcProduct, case: str) -> None:
    one = replace(swath(template, bursts=2), name="ONE")
    other = replace(swath(template, bursts=2, first=2), name="OTHER")
    interval = template.grid.line_interval
    spoilt, line = {
        # 4 lines overlap; 500 more lie between
        "gap": (later(other, 504 * interval), f"have a gap of {500 * interval:.2f} s between them"),
        "raster": (later(other, 0.3 * interval), "are not on one raster"),
        "range": (farther(other, 0.4), "are not on one raster"),
        "processor": (replace(other, processor="another"), "are not on one raster"),
    }[case]
    with pytest.raises(ProductError, match=f"ONE and OTHER {line}.*IW2: slices must be contiguous"):
        join_slc([one, spoilt])


def test_stripmap_slices_are_one_burst(template: SlcProduct) -> None:
    """Each half of their overlap is the slice's that is nearer to it."""
    ground = take(template)
    parts = []
    for k, first in enumerate((0, 40)):
        one = swath(template, bursts=1)
        lines, burst = 60, one.bursts[0]
        start = burst.grid.first_line_time + first * burst.grid.line_interval
        grid = replace(burst.grid, first_line_time=start, shape=Shape(lines, WIDTH))
        parts.append(
            replace(
                one,
                mode="SM",
                name=str(k),
                grid=grid,
                bursts=(
                    replace(
                        burst,
                        grid=grid,
                        first_valid_sample=np.full(lines, k, np.int32),
                        last_valid_sample=np.full(lines, WIDTH - 1, np.int32),
                    ),
                ),
                # the second slice is brighter, so that it is known
                pixels=Pixels(ground[first : first + lines] * np.float32(1 + k)),
            )
        )
    image = join_slc(parts)
    (burst,) = image.bursts
    assert burst.grid.shape == Shape(100, WIDTH)
    expected = ground[:100].copy()
    expected[50:] *= 2
    np.testing.assert_array_equal(pixels_of(image, burst), expected)
    np.testing.assert_array_equal(burst.first_valid_sample, [0] * 50 + [1] * 50)


def test_without_first_samples_every_sample_keeps_its_range(template: SlcProduct) -> None:
    image = swath(template)
    cut = without_first_samples(image, 7)
    assert cut.grid.shape == Shape(image.grid.shape.lines, WIDTH - 7)
    assert cut.pixels is not None
    assert image.pixels is not None
    np.testing.assert_array_equal(cut.pixels.read(5, 9, 2, 11), image.pixels.read(5, 9, 9, 11))
    np.testing.assert_array_equal(cut.pixels.read(0, 3), image.pixels.read(0, 3)[:, 7:])
    for before, after in zip(image.bursts, cut.bursts, strict=True):
        assert after.grid.slant_range(4.0) == before.grid.slant_range(11.0)
        known = before.first_valid_sample >= 0
        np.testing.assert_array_equal(after.first_valid_sample[known], 0)
        np.testing.assert_array_equal(
            after.last_valid_sample[known], before.last_valid_sample[known] - 7
        )
        assert (after.first_valid_sample[~known] == -1).all()
        assert (after.last_valid_sample[~known] == -1).all()
    with pytest.raises(ProductError, match="window must be inside"):
        cut.pixels.read(0, 1, 0, WIDTH)
