"""Imaging modes of the simulated sensor, with the figures of real products.

IW: S1A of 2019-01-01, relative orbit 15; StripMap: S1A S3 of 2021-04-01 and S6 of 2015-06-19;
TerraSAR-X strip_011 of 2008-03-10; COSMO-SkyMed Spotlight of 2011-04-18. The Doppler centroids of
the X-band beams, and the turning of their beams, are made up to be hard. Any number of bursts,
samples and lines can be asked for, so that a scene stays as small as its purpose allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kernels.errors import RequestError
from kernels.model import SPEED_OF_LIGHT
from kernels.simulation.radars import COSMO_SKYMED, SENTINEL_1, TERRASAR_X, Radar

CARRIER = SENTINEL_1.carrier
"""Frequency of Sentinel-1's radar [Hz]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwathFigures:
    """What a swath is like.

    Attributes
    ----------
    name : str
        For example IW1 or S3.
    steering_rate : float
        Of the beam [degrees/s], as it is annotated.
    near_time : float
        Two-way slant range time of sample 0, where polynomials begin [s].
    samples : int
        Of a full line.
    sampling_rate, range_bandwidth, azimuth_bandwidth : float
        [Hz].
    line_interval : float
        [s].
    burst_lines, cycle_lines : int
        Lines of a burst, and from the start of one burst to the next.
    edge_lines : int
        Lines without signal at either end of a burst.
    start : float
        Time of the first burst after that of IW1 [s].
    fm_rate, doppler : tuple of float
        Polynomials of two-way time about `near_time`, lowest order first.
    bistatic_time : float or None
        Two-way time at which annotated line times are zero-Doppler [s]; None: at any.
    mode : str
        IW, SM for StripMap, SL or HS for Spotlight.
    radar : Radar
        That images it.
    """

    name: str
    steering_rate: float
    near_time: float
    samples: int
    sampling_rate: float
    range_bandwidth: float
    azimuth_bandwidth: float
    line_interval: float
    burst_lines: int
    cycle_lines: int
    edge_lines: int
    start: float
    fm_rate: tuple[float, ...]
    doppler: tuple[float, ...]
    bistatic_time: float | None
    mode: str = "IW"
    radar: Radar = SENTINEL_1

    @property
    def range_spacing(self) -> float:
        """Slant range between samples [m]."""
        return 0.5 * SPEED_OF_LIGHT / self.sampling_rate

    @property
    def middle_range(self) -> float:
        """Slant range in the middle of the full swath [m]."""
        near = 0.5 * SPEED_OF_LIGHT * self.near_time
        return near + 0.5 * (self.samples - 1) * self.range_spacing


_IW_SAMPLING = 6.434523812571428e7
_IW_INTERVAL = 2.055556299999998e-3
_IW_BISTATIC = 5.85e-3

