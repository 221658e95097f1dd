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
    turn,
)
from kernels.simulation.points import SeenTarget
from kernels.simulation.reflectivity import Kernel
from kernels.simulation.reflectivity_numba import add_reflectivity, lattice_noise
from kernels.simulation.scatterers_numba import Cells, add_point, add_scatterers
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
    cells : Cells or None
        Of the independent scatterers; None: the reflectivity of unit coherence.
    targets : tuple of SeenTarget
        Where this burst sees the point targets.
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
    cells: Cells | None
    targets: tuple[SeenTarget, ...]


class _Lines:
    """Arrays of some lines of a burst, on their way to pixels."""

    def __init__(self, plan: BurstImage, band: Band) -> None:
        shape = (band.rows, plan.burst.grid.shape.samples)
        part = slice(band.first, band.first + band.rows)
        self.first_line = band.first
        self.first_valid = plan.burst.first_valid_sample[part]
        self.last_valid = plan.burst.last_valid_sample[part]
        self.rows, self.columns = np.zeros(shape), np.zeros(shape)
        self.cycles = np.zeros(shape, np.float32)
        self.common, self.own = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.image = np.zeros(shape, np.complex64)

    def lay_out(self, view: View, frame: Frame, amplitude: float) -> None:
        """Fill coordinates in the view's own orbit, its ramp and one amplitude."""
        map_reference_lines(
            view,
            amplitude,
            frame,
            self.first_line,
            self.first_valid,
            self.last_valid,
            self.rows,
            self.columns,
            self.cycles,
            self.common,
        )

    def map_to_reference(self, plan: BurstImage) -> None:
        """Fill coordinates in the reference's orbit, the phase towards it and the weights."""
        map_lines(
            plan.view,
            plan.reference,
            plan.terrain,
            plan.looks,
            plan.frame,
            self.first_line,
            self.first_valid,
            self.last_valid,
            self.rows,
            self.columns,
            self.cycles,
            self.common,
            self.own,
        )

    def add_noise(self, weight: NDArray[np.float32], *, seed: int, kernel: Kernel) -> None:
        """Add band-limited noise that belongs to the coordinates, times a weight."""
        used = weight != 0.0
        if not used.any():
            return
        half_rows, half_columns = (table.shape[1] // 2 for table in kernel)
        top = int(np.floor(self.rows[used].min())) - half_rows
        left = int(np.floor(self.columns[used].min())) - half_columns
        bottom = int(np.floor(self.rows[used].max())) + half_rows + 1
        right = int(np.floor(self.columns[used].max())) + half_columns + 1
        noise = lattice_noise(seed, top, left, bottom - top + 1, right - left + 1)
        add_reflectivity(self.rows, self.columns, weight, noise, (top, left), kernel, self.image)

    def blank(self) -> None:
        """Set pixels without signal to 0."""
        samples = np.arange(self.image.shape[1])
        first, last = self.first_valid[:, None], self.last_valid[:, None]
        self.image[(first < 0) | (samples < first) | (samples > last)] = 0.0


def render(plan: BurstImage, band: Band) -> NDArray[np.int16]:
    """Make the pixels of some lines of a burst.

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
    lines = _Lines(plan, band)
    if plan.cells is not None:
        _fill_with_scatterers(plan, plan.cells, lines)
    elif plan.in_reference:
        lines.lay_out(plan.view, plan.frame, plan.looks.amplitude)
        lines.add_noise(lines.common, seed=plan.common_seed, kernel=plan.kernel)
    else:
        lines.map_to_reference(plan)
        lines.add_noise(lines.common, seed=plan.common_seed, kernel=plan.kernel)
        lines.add_noise(lines.own, seed=plan.own_seed, kernel=plan.kernel)
    turn(lines.image, lines.cycles)
    _add_targets(plan, lines)
    pixels = np.empty((*lines.image.shape, 2), np.int16)
    quantise(lines.image, pixels)
    return pixels


def _fill_with_scatterers(plan: BurstImage, cells: Cells, lines: _Lines) -> None:
    lines.lay_out(plan.view, plan.frame, plan.looks.noise)
    add_scatterers(
        plan.view,
        plan.terrain,
        plan.looks,
        cells,
        (plan.common_seed, plan.own_seed),
        lines.first_line,
        lines.image,
        plan.kernel,
    )
    lines.add_noise(lines.common, seed=plan.own_seed, kernel=plan.kernel)
    lines.blank()


def _add_targets(plan: BurstImage, lines: _Lines) -> None:
    """Add point targets: each turns with the ramp of this image about itself."""
    reach = plan.kernel.azimuth.shape[1] // 2 + 1
    for target in plan.targets:
        row = target.line - plan.view.misregistration - lines.first_line
        if not -reach < row < lines.image.shape[0] + reach:
            continue
        alone = _Lines(plan, Band(lines.first_line, lines.image.shape[0]))
        alone.lay_out(plan.view, plan.frame, 0.0)
        across = np.empty(plan.kernel.range.shape[1], np.float32)
        add_point(alone.image, row, target.sample, target.value, plan.kernel, across)
        turn(alone.image, alone.cycles)
        alone.blank()
        lines.image += alone.image
