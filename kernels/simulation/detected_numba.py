"""Geometry, speckle and point responses of detected images.

The slant range of a pixel is linear in time between the ground-to-slant polynomials of the two
records around its line. (Annotated tie points stand close to records and agree with the nearest
one; pixels cannot, or images would tear midway between records.)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.locate_numba import Vector, find_zero_doppler
from kernels.simulation.orbit import OrbitTable
from kernels.simulation.reflectivity_numba import mix

RESPONSE_HALF_WIDTH = 24
"""Where point responses are cut off [pixels]: 50 dB below the peak."""

_BANDWIDTH = 0.6
"""Of the amplitude [cycles per pixel]: 2.2 pixels between the points 3 dB below the peak."""

_HAMMING = 0.54
_TIME_TOLERANCE = 1e-10
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class GroundView(NamedTuple):
    """A detected image's orbit, timing and conversions; times on the clock of its grid.

    Polynomials have one row per record, lowest order first.
    """

    orbit: OrbitTable
    first_line_time: float
    line_interval: float
    bistatic_range: float
    bistatic_rate: float
    spacing: float
    record_times: NDArray[np.float64]
    slant_origins: NDArray[np.float64]
    to_ground: NDArray[np.float64]
    ground_origins: NDArray[np.float64]
    to_slant: NDArray[np.float64]


class ImagePoint(NamedTuple):
    """A ground point in a detected image: line, pixel, zero-Doppler time [s], range [m]."""

    line: float
    pixel: float
    time: float
    slant_range: float


@njit(cache=True, nogil=True)
def record_place(view: GroundView, line: float) -> float:
    """Where a line lies among the records: whole numbers are records, the ends are held."""
    times = view.record_times
    time = view.first_line_time + line * view.line_interval
    last = times.size - 1
    if time <= times[0]:
        return 0.0
    if time >= times[last]:
        return float(last)
    k = 0
    while times[k + 1] < time:
        k += 1
    place: float = k + (time - times[k]) / (times[k + 1] - times[k])
    return place


@njit(cache=True, nogil=True)
def _ground_to_slant(view: GroundView, place: float, ground: float) -> tuple[float, float]:
    """Slant range [m] of a ground range [m] and its slope, between the records around a place."""
    first = min(int(place), view.record_times.size - 1)
    share = place - first
    total, total_slope = 0.0, 0.0
    for k, weight in ((first, 1.0 - share), (min(first + 1, view.record_times.size - 1), share)):
        x = ground - view.ground_origins[k]
        value, slope = 0.0, 0.0
        for n in range(view.to_slant.shape[1] - 1, -1, -1):
            slope = slope * x + value
            value = value * x + view.to_slant[k, n]
        total += weight * value
        total_slope += weight * slope
    return total, total_slope


@njit(cache=True, nogil=True)
def pixel_slant_range(view: GroundView, line: float, pixel: float) -> float:
    """Slant range [m] of a pixel."""
    return _ground_to_slant(view, record_place(view, line), pixel * view.spacing)[0]


@njit(cache=True, nogil=True)
def pixel_time(view: GroundView, line: float, slant_range: float) -> float:
    """Zero-Doppler time [s] of a line at a slant range [m]."""
    delay = (slant_range - view.bistatic_range) * view.bistatic_rate
    return view.first_line_time + line * view.line_interval + delay


@njit(cache=True, nogil=True)
def range_pixel(view: GroundView, line: float, slant_range: float) -> float:
    """Fractional pixel of a slant range [m]: Newton steps from the annotated inverse."""
    place = record_place(view, line)
    k = int(place + 0.5)
    y = slant_range - view.slant_origins[k]
    ground = 0.0
    for n in range(view.to_ground.shape[1] - 1, -1, -1):
        ground = ground * y + view.to_ground[k, n]
    for _ in range(4):
        value, slope = _ground_to_slant(view, place, ground)
        ground -= (value - slant_range) / slope
    pixel: float = ground / view.spacing
    return pixel


@njit(cache=True, nogil=True)
def image_point(view: GroundView, point: Vector, seed: float) -> ImagePoint:
    """Where an ECEF point [m] is seen; `seed` is a first guess of the time [s]."""
    time, slant_range = find_zero_doppler(view.orbit, point, seed, _TIME_TOLERANCE)
    delay = (slant_range - view.bistatic_range) * view.bistatic_rate
    line = (time - delay - view.first_line_time) / view.line_interval
    return ImagePoint(line, range_pixel(view, line, slant_range), time, slant_range)


@njit(cache=True, nogil=True)
def add_speckle(
    power: NDArray[np.float32], table: NDArray[np.float32], seed: int, first_line: int
) -> None:
    """Multiply a band by speckle: quantiles of its distribution, drawn by position.

    `table` has 65536 entries; each 64-bit hash serves four pixels.
    """
    lines, samples = power.shape
    low = np.uint64(0xFFFF)
    for i in range(lines):
        key = mix(np.uint64(seed) * _GOLDEN + np.uint64(first_line + i))
        for start in range(0, samples, 4):
            bits = mix(key + np.uint64(start) * _GOLDEN)
            for j in range(start, min(start + 4, samples)):
                power[i, j] *= table[bits & low]
                bits >>= np.uint64(16)


@njit(cache=True, nogil=True)
def point_response(offset: float) -> float:
    """Amplitude at a distance [pixels] from a point target, 1 at its centre.

    The transform of a Hamming-weighted band; its square, the intensity, is free of aliasing.
    """
    x = _BANDWIDTH * offset
    side = 0.5 * (1.0 - _HAMMING)
    return (_HAMMING * _sinc(x) + side * (_sinc(x - 1.0) + _sinc(x + 1.0))) / _HAMMING


@njit(cache=True, nogil=True)
def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if abs(x) > 1e-9 else 1.0


@njit(cache=True, nogil=True)
def add_points(
    power: NDArray[np.float32],
    first_line: int,
    lines: NDArray[np.float64],
    pixels: NDArray[np.float64],
    peaks: NDArray[np.float64],
) -> None:
    """Add the intensity of point targets at fractional lines and pixels to a band."""
    half = RESPONSE_HALF_WIDTH
    across = np.empty(2 * half + 2)
    for k in range(lines.size):
        top = max(math.ceil(lines[k] - half), first_line)
        bottom = min(math.floor(lines[k] + half), first_line + power.shape[0] - 1)
        if top > bottom:
            continue
        left = max(math.ceil(pixels[k] - half), 0)
        right = min(math.floor(pixels[k] + half), power.shape[1] - 1)
        for j in range(left, right + 1):
            across[j - left] = point_response(j - pixels[k]) ** 2
        for i in range(top, bottom + 1):
            along = (peaks[k] * point_response(i - lines[k])) ** 2
            for j in range(left, right + 1):
                power[i - first_line, j] += np.float32(along * across[j - left])


@njit(cache=True, nogil=True)
def to_digital_numbers(
    power: NDArray[np.float32],
    first_line: int,
    columns: tuple[NDArray[np.int32], NDArray[np.int32]],
    rows: tuple[NDArray[np.int32], NDArray[np.int32]],
) -> NDArray[np.uint16]:
    """Round amplitudes to 1 ... 65535; 0 outside the valid part.

    `columns` are the first and last valid sample of every line of the image, `rows` the first
    and last valid line of every column.
    """
    numbers = np.zeros(power.shape, np.uint16)
    for i in range(power.shape[0]):
        line = first_line + i
        for j in range(columns[0][line], columns[1][line] + 1):
            if rows[0][j] <= line <= rows[1][j]:
                amplitude = math.sqrt(power[i, j]) + 0.5
                numbers[i, j] = np.uint16(min(max(amplitude, 1.0), 65535.0))
    return numbers
