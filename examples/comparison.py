"""How far a recovered displacement is from the truth: unwrap, tie, compare, draw.

The unwrapping here serves a demonstration with high coherence and no more. The phase is averaged
(as complex numbers) to a coarse grid; on its largest connected coherent part the phase is found
whose differences between neighbours fit the wrapped ones best (least squares, Ghiglia and Pritt
1998, chapter 5); that smooth phase only chooses the cycle of each full-resolution pixel, so the
result equals the measured phase modulo 2 pi.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from kernels.model import MapGrid, Shape

CELLS_ACROSS = 300
"""Columns of the pictures."""

COARSE_SIDE = 250
"""Most rows or columns of the coarse grid: the least squares then take about a second."""

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


def unwrap(phase: FloatArray, coherent: Mask) -> FloatArray:
    """Unwrap a phase [rad] on the largest connected part of a mask; NaN elsewhere.

    Parameters
    ----------
    phase : ndarray of float64, shape (rows, columns)
        Wrapped [rad].
    coherent : ndarray of bool, shape (rows, columns)
        Pixels to use.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Equal to `phase` modulo 2 pi; the constant is arbitrary.
    """
    step = max(1, -(-max(phase.shape) // COARSE_SIDE))
    phasor = np.where(coherent, np.exp(1j * phase), 0.0)
    sums = _block_sums(phasor, step)
    usable = _largest_part(np.abs(sums) > 0.3 * step * step)
    coarse = _least_squares(np.angle(sums), usable)
    rows, columns = np.indices(phase.shape)
    at = (np.stack([rows, columns]) - 0.5 * (step - 1)) / step
    nearest = np.clip(np.rint(at).astype(int), 0, np.array(sums.shape)[:, None, None] - 1)
    # beside the part's edge the nearest coarse pixel counts, inside it the four around
    smooth = ndimage.map_coordinates(_filled(coarse, usable), at, order=1, mode="nearest")
    inside = coherent & usable[tuple(nearest)]
    cycles = np.rint((smooth - phase) / (2.0 * np.pi))
    return np.where(inside, phase + 2.0 * np.pi * cycles, np.nan)


def _block_sums(values: NDArray[np.complex128], step: int) -> NDArray[np.complex128]:
    rows, columns = (-(-size // step) * step for size in values.shape)
    padded = np.zeros((rows, columns), values.dtype)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(rows // step, step, columns // step, step)
    sums: NDArray[np.complex128] = blocks.sum(axis=(1, 3))
    return sums


def _largest_part(mask: Mask) -> Mask:
    parts, count = ndimage.label(mask)
    if count == 0:
        raise ValueError("no pixel is coherent")
    sizes = np.bincount(parts.ravel())
    return np.asarray(parts == 1 + np.argmax(sizes[1:]))


def _least_squares(phase: FloatArray, usable: Mask) -> FloatArray:
    """Solve the normal equations of all differences between usable neighbours."""
    number = np.full(phase.shape, -1)
    number[usable] = np.arange(np.count_nonzero(usable))
    first, second, difference = [], [], []
    for a, b in (
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ):
        both = usable[a] & usable[b]
        first.append(number[a][both])
        second.append(number[b][both])
        difference.append(np.angle(np.exp(1j * (phase[b] - phase[a])[both])))
    ends = np.concatenate([np.concatenate(first), np.concatenate(second)])
    edges = ends.size // 2
    signs = np.repeat([-1.0, 1.0], edges)
    incidence = sparse.csr_matrix((signs, (np.tile(np.arange(edges), 2), ends)))
    # the constant is free: the first pixel keeps its phase
    normal = (
        incidence.T @ incidence + sparse.csr_matrix(([1.0], ([0], [0])), (incidence.shape[1],) * 2)
    ).tocsc()
    right = incidence.T @ np.concatenate(difference)
    right[0] += phase[usable][0]
    found = np.full(phase.shape, np.nan)
    found[usable] = spsolve(normal, right)
    return found


def _filled(values: FloatArray, usable: Mask) -> FloatArray:
    nearest = ndimage.distance_transform_edt(~usable, return_distances=False, return_indices=True)
    filled: FloatArray = values[tuple(nearest)]
    return filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Displacement towards the satellite at points where the truth is known.

    Attributes
    ----------
    longitude, latitude : ndarray of float64, shape (n,)
        [degrees].
    recovered, truth : ndarray of float64, shape (n,)
        [mm], zero far from the source.
    """

    longitude: FloatArray
    latitude: FloatArray
    recovered: FloatArray
    truth: FloatArray

    @property
    def rms_error(self) -> float:
        """Root mean square of the difference [mm]."""
        return float(np.sqrt(np.mean((self.recovered - self.truth) ** 2)))

    @property
    def peaks(self) -> tuple[float, float]:
        """Largest displacement, recovered and true [mm]; half a thousandth may be outliers."""
        return (
            float(np.quantile(self.recovered, 0.9995)),
            float(np.quantile(self.truth, 0.9995)),
        )


