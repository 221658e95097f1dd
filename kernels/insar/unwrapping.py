"""Phase unwrapping of scenes of any size: which pixels count, and who unwraps them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from kernels.engine.progress import Progress
from kernels.errors import RequestError, UnwrappingError
from kernels.insar.unwrap_network import phase_variance, unwrap_tile
from kernels.insar.unwrap_regions import Regions, find_regions
from kernels.insar.unwrap_tiles import Solved, cut_tiles, join_tiles

Unwrapper = Literal["mcf", "snaphu"]
"""Minimum cost flow (OR-tools, free for any use), or snaphu (free for non-commercial use)."""

UNWRAPPERS: tuple[Unwrapper, ...] = get_args(Unwrapper)

_WINDOWS = (5, 3)
"""Sides of the windows that coherence is averaged over: noise, and shores, are told apart."""
_SMALLEST = 100
"""Pixels of a component, or a quarter of a scene that has few."""
_BYTES_PER_PIXEL = 450
"""Of a tile while the solver works."""
_LARGEST_TILE = 400_000
"""Pixels: a few seconds of a solver that nothing can interrupt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrapped:
    """A phase without jumps.

    Attributes
    ----------
    phase : ndarray of float32, shape (rows, columns)
        Wrapped phase plus whole cycles [rad]; NaN where cycles cannot be told. The median of the
        largest component is within half a cycle of 0.
    components : ndarray of int32, shape (rows, columns)
        Connected regions by size, the largest one is 1; 0 where the cycles cannot be told.
        Cycles between regions are unknown.
    """

    phase: NDArray[np.float32]
    components: NDArray[np.int32]


def reliable(
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32],
    *,
    looks: float,
    threshold: float = 0.2,
) -> NDArray[np.bool_]:
    """Tell which pixels carry a phase that can be unwrapped.

    Parameters
    ----------
    phase, coherence : ndarray of float32, shape (rows, columns)
        NaN where there is no data.
    looks : float
        Effective number of looks.
    threshold : float
        Smallest coherence. It is raised to 1.3 times what pure noise shows with so few looks,
        sqrt(pi / (4 looks)) (Touzi et al., IEEE TGRS 37, 1999): three standard deviations of
        that mean.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        Where the mean coherence of 5 x 5 pixels, and that of 3 x 3, reach the threshold.
    """
    known = np.isfinite(phase) & np.isfinite(coherence)
    least = max(threshold, 1.3 * _of_noise(looks))
    chosen = known.copy()
    for window in _WINDOWS:
        chosen &= _reaches(coherence, known, least, window)
    return chosen


def _of_noise(looks: float) -> float:
    """Coherence that pure noise shows on average."""
    return math.sqrt(math.pi / (4.0 * looks))


def _reaches(
    coherence: NDArray[np.float32], known: NDArray[np.bool_], least: float, window: int
) -> NDArray[np.bool_]:
    """Tell where the mean coherence of the known pixels of a window is at least so much."""
    share = uniform_filter(known.astype(np.float32), window)
    mean = uniform_filter(np.where(known, coherence, np.float32(0.0)), window)
    enough: NDArray[np.bool_] = mean >= np.float32(least) * share
    return enough


