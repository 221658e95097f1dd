"""What the simulated stacks show: moving ground, a wrong elevation model, lost coherence, air."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.model import Dem
from kernels.simulation import BurstTruth, MogiSource, RangeRamp, Scene

PEAK_VELOCITY = 0.020
"""Largest, towards the satellite [m/year]."""
DEM_ERROR = 5.0
"""Amplitude of the error of the elevation model [m]."""
COHERENCE, LOST_COHERENCE = 0.75, 0.05
AIR_SLOPE, AIR_HEIGHT = 1e-7, 8e-6
"""Standard deviations of the air's gradients, in the plane and with height [m/m]."""
YEAR = 365.25
WAVELENGTH = 12_000.0
"""Of the elevation model's error [m]."""

_AMPLITUDE = 1000.0
_POISSON = 0.25
_TOWARDS = 0.88
"""Largest line of sight displacement of a Mogi source at 35 degrees over its largest rise."""
_METRES_PER_DEGREE = 111_320.0
_SEED = 2
_DAYS = (-336, -276, -228, -168, -108, -48, 0, 60, 120, 168, 228, 288)
_BASELINES = (-60.0, 80.0, 140.0, 60.0, -80.0, -140.0, 0.0, 130.0, 150.0, 20.0, -120.0, -90.0)
DATES, REFERENCE = len(_DAYS), 6
"""How many dates there are, and the number of the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDate:
    """What differs from date to date.

    Attributes
    ----------
    days : int
        From the reference.
    baseline : float
        Perpendicular, from the reference's orbit [m].
    shift : float
        Line l of the files truly is line l + shift.
    air : RangeRamp
        Lengthening of the ranges.
    """

    days: int
    baseline: float
    shift: float
    air: RangeRamp

    @property
    def years(self) -> float:
        """From the reference, in which the ground moves."""
        return self.days / YEAR


def air_over(air: RangeRamp, known: BurstTruth) -> NDArray[np.float64]:
    """Lengthening by the air of a date on the nodes of the truth [m]."""
    points = geodetic_to_ecef(np.radians(known.longitude), np.radians(known.latitude), known.height)
    lon, lat = np.radians(air.longitude), np.radians(air.latitude)
    offsets = points - geodetic_to_ecef(lon, lat, np.zeros(()))
    east = offsets @ np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = offsets @ np.array(
        [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)]
    )
    lengthening: NDArray[np.float64] = (
        air.offset + air.east * east + air.north * north + air.height * known.height
    )
    return lengthening


def dem_error(
    longitudes: NDArray[np.floating], latitudes: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Height that is to be added to the elevation model [m], of positions [degrees]."""
    turn = 2.0 * math.pi * _METRES_PER_DEGREE / WAVELENGTH
    waves: NDArray[np.float64] = np.sin(turn * longitudes * 0.7) * np.sin(turn * latitudes)
    return DEM_ERROR * waves


def erroneous(dem: Dem) -> Dem:
    """Take the known error from an elevation model."""
    rows, columns = dem.heights.shape
    longitudes = dem.west + dem.longitude_step * np.arange(columns)
    latitudes = dem.north + dem.latitude_step * np.arange(rows)
    error = dem_error(longitudes[None, :], latitudes[:, None])
    return replace(dem, heights=(dem.heights - error).astype(np.float32))


def scene_over(dem: Dem, centre: tuple[float, float], *, depth: float, lost_below: float) -> Scene:
    """Make ground that moves for a year at motion 1."""
    rise = PEAK_VELOCITY / _TOWARDS
    source = MogiSource(
        longitude=centre[0],
        latitude=centre[1],
        depth=depth,
        volume_change=rise * math.pi * depth**2 / (1.0 - _POISSON),
    )
    return Scene(
        dem=dem,
        amplitude=_AMPLITUDE,
        sea_height=lost_below,
        land_coherence=COHERENCE,
        sea_coherence=LOST_COHERENCE,
        sources=(source,),
    )


def dates_over(
    centre: tuple[float, float], numbers: range | tuple[int, ...]
) -> tuple[StackDate, ...]:
    """Give dates, by their numbers, their shift in azimuth and their air over a place [degrees]."""
    random = np.random.default_rng(_SEED)
    offsets, shifts = 0.01 * random.standard_normal(DATES), random.uniform(-0.04, 0.04, DATES)
    slopes = random.standard_normal((DATES, 3)) * [AIR_SLOPE, AIR_SLOPE, AIR_HEIGHT]
    shifts[REFERENCE] = 0.0
    return tuple(
        StackDate(
            days=_DAYS[k],
            baseline=_BASELINES[k],
            shift=round(float(shifts[k]), 4),
            air=RangeRamp(
                longitude=centre[0],
                latitude=centre[1],
                offset=round(float(offsets[k]), 5),
                east=round(float(slopes[k, 0]), 10),
                north=round(float(slopes[k, 1]), 10),
                height=round(float(slopes[k, 2]), 8),
            ),
        )
        for k in numbers
    )
