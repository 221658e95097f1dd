"""Multi-temporal filters against the theory of speckle, simulated truth and slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from kernels.engine.bands import Band, split_rows
from kernels.radiometry.lee import lee_filter
from kernels.radiometry.multitemporal import (
    TemporalSums,
    add_intensities,
    add_ratios,
    expected_looks,
    no_sums,
    quegan_yu,
    ratio_filter,
)
from kernels.radiometry.windows import window_means

Image = NDArray[np.float32]
LOOKS, DATES = 4.4, 15


def speckle(seed: int, shape: tuple[int, int] = (400, 400), looks: float = LOOKS) -> Image:
    """White speckle of mean 1."""
    return np.random.default_rng(seed).gamma(looks, 1.0 / looks, shape).astype(np.float32)


def filtered(images: list[Image], *, window: int = 7) -> list[Image]:
    """Quegan and Yu over whole arrays."""
    core = Band(0, images[0].shape[0])
    sums = no_sums(images[0].shape)
    means = [add_ratios(image, sums, window=window, core=core) for image in images]
    return [quegan_yu(i, m, sums, core=core) for i, m in zip(images, means, strict=True)]


def ratio_filtered(images: list[Image], *, window: int = 7) -> list[Image]:
    sums = no_sums(images[0].shape)
    for image in images:
        add_intensities(image, sums)
    core = Band(0, images[0].shape[0])
    return [
        ratio_filter(i, sums, window=window, looks=LOOKS, window_pixels=window**2, core=core)
        for i in images
    ]


def enl(image: Image) -> float:
    inner = image[8:-8, 8:-8].astype(np.float64)
    return float(inner.mean() ** 2 / inner.var())


def decibels(ratio: float) -> float:
    return float(10.0 * np.log10(ratio))


def slow_mean(image: Image, row: int, column: int, half: int) -> float:
    """Mean of the valid pixels of one window."""
    part = image[max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1]
    valid = part[np.isfinite(part) & (part > 0)]
    return float(valid.astype(np.float64).mean()) if valid.size else 0.0


@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    half=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40)
def test_window_means_count_valid_pixels_only_and_stop_at_the_edges(
    rows: int, columns: int, half: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    image = generator.gamma(1.0, 1.0, (rows, columns)).astype(np.float32)
    holes = generator.choice([1.0, 0.0, np.nan, -3.0, np.inf], (rows, columns), p=[0.6] + [0.1] * 4)
    image = np.where(holes == 1.0, image, holes).astype(np.float32)
    means = window_means(image, window=2 * half + 1)
    expected = [[slow_mean(image, y, x, half) for x in range(columns)] for y in range(rows)]
    np.testing.assert_allclose(means, expected, rtol=2e-6)


def test_a_bright_target_leaves_no_trace_outside_its_window() -> None:
    """A running sum would keep rounding errors of 1e9 in a dark row."""
    image = np.full((30, 60), 1e-3, np.float32)
    image[15, 20] = 1e9
    means = window_means(image, window=5)
    means[13:18, 18:23] = 1e-3
    np.testing.assert_allclose(means, 1e-3, rtol=1e-6)


def test_a_constant_series_stays_as_it_is() -> None:
    images = [np.full((30, 40), value, np.float32) for value in (0.5, 2.0, 1e-7)]
    for one, other in zip(images, filtered(images), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6)


@pytest.mark.parametrize("window", [3, 7, 11])
def test_looks_follow_the_formula_on_white_speckle(window: int) -> None:
    result = filtered([speckle(k) for k in range(DATES)], window=window)
    expected = LOOKS * DATES * window**2 / (DATES + window**2 - 1)
    assert enl(result[3]) == pytest.approx(expected, rel=0.05)
    assert expected_looks(looks=LOOKS, images=DATES, window_pixels=window**2) == expected


def test_looks_follow_the_formula_on_correlated_speckle() -> None:
    """With the independent pixels of the window that its correlation leaves: var(I) / var(<I>)."""
    generator = np.random.default_rng(9)
    kernel = np.array([0.3, 1.0, 0.3])

    def one() -> Image:
        parts = generator.normal(size=(8, 400, 400))
        parts = convolve1d(convolve1d(parts, kernel, axis=1), kernel, axis=2)
        intensity = (parts**2).mean(axis=0)  # of complex amplitudes: four looks
        return (intensity / intensity.mean()).astype(np.float32)

    images = [one() for _ in range(DATES)]
    inner = images[0][8:-8, 8:-8]
    means = window_means(images[0], window=7)[8:-8, 8:-8]
    independent = float(inner.var() / means.var())
    assert independent < 30.0
    expected = expected_looks(looks=4.0, images=DATES, window_pixels=independent)
    assert enl(filtered(images)[3]) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("method", [filtered, ratio_filtered])
def test_neither_stable_nor_changed_ground_is_biased(method: object) -> None:
    """Half of the scene rises by 5 dB at one date, as a parcel does that is harvested."""
    images = [speckle(k) for k in range(DATES)]
    images[4][:, 200:] *= 10**0.5
    result = method(images)  # type: ignore[operator]
    for date in (0, 4):
        left, right = result[date][:, 8:192], result[date][:, 208:392]
        true = (images[date][:, 8:192].mean(), images[date][:, 208:392].mean())
        assert abs(decibels(left.mean(dtype=float) / true[0])) < 0.02
        assert abs(decibels(right.mean(dtype=float) / true[1])) < 0.1


def test_the_ratio_of_input_and_result_shows_no_structure() -> None:
    """It is speckle alone: mean 1 on dark and bright ground and no change across their edge."""
    scene = np.where(np.arange(400) // 50 % 2, 10.0, 1.0).astype(np.float32)
    images = [speckle(k) * scene for k in range(DATES)]
    ratio = images[2] / filtered(images)[2]
    columns = ratio.mean(axis=0, dtype=float)
    inside = np.arange(400) % 50
    away = (inside > 7) & (inside < 43)
    assert np.abs(columns[away].mean() - 1.0) < 0.02
    bright, dark = columns[away & (scene > 1.0)], columns[away & (scene == 1.0)]
    assert abs(bright.mean() - dark.mean()) < 0.01


def test_the_peak_of_a_stable_target_is_kept() -> None:
    images = [speckle(k, (60, 60)) for k in range(DATES)]
    for image in images:
        image[30, 30] = 1000.0
    for method in (filtered, ratio_filtered):
        peaks = [decibels(image[30, 30] / 1000.0) for image in method(images)]
        # the mean of 48 pixels of ground would move it by 0.3 dB at one date or another
        assert max(map(abs, peaks)) < 0.1


def test_a_change_beside_a_stable_target_is_kept_by_the_ratio() -> None:
    """Next to a target 30 dB above the ground, which makes up most of the local means."""
    images = [speckle(k, (60, 60)) for k in range(DATES)]
    for image in images:
        image[30, 30] = 1000.0
    images[3][30, 32] = 60.0
    result = ratio_filtered(images)
    assert abs(decibels(result[3][30, 32] / 60.0)) < 1.0


def test_no_seam_where_footprints_differ() -> None:
    """Every date lacks another part; the mean is 1 on both sides of every border."""
    images = [speckle(k) for k in range(DATES)]
    for k, image in enumerate(images):
        image[:, : 20 * k] = 0.0
        if k % 2:
            image[200:] = np.nan
    result = filtered(images)
    for k in range(0, 10, 2):
        columns = result[k].mean(axis=0, dtype=float)
        assert (columns[: 20 * k] == 0.0).all()
        assert (result[k][:, 20 * k :] > 0.0).all()
        for border in range(20 * (k + 1), 281, 20):
            left, right = columns[border - 5 : border], columns[border : border + 5]
            # the standard deviation of a mean of 5 x 400 pixels of 35 looks or more is 0.008
            assert abs(left.mean() - right.mean()) < 0.04
        upper, lower = result[k][190:200, 300:], result[k][200:210, 300:]
        assert abs(upper.mean(dtype=float) - lower.mean(dtype=float)) < 0.05


def test_the_first_pixels_inside_a_footprint_are_not_darkened() -> None:
    """A mean over all pixels of the window, valid or not, would halve them."""
    image = np.full((20, 40), 3.0, np.float32)
    image[:, :20] = 0.0
    other = np.full((20, 40), 5.0, np.float32)
    result = filtered([image, other])
    np.testing.assert_allclose(result[0][:, 20:], 3.0, rtol=1e-6)
    np.testing.assert_allclose(result[1], 5.0, rtol=1e-6)


@pytest.mark.parametrize("method", ["quegan", "ratio", "lee"])
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_bands_with_a_halo_give_the_same_bits_as_the_whole(method: str, rows: int) -> None:
    generator = np.random.default_rng(5)
    images = [speckle(k, (150, 83)) for k in range(4)]
    for image in images:
        image[generator.random(image.shape) < 0.1] = 0.0
    whole = np.stack(_filter(method, images, Band(0, 150)))
    pieces = []
    for band in split_rows(150, band_rows=rows):
        top, bottom = max(band.first - 3, 0), min(band.first + band.rows + 3, 150)
        parts = [image[top:bottom] for image in images]
        pieces.append(np.stack(_filter(method, parts, Band(band.first - top, band.rows))))
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def _filter(method: str, images: list[Image], core: Band) -> list[Image]:
    if method == "lee":
        return [lee_filter(i, window=7, looks=np.float32(LOOKS), core=core) for i in images]
    if method == "quegan":
        sums = no_sums((core.rows, images[0].shape[1]))
        means = [add_ratios(i, sums, window=7, core=core) for i in images]
        return [quegan_yu(i, m, sums, core=core) for i, m in zip(images, means, strict=True)]
    sums = no_sums(images[0].shape)
    for image in images:
        add_intensities(image, sums)
    return [
        ratio_filter(i, sums, window=7, looks=LOOKS, window_pixels=49.0, core=core) for i in images
    ]


def test_sums_kept_and_continued_are_the_sums_of_all() -> None:
    images = [speckle(k, (50, 60)) for k in range(6)]
    core = Band(0, 50)
    batch = no_sums((50, 60))
    for image in images:
        add_ratios(image, batch, window=7, core=core)
    first = no_sums((50, 60))
    for image in images[:4]:
        add_ratios(image, first, window=7, core=core)
    later = TemporalSums(first.total.copy(), first.counts.copy())
    for image in images[4:]:
        add_ratios(image, later, window=7, core=core)
    np.testing.assert_array_equal(later.total, batch.total)
    np.testing.assert_array_equal(later.counts, 6.0)


def test_a_change_seen_at_one_date_does_not_show_at_the_others() -> None:
    """Ratio filter: a ship of one date is left out of the others' results by the change mask."""
    images = [speckle(k, (80, 80)) for k in range(DATES)]
    images[3][30:50, 30:50] *= 100.0
    result = ratio_filtered(images)
    ship, sea = result[3][33:47, 33:47].mean(), result[8][33:47, 33:47].mean()
    assert abs(decibels(ship / images[3][33:47, 33:47].mean())) < 0.1
    assert abs(decibels(sea)) < 0.3


