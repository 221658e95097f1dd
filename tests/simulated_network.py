"""A network of interferograms whose motion is known: files as MintPy keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from kernels.model import Shape
from kernels.products.mintpy import create_stack

Array = NDArray[np.float64]

SHAPE = Shape(60, 80)

WAVELENGTH = 0.05546576
METRES = -WAVELENGTH / (4.0 * np.pi)
SLANT_RANGE = 850e3
INCIDENCE = 38.0
CORNER = (55.4, -21.0)
"""Longitude and latitude of the first cell [degrees]."""
STEPS = (5e-4, 4e-4)
"""Between columns and between rows [degrees]."""


@dataclass(frozen=True, kw_only=True)
class NetworkScene:
    """What the files hold. Arrays are (rows, columns), or dates first."""

    shape: Shape = SHAPE
    dates: int = 10
    reach: int = 3
    pairs: tuple[tuple[int, int], ...] = ()
    noise: float = 0.0
    """Of the phase of each pair [rad]."""
    velocity: Array = field(default_factory=lambda: np.zeros(SHAPE))
    dem_error: Array = field(default_factory=lambda: np.zeros(SHAPE))
    height: Array = field(default_factory=lambda: np.zeros(SHAPE))
    delay_per_metre: Array = field(default_factory=lambda: np.zeros(10))
    """Apparent displacement by height on each date."""

    @property
    def days(self) -> list[date]:
        return [date(2016, 6, 5) + timedelta(12 * k) for k in range(self.dates)]

    @property
    def times(self) -> Array:
        return np.arange(self.dates) * 12.0 / 365.25

    @property
    def baselines(self) -> Array:
        return np.random.default_rng(3).uniform(-120.0, 120.0, self.dates)

    @property
    def network(self) -> list[tuple[int, int]]:
        return list(self.pairs) or [
            (a, b)
            for a in range(self.dates)
            for b in range(a + 1, min(a + 1 + self.reach, self.dates))
        ]

    @property
    def longitudes(self) -> Array:
        """Cells lie on a turned grid, as those of a descending pass do."""
        rows, columns = np.indices(self.shape)
        return CORNER[0] + columns * STEPS[0] - 0.2 * rows * STEPS[1]

    @property
    def latitudes(self) -> Array:
        rows, columns = np.indices(self.shape)
        return CORNER[1] - rows * STEPS[1] - 0.2 * columns * STEPS[0]

    @property
    def motion(self) -> Array:
        """Displacement by motion alone [m]."""
        return self.times[:, None, None] * self.velocity

    @property
    def apparent(self) -> Array:
        """Displacement that the phases show [m]."""
        sensitivity = (self.baselines - self.baselines[0]) / (
            SLANT_RANGE * np.sin(np.radians(INCIDENCE))
        )
        return (
            self.motion
            + sensitivity[:, None, None] * self.dem_error
            + self.delay_per_metre[:, None, None] * self.height
        )

    def phases(self) -> Array:
        """Unwrapped, of every pair [rad]."""
        apparent = self.apparent
        generator = np.random.default_rng(4)
        return np.stack(
            [
                (apparent[b] - apparent[a]) / METRES
                + generator.normal(0.0, 1.0, self.shape) * self.noise
                for a, b in self.network
            ]
        )

    def write(
        self,
        folder: Path,
        phases: Array | None = None,
        *,
        coherence: Array | None = None,
        components: NDArray[np.int64] | None = None,
    ) -> tuple[Path, Path]:
        """Write ifgramStack.h5 and geometryRadar.h5."""
        folder.mkdir(parents=True, exist_ok=True)
        phases = self.phases() if phases is None else phases
        high = np.full(phases.shape, 0.9) if coherence is None else coherence
        inside = np.isfinite(phases).astype(np.int64) if components is None else components
        with create_stack(
            folder / "ifgramStack.h5",
            days=self.days,
            pairs=self.network,
            baselines=self.baselines.tolist(),
            shape=self.shape,
            attributes={"WAVELENGTH": repr(WAVELENGTH), "NCORRLOOKS": "20", "PLATFORM": "S1A"},
        ) as writer:
            for number, layers in enumerate(zip(phases, high, inside, strict=True)):
                writer.write(number, *layers)
        self.write_geometry(folder / "geometryRadar.h5")
        return folder / "ifgramStack.h5", folder / "geometryRadar.h5"

    def write_geometry(self, path: Path) -> None:
        """As MintPy's loader does."""
        with h5py.File(path, "w") as file:
            file.attrs.update(FILE_TYPE="geometry", LENGTH=str(self.shape[0]))
            file["longitude"] = self.longitudes
            file["latitude"] = self.latitudes
            file["height"] = self.height.astype(np.float32)
            file["slantRangeDistance"] = np.full(self.shape, SLANT_RANGE, np.float32)
            file["incidenceAngle"] = np.full(self.shape, INCIDENCE, np.float32)


def bowl(shape: Shape, deepest: float) -> Array:
    """A smooth field that is largest in the middle."""
    rows, columns = np.indices(shape)
    distance = np.hypot(rows - shape[0] / 2, columns - shape[1] / 2)
    return deepest * np.exp(-np.square(distance / 12.0))
