"""Noise on the lattice, and its sum with the kernel at any coordinate."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.reflectivity import AZIMUTH_TAPS, RANGE_TAPS, Kernel

_WIDTH = 2.0 * math.sqrt(1.5)
"""Of a uniform distribution of variance 1/2."""


@njit(cache=True, nogil=True)
def mix(value: np.uint64) -> np.uint64:
    """Scramble 64 bits (finaliser of splitmix64, Steele, Lea and Flood 2014)."""
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def uniform(bits: np.uint64) -> tuple[float, float]:
    """Two numbers of [-0.5, 0.5) from the halves of 64 bits."""
    low, high = bits & np.uint64(0xFFFFFFFF), bits >> np.uint64(32)
    return np.float64(low) / 4294967296.0 - 0.5, np.float64(high) / 4294967296.0 - 0.5


@njit(cache=True, nogil=True)
def lattice_noise(
    seed: int, first_row: int, first_column: int, rows: int, columns: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """White complex noise of mean power 1, real and imaginary parts uniform, by position."""
    real = np.empty((rows, columns), np.float32)
    imaginary = np.empty((rows, columns), np.float32)
    for i in range(rows):
        row_key = mix(np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(first_row + i))
        for j in range(columns):
            bits = mix(row_key + np.uint64(first_column + j) * np.uint64(0x9E3779B97F4A7C15))
            u, v = uniform(bits)
            real[i, j] = np.float32(_WIDTH * u)
            imaginary[i, j] = np.float32(_WIDTH * v)
    return real, imaginary


@njit(cache=True, nogil=True, fastmath=True)
def add_reflectivity(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    weight: NDArray[np.float32],
    noise: tuple[NDArray[np.float32], NDArray[np.float32]],
    corner: tuple[int, int],
    kernel: Kernel,
    image: NDArray[np.complex64],
) -> None:
    """Add the reflectivity at fractional lattice coordinates, times a weight, to an image.

    `corner` is the row and column of the lattice that the noise begins at; the kernel's windows
    must lie within. Pixels of weight 0 are left alone. Indices are unsigned so that the inner
    loops vectorise.
    """
    entries = kernel.azimuth.shape[0]
    real, imaginary = noise[0].ravel(), noise[1].ravel()
    azimuth, across = kernel.azimuth.ravel(), kernel.range.ravel()
    stride = np.uint64(noise[0].shape[1])
    column_real = np.empty(RANGE_TAPS, np.float32)
    column_imaginary = np.empty(RANGE_TAPS, np.float32)
    top, left = corner[0] + AZIMUTH_TAPS // 2 - 1, corner[1] + RANGE_TAPS // 2 - 1
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            if weight[i, j] == 0.0:
                continue
            r, c = math.floor(rows[i, j]), math.floor(columns[i, j])
            from_azimuth = np.uint64(int((rows[i, j] - r) * entries) * AZIMUTH_TAPS)
            from_range = np.uint64(int((columns[i, j] - c) * entries) * RANGE_TAPS)
            window = np.uint64(int(r) - top) * stride + np.uint64(int(c) - left)
            column_real[:] = 0.0
            column_imaginary[:] = 0.0
            for a in range(np.uint64(AZIMUTH_TAPS)):
                tap, line = azimuth[from_azimuth + a], window + a * stride
                for b in range(np.uint64(RANGE_TAPS)):
                    column_real[b] += tap * real[line + b]
                    column_imaginary[b] += tap * imaginary[line + b]
            sum_real, sum_imaginary = np.float32(0.0), np.float32(0.0)
            for b in range(np.uint64(RANGE_TAPS)):
                tap = across[from_range + b]
                sum_real += tap * column_real[b]
                sum_imaginary += tap * column_imaginary[b]
            image[i, j] += weight[i, j] * complex(sum_real, sum_imaginary)
