"""Sentinel-1 Level-1 SLC annotation files: TOPS (IW, EW) and StripMap.

Sentinel-1 Product Specification, S1-RS-MDA-52-7441: the annotation data set.
"""

from __future__ import annotations

from pathlib import Path

from kernels.model import SlcProduct
from kernels.products.annotation_head import (
    ProductContext,
    annotation_root,
    read_head,
    read_xml,
)
from kernels.products.bursts import read_bursts
from kernels.products.elements import Element


def read_annotation(path: Path) -> SlcProduct:
    """Read one SLC annotation file with no product around it.

    Parameters
    ----------
    path : Path
        Of the XML file.

    Returns
    -------
    SlcProduct
        Without pixels and calibration, with the annotation's own orbit; its name is the file's.

    Raises
    ------
    ProductError
        If the file cannot be read, is not the annotation of an SLC, or lacks an element.
    """
    return parse_annotation(
        read_xml(path), origin=path.name, context=ProductContext(name=path.stem)
    )


def parse_annotation(content: bytes, *, origin: str, context: ProductContext) -> SlcProduct:
    """Read the annotation of one swath and polarisation.

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
    SlcProduct
        Without pixels and calibration, with the annotation's own orbit.

    Raises
    ------
    ProductError
        If this is not the annotation of an SLC in a supported mode, or lacks an element.
    """
    root = annotation_root(content, origin=origin, product_type="SLC")
    head = read_head(root, context)
    grid, bursts = read_bursts(
        root,
        epoch=head["state_vectors"].epoch,
        mode=head["mode"],
        geolocation=head["geolocation"],
    )
    range_bandwidth, azimuth_bandwidth = _bandwidths(root)
    return SlcProduct(
        **head,
        swath=root.text("adsHeader/swath"),
        grid=grid,
        bursts=bursts,
        range_bandwidth=range_bandwidth,
        azimuth_bandwidth=azimuth_bandwidth,
        calibration=None,
        pixels=None,
    )


def _bandwidths(root: Element) -> tuple[float, float]:
    """Return the processed bandwidths in range and azimuth [Hz]."""
    processing = root.child(
        "imageAnnotation/processingInformation/swathProcParamsList/swathProcParams"
    )
    return (
        processing.number("rangeProcessing/processingBandwidth"),
        processing.number("azimuthProcessing/processingBandwidth"),
    )
