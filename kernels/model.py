"""Types shared by every part of the kernels.

Conventions: order is (azimuth, range) = (row, column); SI units and radians; times are
float64 seconds from a stated epoch; pixel coordinates count from 0 at the *centre* of the
first pixel; coordinates on the ground are WGS84, ECEF in metres or longitude and latitude in
radians unless a name says degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

SPEED_OF_LIGHT = 299_792_458.0
"""Speed of light in vacuum [m/s]."""

FloatOrArray = TypeVar("FloatOrArray", float, NDArray[np.float64])


class Shape(NamedTuple):
    """Size of a raster: lines (azimuth), samples (range)."""

    lines: int
    samples: int


class Looks(NamedTuple):
    """Number of looks in azimuth and in range."""

    azimuth: int
    range: int


class LookSide(StrEnum):
    """The side of the track that the antenna looks to."""

    RIGHT = "right"
    LEFT = "left"


class OrbitSource(StrEnum):
    """Where state vectors come from, best first."""

    PRECISE = "POEORB"
    RESTITUTED = "RESORB"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVectors:
    """Positions and velocities of the platform.

    Attributes
    ----------
    epoch : datetime
        UTC instant (naive) that times count from.
    times : ndarray of float64, shape (n,)
        Increasing [s from epoch].
    positions : ndarray of float64, shape (n, 3)
        Earth-fixed [m].
    velocities : ndarray of float64, shape (n, 3)
        Earth-fixed [m/s].
    source : OrbitSource
        Kind of orbit.
    origin : str
        Name of the file that they were read from.
    """

    epoch: datetime
    times: NDArray[np.float64]
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    source: OrbitSource
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarGrid:
    """Zero-Doppler radar geometry of a raster of lines and samples.

    The annotated time of a line is zero-Doppler only at one slant range; elsewhere the residual
    bistatic term remains: ``t = first_line_time + line * line_interval
    + (slant_range - bistatic_range) / c`` (half of the two-way time difference).

    Attributes
    ----------
    epoch : datetime
        UTC instant (naive) that times count from.
    first_line_time : float
        Annotated time of line 0 [s from epoch].
    line_interval : float
        Time between lines [s].
    first_slant_range : float
        Of sample 0 [m].
    slant_range_spacing : float
        Between samples [m].
    shape : Shape
        Lines and samples.
    wavelength : float
        Of the carrier [m].
    look_side : LookSide
        Side of the track.
    bistatic_range : float or None
        Slant range at which annotated line times are zero-Doppler [m]; None: at every range.
    """

    epoch: datetime
    first_line_time: float
    line_interval: float
    first_slant_range: float
    slant_range_spacing: float
    shape: Shape
    wavelength: float
    look_side: LookSide = LookSide.RIGHT
    bistatic_range: float | None = None

    def slant_range(self, sample: FloatOrArray) -> FloatOrArray:
        """Slant range [m] of fractional samples."""
        return self.first_slant_range + sample * self.slant_range_spacing

    def sample(self, slant_range: FloatOrArray) -> FloatOrArray:
        """Fractional sample of slant ranges [m]."""
        return (slant_range - self.first_slant_range) / self.slant_range_spacing

    def bistatic_delay(self, slant_range: FloatOrArray) -> FloatOrArray:
        """Zero-Doppler time minus annotated line time [s] at slant ranges [m]."""
        if self.bistatic_range is None:
            return slant_range * 0.0
        return (slant_range - self.bistatic_range) / SPEED_OF_LIGHT

    def zero_doppler_time(self, line: FloatOrArray, slant_range: FloatOrArray) -> FloatOrArray:
        """Zero-Doppler time [s from epoch] of fractional lines at slant ranges [m]."""
        return self.first_line_time + line * self.line_interval + self.bistatic_delay(slant_range)

    def line(self, zero_doppler_time: FloatOrArray, slant_range: FloatOrArray) -> FloatOrArray:
        """Fractional line of zero-Doppler times [s from epoch] at slant ranges [m]."""
        annotated = zero_doppler_time - self.bistatic_delay(slant_range)
        return (annotated - self.first_line_time) / self.line_interval

    def window(self, first_line: int, first_sample: int, shape: Shape) -> RadarGrid:
        """Return the grid of a part of the raster."""
        return replace(
            self,
            first_line_time=self.first_line_time + first_line * self.line_interval,
            first_slant_range=self.first_slant_range + first_sample * self.slant_range_spacing,
            shape=shape,
        )

    def looked(self, looks: Looks) -> RadarGrid:
        """Return the grid after multilooking; incomplete cells at the end are left out."""
        return replace(
            self,
            first_line_time=self.first_line_time + 0.5 * (looks.azimuth - 1) * self.line_interval,
            line_interval=self.line_interval * looks.azimuth,
            first_slant_range=self.first_slant_range
            + 0.5 * (looks.range - 1) * self.slant_range_spacing,
            slant_range_spacing=self.slant_range_spacing * looks.range,
            shape=Shape(self.shape.lines // looks.azimuth, self.shape.samples // looks.range),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RangePolynomial:
    """A polynomial of two-way slant range time about its own origin.

    Attributes
    ----------
    azimuth_time : float
        Instant that it was estimated for [s from the product's epoch].
    origin : float
        Two-way time t0 that the polynomial is about [s].
    coefficients : tuple of float
        Lowest order first.
    """

    azimuth_time: float
    origin: float
    coefficients: tuple[float, ...]

    def __call__(self, two_way_time: FloatOrArray) -> FloatOrArray:
        """Value at two-way slant range times [s]."""
        x = two_way_time - self.origin
        value = x * 0.0
        for coefficient in reversed(self.coefficients):
            value = value * x + coefficient
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One continuous piece of focused image: a TOPS burst, or a whole StripMap image.

    Attributes
    ----------
    index : int
        Counted from 0 in the measurement file.
    first_line : int
        Row of the measurement file that holds the burst's line 0.
    grid : RadarGrid
        Of the burst's lines and all samples of the file.
    first_valid_sample, last_valid_sample : ndarray of int32, shape (lines,)
        First and last sample (both included) that carry signal; -1 where a line has none.
    doppler : RangePolynomial
        Doppler centroid at mid-burst [Hz].
    fm_rate : RangePolynomial
        Azimuth FM rate at mid-burst [Hz/s], negative.
    steering_rate : float
        Rotation of the antenna beam in azimuth [rad/s]; 0 where the beam is fixed.
    identifier : int or None
        ESA's burst identifier along the relative orbit, where the product carries it.
    """

    index: int
    first_line: int
    grid: RadarGrid
    first_valid_sample: NDArray[np.int32]
    last_valid_sample: NDArray[np.int32]
    doppler: RangePolynomial
    fm_rate: RangePolynomial
    steering_rate: float
    identifier: int | None = None

    @property
    def mid_line(self) -> float:
        """Fractional line in the middle, where the ramp's time is zero (TN-14-0025 section 5)."""
        return 0.5 * (self.grid.shape.lines - 1)


class PixelReader(Protocol):
    """Reads complex pixels by block; safe to call from several threads."""

    @property
    def shape(self) -> Shape:
        """Lines and samples of the file."""
        ...

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.complex64]:
        """Read a window, shape (lines, samples); raises ProductError if that is impossible."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLut:
    """Calibration vectors: pixel intensity / value**2 is the calibrated quantity.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        Azimuth time of each vector [s from the product's epoch].
    lines : ndarray of int32, shape (n,)
        Line of each vector in the measurement file.
    pixels : ndarray of int32, shape (m,)
        Samples of the columns.
    sigma_nought, beta_nought, gamma, digital_number : ndarray of float32, shape (n, m)
        Values of the vectors [1].
    """

    times: NDArray[np.float64]
    lines: NDArray[np.int32]
    pixels: NDArray[np.int32]
    sigma_nought: NDArray[np.float32]
    beta_nought: NDArray[np.float32]
    gamma: NDArray[np.float32]
    digital_number: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeolocationGrid:
    """The annotation's own tie points, flattened; for checks and footprints, never as truth.

    Attributes
    ----------
    zero_doppler_times : ndarray of float64, shape (n,)
        Pure zero-Doppler azimuthTime [s from the product's epoch].
    slant_range_times : ndarray of float64, shape (n,)
        Two-way [s].
    lines, pixels : ndarray of float64, shape (n,)
        Coordinates in the measurement file.
    longitudes, latitudes : ndarray of float64, shape (n,)
        [degrees].
    heights : ndarray of float64, shape (n,)
        Above the ellipsoid [m].
    incidence_angles : ndarray of float64, shape (n,)
        [rad].
    """

    zero_doppler_times: NDArray[np.float64]
    slant_range_times: NDArray[np.float64]
    lines: NDArray[np.float64]
    pixels: NDArray[np.float64]
    longitudes: NDArray[np.float64]
    latitudes: NDArray[np.float64]
    heights: NDArray[np.float64]
    incidence_angles: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlcProduct:
    """One single-look complex image: one swath in one polarisation.

    Attributes
    ----------
    name : str
        Name of the product that it is part of, without folder or ending.
    platform : str
        For example S1A.
    mode : str
        Acquisition mode: IW, or SM for StripMap.
    swath : str
        For example IW2 or S3.
    polarisation : str
        VV, VH, HH or HV.
    start, stop : datetime
        UTC (naive), first and last line.
    absolute_orbit, relative_orbit : int
        Orbit and track number.
    ascending : bool
        Direction of the pass.
    processor : str
        Software and version, for example "Sentinel-1 IPF 002.91".
    state_vectors : StateVectors
        In use: precise where given, else the annotation's.
    grid : RadarGrid
        Of the whole measurement file; for TOPS only range and shape are meaningful.
    bursts : tuple of Burst
        In azimuth order; exactly one for StripMap.
    range_bandwidth, azimuth_bandwidth : float
        Processed [Hz].
    calibration : CalibrationLut or None
        None where the product has no calibration file.
    geolocation : GeolocationGrid
        Tie points of the annotation.
    pixels : PixelReader or None
        None where only the metadata is at hand.
    """

    name: str
    platform: str
    mode: str
    swath: str
    polarisation: str
    start: datetime
    stop: datetime
    absolute_orbit: int
    relative_orbit: int
    ascending: bool
    processor: str
    state_vectors: StateVectors
    grid: RadarGrid
    bursts: tuple[Burst, ...]
    range_bandwidth: float
    azimuth_bandwidth: float
    calibration: CalibrationLut | None
    geolocation: GeolocationGrid
    pixels: PixelReader | None


class GeographicBox(NamedTuple):
    """A box in degrees; east may pass 180 where the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dem:
    """Heights on a geographic grid, bilinear between the pixel centres.

    Attributes
    ----------
    heights : ndarray of float32, shape (rows, columns)
        Above the WGS84 ellipsoid [m]; finite everywhere.
    west, north : float
        Longitude and latitude of the *centre* of the first pixel [degrees].
    longitude_step, latitude_step : float
        Between pixel centres [degrees]; the latitude step is negative.
    filled : ndarray of bool, shape (rows, columns), or None
        Where no source had a value and the policy for missing tiles gave one.
    sources : tuple of str
        Names of the files read.
    """

    heights: NDArray[np.float32]
    west: float
    north: float
    longitude_step: float
    latitude_step: float
    filled: NDArray[np.bool_] | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MapGrid:
    """A north-up raster on a map.

    Attributes
    ----------
    crs : str
        For example "EPSG:4326" (axes longitude, latitude here) or "EPSG:32740".
    west, north : float
        Outer corner of the first pixel [degrees or m].
    x_spacing, y_spacing : float
        Size of a pixel, both positive [degrees or m].
    shape : Shape
        Rows and columns.
    """

    crs: str
    west: float
    north: float
    x_spacing: float
    y_spacing: float
    shape: Shape

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """In GDAL's order."""
        return (self.west, self.x_spacing, 0.0, self.north, 0.0, -self.y_spacing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interferogram:
    """Multilooked interferogram on a radar or map grid.

    Attributes
    ----------
    amplitude : ndarray of float32, shape (rows, columns)
        Geometric mean of both images' amplitudes [digital numbers].
    phase : ndarray of float32, shape (rows, columns)
        [rad], in (-pi, pi]; positive where the ground moved away from the radar.
    coherence : ndarray of float32, shape (rows, columns)
        0 to 1.
    is_data : ndarray of bool, shape (rows, columns)
        True where every contributing pixel was valid.
    grid : RadarGrid or MapGrid
        Geometry of the rasters.
    """

    amplitude: NDArray[np.float32]
    phase: NDArray[np.float32]
    coherence: NDArray[np.float32]
    is_data: NDArray[np.bool_]
    grid: RadarGrid | MapGrid
