"""Whatever a server answers: a product, or an error of ours."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import AnswerError
from catalog.matching import answers
from catalog.model import Product
from catalog.odata import product_of_entry
from catalog.query import read_query
from catalog.resto import product_of_feature
from catalog.stac import product_of_item

NAME = "S1A_IW_GRDH_1SDV_20210105T060000_20210105T060025_036001_044EFC_0000"
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
FEATURE: dict[str, Any] = {
    "id": "1",
    "geometry": SQUARE,
    "properties": {
        **{"productIdentifier": NAME, "startDate": "2021-01-05T06:00:00Z", "orbitNumber": 36001},
        **{"storage": {"mode": "disk"}, "services": {"download": {"url": "x", "size": 1}}},
        **{"cloudCover": 1.0, "polarisation": "VV VH", "platform": "S1A", "sensorMode": "IW"},
    },
}
ITEM: dict[str, Any] = {
    "id": NAME,
    "geometry": SQUARE,
    "properties": {
        **{"datetime": "2021-01-05T06:00:00Z", "platform": "sentinel-1a"},
        **{"sar:polarizations": ["VV", "VH"], "sat:orbit_state": "ascending"},
    },
    "assets": {
        "a": {
            "type": "application/zip",
            "href": "https://x/y",
            "roles": ["data"],
            "description": "x",
        }
    },
}
ENTRY: dict[str, Any] = {
    **{"Name": f"{NAME}.SAFE", "Id": "1", "Online": True, "ContentLength": 1},
    **{"GeoFootprint": SQUARE, "ContentDate": {"Start": "2021-01-05T06:00:00Z"}},
    **{"Attributes": [{"Name": "orbitNumber", "Value": 1}]},
    **{"Checksum": [{"Algorithm": "MD5", "Value": "x"}]},
}
QUERIES = [
    read_query(area="0.2,0.2,0.3,0.3", relative_orbit="54", polarisation="VV", platform="S1A"),
    read_query(start="2021-01-05", stop="2021-01-05", mode="IW", largest_cloud_cover="50"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each key or place in it."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    found = [(value, key) for key in keys]
    for key in keys:
        found += places(value[key])
    return found


@pytest.mark.parametrize(
    ("read", "whole"),
    [(product_of_feature, FEATURE), (product_of_item, ITEM), (product_of_entry, ENTRY)],
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_answer_is_read_or_refused(
    read: Callable[..., Product], whole: Mapping[str, Any], data: st.DataObject
) -> None:
    answer = copy.deepcopy(whole)
    container, key = data.draw(st.sampled_from(places(answer)))
    container[key] = data.draw(ANYTHING)
    with contextlib.suppress(AnswerError):
        product = read(answer, catalog="x")
        for query in QUERIES:
            answers(query, product)


@pytest.mark.parametrize(
    ("read", "whole"),
    [(product_of_feature, FEATURE), (product_of_item, ITEM), (product_of_entry, ENTRY)],
)
def test_what_is_left_alone_is_read(read: Callable[..., Product], whole: Mapping[str, Any]) -> None:
    product = read(whole, catalog="x")
    assert (product.name, product.footprint) == (NAME, SQUARE)
