"""Small multiples of a series: what is in the panels, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.chains.multislc_series import pictures
from kernels.chains.multislc_series.pictures import draw_amplitudes, draw_phases
from kernels.chains.multislc_series.stack import Stack
from kernels.model import Looks, MapGrid, RadarGrid, Shape
from kernels.products.panels import Panel
from kernels.products.raster import create_raster
from tests.products_out.test_pictures import map_grid, pixels
from tests.products_out.test_raster import radar_grid
from tests.series import Series
from tests.stacks import make_stack, shapes

DATES = 30


@pytest.fixture(scope="module")
def stack(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Many dates without pixels."""
    (shape,) = shapes(tops_series)
    nothing = np.broadcast_to(np.complex64(0.0), (DATES, *shape))
    baselines = [10.0 * number for number in range(DATES)]
    folder = tmp_path_factory.mktemp("stack")
    return make_stack(tops_series, folder, [nothing], baselines=baselines, reference=1)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is asked of the picture."""
    asked: list[dict[str, Any]] = []
    real = pictures.panels_picture

    def keep(path: Path, **how: Any) -> object:
        asked.append(how)
        return real(path, **how)

    monkeypatch.setattr(pictures, "panels_picture", keep)
    return asked


def interferogram(path: Path, value: float, grid: MapGrid | RadarGrid) -> Path:
    """Write an even interferogram without data in the first rows."""
    bands = np.full((4, *grid.shape), value, np.float32)
    bands[3] = 1.0
    bands[:3, :10] = np.nan
    bands[3, :10] = 0.0
    names = ("amplitude", "phase", "coherency", "isData")
    with create_raster(path, grid.shape, names, grid=grid) as writer:
        writer.write(0, bands)
    return path


def test_pairs_are_named_and_what_is_no_data_is_missing(
    stack: Stack, tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    rasters = {
        (0, 2): interferogram(tmp_path / "a.tif", 1.0, map_grid()),
        (3, 1): interferogram(tmp_path / "b.tif", -1.0, map_grid()),
    }
    draw_phases(stack, rasters, tmp_path / "a.png")
    panels: Sequence[Panel] = drawn[0]["panels"]
    assert [panel.title for panel in panels] == ["20260101_20260125", "20260206_20260113"]
    assert [panel.note for panel in panels] == ["24 d, 20 m", "−24 d, −20 m"]
    assert drawn[0]["grid"] == map_grid()
    assert np.isnan(panels[0].values[:10]).all()
    assert (panels[1].values[10:] == -1.0).all()
    assert drawn[0]["subtitle"].startswith("2 pairs, S1A IW1 VV")
    image = pixels(tmp_path / "a.png")
    red, blue = image[..., 0], image[..., 2]
    # -1 rad is orange, 1 rad blue; each fills one panel
    assert (red > blue + 60).mean() > 0.1
    assert (blue > red + 60).mean() > 0.1


def test_pairs_in_radar_geometry_are_averaged_as_phasors(
    stack: Stack, tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    grid = radar_grid(Shape(1000, 300))
    draw_phases(stack, {(0, 1): interferogram(tmp_path / "a.tif", 3.0, grid)}, tmp_path / "a.png")
    (panel,) = drawn[0]["panels"]
    looks = stack.swaths[0].looks
    assert panel.values.shape == tuple(drawn[0]["grid"].shape) == (333, 300)
    assert drawn[0]["looks"] == Looks(3 * looks.azimuth, looks.range)
    assert np.isnan(panel.values[:3]).all()
    np.testing.assert_allclose(panel.values[4:], 3.0, atol=1e-5)


def test_of_many_pairs_some_are_drawn_evenly(
    stack: Stack, tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    raster = interferogram(tmp_path / "a.tif", 1.0, map_grid())
    pairs = {(0, number): raster for number in range(1, DATES)}
    draw_phases(stack, pairs, tmp_path / "a.png")
    titles = [panel.title for panel in drawn[0]["panels"]]
    assert len(set(titles)) == 24
    assert titles[0].endswith("20260113")
    assert titles[-1].endswith(stack.images[-1].date.text)
    assert drawn[0]["subtitle"].startswith("24 of 29 pairs")


def test_amplitudes_are_decibels_of_mean_intensities(
    stack: Stack, tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    grid = stack.swaths[0].layout.grid.looked(stack.swaths[0].looks)
    days = [image.date.text for image in stack.images]
    values = np.full((DATES, *grid.shape), 10.0, np.float32)
    values += np.arange(DATES, dtype=np.float32)[:, None, None]
    values[:, :40] = np.nan
    with create_raster(tmp_path / "s.tif", grid.shape, days, grid=grid) as writer:
        writer.write(0, values)
    draw_amplitudes(stack, tmp_path / "s.tif", tmp_path / "a.png")
    panels: Sequence[Panel] = drawn[0]["panels"]
    assert panels[1].note == "reference"
    assert panels[0].title == "20260101"
    assert np.isnan(panels[0].values[:40]).all()
    np.testing.assert_allclose(panels[0].values[45:], 20.0, atol=1e-5)
    np.testing.assert_allclose(panels[-1].values[45:], 20.0 * np.log10(39.0), atol=1e-5)
    assert pixels(tmp_path / "a.png").std() > 20.0


def test_nothing_at_all_is_drawn_grey(stack: Stack, tmp_path: Path) -> None:
    grid = stack.swaths[0].layout.grid.looked(stack.swaths[0].looks)
    days = [image.date.text for image in stack.images]
    with create_raster(tmp_path / "s.tif", grid.shape, days, grid=grid) as writer:
        writer.write(0, np.full((DATES, *grid.shape), np.nan, np.float32))
    draw_amplitudes(stack, tmp_path / "s.tif", tmp_path / "a.png")
    assert (pixels(tmp_path / "a.png") == int("d4", 16)).all(axis=2).mean() > 0.2
