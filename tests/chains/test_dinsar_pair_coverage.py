"""Regions: how they are written, and which bursts of a real frame they touch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair.coverage import bursts_on
from kernels.chains.regions import common_box, read_region
from kernels.errors import RequestError
from kernels.geometry.orbit import Orbit
from kernels.model import GeographicBox, SlcProduct
from kernels.products.sentinel1 import open_sentinel1

SWATHS = ("IW1", "IW2", "IW3")


@pytest.fixture(scope="module")
def frame(shared_data: Path) -> dict[str, tuple[SlcProduct, Orbit]]:
    """Real annotation of a frame over the Alps, and its orbits."""
    (safe,) = shared_data.glob("alps_iw_pair/*20190101*.SAFE")
    product = open_sentinel1(safe)
    images = {swath: product.slc(swath, "VV", need_pixels=False) for swath in SWATHS}
    return {
        swath: (
            image,
            Orbit.fit(
                image.state_vectors,
                start=image.bursts[0].grid.first_line_time,
                stop=image.bursts[-1].grid.first_line_time + 3.1,
            ),
        )
        for swath, image in images.items()
    }


def touched(frame: dict[str, tuple[SlcProduct, Orbit]], region: GeographicBox) -> dict[str, list]:
    return {
        swath: [burst.index for burst in bursts_on(image, image.bursts, orbit, region)]
        for swath, (image, orbit) in frame.items()
    }


def tie_point(image: SlcProduct, burst: int, share: float) -> tuple[float, float]:
    """Annotated place of a tie point in the first line of a burst, somewhere in range."""
    tie = image.geolocation
    lines = np.unique(tie.lines)
    row = lines[np.argmin(np.abs(lines - image.bursts[burst].first_line))]
    (points,) = np.nonzero(tie.lines == row)
    point = points[round(share * (points.size - 1))]
    return float(tie.longitudes[point]), float(tie.latitudes[point])


def box(longitude: float, latitude: float, reach: float) -> GeographicBox:
    return GeographicBox(longitude - reach, latitude - reach, longitude + reach, latitude + reach)


@pytest.mark.shared_data
@pytest.mark.parametrize("swath", SWATHS)
@pytest.mark.parametrize("burst", [1, 4, 7])
def test_a_place_lies_on_the_bursts_that_the_annotation_puts_it_on(
    swath: str, burst: int, frame: dict[str, tuple[SlcProduct, Orbit]]
) -> None:
    """The first lines of a burst are not valid: the burst before has their ground."""
    place = tie_point(frame[swath][0], burst, 0.5)
    found = touched(frame, box(*place, 0.0005))
    assert found.pop(swath) == [burst - 1]
    assert not any(found.values())
    # 40 lines of 14 m on: both have it
    assert touched(frame, box(*place, 0.006))[swath] == [burst - 1, burst]


@pytest.mark.shared_data
def test_a_place_in_the_overlap_of_swaths_is_on_both(
    frame: dict[str, tuple[SlcProduct, Orbit]],
) -> None:
    found = touched(frame, box(*tie_point(frame["IW2"][0], 4, 0.0), 0.02))
    assert found["IW1"]
    assert found["IW2"] == [3, 4]
    assert not found["IW3"]


@pytest.mark.shared_data
def test_regions_without_bursts_and_with_all(frame: dict[str, tuple[SlcProduct, Orbit]]) -> None:
    assert not any(touched(frame, GeographicBox(20.0, 46.0, 21.0, 47.0)).values())
    # west of the first burst, but east of the last one: the pass is ascending
    west, _ = tie_point(frame["IW1"][0], 8, 0.0)
    east, latitude = tie_point(frame["IW1"][0], 0, 0.0)
    assert west + 0.3 < east
    assert not any(touched(frame, box(west + 0.02, latitude, 0.01)).values())
    everything = touched(frame, GeographicBox(-180.0, -90.0, 180.0, 90.0))
    assert all(len(bursts) == len(frame[swath][0].bursts) for swath, bursts in everything.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1,2,3,4.5", (-1.0, 2.0, 3.0, 4.5)),
        (" 179, -10, -179, 10 ", (179.0, -10.0, 181.0, 10.0)),
    ],
)
def test_regions_are_four_numbers(text: str, expected: tuple[float, ...]) -> None:
    assert read_region(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "1,3,2,3",
        "1,4,2,3",
        "190,0,1,1",
        "1,0,1,1",
        "0,-91,1,1",
        "nan,0,1,1",
        "0,0,1,inf",
    ],
)
def test_what_is_no_region_is_told(text: str) -> None:
    with pytest.raises(RequestError, match="region must be west,south,east,north in degrees"):
        read_region(text)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 2, 2), (1, 1, 3, 3), (1, 1, 2, 2)),
        ((0, 0, 2, 2), (2, 0, 3, 2), None),
        ((179, 0, 182, 1), (-179.5, 0, -178.5, 1), (180.5, 0, 181.5, 1)),
        ((-181, 0, -179, 1), (179.5, 0, 180.5, 1), (-180.5, 0, -179.5, 1)),
    ],
)
def test_common_boxes_take_the_longitudes_of_the_first(
    one: tuple[float, ...], other: tuple[float, ...], expected: tuple[float, ...] | None
) -> None:
    assert common_box(GeographicBox(*one), GeographicBox(*other)) == expected
