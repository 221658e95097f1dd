"""Tiles of Sentinel-2 against ESA's published corners, and coverage against counted points."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.geometry.mgrs import (
    all_tiles,
    is_tile,
    tile_corner,
    tile_grid,
    tile_outline,
    tiles_touched,
)
from kernels.model import GeographicBox, MapGrid, Shape

PIXEL = 100.0 / 109_800.0**2
"""Fraction of a tile that one pixel of 10 m is."""

# ESA's list of tiles: EPSG code, easting and northing of the outer north-west corner [m]
PUBLISHED = [
    # both hemispheres, left and right of central meridians
    ("31TDJ", 32631, 399960, 4900020),
    ("31TCJ", 32631, 300000, 4900020),
    ("31TGL", 32631, 699960, 5100000),
    ("31UDQ", 32631, 399960, 5500020),
    ("30UXC", 32630, 600000, 5800020),
    ("32TQM", 32632, 699960, 4700040),
    ("33TTG", 32633, 199980, 4700040),
    ("33UUU", 32633, 300000, 5900040),
    ("33STA", 32633, 199980, 4100040),
    ("32TLR", 32632, 300000, 5100000),
    ("29SMC", 32629, 399960, 4300020),
    ("28RCS", 32628, 300000, 3200040),
    ("26SLG", 32626, 300000, 4200000),
    ("27WVM", 32627, 399960, 7200000),
    ("22WEB", 32622, 499980, 7700040),
    ("36RUU", 32636, 300000, 3400020),
    ("43RFM", 32643, 600000, 3200040),
    ("44PLV", 32644, 300000, 1500000),
    ("54SUE", 32654, 300000, 4000020),
    ("50SMJ", 32650, 399960, 4400040),
    ("10SEG", 32610, 499980, 4200000),
    ("18TWL", 32618, 499980, 4600020),
    ("15RYP", 32615, 699960, 3400020),
    ("04QFJ", 32604, 600000, 2400000),
    ("40KCB", 32740, 300000, 7700020),
    ("38KQB", 32738, 699960, 7700020),
    ("34HBH", 32734, 199980, 6300040),
    ("48MXU", 32748, 600000, 9400000),
    ("56HLH", 32756, 300000, 6300040),
    ("59GLM", 32759, 300000, 5200000),
    ("23KPQ", 32723, 600000, 7500040),
    ("19HCC", 32719, 300000, 6300040),
    ("21FUC", 32721, 300000, 4300000),
    ("58LDH", 32758, 399960, 8300020),
    # along the equator
    ("31NGF", 32631, 699960, 600000),
    ("48NUG", 32648, 300000, 200040),
    ("31MGU", 32731, 699960, 9900040),
    ("37MBU", 32737, 199980, 9900040),
    ("20MRD", 32720, 799980, 9900040),
    ("17MQU", 32717, 699960, 9900040),
    # wide zones of Norway and Svalbard
    ("32VKM", 32632, 199980, 6700020),
    ("32VNM", 32632, 499980, 6700020),
    ("33XWG", 32633, 499980, 8700000),
    ("31XFL", 32631, 600000, 9100020),
    ("37XDP", 32637, 399960, 9400020),
    # on both sides of the antimeridian
    ("01KAB", 32701, 99960, 8200000),
    ("60KXF", 32760, 600000, 8100040),
    ("60GUA", 32760, 300000, 5600020),
    ("60WWV", 32660, 499980, 7500000),
    ("01WCV", 32601, 300000, 8000040),
    ("01CCV", 32701, 300000, 2000020),
    ("60CWU", 32760, 499980, 1400020),
]

# longitude, latitude [degrees] of places, and the tile that they are known to lie in
PLACES = [
    ("31TCJ", 1.444, 43.605),  # Toulouse
    ("31UDQ", 2.352, 48.857),  # Paris
    ("40KCB", 55.448, -20.879),  # Saint-Denis, La Reunion
    ("54SUE", 139.692, 35.690),  # Tokyo
    ("56HLH", 151.209, -33.868),  # Sydney
    ("18TWL", -74.006, 40.713),  # New York
    ("10SEG", -122.419, 37.775),  # San Francisco
    ("23KPQ", -43.209, -22.911),  # Rio de Janeiro
    ("33XWG", 15.635, 78.223),  # Longyearbyen
]


@pytest.mark.parametrize(("name", "epsg", "west", "north"), PUBLISHED)
def test_published_corners(name: str, epsg: int, west: int, north: int) -> None:
    assert tile_corner(name) == (f"EPSG:{epsg}", west, north)
    assert tile_grid(name) == MapGrid(
        crs=f"EPSG:{epsg}",
        west=west,
        north=north,
        x_spacing=10.0,
        y_spacing=10.0,
        shape=Shape(10980, 10980),
    )


@pytest.mark.parametrize(("name", "longitude", "latitude"), PLACES)
def test_places_lie_in_their_tiles(name: str, longitude: float, latitude: float) -> None:
    crs, west, north = tile_corner(name)
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        longitude, latitude
    )
    assert west < x < west + 109_800.0
    assert north - 109_800.0 < y < north
    triangle = np.array([(-0.01, -0.01), (0.01, -0.01), (0.0, 0.01)])
    assert name in dict(tiles_touched(triangle + np.array([longitude, latitude])))


@pytest.mark.parametrize(("spacing", "pixels"), [(10.0, 10980), (20.0, 5490), (60.0, 1830),
                                                 (40.0, 2745), (2.5, 43920)])  # fmt: skip
def test_spacing(spacing: float, pixels: int) -> None:
    grid = tile_grid("31TDJ", spacing)
    assert grid.shape == (pixels, pixels)
    assert grid.geotransform == (399960.0, spacing, 0.0, 4900020.0, 0.0, -spacing)


@pytest.mark.parametrize("spacing", [0.0, -10.0, 7.0, 50.001, 219_600.0, np.nan, np.inf])
def test_spacing_that_does_not_divide_a_tile(spacing: float) -> None:
    with pytest.raises(RequestError, match="spacing must be a divisor of 109800 m"):
        tile_grid("31TDJ", spacing)


@pytest.mark.parametrize(
    "name", ["", "31TD", "31TDJ ", "T31TDJ", "31tdj", "00TDJ", "61TDJ", "1TDJ", "31IDJ", "31TOJ",
             "31TDW", "31BDJ", "31YDJ", "3१TDJ", "31TDJ\n"]
)  # fmt: skip
def test_malformed_names(name: str) -> None:
    assert not is_tile(name)
    with pytest.raises(RequestError, match=r"^tile must be a tile name: zone 01 to 60"):
        tile_corner(name)


# a column letter of another zone; a row letter that the band does not hold; squares that touch
# their zone but are no tiles; what Norway and Svalbard took from zones 31, 32 and 34
@pytest.mark.parametrize("name", ["31TKJ", "31TDA", "31TBJ", "33UTQ", "31VGE", "32XNG", "34XEG"])
def test_squares_that_are_no_tiles(name: str) -> None:
    assert not is_tile(name)
    with pytest.raises(RequestError, match="tile of the Sentinel-2 grid") as caught:
        tile_grid(name)
    assert str(pickle.loads(pickle.dumps(caught.value))).endswith(f"got {name}")


def test_all_tiles() -> None:
    names = all_tiles()
    assert len(names) == 56_686  # in ESA's list, which holds 298 of them twice
    assert names == tuple(sorted(set(names)))
    assert all(is_tile(name) for name in names)
    corners = {tile_corner(name) for name in names}
    assert len(corners) == len(names)


@pytest.mark.shared_data
def test_every_land_tile_to_the_metre(shared_data: Path) -> None:
    land = land_tiles(shared_data)
    assert len(land) == 20_430
    for name, (epsg, bounds) in land.items():
        grid = tile_grid(name)
        south = grid.north - grid.shape.lines * grid.y_spacing
        east = grid.west + grid.shape.samples * grid.x_spacing
        assert (grid.crs, (grid.west, south, east, grid.north)) == (f"EPSG:{epsg}", bounds)


@pytest.mark.shared_data
def test_the_list_is_that_of_land_and_sea(shared_data: Path) -> None:
    land = set(land_tiles(shared_data))
    assert land <= set(all_tiles())
    assert len(set(all_tiles()) - land) == 36_256  # squares of sea
    # far from any sea both lists name the same tiles
    count = 0
    for box in [
        GeographicBox(7, 48, 35, 52),  # central Europe
        GeographicBox(66, 46, 94, 54),  # Kazakhstan
        GeographicBox(-4, 19, 29, 27),  # Sahara
        GeographicBox(-69, -11, -51, -1),  # Amazon
        GeographicBox(121, -29, 139, -21),  # Australia
        GeographicBox(-114, 51, -101, 57),  # Canada
    ]:
        inner = {name for name, fraction in tiles_touched(box) if fraction > 0.5}
        assert inner <= land
        count += len(inner)
    assert count > 1000


def land_tiles(shared_data: Path) -> dict[str, tuple[int, tuple[float, ...]]]:
    """EPSG code and bounds (west, south, east, north) of every tile that holds land."""
    from pyarrow import parquet  # noqa: PLC0415

    table = parquet.read_table(
        shared_data / "s2grid" / "sentinel-2-grid_LAND.parquet",
        columns=["tile", "epsg", "utm_bounds"],
    )
    return {
        row["tile"]: (row["epsg"], tuple(float(v) for v in row["utm_bounds"][1:-1].split(",")))
        for row in table.to_pylist()
    }


tiles = st.sampled_from(all_tiles())


@given(name=tiles)
def test_a_tile_covers_itself(name: str) -> None:
    # less than a pixel is lost
    assert dict(tiles_touched(tile_outline(name)))[name] == pytest.approx(1.0, abs=PIXEL)


@given(name=tiles, west=st.floats(0.0, 0.4), north=st.floats(0.0, 0.4), side=st.floats(0.1, 0.6))
def test_a_part_of_a_tile(name: str, west: float, north: float, side: float) -> None:
    crs, left, top = tile_corner(name)
    steps = np.linspace(0.0, side, 20, endpoint=False)
    x = np.concatenate([steps, np.full(20, side), side - steps, np.zeros(20)])
    y = np.roll(x, 20)  # from the south-west corner, clockwise
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    ring = np.column_stack(
        to_degrees.transform(left + (west + x) * 109_800, top - (north + y) * 109_800)
    )
    assert dict(tiles_touched(ring))[name] == pytest.approx(side**2, abs=PIXEL)


def test_overlap_within_a_zone() -> None:
    touched = dict(tiles_touched(tile_outline("31TDJ")))
    # from the published corners: the next column begins at 499980, the next row ends at 4790220
    # and 5000040 - 109800
    east, south, north = 399960 + 109800 - 499980, 4800000 - 4790220, 4900020 - 4890240
    assert touched["31TEJ"] == pytest.approx(east / 109_800, abs=PIXEL)
    assert touched["31TDH"] == pytest.approx(south / 109_800, abs=PIXEL)
    assert touched["31TDK"] == pytest.approx(north / 109_800, abs=PIXEL)
    assert touched["31TEK"] == pytest.approx(east * north / 109_800**2, abs=PIXEL)


def counted(box: GeographicBox, name: str) -> float:
    """Share of the centres of 183 x 183 cells of a tile that lie in a box."""
    crs, west, north = tile_corner(name)
    centres = (np.arange(183) + 0.5) * 600.0
    x, y = np.meshgrid(west + centres, north - centres)
    longitude, latitude = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(
        x, y
    )
    east = (longitude - box.west) % 360.0 <= box.east - box.west
    return float(np.mean(east & (latitude >= box.south) & (latitude <= box.north)))


BOXES = {
    "two zones": (GeographicBox(5.2, 45.1, 6.9, 46.4), (31, 32)),
    "equator": (GeographicBox(-60.6, -0.7, -59.3, 0.9), (20, 21)),
    "antimeridian, south": (GeographicBox(179.1, -17.4, 181.2, -16.1), (60, 1)),
    "antimeridian, north": (GeographicBox(-181.0, 70.2, -177.5, 71.6), (60, 1)),
    "Svalbard": (GeographicBox(18.0, 78.2, 23.5, 79.3), (33, 35)),
    "Norway": (GeographicBox(2.2, 60.1, 4.1, 61.3), (31, 32)),
    "Antarctica": (GeographicBox(166.0, -78.4, 172.0, -77.2), (58, 59)),
}


@pytest.mark.parametrize("case", BOXES)
def test_boxes_against_counted_points(case: str) -> None:
    box, zones = BOXES[case]
    touched = dict(tiles_touched(box))
    assert {int(name[:2]) for name in touched} >= set(zones)
    middle = 0.5 * (box.south + box.north)
    near = [name for name in all_tiles() if int(name[:2]) in zones and close(name, middle)]
    assert set(near) & set(touched)
    for name in {*near, *touched}:
        # a border of 110 km crosses 183 cells, each of which is counted or not
        assert touched.get(name, 0.0) == pytest.approx(counted(box, name), abs=2.0 / 183)


def close(name: str, latitude: float) -> bool:
    """Whether a tile lies within 3 degrees of a parallel."""
    _, _, north = tile_corner(name)
    metres = north - (1e7 if name[2] < "N" else 0.0) - 54_900.0
    return abs(metres / 110_900.0 - latitude) < 3.0


def test_edges_of_rings_are_geodesics() -> None:
    corners = [(5.0, 44.0), (9.5, 45.0), (9.0, 47.0), (4.0, 46.0)]
    dense = []
    for begin, end in zip(corners, corners[1:] + corners[:1], strict=True):
        dense += [begin, *pyproj.Geod(ellps="WGS84").npts(*begin, *end, 60)]
    few, many = dict(tiles_touched(np.array(corners))), dict(tiles_touched(np.array(dense)))
    assert few.keys() == many.keys()
    for name, fraction in many.items():
        assert few[name] == pytest.approx(fraction, abs=2e-4)  # 20 m of 110 km


SCENE = np.array([(177.6, -17.3), (179.9, -16.9), (-179.6, -18.4), (178.0, -18.9)])


def test_a_ring_may_begin_anywhere_and_turn_either_way() -> None:
    expected = dict(tiles_touched(SCENE))
    assert {name[:2] for name in expected} == {"60", "01"}
    shifted = SCENE + np.array([(360.0, 0.0), (0.0, 0.0), (360.0, 0.0), (0.0, 0.0)])
    for ring in (SCENE[::-1], np.roll(SCENE, 2, axis=0), np.vstack([SCENE, SCENE[:1]]), shifted):
        found = dict(tiles_touched(ring))
        assert found == pytest.approx(expected, abs=1e-9)


def test_a_belt_around_the_earth_touches_every_zone() -> None:
    found = tiles_touched(GeographicBox(-180.0, 10.0, 180.0, 10.01))
    assert {int(name[:2]) for name, _ in found} == set(range(1, 61))


def test_nothing_beyond_the_grid() -> None:
    assert tiles_touched(GeographicBox(0.0, 86.0, 10.0, 89.0)) == ()


@pytest.mark.parametrize(
    ("footprint", "rule"),
    [
        (np.zeros((2, 2)), "3 or more pairs"),
        (np.zeros((4, 3)), "3 or more pairs"),
        (np.zeros(6), "3 or more pairs"),
        (np.array([(0.0, 0.0), (1.0, np.nan), (1.0, 1.0)]), "finite, with latitudes"),
        (np.array([(0.0, 0.0), (np.inf, 1.0), (1.0, 1.0)]), "finite, with latitudes"),
        (np.array([(0.0, 89.0), (1.0, 91.0), (1.0, 89.0)]), "finite, with latitudes"),
        (np.array([(0.0, 80.0), (120.0, 80.0), (-120.0, 80.0)]), "holds no pole"),
        (GeographicBox(1.0, 0.0, 0.0, 1.0), "west below east"),
        (GeographicBox(0.0, 1.0, 1.0, 1.0), "south below north"),
        (GeographicBox(0.0, 0.0, np.nan, 1.0), "west below east"),
        (GeographicBox(0.0, 0.0, 361.0, 1.0), "west below east"),
    ],
)
def test_footprints_that_are_none(
    footprint: NDArray[np.float64] | GeographicBox, rule: str
) -> None:
    with pytest.raises(RequestError, match=f"footprint must be .*{rule}"):
        tiles_touched(footprint)


def neighbours(name: str) -> tuple[str, ...]:
    """Other tiles that share ground with a tile."""
    return tuple(tile.name for tile in tiles_touched(tile_outline(name)) if tile.name != name)


def test_neighbours_in_the_middle_of_a_zone() -> None:
    assert neighbours("31TDJ") == (
        "31TCH", "31TCJ", "31TCK", "31TDH", "31TDK", "31TEH", "31TEJ", "31TEK",
    )  # fmt: skip


def test_neighbours_beyond_the_zone() -> None:
    assert neighbours("31TGL") == (
        "31TFK", "31TFL", "31TFM", "31TGK", "31TGM", "32TLQ", "32TLR", "32TLS",
    )  # fmt: skip
    assert {name[:2] for name in neighbours("01KAB")} == {"60", "01"}
    assert {name[2] for name in neighbours("31NEA")} == {"M", "N"}


def test_neighbours_know_each_other() -> None:
    for name in random.Random(31).sample(all_tiles(), 25):
        for other in neighbours(name):
            assert name in neighbours(other)
