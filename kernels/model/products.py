"""Products as readers give them: metadata, look-up tables, and pixels by block."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kernels.model.basics import Shape, StateVectors
from kernels.model.grids import Burst, GroundRangeGrid, RadarGrid


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


class DetectedReader(Protocol):
    """Reads detected amplitudes by block; safe to call from several threads."""

    @property
    def shape(self) -> Shape:
        """Lines and samples of the file."""
        ...

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.uint16]:
        """Read a window, shape (lines, samples); raises ProductError if that is impossible."""
        ...


class IntensityReader(Protocol):
    """Reads intensities by block, whatever the pixels of the file are."""

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.float32]:
        """Read a window into a new array, shape (lines, samples); NaN is no data."""
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
class NoiseVector:
    """Thermal noise along range, for one line.

    Attributes
    ----------
    line : int
        Line of the measurement file.
    pixels : ndarray of int32, shape (n,)
        Samples of the values.
    values : ndarray of float32, shape (n,)
        Noise power [digital numbers squared].
    """

    line: int
    pixels: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseBlock:
    """Variation of the noise along azimuth inside a block of one swath.

    Attributes
    ----------
    swath : str
        For example IW2.
    first_line, last_line, first_sample, last_sample : int
        Extent of the block, both ends included.
    lines : ndarray of int32, shape (n,)
        Lines of the values.
    values : ndarray of float32, shape (n,)
        Factor to the range noise [1].
    """

    swath: str
    first_line: int
    last_line: int
    first_sample: int
    last_sample: int
    lines: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseLut:
    """Thermal noise of an image: range vectors times azimuth blocks.

    Attributes
    ----------
    vectors : tuple of NoiseVector
        In order of lines; their samples may differ from vector to vector.
    blocks : tuple of NoiseBlock
        Empty in products before 2018, whose noise varies along range alone.
    """

    vectors: tuple[NoiseVector, ...]
    blocks: tuple[NoiseBlock, ...]


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
    noise : NoiseLut or None
        On the lines of the measurement file; None where it is missing or was not asked for.
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
    noise: NoiseLut | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrdProduct:
    """One detected image in ground range: one polarisation.

    Attributes
    ----------
    name : str
        Name of the product that it is part of, without folder or ending.
    platform : str
        For example S1A.
    mode : str
        IW, EW, or SM for StripMap.
    polarisation : str
        VV, VH, HH or HV.
    start, stop : datetime
        UTC (naive), first and last line.
    absolute_orbit, relative_orbit : int
        Orbit and track number.
    ascending : bool
        Direction of the pass.
    processor : str
        Software and version, for example "Sentinel-1 IPF 003.40".
    state_vectors : StateVectors
        In use: precise where given, else the annotation's.
    grid : GroundRangeGrid
        Of the measurement file.
    calibration : CalibrationLut or None
        None where the product has no calibration file.
    noise : NoiseLut or None
        None where the product has no noise file.
    geolocation : GeolocationGrid
        Tie points of the annotation.
    pixels : DetectedReader or None
        None where only the metadata is at hand.
    """

    name: str
    platform: str
    mode: str
    polarisation: str
    start: datetime
    stop: datetime
    absolute_orbit: int
    relative_orbit: int
    ascending: bool
    processor: str
    state_vectors: StateVectors
    grid: GroundRangeGrid
    calibration: CalibrationLut | None
    noise: NoiseLut | None
    geolocation: GeolocationGrid
    pixels: DetectedReader | None
