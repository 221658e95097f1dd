"""Slow, plain mathematics to judge simulated detected products with."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import brentq

from kernels.model import SPEED_OF_LIGHT, GrdProduct
from tests.simulation.tools import Array, orbit


def pixels(image: GrdProduct) -> Array:
    assert image.pixels is not None
    return image.pixels.read(0, image.grid.shape.lines).astype(np.float64)


def on_pixels(image: GrdProduct, lines: Array, samples: Array, values: Array) -> Array:
    """Linear between vectors and between samples."""
    table = RegularGridInterpolator((lines, samples), values.astype(np.float64))
    return table(tuple(np.indices(image.grid.shape)))


def calibrated(image: GrdProduct, quantity: str) -> Array:
    lut = image.calibration
    assert lut is not None
    return on_pixels(image, lut.lines, lut.pixels, getattr(lut, quantity))


def seen(image: GrdProduct, point: Array) -> tuple[float, float]:
    """Line and pixel of a ground point, by bisection."""
    grid = image.grid

    def doppler(time: float) -> float:
        position, velocity = orbit(image, np.array([time]))
        return float((point - position[0]) @ velocity[0])

    middle = grid.first_line_time + 0.5 * grid.shape.lines * grid.line_interval
    time = brentq(doppler, middle - 5.0, middle + 5.0, xtol=1e-12)
    slant_range = float(np.linalg.norm(point - orbit(image, np.array([time]))[0][0]))
    assert grid.bistatic_range is not None
    annotated = time - (slant_range - grid.bistatic_range) / SPEED_OF_LIGHT
    times = [record.azimuth_time for record in grid.records]

    def miss(ground_range: float) -> float:
        """Linear in time between the records."""
        ranges = [
            float(
                np.polynomial.polynomial.polyval(
                    ground_range - record.ground_range_origin, record.ground_to_slant
                )
            )
            for record in grid.records
        ]
        return float(np.interp(annotated, times, ranges)) - slant_range

    ground_range = brentq(miss, -1e4, 1e5, xtol=1e-9)
    return (
        (annotated - grid.first_line_time) / grid.line_interval,
        ground_range / grid.ground_range_spacing,
    )


def centroid(amplitudes: Array, line: float, pixel: float) -> tuple[float, float]:
    """Centre of the intensity of the 7 x 7 pixels around a peak."""
    i, j = round(line), round(pixel)
    window = amplitudes[i - 3 : i + 4, j - 3 : j + 4] ** 2
    offsets = np.arange(-3, 4)
    total = window.sum()
    return (
        i + float(window.sum(axis=1) @ offsets) / total,
        j + float(window.sum(axis=0) @ offsets) / total,
    )
