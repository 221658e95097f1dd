"""Sentinel-1 noise files: the thermal noise that an image's intensities contain.

Products of IPF 2.90 and later (March 2018) have range vectors and azimuth blocks; older ones
have vectors along range alone, whose values may all be zero (before mid 2015).
Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 6.4: the noise data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import NoiseBlock, NoiseLut, NoiseVector
from kernels.products.elements import Element

_RANGE_VECTORS = "noiseRangeVectorList/noiseRangeVector"
_OLD_VECTORS = "noiseVectorList/noiseVector"
_BLOCKS = "noiseAzimuthVectorList/noiseAzimuthVector"


def parse_noise(content: bytes, *, origin: str) -> NoiseLut:
    """Read the noise vectors of one image.

    Parameters
    ----------
    content : bytes
        Of the XML file.
    origin : str
        Name of the file, for errors.

    Returns
    -------
    NoiseLut
        Without blocks for a product before IPF 2.90.

    Raises
    ------
    ProductError
        If the file is not well-formed, holds no vector or lacks an element.
    """
    root = Element.parse(content, origin=origin)
    vectors = [_vector(entry, "noiseRangeLut") for entry in root.children(_RANGE_VECTORS)]
    vectors += [_vector(entry, "noiseLut") for entry in root.children(_OLD_VECTORS)]
    if not vectors:
        raise ProductError(f"{origin} has no element {_RANGE_VECTORS}")
    return NoiseLut(
        vectors=tuple(sorted(vectors, key=lambda vector: vector.line)),
        blocks=tuple(_block(entry) for entry in root.children(_BLOCKS)),
    )


def _vector(entry: Element, values: str) -> NoiseVector:
    pixels, noise = _table(entry, "pixel", values)
    return NoiseVector(line=entry.integer("line"), pixels=pixels, values=noise)


def _block(entry: Element) -> NoiseBlock:
    lines, factors = _table(entry, "line", "noiseAzimuthLut")
    return NoiseBlock(
        swath=entry.text("swath"),
        first_line=entry.integer("firstAzimuthLine"),
        last_line=entry.integer("lastAzimuthLine"),
        first_sample=entry.integer("firstRangeSample"),
        last_sample=entry.integer("lastRangeSample"),
        lines=lines,
        values=factors,
    )


def _table(
    entry: Element, places: str, values: str
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Two lists of the same length, the first increasing."""
    at, numbers = entry.numbers(places), entry.numbers(values)
    if at.size == 0 or (np.diff(at) <= 0).any():
        raise ProductError(f"{entry.origin}: element {places} must be an increasing list")
    if at.size != numbers.size:
        raise ProductError(
            f"{entry.origin}: element {values} must have as many values as {places},"
            f" {at.size}, got {numbers.size}"
        )
    return at.astype(np.int32), numbers.astype(np.float32)
