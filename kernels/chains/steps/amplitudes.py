"""Multilooked amplitudes of whatever a user names: a product, or a raster of another step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.steps.images import open_image
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProductError, RequestError
from kernels.insar.mosaic import lay_out
from kernels.model import Looks, MapGrid, RadarGrid, Shape
from kernels.products.preview import looked_grid
from kernels.products.raster import RasterReader

_BYTES_PER_PIXEL = 24
_LARGEST_BAND = 512
_PRODUCTS = (".zip", ".h5", ".xml")
"""Endings of files that are products; other files are rasters."""


class _Piece(NamedTuple):
    """Lines of a file, the valid samples of each, and the row of cells that they begin at."""

    first_line: int
    lines: int
    row: int
    first_valid: NDArray[np.int32] | None
    last_valid: NDArray[np.int32] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amplitudes:
    """An image in look cells.

    Attributes
    ----------
    name : str
        Of the product or file.
    looks : Looks
        Of a cell.
    shape : Shape
        Rows and cells.
    grid : RadarGrid, MapGrid or None
        Of the cells, where it is known.
    tags : dict of str to str
        For files that are made of it.
    read : callable
        ``read(first_line, lines) -> pixels`` of the file, all samples, of any type; NaN is no
        data.
    pieces : tuple
        Lines of the file in order of cells; together they fill every row.
    """

    name: str
    looks: Looks
    shape: Shape
    grid: RadarGrid | MapGrid | None
    read: Callable[[int, int], NDArray[Any]]
    pieces: tuple[_Piece, ...]
    tags: dict[str, str] = field(default_factory=dict)

    def go_through(
        self,
        take: Callable[[int, NDArray[np.float32]], None],
        *,
        threads: int,
        memory_mb: int,
        progress: Progress,
    ) -> None:
        """Read the image once.

        Parameters
        ----------
        take : callable
            ``take(row, amplitudes)`` of some rows of cells, in order: the root of the mean
            intensity of each cell, NaN where a pixel has no signal.
        threads : int
            Computing threads.
        memory_mb : int
            Budget for pixel blocks [MB].
        progress : Progress
            Told per band of lines.
        """
        samples = self.shape.samples * self.looks.range
        rows = rows_for_budget(
            memory_mb * 1e6 / (threads + 1), bytes_per_row=(samples + 64) * _BYTES_PER_PIXEL
        )
        tasks = [
            (piece, band)
            for piece in self.pieces
            for band in split_rows(
                piece.lines, band_rows=min(rows, _LARGEST_BAND), multiple=self.looks.azimuth
            )
        ]
        run_bands(
            tasks,
            read=lambda task: self.read(task[0].first_line + task[1].first, task[1].rows),
            compute=lambda task, pixels: self._cells(*task, pixels),
            write=lambda task, cells: take(
                task[0].row + task[1].first // self.looks.azimuth, cells
            ),
            threads=threads,
            progress=progress,
            step="amplitude",
        )

    def _cells(self, piece: _Piece, lines: Band, pixels: NDArray[Any]) -> NDArray[np.float32]:
        rows, cells = lines.rows // self.looks.azimuth, self.shape.samples
        intensity = np.square(np.abs(pixels[:, : cells * self.looks.range]), dtype=np.float32)
        if piece.first_valid is not None and piece.last_valid is not None:
            part = slice(lines.first, lines.first + lines.rows)
            sample = np.arange(intensity.shape[1])
            first, last = piece.first_valid[part, None], piece.last_valid[part, None]
            intensity[(first < 0) | (sample < first) | (sample > last)] = np.nan
        blocks = intensity[: rows * self.looks.azimuth].reshape(
            rows, self.looks.azimuth, cells, self.looks.range
        )
        found: NDArray[np.float32] = np.sqrt(blocks.mean(axis=(1, 3), dtype=np.float32))
        return found


def open_amplitudes(
    paths: tuple[Path, ...], *, swath: str | None, polarisation: str, looks: Looks
) -> Amplitudes:
    """Open a product or a raster.

    Parameters
    ----------
    paths : tuple of Path
        A product or its slices; or one raster file, whose first band is taken.
    swath, polarisation : str
        Of a product; None: its first swath.
    looks : Looks
        Of a cell.

    Returns
    -------
    Amplitudes
        Not read yet; cells at the ends that are not whole are left out.

    Raises
    ------
    InputError
        What is named cannot be used.
    RequestError
        A swath or polarisation that the product does not have, or looks that it is too small for.
    """
    if len(paths) == 1 and paths[0].is_file() and paths[0].suffix.lower() not in _PRODUCTS:
        found = _of_raster(paths[0], looks)
    else:
        found = _of_product(paths, swath, polarisation, looks)
    if min(found.shape) < 1:
        raise RequestError("azimuth_looks", "less than the lines and samples of the image", looks)
    return found


def _of_raster(path: Path, looks: Looks) -> Amplitudes:
    reader = RasterReader(path)
    shape = Shape(reader.shape.lines // looks.azimuth, reader.shape.samples // looks.range)
    grid = reader.grid
    return Amplitudes(
        name=path.name,
        looks=looks,
        shape=shape,
        grid=None if grid is None else looked_grid(grid, looks),
        read=reader.pixels,
        pieces=(_Piece(0, shape.lines * looks.azimuth, 0, None, None),),
    )


def _of_product(
    paths: tuple[Path, ...], swath: str | None, polarisation: str, looks: Looks
) -> Amplitudes:
    image = open_image("image", paths, swath=swath, polarisation=polarisation).image
    pixels = image.pixels
    if pixels is None:
        raise ProductError(f"{image.name} was opened without its pixels")
    layout = lay_out(image.bursts, {}, azimuth_looks=looks.azimuth)
    pieces = []
    for placement in layout.placements:
        burst, first = placement.burst, placement.start - placement.origin
        lines = placement.stop - placement.start
        part = slice(first, first + lines)
        pieces.append(
            _Piece(
                burst.first_line + first if burst.index >= 0 else 0,
                lines,
                placement.start // looks.azimuth,
                burst.first_valid_sample[part],
                burst.last_valid_sample[part],
            )
        )
    grid = layout.grid.looked(looks)
    return Amplitudes(
        name=image.name,
        looks=looks,
        shape=grid.shape,
        grid=grid,
        read=pixels.read,
        pieces=tuple(pieces),
        tags={
            "PRODUCT": image.name,
            "SWATH": image.swath,
            "POLARISATION": image.polarisation,
            "LOOKS": f"{looks.azimuth} x {looks.range} (azimuth x range)",
        },
    )
