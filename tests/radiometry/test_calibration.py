"""The calibration lattice against direct evaluation of the vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from kernels.model import CalibrationLut, Shape
from kernels.products.sentinel1 import open_sentinel1
from kernels.radiometry.calibration import LATTICE_STEP, Quantity, calibration_lattice

SHAPE = Shape(1500, 2011)
NAMES = {
    Quantity.SIGMA: "sigma_nought",
    Quantity.BETA: "beta_nought",
    Quantity.GAMMA: "gamma",
}
Array = NDArray[np.float64]


def vectors() -> CalibrationLut:
    """Each quantity changes in its own way from near to far and from the first line on."""
    lines = np.array([0, 668, 1336, 2004], np.int32)
    pixels = np.append(np.arange(0, 2010, 40), 2010).astype(np.int32)
    incidence = np.radians(31.0 + 0.001 * pixels + 1e-4 * lines[:, None])
    return CalibrationLut(
        times=lines * 1.5e-3,
        lines=lines,
        pixels=pixels,
        sigma_nought=(474.0 / np.sqrt(np.sin(incidence))).astype(np.float32),
        beta_nought=(474.0 + 0.01 * lines[:, None] + 0.0 * incidence).astype(np.float32),
        gamma=(474.0 / np.sqrt(np.tan(incidence))).astype(np.float32),
        digital_number=np.ones(incidence.shape, np.float32),
    )


def between_nodes(lattice: NDArray[np.float32], lines: Array, pixels: Array) -> Array:
    """Bilinear between the lattice's nodes."""
    axes = [np.arange(n) * float(LATTICE_STEP) for n in lattice.shape]
    table = RegularGridInterpolator(axes, lattice.astype(np.float64))
    return np.asarray(table((lines, pixels)))


def factors(lut: CalibrationLut, quantity: Quantity, lines: Array, pixels: Array) -> Array:
    """Intensity to backscatter, from vectors that are linear between their entries."""
    values = getattr(lut, NAMES[quantity]).astype(np.float64)
    amplitude = RegularGridInterpolator((lut.lines, lut.pixels), values)((lines, pixels))
    return np.asarray(1.0 / amplitude**2)


def places(shape: Shape, last_line: int, last_pixel: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(5)
    lines = generator.uniform(0, min(shape.lines - 1, last_line), 20_000)
    return lines, generator.uniform(0, min(shape.samples - 1, last_pixel), 20_000)


@pytest.mark.parametrize("quantity", list(Quantity))
def test_lattice_is_the_bilinear_value_of_the_vectors(quantity: Quantity) -> None:
    lut = vectors()
    lattice = calibration_lattice(lut, quantity, SHAPE)
    lines, pixels = places(SHAPE, 2004, 2010)
    np.testing.assert_allclose(
        between_nodes(lattice, lines, pixels), factors(lut, quantity, lines, pixels), rtol=1e-5
    )


def test_the_last_entry_between_two_nodes_is_met() -> None:
    """Real vectors end with a shorter step at the last sample."""
    lut = vectors()
    assert lut.pixels[-1] % LATTICE_STEP != 0
    lattice = calibration_lattice(lut, Quantity.GAMMA, SHAPE)
    assert (lattice.shape[0] - 1) * LATTICE_STEP >= SHAPE.lines
    assert (lattice.shape[1] - 1) * LATTICE_STEP >= SHAPE.samples
    lines, pixels = np.linspace(0, 1499, 50), np.full(50, 2010.0)
    np.testing.assert_allclose(
        between_nodes(lattice, lines, pixels),
        factors(lut, Quantity.GAMMA, lines, pixels),
        rtol=1e-5,
    )


def test_jumps_between_neighbouring_entries_keep_their_place() -> None:
    """As at the borders of the swaths of real products."""
    lut = vectors()
    values = np.where(lut.pixels < 1000, 474.0, 476.0)
    jump = replace(lut, gamma=np.tile(values, (4, 1)).astype(np.float32))
    lattice = calibration_lattice(jump, Quantity.GAMMA, SHAPE)
    pixels = np.arange(900.0, 1100.0)
    lines = np.full(pixels.size, 300.0)
    np.testing.assert_allclose(
        between_nodes(lattice, lines, pixels),
        factors(jump, Quantity.GAMMA, lines, pixels),
        rtol=2e-5,
    )


def test_a_single_vector_serves_all_lines() -> None:
    lut = vectors()
    one = replace(lut, lines=lut.lines[:1], beta_nought=lut.beta_nought[:1])
    lattice = calibration_lattice(one, Quantity.BETA, SHAPE)
    np.testing.assert_allclose(lattice, 474.0**-2, rtol=1e-6)


@pytest.mark.shared_data
@pytest.mark.parametrize("quantity", list(Quantity))
def test_a_real_products_vectors(shared_data: Path, quantity: Quantity) -> None:
    (path,) = shared_data.glob("rome_s1/*GRDH*.SAFE")
    image = open_sentinel1(path).grd("VV", need_pixels=False)
    lut, shape = image.calibration, image.grid.shape
    assert lut is not None
    lattice = calibration_lattice(lut, quantity, shape)
    lines, pixels = places(shape, int(lut.lines[-1]), int(lut.pixels[-1]))
    np.testing.assert_allclose(
        between_nodes(lattice, lines, pixels), factors(lut, quantity, lines, pixels), rtol=2e-5
    )
