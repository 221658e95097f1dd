"""Windows of bursts, against the whole bursts and against the definition of their Doppler."""

from dataclasses import replace

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.insar.adjustment import Adjustment, Plane
from kernels.insar.burst_pair import BurstPair
from kernels.insar.deramp import AzimuthRamp
from kernels.insar.look_sums import LookSums
from kernels.insar.mosaic import lay_out
from kernels.insar.overlaps import (
    CELL,
    OverlapCells,
    Window,
    WindowPair,
    burst_overlap,
    cell_centres,
    swath_overlap,
)
from tests.geometry.scenes import circular_orbit, radar_grid
from tests.insar.scenes import SHAPE, PlaneWavePair, around, level_dem, plane_wave_pair, tops_burst

WINDOW = Window(lines=Band(40, 48), samples=Band(160, 512))
ADJUSTMENT = Adjustment(lines=Plane(0.02, 1e-4, -2e-6), samples=Plane(0.1, 0.0, 1e-5), phase=0.4)


@pytest.fixture(scope="module")
def scene() -> PlaneWavePair:
    longitude, latitude = around(circular_orbit(), radar_grid(SHAPE))
    return plane_wave_pair(level_dem(250.0, west=longitude - 0.1, north=latitude + 0.1, size=0.2))


@pytest.fixture(scope="module")
def window(scene: PlaneWavePair) -> WindowPair:
    return WindowPair.of(
        WINDOW,
        reference=scene.reference,
        reference_orbit=scene.reference_orbit,
        secondary=scene.secondary,
        secondary_orbit=scene.secondary_orbit,
        dem=scene.dem,
        taps=12,
        adjustment=ADJUSTMENT,
    )


