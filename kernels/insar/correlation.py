"""Offsets between two images from the correlation of their amplitudes.

Guizar-Sicairos, Thurman and Fienup (Optics Letters 33, 2008) refine the peak by a small discrete
Fourier transform; De Zan (IEEE GRSL 11, 2014) gives the accuracy that can be expected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from kernels.insar.adjustment import Plane

PATCH = 64
"""Lines and samples of a patch."""

FEWEST_PATCHES = 10
"""That must count for a fit."""

_OVERSAMPLING = 2
"""Of the complex pixels before detection: intensities have twice their bandwidth."""
_STAGES = ((0.25, 4), (1.0 / 32.0, 4))
"""Step and number of steps to either side of the correlation's peak, in oversampled pixels; each
ends with a parabola through three values."""
_ROUNDS = 12
_TUKEY = 4.685
_NORMAL = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """Where patches of a reference were found again.

    Attributes
    ----------
    lines, samples : ndarray of float64, shape (n,)
        Middles of the patches in the reference [pixels].
    line_offsets, sample_offsets : ndarray of float64, shape (n,)
        Secondary minus reference coordinate [pixels].
    correlations : ndarray of float64, shape (n,)
        Of the intensities at the peak, -1 to 1; 0 where a patch has no contrast.
    """

    lines: NDArray[np.float64]
    samples: NDArray[np.float64]
    line_offsets: NDArray[np.float64]
    sample_offsets: NDArray[np.float64]
    correlations: NDArray[np.float64]

    @classmethod
    def join(cls, parts: tuple[Offsets, ...]) -> Offsets:
        """Put measurements one after the other."""
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts] or [np.empty(0)])
                for name in cls.__slots__
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetFit:
    """What a set of measured offsets has in common.

    Attributes
    ----------
    lines, samples : Plane
        In the coordinates of the measurements [pixels].
    used : int
        Patches that count.
    line_error, sample_error : float
        Standard errors of the fit at the middle of the patches [pixels].
    """

    lines: Plane
    samples: Plane
    used: int
    line_error: float
    sample_error: float


def correlate(
    reference: NDArray[np.complex64], secondary: NDArray[np.complex64], *, search: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measure the offset of patches.

    Parameters
    ----------
    reference, secondary : ndarray of complex64, shape (n, lines, samples)
        Patches of both images in baseband.
    search : int
        Largest offset that is looked for in either direction [pixels], less than half a patch.

    Returns
    -------
    line_offsets, sample_offsets : ndarray of float64, shape (n,)
        Secondary minus reference coordinate [pixels].
    correlations : ndarray of float64, shape (n,)
        Of the intensities at the peak; 0 where a patch has no contrast.
    """
    spectra = [_contrast_spectrum(_oversample(patches)) for patches in (reference, secondary)]
    cross = np.conj(spectra[0]) * spectra[1]
    energy = np.sqrt(
        np.prod([np.sum(np.abs(spectrum) ** 2, axis=(1, 2)) for spectrum in spectra], axis=0)
    )
    surface = scipy.fft.ifft2(cross).real
    reach = search * _OVERSAMPLING
    rows = np.r_[0 : reach + 1, -reach:0]
    window = surface[:, rows[:, None], rows[None, :]].reshape(len(surface), -1)
    coarse = np.argmax(window, axis=1)
    peaks = np.stack([rows[coarse // rows.size], rows[coarse % rows.size]], axis=-1)
    found = np.array([_refine(*pair) for pair in zip(cross, peaks, strict=True)]).reshape(-1, 3)
    size = surface.shape[1] * surface.shape[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlations = np.where(energy > 0.0, found[:, 2] * size / energy, 0.0)
    return found[:, 0] / _OVERSAMPLING, found[:, 1] / _OVERSAMPLING, correlations


def find_templates(
    templates: NDArray[np.float64], windows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Find patches of one real image in larger patches of another, about the same middle.

    For images whose features are as large as a patch: each position is compared over the whole
    template and normalised on its own, so that none is preferred.

    Parameters
    ----------
    templates : ndarray of float64, shape (n, lines, samples)
        Finite.
    windows : ndarray of float64, shape (n, lines + 2 * search, samples + 2 * search)
        Finite.

    Returns
    -------
    line_offsets, sample_offsets : ndarray of float64, shape (n,)
        Coordinate in the windows' image minus that in the templates' [pixels].
    correlations : ndarray of float64, shape (n,)
        At the peak, -1 to 1; 0 without contrast or with the peak at an edge.
    """
    size = templates.shape[1] * templates.shape[2]
    search = (windows.shape[1] - templates.shape[1]) // 2
    centred = templates - templates.mean(axis=(1, 2), keepdims=True)
    shape = windows.shape[1:]
    products = scipy.fft.irfft2(
        scipy.fft.rfft2(windows, shape) * np.conj(scipy.fft.rfft2(centred, shape)), shape
    )[:, : 2 * search + 1, : 2 * search + 1]
    sums, squares = (_box_sums(w, templates.shape[1:]) for w in (windows, windows**2))
    energy = np.sum(centred**2, axis=(1, 2))[:, None, None] * (squares - sums**2 / size)
    with np.errstate(divide="ignore", invalid="ignore"):
        surface = np.where(energy > 1e-12, products / np.sqrt(energy), 0.0)
    found = np.zeros((3, len(surface)))
    for number, values in enumerate(surface):
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(values)), values.shape))
        if 0 < i < 2 * search and 0 < j < 2 * search:
            found[:, number] = (
                i - search + _vertex(values[:, j], i),
                j - search + _vertex(values[i], j),
                values[i, j],
            )
    return found[0], found[1], found[2]


def _box_sums(images: NDArray[np.float64], box: tuple[int, ...]) -> NDArray[np.float64]:
    """Sum over all boxes of a size within images."""
    padded = np.pad(images, ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    rows = padded[:, box[0] :] - padded[:, : -box[0]]
    sums: NDArray[np.float64] = rows[:, :, box[1] :] - rows[:, :, : -box[1]]
    return sums


def _oversample(patches: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Zero padding in the middle of the spectrum."""
    spectrum = scipy.fft.fft2(patches)
    for axis in (1, 2):
        size = spectrum.shape[axis]
        low, high = np.split(spectrum, [size // 2], axis=axis)
        gap = np.zeros_like(np.repeat(low, 2 * (_OVERSAMPLING - 1), axis=axis))
        spectrum = np.concatenate([low, gap, high], axis=axis)
    fine: NDArray[np.complex64] = scipy.fft.ifft2(spectrum)
    return fine


def _contrast_spectrum(patches: NDArray[np.complex64]) -> NDArray[np.complex128]:
    """Spectrum of the intensity's deviation from its mean, without the edges."""
    intensity = (patches.real.astype(np.float64) ** 2) + patches.imag.astype(np.float64) ** 2
    taper = np.outer(*(np.hanning(size + 2)[1:-1] for size in intensity.shape[1:]))
    mean = (intensity * taper).sum(axis=(1, 2), keepdims=True) / taper.sum()
    spectrum: NDArray[np.complex128] = scipy.fft.fft2((intensity - mean) * taper)
    return spectrum


def _refine(cross: NDArray[np.complex128], peak: NDArray[np.int64]) -> tuple[float, float, float]:
    """Evaluate the correlation finely around a peak of its coarse grid, twice."""
    row, column, height = float(peak[0]), float(peak[1]), 0.0
    for step, reach in _STAGES:
        shifts = np.arange(-reach, reach + 1) * step
        kernels = [
            np.exp(2j * np.pi * np.outer(at + shifts, scipy.fft.fftfreq(size)))
            for at, size in zip((row, column), cross.shape, strict=True)
        ]
        # not by matmul: its own threads would wait for those of the engine
        partial = np.einsum("ik,kl->il", kernels[0], cross)
        fine = np.einsum("il,jl->ij", partial, kernels[1]).real / cross.size
        i, j = np.unravel_index(int(np.argmax(fine)), fine.shape)
        height = float(fine[i, j])
        row += float(shifts[i] + _vertex(fine[:, j], int(i)) * step)
        column += float(shifts[j] + _vertex(fine[i], int(j)) * step)
    return row, column, height


def _vertex(values: NDArray[np.float64], at: int) -> float:
    """Vertex of the parabola through a maximum and its neighbours, from the maximum."""
    if not 0 < at < values.size - 1:
        return 0.0
    before, middle, after = values[at - 1 : at + 2]
    curvature = before - 2.0 * middle + after
    return float(0.5 * (before - after) / curvature) if curvature < 0.0 else 0.0


def fit_offsets(
    offsets: Offsets, *, threshold: float, gap: float, planes: bool
) -> OffsetFit | None:
    """Find what the measured offsets have in common, robustly.

    Parameters
    ----------
    offsets : Offsets
        Of one image or burst.
    threshold : float
        Patches of a smaller correlation do not count.
    gap : float
        Nor do those whose offset is further than this from the median [pixels].
    planes : bool
        Whether the offset may change linearly over the image; else it is a constant.

    Returns
    -------
    OffsetFit or None
        None where fewer than FEWEST_PATCHES count.
    """
    usable = (offsets.correlations >= threshold) & (offsets.correlations > 0.0)
    for measured in (offsets.line_offsets, offsets.sample_offsets):
        if usable.any():
            usable &= np.abs(measured - np.median(measured[usable])) <= gap
    if np.count_nonzero(usable) < FEWEST_PATCHES:
        return None
    lines, samples = offsets.lines[usable], offsets.samples[usable]
    middle = float(lines.mean()), float(samples.mean())
    terms = [np.ones(lines.size)]
    if planes:
        terms += [lines - middle[0], samples - middle[1]]
    design = np.stack(terms, axis=-1)
    weights = offsets.correlations[usable] ** 2
    found = [
        _robust_fit(design, measured[usable], weights)
        for measured in (offsets.line_offsets, offsets.sample_offsets)
    ]
    return OffsetFit(
        lines=_about_origin(found[0][0], middle),
        samples=_about_origin(found[1][0], middle),
        used=int(lines.size),
        line_error=found[0][1],
        sample_error=found[1][1],
    )


def _about_origin(solution: NDArray[np.float64], middle: tuple[float, float]) -> Plane:
    per_line, per_sample = (*solution[1:], 0.0, 0.0)[:2]
    constant = solution[0] - per_line * middle[0] - per_sample * middle[1]
    return Plane(float(constant), float(per_line), float(per_sample))


def _robust_fit(
    design: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Solve by least squares reweighted with Tukey's function; with the error of unknown 0."""
    solution: NDArray[np.float64] = np.zeros(design.shape[1])
    solution[0] = float(np.median(values))
    total = weights
    scale = 0.0
    for _ in range(_ROUNDS):
        residuals = values - design @ solution
        scale = max(_NORMAL * float(np.median(np.abs(residuals))), 1e-9)
        inside = np.clip(1.0 - (residuals / (_TUKEY * scale)) ** 2, 0.0, None)
        total = weights * inside**2
        root = np.sqrt(total)[:, None]
        solution = np.linalg.lstsq(design * root, values * root[:, 0], rcond=None)[0].astype(
            np.float64
        )
    share = float(total.sum() ** 2 / np.sum(total**2))
    return solution, scale / math.sqrt(share)
