"""Removed noise against the annotation's definition, evaluated pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.model import NoiseBlock, NoiseLut, NoiseVector, Shape
from kernels.products.sentinel1 import open_sentinel1
from kernels.radiometry.calibration import LATTICE_STEP
from kernels.radiometry.detected import Calibrated, Interpolation, Window
from kernels.radiometry.noise import NoiseTables

SHAPE = Shape(60, 90)
AMPLITUDE = 200


def vector(line: int, step: int, level: float) -> NoiseVector:
    pixels = np.unique(np.append(np.arange(0, 89, step), 89)).astype(np.int32)
    values = level * (1.0 + 0.3 * np.sin(0.2 * pixels))
    return NoiseVector(line=line, pixels=pixels, values=values.astype(np.float32))


def block(
    swath: str, *, lines: tuple[int, int], samples: tuple[int, int], level: float
) -> NoiseBlock:
    """Factors every five lines and at the end, as the annotation has them."""
    at = np.unique(np.append(np.arange(lines[0], lines[1], 5), lines[1])).astype(np.int32)
    return NoiseBlock(
        swath=swath,
        first_line=lines[0],
        last_line=lines[1],
        first_sample=samples[0],
        last_sample=samples[1],
        lines=at,
        values=(level + 0.2 * np.cos(0.4 * at)).astype(np.float32),
    )


VECTORS = (vector(0, 7, 900.0), vector(20, 10, 1200.0), vector(47, 30, 1100.0))
OLD = NoiseLut(vectors=VECTORS, blocks=())
NEW = NoiseLut(
    vectors=VECTORS,
    blocks=(
        # the border between the swaths moves from block to block, as in long products
        block("IW2", lines=(0, 24), samples=(30, 61), level=0.7),
        block("IW1", lines=(0, 24), samples=(0, 29), level=1.0),
        block("IW1", lines=(25, 59), samples=(0, 33), level=1.1),
        block("IW2", lines=(25, 59), samples=(34, 58), level=0.8),
        block("IW3", lines=(0, 24), samples=(62, 89), level=1.3),
        block("IW3", lines=(25, 59), samples=(59, 89), level=1.2),
    ),
)
ONE_VECTOR = NoiseLut(vectors=VECTORS[1:2], blocks=NEW.blocks)


def defined(lut: NoiseLut, line: int, sample: int) -> float:
    """MPC-0392: linear along the vectors and between them, times the block's factor."""
    lines = [v.line for v in lut.vectors]
    along = [np.interp(sample, v.pixels, v.values) for v in lut.vectors]
    value = float(np.interp(line, lines, along))
    inside = [
        b
        for b in lut.blocks
        if b.first_line <= line <= b.last_line and b.first_sample <= sample <= b.last_sample
    ]
    assert len(inside) == (1 if lut.blocks else 0)
    return value * (float(np.interp(line, inside[0].lines, inside[0].values)) if inside else 1.0)


def removed(lut: NoiseLut, shape: Shape, line: int) -> NDArray[np.float64]:
    """What is missing of a uniform image's intensity on a line, with calibration by 1."""
    nodes = shape.lines // LATTICE_STEP + 2, shape.samples // LATTICE_STEP + 2
    calibrated = Calibrated(
        lattice=np.ones(nodes, np.float32),
        noise=NoiseTables.of(lut, shape),
        interpolation=Interpolation.NEAREST,
    )
    row = np.full((1, shape.samples), AMPLITUDE**2, np.float32)
    first = 2  # a window inside the image
    calibrated.calibrate(row[:, :first], Window(lines=Band(line, 1), pixels=Band(0, first)))
    rest = Band(first, shape.samples - first)
    calibrated.calibrate(row[:, first:], Window(lines=Band(line, 1), pixels=rest))
    missing: NDArray[np.float64] = float(AMPLITUDE**2) - row[0].astype(np.float64)
    return missing


@pytest.mark.parametrize("lut", [OLD, NEW, ONE_VECTOR], ids=["old", "new", "one vector"])
def test_removed_noise_is_that_of_the_annotation_at_every_pixel(lut: NoiseLut) -> None:
    for line in range(SHAPE.lines):
        expected = [defined(lut, line, sample) for sample in range(SHAPE.samples)]
        # intensities of 40000 in single precision
        np.testing.assert_allclose(removed(lut, SHAPE, line), expected, rtol=0, atol=0.01)


def test_lines_that_no_block_reaches_have_the_factor_of_its_nearest_end() -> None:
    cut = NoiseLut(
        vectors=VECTORS[:1],
        blocks=(block("IW1", lines=(10, 39), samples=(0, 89), level=1.0),),
    )
    for line, nearest in ((0, 10), (9, 10), (40, 39), (59, 39)):
        np.testing.assert_allclose(
            removed(cut, SHAPE, line), removed(cut, SHAPE, nearest), rtol=0, atol=0.01
        )


@pytest.mark.shared_data
def test_real_noise_at_the_borders_of_the_swaths(shared_data: Path) -> None:
    (path,) = shared_data.glob("rome_s1/*GRDH*.SAFE")
    image = open_sentinel1(path).grd("VV", need_pixels=False)
    lut, shape = image.noise, image.grid.shape
    assert lut is not None
    borders = [0, 8889, 8890, 17700, 17701, shape.samples - 1]
    for line in (0, 667, 668, 9001, shape.lines - 1):
        expected = [defined(lut, line, sample) for sample in borders]
        np.testing.assert_allclose(removed(lut, shape, line)[borders], expected, atol=0.01)
