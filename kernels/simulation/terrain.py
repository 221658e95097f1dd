"""Terrains of simulated scenes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.model import Dem, GeographicBox

ARC_SECOND = 1.0 / 3600.0

_METRES_PER_DEGREE = 111_320.0
_ROUGHNESS = 2.3
"""Exponent of the fall of fractal amplitudes with wavenumber; about that of volcanic islands."""
_SHORTEST = 4.0
"""Shortest wavelength of the fractal, in posts: slopes stay smooth from post to post."""


def plane(
    box: GeographicBox,
    *,
    height: float = 0.0,
    east_slope: float = 0.0,
    north_slope: float = 0.0,
    step: float = 3.0 * ARC_SECOND,
) -> Dem:
    """Make a plane in longitude and latitude.

    Parameters
    ----------
    box : GeographicBox
        Covered by the posts [degrees].
    height : float
        In the middle of the box, above the ellipsoid [m].
    east_slope, north_slope : float
        Rise to the east and to the north [m/m].
    step : float
        Between posts [degrees].

    Returns
    -------
    Dem
        Float32 heights.
    """
    longitudes, latitudes, east, north = _posts(box, step)
    heights = height + east_slope * east[None, :] + north_slope * north[:, None]
    return _dem(heights, longitudes, latitudes, step)


def volcano_island(
    box: GeographicBox,
    *,
    radius: float = 8_500.0,
    summit: float = 1_800.0,
    seed: int = 7,
    step: float = ARC_SECOND,
) -> Dem:
    """Make a volcanic island in the middle of the sea.

    A cone whose flanks steepen upwards, a summit caldera, and ravines and ridges of a fractal
    whose amplitude grows with height; sea is level at 0.

    Parameters
    ----------
    box : GeographicBox
        Covered by the posts [degrees]; the island is in its middle.
    radius : float
        Of the coast, about [m].
    summit : float
        Height of the cone above the ellipsoid, about [m].
    seed : int
        Of the fractal.
    step : float
        Between posts [degrees].

    Returns
    -------
    Dem
        Heights above the ellipsoid [m], 0 on the sea.
    """
    longitudes, latitudes, east, north = _posts(box, step)
    post = step * _METRES_PER_DEGREE
    fractal = _fractal((latitudes.size, longitudes.size), 0.3 * radius / post, seed)
    distance = np.hypot(east[None, :], north[:, None]) / radius
    # Bays and capes: the coast is where the bent distance passes 1.
    bent = distance * (1.0 + 0.06 * fractal)
    cone = summit * np.clip(1.0 - bent, 0.0, None) ** 1.35
    caldera = 0.22 * summit * np.exp(-((distance / 0.12) ** 4))
    heights = cone - caldera + 0.10 * np.sqrt(summit * cone) * fractal
    heights[(bent >= 1.0) | (heights < 0.0)] = 0.0
    return _dem(heights, longitudes, latitudes, step)


def _posts(box: GeographicBox, step: float) -> tuple[NDArray[np.float64], ...]:
    """Longitudes, latitudes [degrees], and distances east and north of the middle [m]."""
    columns = round((box.east - box.west) / step) + 1
    rows = round((box.north - box.south) / step) + 1
    longitudes: NDArray[np.float64] = box.west + step * np.arange(columns, dtype=np.float64)
    latitudes: NDArray[np.float64] = box.north - step * np.arange(rows, dtype=np.float64)
    shrink = math.cos(math.radians(0.5 * (box.south + box.north)))
    east: NDArray[np.float64] = (longitudes - longitudes.mean()) * _METRES_PER_DEGREE * shrink
    north: NDArray[np.float64] = (latitudes - latitudes.mean()) * _METRES_PER_DEGREE
    return longitudes, latitudes, east, north


def _fractal(shape: tuple[int, int], longest: float, seed: int) -> NDArray[np.float64]:
    """Gaussian field of variance 1 whose spectrum falls as a power of the wavenumber.

    It is level at wavelengths beyond `longest` posts.
    """
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(random.standard_normal(shape))
    rows = np.fft.fftfreq(shape[0])[:, None]
    columns = np.fft.rfftfreq(shape[1])[None, :]
    wavenumber = np.hypot(rows, columns)
    wavenumber[0, 0] = np.inf
    spectrum *= (wavenumber**2 + longest**-2) ** (-0.5 * _ROUGHNESS)
    spectrum[wavenumber > 1.0 / _SHORTEST] = 0.0
    field = np.fft.irfft2(spectrum, shape)
    normalised: NDArray[np.float64] = (field - field.mean()) / field.std()
    return normalised


def _dem(
    heights: NDArray[np.float64],
    longitudes: NDArray[np.float64],
    latitudes: NDArray[np.float64],
    step: float,
) -> Dem:
    return Dem(
        heights=heights.astype(np.float32),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=step,
        latitude_step=-step,
        sources=("simulation",),
    )
