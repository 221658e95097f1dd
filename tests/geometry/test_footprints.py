"""Footprints that are far apart are told apart without a map projection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.geometry.footprints import may_touch
from kernels.geometry.mgrs import tile_outline, tiles_touched

SWATH = np.array([[-1.4, -0.8], [1.4, -0.4], [1.4, 0.8], [-1.4, 0.4]])


@given(
    longitude=st.floats(-180.0, 180.0),
    latitude=st.floats(-70.0, 75.0),
    size=st.floats(0.05, 2.0),
)
def test_no_tile_that_is_touched_is_passed_over(
    longitude: float, latitude: float, size: float
) -> None:
    ring = size * SWATH + [longitude, latitude]
    ring[:, 0] = (ring[:, 0] + 180.0) % 360.0 - 180.0
    assert all(may_touch(ring, tile_outline(tile.name)) for tile in tiles_touched(ring))


@pytest.mark.parametrize(
    ("place", "touches"),
    [
        ((2.0, 44.0), True),
        ((4.0, 44.0), True),
        ((6.5, 44.0), False),
        ((2.0, 47.0), False),
        ((-178.0, 44.0), False),
        ((2.0, -44.0), False),
    ],
)
def test_distance_counts(place: tuple[float, float], touches: bool) -> None:
    """Half diagonals: 1.2 degrees of the footprint, 0.7 of the tile, which lies at 1.8, 43.8."""
    assert may_touch(SWATH + place, tile_outline("31TDJ")) is touches


def test_the_antimeridian_is_no_border() -> None:
    east, west = (SWATH + np.array([longitude, 10.0]) for longitude in (179.5, -179.5))
    assert may_touch(east, west)
