"""Detected acquisitions with parameters of their own: orbit, ground range and annotation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.model import (
    SPEED_OF_LIGHT,
    GeolocationGrid,
    GrdProduct,
    GroundRangeGrid,
    GroundRangeRecord,
    NoiseBlock,
    NoiseLut,
    NoiseVector,
    Shape,
    StateVectors,
)
from kernels.simulation.acquisition import Acquisition, Track, instant_of, track_orbit
from kernels.simulation.detected_numba import pixel_slant_range, pixel_time
from kernels.simulation.detected_view import ground_point, ground_view, level_terrain
from kernels.simulation.ground_annotation import (
    GRID_COLUMNS,
    incidence_angle,
    make_calibration,
    still,
)
from kernels.simulation.locate_numba import (
    Terrain,
    find_ground,
    first_sight,
    orbit_position,
)
from kernels.simulation.modes import CARRIER, look_angle_at
from kernels.simulation.orbit import OrbitTable, sample_orbit, tabulate
from kernels.simulation.radars import SENTINEL_1, absolute_orbit, sentinel1_name

LINE_INTERVAL = 1.496569996245720e-3
"""Of real IW GRDH products [s]: 10 m on the ground."""

_SPACING = 10.0
_SMALLEST = 40
_BISTATIC_RANGE = 0.5 * SPEED_OF_LIGHT * 5.85e-3
_ORBIT_SECONDS = 80.0
_RECORD_INTERVAL = 1.0
_RECORD_LEAD = 1.909162
"""Of the first record before the first line of a pass [s], as in a real product."""

_COEFFICIENTS = 9
_RANGE_STEP = 50.0
_BEFORE = 300
"""Steps of the slant range before the first pixel that polynomials are fitted to."""

_REACH = _BEFORE * _RANGE_STEP
_GRID_ROWS = 10
_NOISE_STEP = 40
_NOISE_LINES = 10
_ORBIT_RADIUS = 7_071_000.0
_GROUND_RADIUS = 6_371_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedMode:
    """Interferometric wide swath, detected at high resolution (IW GRDH), trimmed.

    Attributes
    ----------
    lines, samples : int
        Of each product; 10 m x 10 m.
    slices : int
        Products that follow each other along one pass; their lines continue one grid.
    middle_range : float
        Slant range of the centre of the scene [m]; real swaths reach from 0.80e6 to 0.96e6.
    beta_nought : float
        Value of the calibration vectors [1].
    noise : float
        Mean thermal noise [digital numbers squared].
    """

    lines: int = 1500
    samples: int = 2000
    slices: int = 1
    middle_range: float = 830_000.0
    beta_nought: float = 474.0
    noise: float = 1500.0

    def __post_init__(self) -> None:
        """Check the sizes; raises RequestError naming the one that breaks its rule."""
        for name, least in (("lines", _SMALLEST), ("samples", _SMALLEST), ("slices", 1)):
            if getattr(self, name) < least:
                raise RequestError(name, f"at least {least}", getattr(self, name))


def make_detected(
    track: Track,
    mode: DetectedMode,
    acquisition: Acquisition,
    terrain: Terrain,
    *,
    polarisations: Sequence[str],
) -> tuple[tuple[GrdProduct, ...], ...]:
    """Annotation of the products of a pass, without pixels.

    Parameters
    ----------
    track : Track
        Of the series.
    mode : DetectedMode
        Of the series.
    acquisition : Acquisition
        The date; its centre is the epoch of all times.
    terrain : Terrain
        For the geolocation grid.
    polarisations : sequence of str
        In the order of the images' numbers.

    Returns
    -------
    tuple of tuple of GrdProduct
        One per slice, each with one image per polarisation.

    Raises
    ------
    OrbitError
        The track's orbit does not exist.
    """
    orbit = track_orbit(track, mode.middle_range, acquisition, terrain)
    vectors = sample_orbit(orbit, centre=acquisition.centre, seconds=_ORBIT_SECONDS)
    lines = mode.lines * mode.slices
    start = -0.5 * (lines - 1) * LINE_INTERVAL + acquisition.timing_offset
    records = _records(mode, vectors, start=start, seconds=lines * LINE_INTERVAL)
    passes = []
    for k in range(mode.slices):
        # annotations give starts to the microsecond
        first = round(start + k * mode.lines * LINE_INTERVAL, 6)
        grid = GroundRangeGrid(
            epoch=acquisition.centre,
            first_line_time=first,
            line_interval=LINE_INTERVAL,
            ground_range_spacing=_SPACING,
            shape=Shape(mode.lines, mode.samples),
            wavelength=SPEED_OF_LIGHT / CARRIER,
            records=_around(records, first, first + mode.lines * LINE_INTERVAL),
            bistatic_range=_BISTATIC_RANGE,
        )
        image = _product(
            track,
            mode,
            acquisition,
            grid=grid,
            vectors=vectors,
            terrain=terrain,
            polarisations=polarisations,
        )
        passes.append(tuple(replace(image, polarisation=p) for p in polarisations))
    return tuple(passes)


def _product(
    track: Track,
    mode: DetectedMode,
    acquisition: Acquisition,
    *,
    grid: GroundRangeGrid,
    vectors: StateVectors,
    terrain: Terrain,
    polarisations: Sequence[str],
) -> GrdProduct:
    start = instant_of(acquisition, grid.first_line_time)
    stop = start + timedelta(seconds=(grid.shape.lines - 1) * grid.line_interval)
    number = absolute_orbit(
        SENTINEL_1, acquisition.platform, acquisition.centre, track.relative_orbit
    )
    sent = "H" if polarisations[0].startswith("H") else "V"
    kind = f"IW_GRDH_1S{'D' if len(polarisations) > 1 else 'S'}{sent}"
    geolocation = _tie_points(grid, vectors, terrain)
    return GrdProduct(
        name=sentinel1_name(kind, acquisition.platform, number, start, stop),
        platform=acquisition.platform,
        mode="IW",
        polarisation=polarisations[0],
        start=start,
        stop=stop,
        absolute_orbit=number,
        relative_orbit=track.relative_orbit,
        ascending=track.ascending,
        processor=SENTINEL_1.processor,
        state_vectors=vectors,
        grid=grid,
        calibration=make_calibration(grid, geolocation, beta_nought=mode.beta_nought),
        noise=_noise(grid.shape, mode.noise),
        geolocation=geolocation,
        pixels=None,
    )


def _records(
    mode: DetectedMode, vectors: StateVectors, *, start: float, seconds: float
) -> list[GroundRangeRecord]:
    """One conversion per second, from before the first line to after the last."""
    orbit = tabulate(vectors, epoch=vectors.epoch, about=start + 0.5 * seconds)
    look = look_angle_at(
        mode.middle_range, orbit_radius=_ORBIT_RADIUS, ground_radius=_GROUND_RADIUS
    )
    incidence = math.asin(math.sin(look) * _ORBIT_RADIUS / _GROUND_RADIUS)
    width = mode.samples * _SPACING
    near = mode.middle_range - 0.5 * width * math.sin(incidence)
    far = near + width * math.sin(incidence)
    count = math.ceil((seconds + 2.0 * _RECORD_LEAD) / _RECORD_INTERVAL) + 1
    times = [round(start - _RECORD_LEAD + k * _RECORD_INTERVAL, 6) for k in range(count)]
    return [_record(orbit, time, near, far) for time in times]


def _record(orbit: OrbitTable, time: float, near: float, far: float) -> GroundRangeRecord:
    """Fit polynomials to distances along the ellipsoid in the zero-Doppler plane.

    They reach beyond the image on both sides, so that readers may go beyond it as well.
    """
    flat = level_terrain(0.0)
    ranges: NDArray[np.float64] = np.arange(near - _REACH, far + _REACH, _RANGE_STEP)
    sight = first_sight(orbit, flat, time, float(ranges[0]))
    points = np.empty((ranges.size, 3))
    for row, slant_range in zip(points, ranges, strict=True):
        sight = find_ground(orbit, flat, still(), time, float(slant_range), sight, 1e-7)
        row[:] = sight.x, sight.y, sight.z
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    ground = np.concatenate([[0.0], np.cumsum(steps)])
    ground -= ground[_BEFORE]
    to_slant = Polynomial.fit(ground, ranges, _COEFFICIENTS - 1).convert()
    to_ground = Polynomial.fit(ranges - near, ground, _COEFFICIENTS - 1).convert()
    return GroundRangeRecord(
        azimuth_time=time,
        slant_range_origin=near,
        slant_to_ground=tuple(to_ground.coef.tolist()),
        ground_range_origin=0.0,
        ground_to_slant=tuple(to_slant.coef.tolist()),
    )


def _around(
    records: list[GroundRangeRecord], start: float, stop: float
) -> tuple[GroundRangeRecord, ...]:
    """Choose the records of a slice: those within 2 s of its lines."""
    reach = 2.0 * _RECORD_INTERVAL
    return tuple(r for r in records if start - reach < r.azimuth_time < stop + reach)


def _tie_points(grid: GroundRangeGrid, vectors: StateVectors, terrain: Terrain) -> GeolocationGrid:
    view = ground_view(grid, vectors)
    rows = []
    for line in np.linspace(0, grid.shape.lines - 1, _GRID_ROWS).astype(int):
        for pixel in np.linspace(0, grid.shape.samples - 1, GRID_COLUMNS).astype(int):
            slant_range = pixel_slant_range(view, float(line), float(pixel))
            time = pixel_time(view, float(line), slant_range)
            sight = ground_point(view, terrain, float(line), float(pixel))
            platform = np.array(orbit_position(view.orbit, time))
            rows.append(
                (
                    time,
                    2.0 * slant_range / SPEED_OF_LIGHT,
                    line,
                    pixel,
                    sight.longitude,
                    sight.latitude,
                    sight.height,
                    incidence_angle(sight, platform),
                )
            )
    table = np.array(rows, dtype=np.float64).T
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


def _noise(shape: Shape, level: float) -> NoiseLut:
    """Noise that falls and rises along range, and with the antenna's scalloping along azimuth.

    The two halves of the image stand for two swaths.
    """
    lines, samples = shape
    pixels = np.append(np.arange(0, samples - 1, _NOISE_STEP), samples - 1)
    x = 2.0 * pixels / (samples - 1) - 1.0
    vectors = tuple(
        NoiseVector(
            line=int(line),
            pixels=pixels.astype(np.int32),
            values=(level * (0.85 + 0.4 * x**2 + 0.05 * x * line / lines)).astype(np.float32),
        )
        for line in np.linspace(0, lines - 1, 4).astype(int)
    )
    rows = np.append(np.arange(0, lines - 1, _NOISE_LINES), lines - 1)
    blocks = tuple(
        NoiseBlock(
            swath=swath,
            first_line=0,
            last_line=lines - 1,
            first_sample=first,
            last_sample=last,
            lines=rows.astype(np.int32),
            values=(1.0 + depth * np.cos(2.0 * np.pi * rows / 900.0)).astype(np.float32),
        )
        for swath, first, last, depth in (
            ("IW1", 0, samples // 2 - 1, 0.10),
            ("IW2", samples // 2, samples - 1, 0.03),
        )
    )
    return NoiseLut(vectors=vectors, blocks=blocks)
