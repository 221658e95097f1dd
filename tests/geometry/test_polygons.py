"""Plane polygons against areas known from school."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.geometry.polygons import clip_to_box, ring_area, subdivided

BOX = {"west": 0.0, "south": 0.0, "east": 1.0, "north": 1.0}

# vertices, area of what lies in the unit box
CLIPPED = {
    "inside": ([(0.25, 0.25), (0.75, 0.25), (0.25, 0.75)], 0.125),
    "around": ([(-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0)], 1.0),
    "beside": ([(2.0, 0.0), (3.0, 0.0), (3.0, 1.0)], 0.0),
    "at a corner": ([(1.0, 1.0), (2.0, 1.0), (2.0, 2.0)], 0.0),
    "quarter": ([(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)], 0.25),
    "cut corners": ([(0.5, -0.25), (1.25, 0.5), (0.5, 1.25), (-0.25, 0.5)], 1.0 - 4 * 0.25**2 / 2),
    "comes back": ([(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0), (0.0, 0.75), (1.5, 0.75),
                    (1.5, 0.25), (0.0, 0.25)], 0.5),
}  # fmt: skip


@pytest.mark.parametrize("case", CLIPPED)
def test_area_in_a_box(case: str) -> None:
    vertices, area = CLIPPED[case]
    ring = np.array(vertices)
    for turned in (ring, ring[::-1], np.roll(ring, 1, axis=0), np.vstack([ring, ring[:1]])):
        part = clip_to_box(turned, **BOX)
        assert ring_area(part) == pytest.approx(area, abs=1e-15)
        assert np.all((part >= 0.0) & (part <= 1.0))


def test_borders_may_be_infinite() -> None:
    ring = np.array([(-2.0, 0.0), (2.0, 0.0), (0.0, 2.0)])
    part = clip_to_box(ring, west=0.0, east=np.inf, south=-np.inf, north=np.inf)
    assert ring_area(part) == pytest.approx(2.0)


@given(
    radii=st.lists(st.floats(0.1, 2.0), min_size=3, max_size=12),
    x=st.floats(-1.0, 1.0),
    y=st.floats(-1.0, 1.0),
)
def test_four_quadrants_make_the_whole(radii: list[float], x: float, y: float) -> None:
    angle = 2.0 * np.pi * np.arange(len(radii)) / len(radii)
    star = np.column_stack([np.cos(angle), np.sin(angle)]) * np.array(radii)[:, None]
    # triangles about the centre
    whole = 0.5 * np.sin(2.0 * np.pi / len(radii)) * np.sum(np.array(radii) * np.roll(radii, 1))
    parts = [
        clip_to_box(star, west=west, east=east, south=south, north=north)
        for west, east in ((-math.inf, x), (x, math.inf))
        for south, north in ((-math.inf, y), (y, math.inf))
    ]
    assert ring_area(star) == pytest.approx(whole)
    assert sum(ring_area(part) for part in parts) == pytest.approx(whole)


def test_points_along_edges() -> None:
    ring = np.array([(0.0, 0.0), (3.0, 0.0), (3.0, 4.0)])
    expected = [(0, 0), (1, 0), (2, 0), (3, 0), (3, 2), (3, 4)]
    np.testing.assert_allclose(subdivided(ring, np.array([3, 2, 1])), expected)
