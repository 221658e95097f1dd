"""Interferograms whose true phase is known, for the benchmark of phase unwrapping.

The phase is made of several volcanoes on a slope with turbulence of the atmosphere; coherence of
land that varies, water, and strips as layover leaves them. Phase and coherence that are unwrapped
have the speckle of so many looks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


class Kind(NamedTuple):
    """What a scene is made of."""

    looks: float = 38.0
    """Independent ones; 38 are those of 4 x 16 pixels of IW."""
    coherence: float = 0.62
    """Mean of the land."""
    spread: float = 0.13
    """Standard deviation of the land's coherence."""
    rise: float = 60.0
    """Phase of the highest volcano [rad]: 60 are ten fringes."""
    air: float = 1.5
    """Standard deviation of the atmosphere [rad]."""


KINDS = {
    "land": Kind(),
    "poor": Kind(coherence=0.45, spread=0.17),
    "few_looks": Kind(looks=10.0),
    "poor_few_looks": Kind(coherence=0.45, spread=0.17, looks=12.0),
    "steep": Kind(rise=90.0, air=2.2),
}

_RISES = 14
_LEAST = 0.25
"""Coherence of land."""


class Scene(NamedTuple):
    """Arrays of shape (rows, columns): true phase [rad] and coherence, and what is observed."""

    truth: NDArray[np.float32]
    coherence: NDArray[np.float32]
    phase: NDArray[np.float32]
    estimate: NDArray[np.float32]


def simulate_scene(shape: tuple[int, int], *, kind: Kind, seed: int) -> Scene:
    """Make an interferogram and its truth.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    kind : Kind
        What it is made of.
    seed : int
        Of everything random.

    Returns
    -------
    Scene
        With the speckle of so many looks: the observed covariance is complex Wishart, made by
        Bartlett's decomposition.
    """
    generator = np.random.default_rng(seed)
    truth = _true_phase(shape, kind, generator)
    coherence = _true_coherence(shape, kind, generator)
    one = np.sqrt(generator.gamma(kind.looks, size=shape)).astype(np.float32)
    two = np.sqrt(generator.gamma(kind.looks - 1.0, size=shape)).astype(np.float32)
    between = generator.standard_normal((2, *shape), np.float32) * np.float32(math.sqrt(0.5))
    rest = np.sqrt(1.0 - np.square(coherence))
    mixed = coherence * one + rest * (between[0] + np.complex64(1j) * between[1])
    power = np.square(np.abs(mixed)) + np.square(rest * two)
    estimate = np.abs(mixed) / np.sqrt(power)
    phase = np.angle(mixed * np.exp(np.complex64(1j) * truth))
    return Scene(truth, coherence, phase.astype(np.float32), estimate.astype(np.float32))


def _true_phase(
    shape: tuple[int, int], kind: Kind, generator: np.random.Generator
) -> NDArray[np.float32]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    truth = 12.0 * x / shape[1] + 20.0 * y / shape[0]
    largest = 0.12 * min(shape)
    for number in range(_RISES):
        row, column = generator.uniform((0.0, 0.0), shape)
        radius = largest * generator.uniform(0.3, 1.0)
        height = kind.rise * radius / largest * (1.0 if number % 3 else -1.0)
        truth += height / (1.0 + ((y - row) ** 2 + (x - column) ** 2) / radius**2) ** 1.5
    air = _turbulence(shape, generator)
    whole: NDArray[np.float32] = (truth + np.float32(kind.air) * air).astype(np.float32)
    return whole


def _turbulence(shape: tuple[int, int], generator: np.random.Generator) -> NDArray[np.float32]:
    """Make a field of unit variance whose power falls with the frequency to the power -8/3."""
    spectrum = scipy.fft.rfft2(generator.standard_normal(shape, np.float32))
    rows = scipy.fft.fftfreq(shape[0])[:, None]
    frequency = np.hypot(rows, scipy.fft.rfftfreq(shape[1]))
    frequency[0, 0] = 1.0
    spectrum *= frequency ** (-4.0 / 3.0)
    spectrum[0, 0] = 0.0
    field: NDArray[np.float32] = scipy.fft.irfft2(spectrum, s=shape)
    field /= field.std()
    return field


def _true_coherence(
    shape: tuple[int, int], kind: Kind, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Land, water of 0, strips along the rows of 0.1."""
    texture = gaussian_filter(generator.standard_normal(shape, np.float32), 12.0)
    coherence: NDArray[np.float32] = np.clip(
        kind.coherence + kind.spread * texture / texture.std(), _LEAST, 0.92
    )
    strips = gaussian_filter(generator.standard_normal(shape, np.float32), (12.0, 1.2))
    coherence[strips > 2.0 * strips.std()] = 0.1
    lakes = _turbulence(shape, generator)
    coherence[lakes > np.quantile(lakes, 0.8)] = 0.0
    return coherence
