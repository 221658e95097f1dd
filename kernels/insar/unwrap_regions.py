"""Regions within which unwrapped cycles can be told: noise holds nothing together.

Pixels of noise join what they lie between: an islet in a lake gets some number of cycles through
them, right or wrong. In noise a step is as far from the mean gradient as chance wants, so that
hardly any pixel fits in with all of its neighbours, and few have a coherence to speak of.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, label, uniform_filter

from kernels.insar.unwrap_network import Flow
from kernels.insar.unwrap_numba import grow

_LARGEST_MISFIT = np.float32(math.pi / 2.0)
"""A step that holds is that close to the mean gradient [rad]: of pure noise, half of them are."""
_CHANCE = 1e-4
"""Share of pixels of pure noise whose coherence counts as true."""
_PASSAGE = np.ones((2, 2), np.bool_)
"""Narrower ones hold nothing together."""
_MOST_OF_NINE = 4.5 / 9.0


class Regions(NamedTuple):
    """Pixels whose cycles hang together.

    Attributes
    ----------
    numbers : ndarray of int32, shape (rows, columns)
        Of the region of each pixel, from 1; 0 where cycles cannot be told.
    held : ndarray of bool, shape (rows, columns)
        Pixels that hold their region together; the others only lie beside them.
    """

    numbers: NDArray[np.int32]
    held: NDArray[np.bool_]


def coherence_of_noise(looks: float) -> float:
    """Coherence that hardly any pixel of pure noise reaches.

    Parameters
    ----------
    looks : float
        Effective number of looks.

    Returns
    -------
    float
        What a share of 1e-4 exceeds: (1 - x squared) to the power looks - 1 of pixels exceed x
        (Touzi et al., IEEE TGRS 37, 1999, for no coherence).
    """
    return math.sqrt(1.0 - _CHANCE ** (1.0 / max(looks - 1.0, 0.1)))


def find_regions(
    flow: Flow, coherence: NDArray[np.float32], valid: NDArray[np.bool_], *, looks: float
) -> Regions:
    """Find the regions within which cycles can be told.

    Parameters
    ----------
    flow : Flow
        Of the tile.
    coherence : ndarray of float32, shape (rows, columns)
        0 to 1.
    valid : ndarray of bool, shape (rows, columns)
        Pixels that were unwrapped.
    looks : float
        Effective number of looks.

    Returns
    -------
    Regions
        A pixel holds where all steps from it fit in with those around, or its coherence is not
        noise; regions are such pixels two abreast, and pixels that one step after the other
        leads to which fits in, among neighbours most of which do.
    """
    along, down = flow.along < _LARGEST_MISFIT, flow.down < _LARGEST_MISFIT
    fits = valid.copy()
    for before, after, bad in (
        (np.s_[:, :-1], np.s_[:, 1:], ~along & np.isfinite(flow.along)),
        (np.s_[:-1], np.s_[1:], ~down & np.isfinite(flow.down)),
    ):
        fits[before] &= ~bad
        fits[after] &= ~bad
    holds = fits | (valid & (coherence > coherence_of_noise(looks)))
    held = binary_opening(holds, _PASSAGE)
    numbers: NDArray[np.int32]
    numbers, _ = label(held, output=np.int32)
    among = uniform_filter(fits.astype(np.float32), 3) > _MOST_OF_NINE
    grow(holds | (valid & among), along, down, numbers)
    return Regions(numbers, held)
