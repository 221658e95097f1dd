"""Samples of slant ranges: against the conversion records themselves, inside and outside."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from kernels.model import GroundRangeGrid, GroundRangeRecord, Shape
from kernels.radiometry.range_tables import RangeTables
from tests.geometry.scenes import EPOCH, radar_grid

RECORD_LINES = (-310.0, 121.5, 130.25, 700.0)
SHAPE = Shape(900, 26_000)


def wide_grid() -> GroundRangeGrid:
    """Ground range of a wide swath over a sphere seen from 700 km, and a little apart per record.

    Fitted to ``sqrt(h**2 + 4 R (R + h) sin(g / 2R)**2)`` at ground ranges about the middle.
    """
    ground = np.linspace(0.0, SHAPE.samples * 10.0, 200)
    radius, height = 6_371e3, 700e3
    records = []
    for k, line in enumerate(RECORD_LINES):
        angle = (ground + 360e3 + 40.0 * k) / (2.0 * radius)
        ranges = np.sqrt(height**2 + 4.0 * radius * (radius + height) * np.sin(angle) ** 2)
        scaled = np.polynomial.Polynomial.fit(ground, ranges, 8).convert()
        records.append(
            GroundRangeRecord(
                azimuth_time=0.7 + line * 0.0015,
                slant_range_origin=0.0,
                slant_to_ground=(0.0,),
                ground_range_origin=0.0,
                ground_to_slant=tuple(scaled.coef),
            )
        )
    return GroundRangeGrid(
        epoch=EPOCH,
        first_line_time=0.7,
        line_interval=0.0015,
        shape=SHAPE,
        wavelength=0.0555,
        ground_range_spacing=10.0,
        records=tuple(records),
    )


def ranges_of(record: GroundRangeRecord, samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return polynomial.polyval(samples * 10.0, record.ground_to_slant)


def test_records_are_inverted_on_their_lines() -> None:
    grid = wide_grid()
    tables = RangeTables.of(grid)
    samples = np.linspace(0.0, SHAPE.samples - 1.0, 1001)
    for line, record in zip(RECORD_LINES, grid.records, strict=True):
        found = tables.samples(np.full(samples.shape, line), ranges_of(record, samples))
        np.testing.assert_allclose(found, samples, rtol=0, atol=1e-3)


def test_between_records_samples_are_linear_in_time_and_at_the_ends_constant() -> None:
    grid = wide_grid()
    tables = RangeTables.of(grid)
    lines = np.concatenate([np.linspace(-800.0, 1500.0, 461), np.linspace(1500.0, -800.0, 77)])
    ranges = np.full(lines.shape, tables.middle)
    of_records = tables.samples(np.array(RECORD_LINES), np.full(4, tables.middle))
    assert np.ptp(of_records) > 5.0
    expected = np.interp(lines, RECORD_LINES, of_records)
    np.testing.assert_allclose(tables.samples(lines, ranges), expected, rtol=0, atol=1e-6)


def test_a_place_does_not_depend_on_its_neighbours() -> None:
    tables = RangeTables.of(wide_grid())
    generator = np.random.default_rng(5)
    lines = generator.uniform(-500.0, 1200.0, (40, 33))
    ranges = tables.middle + tables.half * generator.uniform(-1.3, 1.3, lines.shape)
    whole = tables.samples(lines, ranges)
    for i, j in ((0, 0), (7, 30), (39, 32)):
        assert tables.samples(lines[i : i + 1, j], ranges[i : i + 1, j])[0] == whole[i, j]
    np.testing.assert_array_equal(tables.samples(lines[:, 5:9], ranges[:, 5:9]), whole[:, 5:9])


def test_outside_the_swath_samples_go_on_growing() -> None:
    tables = RangeTables.of(wide_grid())
    ranges = tables.middle + tables.half * np.linspace(-8.0, 8.0, 4001)
    found = tables.samples(np.full(ranges.shape, 300.0), ranges)
    steps = np.diff(found)
    assert (steps > 0.0).all()
    assert steps.max() < 3.0 * steps.min()


def test_unknown_places_stay_unknown() -> None:
    tables = RangeTables.of(wide_grid())
    lines = np.array([np.nan, 5.0, 5.0, np.nan])
    ranges = np.array([tables.middle, np.nan, tables.middle, np.nan])
    found = tables.samples(lines, ranges)
    np.testing.assert_array_equal(np.isnan(found), [True, True, False, True])


@pytest.mark.parametrize("line", [-1e4, 0.0, 17.3, 1e4])
def test_slant_range_is_a_conversion_with_one_record(line: float) -> None:
    grid = radar_grid(Shape(400, 3000))
    ranges = grid.first_slant_range + np.linspace(-50e3, 80e3, 501)
    found = RangeTables.of(grid).samples(np.full(ranges.shape, line), ranges)
    np.testing.assert_allclose(found, grid.sample(ranges), rtol=0, atol=1e-6)
