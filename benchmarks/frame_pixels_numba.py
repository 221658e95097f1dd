"""Compiled filling of lines with a repeated tile of noise: arrays only, called by `frame_input`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.mapping_numba import Frame, ramp_cycles, view_line
from kernels.simulation.view import View


class Nodes(NamedTuple):
    """Lattice coordinates and brightness on every `step`-th line and sample of a burst."""

    step: int
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    amplitudes: NDArray[np.float32]


@njit(cache=True, nogil=True)
def _between(nodes: NDArray[np.floating], i: int, j: int, y: float, x: float) -> float:
    """Bilinear value inside the cell (i, j)."""
    upper = nodes[i, j] + x * (nodes[i, j + 1] - nodes[i, j])
    lower = nodes[i + 1, j] + x * (nodes[i + 1, j + 1] - nodes[i + 1, j])
    value: float = upper + y * (lower - upper)
    return value


@njit(cache=True, nogil=True)
def fill_lines(
    view: View,
    reference: View,
    frame: Frame,
    nodes: Nodes,
    tile: NDArray[np.complex64],
    first_line: int,
    first_valid: NDArray[np.int32],
    last_valid: NDArray[np.int32],
    pixels: NDArray[np.int16],
) -> None:
    """Fill the valid samples of some lines.

    The model is that of `kernels.simulation.mapping_numba`, with the noise taken from the nearest
    of the tile's fractions of a step: shape (fractions, fractions, rows, columns), sides powers
    of 2. `pixels` has the shape (lines, samples, 2) and is 0 where nothing is valid.
    """
    fractions = tile.shape[0]
    row_mask, column_mask = tile.shape[2] - 1, tile.shape[3] - 1
    for k in range(pixels.shape[0]):
        if first_valid[k] < 0:
            continue
        line = first_line + k
        i = line // nodes.step
        y = line / nodes.step - i
        for p in range(first_valid[k], last_valid[k] + 1):
            j = p // nodes.step
            x = p / nodes.step - j
            row = _between(nodes.rows, i, j, y, x)
            column = _between(nodes.columns, i, j, y, x)
            amplitude = _between(nodes.amplitudes, i, j, y, x)
            distance = column * frame.range_step
            own = view.first_range + p * view.range_spacing
            at = view_line(reference, frame.start + row * frame.line_interval, distance)
            cycles = -2.0 * (own - distance) / view.wavelength - ramp_cycles(
                reference.ramp, at, reference.line_interval, distance
            )
            angle = 2.0 * math.pi * (cycles - round(cycles))
            u = math.floor(row * fractions + 0.5)
            v = math.floor(column * fractions + 0.5)
            noise = tile[
                u % fractions,
                v % fractions,
                (u // fractions) & row_mask,
                (v // fractions) & column_mask,
            ]
            value = amplitude * noise * complex(math.cos(angle), math.sin(angle))
            pixels[k, p, 0] = min(max(round(value.real), -32768), 32767)
            pixels[k, p, 1] = min(max(round(value.imag), -32768), 32767)