def test_a_target_of_one_date_is_mixed_by_quegan_and_yu_and_kept_by_the_ratio() -> None:
    """The formula's own limits for a target far above the ground: N = 15, M = 49."""
    images = [np.ones((40, 40), np.float32) for _ in range(DATES)]
    images[3][20, 20] = 1e6
    mixed, kept = filtered(images), ratio_filtered(images)
    own, trace = (DATES + 49 - 1) / (DATES * 49), 1 + (49 - 1) / DATES
    assert mixed[3][20, 20] / 1e6 == pytest.approx(own, rel=1e-3)
    assert mixed[8][20, 20] == pytest.approx(trace, rel=1e-3)
    assert abs(decibels(kept[3][20, 20] / 1e6)) < 0.2
    assert abs(decibels(kept[8][20, 20])) < 0.2


def test_lee_smooths_speckle_to_the_mean_and_keeps_a_target() -> None:
    image = speckle(1)
    image[200, 200] = 1e4
    result = lee_filter(image, window=7, looks=np.float32(LOOKS))
    assert enl(result[:180]) > 10 * LOOKS
    assert abs(decibels(result[:180].mean(dtype=float) / image[:180].mean(dtype=float))) < 0.02
    assert abs(decibels(result[200, 200] / 1e4)) < 0.5
    flat = np.full((20, 20), 0.3, np.float32)
    np.testing.assert_allclose(lee_filter(flat, window=5, looks=np.float32(1.0)), 0.3, rtol=1e-6)


@pytest.mark.parametrize("missing", [0.0, -9999.0, np.nan])
def test_missing_pixels_stay_missing(missing: float) -> None:
    image = speckle(1, (20, 20))
    image[5, 5] = np.nan
    core = Band(0, 20)
    sums = no_sums((20, 20))
    means = add_ratios(image, sums, window=3, core=core)
    result = quegan_yu(image, means, sums, core=core, missing=missing)
    np.testing.assert_equal(result[5, 5], np.float32(missing))
    assert (np.delete(result.ravel(), 5 * 20 + 5) > 0.0).all()
