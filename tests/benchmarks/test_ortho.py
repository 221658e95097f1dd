"""What the ortho benchmark measures with: its peak finder and its peer's absence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ortho import relief
from benchmarks.ortho_peer import measure_otb
from benchmarks.point_targets import (
    Places,
    cut_windows,
    find_peaks,
    places_on_map,
    target_errors,
)
from kernels.engine.bands import Band
from kernels.geometry.map_grids import pixel_positions
from kernels.geometry.mgrs import tile_grid
from kernels.model import MapGrid, Shape
from kernels.simulation.detected_view import SeenTargets

GRID = MapGrid(
    crs="EPSG:32633", west=3e5, north=4.7e6, x_spacing=10.0, y_spacing=10.0, shape=Shape(60, 80)
)


def bell(row: float, column: float) -> np.ndarray:
    """A Gaussian longer along one diagonal, whose logarithm is a paraboloid."""
    i, j = np.meshgrid(np.arange(60.0) - row, np.arange(80.0) - column, indexing="ij")
    return np.exp(-0.4 * i * i - 0.2 * i * j - 0.3 * j * j).astype(np.float32)


def test_the_summit_of_a_gaussian_is_found_exactly() -> None:
    true = Places(np.array([20.0]), np.array([31.0]))
    summit = bell(20.0 - 0.43, 31.0 + 1.27)
    errors, lost = target_errors(cut_windows(summit, true), true, GRID)
    assert lost == 0
    # rows count to the south; float32 intensities leave micrometres
    assert errors.north == pytest.approx([4.3], abs=1e-4)
    assert errors.east == pytest.approx([12.7], abs=1e-4)
    assert errors.distance == pytest.approx([np.hypot(4.3, 12.7)], abs=1e-4)


def test_targets_without_summit_in_their_window_are_counted_as_lost() -> None:
    far = bell(20.0, 40.0)
    hole = bell(20.0, 31.0)
    hole[19, 31] = 0.0
    true = Places(np.array([20.0]), np.array([31.0]))
    for intensity in (far, hole):
        errors, lost = target_errors(cut_windows(intensity, true), true, GRID)
        assert (errors.east.size, lost) == (0, 1)
    assert np.isnan(find_peaks(np.ones((1, 9, 9)))).all()


def test_targets_are_placed_by_their_pixels_own_positions() -> None:
    rows, columns = np.array([7.25, 1.0, 30.5]), np.array([50.75, 40.0, 77.5])
    longitudes, latitudes = np.degrees(pixel_positions(GRID, rows, columns))
    unused = np.zeros(3)
    targets = SeenTargets(
        index=np.arange(3),
        longitude=longitudes,
        latitude=latitudes,
        height=unused,
        line=unused,
        pixel=unused,
        zero_doppler_time=unused,
        slant_range=unused,
        peak=unused,
    )
    places, inside = places_on_map(targets, GRID)
    assert inside.index.tolist() == [0], "the others have no room for the search"
    assert places.rows == pytest.approx(rows[:1], abs=1e-6)
    assert places.columns == pytest.approx(columns[:1], abs=1e-6)


def test_relief_has_plains_and_slopes_below_layover() -> None:
    heights = relief("33TUG").heights.astype(np.float64)
    assert 0.3 < np.mean(heights == 0.0) < 0.7
    rise = np.diff(heights[::4, ::4], axis=1) / (4 * 23.0)  # a second of longitude is 23 m
    assert 15.0 < np.degrees(np.arctan(np.abs(rise).max())) < 30.0


def test_without_otb_there_are_no_figures_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    part = Band(0, 10), Band(0, 10)
    assert measure_otb(tmp_path / "in.tiff", part, tmp_path, tile_grid("33TUG"), tmp_path) is None
    assert "OTB is not installed" in capsys.readouterr().err
