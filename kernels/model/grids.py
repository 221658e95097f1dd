"""Geometries of images: radar, ground range and map grids, and bursts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.model.basics import SPEED_OF_LIGHT, FloatOrArray, Looks, LookSide, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLines:
    """Lines of a zero-Doppler image and their times.

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
    shape: Shape
    wavelength: float
    look_side: LookSide = LookSide.RIGHT
    bistatic_range: float | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarGrid(ImageLines):
    """Zero-Doppler radar geometry of a raster of lines and samples.

    Attributes
    ----------
    first_slant_range : float
        Of sample 0 [m].
    slant_range_spacing : float
        Between samples [m].
    """

    first_slant_range: float
    slant_range_spacing: float

    def slant_range(self, sample: FloatOrArray) -> FloatOrArray:
        """Slant range [m] of fractional samples."""
        return self.first_slant_range + sample * self.slant_range_spacing

    def sample(self, slant_range: FloatOrArray) -> FloatOrArray:
        """Fractional sample of slant ranges [m]."""
        return (slant_range - self.first_slant_range) / self.slant_range_spacing

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
    range_chirp_rate : float or None
        Of the transmitted pulse [Hz/s], where the product tells it.
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
    range_chirp_rate: float | None = None

    @property
    def mid_line(self) -> float:
        """Fractional line in the middle, where the ramp's time is zero (TN-14-0025 section 5)."""
        return 0.5 * (self.grid.shape.lines - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRangeRecord:
    """One conversion between slant range and ground range.

    Attributes
    ----------
    azimuth_time : float
        Annotated time that the record is for [s from the product's epoch].
    slant_range_origin : float
        [m].
    slant_to_ground : tuple of float
        Ground range [m] as polynomial of ``slant_range - slant_range_origin``, lowest first.
    ground_range_origin : float
        [m].
    ground_to_slant : tuple of float
        Slant range [m] as polynomial of ``ground_range - ground_range_origin``, lowest first.
    """

    azimuth_time: float
    slant_range_origin: float
    slant_to_ground: tuple[float, ...]
    ground_range_origin: float
    ground_to_slant: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRangeGrid(ImageLines):
    """Zero-Doppler geometry of a detected image in ground range.

    The slant range of a pixel is linear in time between the ground-to-slant polynomials of the
    two records around its line. Neighbouring records differ by many pixels, so that taking the
    nearest one would tear the image midway; annotated tie points, which stand close to records,
    agree with the nearest one all the same.

    Attributes
    ----------
    ground_range_spacing : float
        Between samples [m].
    records : tuple of GroundRangeRecord
        In order of time.
    """

    ground_range_spacing: float
    records: tuple[GroundRangeRecord, ...]


class GeographicBox(NamedTuple):
    """A box in degrees; east may pass 180 where the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


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
