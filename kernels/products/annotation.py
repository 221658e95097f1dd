"""Sentinel-1 Level-1 SLC annotation files: TOPS (IW, EW) and StripMap.

Sentinel-1 Product Specification, S1-RS-MDA-52-7441: the annotation data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import (
    GeolocationGrid,
    OrbitSource,
    SlcProduct,
    StateVectors,
)
from kernels.products.bursts import acquisition_mode, read_bursts
from kernels.products.elements import Element

UNKNOWN_PROCESSOR = "unknown"

_IMAGE = "imageAnnotation/imageInformation"
_PRODUCT = "generalAnnotation/productInformation"
_REPEAT_CYCLE_ORBITS = 175


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductContext:
    """What an annotation file does not say about the product that it belongs to.

    Attributes
    ----------
    name : str
        Of the product.
    epoch : datetime or None
        UTC midnight that times count from; None: of the day of the image's first line.
    relative_orbit : int or None
        Track number; None: from the absolute orbit.
    processor : str
        Software and version.
    """

    name: str
    epoch: datetime | None = None
    relative_orbit: int | None = None
    processor: str = UNKNOWN_PROCESSOR


def midnight(instant: datetime) -> datetime:
    """Return the start of an instant's day."""
    return datetime.combine(instant.date(), time())


def relative_orbit(platform: str, absolute_orbit: int) -> int:
    """Track number of an absolute orbit, 1 to 175.

    S1C changed its place in the cycle after absolute orbit 8018.

    Parameters
    ----------
    platform : str
        S1A, S1B, S1C or S1D.
    absolute_orbit : int
        Counted from launch.

    Returns
    -------
    int
        The track number.

    Raises
    ------
    ProductError
        If the platform is not S1A, S1B, S1C or S1D.
    """
    offsets = {"S1A": 73, "S1B": 27, "S1C": 172 if absolute_orbit <= 8018 else 99, "S1D": 42}
    if platform not in offsets:
        raise ProductError(f"platform must be one of S1A, S1B, S1C, S1D, got {platform}")
    return (absolute_orbit - offsets[platform]) % _REPEAT_CYCLE_ORBITS + 1


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
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProductError(f"{path.name} cannot be read") from error
    return parse_annotation(content, origin=path.name, context=ProductContext(name=path.stem))


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
    root = _slc_root(content, origin)
    start = root.time(f"{_IMAGE}/productFirstLineUtcTime")
    epoch = context.epoch or midnight(start)
    platform = root.text("adsHeader/missionId")
    absolute_orbit = root.integer("adsHeader/absoluteOrbitNumber")
    mode, geolocation = acquisition_mode(root), _geolocation(root, epoch)
    grid, bursts = read_bursts(root, epoch=epoch, mode=mode, geolocation=geolocation)
    range_bandwidth, azimuth_bandwidth = _bandwidths(root)
    return SlcProduct(
        name=context.name,
        platform=platform,
        mode=mode,
        swath=root.text("adsHeader/swath"),
        polarisation=root.text("adsHeader/polarisation"),
        start=start,
        stop=root.time(f"{_IMAGE}/productLastLineUtcTime"),
        absolute_orbit=absolute_orbit,
        relative_orbit=context.relative_orbit or relative_orbit(platform, absolute_orbit),
        ascending=_ascending(root),
        processor=context.processor,
        state_vectors=_state_vectors(root, epoch),
        grid=grid,
        bursts=bursts,
        range_bandwidth=range_bandwidth,
        azimuth_bandwidth=azimuth_bandwidth,
        calibration=None,
        geolocation=geolocation,
        pixels=None,
    )


def _slc_root(content: bytes, origin: str) -> Element:
    root = Element.parse(content, origin=origin)
    product_type = root.text("adsHeader/productType")
    if product_type != "SLC":
        raise ProductError(f"{origin} must be an SLC, got {product_type}")
    return root


def _ascending(root: Element) -> bool:
    direction = root.text(f"{_PRODUCT}/pass").lower()
    if direction not in {"ascending", "descending"}:
        raise ProductError(f"{root.origin}: pass must be Ascending or Descending, got {direction}")
    return direction == "ascending"


def _bandwidths(root: Element) -> tuple[float, float]:
    """Return the processed bandwidths in range and azimuth [Hz]."""
    processing = root.child(
        "imageAnnotation/processingInformation/swathProcParamsList/swathProcParams"
    )
    return (
        processing.number("rangeProcessing/processingBandwidth"),
        processing.number("azimuthProcessing/processingBandwidth"),
    )


def _state_vectors(root: Element, epoch: datetime) -> StateVectors:
    orbits = list(root.children("generalAnnotation/orbitList/orbit"))
    if len(orbits) < 4:
        raise ProductError(
            f"{root.origin}: element orbitList must have at least 4 orbits, got {len(orbits)}"
        )
    return StateVectors(
        epoch=epoch,
        times=np.array([orbit.seconds("time", epoch) for orbit in orbits]),
        positions=np.array([[o.number(f"position/{axis}") for axis in "xyz"] for o in orbits]),
        velocities=np.array([[o.number(f"velocity/{axis}") for axis in "xyz"] for o in orbits]),
        source=OrbitSource.ANNOTATION,
        origin=root.origin,
    )


def _geolocation(root: Element, epoch: datetime) -> GeolocationGrid:
    points = list(root.children("geolocationGrid/geolocationGridPointList/geolocationGridPoint"))

    def column(name: str) -> NDArray[np.float64]:
        return np.array([point.number(name) for point in points])

    return GeolocationGrid(
        zero_doppler_times=np.array([point.seconds("azimuthTime", epoch) for point in points]),
        slant_range_times=column("slantRangeTime"),
        lines=column("line"),
        pixels=column("pixel"),
        longitudes=column("longitude"),
        latitudes=column("latitude"),
        heights=column("height"),
        incidence_angles=np.radians(column("incidenceAngle")),
    )
