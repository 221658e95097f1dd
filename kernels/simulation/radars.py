"""Satellites of the simulation: carrier, orbit, numbers and names of products."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernels.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Radar:
    """What the satellites of a constellation share.

    Attributes
    ----------
    platforms : tuple of str
        The satellites.
    carrier : float
        Frequency [Hz].
    orbit_radius : float
        [m].
    inclination : float
        [rad].
    cycle : timedelta
        After which tracks repeat.
    tracks : int
        Orbits in a cycle.
    processor : str
        Written as the processor, so that readers treat the product as a recent one.
    """

    platforms: tuple[str, ...]
    carrier: float
    orbit_radius: float
    inclination: float
    cycle: timedelta
    tracks: int
    processor: str


SENTINEL_1 = Radar(
    platforms=("S1A", "S1B", "S1C", "S1D"),
    carrier=5.405000454334350e9,
    orbit_radius=7_071_000.0,
    inclination=math.radians(98.18),
    cycle=timedelta(days=12),
    tracks=175,
    processor="Sentinel-1 IPF 003.71",
)
TERRASAR_X = Radar(
    platforms=("TSX1", "TDX1", "PAZ1"),
    carrier=9.65e9,
    orbit_radius=6_883_700.0,
    inclination=math.radians(97.44),
    cycle=timedelta(days=11),
    tracks=167,
    processor="TMSP 4.11",
)
COSMO_SKYMED = Radar(
    platforms=("CSKS1", "CSKS2", "CSKS3", "CSKS4"),
    carrier=9.6e9,
    orbit_radius=6_997_900.0,
    inclination=math.radians(97.86),
    cycle=timedelta(days=16),
    tracks=237,
    processor="COSMO-SkyMed 3.11",
)

_RADARS = (SENTINEL_1, TERRASAR_X, COSMO_SKYMED)
_FIRST_CYCLE = datetime(2014, 4, 6)
_ORBIT_OFFSETS = {
    "S1A": 73,
    "S1B": 27,
    "S1C": 172,
    "S1D": 42,
    "CSKS1": 11,
    "CSKS2": 95,
    "CSKS3": 141,
    "CSKS4": 202,
}


def radar_of(platform: str) -> Radar:
    """Return the constellation of a satellite; raises RequestError for an unknown one."""
    for radar in _RADARS:
        if platform in radar.platforms:
            return radar
    known = ", ".join(platform for radar in _RADARS for platform in radar.platforms)
    raise RequestError("platform", f"among {known}", platform)


def absolute_orbit(radar: Radar, platform: str, centre: datetime, relative_orbit: int) -> int:
    """Orbit number of a platform that gives a relative orbit, at an instant."""
    cycle = max((centre - _FIRST_CYCLE) // radar.cycle, 1)
    return radar.tracks * cycle + relative_orbit - 1 + _ORBIT_OFFSETS.get(platform, 0)


def sentinel1_name(
    kind: str, platform: str, absolute_orbit: int, start: datetime, stop: datetime
) -> str:
    """Name of a Sentinel-1 product without ending; its kind is for example IW_SLC__1SSV."""
    stem = (
        f"{platform}_{kind}_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"
        f"_{absolute_orbit:06d}_{absolute_orbit * 7 % 0xFFFFFF:06X}"
    )
    return f"{stem}_{hashlib.sha256(stem.encode()).hexdigest()[:4].upper()}"


def terrasar_x_name(platform: str, mode: str, start: datetime, stop: datetime) -> str:
    """Name of a product of TerraSAR-X; its mode is for example SM."""
    return f"{platform}_SAR__SSC______{mode}_S_SRA_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"


def cosmo_skymed_name(
    platform: str, beam: str, start: datetime, stop: datetime, *, ascending: bool
) -> str:
    """Name of a product of COSMO-SkyMed; its beam is for example H4-05."""
    mode = "HI" if beam.startswith("H") else "S2"
    return (
        f"{platform}_SCS_B_{mode}_{beam[-2:]}_VV_R{'A' if ascending else 'D'}_SF"
        f"_{start:%Y%m%d%H%M%S}_{stop:%Y%m%d%H%M%S}"
    )
