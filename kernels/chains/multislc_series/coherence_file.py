"""Coherence of every pair of dates on a grid of blocks, as an HDF5 file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.terrain import meet_terrain, tabulate_radar
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, Shape
from kernels.products.hdf5_writing import Hdf5Writer, create_hdf5


class CoherenceWriter:
    """Takes rows of blocks from top to bottom; made by `create_coherence_file`.

    Parameters
    ----------
    file : Hdf5Writer
        With its data sets.
    dates : int
        How many there are.
    block : Shape
        Lines and samples of a block.

    Attributes
    ----------
    sums : ndarray of float64, shape (dates, dates)
        Magnitudes of coherence, over blocks of which at least half is valid in both dates.
    blocks : ndarray of int64, shape (dates, dates)
        How many there are.
    """

    def __init__(self, file: Hdf5Writer, *, dates: int, block: Shape) -> None:
        self._file = file
        self._first = 0
        self._least = (block.lines * block.samples + 1) // 2
        self._pairs = np.triu_indices(dates, 1)
        self.sums = np.zeros((dates, dates))
        self.blocks = np.zeros((dates, dates), np.int64)

    def write(self, coherence: NDArray[np.complex64], pixels: NDArray[np.int32]) -> None:
        """Write the next rows.

        Parameters
        ----------
        coherence : ndarray of complex64, shape (rows, blocks, dates, dates)
            As in `CoherenceMatrices`.
        pixels : ndarray of int32, shape (rows, blocks, dates, dates)
            Valid in both dates.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        """
        counted = pixels >= self._least
        for row, is_counted in zip(coherence, counted, strict=True):
            self.sums += np.where(is_counted, np.abs(row), np.float32(0.0)).sum(
                axis=0, dtype=np.float64
            )
        self.blocks += counted.sum(axis=(0, 1))
        if not len(coherence):
            return
        rows = slice(self._first, self._first + len(coherence))
        pairs = coherence[:, :, *self._pairs].transpose(2, 0, 1)
        for name, values in (
            ("coherence", np.abs(pairs)),
            ("phase", np.angle(pairs)),
            ("pixels", pixels[:, :, *self._pairs].transpose(2, 0, 1)),
        ):
            self._file.put(name, (slice(None), rows), values)
        self._first = rows.stop


@contextmanager
def create_coherence_file(
    path: Path, swath: SwathPair, *, days: Sequence[str], block: Shape, dem: Dem
) -> Iterator[CoherenceWriter]:
    """Write the file; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    swath : SwathPair
        Grid and orbit of the reference.
    days : sequence of str
        Of the dates.
    block : Shape
        Lines and samples of a block.
    dem : Dem
        For the places of blocks.

    Yields
    ------
    CoherenceWriter
        Takes the blocks.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    grid = swath.layout.grid
    lines, samples = (_middles(*sizes) for sizes in zip(grid.shape, block, strict=True))
    first, second = np.triu_indices(len(days), 1)
    names = np.array(days, "S8")
    attributes = {
        "title": "Coherence of every pair of dates in blocks of pixels",
        "swath": f"{swath.reference.swath} {swath.reference.polarisation}",
        "block": f"{block.lines} lines x {block.samples} samples",
        "phase_sign": "first times conjugate second date, freed from topography: positive where "
        "the ground moved away from the radar between them",
    }
    with create_hdf5(path, attributes) as file:
        file.small("days", names)
        file.small("pairs", np.stack([names[first], names[second]], axis=1))
        file.small("line", lines, units="of the grid")
        file.small("sample", samples, units="of the grid")
        for name, values in zip(
            ("longitude", "latitude"), _places(lines, samples, swath, dem), strict=True
        ):
            file.small(name, values, units="degrees")
        shape = (len(first), lines.size, samples.size)
        file.layer("coherence", shape, np.float32, units="1", range="0 to 1, NaN without data")
        file.layer("phase", shape, np.float32, units="rad")
        file.layer("pixels", shape, np.int32, units="valid in both dates")
        yield CoherenceWriter(file, dates=len(days), block=block)


def _middles(size: int, block: int) -> NDArray[np.int64]:
    """Pixels in the middle of whole blocks."""
    return np.arange(size // block) * block + block // 2


def _places(
    lines: NDArray[np.int64], samples: NDArray[np.int64], swath: SwathPair, dem: Dem
) -> NDArray[np.float64]:
    """Longitude and latitude [degrees] of pixels on the terrain, shape (2, lines, samples).

    Heights are found along whole lines, as those of images are: NaN beside the terrain.
    """
    grid, orbit = swath.layout.grid, swath.reference_orbit
    polynomials = tabulate_radar(grid, orbit, dem)
    found = np.full((2, lines.size, samples.size), np.nan)
    for row, line in enumerate(lines):
        met, _ = meet_terrain(
            polynomials, dem, lines=Band(int(line), 1), samples=grid.shape.samples
        )
        heights = met[0, samples]
        known = np.isfinite(heights)
        ranges = grid.slant_range(samples[known].astype(np.float64))
        times = grid.zero_doppler_time(np.full(ranges.shape, float(line)), ranges)
        points = radar_to_ground(orbit, times, ranges, heights[known], side=grid.look_side)
        found[:, row, known] = np.degrees(ecef_to_geodetic(points)[:2])
    return found
