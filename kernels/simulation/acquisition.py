"""Acquisitions with parameters of their own: orbit, bursts and annotation made from nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from kernels.errors import RequestError
from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    RadarGrid,
    RangePolynomial,
    Shape,
    SlcProduct,
    StateVectors,
)
from kernels.simulation.ground_annotation import make_calibration, make_geolocation
from kernels.simulation.locate_numba import Terrain, cartesian, terrain_height
from kernels.simulation.modes import Mode, StripMapMode, SwathFigures, TopsMode
from kernels.simulation.orbit import CircularOrbit, orbit_over, sample_orbit
from kernels.simulation.radars import (
    COSMO_SKYMED,
    SENTINEL_1,
    TERRASAR_X,
    Radar,
    absolute_orbit,
    cosmo_skymed_name,
    sentinel1_name,
    terrasar_x_name,
)
from kernels.simulation.scene import RangeRamp

_ORBIT_SECONDS = 80.0
_EDGE_SAMPLES = 32
_PULSE_LENGTH = 5.24e-5
"""Of IW1 [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where the sensor passes.

    Attributes
    ----------
    longitude, latitude : float
        Of the centre of the scene [degrees].
    ascending : bool
        Direction of the pass.
    relative_orbit : int
        Track number, 1 to 175 for Sentinel-1.
    """

    longitude: float = 55.7
    latitude: float = -21.0
    ascending: bool = False
    relative_orbit: int = 151


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """One date of a series; the first one of a series is the reference.

    Attributes
    ----------
    centre : datetime
        UTC instant (naive) at which the centre of the scene is abeam.
    platform : str
        S1A, S1B, S1C or S1D; TSX1, TDX1 or PAZ1; CSKS1 to CSKS4: as the mode needs it.
    perpendicular_baseline : float
        From the track's own orbit, positive up and away from the scene [m].
    motion : float
        Share of the scene's displacement that has happened [1].
    ramps : tuple of RangeRamp
        What lengthens the ranges of this date alone, for example the atmosphere.
    misregistration : float
        Line l of the files truly is line l + misregistration.
    timing_offset : float
        Delay of all bursts: how badly they are synchronised with the track's [s].
    """

    centre: datetime
    platform: str = "S1A"
    perpendicular_baseline: float = 0.0
    motion: float = 0.0
    ramps: tuple[RangeRamp, ...] = ()
    misregistration: float = 0.0
    timing_offset: float = 0.0


class _Swath(NamedTuple):
    """One swath of an acquisition: near range [m], first burst's start [s], size of a burst."""

    figures: SwathFigures
    near_range: float
    start: float
    burst: Shape
    cycle_lines: int
    bursts: int


def make_products(
    track: Track, mode: Mode, acquisition: Acquisition, terrain: Terrain
) -> tuple[SlcProduct, ...]:
    """Annotation of an acquisition, one product per swath, without pixels.

    Parameters
    ----------
    track : Track
        Of the series.
    mode : TopsMode or StripMapMode
        Of the series.
    acquisition : Acquisition
        The date; its centre is the epoch of all times.
    terrain : Terrain
        For the geolocation grid.

    Returns
    -------
    tuple of SlcProduct
        All of one name, in the order of the swaths.

    Raises
    ------
    RequestError
        An unknown swath, or a platform that does not have it.
    OrbitError
        The track's orbit does not exist.
    """
    swaths = _lay_out(mode)
    radar = swaths[0].figures.radar
    if acquisition.platform not in radar.platforms:
        raise RequestError("platform", f"among {', '.join(radar.platforms)}", acquisition.platform)
    orbit = track_orbit(track, _middle_range(swaths), acquisition, terrain, radar=radar)
    vectors = sample_orbit(orbit, centre=acquisition.centre, seconds=_ORBIT_SECONDS)
    imaged = [_bursts(swath, acquisition) for swath in swaths]
    name = _name(
        track,
        mode,
        acquisition,
        instant_of(acquisition, min(grid.first_line_time for grid, _ in imaged)),
        instant_of(acquisition, max(_last_time(bursts[-1].grid) for _, bursts in imaged)),
        radar=radar,
    )
    return tuple(
        _product(
            name,
            track=track,
            acquisition=acquisition,
            swath=swath,
            grid=grid,
            bursts=bursts,
            vectors=vectors,
            terrain=terrain,
        )
        for swath, (grid, bursts) in zip(swaths, imaged, strict=True)
    )


def _name(
    track: Track,
    mode: Mode,
    acquisition: Acquisition,
    start: datetime,
    stop: datetime,
    *,
    radar: Radar,
) -> str:
    platform = acquisition.platform
    if radar is TERRASAR_X:
        return terrasar_x_name(platform, mode.figures()[0].mode, start, stop)
    beam = "IW" if isinstance(mode, TopsMode) else mode.beam
    if radar is COSMO_SKYMED:
        return cosmo_skymed_name(platform, beam, start, stop, ascending=track.ascending)
    orbit = absolute_orbit(radar, platform, acquisition.centre, track.relative_orbit)
    return sentinel1_name(f"{beam}_SLC__1SSV", platform, orbit, start, stop)


def _product(
    name: str,
    *,
    track: Track,
    acquisition: Acquisition,
    swath: _Swath,
    grid: RadarGrid,
    bursts: tuple[Burst, ...],
    vectors: StateVectors,
    terrain: Terrain,
) -> SlcProduct:
    geolocation = make_geolocation(grid, bursts, vectors, terrain)
    radar = swath.figures.radar
    return SlcProduct(
        name=name,
        platform=acquisition.platform,
        mode=swath.figures.mode,
        swath=swath.figures.name,
        polarisation="VV",
        start=instant_of(acquisition, grid.first_line_time),
        stop=instant_of(acquisition, _last_time(bursts[-1].grid)),
        absolute_orbit=absolute_orbit(
            radar, acquisition.platform, acquisition.centre, track.relative_orbit
        ),
        relative_orbit=track.relative_orbit,
        ascending=track.ascending,
        processor=radar.processor,
        state_vectors=vectors,
        grid=grid,
        bursts=bursts,
        range_bandwidth=swath.figures.range_bandwidth,
        azimuth_bandwidth=swath.figures.azimuth_bandwidth,
        calibration=make_calibration(grid, geolocation),
        geolocation=geolocation,
        pixels=None,
    )


def _lay_out(mode: Mode) -> list[_Swath]:
    """Place the swaths side by side in range about the middle of the real ones."""
    figures = mode.figures()
    if isinstance(mode, StripMapMode):
        lines, samples = mode.lines, mode.samples
        near = figures[0].middle_range - 0.5 * (samples - 1) * figures[0].range_spacing
        start = -0.5 * (lines - 1) * figures[0].line_interval
        return [_Swath(figures[0], near, start, Shape(lines, samples), lines, 1)]
    widths = [mode.samples or f.samples for f in figures]
    spacing = figures[0].range_spacing
    shared = [width // 20 if mode.overlap is None else mode.overlap for width in widths[:-1]]
    offsets = np.cumsum([0, *(w - s for w, s in zip(widths[:-1], shared, strict=True))])
    middle = sum(f.middle_range for f in figures) / len(figures)
    near = middle - 0.5 * float(offsets[-1] + widths[-1] - 1) * spacing
    swaths = []
    for f, width, offset in zip(figures, widths, offsets, strict=True):
        lines, cycle = mode.burst_shape(f)
        length = ((mode.bursts - 1) * cycle + lines - 1) * f.line_interval
        delay = (f.start - sum(g.start for g in figures) / len(figures)) * cycle / f.cycle_lines
        near_range = near + float(offset) * spacing
        start = -0.5 * length + delay
        swaths.append(_Swath(f, near_range, start, Shape(lines, width), cycle, mode.bursts))
    return swaths


def _middle_range(swaths: list[_Swath]) -> float:
    near = swaths[0].near_range
    last = swaths[-1]
    far = last.near_range + (last.burst.samples - 1) * last.figures.range_spacing
    return 0.5 * (near + far)


def track_orbit(
    track: Track,
    middle_range: float,
    acquisition: Acquisition,
    terrain: Terrain,
    *,
    radar: Radar = SENTINEL_1,
) -> CircularOrbit:
    """Find the track's orbit, moved by the acquisition's perpendicular baseline."""
    height = terrain_height(terrain, track.longitude, track.latitude)
    point = np.array(cartesian(track.longitude, track.latitude, height))
    orbit = orbit_over(
        point,
        middle_range,
        radius=radar.orbit_radius,
        inclination=radar.inclination,
        ascending=track.ascending,
    )
    position, velocity = (v[0] for v in orbit.state(np.zeros(1)))
    up = position / np.linalg.norm(position)
    forward = velocity / np.linalg.norm(velocity)
    sight = (point - position) / np.linalg.norm(point - position)
    perpendicular = np.cross(sight, forward)
    perpendicular *= acquisition.perpendicular_baseline * np.sign(perpendicular @ up)
    normal = orbit.normal()
    radial = float(perpendicular @ up)
    # The normal is not square to the velocity relative to the Earth: the rest lies along track.
    right = np.cross(forward, up)
    cross_track = float(perpendicular @ right) / float(normal @ right)
    return orbit.shifted(radial=radial, cross_track=cross_track)


def _bursts(swath: _Swath, acquisition: Acquisition) -> tuple[RadarGrid, tuple[Burst, ...]]:
    """Grid of the file and its bursts; starts are whole microseconds, as they are annotated."""
    figures = swath.figures
    grid = RadarGrid(
        epoch=acquisition.centre,
        first_line_time=round(swath.start + acquisition.timing_offset, 6),
        line_interval=figures.line_interval,
        first_slant_range=swath.near_range,
        slant_range_spacing=figures.range_spacing,
        shape=Shape(swath.burst.lines * swath.bursts, swath.burst.samples),
        wavelength=SPEED_OF_LIGHT / figures.radar.carrier,
        bistatic_range=figures.bistatic_time and 0.5 * SPEED_OF_LIGHT * figures.bistatic_time,
    )
    return grid, tuple(_burst(k, grid, swath) for k in range(swath.bursts))


def _burst(index: int, grid: RadarGrid, swath: _Swath) -> Burst:
    figures = swath.figures
    lines, samples = swath.burst
    cycle = swath.cycle_lines * figures.line_interval
    start = round(grid.first_line_time + index * cycle, 6)
    middle = start + 0.5 * (lines - 1) * figures.line_interval
    edge = figures.edge_lines
    first = np.full(lines, _EDGE_SAMPLES if edge else 0, dtype=np.int32)
    last = np.full(lines, samples - 1 - first[0], dtype=np.int32)
    for ends in (slice(0, edge), slice(lines - edge, lines)):
        first[ends] = last[ends] = -1
    return Burst(
        index=index,
        first_line=index * lines,
        grid=replace(grid, first_line_time=start, shape=swath.burst),
        first_valid_sample=first,
        last_valid_sample=last,
        doppler=RangePolynomial(
            azimuth_time=round(middle, 6), origin=figures.near_time, coefficients=figures.doppler
        ),
        fm_rate=RangePolynomial(
            azimuth_time=round(middle, 6), origin=figures.near_time, coefficients=figures.fm_rate
        ),
        steering_rate=math.radians(figures.steering_rate),
        range_chirp_rate=figures.range_bandwidth / _PULSE_LENGTH,
    )


def _last_time(grid: RadarGrid) -> float:
    return grid.first_line_time + (grid.shape.lines - 1) * grid.line_interval


def instant_of(acquisition: Acquisition, seconds: float) -> datetime:
    """UTC instant of a time [s] on the acquisition's clock."""
    return acquisition.centre + timedelta(seconds=seconds)
