"""Finished products of a simulation find their place."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TRUTH = "truth"
"""Folder of the truth beside the products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSeries:
    """What a simulation left behind.

    Attributes
    ----------
    products : tuple of Path
        SAFE folders, or what other satellites have, the reference first.
    truth : Path
        Folder for load_truth.
    """

    products: tuple[Path, ...]
    truth: Path


def publish_series(scratch: Path, folder: Path, names: Sequence[str]) -> SimulatedSeries:
    """Give finished products and their truth their final place; older ones are replaced."""
    publish_folders(scratch, folder, (*names, TRUTH))
    return SimulatedSeries(products=tuple(folder / name for name in names), truth=folder / TRUTH)


def publish_folders(scratch: Path, folder: Path, names: Sequence[str]) -> None:
    """Move finished folders and files to their final place; older ones are replaced."""
    for name in names:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        (scratch / name).replace(folder / name)
