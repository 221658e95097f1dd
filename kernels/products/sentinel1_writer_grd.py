"""Write Sentinel-1 GRD products as SAFE folders, or measurement files for existing ones.

A product is complete once its annotation, its measurement files and, last, its manifest
(`kernels.products.sentinel1_writer.write_manifest`) are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.model import GrdProduct
from kernels.products.gdal_access import gdal_module
from kernels.products.sentinel1_writer import (
    image_stem,
    set_tie_points,
    writing,
)
from kernels.products.sentinel1_writer_grd_xml import grd_annotation_xml, grd_noise_xml
from kernels.products.sentinel1_writer_xml import calibration_xml


def write_grd_annotation(
    safe: Path, images: Sequence[GrdProduct], *, slice_number: int = 0
) -> tuple[Path, ...]:
    """Write annotation, calibration and noise files of all polarisations of a product.

    Parameters
    ----------
    safe : Path
        The SAFE folder; made if missing.
    images : sequence of GrdProduct
        In the order of their numbers, each with its calibration and noise.
    slice_number : int
        Place of the product in its data take, counted from 1; 0: it is no slice.

    Returns
    -------
    tuple of Path
        Where the measurement file of each image belongs.

    Raises
    ------
    ProductError
        An image has no calibration or no noise.
    """
    calibration = safe / "annotation" / "calibration"
    calibration.mkdir(parents=True, exist_ok=True)
    (safe / "measurement").mkdir(exist_ok=True)
    measurements = []
    for number, image in enumerate(images, start=1):
        stem = image_stem(image, number)
        (safe / "annotation" / f"{stem}.xml").write_bytes(
            grd_annotation_xml(image, number, slice_number=slice_number)
        )
        (calibration / f"calibration-{stem}.xml").write_bytes(calibration_xml(image, number))
        (calibration / f"noise-{stem}.xml").write_bytes(grd_noise_xml(image, number))
        measurements.append(safe / "measurement" / f"{stem}.tiff")
    return tuple(measurements)


class DetectedWriter:
    """Takes the lines of a measurement file, in any order; made by `create_detected`."""

    def __init__(self, dataset: Any, path: Path) -> None:
        self._dataset = dataset
        self._path = path

    def write(self, first_line: int, pixels: NDArray[np.uint16]) -> None:
        """Write whole lines.

        Parameters
        ----------
        first_line : int
            Row of the file.
        pixels : ndarray of uint16, shape (lines, samples)
            Amplitudes.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        """
        lines, samples = pixels.shape
        band = self._dataset.GetRasterBand(1)
        with writing(self._path):
            band.WriteRaster(
                0, first_line, samples, lines, pixels.tobytes(), buf_type=gdal_module().GDT_UInt16
            )
            band.FlushCache()


@contextmanager
def create_detected(path: Path, image: GrdProduct) -> Iterator[DetectedWriter]:
    """Create the measurement TIFF of an image; lines that are never written read as 0.

    Parameters
    ----------
    path : Path
        Of the file.
    image : GrdProduct
        Gives shape, tie points and tags.

    Yields
    ------
    DetectedWriter
        Used from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    gdal = gdal_module()
    lines, samples = image.grid.shape
    with writing(path):
        dataset = gdal.GetDriverByName("GTiff").Create(
            str(path), samples, lines, 1, gdal.GDT_UInt16, ["SPARSE_OK=TRUE", "BLOCKYSIZE=1"]
        )
        set_tie_points(dataset, image, description=f"{image.mode} GRD HR L1")
    yield DetectedWriter(dataset, path)
    with writing(path):
        dataset.FlushCache()
