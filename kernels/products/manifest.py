"""What the manifest of a SAFE product says about its orbit, its footprint and its processor."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.products.elements import Element, parse_time

_SAFE = "{http://www.esa.int/safe/sentinel-1.0}"
_S1 = "{http://www.esa.int/safe/sentinel-1.0/sentinel-1}"
_GML = "{http://www.opengis.net/gml}"


class ManifestFacts(NamedTuple):
    """Facts that annotation files lack.

    Attributes
    ----------
    relative_orbit : int or None
        Track number at the start; None if the manifest does not tell.
    processor : str or None
        Software and version, for example "Sentinel-1 IPF 002.91".
    processed : datetime or None
        End of the processing [UTC, naive].
    tracks : frozenset of int
        Track numbers at the start and at the end: two where the ascending node is between them.
    """

    relative_orbit: int | None
    processor: str | None
    processed: datetime | None
    tracks: frozenset[int]


def parse_manifest(content: bytes, *, origin: str) -> ManifestFacts:
    """Read a manifest.

    Parameters
    ----------
    content : bytes
        The XML document.
    origin : str
        Name of the file, for errors.

    Returns
    -------
    ManifestFacts
        What annotations do not say.

    Raises
    ------
    ProductError
        If it is not well-formed, its relative orbit is no number from 1 to 175, or its time of
        processing is no time.
    """
    root = Element.parse(content, origin=origin)
    # the first is the outermost: the processor of this product, before those of its inputs
    software = root.node.find(f".//{_SAFE}processing/{_SAFE}facility/{_SAFE}software")
    processor = None
    if software is not None:
        processor = f"{software.get('name', '')} {software.get('version', '')}".strip()
    numbers = _relative_orbits(root)
    return ManifestFacts(
        relative_orbit=numbers.get("start", next(iter(numbers.values()), None)),
        processor=processor or None,
        processed=_processed(root),
        tracks=frozenset(numbers.values()),
    )


def _processed(root: Element) -> datetime | None:
    processing = root.node.find(f".//{_SAFE}processing")
    text = None if processing is None else processing.get("stop")
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise ProductError(
            f"{root.origin}: attribute stop of processing must be a UTC time, got {text}"
        ) from error


def _relative_orbits(root: Element) -> dict[str | None, int]:
    """Track numbers by what they are of: the start or the stop."""
    numbers: dict[str | None, int] = {}
    for node in root.node.findall(f".//{_SAFE}orbitReference/{_SAFE}relativeOrbitNumber"):
        text = (node.text or "").strip()
        if not text.isdecimal() or not 1 <= int(text) <= 175:
            raise ProductError(
                f"{root.origin}: element relativeOrbitNumber must be 1 to 175, got {text}"
            )
        numbers.setdefault(node.get("type"), int(text))
    return numbers


class Frame(NamedTuple):
    """Where a product lies and how the satellite flew.

    Attributes
    ----------
    ascending : bool
        Direction of the pass.
    footprint : ndarray of float64, shape (n, 2)
        Longitudes and latitudes [degrees] of the corners.
    """

    ascending: bool
    footprint: NDArray[np.float64]


def parse_frame(content: bytes, *, origin: str) -> Frame:
    """Read where a product lies.

    Parameters
    ----------
    content : bytes
        Of the manifest.
    origin : str
        Name of the file, for errors.

    Returns
    -------
    Frame
        Of the whole product.

    Raises
    ------
    ProductError
        If it is not well-formed, or does not tell direction or footprint.
    """
    root = Element.parse(content, origin=origin)
    direction = root.text(f".//{_S1}pass").upper()
    if direction not in {"ASCENDING", "DESCENDING"}:
        raise ProductError(f"{origin}: pass must be ASCENDING or DESCENDING, got {direction}")
    text = root.text(f".//{_SAFE}footPrint/{_GML}coordinates")
    try:
        corners = np.array([pair.split(",") for pair in text.split()], dtype=np.float64)
    except ValueError as error:
        raise ProductError(f"{origin}: footPrint must be pairs of numbers") from error
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise ProductError(f"{origin}: footPrint must be pairs of numbers")
    return Frame(direction == "ASCENDING", corners[:, ::-1])
