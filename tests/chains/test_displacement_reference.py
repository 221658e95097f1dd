"""References in regions that are not connected, on a radar grid over level ground."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.displacement_reference import FoundReference, find_reference
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.engine.bands import Band
from kernels.errors import RequestError
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.terrain import radar_to_terrain
from kernels.insar.unwrapping import Unwrapped
from kernels.model import Dem, Looks
from tests.series import Series

LOOKS = Looks(4, 16)


@pytest.fixture(scope="module")
def opened(tops_series: Series) -> tuple[SwathPair, Dem]:
    request = tops_series.request()
    (pair,) = open_pair(request)
    return pair, load_pair_dem(request, (pair,))


def islands(pair: SwathPair) -> tuple[Unwrapped, NDArray[np.float32]]:
    """Two regions, parted by water: the phase is 1 rad in the larger one and 7 rad in the other."""
    shape = pair.layout.grid.looked(LOOKS).shape
    components = np.ones(shape, np.int32)
    components[:, :12] = 0
    components[:, :8] = 2
    phase = np.where(components == 2, np.float32(7.0), np.float32(1.0))
    coherence = np.full(shape, 0.8, np.float32)
    coherence[components == 0] = 0.125
    return Unwrapped(
        phase=np.where(components > 0, phase, np.float32(np.nan)), components=components
    ), (coherence)


def place(pair: SwathPair, dem: Dem, row: int, column: int) -> str:
    """Longitude and latitude of a cell."""
    grid = pair.layout.grid.looked(LOOKS)
    points = radar_to_terrain(grid, pair.reference_orbit, dem, lines=Band(row, 1))
    longitude, latitude, _ = ecef_to_geodetic(points[0, column])
    return f"{np.degrees(longitude):.6f},{np.degrees(latitude):.6f}"


def find(series: Series, opened: tuple[SwathPair, Dem], **reference: str) -> FoundReference:
    pair, dem = opened
    unwrapped, coherence = islands(pair)
    return find_reference(
        series.request(unwrapping="mcf", **reference),
        unwrapped,
        coherence,
        grid=pair.layout.grid.looked(LOOKS),
        orbit=pair.reference_orbit,
        dem=dem,
    )


def test_without_a_reference_it_is_the_median_of_the_largest_region(
    tops_series: Series, opened: tuple[SwathPair, Dem]
) -> None:
    found = find(tops_series, opened)
    assert found.reference == (1.0, 1)
    assert not found.warnings


def test_a_point_in_another_region_is_used_and_said(
    tops_series: Series, opened: tuple[SwathPair, Dem]
) -> None:
    found = find(tops_series, opened, reference_point=place(*opened, 40, 4))
    assert found.reference == (7.0, 2)
    assert found.description["cells"] == 25
    (line,) = found.warnings
    assert line.startswith("reference_point lies in component 2 of the unwrapped phase, ")
    assert line.endswith(" percent of it; displacement is known there alone")


def test_an_area_over_two_regions_takes_the_larger_share(
    tops_series: Series, opened: tuple[SwathPair, Dem]
) -> None:
    west, south = np.array(place(*opened, 40, 2).split(","), float)
    east, north = np.array(place(*opened, 40, 60).split(","), float)
    area = f"{min(west, east)},{min(south, north)},{max(west, east)},{max(south, north)}"
    found = find(tops_series, opened, reference_area=area)
    assert found.reference == (1.0, 1)
    assert not found.warnings


def test_water_is_no_reference(tops_series: Series, opened: tuple[SwathPair, Dem]) -> None:
    pair, dem = opened
    unwrapped, coherence = islands(pair)
    grid = pair.layout.grid.looked(LOOKS)
    request = tops_series.request(unwrapping="mcf", reference_point=place(pair, dem, 40, 20))
    unwrapped.components[:] = 0
    with pytest.raises(RequestError, match=r"coherence is 0\.80 there"):
        find_reference(
            request, unwrapped, coherence, grid=grid, orbit=pair.reference_orbit, dem=dem
        )
    coherence[:] = np.nan
    with pytest.raises(RequestError, match="where the interferogram has data"):
        find_reference(
            request, unwrapped, coherence, grid=grid, orbit=pair.reference_orbit, dem=dem
        )