def test_a_window_gives_the_sums_of_the_whole_burst(
    scene: PlaneWavePair, window: WindowPair
) -> None:
    whole = BurstPair.of(
        reference=scene.reference,
        reference_orbit=scene.reference_orbit,
        secondary=scene.secondary,
        secondary_orbit=scene.secondary_orbit,
        dem=scene.dem,
        taps=12,
        adjustment=ADJUSTMENT,
    )
    needed = whole.secondary_lines(WINDOW.lines)
    part = slice(40, 88)
    expected = whole.compute(
        WINDOW.lines,
        scene.reference_pixels[part],
        scene.secondary_pixels[needed.first : needed.first + needed.rows],
        CELL,
    )
    own = window.pair.secondary_lines(Band(0, 48))
    first, columns = window.secondary_samples
    assert columns < scene.secondary.grid.shape.samples
    found = window.pair.compute(
        Band(0, 48),
        np.ascontiguousarray(scene.reference_pixels[part, 160:672]),
        np.ascontiguousarray(
            scene.secondary_pixels[own.first : own.first + own.rows, first : first + columns]
        ),
        CELL,
    )
    same = slice(160 // CELL.range, 672 // CELL.range)
    np.testing.assert_array_equal(found.counts, expected.counts[:, same])
    assert (found.counts == CELL.azimuth * CELL.range).all()
    # geometry is tabulated on other nodes
    ratio = found.cross / expected.cross[:, same]
    np.testing.assert_allclose(ratio, 1.0, atol=2e-4)


def test_doppler_is_the_slope_of_the_ramp_that_images_carry(
    scene: PlaneWavePair, window: WindowPair
) -> None:
    lines, samples = np.array([0.0, 20.0, 47.0]), np.array([3.0, 250.0, 511.0])
    found = window.doppler(lines, samples)
    slopes = []
    central = window.pair.coregistration.line_offsets[1]
    for burst, orbit, down, across in (
        (scene.reference, scene.reference_orbit, 40.0, 160.0),
        (
            scene.secondary,
            scene.secondary_orbit,
            central,
            float(
                np.median(window.pair.coregistration.polynomials.coefficients[:, :, 3, 0])
                + window.secondary_samples.first
            ),
        ),
    ):
        ramp = AzimuthRamp.of(burst, orbit)
        y, x = np.meshgrid(lines + down, samples + across, indexing="ij")
        cycles = ramp.cycles(y + 0.5, x) - ramp.cycles(y - 0.5, x)
        slopes.append(-cycles / ramp.line_interval)  # a quadratic: the difference is exact
    np.testing.assert_allclose(found, np.mean(slopes, axis=0), atol=1e-6)  # [Hz]


def test_overlaps_are_the_same_instants_and_ranges() -> None:
    grid = radar_grid(SHAPE)
    late = replace(grid, first_line_time=grid.first_line_time + 80 * grid.line_interval)
    far = replace(
        grid,
        first_line_time=grid.first_line_time + 37 * grid.line_interval,
        first_slant_range=grid.first_slant_range + 700 * grid.slant_range_spacing,
    )
    bursts = tops_burst(grid), replace(tops_burst(late), index=1)
    near_layout = lay_out(bursts, {0: bursts[0], 1: bursts[1]}, azimuth_looks=4)
    far_layout = lay_out((tops_burst(far),), {0: tops_burst(far)}, azimuth_looks=4)
    pieces = (*near_layout.placements, *far_layout.placements)
    along = burst_overlap(pieces[0], pieces[1])
    across = swath_overlap(pieces[1], pieces[2], near_layout, far_layout)
    assert along is not None
    assert across is not None
    # 140 - 80 shared lines, 16 of them without signal; 900 - 700 samples, 40 without, 16 spare
    assert along[0].lines.rows == 40
    assert across[0].samples.rows == 128
    for first, second, (one, other) in (
        (pieces[0], pieces[1], along),
        (pieces[1], pieces[2], across),
    ):
        ours = first.burst.grid.window(one.lines.first, one.samples.first, SHAPE)
        theirs = second.burst.grid.window(other.lines.first, other.samples.first, SHAPE)
        assert (one.lines.rows, one.samples.rows) == (other.lines.rows, other.samples.rows)
        assert ours.first_line_time == pytest.approx(theirs.first_line_time, abs=1e-9)
        assert ours.first_slant_range == pytest.approx(theirs.first_slant_range, abs=1e-6)
        assert (first.burst.first_valid_sample[one.lines.first :][: one.lines.rows] >= 0).all()
        assert (second.burst.first_valid_sample[other.lines.first :][: other.lines.rows] >= 0).all()


def test_bursts_that_only_touch_share_nothing() -> None:
    grid = radar_grid(SHAPE)
    late = replace(grid, first_line_time=grid.first_line_time + 124 * grid.line_interval)
    bursts = tops_burst(grid), replace(tops_burst(late), index=1)
    layout = lay_out(bursts, {0: bursts[0], 1: bursts[1]}, azimuth_looks=4)
    assert burst_overlap(*layout.placements) is None


def test_a_shift_and_a_constant_are_taken_out_of_cells() -> None:
    levers = np.linspace(60.0, 64.0, 50)
    phases = np.angle(np.exp(1j * (0.04 * levers + 1.5)))
    seen = OverlapCells(
        phases=phases,
        levers=levers,
        coherences=np.full(50, 0.9),
        variances=np.full(50, 1e-3),
        frequencies=levers,
    )
    left = seen.less(0.04, 1.2)
    np.testing.assert_allclose(left.phases, 0.3, atol=1e-9)
    assert left.mean_phase == pytest.approx(0.3)
    assert np.isnan(seen.where(np.zeros(50, np.bool_)).mean_phase)


def test_cells_without_data_or_finite_values_are_not_compared() -> None:
    sums = [LookSums.zeros(1, 4) for _ in range(2)]
    for one in sums:
        one.cross[:], one.reference_power[:], one.secondary_power[:] = 200.0, 256.0, 256.0
        one.counts[:] = CELL.azimuth * CELL.range
    sums[0].counts[0, 1] -= 1
    sums[1].cross[0, 2] = sums[1].reference_power[0, 2] = np.inf
    found = OverlapCells.of(sums[0], sums[1], np.full((1, 4), 4800.0), 0.002)
    np.testing.assert_allclose(found.phases, [0.0, 0.0])
    np.testing.assert_allclose(found.coherences, 200.0 / 256.0)
    np.testing.assert_allclose(found.levers, 2.0 * np.pi * 4800.0 * 0.002)


def test_centres_lie_between_pixels() -> None:
    np.testing.assert_array_equal(cell_centres(3, 4), [1.5, 5.5, 9.5])