def unwrap(
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32],
    *,
    looks: float,
    valid: NDArray[np.bool_],
    method: Unwrapper = "mcf",
    memory_mb: int = 1000,
    progress: Progress | None = None,
) -> Unwrapped:
    """Unwrap a phase.

    Parameters
    ----------
    phase : ndarray of float32, shape (rows, columns)
        Wrapped [rad].
    coherence : ndarray of float32, shape (rows, columns)
        0 to 1.
    looks : float
        Effective number of looks.
    valid : ndarray of bool, shape (rows, columns)
        Pixels that count, see `reliable`.
    method : {'mcf', 'snaphu'}
        Which solver; the second one is an extra.
    memory_mb : int
        Budget of the solver [MB]: larger scenes are solved in tiles, as are those that would
        keep it busy for more than some seconds.
    progress : Progress or None
        Told after each tile.

    Returns
    -------
    Unwrapped
        Congruent with the wrapped phase.

    Raises
    ------
    RequestError
        A method whose package is not installed.
    UnwrappingError
        No pixel is valid, or cycles can be told nowhere.
    ProcessingError
        The solver found no flow.
    Cancelled
        Someone asked to stop.
    """
    if not valid.any():
        raise UnwrappingError("phase unwrapping found no reliable pixel: coherence is too low")
    solve = _solver(method, looks)
    progress = progress or Progress()
    largest = min(memory_mb * 1e6 / _BYTES_PER_PIXEL, _LARGEST_TILE)
    tiles = tuple(cut_tiles(phase.shape, largest))
    solved = []
    for number, tile in enumerate(tiles):
        part = tile.rows, tile.columns
        progress.update(number / len(tiles), "phase unwrapping")
        if valid[part].any():
            solved.append(solve(phase[part], coherence[part], valid[part]))
        else:
            solved.append(_nothing(valid[part].shape))
    progress.check()
    return _arranged(phase, *join_tiles(phase.shape, tiles, solved))


def _nothing(shape: tuple[int, ...]) -> Solved:
    zeros = np.zeros(shape, np.int32)
    return Solved(zeros, Regions(zeros, np.zeros(shape, np.bool_)))


_Solve = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]], Solved]


def _solver(method: Unwrapper, looks: float) -> _Solve:
    def flow(
        phase: NDArray[np.float32], coherence: NDArray[np.float32], valid: NDArray[np.bool_]
    ) -> Solved:
        found = unwrap_tile(phase, phase_variance(coherence, looks), valid)
        return Solved(found.cycles, find_regions(found, coherence, valid, looks=looks))

    def snaphu(
        phase: NDArray[np.float32], coherence: NDArray[np.float32], valid: NDArray[np.bool_]
    ) -> Solved:
        return _snaphu(phase, coherence, valid, looks)

    return {"mcf": flow, "snaphu": snaphu}[method]


def _snaphu(
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32],
    valid: NDArray[np.bool_],
    looks: float,
) -> Solved:
    try:
        import snaphu  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise RequestError(
            "unwrapping",
            "mcf where the package snaphu is not installed (free for non-commercial use)",
            "snaphu",
        ) from error
    wrapped = np.where(valid, phase, np.float32(0.0))
    found, components = snaphu.unwrap(
        np.exp(1j * wrapped).astype(np.complex64),
        np.where(valid, np.clip(coherence, 0.0, 1.0), 0.0).astype(np.float32),
        nlooks=looks,
        cost="smooth",
        mask=valid,
        min_conncomp_frac=min(_SMALLEST / valid.size, 1.0),
    )
    components = np.where(valid, components, 0).astype(np.int32)
    cycles = np.where(components > 0, np.rint((found - wrapped) / (2.0 * math.pi)), 0)
    return Solved(cycles.astype(np.int32), Regions(components, components > 0))


def _arranged(
    phase: NDArray[np.float32], cycles: NDArray[np.int32], components: NDArray[np.int32]
) -> Unwrapped:
    """Order regions by size, leave small ones out, bring the largest one near zero."""
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    kept = order[sizes[order] >= min(_SMALLEST, max(phase.size // 4, 1))]
    if not kept.size:
        raise UnwrappingError("phase unwrapping found no region without noise")
    number = np.zeros(sizes.size, np.int32)
    number[kept] = np.arange(1, kept.size + 1)
    arranged = number[components]
    unwrapped = phase + np.float32(2.0 * math.pi) * cycles.astype(np.float32)
    middle = np.rint(np.median(unwrapped[arranged == 1]) / (2.0 * math.pi))
    unwrapped -= np.float32(2.0 * math.pi * middle)
    unwrapped[arranged == 0] = np.nan
    return Unwrapped(phase=unwrapped, components=arranged)
