"""Passes over tiles, found in an archive of real products."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernels.chains.tiling_series import TilingSeriesRequest
from kernels.chains.tiling_series.plan import TilePass, plan_series
from kernels.engine.progress import Progress


def passes(
    folder: Path, tiles: tuple[str, ...], day: str
) -> tuple[tuple[TilePass, ...], list[str]]:
    request = TilingSeriesRequest(
        tiles=tiles, first_day=day, last_day=day, products=(folder,), dem=(folder,)
    )
    plan = plan_series(request, Progress())
    return plan.passes, [f"{item.name[-4:]} {item.reason}" for item in plan.left_out]


@pytest.mark.shared_data
def test_a_tile_takes_the_slices_that_touch_it(shared_data: Path) -> None:
    """Two slices on an ascending pass over Germany: a tile of each, and one between them."""
    tiles = ("32UNV", "32UNA", "32UNC")
    found, left_out = passes(shared_data / "grd_slices", tiles, "2015-02-22")
    assert [(one.tile, [name[-4:] for name in one.names]) for one in found] == [
        ("32UNV", ["CEAB"]),
        ("32UNA", ["CEAB", "3768"]),
        ("32UNC", ["3768"]),
    ]
    assert [f"{one.start:%H%M%S}" for one in found] == ["170725", "170725", "170750"]
    assert {(one.relative_orbit, one.direction) for one in found} == {(117, "ascending")}
    assert {one.polarisations for one in found} == {("VV", "VH")}
    assert left_out == []


@pytest.mark.shared_data
def test_of_two_versions_of_a_slice_the_newer_is_taken(shared_data: Path) -> None:
    """One slice over Greece, as processed in 2015 and again in 2016."""
    found, left_out = passes(shared_data / "grd_slices", ("34SFH", "34SGH"), "2015-02-03")
    assert [(one.tile, one.names[0][-4:], len(one.names)) for one in found] == [
        ("34SFH", "6D00", 1),
        ("34SGH", "6D00", 1),
    ]
    (line,) = left_out
    assert line.startswith("FEC3 was left out:")
    assert line.endswith("6D00 is the newest of the same slice")
