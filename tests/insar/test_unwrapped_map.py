"""Cycles of map pixels from an unwrapped raster."""

from __future__ import annotations

import math

import numpy as np

from kernels.insar.unwrapped_map_numba import unwrap_pixels


def test_pixels_get_the_cycles_of_a_plane_and_keep_their_phase() -> None:
    i, j = np.mgrid[0:20, 0:30].astype(np.float64)
    plane = (2.1 * i - 1.3 * j).astype(np.float32)
    components = np.ones(plane.shape, np.int32)
    components[:, 15:] = 2
    components[8, 3] = 0
    generator = np.random.default_rng(0)
    rows, columns = generator.uniform(-1.0, (20.0, 30.0), size=(50, 40, 2)).T.transpose(0, 2, 1)
    truth = 2.1 * rows - 1.3 * columns + generator.normal(0.0, 0.3, rows.shape)
    phase = np.angle(np.exp(1j * truth)).astype(np.float32)
    wrapped = phase.copy()
    phase[0] = wrapped[0] = np.nan
    rows[1] = np.nan
    component = np.full(rows.shape, -1, np.int32)
    unwrap_pixels(rows, columns, plane, components, phase, component)
    known = np.isfinite(phase)
    np.testing.assert_allclose(phase[known], truth[known], atol=1e-4)
    cycles = (phase - wrapped)[known] / (2.0 * math.pi)
    np.testing.assert_allclose(cycles, np.rint(cycles), atol=1e-5)
    # everywhere but off the raster, across the border of components and beside the hole
    with np.errstate(invalid="ignore"):
        inside = (rows >= 0) & (columns >= 0) & (rows <= 19) & (columns <= 29)
        border = (columns >= 14) & (columns < 15)
        hole = (rows >= 7) & (rows < 9) & (columns >= 2) & (columns < 4)
    wanted = inside & ~border & ~hole
    wanted[0] = False
    np.testing.assert_array_equal(known, wanted)
    np.testing.assert_array_equal(component, np.where(wanted, np.where(columns < 15, 1, 2), 0))
