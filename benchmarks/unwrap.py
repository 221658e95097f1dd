"""Phase unwrapping of a swath's multilooked interferogram, and snaphu beside it.

The phase is made of several volcanoes on a slope with turbulence of the atmosphere; coherence of
land that varies, water, and strips as layover leaves them. Phase and coherence that are unwrapped
have the speckle of so many looks. Errors are those of the largest component where the true
coherence is above a limit, up to a common constant.
"""

from __future__ import annotations

import argparse
import math
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.harness import say
from benchmarks.measuring import measure
from kernels.insar.unwrapping import Unwrapped, Unwrapper, reliable, unwrap

SHAPE, QUICK_SHAPE = (2800, 1800), (500, 400)
"""Rows and columns: a swath of ten bursts in 4 x 16 looks has about a quarter as many columns."""
LOOKS = 38.0
"""Independent ones of 4 x 16 pixels of IW."""
COHERENT, CLEARLY_COHERENT = 0.4, 0.6
WAVELENGTH = 0.05546576
MEMORY_MB = 1000
"""The default of dinsar-pair."""

_RISES = 14
_RISE = 60.0
"""Phase of the highest volcano [rad]: ten fringes."""
_AIR = 1.5
"""Standard deviation of the atmosphere [rad]."""


class Scene(NamedTuple):
    """Arrays of shape (rows, columns): true phase [rad] and coherence, and what is observed."""

    truth: NDArray[np.float32]
    coherence: NDArray[np.float32]
    phase: NDArray[np.float32]
    estimate: NDArray[np.float32]


class Found(NamedTuple):
    """What an unwrapper did."""

    displacement_rms_mm: float
    wrong_cycles_share: float
    unwrapped_share: float


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Unwrap with the default, and with snaphu where it is installed."""
    shape = QUICK_SHAPE if arguments.quick else SHAPE
    figures: dict[str, Any] = {
        "pixels": shape[0] * shape[1],
        "looks": LOOKS,
        "memory_budget_mb": MEMORY_MB,
        "snaphu_installed": find_spec("snaphu") is not None,
    }
    figures |= _figures("mcf", shape)
    if figures["snaphu_installed"]:
        beside = _figures("snaphu", shape)
        figures |= {f"snaphu_{name}": value for name, value in beside.items()}
        figures["wall_over_snaphu"] = round(figures["wall_s"] / beside["wall_s"], 3)
    return figures


def _figures(method: Unwrapper, shape: tuple[int, int]) -> dict[str, Any]:
    say(f"unwrapping {shape[0]} x {shape[1]} cells with {method}")
    without = measure(_make_only, shape)
    taken = measure(_unwrap, method, shape, warm_up=(method, (100, 100)))
    return {
        **taken.value._asdict(),
        "wall_s": round(taken.wall_s - without.wall_s, 2),
        "cpu_s": round(taken.cpu_s - without.cpu_s, 2),
        "peak_memory_mb": round(taken.peak_memory_mb),
    }


def _make_only(shape: tuple[int, int]) -> float:
    return float(simulate_scene(shape).estimate.mean())


def _unwrap(method: Unwrapper, shape: tuple[int, int]) -> Found:
    scene = simulate_scene(shape)
    valid = reliable(scene.phase, scene.estimate, looks=LOOKS)
    found = unwrap(
        scene.phase,
        scene.estimate,
        looks=LOOKS,
        valid=valid,
        method=method,
        memory_mb=MEMORY_MB,
    )
    return judge(found, scene)


def judge(found: Unwrapped, scene: Scene) -> Found:
    """Compare with the truth.

    Parameters
    ----------
    found : Unwrapped
        Of the scene.
    scene : Scene
        With its truth.

    Returns
    -------
    Found
        Error of the displacement [mm] where the true coherence is above COHERENT; share of cells
        above CLEARLY_COHERENT that are off by cycles; share of these that were unwrapped.
    """
    inside = found.components == 1
    error = found.phase - scene.truth
    error -= np.median(error[inside])
    coherent = inside & (scene.coherence > COHERENT)
    clearly = scene.coherence > CLEARLY_COHERENT
    wrong = np.rint(error[inside & clearly] / (2.0 * math.pi)) != 0.0
    millimetres = 1e3 * WAVELENGTH / (4.0 * math.pi)
    rms = math.sqrt(float(np.mean(np.square(error[coherent], dtype=np.float64))))
    return Found(
        displacement_rms_mm=round(millimetres * rms, 4),
        wrong_cycles_share=float(wrong.mean()),
        unwrapped_share=round(float(np.mean(inside[clearly])), 5),
    )


def simulate_scene(shape: tuple[int, int], seed: int = 7) -> Scene:
    """Make an interferogram and its truth.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    seed : int
        Of everything random.

    Returns
    -------
    Scene
        Speckle of LOOKS looks: the observed covariance is complex Wishart, made by Bartlett's
        decomposition.
    """
    generator = np.random.default_rng(seed)
    truth = _true_phase(shape, generator)
    coherence = _true_coherence(shape, generator)
    one = np.sqrt(generator.gamma(LOOKS, size=shape)).astype(np.float32)
    two = np.sqrt(generator.gamma(LOOKS - 1.0, size=shape)).astype(np.float32)
    between = generator.standard_normal((2, *shape), np.float32) * np.float32(math.sqrt(0.5))
    rest = np.sqrt(1.0 - np.square(coherence))
    mixed = coherence * one + rest * (between[0] + np.complex64(1j) * between[1])
    power = np.square(np.abs(mixed)) + np.square(rest * two)
    estimate = np.abs(mixed) / np.sqrt(power)
    phase = np.angle(mixed * np.exp(np.complex64(1j) * truth))
    return Scene(truth, coherence, phase.astype(np.float32), estimate.astype(np.float32))


def _true_phase(shape: tuple[int, int], generator: np.random.Generator) -> NDArray[np.float32]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    truth = 12.0 * x / shape[1] + 20.0 * y / shape[0]
    largest = 0.12 * min(shape)
    for number in range(_RISES):
        row, column = generator.uniform((0.0, 0.0), shape)
        radius = largest * generator.uniform(0.3, 1.0)
        height = _RISE * radius / largest * (1.0 if number % 3 else -1.0)
        truth += height / (1.0 + ((y - row) ** 2 + (x - column) ** 2) / radius**2) ** 1.5
    air = _turbulence(shape, generator)
    whole: NDArray[np.float32] = (truth + np.float32(_AIR) * air).astype(np.float32)
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


def _true_coherence(shape: tuple[int, int], generator: np.random.Generator) -> NDArray[np.float32]:
    """Land between 0.3 and 0.9, water of 0, strips along the rows of 0.1."""
    texture = gaussian_filter(generator.standard_normal(shape, np.float32), 12.0)
    coherence: NDArray[np.float32] = np.clip(0.62 + 0.13 * texture / texture.std(), 0.25, 0.92)
    strips = gaussian_filter(generator.standard_normal(shape, np.float32), (12.0, 1.2))
    coherence[strips > 2.0 * strips.std()] = 0.1
    lakes = _turbulence(shape, generator)
    coherence[lakes > np.quantile(lakes, 0.8)] = 0.0
    return coherence
