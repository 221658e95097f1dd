"""What the interferogram benchmark measures, before it is summed up in figures: for pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.model import Looks, RadarGrid


class PairErrors(NamedTuple):
    """Errors of a pair whose truth is known.

    Attributes
    ----------
    lines, samples : ndarray of float64, shape (n,)
        Of the coregistration on the truth's nodes [lines, samples].
    phase, coherence : ndarray of float32, shape (rows, cells)
        As written.
    kept : ndarray of bool, shape (rows, cells)
        Windows that neither layover nor shadow touches.
    clear : ndarray of bool, shape (rows, cells)
        Those of them from which the kernel reaches neither.
    grid : RadarGrid
        Of the windows.
    looks : Looks
        Pixels of a window.
    """

    lines: NDArray[np.float64]
    samples: NDArray[np.float64]
    phase: NDArray[np.float32]
    coherence: NDArray[np.float32]
    kept: NDArray[np.bool_]
    clear: NDArray[np.bool_]
    grid: RadarGrid
    looks: Looks


class Merged(NamedTuple):
    """Both swaths side by side as the chain writes them, and the mean steps at their seams.

    Attributes
    ----------
    phase : ndarray of float32, shape (rows, cells)
        [rad]; NaN where there is no data.
    jumps : ndarray of float64, shape (n,)
        Mean step of the phase at each seam between bursts [rad].
    swath_jumps : ndarray of float64, shape (m,)
        The same between swaths, for each pair of their bursts [rad].
    """

    phase: NDArray[np.float32]
    jumps: NDArray[np.float64]
    swath_jumps: NDArray[np.float64]


class Estimate(NamedTuple):
    """What overlaps said of the azimuth shift in one run.

    Attributes
    ----------
    error : float
        Of the joint estimate [lines].
    deviation : float
        Its standard deviation as reported [lines].
    errors, deviations : ndarray of float64, shape (overlaps,)
        The same of each overlap alone.
    """

    error: float
    deviation: float
    errors: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @classmethod
    def of(cls, refinement: Mapping[str, Any], shift: float) -> Estimate:
        """Read the section `refinement` of a report; `shift` [lines] is the truth."""
        own = [seam for seam in refinement["seams"] if "shift_lines" in seam]
        return cls(
            error=refinement["shift_lines"] - shift,
            deviation=refinement["standard_deviation_lines"],
            errors=np.array([seam["shift_lines"] for seam in own]) - shift,
            deviations=np.array([seam["standard_deviation_lines"] for seam in own]),
        )


class SeamErrors(NamedTuple):
    """Seams and shift of a pair whose secondary is off.

    Attributes
    ----------
    shift : float
        By which the secondary's files are wrong [lines].
    before, after : Merged
        Without and with enhanced spectral diversity.
    grid : RadarGrid
        Of the cells of both.
    looks : Looks
        Pixels of a cell.
    overlaps : tuple of str
        Names of the overlaps.
    clean : Estimate
        Without noise.
    noisy : tuple of Estimate
        At coherence 0.5, one for each draw of the noise.
    bounds : ndarray of float64, shape (overlaps,)
        Cramer and Rao's, of the shift from each overlap at coherence 0.5 [lines].
    """

    shift: float
    before: Merged
    after: Merged
    grid: RadarGrid
    looks: Looks
    overlaps: tuple[str, ...]
    clean: Estimate
    noisy: tuple[Estimate, ...]
    bounds: NDArray[np.float64]


class ClosureErrors(NamedTuple):
    """Closure phases of three dates [rad]: of pixels, and of cells of several looks."""

    one_look: NDArray[np.float64]
    several_looks: NDArray[np.float64]


def root_mean_square(values: NDArray[np.floating]) -> float:
    """Root of the mean square, summed in double precision."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
