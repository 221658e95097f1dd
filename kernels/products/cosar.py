"""Complex pixels of TerraSAR-X, TanDEM-X and PAZ: COSAR files.

DLR, TX-GS-DD-3307, "Level 1b product format specification": the COSAR file format. A burst is a
matrix of big-endian lines; each holds first and last valid sample before its pixels, and four
lines of annotation come first.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from kernels.errors import ProductError
from kernels.products.pixels import GdalPixelReader

ANNOTATION_LINES = 4
"""Before the pixels of a burst."""

HEADER = struct.Struct(">7i4s")
"""Bytes and range samples of the burst, its size in pixels, its number, bytes of a line, lines."""

MAGIC = b"CSAR"


class CosarHeader(NamedTuple):
    """What a COSAR burst begins with.

    Attributes
    ----------
    burst_bytes : int
        Of the whole burst.
    relative_index : int
        Range sample of the first column.
    samples, lines : int
        Size of the image.
    burst : int
        Number of the burst, from 1.
    line_bytes, total_lines : int
        Of the matrix, annotation included.
    magic : bytes
        CSAR.
    """

    burst_bytes: int
    relative_index: int
    samples: int
    lines: int
    burst: int
    line_bytes: int
    total_lines: int
    magic: bytes


class CosarReader(GdalPixelReader):
    """Reads the complex pixels of a COSAR file of one burst."""

    _drivers = ("COSAR",)

    def _check_end(self, gdal: Any, dataset: Any) -> None:
        """Refuse a file that is cut off or of several bursts, before hours are spent on it."""
        file = gdal.VSIFOpenL(self._path, "rb")
        try:
            content = gdal.VSIFReadL(1, HEADER.size, file)
        finally:
            gdal.VSIFCloseL(file)
        header = CosarHeader(*HEADER.unpack(bytes(content)))
        if header.magic != MAGIC:
            raise ProductError(f"{self._name} must be a COSAR file")
        expected = header.line_bytes * header.total_lines
        size = gdal.VSIStatL(self._path).size
        if size < expected:
            raise ProductError(f"{self._name} is cut off: {expected} bytes expected, got {size}")
        if size > expected:
            raise ProductError(f"{self._name} must hold one burst, got more than {expected} bytes")
