"""Cells on a map: positions come back, nothing reaches into cells without a value."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.engine.bands import Band, split_rows
from kernels.geometry.cells_on_map import CellsOnMap, locate_cells
from kernels.geometry.map_grids import geographic_grid
from kernels.model import GeographicBox, MapGrid

ROWS, COLUMNS = 40, 50


def positions(rows: Band, middle: float) -> tuple[np.ndarray, np.ndarray]:
    """Turned and curved cells around a longitude."""
    i, j = np.meshgrid(
        np.arange(rows.first, rows.first + rows.rows), np.arange(COLUMNS), indexing="ij"
    )
    east = 1e-3 * (j - 25) + 3e-4 * i + 2e-6 * j**2
    north = -1e-3 * i + 2e-4 * j + 1e-6 * i * j
    longitudes = (middle + east + 180.0) % 360.0 - 180.0
    return longitudes, north - 21.0


def located(middle: float, band_rows: int) -> tuple[MapGrid, CellsOnMap]:
    grid = geographic_grid(
        GeographicBox(middle - 0.04, -21.06, middle + 0.06, -20.98), spacing=4e-4
    )
    bands = [
        Band(max(band.first - 1, 0), band.rows + min(band.first, 1))
        for band in split_rows(ROWS, band_rows=band_rows)
    ]
    found = locate_cells(grid, lambda rows: positions(rows, middle), bands, middle=middle)
    return grid, found


@pytest.mark.parametrize(("middle", "band_rows"), [(55.4, 64), (55.4, 7), (180.0, 64)])
def test_pixels_find_their_cells(middle: float, band_rows: int) -> None:
    grid, found = located(middle, band_rows)
    known = np.isfinite(found.rows)
    assert 3000 < known.sum() < known.size
    i, j = found.rows[known].astype(np.float64), found.columns[known].astype(np.float64)
    p, q = np.nonzero(known)
    east = 1e-3 * (j - 25) + 3e-4 * i + 2e-6 * j**2
    north = -1e-3 * i + 2e-4 * j + 1e-6 * i * j
    # cells are straight between neighbours: 2e-6 / 4 of curvature is left, 5 cm
    np.testing.assert_allclose(grid.west + (q + 0.5) * grid.x_spacing - middle, east, atol=1e-6)
    np.testing.assert_allclose(grid.north - (p + 0.5) * grid.y_spacing + 21.0, north, atol=1e-6)


def test_the_ground_is_covered_without_holes() -> None:
    _, found = located(55.4, 64)
    known = np.isfinite(found.rows)
    for row in known:
        inside = np.flatnonzero(row)
        assert inside.size in (0, np.ptp(inside) + 1 if inside.size else 0)


def test_samples_are_bilinear_and_stop_at_cells_without_a_value() -> None:
    _, found = located(55.4, 64)
    i, j = np.indices((ROWS, COLUMNS))
    plane = (2.0 * i - 3.0 * j).astype(np.float32)
    holed = np.where((i > 15) & (i < 22) & (j > 20) & (j < 30), np.float32(np.nan), plane)
    lines = Band(20, 100)
    needed = found.needed(lines)
    assert needed is not None
    part = slice(needed.first, needed.first + needed.rows)
    both = found.sample(lines, np.stack([plane, holed])[:, part], needed.first)
    y, x = found.rows[20:120], found.columns[20:120]
    known = np.isfinite(y)
    np.testing.assert_allclose(both[0][known], (2.0 * y - 3.0 * x)[known], atol=1e-4)
    assert np.isnan(both[0][~known]).all()
    near_y, near_x = np.floor(y + 0.5), np.floor(x + 0.5)
    lost = (near_y > 15) & (near_y < 22) & (near_x > 20) & (near_x < 30)
    clear = (np.abs(y - near_y) < 0.49) & (np.abs(x - near_x) < 0.49)
    assert np.isnan(both[1][known & lost & clear]).all()
    assert np.isfinite(both[1][known & ~lost & clear]).all()


def test_lines_outside_the_cells_need_none() -> None:
    _, found = located(55.4, 64)
    assert found.needed(Band(0, 1)) is None or np.isfinite(found.rows[0]).any()
