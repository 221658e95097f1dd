"""QGIS styles: cyclic items over the right range, for the right band, never interpolated."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kernels.errors import ProcessingError
from kernels.products.qgis import (
    coherence_style,
    displacement_style,
    phase_style,
    write_style,
)
from tests.products_out.limits import no_file_larger_than


def items_of(style: str) -> list[tuple[float, str, str]]:
    """Value, colour and label of each item, after a check of where they hang."""
    root: Any = etree.fromstring(style.encode())
    found = root.xpath(
        "/qgis/pipe/rasterrenderer[@type='singlebandpseudocolor']"
        "/rastershader/colorrampshader[@colorRampType='INTERPOLATED']/item"
    )
    return [(float(i.get("value")), i.get("color"), i.get("label")) for i in found]


STYLES = [
    phase_style(2),
    coherence_style(3),
    displacement_style(5, limit=0.014, wrapped=True),
    displacement_style(5, limit=0.1, wrapped=False),
]


@pytest.mark.parametrize("style", STYLES)
def test_items_rise_from_the_least_to_the_largest_value(style: str) -> None:
    values = [value for value, _, _ in items_of(style)]
    assert all(low < high for low, high in pairwise(values))
    root: Any = etree.fromstring(style.encode())
    assert values[0] == float(root.xpath("string(//colorrampshader/@minimumValue)"))
    assert values[-1] == float(root.xpath("string(//colorrampshader/@maximumValue)"))


@pytest.mark.parametrize("style", STYLES)
def test_qgis_takes_nearest_neighbours(style: str) -> None:
    root: Any = etree.fromstring(style.encode())
    method = "pipe/provider/resampling/@zoomed{}ResamplingMethod"
    assert root.xpath(method.format("Out")) == ["nearestNeighbour"]
    assert root.xpath(method.format("In")) == ["nearestNeighbour"]
    assert root.xpath("pipe/rasterresampler/@zoomedOutResampler") == []


def test_phase_is_cyclic_from_minus_pi_to_pi() -> None:
    items = items_of(phase_style(2))
    # Nine digits are written: 1e-8 rad.
    assert items[0][0] == pytest.approx(-math.pi, abs=1e-8)
    assert items[-1][0] == pytest.approx(math.pi, abs=1e-8)
    assert items[0][1] == items[-1][1]
    assert len({colour for _, colour, _ in items}) == len(items) - 1
    assert all(label.endswith(" rad") for _, _, label in items)


def test_the_band_is_counted_from_one() -> None:
    root: Any = etree.fromstring(phase_style(2).encode())
    assert root.xpath("pipe/rasterrenderer/@band") == ["2"]


def test_labels_give_displacement_towards_the_satellite() -> None:
    # One turn is half a wavelength: a quarter turn away, of 56 mm, is 7 mm; away is negative.
    labels = [label for _, _, label in items_of(phase_style(2, wavelength=0.056))]
    assert "+1.57 rad, -7.0 mm" in labels
    assert "-1.57 rad, +7.0 mm" in labels


def test_wrapped_displacement_has_the_colours_of_its_phase() -> None:
    displacement = items_of(displacement_style(5, limit=0.014, wrapped=True))
    phase = items_of(phase_style(2))
    assert [colour for _, colour, _ in displacement] == [colour for _, colour, _ in phase][::-1]
    assert displacement[0][2] == "-14.0 mm"


def test_coherence_runs_from_black_to_white() -> None:
    items = items_of(coherence_style(3))
    assert items[0][:2] == (0.0, "#000000")
    assert items[-1][:2] == (1.0, "#ffffff")


def test_a_style_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_style(tmp_path / "phase.qml", phase_style())
    assert items_of((tmp_path / "phase.qml").read_text("utf-8")) == items_of(phase_style())
    (tmp_path / "phase.qml").unlink()
    with no_file_larger_than(10), pytest.raises(ProcessingError, match="File too large"):
        write_style(tmp_path / "phase.qml", phase_style())
    assert list(tmp_path.iterdir()) == []
