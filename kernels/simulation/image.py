"""Lines of a simulated burst, as pairs of int16."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.model import Burst
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.mapping_numba import (
    Appearance,
    Frame,
    map_lines,
    map_reference_lines,
    quantise,
)
from kernels.simulation.reflectivity import AZIMUTH_TAPS, RANGE_TAPS, Kernel
from kernels.simulation.reflectivity_numba import add_reflectivity, lattice_noise
from kernels.simulation.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstImage:
    """Everything that the pixels of one burst follow from.

    Attributes
    ----------
    burst : Burst
        Which pixels are valid.
    view : View
        Of this burst.
    reference : View
        Of the reference's burst over the same ground.
    terrain : Terrain
        Of the scene.
    looks : Appearance
        Of the scene.
    frame : Frame
        Lattice coordinates on the reference's clock.
    kernel : Kernel
        Of the swath.
    common_seed, own_seed : int
        Of the reflectivity that all dates share, and of this date's own.
    in_reference : bool
        Whether pixels need no ground point: the reference, of a plain scene, at rest.
    """

    burst: Burst
    view: View
    reference: View
    terrain: Terrain
    looks: Appearance
    frame: Frame
    kernel: Kernel
    common_seed: int
    own_seed: int
    in_reference: bool


def render(plan: BurstImage, band: Band) -> NDArray[np.int16]:
    """Pixels of some lines of a burst.

    Parameters
    ----------
    plan : BurstImage
        The burst.
    band : Band
        Lines of the burst.

    Returns
    -------
    ndarray of int16, shape (lines, samples, 2)
        Real and imaginary parts; 0 outside the valid samples.
    """
    shape = (band.rows, plan.burst.grid.shape.samples)
    part = slice(band.first, band.first + band.rows)
    first, last = plan.burst.first_valid_sample[part], plan.burst.last_valid_sample[part]
    rows, columns = np.zeros(shape), np.zeros(shape)
    cycles, common, own = (np.zeros(shape, np.float32) for _ in range(3))
    if plan.in_reference:
        map_reference_lines(
            plan.view,
            plan.looks,
            plan.frame,
            band.first,
            first,
            last,
            rows,
            columns,
            cycles,
            common,
        )
    else:
        map_lines(
            plan.view,
            plan.reference,
            plan.terrain,
            plan.looks,
            plan.frame,
            band.first,
            first,
            last,
            rows,
            columns,
            cycles,
            common,
            own,
        )
    image = np.zeros(shape, np.complex64)
    for seed, weight in ((plan.common_seed, common), (plan.own_seed, own)):
        _add(image, weight, rows=rows, columns=columns, seed=seed, kernel=plan.kernel)
    pixels = np.empty((*shape, 2), np.int16)
    quantise(image, cycles, pixels)
    return pixels


def _add(
    image: NDArray[np.complex64],
    weight: NDArray[np.float32],
    *,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    seed: int,
    kernel: Kernel,
) -> None:
    used = weight != 0.0
    if not used.any():
        return
    top = int(np.floor(rows[used].min())) - AZIMUTH_TAPS // 2
    left = int(np.floor(columns[used].min())) - RANGE_TAPS // 2
    bottom = int(np.floor(rows[used].max())) + AZIMUTH_TAPS // 2 + 1
    right = int(np.floor(columns[used].max())) + RANGE_TAPS // 2 + 1
    noise = lattice_noise(seed, top, left, bottom - top + 1, right - left + 1)
    add_reflectivity(rows, columns, weight, noise, (top, left), kernel, image)
