"""What is true of simulated detected images, saved beside their products.

``scene.json`` names products and parameters; ``targets_<k>.npz`` holds the targets and borders
of product k, counted from 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.errors import InputError
from kernels.model import GrdProduct
from kernels.simulation.detected_image import Borders
from kernels.simulation.detected_view import SeenTargets


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedTruth:
    """What is true of one detected product, whatever the polarisation.

    Attributes
    ----------
    name : str
        Of the product, without ending.
    epoch : datetime
        UTC instant (naive) that times of the targets count from.
    targets : SeenTargets
        Those whose centre lies inside the image.
    borders : Borders
        Part of the image that is not zero.
    """

    name: str
    epoch: datetime
    targets: SeenTargets
    borders: Borders

    def is_valid(self) -> NDArray[np.bool_]:
        """Tell of every pixel, shape (lines, samples), whether it lies inside the borders."""
        line = np.arange(self.borders.first_sample.size)[:, None]
        sample = np.arange(self.borders.first_line.size)[None, :]
        valid: NDArray[np.bool_] = sample >= self.borders.first_sample[:, None]
        valid &= sample <= self.borders.last_sample[:, None]
        valid &= (line >= self.borders.first_line) & (line <= self.borders.last_line)
        return valid


def save_detected_truth(
    folder: Path, number: int, image: GrdProduct, targets: SeenTargets, borders: Borders
) -> None:
    """Save what is true of a product.

    Parameters
    ----------
    folder : Path
        Exists.
    number : int
        Of the product, counted from 0.
    image : GrdProduct
        Any polarisation of it.
    targets : SeenTargets
        Inside the image.
    borders : Borders
        Of the image.
    """
    facts = {"name": image.name, "epoch": image.grid.epoch.isoformat()}
    borders_of = {f"border_{key}": value for key, value in borders._asdict().items()}
    arrays = asdict(targets) | borders_of | {key: np.array(text) for key, text in facts.items()}
    np.savez(_path(folder, number), **arrays)


def load_detected_truth(folder: Path, *, product: int = 0) -> DetectedTruth:
    """Read what is true of a simulated detected product.

    Parameters
    ----------
    folder : Path
        The folder `truth` of a simulation.
    product : int
        In the order of the simulation's products, counted from 0.

    Returns
    -------
    DetectedTruth
        All arrays in memory.

    Raises
    ------
    InputError
        There is no such product.
    """
    path = _path(folder, product)
    if not path.exists():
        raise InputError(f"{path.name} must be in the folder of the truth")
    with np.load(path) as saved:
        values = {key: saved[key] for key in saved.files}
    borders = {key: values.pop(f"border_{key}") for key in Borders._fields}
    return DetectedTruth(
        name=values.pop("name").item(),
        epoch=datetime.fromisoformat(values.pop("epoch").item()),
        targets=SeenTargets(**values),
        borders=Borders(**borders),
    )


def _path(folder: Path, number: int) -> Path:
    return folder / f"targets_{number}.npz"
