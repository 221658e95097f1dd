"""Sentinel-1 calibration files: the vectors that turn pixels into backscatter."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import CalibrationLut
from kernels.products.elements import Element


def parse_calibration(content: bytes, *, origin: str, epoch: datetime) -> CalibrationLut:
    """Read the calibration vectors of one image.

    Parameters
    ----------
    content : bytes
        Of the XML file.
    origin : str
        Name of the file, for errors.
    epoch : datetime
        UTC instant (naive) that times count from.

    Returns
    -------
    CalibrationLut
        On the samples of the first vector; a vector given at other samples is interpolated
        linearly to those.

    Raises
    ------
    ProductError
        If the file is not well-formed, holds no vector or lacks an element.
    """
    root = Element.parse(content, origin=origin)
    vectors = list(root.children("calibrationVectorList/calibrationVector"))
    if not vectors:
        raise ProductError(f"{root.origin} has no element calibrationVectorList/calibrationVector")
    pixels = vectors[0].numbers("pixel")
    if pixels.size == 0 or (np.diff(pixels) <= 0).any():
        raise ProductError(f"{root.origin}: element pixel must be an increasing list")

    def rows(name: str) -> NDArray[np.float32]:
        return np.array([_row(vector, name, pixels) for vector in vectors], dtype=np.float32)

    return CalibrationLut(
        times=np.array([vector.seconds("azimuthTime", epoch) for vector in vectors]),
        lines=np.array([vector.integer("line") for vector in vectors], dtype=np.int32),
        pixels=pixels.astype(np.int32),
        sigma_nought=rows("sigmaNought"),
        beta_nought=rows("betaNought"),
        gamma=rows("gamma"),
        digital_number=rows("dn"),
    )


def _row(vector: Element, name: str, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    own_pixels, values = vector.numbers("pixel"), vector.numbers(name)
    if own_pixels.size != values.size:
        raise ProductError(
            f"{vector.origin}: element {name} must have as many values as pixel,"
            f" {own_pixels.size}, got {values.size}"
        )
    if np.array_equal(own_pixels, pixels):
        return values
    return np.interp(pixels, own_pixels, values)
