"""STAC items of footprints on either side of the antimeridian."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.geometry.polygons import ring_area
from kernels.model import MapGrid, Shape
from kernels.products.stac import projection_properties, stac_item


def item_of(ring: list[tuple[float, float]]) -> dict[str, object]:
    return stac_item(
        "item",
        ring=np.array(ring),
        start=datetime(2026, 1, 1, 2, 3, 4, 500_000),
        end=datetime(2026, 1, 13),
        properties={"platform": "sentinel-1a"},
        extensions=(),
        assets={},
    )


def signed_area(ring: NDArray[np.float64]) -> float:
    x, y = ring[:-1].T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def test_an_item_has_what_the_specification_asks_for() -> None:
    item = item_of([(10.0, 45.0), (10.0, 46.0), (12.0, 46.0), (12.0, 45.0)])
    assert set(item) == {
        "type",
        "stac_version",
        "stac_extensions",
        "id",
        "geometry",
        "bbox",
        "properties",
        "links",
        "assets",
    }
    assert item["type"] == "Feature"
    assert item["bbox"] == [10.0, 45.0, 12.0, 46.0]
    assert item["properties"] == {
        "datetime": None,
        "start_datetime": "2026-01-01T02:03:04.500000Z",
        "end_datetime": "2026-01-13T00:00:00Z",
        "platform": "sentinel-1a",
    }
    (ring,) = item["geometry"]["coordinates"]  # type: ignore[index]
    assert ring[0] == ring[-1]
    assert signed_area(np.array(ring)) == pytest.approx(
        2.0
    )  # anticlockwise, though given otherwise


def test_a_footprint_over_the_antimeridian_has_two_parts() -> None:
    item = item_of([(179.0, 0.0), (182.0, 0.0), (182.0, 1.0), (179.0, 1.0)])
    assert item["bbox"] == [179.0, 0.0, -178.0, 1.0]
    geometry = item["geometry"]
    assert geometry["type"] == "MultiPolygon"  # type: ignore[index]
    parts = [np.array(part[0]) for part in geometry["coordinates"]]  # type: ignore[index]
    assert sorted((part[:, 0].min(), part[:, 0].max()) for part in parts) == [
        (-180.0, -178.0),
        (179.0, 180.0),
    ]
    assert sum(ring_area(part) for part in parts) == pytest.approx(3.0)


@pytest.mark.parametrize("crs", ["EPSG:32740", 'LOCAL_CS["of somebody"]'])
def test_the_grid_is_told_in_the_order_of_an_affine_matrix(crs: str) -> None:
    grid = MapGrid(
        crs=crs, west=1000.0, north=2000.0, x_spacing=10.0, y_spacing=20.0, shape=Shape(3, 4)
    )
    assert projection_properties(grid) == {
        ("proj:code" if crs.startswith("EPSG") else "proj:wkt2"): crs,
        "proj:shape": [3, 4],
        "proj:transform": [10.0, 0.0, 1000.0, 0.0, -20.0, 2000.0],
    }
