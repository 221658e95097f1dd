"""Previews: phasors are averaged, not phases; only valid pixels count; memory stays small."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.model import Looks, MapGrid, Shape
from kernels.products.preview import (
    amplitude_cells,
    join_preview,
    looked_grid,
    mean_cells,
    phase_cells,
    preview_looks,
    preview_piece,
    valid_cells,
)

SHAPE = Shape(611, 70)
GRID = MapGrid(crs="EPSG:4326", west=55.0, north=-21.0, x_spacing=0.25, y_spacing=0.5, shape=SHAPE)


def test_phases_on_both_sides_of_pi_average_to_pi() -> None:
    phase = np.array([[3.0, -3.0], [-3.0, 3.0]], np.float32)
    cell = phase_cells(phase, np.ones((2, 2), np.bool_), Looks(2, 2))
    assert abs(float(cell[0, 0])) == pytest.approx(np.pi, abs=1e-6)


def test_a_phase_ramp_keeps_the_phase_of_its_middle() -> None:
    # Cells of 4 on a ramp of 0.3 rad per pixel: the mean phasor points at pixel 4 k + 1.5.
    ramp = np.angle(np.exp(0.3j * np.arange(40))).astype(np.float32)[None, :]
    cells = phase_cells(ramp, np.ones((1, 40), np.bool_), Looks(1, 4))
    expected = 0.3 * (4 * np.arange(10) + 1.5)
    np.testing.assert_allclose(np.angle(np.exp(1j * (cells[0] - expected))), 0.0, atol=1e-5)


def test_cells_use_valid_pixels_only_and_need_half_of_them() -> None:
    values = np.array([[2.0, np.nan, 7.0, np.nan], [4.0, np.nan, np.nan, np.nan]], np.float32)
    valid = np.isfinite(values)
    looks = Looks(2, 2)
    np.testing.assert_array_equal(valid_cells(valid, looks), [[True, False]])
    np.testing.assert_array_equal(mean_cells(values, valid, looks), [[3.0, np.nan]])
    np.testing.assert_allclose(
        amplitude_cells(values, valid, looks), [[np.sqrt(10.0), np.nan]], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("shape", "looks"),
    [(Shape(1600, 100), Looks(1, 1)), (Shape(1601, 25000), Looks(2, 16))],
)
def test_no_side_is_longer_than_asked(shape: Shape, looks: Looks) -> None:
    assert preview_looks(shape, 1600) == looks


def test_the_grid_of_cells_keeps_its_corner() -> None:
    grid = looked_grid(GRID, Looks(3, 4))
    assert isinstance(grid, MapGrid)
    assert grid.geotransform == (55.0, 1.0, 0.0, -21.0, 0.0, -1.5)
    assert grid.shape == Shape(203, 17)


def test_pieces_of_small_cells_give_what_the_whole_gives() -> None:
    random = np.random.default_rng(3)
    is_data = random.random(SHAPE) > 0.3
    array = random.normal(size=(4, *SHAPE)).astype(np.float32)
    array[1] = np.angle(np.exp(1j * array[1]))
    array[:3, ~is_data] = np.nan
    array[3] = is_data
    looks = Looks(2, 2)
    pieces = [preview_piece(array[:, first : first + 150], looks) for first in range(0, 611, 150)]
    preview = join_preview(pieces, GRID, looks)
    assert preview.grid == looked_grid(GRID, looks)
    for row, column in ((0, 0), (140, 30), (304, 34)):
        cell = (slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2))
        valid = is_data[cell]
        if np.count_nonzero(valid) < 2:
            assert not preview.is_data[row, column]
            continue
        phasor = np.exp(1j * array[1][cell][valid]).mean()
        # 1e-5: float32 sums of four values of size 1.
        assert preview.phase[row, column] == pytest.approx(np.angle(phasor), abs=1e-5)
        power = np.mean(array[0][cell][valid] ** 2)
        assert preview.amplitude[row, column] == pytest.approx(np.sqrt(power), rel=1e-5)
        mean = np.mean(array[2][cell][valid])
        assert preview.coherence[row, column] == pytest.approx(mean, abs=1e-5)
    assert preview.is_data.shape == (305, 35)


def test_large_cells_are_centred_on_themselves() -> None:
    """Of a ramp the mean over a cell is the value in its middle, whichever pixels are used."""
    rows, columns = np.mgrid[0:80, 0:60]
    value = (0.01 * rows + 0.02 * columns).astype(np.float32)
    bands = np.stack([value, value, value, np.ones_like(value)])
    piece = preview_piece(bands, Looks(8, 10))
    middle = 0.01 * (8 * np.arange(10)[:, None] + 3.5) + 0.02 * (10 * np.arange(6) + 4.5)
    np.testing.assert_allclose(piece[2], middle, atol=1e-5)
    np.testing.assert_allclose(piece[1], middle, atol=1e-5)
