"""What is on the ground and how it moves: the scene that all acquisitions of a series see."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.model import Dem
from kernels.simulation.locate_numba import Motion, Terrain, cartesian

POISSON_RATIO = 0.25

_LARGEST_AMPLITUDE = 4000.0
"""Of speckle that 16 bits hold: the largest of a million pixels is 4 times the mean square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MogiSource:
    """A small sphere that swells in an elastic half-space (Mogi 1958).

    The surface rises by ``(1 - nu) dV / pi * d / (d^2 + r^2)^1.5`` and moves outwards by the same
    with r for d, with nu = 0.25.

    Attributes
    ----------
    longitude, latitude : float
        Of the centre [degrees].
    depth : float
        Below the surface, taken as level [m].
    volume_change : float
        Positive swells [m3].
    """

    longitude: float
    latitude: float
    depth: float
    volume_change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRamp:
    """Lengthening of the range that is linear over the scene: motion, air or an orbit error.

    Attributes
    ----------
    longitude, latitude : float
        Where the lengthening is `offset` at height 0 [degrees].
    offset : float
        [m].
    east, north : float
        Gradients [m/m].
    height : float
        Per height above the ellipsoid [m/m].
    """

    longitude: float
    latitude: float
    offset: float = 0.0
    east: float = 0.0
    north: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTarget:
    """A bright point on the terrain.

    Attributes
    ----------
    longitude, latitude : float
        [degrees]; the height is the terrain's.
    amplitude : float
        Of the peak [digital numbers].
    """

    longitude: float
    latitude: float
    amplitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Terrain, brightness, coherence and motion, independent of who looks at it.

    A number that breaks its rule raises RequestError.

    Attributes
    ----------
    dem : Dem
        Terrain: bilinear between posts, level beyond the edges.
    seed : int
        Of everything random.
    amplitude : float
        Root mean square of land [digital numbers].
    sea_amplitude : float or None
        The same where the terrain is at or below `sea_height`; None: as land.
    sea_height : float
        Ellipsoidal height of the sea [m].
    land_coherence, sea_coherence : float
        Of any two dates, 0 to 1.
    noise : float
        Root mean square of each date's additive noise [digital numbers].
    relief : bool
        Whether slopes towards the radar are brighter.
    sources : tuple of MogiSource
        What displaces the ground, in full at an acquisition of motion 1.
    ramps : tuple of RangeRamp
        Displacement that is linear over the scene, likewise.
    targets : tuple of PointTarget
        On top of the rest.
    scatterer_spacing : float or None
        None: every pixel sees the same band-limited reflectivity of the ground, so that images
        are coherent whatever the baseline. Otherwise the side [m] of the ground's cells that
        hold one independent scatterer each, which the baseline decorrelates as in nature;
        resolution cells should hold several. Relief then follows by itself, and the time to
        simulate grows with the number of cells.
    """

    dem: Dem
    seed: int = 1
    amplitude: float = 1000.0
    sea_amplitude: float | None = None
    sea_height: float = 0.0
    land_coherence: float = 1.0
    sea_coherence: float = 1.0
    noise: float = 0.0
    relief: bool = False
    sources: tuple[MogiSource, ...] = ()
    ramps: tuple[RangeRamp, ...] = ()
    targets: tuple[PointTarget, ...] = ()
    scatterer_spacing: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers; raises RequestError naming the one that breaks its rule."""
        for name in ("land_coherence", "sea_coherence"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise RequestError(name, "from 0 to 1", getattr(self, name))
        for name in ("amplitude", "sea_amplitude", "noise"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= _LARGEST_AMPLITUDE:
                raise RequestError(name, f"from 0 to {_LARGEST_AMPLITUDE:g}", value)
        if self.scatterer_spacing is not None and not self.scatterer_spacing > 0.0:
            raise RequestError("scatterer_spacing", "above 0", self.scatterer_spacing)

    @property
    def plain(self) -> bool:
        """Whether every pixel has the same brightness and coherence 1."""
        same_sea = self.sea_amplitude in (None, self.amplitude)
        coherent = self.land_coherence == self.sea_coherence == 1.0
        return same_sea and coherent and self.noise == 0.0 and not self.relief


def terrain_of(dem: Dem) -> Terrain:
    """Return the elevation model as the kernels take it."""
    return Terrain(
        np.ascontiguousarray(dem.heights, dtype=np.float32),
        float(dem.west),
        float(dem.north),
        float(dem.longitude_step),
        float(dem.latitude_step),
        float(dem.heights.min()),
        float(dem.heights.max()),
    )


def motion_of(scene: Scene, share: float, extra: tuple[RangeRamp, ...] = ()) -> Motion:
    """Gather what lengthens the ranges of one acquisition.

    Parameters
    ----------
    scene : Scene
        With its displacement.
    share : float
        Of the displacement that has happened [1].
    extra : tuple of RangeRamp
        This acquisition's own, for example its atmosphere.

    Returns
    -------
    Motion
        Empty tables where nothing moves.
    """
    mogi = [
        (*_frame(s.longitude, s.latitude), s.depth, share * mogi_strength(s))
        for s in scene.sources
        if share != 0.0
    ]
    ramps = [(r, share) for r in scene.ramps if share != 0.0] + [(r, 1.0) for r in extra]
    rows = [
        (*_frame(r.longitude, r.latitude), *(w * v for v in (r.offset, r.east, r.north, r.height)))
        for r, w in ramps
    ]
    return Motion(_table(mogi, 11), _table(rows, 13))


def mogi_strength(source: MogiSource) -> float:
    """Factor (1 - nu) dV / pi [m3] of Mogi's displacement."""
    return (1.0 - POISSON_RATIO) * source.volume_change / math.pi


def _frame(longitude: float, latitude: float) -> tuple[float, ...]:
    """Origin on the ellipsoid, unit vectors to the east and to the north."""
    lon, lat = math.radians(longitude), math.radians(latitude)
    east = (-math.sin(lon), math.cos(lon), 0.0)
    north = (-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat))
    return (*cartesian(longitude, latitude, 0.0), *east, *north)


def _table(rows: list[tuple[float, ...]], width: int) -> NDArray[np.float64]:
    return np.array(rows, dtype=np.float64).reshape(-1, width)
