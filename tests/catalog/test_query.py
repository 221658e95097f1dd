"""Queries from texts: areas, times, orbits, and what breaks a rule."""

from __future__ import annotations

import contextlib
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.areas import area_of, box_around, boxes_of, meet, read_area
from catalog.errors import QueryError
from catalog.matching import answers
from catalog.mgrs import tile_corner, tile_outline
from catalog.model import Box, Product, Query
from catalog.names import product_of_name, relative_orbit
from catalog.query import read_query

SQUARE = {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]]}


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON ((1 2, 3 2, 3 4, 1 4, 1 2))",
        "polygon((1. 2.0 7,+3 2 7,3 4 7,1 4 7))",
        '{"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]]}',
        '{"type": "Feature", "geometry": {"type": "Polygon", '
        '"coordinates": [[[1, 2, 0], [3, 2, 0], [3, 4, 0], [1, 4, 0], [1, 2, 0]]]}}',
    ],
)
def test_one_polygon_in_several_spellings(text: str) -> None:
    assert read_query(area=text).area == SQUARE


def test_other_shapes() -> None:
    assert read_area("55.5,-21.5,55.7,-21.25") == Box(55.5, -21.5, 55.7, -21.25)
    assert read_area("POINT(1.44 .6)") == {"type": "Point", "coordinates": [1.44, 0.6]}
    both = read_area("MULTIPOLYGON (((1 2, 3 2, 3 4, 1 2)), ((11 2, 13 2, 13 4, 11 2)))")
    assert not isinstance(both, Box)
    assert [len(polygon[0]) for polygon in both["coordinates"]] == [4, 4]


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("area", "1,2,3"),
        ("area", "1,4,3,2"),
        ("area", "1,2,3,nan"),
        ("area", "181,2,3,4"),
        ("area", "POLYGON ((1 2, 3 2))"),
        ("area", "POLYGON ((1 2, 3 200, 3 4))"),
        ("area", '{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}'),
        ("area", '{"type": "FeatureCollection", "features": []}'),
        ("area", "{" * 100_000),
        ("area", '{"type": "Point", "coordinates": [1' + "0" * 400 + ", 1]}"),
        ("area", "[1]"),
        ("area", '{"type": "FeatureCollection", "features": 1}'),
        ("area", '{"type": ["x"], "coordinates": 1}'),
        ("point", "1"),
        ("point", "1,91"),
        ("radius_m", "0"),
        ("tile", "31TCI"),
        ("tile", "61TCJ"),
        ("tile", "32TCJ"),
        ("start", "yesterday"),
        ("stop", "2016-13-01"),
        ("relative_orbit", "0"),
        ("relative_orbit", "twelve"),
        ("largest_cloud_cover", "101"),
        ("polarisation", "XX"),
        ("direction", "north"),
        ("names", "../S1A"),
        ("place", "x" * 201),
        ("platform", "S1A;"),
        ("colour", "red"),
    ],
)
def test_what_breaks_a_rule_is_named(argument: str, text: str) -> None:
    with pytest.raises(QueryError) as caught:
        read_query(**{argument: text})
    assert caught.value.argument == argument


def test_messages_can_be_repeated_in_any_document() -> None:
    with pytest.raises(QueryError) as caught:
        read_query(area="<b>'1\n2\"&3</b>")
    assert str(caught.value).endswith("got b 1 2 3 /b")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.argument, str(again)) == ("area", str(caught.value))


def test_reversed_times_and_two_places() -> None:
    with pytest.raises(QueryError, match=r"stop must be not before start"):
        read_query(start="2016-10-01", stop="2016-08-15")
    with pytest.raises(QueryError, match=r"tile must be left out where area"):
        read_query(area="1,2,3,4", tile="31TCJ")


@given(st.text(), st.sampled_from(["area", "point", "tile", "start", "names", "relative_orbit"]))
def test_any_text_is_read_or_refused(text: str, argument: str) -> None:
    with contextlib.suppress(QueryError):
        read_query(**{argument: text})


def test_days_are_whole_and_instants_exact() -> None:
    query = read_query(start="2016-08-15", stop="2016-08-15")
    assert query.start == datetime(2016, 8, 15, tzinfo=UTC)
    assert query.stop == datetime(2016, 8, 15, 23, 59, 59, 999_999, tzinfo=UTC)
    exact = read_query(start="2016-08-15T02:00:00+02:00", stop="2016-08-15T00:00:00Z")
    assert exact.start == exact.stop == datetime(2016, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("platform", "absolute", "track"),
    [
        ("S1A", 17168, 121),  # a delivery note of PEPS
        ("S1A", 25287, 15),  # the manifest of a product of 2019-01-01
        ("S1C", 5497, 76),  # an item of GEODES
        ("S1A", 73, 1),
        ("S1A", 72, 175),
        ("S1B", 27, 1),
        ("S1C", 8018, 147),
        ("S1C", 8019, 46),
        ("S1D", 42, 1),
        ("S2A", 1, None),
    ],
)
def test_track_of_an_orbit(platform: str, absolute: int, track: int | None) -> None:
    assert relative_orbit(platform, absolute) == track


