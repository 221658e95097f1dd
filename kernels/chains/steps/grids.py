"""The deformation grid of a pair: what its steps hand to each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kernels.chains.steps.archive import read_values, write_values
from kernels.errors import InputError, PairError
from kernels.insar.adjustment import Adjustment, Flattening
from kernels.insar.burst_pair import BurstPair
from kernels.model import Burst, Shape, SlcProduct

_KIND = "fournaise deformation grid 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeformationGrid:
    """Tabulated geometry of one swath of a pair.

    Attributes
    ----------
    identifier : str
        Equal for equal grids; files made with the grid carry it.
    reference_names, secondary_names : tuple of str
        Of the products.
    swath, polarisation : str
        Of the images.
    bursts : tuple of Burst
        Of the reference, in order of time.
    pairs : dict of int to BurstPair
        By the index of the reference burst; bursts without partner are not named. Nothing but
        the geometry of the orbits is in them.
    adjustments : dict of int to Adjustment
        What the images told beyond, by the same index.
    """

    identifier: str
    reference_names: tuple[str, ...]
    secondary_names: tuple[str, ...]
    swath: str
    polarisation: str
    bursts: tuple[Burst, ...]
    pairs: dict[int, BurstPair]
    adjustments: dict[int, Adjustment]

    @classmethod
    def of(
        cls,
        *,
        reference_names: tuple[str, ...],
        secondary_names: tuple[str, ...],
        image: SlcProduct,
        bursts: tuple[Burst, ...],
        pairs: dict[int, BurstPair],
        adjustments: dict[int, Adjustment],
    ) -> DeformationGrid:
        """Make a grid and its identifier of the parts that the attributes name."""
        digest = hashlib.sha256(repr((reference_names, secondary_names, adjustments)).encode())
        for index, pair in pairs.items():
            digest.update(repr((index, pair.reference.grid, pair.secondary.grid)).encode())
            digest.update(np.ascontiguousarray(pair.coregistration.polynomials.coefficients).data)
        return cls(
            identifier=digest.hexdigest()[:32],
            reference_names=reference_names,
            secondary_names=secondary_names,
            swath=image.swath,
            polarisation=image.polarisation,
            bursts=bursts,
            pairs=pairs,
            adjustments=adjustments,
        )

    @classmethod
    def read(cls, path: Path) -> DeformationGrid:
        """Read a grid; raises InputError for a file that is none."""
        values = read_values(path)
        if values.pop("kind", None) != _KIND:
            raise InputError(f"{path.name} must be a deformation grid of this version")
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"{path.name} must be a deformation grid of this version") from error

    def write(self, path: Path) -> None:
        """Write the grid with every digit; raises ProcessingError if the disk is full."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        write_values(path, {"kind": _KIND} | values)

    def pair(self, burst: Burst, flattening: Flattening = "topography") -> BurstPair | None:
        """Return the pair of a burst of the reference, adjusted; None where it has no partner."""
        pair = self.pairs.get(burst.index)
        if pair is None:
            return None
        adjustment = self.adjustments.get(burst.index, Adjustment())
        geometry = pair.coregistration.adjusted(adjustment, flattening=flattening)
        return replace(pair, coregistration=geometry)

    @property
    def first_rows(self) -> dict[int, int]:
        """First row of each burst where the bursts follow each other whole, by index."""
        rows, found = 0, {}
        for burst in self.bursts:
            found[burst.index] = rows
            rows += burst.grid.shape.lines
        return found

    @property
    def shape(self) -> Shape:
        """Of a raster of the whole bursts of the reference, one after the other."""
        lines = sum(burst.grid.shape.lines for burst in self.bursts)
        return Shape(lines, self.bursts[0].grid.shape.samples)

    def check_image(self, image: SlcProduct, names: tuple[str, ...], *, role: str) -> None:
        """Refuse an image that the grid was not made with.

        Parameters
        ----------
        image : SlcProduct
            Opened.
        names : tuple of str
            Of its products.
        role : str
            "reference" or "secondary".

        Raises
        ------
        PairError
            Other products, or other bursts in them.
        """
        expected = self.reference_names if role == "reference" else self.secondary_names
        if names != expected:
            raise PairError(
                f"grid is of another pair: its {role} is {' and '.join(expected)}, got "
                f"{' and '.join(names)}"
            )
        there = {burst.index: burst for burst in image.bursts}
        own = [getattr(pair, role) for pair in self.pairs.values()]
        for burst in own:
            found = there.get(burst.index)
            place = (burst.first_line, burst.grid.shape)
            if found is None or (found.first_line, found.grid.shape) != place:
                raise PairError(
                    f"grid does not fit {image.name}: burst {burst.index + 1} of {self.swath} "
                    "lies elsewhere"
                )

    def check_tags(self, tags: dict[str, str], name: str) -> None:
        """Refuse a raster that was made with another grid, or with none; raises PairError."""
        if tags.get("GRID") != self.identifier:
            other = "no grid" if "GRID" not in tags else "another grid"
            raise PairError(f"grid is of another pair: {name} was resampled with {other}")


def raster_tags(grid: DeformationGrid, ramp: str) -> dict[str, str]:
    """Describe a raster of whole bursts that was made with a grid, by name of the tag."""
    return {
        "GRID": grid.identifier,
        "RAMP": ramp,
        "SWATH": grid.swath,
        "POLARISATION": grid.polarisation,
        "REFERENCE": " ".join(grid.reference_names),
        "SECONDARY": " ".join(grid.secondary_names),
        "BURSTS": " ".join(str(index + 1) for index in grid.first_rows),
        "FIRST_ROWS": " ".join(map(str, grid.first_rows.values())),
    }
