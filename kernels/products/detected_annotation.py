"""Sentinel-1 Level-1 GRD annotation files: detected images in ground range.

Sentinel-1 Product Specification, S1-RS-MDA-52-7441: the annotation data set and its
coordinateConversion records.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from kernels.errors import ProductError
from kernels.model import (
    SPEED_OF_LIGHT,
    GeolocationGrid,
    GrdProduct,
    GroundRangeGrid,
    GroundRangeRecord,
    Shape,
)
from kernels.products.annotation_head import (
    ProductContext,
    annotation_root,
    read_head,
    read_xml,
)
from kernels.products.bistatic import IW_REFERENCE_TIME, fit_bistatic_range
from kernels.products.elements import Element

_IMAGE = "imageAnnotation/imageInformation"
_RECORDS = "coordinateConversion/coordinateConversionList/coordinateConversion"


def read_detected_annotation(path: Path) -> GrdProduct:
    """Read one GRD annotation file with no product around it.

    Parameters
    ----------
    path : Path
        Of the XML file.

    Returns
    -------
    GrdProduct
        Without pixels, calibration and noise, with the annotation's own orbit; its name is the
        file's.

    Raises
    ------
    ProductError
        If the file cannot be read, is not the annotation of a GRD, or lacks an element.
    """
    return parse_detected_annotation(
        read_xml(path), origin=path.name, context=ProductContext(name=path.stem)
    )


def parse_detected_annotation(
    content: bytes, *, origin: str, context: ProductContext
) -> GrdProduct:
    """Read the annotation of one polarisation of a GRD.

    Parameters
    ----------
    content : bytes
        Of the XML file.
    origin : str
        Name of the file, for errors and as origin of its state vectors.
    context : ProductContext
        What the product says about itself elsewhere.

    Returns
    -------
    GrdProduct
        Without pixels, calibration and noise, with the annotation's own orbit.

    Raises
    ------
    ProductError
        If this is not the annotation of a GRD in a supported mode, or lacks an element.
    """
    root = annotation_root(content, origin=origin, product_type="GRD")
    head = read_head(root, context)
    grid = _ground_range_grid(root, head["state_vectors"].epoch)
    return GrdProduct(
        **head,
        grid=replace(
            grid, bistatic_range=_bistatic_range(grid, head["geolocation"], mode=head["mode"])
        ),
        calibration=None,
        noise=None,
        pixels=None,
    )


def _ground_range_grid(root: Element, epoch: datetime) -> GroundRangeGrid:
    """Grid of the measurement file, without bistatic term."""
    image = root.child(_IMAGE)
    return GroundRangeGrid(
        epoch=epoch,
        first_line_time=image.seconds("productFirstLineUtcTime", epoch),
        line_interval=image.number("azimuthTimeInterval"),
        ground_range_spacing=image.number("rangePixelSpacing"),
        shape=Shape(image.integer("numberOfLines"), image.integer("numberOfSamples")),
        wavelength=SPEED_OF_LIGHT
        / root.number("generalAnnotation/productInformation/radarFrequency"),
        records=_records(root, epoch),
    )


def _records(root: Element, epoch: datetime) -> tuple[GroundRangeRecord, ...]:
    records = [
        GroundRangeRecord(
            azimuth_time=record.seconds("azimuthTime", epoch),
            slant_range_origin=record.number("sr0"),
            slant_to_ground=tuple(record.numbers("srgrCoefficients").tolist()),
            ground_range_origin=record.number("gr0"),
            ground_to_slant=tuple(record.numbers("grsrCoefficients").tolist()),
        )
        for record in root.children(_RECORDS)
    ]
    if not all(record.slant_to_ground and record.ground_to_slant for record in records):
        raise ProductError(f"{root.origin}: element {_RECORDS} must have coefficients")
    if not records:
        raise ProductError(f"{root.origin} has no element {_RECORDS}")
    return tuple(sorted(records, key=lambda record: record.azimuth_time))


def _bistatic_range(grid: GroundRangeGrid, geolocation: GeolocationGrid, *, mode: str) -> float:
    """Slant range at which annotated line times are zero-Doppler [m]."""
    return fit_bistatic_range(
        annotated_times=grid.first_line_time + geolocation.lines * grid.line_interval,
        zero_doppler_times=geolocation.zero_doppler_times,
        slant_range_times=geolocation.slant_range_times,
        fallback_time=IW_REFERENCE_TIME if mode == "IW" else _mid_swath_time(grid),
    )


def _mid_swath_time(grid: GroundRangeGrid) -> float:
    """Two-way slant range time in the middle of the image [s]."""
    record = grid.records[len(grid.records) // 2]
    ground_range = 0.5 * (grid.shape.samples - 1) * grid.ground_range_spacing
    slant_range = np.polynomial.polynomial.polyval(
        ground_range - record.ground_range_origin, record.ground_to_slant
    )
    return 2.0 / SPEED_OF_LIGHT * float(slant_range)