def test_names_tell() -> None:
    slc = product_of_name("S1B_S6_SLC__1SDV_20160928T145211_20160928T145235_002270_003D30_C8EC.zip")
    assert (slc.mode, slc.product_type, slc.polarisation) == ("SM", "SLC", "VV VH")
    assert slc.start == datetime(2016, 9, 28, 14, 52, 11, tzinfo=UTC)
    tile = product_of_name("s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx.tif")
    assert (tile.relative_orbit, tile.direction, tile.properties) == (
        139,
        "descending",
        {"tile": "31TGL"},
    )
    tsx = product_of_name("TSX1_SAR__SSC______SM_S_SRA_20080310T133220_20080310T133228")
    assert (tsx.platform, tsx.product_type, tsx.mode) == ("TSX1", "SSC", "SM")
    csk = product_of_name("CSKS1_SCS_B_S2_01_HH_RD_SF_20110418180325_20110418180332.h5")
    assert (csk.product_type, csk.mode, csk.direction) == ("SCS_B", "S2", "descending")
    assert product_of_name("readme.txt") == Product(name="readme.txt")
    nonsense = "S1A_IW_SLC__1SDV_20169928T145211_20160928T145235_002270_003D30_C8EC"
    assert product_of_name(nonsense) == Product(name=nonsense)


def test_a_tile_of_the_published_grid() -> None:
    assert tile_corner("40KCB") == (32740, 300_000, 7_700_020)
    longitudes, latitudes = zip(*tile_outline("31TCJ")["coordinates"][0], strict=True)
    assert min(longitudes) < 1.44 < max(longitudes)  # Toulouse
    assert min(latitudes) < 43.6 < max(latitudes)


@pytest.mark.shared_data
def test_corners_of_all_land_tiles(shared_data: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(shared_data / "s2grid" / "sentinel-2-grid_LAND.parquet")
    names, bounds = table["tile"].to_pylist(), table["utm_bounds"].to_pylist()
    assert len(names) > 20_000
    wrong = []
    for name, text in zip(names, bounds, strict=True):
        west, _, _, north = map(float, text.strip("()").split(","))
        corner = tile_corner(name)
        if (corner.west, corner.north) != (west, north):
            wrong.append(name)
    assert wrong == []


def test_boxes_across_the_antimeridian_are_two() -> None:
    assert boxes_of(Box(179, -18, -179, -16)) == [
        Box(179, -18, 180, -16),
        Box(-180, -18, -179, -16),
    ]
    fiji = tile_outline("01KAB")
    assert {box.east for box in boxes_of(fiji)} >= {180.0}
    assert len(boxes_of(fiji)) == 2
    assert len(boxes_of(tile_outline("31TCJ"))) == 1


def test_a_point_becomes_a_box_of_its_radius() -> None:
    box = box_around(1.0, 60.0, 10_000.0)
    assert box.north - 60.0 == pytest.approx(10.0 / 111.195, rel=1e-3)
    assert box.east - 1.0 == pytest.approx(2 * (box.north - 60.0), rel=0.01)  # cos 60 = 1/2
    assert box_around(0.0, 89.99, 10_000.0).west == -180.0
    assert box_around(179.99, 0.0, 10_000.0).east < -179.0


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (Box(0, 0, 2, 2), SQUARE, True),  # touch in a corner
        (Box(0, 0, 0.9, 9), SQUARE, False),
        (Box(1.5, 2.5, 1.6, 2.6), SQUARE, True),  # within
        (Box(0, 0, 9, 9), SQUARE, True),  # around
        (Box(0, 3, 9, 3.1), SQUARE, True),  # across, no corner in the other
        (Box(179, -1, -179, 1), Box(-179.5, 0, -178, 2), True),
        (Box(179, -1, -179, 1), Box(170, 0, 178, 2), False),
        ({"type": "Point", "coordinates": [2, 3]}, SQUARE, True),
        ({"type": "Point", "coordinates": [4, 3]}, SQUARE, False),
    ],
)
def test_areas_that_meet(one: Box, other: Box, common: bool) -> None:
    assert meet(one, other) is common
    assert meet(other, one) is common


def test_an_outline_that_jumps_at_the_antimeridian() -> None:
    ring = [[179, 0], [-179, 0], [-179, 2], [179, 2], [179, 0]]
    footprint = {"type": "Polygon", "coordinates": [ring]}
    assert meet(footprint, Box(-179.8, 1, -179.5, 1.5))
    assert not meet(footprint, Box(0, 1, 1, 1.5))


def test_criteria_look_at_names_where_the_catalogue_is_silent() -> None:
    name = "S1C_IW_GRDH_1SDV_20251217T230248_20251217T230317_005497_00AF3C_C5D6"
    silent = Product(name=name, cloud_cover=None)
    assert answers(read_query(relative_orbit="76", platform="s1c", polarisation="VH"), silent)
    assert answers(read_query(start="2025-12-17", stop="2025-12-17", mode="iw"), silent)
    assert answers(Query(largest_cloud_cover=10.0), silent)
    assert not answers(read_query(relative_orbit="77"), silent)
    assert not answers(read_query(polarisation="HH"), silent)
    assert not answers(read_query(start="2025-12-18"), silent)


def test_where_a_query_looks() -> None:
    assert area_of(Query()) is None
    assert area_of(Query(tile="31TCJ")) == tile_outline("31TCJ")
    assert area_of(Query(point=(1.0, 44.0))) == box_around(1.0, 44.0, 10_000.0)
