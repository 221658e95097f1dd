"""Images of independent scatterers, each with its own range phase in each image."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.locate_numba import (
    Terrain,
    cartesian,
    terrain_height,
)
from kernels.simulation.mapping_numba import (
    TIME_TOLERANCE,
    Appearance,
    level_looks,
    ramp_cycles,
    see_point,
    view_line,
)
from kernels.simulation.reflectivity import OVERSAMPLING, Kernel
from kernels.simulation.reflectivity_numba import mix, uniform
from kernels.simulation.view import View


class Cells(NamedTuple):
    """Cells of the ground, one scatterer each; cell (i, j) begins at (j, i) times the steps.

    Steps in longitude and latitude [degrees], first row and column, numbers of rows and columns,
    and the amplitude that gives a scene of mean power 1.
    """

    longitude_step: float
    latitude_step: float
    first_row: int
    first_column: int
    rows: int
    columns: int
    amplitude: float


@njit(cache=True, nogil=True)
def kernel_value(table: NDArray[np.float32], offset: float) -> float:
    """Value of a kernel at an offset in lattice steps; 0 beyond its ends."""
    entries, taps = table.shape
    whole = math.floor(offset)
    tap = taps // 2 - 1 - int(whole)
    if not 0 <= tap < taps:
        return 0.0
    value: float = table[int((offset - whole) * entries), tap]
    return value


@njit(cache=True, nogil=True)
def add_point(
    image: NDArray[np.complex64],
    row: float,
    sample: float,
    value: complex,
    kernel: Kernel,
    across: NDArray[np.float32],
) -> None:
    """Add the response of a point at a fractional row and sample of an image at baseband.

    `across` is room for the range kernel at the samples, at least as many as it has taps.
    """
    lines, samples = image.shape
    half_lines = kernel.azimuth.shape[1] // 2
    half_samples = kernel.range.shape[1] // 2 / OVERSAMPLING
    top = max(math.ceil(row - half_lines), 0)
    bottom = min(math.floor(row + half_lines), lines - 1)
    left = max(math.ceil(sample - half_samples), 0)
    right = min(math.floor(sample + half_samples), samples - 1)
    for j in range(left, right + 1):
        across[j - left] = kernel_value(kernel.range, (j - sample) * OVERSAMPLING)
    for i in range(top, bottom + 1):
        share = np.complex64(kernel_value(kernel.azimuth, i - row) * value)
        for j in range(left, right + 1):
            image[i, j] += share * across[j - left]


@njit(cache=True, nogil=True)
def point_phase(view: View, line: float, slant_range: float) -> complex:
    """Phase at baseband of a point at a true line: of its path, and of the ramp about it."""
    cycles = -2.0 * slant_range / view.wavelength
    cycles += ramp_cycles(view.ramp, line, view.line_interval, slant_range)
    angle = 2.0 * math.pi * (cycles - round(cycles))
    return complex(math.cos(angle), math.sin(angle))


@njit(cache=True, nogil=True)
def gaussian(bits: np.uint64) -> complex:
    """Circular Gaussian number of mean power 1 (Box and Muller 1958)."""
    u, v = uniform(bits)
    radius = math.sqrt(-math.log(max(u + 0.5, 1e-12)))
    angle = 2.0 * math.pi * v
    return complex(radius * math.cos(angle), radius * math.sin(angle))


@njit(cache=True, nogil=True)
def add_scatterers(
    view: View,
    terrain: Terrain,
    looks: Appearance,
    cells: Cells,
    seeds: tuple[int, int],
    first_line: int,
    image: NDArray[np.complex64],
    kernel: Kernel,
) -> None:
    """Add the scatterers of all cells to some lines of an image at baseband.

    `seeds` are those of the positions and common reflectivity, and of the date's own. Cells are
    of equal horizontal area: slopes towards the radar gather more of them per pixel, and every
    point of a layover contributes.
    """
    lines, samples = image.shape
    margin_lines = kernel.azimuth.shape[1] // 2
    margin_samples = kernel.range.shape[1] // 2
    across = np.empty(kernel.range.shape[1], np.float32)
    seed = view.orbit.middle
    for i in range(cells.first_row, cells.first_row + cells.rows):
        row_key = mix(np.uint64(seeds[0]) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(i))
        for j in range(cells.first_column, cells.first_column + cells.columns):
            key = mix(row_key + np.uint64(j))
            du, dv = uniform(mix(key + np.uint64(1)))
            longitude = (j + du + 0.5) * cells.longitude_step
            latitude = (i + dv + 0.5) * cells.latitude_step
            height = terrain_height(terrain, longitude, latitude)
            point = cartesian(longitude, latitude, height)
            seed, distance, change = see_point(view, point, height, seed, TIME_TOLERANCE)
            sample = (distance + change - view.first_range) / view.range_spacing
            line = view_line(view, seed, distance)
            row = line - view.misregistration - first_line
            if not -margin_samples < sample < samples + margin_samples:
                continue
            if not -margin_lines < row < lines + margin_lines:
                continue
            amplitude, coherence = level_looks(looks, height)
            own = mix(mix(np.uint64(seeds[1]) + key) + np.uint64(2))
            value = math.sqrt(coherence) * gaussian(mix(key + np.uint64(3)))
            value += math.sqrt(1.0 - coherence) * gaussian(own)
            value *= amplitude * cells.amplitude
            value *= point_phase(view, line, distance + change)
            add_point(image, row, sample, value, kernel, across)
