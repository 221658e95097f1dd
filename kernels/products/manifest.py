"""What the manifest of a SAFE product says about its orbit and its processor."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kernels.errors import ProductError
from kernels.products.elements import Element, parse_time

_SAFE = "{http://www.esa.int/safe/sentinel-1.0}"


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
    """

    relative_orbit: int | None
    processor: str | None
    processed: datetime | None


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
    return ManifestFacts(
        relative_orbit=_relative_orbit(root),
        processor=processor or None,
        processed=_processed(root),
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


def _relative_orbit(root: Element) -> int | None:
    path = f".//{_SAFE}orbitReference/{_SAFE}relativeOrbitNumber"
    numbers = root.node.findall(path)
    starts = [node for node in numbers if node.get("type") == "start"] or numbers
    if not starts:
        return None
    text = (starts[0].text or "").strip()
    if not text.isdecimal() or not 1 <= int(text) <= 175:
        raise ProductError(
            f"{root.origin}: element relativeOrbitNumber must be 1 to 175, got {text}"
        )
    return int(text)