def compare(
    displacement: FloatArray,
    geotransform: tuple[float, ...],
    *,
    longitude: FloatArray,
    latitude: FloatArray,
    truth: FloatArray,
    distance: FloatArray,
) -> Comparison:
    """Look up an unwrapped displacement [m] on the map at points of known displacement [m].

    Points off the map or where it has no value are left out; both are set to zero on average
    over the tenth of the rest with the largest `distance` from the source.
    """
    west, x_step, _, north, _, y_step = geotransform
    columns = np.floor((longitude - west) / x_step).astype(int)
    rows = np.floor((latitude - north) / y_step).astype(int)
    on_map = (rows >= 0) & (rows < displacement.shape[0])
    on_map &= (columns >= 0) & (columns < displacement.shape[1])
    recovered = np.full(truth.shape, np.nan)
    recovered[on_map] = displacement[rows[on_map], columns[on_map]]
    known = np.isfinite(recovered)
    far = known & (distance >= np.quantile(distance[known], 0.9))
    return Comparison(
        longitude=longitude[known],
        latitude=latitude[known],
        recovered=1e3 * (recovered[known] - recovered[far].mean()),
        truth=1e3 * (truth[known] - truth[far].mean()),
    )


def draw(comparison: Comparison, path: Path, *, title: str) -> None:
    """Draw recovered, true and difference beside each other, averaged over cells of a map."""
    from kernels.products.pictures import (  # noqa: PLC0415 - slow to import
        displacement_comparison_picture,
    )

    grid = _cell_grid(comparison)
    displacement_comparison_picture(
        path,
        recovered=1e-3 * _cell_means(comparison, comparison.recovered, grid),
        truth=1e-3 * _cell_means(comparison, comparison.truth, grid),
        grid=grid,
        title=title,
    )


def _cell_grid(comparison: Comparison) -> MapGrid:
    """Cells of about 80 m on an island of 25 km: several points of the truth each."""
    spacing = float(np.ptp(comparison.longitude)) / CELLS_ACROSS
    return MapGrid(
        crs="EPSG:4326",
        west=float(comparison.longitude.min()),
        north=float(comparison.latitude.max()),
        x_spacing=spacing,
        y_spacing=spacing,
        shape=Shape(int(np.ptp(comparison.latitude) / spacing) + 1, CELLS_ACROSS + 1),
    )


def _cell_means(comparison: Comparison, values: FloatArray, grid: MapGrid) -> FloatArray:
    """Average values over the cells; NaN where there are none."""
    rows = ((grid.north - comparison.latitude) / grid.y_spacing).astype(int)
    columns = ((comparison.longitude - grid.west) / grid.x_spacing).astype(int)
    index = rows * grid.shape.samples + columns
    size = grid.shape.lines * grid.shape.samples
    sums = np.bincount(index, weights=values, minlength=size)
    with np.errstate(invalid="ignore"):
        means: FloatArray = sums / np.bincount(index, minlength=size)
    return means.reshape(grid.shape)
