"""Analytic orbits and terrains for the tests of geometry: their truth needs no project code."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.orbit import Orbit
from kernels.model import Dem, OrbitSource, RadarGrid, Shape, StateVectors

EPOCH = datetime(2026, 3, 1)
RADIUS = 7_071_000.0
INCLINATION = np.radians(98.18)
ORBIT_RATE = 2.0 * np.pi / 5924.6
EARTH_RATE = 7.292115e-5


def circular_state(
    times: NDArray[np.float64], *, phase: float = 0.35, node: float = 0.2, radius: float = RADIUS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Position and its exact derivative of a circular orbit seen from the rotating Earth."""
    angle = ORBIT_RATE * times + phase
    lon = node - EARTH_RATE * times
    u, du = np.stack([np.cos(angle), np.sin(angle)]), np.stack([-np.sin(angle), np.cos(angle)])
    x, y, z = u[0], u[1] * np.cos(INCLINATION), u[1] * np.sin(INCLINATION)
    dx, dy, dz = (
        du[0] * ORBIT_RATE,
        du[1] * ORBIT_RATE * np.cos(INCLINATION),
        du[1] * ORBIT_RATE * np.sin(INCLINATION),
    )
    c, s = np.cos(lon), np.sin(lon)
    position = np.stack([c * x - s * y, s * x + c * y, z], axis=-1)
    velocity = np.stack(
        [
            c * dx - s * dy + EARTH_RATE * (s * x + c * y),
            s * dx + c * dy - EARTH_RATE * (c * x - s * y),
            dz,
        ],
        axis=-1,
    )
    return radius * position, radius * velocity


def circular_vectors(*, phase: float = 0.35, node: float = 0.2) -> StateVectors:
    """Sixteen vectors every 10 s around 0."""
    times = np.arange(-75.0, 80.0, 10.0)
    positions, velocities = circular_state(times, phase=phase, node=node)
    return StateVectors(
        epoch=EPOCH,
        times=times,
        positions=positions,
        velocities=velocities,
        source=OrbitSource.ANNOTATION,
        origin="analytic orbit",
    )


def circular_orbit(*, phase: float = 0.35, node: float = 0.2) -> Orbit:
    """Fit of the circular orbit over 30 s."""
    return Orbit.fit(circular_vectors(phase=phase, node=node), start=-15.0, stop=15.0)


def radar_grid(shape: Shape, *, bistatic_range: float | None = 850_000.0) -> RadarGrid:
    """Grid like IW1's around time 0."""
    return RadarGrid(
        epoch=EPOCH,
        first_line_time=-0.5,
        line_interval=0.002055556,
        first_slant_range=845_000.0,
        slant_range_spacing=2.329562,
        shape=shape,
        wavelength=0.05546576,
        bistatic_range=bistatic_range,
    )


def rough_dem(
    *, west: float, north: float, east: float, south: float, amplitude: float = 400.0
) -> Dem:
    """Waves of a few kilometres on posts of 3 arc seconds; steep, but not folded."""
    step = 1.0 / 1200.0
    longitudes = np.arange(west, east, step)
    latitudes = np.arange(north, south, -step)
    x, y = np.meshgrid(np.radians(longitudes), np.radians(latitudes))
    waves = np.sin(6.4e6 * x / 700.0) * np.cos(6.4e6 * y / 900.0) + 0.3 * np.sin(6.4e6 * y / 300.0)
    return Dem(
        heights=(1000.0 + amplitude * waves).astype(np.float32),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=step,
        latitude_step=-step,
    )
