"""Cells of an image, of one or several looks: where they are and how large in the slant plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import GroundRangeGrid, Looks, RadarGrid, Shape
from kernels.radiometry.detected import DetectedGeometry, Window
from kernels.radiometry.range_tables import RangeTables

_TIME_STEP = 0.05
_NODES = 17
"""Rows and columns on which the distance between lines is measured: it changes by some
percent over a swath."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCells:
    """Cells of a part of an image.

    Attributes
    ----------
    grid : GroundRangeGrid or RadarGrid
        Of the image.
    tables : RangeTables
        Of the image.
    window : Window
        Part of the image; cell (0, 0) starts at its first line and pixel.
    looks : Looks
        Lines and pixels of a cell.
    node_rows : ndarray of float64, shape (nodes,)
        Rows of cells that have measured depths.
    depths : ndarray of float64, shape (nodes, columns)
        Cell's extent along the track on the ellipsoid [m].
    widths : ndarray of float64, shape (records, columns)
        Cell's extent in slant range by conversion record [m].
    """

    grid: GroundRangeGrid | RadarGrid
    tables: RangeTables
    window: Window
    looks: Looks
    node_rows: NDArray[np.float64]
    depths: NDArray[np.float64]
    widths: NDArray[np.float64]

    @classmethod
    def of(
        cls, image: DetectedGeometry | RadarGrid, orbit: Orbit, *, window: Window, looks: Looks
    ) -> ImageCells:
        """Measure the cells of an image.

        Parameters
        ----------
        image : DetectedGeometry or RadarGrid
            Geometry of the image, in ground range or in slant range.
        orbit : Orbit
            Of the image.
        window : Window
            Part of the image.
        looks : Looks
            Lines and pixels of a cell; cells at the end may reach past the window.

        Returns
        -------
        ImageCells
            At least one.
        """
        shape = _shape(window, looks)
        pixels = window.pixels.first + (np.arange(float(shape.samples)) + 0.5) * looks.range - 0.5
        if isinstance(image, DetectedGeometry):
            grid, tables = image.grid, image.tables
        else:
            grid, tables = image, RangeTables.of(image)
        ranges, steps = _range_steps(grid, pixels)
        node_rows = np.unique(np.round(np.linspace(0.0, shape.lines - 1.0, _NODES)))
        lines = window.lines.first + (node_rows + 0.5) * looks.azimuth - 0.5
        depths = _line_distances(grid, orbit, lines, ranges[0])
        return cls(
            grid=grid,
            tables=tables,
            window=window,
            looks=looks,
            node_rows=node_rows,
            depths=depths * looks.azimuth,
            widths=steps * looks.range,
        )

    @property
    def shape(self) -> Shape:
        """Cells along lines and along pixels."""
        return _shape(self.window, self.looks)

    def places(
        self, times: NDArray[np.float64], ranges: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fractional rows and columns of cells (0 = centre of the first), of any shape."""
        lines = self.grid.line(times, ranges)
        pixels = self.tables.samples(lines, ranges)
        rows = (lines - self.window.lines.first + 0.5) / self.looks.azimuth - 0.5
        return rows, (pixels - self.window.pixels.first + 0.5) / self.looks.range - 0.5

    def areas(self, rows: Band) -> NDArray[np.float64]:
        """Areas in the slant plane [m2], shape (rows, columns): A_beta of Small 2011."""
        numbers = np.arange(rows.first, rows.first + rows.rows, dtype=np.float64)
        lines = self.window.lines.first + (numbers + 0.5) * self.looks.azimuth - 0.5
        areas: NDArray[np.float64] = _hat_weights(lines, self.tables.record_lines) @ self.widths
        areas *= _hat_weights(numbers, self.node_rows) @ self.depths
        return areas


def _hat_weights(places: NDArray[np.float64], nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of linear interpolation between nodes, shape (places, nodes)."""
    units = np.eye(nodes.size)
    return np.stack([np.interp(places, nodes, unit) for unit in units], axis=-1)


def _shape(window: Window, looks: Looks) -> Shape:
    return Shape(
        max(math.ceil(window.lines.rows / looks.azimuth), 1),
        max(math.ceil(window.pixels.rows / looks.range), 1),
    )


def _range_steps(
    grid: GroundRangeGrid | RadarGrid, pixels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slant ranges of pixels and their change per pixel [m], shape (records, pixels)."""
    if isinstance(grid, RadarGrid):
        level = grid.slant_range(pixels)[None]
        return level, np.full(level.shape, grid.slant_range_spacing)
    ranges, steps = [], []
    for record in grid.records:
        x = pixels * grid.ground_range_spacing - record.ground_range_origin
        ranges.append(polynomial.polyval(x, record.ground_to_slant))
        slope = polynomial.polyval(x, polynomial.polyder(record.ground_to_slant))
        steps.append(slope * grid.ground_range_spacing)
    return np.stack(ranges), np.stack(steps)


def _line_distances(
    grid: GroundRangeGrid | RadarGrid,
    orbit: Orbit,
    lines: NDArray[np.float64],
    ranges: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Distances on the ellipsoid between lines at one slant range [m], shape (lines, ranges)."""
    nodes = np.unique(np.round(np.linspace(0.0, ranges.size - 1.0, _NODES)).astype(np.int64))
    at = np.broadcast_to(ranges[nodes], (lines.size, nodes.size))
    times = grid.zero_doppler_time(np.broadcast_to(lines[:, None], at.shape), at)
    level = np.zeros(at.shape)
    ends = [
        radar_to_ground(orbit, times + step, at, level, side=grid.look_side)
        for step in (-_TIME_STEP, _TIME_STEP)
    ]
    measured = np.linalg.norm(ends[1] - ends[0], axis=-1) * grid.line_interval / (2.0 * _TIME_STEP)
    columns = np.arange(ranges.size)
    return np.stack([np.interp(columns, nodes, row) for row in measured])
