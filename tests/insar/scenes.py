"""A pair of bursts of plane waves: an image whose value at any coordinate is a formula.

The reflectivity is a sum of complex exponentials in the reference's coordinates, within the
bandwidth of a Sentinel-1 image; both bursts carry true TOPS ramps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import radar_to_terrain
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.insar.deramp import AzimuthRamp
from kernels.model import Burst, Dem, RadarGrid, RangePolynomial, Shape
from tests.geometry.scenes import circular_orbit, radar_grid

WAVES = 12
SHAPE = Shape(140, 900)


def tops_burst(grid: RadarGrid, *, steering_deg: float = 1.59) -> Burst:
    """Burst with Doppler, FM rate and steering like those of IW1."""
    lines = grid.shape.lines
    first = np.full(lines, 20, np.int32)
    last = np.full(lines, grid.shape.samples - 21, np.int32)
    first[:8] = last[:8] = -1
    first[-8:] = last[-8:] = -1
    return Burst(
        index=0,
        first_line=0,
        grid=grid,
        first_valid_sample=first,
        last_valid_sample=last,
        doppler=RangePolynomial(
            azimuth_time=0.0, origin=5.64e-3, coefficients=(25.0, -4.0e4, 3.0e6)
        ),
        fm_rate=RangePolynomial(
            azimuth_time=0.0, origin=5.64e-3, coefficients=(-2300.0, 4.5e5, -7.9e7)
        ),
        steering_rate=float(np.radians(steering_deg)),
    )


def level_dem(height: float, *, west: float, north: float, size: float) -> Dem:
    """A surface of constant ellipsoidal height."""
    posts = int(size * 1200)
    return Dem(
        heights=np.full((posts, posts), height, np.float32),
        west=west,
        north=north,
        longitude_step=1 / 1200,
        latitude_step=-1 / 1200,
    )


@dataclass(frozen=True, kw_only=True)
class PlaneWavePair:
    """Two bursts over one terrain, with pixels and orbits."""

    reference: Burst
    secondary: Burst
    reference_orbit: Orbit
    secondary_orbit: Orbit
    dem: Dem
    reference_pixels: NDArray[np.complex64]
    secondary_pixels: NDArray[np.complex64]


def _waves(
    lines: NDArray[np.float64], samples: NDArray[np.float64], seed: int
) -> NDArray[np.complex128]:
    generator = np.random.default_rng(seed)
    azimuth = generator.uniform(-0.33, 0.33, WAVES)
    across = generator.uniform(-0.4, 0.4, WAVES)
    phase = generator.uniform(0, 1, WAVES)
    total = np.zeros(np.broadcast(lines, samples).shape, np.complex128)
    for fa, fr, p in zip(azimuth, across, phase, strict=True):
        total += np.exp(2j * np.pi * (fa * lines + fr * samples + p))
    return total * (500.0 / np.sqrt(WAVES))


def plane_wave_pair(
    dem: Dem,
    *,
    shape: Shape = SHAPE,
    moved_away: float = 0.0,
    seed: int = 0,
    steering_deg: float = 1.59,
) -> PlaneWavePair:
    """Make a pair about 80 m of baseline apart.

    Parameters
    ----------
    dem : Dem
        Terrain under the bursts.
    shape : Shape
        Of both bursts.
    moved_away : float
        Range by which the ground moved away between the dates [m].
    seed : int
        Of the waves.
    steering_deg : float
        Steering rate; 0 makes StripMap.

    Returns
    -------
    PlaneWavePair
        Pixels without rounding.
    """
    orbits = circular_orbit(), circular_orbit(node=0.2 + 1.1e-5, phase=0.35 + 2.0e-6)
    reference = tops_burst(radar_grid(shape), steering_deg=steering_deg)
    middle = radar_to_terrain(reference.grid, orbits[0], dem, lines=Band(70, 1))[0, 450]
    time, slant_range = ground_to_radar(orbits[1], middle[None])
    # the secondary starts some lines and samples elsewhere, with a fraction
    base = radar_grid(shape)
    shift = float(time[0] - base.zero_doppler_time(73.4, float(slant_range[0])))
    secondary_grid = replace(
        base,
        first_line_time=base.first_line_time + shift,
        first_slant_range=float(slant_range[0]) - 452.3 * base.slant_range_spacing,
    )
    secondary = tops_burst(secondary_grid, steering_deg=steering_deg)
    rows, columns = np.mgrid[0 : shape.lines, 0 : shape.samples].astype(np.float64)
    ramp = AzimuthRamp.of(reference, orbits[0])
    first = _waves(rows, columns, seed) * np.exp(-2j * np.pi * ramp.cycles(rows, columns))
    # where each secondary pixel's ground is in the reference; its range is the moved ground's
    still = replace(secondary_grid, first_slant_range=secondary_grid.first_slant_range - moved_away)
    points = radar_to_terrain(still, orbits[1], dem, lines=Band(0, shape.lines))
    times, ranges = ground_to_radar(orbits[0], points)
    lines, samples = reference.grid.line(times, ranges), reference.grid.sample(ranges)
    difference = secondary_grid.slant_range(columns) - ranges
    second = (
        _waves(lines, samples, seed)
        * np.exp(-2j * np.pi * _extended(ramp, lines, samples))
        * np.exp(-4j * np.pi / base.wavelength * difference)
    )
    return PlaneWavePair(
        reference=reference,
        secondary=secondary,
        reference_orbit=orbits[0],
        secondary_orbit=orbits[1],
        dem=dem,
        reference_pixels=first.astype(np.complex64),
        secondary_pixels=np.nan_to_num(second).astype(np.complex64),
    )


def _extended(
    ramp: AzimuthRamp, lines: NDArray[np.float64], samples: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ramp also outside the burst's samples, by a fit of its smooth coefficients."""
    index = np.arange(ramp.coefficients.shape[1], dtype=np.float64)
    eta = (lines - ramp.mid_line) * ramp.line_interval
    c, b, a = (np.polynomial.Polynomial.fit(index, row, 5)(samples) for row in ramp.coefficients)
    cycles: NDArray[np.float64] = (a * eta + b) * eta + c
    return cycles


def around(orbit: Orbit, grid: RadarGrid) -> tuple[float, float]:
    """Longitude and latitude [degrees] of the middle of a grid at height 0."""
    ranges = np.array([grid.slant_range(0.5 * grid.shape.samples)])
    times = grid.zero_doppler_time(np.array([0.5 * grid.shape.lines]), ranges)
    longitude, latitude, _ = ecef_to_geodetic(radar_to_ground(orbit, times, ranges, np.zeros(1)))
    return float(np.degrees(longitude[0])), float(np.degrees(latitude[0]))