_SWATHS = (
    SwathFigures(
        name="IW1",
        steering_rate=1.590368784,
        near_time=5.337574920665150e-3,
        samples=21953,
        sampling_rate=_IW_SAMPLING,
        range_bandwidth=56.5e6,
        azimuth_bandwidth=327.0,
        line_interval=_IW_INTERVAL,
        burst_lines=1498,
        cycle_lines=1342,
        edge_lines=18,
        start=0.0,
        fm_rate=(-2323.33, 4.5095e5, -7.927e7),
        doppler=(-14.0, 4.2e3, -1.3e7),
        bistatic_time=_IW_BISTATIC,
    ),
    SwathFigures(
        name="IW2",
        steering_rate=0.979863325,
        near_time=5.647294809510131e-3,
        samples=25812,
        sampling_rate=_IW_SAMPLING,
        range_bandwidth=48.3e6,
        azimuth_bandwidth=313.0,
        line_interval=_IW_INTERVAL,
        burst_lines=1510,
        cycle_lines=1342,
        edge_lines=24,
        start=0.943501,
        fm_rate=(-2191.28, 4.0172e5, -6.545e7),
        doppler=(-8.0, 2.0e3, -4.0e6),
        bistatic_time=_IW_BISTATIC,
    ),
    SwathFigures(
        name="IW3",
        steering_rate=1.397440818,
        near_time=6.017982690925679e-3,
        samples=24882,
        sampling_rate=_IW_SAMPLING,
        range_bandwidth=42.789918e6,
        azimuth_bandwidth=314.0,
        line_interval=_IW_INTERVAL,
        burst_lines=1515,
        cycle_lines=1342,
        edge_lines=26,
        start=-0.859223,
        fm_rate=(-2051.35, 3.5346e5, -5.418e7),
        doppler=(-3.0, 1.0e3, -2.0e6),
        bistatic_time=_IW_BISTATIC,
    ),
    SwathFigures(
        name="S3",
        steering_rate=0.0,
        near_time=5.272617843915159e-3,
        samples=18998,
        sampling_rate=6.672839509333333e7,
        range_bandwidth=59.4e6,
        azimuth_bandwidth=1399.0,
        line_interval=5.194923129469381e-4,
        burst_lines=36895,
        cycle_lines=36895,
        edge_lines=0,
        start=0.0,
        fm_rate=(-2370.48, 4.5185e5, -7.840e7),
        doppler=(-4.6, 1.15e4, -2.9e7),
        bistatic_time=5.4150e-3,
        mode="SM",
    ),
    SwathFigures(
        name="S6",
        steering_rate=0.0,
        near_time=6.074426428179243e-3,
        samples=17663,
        sampling_rate=4.69184028e7,
        range_bandwidth=42.189444e6,
        azimuth_bandwidth=1398.0,
        line_interval=6.011500664149009e-4,
        burst_lines=31106,
        cycle_lines=31106,
        edge_lines=0,
        start=0.0,
        fm_rate=(-2046.87, 3.4497e5, -5.208e7),
        doppler=(10.9, 3.866e4, -1.834e8),
        bistatic_time=6.2626e-3,
        mode="SM",
    ),
    SwathFigures(
        name="STRIP_011",
        steering_rate=0.0,
        near_time=4.22716597608860812e-3,
        samples=15328,
        sampling_rate=1.09886128e8,
        range_bandwidth=1.0e8,
        azimuth_bandwidth=2765.0,
        line_interval=2.60924658505246e-4,
        burst_lines=32710,
        cycle_lines=32710,
        edge_lines=0,
        start=0.0,
        fm_rate=(-5524.5, 1.298e6, -3.154e8),
        doppler=(420.0, -1.5e6, 4.9e9),
        bistatic_time=None,
        mode="SM",
        radar=TERRASAR_X,
    ),
    SwathFigures(
        name="SPOT_045",
        # the centroid of the image drifts by -14 kHz/s
        steering_rate=-0.4567,
        near_time=4.3e-3,
        samples=9000,
        sampling_rate=1.64829192e8,
        range_bandwidth=1.5e8,
        azimuth_bandwidth=7380.0,
        line_interval=1.204e-4,
        burst_lines=8000,
        cycle_lines=8000,
        edge_lines=0,
        start=0.0,
        fm_rate=(-5500.0, 1.28e6, -3.1e8),
        doppler=(-250.0, 3.0e6, 0.0),
        bistatic_time=None,
        mode="HS",
        radar=TERRASAR_X,
    ),
    SwathFigures(
        name="H4-05",
        steering_rate=0.0,
        near_time=4.9e-3,
        samples=16000,
        sampling_rate=1.125e8,
        range_bandwidth=8.6e7,
        azimuth_bandwidth=2540.0,
        line_interval=3.1348e-4,
        burst_lines=20000,
        cycle_lines=20000,
        edge_lines=0,
        start=0.0,
        fm_rate=(-4710.0, 9.5e5, -2.0e8),
        doppler=(-380.0, 1.2e6, 0.0),
        bistatic_time=None,
        mode="SM",
        radar=COSMO_SKYMED,
    ),
    SwathFigures(
        name="S2-05",
        # the centroid of the image drifts by -11 kHz/s
        steering_rate=-0.3882,
        near_time=4.92865065384615e-3,
        samples=17502,
        sampling_rate=4.62222222222222e8,
        range_bandwidth=3.03369140625e8,
        azimuth_bandwidth=7800.0,
        line_interval=1.01881160627516e-4,
        burst_lines=14380,
        cycle_lines=14380,
        edge_lines=0,
        start=0.0,
        fm_rate=(-4700.0, 9.5e5, -2.0e8),
        doppler=(310.0, -2.5e6, -5.0e9),
        bistatic_time=None,
        mode="SL",
        radar=COSMO_SKYMED,
    ),
)
SWATHS = {swath.name: swath for swath in _SWATHS}
"""Figures of the known swaths by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopsMode:
    """Interferometric wide swath, trimmed.

    Attributes
    ----------
    swaths : tuple of str
        Neighbours among IW1, IW2 and IW3, in this order.
    bursts : int
        Of each swath.
    samples : int or None
        Of each swath; None: the full swath.
    burst_lines : int or None
        None: as in real products; shorter bursts keep the real overlap of about 120 lines or
        a quarter of the burst, whichever is less.
    overlap : int or None
        Samples that neighbouring swaths share; None: 1/20 of a swath.
    """

    swaths: tuple[str, ...] = ("IW1",)
    bursts: int = 2
    samples: int | None = 4000
    burst_lines: int | None = None
    overlap: int | None = None

    def figures(self) -> tuple[SwathFigures, ...]:
        """Figures of the swaths; raises RequestError for an unknown name."""
        return tuple(_figures("swaths", name, tops=True) for name in self.swaths)

    def burst_shape(self, swath: SwathFigures) -> tuple[int, int]:
        """Lines of a burst, and from one burst to the next."""
        lines = self.burst_lines or swath.burst_lines
        overlap = min(swath.burst_lines - swath.cycle_lines, lines // 4 + 2 * swath.edge_lines)
        return lines, lines - overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class StripMapMode:
    """An image of one piece, trimmed: StripMap, or Spotlight of the beams that turn.

    Attributes
    ----------
    beam : str
        S3 and S6; STRIP_011 and SPOT_045 of TerraSAR-X; H4-05 and S2-05 of COSMO-SkyMed.
    lines : int
        Of the image.
    samples : int
        Of the image.
    """

    beam: str = "S3"
    lines: int = 6000
    samples: int = 4000

    def figures(self) -> tuple[SwathFigures, ...]:
        """Figures of the beam; raises RequestError for an unknown name."""
        return (_figures("beam", self.beam, tops=False),)


Mode = TopsMode | StripMapMode


def _figures(argument: str, name: str, *, tops: bool) -> SwathFigures:
    known = [key for key, swath in SWATHS.items() if (swath.mode == "IW") is tops]
    if name not in known:
        raise RequestError(argument, f"among {', '.join(known)}", name)
    return SWATHS[name]


def look_angle_at(slant_range: float, *, orbit_radius: float, ground_radius: float) -> float:
    """Angle from the nadir [rad] at a slant range over a sphere (law of cosines)."""
    cosine = (orbit_radius**2 + slant_range**2 - ground_radius**2) / (
        2.0 * orbit_radius * slant_range
    )
    return math.acos(cosine)
