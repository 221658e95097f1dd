"""What every Sentinel-1 Level-1 annotation says, whatever the image: pass, orbit, tie points.

Sentinel-1 Product Specification, S1-RS-MDA-52-7441: the annotation data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import GeolocationGrid, OrbitSource, StateVectors
from kernels.products.elements import Element

UNKNOWN_PROCESSOR = "unknown"

STRIPMAP = "SM"
"""Mode of every StripMap beam."""

_IMAGE = "imageAnnotation/imageInformation"
_PRODUCT = "generalAnnotation/productInformation"
_TOPS_MODES = ("IW", "EW")
_STRIPMAP_MODES = ("SM", "S1", "S2", "S3", "S4", "S5", "S6")
_REPEAT_CYCLE_ORBITS = 175
_ARTICLES = {"SLC": "an SLC", "GRD": "a GRD"}


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


class AnnotationHead(TypedDict):
    """Fields that the products of both kinds of image share, named as theirs."""

    name: str
    platform: str
    mode: str
    polarisation: str
    start: datetime
    stop: datetime
    absolute_orbit: int
    relative_orbit: int
    ascending: bool
    processor: str
    state_vectors: StateVectors
    geolocation: GeolocationGrid


def read_xml(path: Path) -> bytes:
    """Return the content of an annotation file; raises ProductError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProductError(f"{path.name} cannot be read") from error


def annotation_root(content: bytes, *, origin: str, product_type: str) -> Element:
    """Parse the annotation of a product of one type.

    Parameters
    ----------
    content : bytes
        Of the XML file.
    origin : str
        Name of the file, for errors.
    product_type : str
        SLC or GRD.

    Returns
    -------
    Element
        The whole file.

    Raises
    ------
    ProductError
        If it is not well-formed or of another type.
    """
    root = Element.parse(content, origin=origin)
    found = root.text("adsHeader/productType")
    if found != product_type:
        raise ProductError(f"{origin} must be {_ARTICLES[product_type]}, got {found}")
    return root


def read_head(root: Element, context: ProductContext) -> AnnotationHead:
    """Read what both kinds of image share.

    Parameters
    ----------
    root : Element
        Of the annotation; its name becomes the origin of the state vectors.
    context : ProductContext
        What the product says about itself elsewhere.

    Returns
    -------
    AnnotationHead
        With the annotation's own orbit, whose epoch is that of every time.

    Raises
    ------
    ProductError
        If the mode is not IW, EW or StripMap, or an element is missing.
    """
    start = root.time(f"{_IMAGE}/productFirstLineUtcTime")
    epoch = context.epoch or midnight(start)
    platform = root.text("adsHeader/missionId")
    absolute_orbit = root.integer("adsHeader/absoluteOrbitNumber")
    return AnnotationHead(
        name=context.name,
        platform=platform,
        mode=_acquisition_mode(root),
        polarisation=root.text("adsHeader/polarisation"),
        start=start,
        stop=root.time(f"{_IMAGE}/productLastLineUtcTime"),
        absolute_orbit=absolute_orbit,
        relative_orbit=context.relative_orbit or relative_orbit(platform, absolute_orbit),
        ascending=_ascending(root),
        processor=context.processor,
        state_vectors=_state_vectors(root, epoch),
        geolocation=_geolocation(root, epoch),
    )


def _acquisition_mode(root: Element) -> str:
    """Mode of the product: IW, EW or SM; StripMap annotations carry the beam instead."""
    mode = root.text("adsHeader/mode")
    if mode in _TOPS_MODES:
        return mode
    if mode in _STRIPMAP_MODES:
        return STRIPMAP
    raise ProductError(f"{root.origin}: mode must be IW, EW or StripMap, got {mode}")


def _ascending(root: Element) -> bool:
    direction = root.text(f"{_PRODUCT}/pass").lower()
    if direction not in {"ascending", "descending"}:
        raise ProductError(f"{root.origin}: pass must be Ascending or Descending, got {direction}")
    return direction == "ascending"


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
