"""Bursts on one grid of lines, with holes; swaths on one grid of cells, parted at mid-overlap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.map_grids import geographic_grid, pixel_positions
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.geocode import Geocoder, RadarSums, swath_limits
from kernels.insar.merged import MergedSwaths
from kernels.insar.mosaic import MISSING, first_cell, lay_out
from kernels.model import Burst, GeographicBox, Looks, RadarGrid, Shape
from tests.geometry.scenes import circular_orbit, radar_grid
from tests.insar.scenes import around, level_dem, tops_burst

LINES, CYCLE, SAMPLES = 140, 100, 300
LOOKS = Looks(azimuth=4, range=10)
ORBIT = circular_orbit()


def burst_at(line: int, index: int) -> Burst:
    """A burst whose lines 8 to 131 and samples 20 to 279 are valid."""
    grid = radar_grid(Shape(LINES, SAMPLES)).window(line, 0, Shape(LINES, SAMPLES))
    return replace(tops_burst(grid), index=index)


def test_a_missing_burst_leaves_the_cells_that_no_neighbour_fills() -> None:
    bursts = tuple(burst_at(line, k) for k, line in enumerate((0, CYCLE, 3 * CYCLE)))
    layout = lay_out(bursts, {k: bursts[k] for k in range(3)}, azimuth_looks=LOOKS.azimuth)
    assert [p.burst.index for p in layout.placements] == [0, 1, MISSING, 2]
    hole = layout.placements[2]
    assert hole.partner is None
    # the second burst ends with line 231, the third begins at 308
    assert (hole.start, hole.stop) == (232, 308)
    covered = [line for p in layout.placements for line in range(p.start, p.stop)]
    assert covered == list(range(layout.grid.shape.lines))
    for placement in layout.placements:
        lines = placement.burst.grid.shape.lines
        assert placement.start - placement.origin >= 0
        assert placement.stop - placement.origin <= lines
        start = layout.grid.first_line_time + placement.origin * layout.grid.line_interval
        assert start == pytest.approx(placement.burst.grid.first_line_time, abs=1e-9)
    rows = layout.valid_ranges(LOOKS)
    near, far = (layout.grid.slant_range(float(sample)) for sample in (20, SAMPLES - 21))
    np.testing.assert_allclose(rows[:58], [[near, far]] * 58, atol=1e-6)
    assert np.isnan(rows[58:77]).all()
    assert not np.isnan(rows[77:]).any()


@pytest.mark.parametrize("looks", [1, 3, 7, 32])
@pytest.mark.parametrize("first_line", [0, 2, 5])
def test_holes_end_on_borders_of_cells(looks: int, first_line: int) -> None:
    bursts = tuple(burst_at(line, k) for k, line in enumerate((0, 331, 331 + CYCLE)))
    layout = lay_out(bursts, {0: bursts[0]}, azimuth_looks=looks, first_line=first_line % looks)
    borders = [p.start for p in layout.placements] + [layout.placements[-1].stop]
    assert all(border % looks == 0 for border in borders)
    assert borders[0] == 0
    before, hole, after, _ = layout.placements
    assert hole.burst.index == MISSING
    # every valid line that fills cells is kept
    skipped = first_line % looks
    assert 132 - looks < hole.start + skipped <= 132
    assert 339 <= hole.stop + skipped < 339 + looks
    assert before.stop - before.origin <= LINES
    assert after.start - after.origin >= 8


@pytest.mark.parametrize("lines", [0.0, 17.3, -20.8])
@pytest.mark.parametrize("samples", [150.0, 171.4])
def test_first_cells_continue_those_of_the_other_swath(lines: float, samples: float) -> None:
    cells = radar_grid(Shape(400, SAMPLES))
    moved = replace(
        cells,
        first_line_time=cells.first_line_time + lines * cells.line_interval,
        first_slant_range=cells.first_slant_range + samples * cells.slant_range_spacing,
    )
    skipped = first_cell(moved, cells, LOOKS)
    assert 0 <= skipped.lines < LOOKS.azimuth
    assert 0 <= skipped.samples < LOOKS.range
    for offset, looks in zip(
        (lines + skipped.lines, samples + skipped.samples), LOOKS, strict=True
    ):
        assert abs(offset - looks * round(offset / looks)) <= 0.5 + 1e-6


def swath_at(line: float, sample: float, *, phase: float, rows: int = 60) -> RadarSums:
    """Cells of one phase, valid all over; lines and samples count from those of `radar_grid`."""
    base = radar_grid(Shape(rows * LOOKS.azimuth, SAMPLES))
    grid = replace(
        base,
        first_line_time=base.first_line_time + line * base.line_interval,
        first_slant_range=base.first_slant_range + sample * base.slant_range_spacing,
    )
    edges = grid.slant_range(np.array([0.0, SAMPLES - 1.0]))
    cells = grid.looked(LOOKS)
    sums = np.empty((*cells.shape, 4), np.float32)
    sums[:] = (np.cos(phase), np.sin(phase), 1.0, 1.0)
    return RadarSums(
        grid=cells,
        orbit=ORBIT,
        looks=LOOKS,
        sums=sums,
        valid_ranges=np.tile(edges, (rows, 1)),
    )


def pair_of_swaths() -> tuple[RadarSums, RadarSums]:
    """The second one begins 16.4 lines later; samples 200 to 299 of the first are 0 to 99."""
    return swath_at(0.0, 0.0, phase=0.5), swath_at(16.4, 200.0, phase=1.5)


def test_limits_are_in_the_middle_of_the_overlap() -> None:
    first, second = pair_of_swaths()
    limits = swath_limits((first, second))
    seam = radar_grid(Shape(1, 1)).slant_range(249.5)
    for swath, found, side in ((first, limits[0], 1), (second, limits[1], 0)):
        ends = found[:, side]
        shared = np.isfinite(ends)
        assert shared.sum() == 56
        np.testing.assert_allclose(swath.grid.slant_range(ends[shared]), seam, atol=1e-6)
        assert np.isinf(found[:, 1 - side]).all()


def mapped(swaths: tuple[RadarSums, ...]) -> tuple[np.ndarray, np.ndarray, RadarGrid]:
    """Phases on a map around the swaths, exact slant ranges of its pixels, and a grid."""
    grid = radar_grid(Shape(240, 500))
    longitude, latitude = around(ORBIT, grid)
    dem = level_dem(0.0, west=longitude - 0.25, north=latitude + 0.25, size=0.5)
    reach = 0.03
    box = GeographicBox(longitude - reach, latitude - reach, longitude + reach, latitude + reach)
    found = geographic_grid(box, spacing=2e-4)
    bands = Geocoder.of(found, dem, swaths).compute(Band(0, found.shape.lines))
    rows, columns = np.mgrid[: found.shape.lines, : found.shape.samples].astype(np.float64)
    points = geodetic_to_ecef(*pixel_positions(found, rows, columns), np.zeros(found.shape))
    _, ranges = ground_to_radar(ORBIT, points)
    assert np.array_equal(np.isnan(bands[1]), bands[3] == 0.0)
    return bands[1], ranges, grid


def test_map_pixels_come_from_the_swath_that_reaches_further_beyond_them() -> None:
    swaths = pair_of_swaths()
    phases, ranges, grid = mapped(swaths)
    alone = [mapped((swath,))[0] for swath in swaths]
    both = ~np.isnan(alone[0]) & ~np.isnan(alone[1])
    assert both.sum() > 300
    beyond = ranges - grid.slant_range(249.5)
    expected = np.where(beyond < 0.0, 0.5, 1.5)
    clear = both & (np.abs(beyond) > 0.1)  # [m]: the map's geometry is tabulated
    np.testing.assert_allclose(phases[clear], expected[clear], atol=1e-5)
    # nothing that a swath has is lost
    np.testing.assert_array_equal(np.isnan(phases), np.isnan(alone[0]) & np.isnan(alone[1]))


def test_a_hole_in_a_swath_is_filled_from_its_neighbour() -> None:
    first, second = pair_of_swaths()
    # cells of samples 50 to 99 of the second swath: beyond the seam, still in the first
    second.sums[20:30, :10] = 0.0
    phases, ranges, grid = mapped((first, second))
    alone = mapped((first,))[0]
    taken = (phases < 1.0) & (ranges > grid.slant_range(251.0))
    assert taken.sum() > 50
    assert not (np.isnan(phases) & ~np.isnan(alone)).any()


def test_merged_cells_lie_on_one_grid_and_are_parted_there_too() -> None:
    swaths = pair_of_swaths()
    merged = MergedSwaths.of(swaths)
    assert merged is not None
    assert merged.corners == (Shape(0, 0), Shape(4, 20))
    # the second swath lies 0.4 of a line later than row 4
    np.testing.assert_allclose(merged.remainders, [(0.0, 0.0), (0.4, 0.0)], atol=1e-6)
    assert merged.grid.shape == Shape(64, 50)
    bands = merged.bands(Band(0, 64))
    # the cell of samples 240 to 249 is centred at 244.5, the next one at 254.5
    np.testing.assert_allclose(bands[1, 4:60, :25], 0.5, atol=1e-5)
    np.testing.assert_allclose(bands[1, 4:60, 25:], 1.5, atol=1e-5)
    np.testing.assert_allclose(bands[1, :4, :30], 0.5, atol=1e-5)
    np.testing.assert_allclose(bands[1, 60:, 20:], 1.5, atol=1e-5)
    assert np.isnan(bands[1, :4, 30:]).all()
    assert np.isnan(bands[1, 60:, :20]).all()
    np.testing.assert_array_equal(bands[3] == 0.0, np.isnan(bands[1]))
    parts = [merged.bands(band) for band in (Band(0, 5), Band(5, 30), Band(35, 29))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), bands)


def test_swaths_of_other_spacings_are_not_merged() -> None:
    first, second = pair_of_swaths()
    grid = replace(second.grid, slant_range_spacing=1.001 * second.grid.slant_range_spacing)
    assert MergedSwaths.of((first, replace(second, grid=grid))) is None
