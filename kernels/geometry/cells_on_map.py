"""Cells with known longitude and latitude on the pixels of a map."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.cells_on_map_numba import place_cells, sample_layers
from kernels.geometry.map_grids import GEOGRAPHIC, map_positions
from kernels.model import MapGrid

Positions = Callable[[Band], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""``(rows) -> (longitudes, latitudes)`` of cells [degrees], NaN where unknown."""


class CellsOnMap(NamedTuple):
    """Fractional row and column of the cells under every pixel of a map; NaN outside them."""

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    def needed(self, lines: Band) -> Band | None:
        """Rows of cells that some lines of the map take, None where there are none."""
        own = self.rows[lines.first : lines.first + lines.rows]
        known = own[np.isfinite(own)]
        if known.size == 0:
            return None
        first = int(np.floor(known.min()))
        return Band(first, int(np.ceil(known.max())) - first + 1)

    def sample(
        self, lines: Band, layers: NDArray[np.float32], first_row: int
    ) -> NDArray[np.float32]:
        """Sample layers on some lines of the map.

        Parameters
        ----------
        lines : Band
            Of the map.
        layers : ndarray of float32, shape (layers, rows, columns)
            Of the rows of cells that are `needed`; NaN where there is no value.
        first_row : int
            Number of the first of them.

        Returns
        -------
        ndarray of float32, shape (layers, lines, samples)
            Bilinear where all four cells have a value, else that of the nearest cell.
        """
        part = slice(lines.first, lines.first + lines.rows)
        out = np.empty((len(layers), *self.rows[part].shape), np.float32)
        sample_layers(layers, first_row, self.rows[part], self.columns[part], out)
        return out


def locate_cells(
    grid: MapGrid, positions: Positions, bands: Iterable[Band], *, middle: float
) -> CellsOnMap:
    """Find the cell under every pixel of a map.

    Pixels lie in triangles of three neighbouring cells, inside which longitude and latitude are
    linear. Where the radar sees several places at once, the last of them is taken.

    Parameters
    ----------
    grid : MapGrid
        The map.
    positions : callable
        Where the cells are.
    bands : iterable of Band
        Rows of cells in order, each band beginning with the last row of the one before.
    middle : float
        Longitude in the middle of the cells [degrees]: others are taken on its side of the
        antimeridian.

    Returns
    -------
    CellsOnMap
        For any lines of the map.
    """
    found = CellsOnMap(
        np.full(grid.shape, np.nan, np.float32), np.full(grid.shape, np.nan, np.float32)
    )
    for band in bands:
        longitudes, latitudes = positions(band)
        if grid.crs == GEOGRAPHIC:
            longitudes = middle + (longitudes - middle + 180.0) % 360.0 - 180.0
        x, y = map_positions(grid, longitudes, latitudes)
        place_cells(
            (grid.north - y) / grid.y_spacing - 0.5,
            (x - grid.west) / grid.x_spacing - 0.5,
            band.first,
            found.rows,
            found.columns,
        )
    return found
