"""The parts of an annotation that depend on the ground: geolocation grid and calibration."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    CalibrationLut,
    GeolocationGrid,
    GroundRangeGrid,
    RadarGrid,
    StateVectors,
)
from kernels.simulation.locate_numba import (
    Motion,
    Sight,
    Terrain,
    find_ground,
    first_sight,
    orbit_position,
)
from kernels.simulation.orbit import OrbitTable, tabulate

_BETA_NOUGHT = 237.0
_VECTOR_STEP = 40
GRID_COLUMNS = 21
_TOLERANCE = 1e-6


def still() -> Motion:
    """Nothing moves."""
    return Motion(np.empty((0, 11)), np.empty((0, 13)))


def make_geolocation(
    grid: RadarGrid, bursts: tuple[Burst, ...], vectors: StateVectors, terrain: Terrain
) -> GeolocationGrid:
    """Tie points on the terrain: 21 per row, a row at each burst's first line and at the end.

    Parameters
    ----------
    grid : RadarGrid
        Of the measurement file.
    bursts : tuple of Burst
        In azimuth order.
    vectors : StateVectors
        Of the annotation.
    terrain : Terrain
        That the points lie on.

    Returns
    -------
    GeolocationGrid
        Azimuth times are pure zero-Doppler, so they show the residual bistatic term.
    """
    last = bursts[-1]
    rows = [(burst.first_line, burst.grid.first_line_time) for burst in bursts]
    if len(bursts) == 1:
        inner = np.linspace(0, grid.shape.lines - 1, 6)[1:-1].astype(int)
        rows += [(int(n), last.grid.first_line_time + n * grid.line_interval) for n in inner]
    end = last.grid.shape.lines - 1
    rows.append((last.first_line + end, last.grid.first_line_time + end * grid.line_interval))
    orbit = tabulate(vectors, epoch=grid.epoch, about=0.5 * (rows[0][1] + rows[-1][1]))
    columns = np.linspace(0, grid.shape.samples - 1, GRID_COLUMNS).astype(int)
    points = [
        _tie_point(grid, orbit, terrain, line=line, annotated=annotated, pixel=int(pixel))
        for line, annotated in rows
        for pixel in columns
    ]
    table = np.array(points, dtype=np.float64).T
    return GeolocationGrid(
        zero_doppler_times=table[0],
        slant_range_times=table[1],
        lines=table[2],
        pixels=table[3],
        longitudes=table[4],
        latitudes=table[5],
        heights=table[6],
        incidence_angles=table[7],
    )


def _tie_point(
    grid: RadarGrid, orbit: OrbitTable, terrain: Terrain, *, line: int, annotated: float, pixel: int
) -> tuple[float, ...]:
    slant_range = grid.slant_range(float(pixel))
    time = annotated + grid.bistatic_delay(slant_range)
    sight = first_sight(orbit, terrain, time, slant_range)
    sight = find_ground(orbit, terrain, still(), time, slant_range, sight, _TOLERANCE)
    return (
        time,
        2.0 * slant_range / SPEED_OF_LIGHT,
        line,
        pixel,
        sight.longitude,
        sight.latitude,
        sight.height,
        incidence_angle(sight, np.array(orbit_position(orbit, time))),
    )


def incidence_angle(sight: Sight, platform: NDArray[np.float64]) -> float:
    """Incidence angle [rad] on the ellipsoid's normal."""
    lon, lat = math.radians(sight.longitude), math.radians(sight.latitude)
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    back = platform - np.array([sight.x, sight.y, sight.z])
    return math.acos(float(up @ back) / float(np.linalg.norm(back)))


def make_calibration(
    grid: RadarGrid | GroundRangeGrid,
    geolocation: GeolocationGrid,
    *,
    beta_nought: float = _BETA_NOUGHT,
) -> CalibrationLut:
    """Calibration vectors of constant beta nought, one at each row of the geolocation grid.

    Parameters
    ----------
    grid : RadarGrid or GroundRangeGrid
        Of the measurement file.
    geolocation : GeolocationGrid
        Gives the incidence angle across the swath.
    beta_nought : float
        Value of its vectors [1].

    Returns
    -------
    CalibrationLut
        Every 40 samples.
    """
    pixels = np.append(np.arange(0, grid.shape.samples - 1, _VECTOR_STEP), grid.shape.samples - 1)
    row = slice(0, GRID_COLUMNS)
    incidence = np.interp(pixels, geolocation.pixels[row], geolocation.incidence_angles[row])
    times = np.unique(geolocation.zero_doppler_times.reshape(-1, GRID_COLUMNS)[:, 0])
    lines = np.unique(geolocation.lines)

    def vectors(values: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.repeat(values[None, :].astype(np.float32), lines.size, axis=0)

    beta = np.full(pixels.size, beta_nought)
    return CalibrationLut(
        times=times,
        lines=lines.astype(np.int32),
        pixels=pixels.astype(np.int32),
        sigma_nought=vectors(beta_nought / np.sqrt(np.sin(incidence))),
        beta_nought=vectors(beta),
        gamma=vectors(beta_nought / np.sqrt(np.tan(incidence))),
        digital_number=vectors(beta),
    )
