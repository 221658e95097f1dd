"""The pixels of a state: a GeoTIFF of two images, sums as float32 and counts as few bits as do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.multitemporal_filter.reading import Layer, SlidingRows
from kernels.engine.bands import Band, split_rows
from kernels.engine.workspace import publish, scratch_folder
from kernels.model import MapGrid, Shape
from kernels.products.raster import TILE, BandWriter, Compression, create_raster
from kernels.products.raster_writing import Form, Writing
from kernels.radiometry.multitemporal import TemporalSums

_MOST_IN_A_BYTE = 255


def sums_of(path: Path) -> Layer:
    """Image of the sums."""
    return Layer(path)


def counts_of(path: Path) -> Layer:
    """Image of the counts."""
    return Layer(path, image=2)


class StateRows:
    """Bands of rows of a state with a halo, in order; see `SlidingRows`."""

    def __init__(self, path: Path, shape: Shape, halo: int) -> None:
        self._totals = SlidingRows([sums_of(path)], shape, halo)
        self._counts = SlidingRows([counts_of(path)], shape, halo, "uint16")

    def read(self, band: Band) -> TemporalSums:
        """Return the rows of a band and its halo; raises InputError."""
        return TemporalSums(self._totals.read(band)[0], self._counts.read(band)[0])


class StateWriter:
    """Takes the rows of a state from top to bottom; made by `create_state`."""

    def __init__(self, totals: BandWriter, counts: NDArray[np.unsignedinteger[Any]]) -> None:
        self._totals = totals
        self._counts = counts

    def write(self, first_row: int, sums: TemporalSums) -> None:
        """Write the next rows; raises ProcessingError."""
        self._totals.write(first_row, sums.total[None])
        self._counts[first_row : first_row + len(sums.counts)] = sums.counts


@contextmanager
def create_state(
    path: Path,
    *,
    grid: MapGrid,
    images: int,
    compression: Compression,
    tags: dict[str, str],
    threads: int,
) -> Iterator[StateWriter]:
    """Write a state by bands of rows; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    grid : MapGrid
        Of the series.
    images : int
        Acquisitions in it: the largest count.
    compression : "ZSTD", "DEFLATE", "LERC" or "NONE"
        Of the series; sums are never rounded.
    tags : dict of str to str
        From `state_tags`.
    threads : int
        Compressing threads.

    Yields
    ------
    StateWriter
        Takes the rows, from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    exact: Compression = "ZSTD" if compression == "LERC" else compression
    # GDAL writes one image of a file at a time: these wait for the other
    counts = np.empty(grid.shape, np.uint8 if images <= _MOST_IN_A_BYTE else np.uint16)
    with scratch_folder(path.parent) as scratch:
        whole = scratch / path.name
        with create_raster(
            whole,
            grid.shape,
            ("sum",),
            grid=grid,
            compression=exact,
            tags=tags,
            threads=threads,
        ) as writer:
            yield StateWriter(writer, counts)
        _append(counts, whole, grid, exact)
        publish(whole, path)


def _append(
    counts: NDArray[np.unsignedinteger[Any]], path: Path, grid: MapGrid, compression: Compression
) -> None:
    """Add counts as one more image of a file."""
    options = ["APPEND_SUBDATASET=YES", "TILED=YES", f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}"]
    options += ["BIGTIFF=IF_SAFER", f"COMPRESS={compression}"]
    if compression != "NONE":
        options.append("ZLEVEL=1" if compression == "DEFLATE" else "ZSTD_LEVEL=1")
    kind = gdal.GDT_Byte if counts.dtype == np.uint8 else gdal.GDT_UInt16
    with Writing(path):
        dataset = gdal.GetDriverByName("GTiff").Create(
            str(path), grid.shape.samples, grid.shape.lines, 1, kind, options
        )
    form = Form(
        nodata=0.0,
        compression=compression,
        threads=1,
        dtype="uint8" if counts.dtype == np.uint8 else "uint16",
        overviews=None,
        decibels=False,
    )
    writer = BandWriter(dataset, path, form)
    del dataset
    try:
        writer.describe(grid=grid, tags={}, names=("count",), units=())
        for rows in split_rows(grid.shape.lines, band_rows=TILE):
            writer.write(rows.first, counts[None, rows.first : rows.first + rows.rows])
        writer.close()
    finally:
        writer.abandon()
