"""Lines of an image in a ring: each is read once, and windows hold the right pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.windows import LineRing
from kernels.engine.bands import Band
from kernels.model import Shape
from kernels.radiometry.calibration import LATTICE_STEP
from kernels.radiometry.detected import Calibrated, Interpolation, Window

IMAGE = Shape(400, 90)
PIXELS = Band(20, 60)


class Counted:
    """Intensities that tell their place, and how often each line was read."""

    def __init__(self) -> None:
        self.reads = np.zeros(IMAGE.lines, np.int64)

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.float32]:
        self.reads[first_line : first_line + lines] += 1
        stop = IMAGE.samples if samples is None else first_sample + samples
        line = np.arange(first_line, first_line + lines, dtype=np.float32)[:, None]
        return line * 1000.0 + np.arange(first_sample, stop, dtype=np.float32)


def ring_of(reader: Counted, capacity: int) -> LineRing:
    nodes = IMAGE.lines // LATTICE_STEP + 2, IMAGE.samples // LATTICE_STEP + 2
    twice = Calibrated(
        lattice=np.full(nodes, 2.0, np.float32), noise=None, interpolation=Interpolation.NEAREST
    )
    return LineRing(reader, twice, PIXELS, capacity)


def bands(downwards: bool) -> list[Band]:
    """Overlapping bands of lines that move along the image, as those under rows of a tile do."""
    found = [Band(first, 70) for first in range(0, 331, 13)]
    return found if downwards else found[::-1]


@pytest.mark.parametrize("downwards", [True, False])
def test_each_line_is_read_once_and_stays_while_it_is_needed(downwards: bool) -> None:
    reader = Counted()
    ring = ring_of(reader, 70 + 2 * 13)
    moving = bands(downwards)
    for number, band in enumerate(moving):
        ring.hold(band)
        for earlier in moving[max(number - 2, 0) : number + 1]:
            window = Window(lines=Band(earlier.first + 3, 60), pixels=Band(31, 40))
            line = np.arange(window.lines.first, window.lines.first + 60)[:, None]
            expected = 2.0 * (1000.0 * line + np.arange(31, 71))
            np.testing.assert_array_equal(ring.copy(window), expected)
    np.testing.assert_array_equal(reader.reads, np.arange(IMAGE.lines) < 395)


def test_a_ring_that_jumps_reads_nothing_between() -> None:
    reader = Counted()
    ring = ring_of(reader, 50)
    for first in (300, 10, 200):
        ring.hold(Band(first, 50))
        window = Window(lines=Band(first, 50), pixels=PIXELS)
        line = np.arange(first, first + 50)[:, None]
        np.testing.assert_array_equal(
            ring.copy(window), 2.0 * (1000.0 * line + np.arange(20.0, 80.0))
        )
    assert reader.reads.sum() == 150
