"""The files that the products of each satellite are written as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kernels.model import SlcProduct
from kernels.products.cosmo_skymed_writer import fill_cosmo_skymed, write_cosmo_skymed
from kernels.products.sentinel1_writer import create_measurement, write_annotation, write_manifest
from kernels.products.terrasar_x_writer import create_cosar, write_terrasar_x
from kernels.simulation.radars import COSMO_SKYMED, SENTINEL_1, TERRASAR_X, radar_of


class LineWriter(Protocol):
    """Takes the lines of an image, in any order."""

    def write(self, first_line: int, pixels: NDArray[np.int16]) -> None:
        """Write whole lines, shape (lines, samples, 2)."""
        ...


class Container(NamedTuple):
    """How a product is written.

    Attributes
    ----------
    ending : str
        Of the product's name.
    begin : callable
        Writes the metadata of a product's images; returns the file of each image's pixels.
    pixels : callable
        Opens such a file for the pixels of an image.
    finish : callable
        Called once all pixels are written.
    """

    ending: str
    begin: Callable[[Path, Sequence[SlcProduct]], tuple[Path, ...]]
    pixels: Callable[[Path, SlcProduct], AbstractContextManager[LineWriter]]
    finish: Callable[[Path, Sequence[SlcProduct]], object]


def _nothing(_: Path, __: Sequence[SlcProduct]) -> None:
    """Leave a product that is complete with its pixels."""


_CONTAINERS = {
    SENTINEL_1: Container(".SAFE", write_annotation, create_measurement, write_manifest),
    TERRASAR_X: Container(
        "", lambda path, images: (write_terrasar_x(path, images[0]),), create_cosar, _nothing
    ),
    COSMO_SKYMED: Container(
        ".h5",
        lambda path, images: (write_cosmo_skymed(path, images[0]),),
        lambda path, _: fill_cosmo_skymed(path),
        _nothing,
    ),
}


def container_of(image: SlcProduct) -> Container:
    """Return how the products of an image's satellite are written."""
    return _CONTAINERS[radar_of(image.platform)]
