"""Constants, pairs, enumerations and state vectors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

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
