"""Tiles of elevation put together on one lattice of posts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.errors import DemError
from kernels.model import GeographicBox, Shape
from kernels.products.dem_tiles import PostGrid, Tile, box_of_posts

_CHUNK_ROWS = 256
"""Rows computed at once, so that temporary arrays stay small."""

_POSTS_AT_ONCE = 16_000_000
"""Read at once: a whole SRTM tile, whose zip can only be read from its start."""

_MOST_POSTS = 1_000_000_000
_MARGIN = 2
_ROUNDING = 1e-6
"""Posts; closer to a post than this is on it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The posts of a lattice that cover a box and a margin.

    Attributes
    ----------
    grid : PostGrid
        Whose north-west post is the first of the frame.
    shape : Shape
        Rows and columns.
    """

    grid: PostGrid
    shape: Shape

    @classmethod
    def over(cls, box: GeographicBox, lattice: PostGrid) -> Frame:
        """Return the frame of a box with two posts more on each side, short of the poles."""
        west, north, longitude_step, latitude_step = lattice
        first_column = math.floor((box.west - west) / longitude_step + _ROUNDING) - _MARGIN
        last_column = math.ceil((box.east - west) / longitude_step - _ROUNDING) + _MARGIN
        first_row = math.floor((box.north - north) / latitude_step + _ROUNDING) - _MARGIN
        last_row = math.ceil((box.south - north) / latitude_step - _ROUNDING) + _MARGIN
        first_row = max(first_row, math.ceil((90.0 - north) / latitude_step - _ROUNDING))
        last_row = min(last_row, math.floor((-90.0 - north) / latitude_step + _ROUNDING))
        shape = Shape(last_row - first_row + 1, last_column - first_column + 1)
        if shape.lines * shape.samples > _MOST_POSTS:
            raise DemError(
                f"elevation model is too fine for the box: {shape.lines} x {shape.samples} posts,"
                f" at most {_MOST_POSTS} are possible"
            )
        origin = lattice._replace(
            west=west + first_column * longitude_step, north=north + first_row * latitude_step
        )
        return cls(origin, shape)

    @property
    def box(self) -> GeographicBox:
        """Box around the posts."""
        return box_of_posts(self.grid, self.shape)

    @property
    def longitudes(self) -> NDArray[np.float64]:
        """Of the columns [degrees]."""
        return (
            self.grid.west
            + np.arange(self.shape.samples, dtype=np.float64) * self.grid.longitude_step
        )

    @property
    def latitudes(self) -> NDArray[np.float64]:
        """Of the rows [degrees]."""
        return (
            self.grid.north
            + np.arange(self.shape.lines, dtype=np.float64) * self.grid.latitude_step
        )

    def needed(self, box: GeographicBox) -> tuple[slice, slice]:
        """Rows and columns that interpolation inside the box takes part of."""
        west, north, longitude_step, latitude_step = self.grid
        top = math.floor((box.north - north) / latitude_step + _ROUNDING)
        bottom = math.ceil((box.south - north) / latitude_step - _ROUNDING)
        left = math.floor((box.west - west) / longitude_step + _ROUNDING)
        right = math.ceil((box.east - west) / longitude_step - _ROUNDING)
        return slice(max(top, 0), bottom + 1), slice(left, right + 1)

    def chunks(self) -> Iterator[slice]:
        """Yield the rows in groups."""
        for start in range(0, self.shape.lines, _CHUNK_ROWS):
            yield slice(start, min(start + _CHUNK_ROWS, self.shape.lines))


def merge(surface: NDArray[np.float32], frame: Frame, tiles: Sequence[Tile]) -> list[str]:
    """Fill the posts without a value from the tiles of one source.

    Parameters
    ----------
    surface : ndarray of float32, shape frame.shape
        Heights, NaN where there is none yet; changed in place.
    frame : Frame
        Of the surface.
    tiles : sequence of Tile
        On this or on other lattices; the first with a value wins.

    Returns
    -------
    list of str
        Names of the tiles that gave a value.
    """
    names = []
    for group in _by_lattice(tiles):
        if group[0].grid.aligned(frame.grid, posts=max(frame.shape)):
            own_frame, own_surface = frame, surface
        else:
            own_frame = Frame.over(frame.box, group[0].grid)
            own_surface = np.full(own_frame.shape, np.nan, dtype=np.float32)
        names += [tile.name for tile in group if _paste(own_surface, own_frame, tile)]
        if own_surface is not surface:
            _resample(surface, frame, own_surface, own_frame)
    return names


def _by_lattice(tiles: Sequence[Tile]) -> list[list[Tile]]:
    """Group tiles that share a lattice, in the order of the first of each."""
    groups: list[list[Tile]] = []
    for tile in tiles:
        for group in groups:
            if group[0].grid.aligned(tile.grid, posts=max(tile.shape)):
                group.append(tile)
                break
        else:
            groups.append([tile])
    return groups


def _paste(surface: NDArray[np.float32], frame: Frame, tile: Tile) -> bool:
    """Copy a tile's posts to where there is no value; tell whether there was any to copy."""
    grid = frame.grid
    row = round((tile.grid.north - grid.north) / grid.latitude_step)
    column = round((tile.grid.west - grid.west) / grid.longitude_step)
    top, bottom = max(row, 0), min(row + tile.shape.lines, frame.shape.lines)
    left, right = max(column, 0), min(column + tile.shape.samples, frame.shape.samples)
    if top >= bottom or left >= right:
        return False
    contributed = False
    rows_at_once = max(_POSTS_AT_ONCE // (right - left), 1)
    for start in range(top, bottom, rows_at_once):
        stop = min(start + rows_at_once, bottom)
        heights = tile.reader.read(start - row, stop - start, left - column, right - left)
        part = surface[start:stop, left:right]
        wanted = np.isnan(part) & ~np.isnan(heights)
        np.copyto(part, heights, where=wanted)
        contributed = contributed or bool(wanted.any())
    return contributed


def _resample(
    surface: NDArray[np.float32],
    frame: Frame,
    other: NDArray[np.float32],
    other_frame: Frame,
) -> None:
    """Fill posts without a value bilinearly from another lattice.

    A post of the other lattice that has no weight may be void.
    """
    grid = other_frame.grid
    above, below, row_weight = _neighbours(
        (frame.latitudes - grid.north) / grid.latitude_step, other_frame.shape.lines
    )
    left, right, column_weight = _neighbours(
        (frame.longitudes - grid.west) / grid.longitude_step, other_frame.shape.samples
    )
    for rows in frame.chunks():
        weight = row_weight[rows, np.newaxis]
        lines = other[above[rows]] * (1.0 - weight) + other[below[rows]] * weight
        heights = lines[:, left] * (1.0 - column_weight) + lines[:, right] * column_weight
        part = surface[rows]
        np.copyto(part, heights.astype(np.float32), where=np.isnan(part))


def _neighbours(
    positions: NDArray[np.float64], size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the posts before and after positions and the weight of the latter, NaN outside.

    On a post both are that post, so that a void beside it does no harm.
    """
    on_post = np.abs(positions - np.rint(positions)) <= _ROUNDING
    positions = np.where(on_post, np.rint(positions), positions)
    before = np.floor(positions).astype(np.intp)
    weight = positions - before
    after = np.where(weight > 0.0, before + 1, before)
    weight[(before < 0) | (after >= size)] = np.nan
    return np.clip(before, 0, size - 1), np.clip(after, 0, size - 1), weight
